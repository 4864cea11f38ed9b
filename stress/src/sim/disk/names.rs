//! The names: one flat map from absolute paths to inodes, directories being inodes as well.

use std::io;
use std::ops::Bound::{Included, Unbounded};
use std::path::{Component, Path, PathBuf};

use fencehold::fs::Stat;
use rustix::io::Errno;

use super::{Body, Disk, Inode};

/// How many symlinks a path may lead through (path_resolution(7)).
const SYMLINKS_MAX: usize = 40;

impl Disk {
    /// lstat(2), or none where nothing stands at `path`.
    pub fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        let path = match self.at(path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(self.names.get(&path).map(|inode| self.inode(*inode).stat(*inode)))
    }

    /// realpath(3).
    pub fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut left = SYMLINKS_MAX;
        self.walk(path, &mut left)
    }

    /// rename(2).
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.at(from)?, self.at(to)?);
        let moved = *self.names.get(&from).ok_or(Errno::NOENT)?;
        let is_dir = self.is_dir(moved);
        if is_dir && to != from && to.starts_with(&from) {
            return Err(Errno::INVAL.into());
        }
        if let Some(replaced) = self.names.get(&to).copied() {
            match (is_dir, self.is_dir(replaced)) {
                // Two names of one file: nothing is done (rename(2)).
                _ if replaced == moved => return Ok(()),
                (true, false) => return Err(Errno::NOTDIR.into()),
                (false, true) => return Err(Errno::ISDIR.into()),
                (true, true) if self.children(&to).next().is_some() => return Err(Errno::NOTEMPTY.into()),
                _ => self.remove(&to),
            }
        }
        self.rekey(&from, &to);
        Ok(())
    }

    /// renameat2(2) with `RENAME_NOREPLACE`.
    pub fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.names.contains_key(&self.at(to)?) && self.names.contains_key(&self.at(from)?) {
            return Err(Errno::EXIST.into());
        }
        self.rename(from, to)
    }

    /// link(2).
    pub fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.at(from)?, self.at(to)?);
        let inode = *self.names.get(&from).ok_or(Errno::NOENT)?;
        if self.names.contains_key(&to) {
            return Err(Errno::EXIST.into());
        }
        if self.is_dir(inode) {
            return Err(Errno::PERM.into());
        }
        self.inode_mut(inode).names += 1;
        self.touch_parent(&to);
        self.names.insert(to, inode);
        Ok(())
    }

    /// unlink(2). A file that is open lives on without a name.
    pub fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let path = self.at(path)?;
        let inode = *self.names.get(&path).ok_or(Errno::NOENT)?;
        if self.is_dir(inode) {
            return Err(Errno::ISDIR.into());
        }
        self.remove(&path);
        Ok(())
    }

    /// rmdir(2).
    pub fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        let path = self.at(path)?;
        let inode = *self.names.get(&path).ok_or(Errno::NOENT)?;
        if !self.is_dir(inode) {
            return Err(Errno::NOTDIR.into());
        }
        if self.children(&path).next().is_some() {
            return Err(Errno::NOTEMPTY.into());
        }
        self.remove(&path);
        Ok(())
    }

    /// getdents64(2), whole.
    pub fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let dir = self.directory(dir)?;
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        Ok(self.children(&dir).filter_map(name).collect())
    }

    /// mkdir(2).
    pub fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let path = self.at(path)?;
        if self.names.contains_key(&path) {
            return Err(Errno::EXIST.into());
        }
        self.add(path, Inode::new(Body::Dir, mode));
        Ok(())
    }

    /// symlink(2), for the harness: the protocol makes none.
    pub fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let path = self.at(path)?;
        if self.names.contains_key(&path) {
            return Err(Errno::EXIST.into());
        }
        self.add(path, Inode::new(Body::Symlink(target.to_owned()), 0o777));
        self.symlinks += 1;
        Ok(())
    }

    /// fsync(2) of a directory.
    pub fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        let dir = self.directory(dir)?;
        let inode = self.names[&dir];
        self.inode_mut(inode).unsynced = false;
        Ok(())
    }

    /// The path of an entry: its directory resolved, its last component as it stands.
    pub(super) fn at(&self, path: &Path) -> io::Result<PathBuf> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return self.resolve(path) };
        Ok(self.directory(parent)?.join(name))
    }

    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        // Without symlinks and dots, which is nearly always, a path that is there is resolved already.
        let plain = self.symlinks == 0 && !path.components().any(|part| part == Component::ParentDir);
        let path = match self.names.get(path) {
            Some(_) if plain => path.to_owned(),
            _ => self.resolve(path)?,
        };
        if self.is_dir(self.names[&path]) { Ok(path) } else { Err(Errno::NOTDIR.into()) }
    }

    fn walk(&self, path: &Path, left: &mut usize) -> io::Result<PathBuf> {
        if !path.is_absolute() {
            return Err(Errno::NOENT.into());
        }
        let mut at = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
                Component::ParentDir => {
                    at.pop();
                    continue;
                }
                Component::Normal(name) => {
                    if !self.is_dir(self.names[&at]) {
                        return Err(Errno::NOTDIR.into());
                    }
                    at.push(name);
                }
            }
            let inode = *self.names.get(&at).ok_or(Errno::NOENT)?;
            if let Body::Symlink(target) = &self.inode(inode).body {
                *left = left.checked_sub(1).ok_or(Errno::LOOP)?;
                let target = at.parent().unwrap_or(&at).join(target);
                at = self.walk(&target, left)?;
            }
        }
        Ok(at)
    }

    fn is_dir(&self, inode: u64) -> bool {
        matches!(self.inode(inode).body, Body::Dir)
    }

    fn children<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = &'a Path> {
        let below = self.names.range::<Path, _>((Included(dir), Unbounded)).map(|(path, _)| path.as_path());
        below.take_while(move |path| path.starts_with(dir)).filter(move |path| path.parent() == Some(dir))
    }

    pub(super) fn add(&mut self, path: PathBuf, mut inode: Inode) -> u64 {
        let number = self.free_number();
        inode.names = 1;
        self.inodes.insert(number, inode);
        self.touch_parent(&path);
        self.names.insert(path, number);
        number
    }

    fn remove(&mut self, path: &Path) {
        let Some(inode) = self.names.remove(path) else { return };
        self.touch_parent(path);
        let file = self.inode_mut(inode);
        file.names -= 1;
        let symlinks = usize::from(matches!(file.body, Body::Symlink(_)));
        self.symlinks -= symlinks;
        self.forget_unused(inode);
    }

    /// Moves a name and, of a directory, all below it.
    fn rekey(&mut self, from: &Path, to: &Path) {
        let moved: Vec<PathBuf> = self
            .names
            .range::<Path, _>((Included(from), Unbounded))
            .map(|(path, _)| path.clone())
            .take_while(|path| path.starts_with(from))
            .collect();
        for path in moved {
            let Some(inode) = self.names.remove(&path) else { continue };
            let below = path.strip_prefix(from).unwrap_or(Path::new(""));
            let name = if below.as_os_str().is_empty() { to.to_owned() } else { to.join(below) };
            self.names.insert(name, inode);
        }
        self.touch_parent(from);
        self.touch_parent(to);
    }

    fn touch_parent(&mut self, path: &Path) {
        if let Some(inode) = path.parent().and_then(|parent| self.names.get(parent)).copied() {
            self.inode_mut(inode).unsynced = true;
        }
    }
}
