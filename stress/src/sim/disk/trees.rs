//! The disk as the harness sees it, and what foreign programs do to it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::Disk;
use super::history::FileBody;
use super::nodes::{Body, Node, NodeId, ROOT};

impl Disk {
    /// The bytes of the file at `path`, for the harness.
    #[must_use]
    pub fn contents(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        let node = self.there(self.at(path.as_ref()).ok()?)?;
        self.file(node).ok().map(FileBody::bytes)
    }

    /// Every file and its bytes, for the harness.
    pub fn files(&self) -> impl Iterator<Item = (PathBuf, &[u8])> {
        let all = self.all().into_iter();
        all.filter_map(|(path, node)| Some((path, self.file(node).ok()?.bytes())))
    }

    /// The files and directories with changes that no sync has covered.
    pub fn unsynced(&self) -> impl Iterator<Item = PathBuf> {
        self.all().into_iter().filter(|(_, node)| self.node(*node).unsynced).map(|(path, _)| path)
    }

    /// Puts these bytes at `path` in the place of what is there, as a foreign program would; for the harness.
    ///
    /// # Panics
    /// If the directory is not there.
    pub fn put(&mut self, path: impl AsRef<Path>, bytes: &[u8]) {
        let place = self.at(path.as_ref()).expect("the harness writes into a directory that is there");
        let node = match self.there(place) {
            Some(node) => node,
            None => self.add(place, Node::new(Body::File(FileBody::clean(Vec::new())), 0o600)),
        };
        let written = self.change(node, |file, tracked| {
            file.cut(0, tracked);
            file.write(0, bytes, tracked);
        });
        written.expect("the harness writes to a regular file");
    }

    /// Copies a file or a folder with all below it to `to`, where nothing stands, as `cp -a` does: new inodes, hard links
    /// among them kept.
    ///
    /// # Errors
    /// As the calls that it is made of.
    pub fn copy_tree(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut copied = BTreeMap::new();
        self.copy_below(from, to, &mut copied)
    }

    fn copy_below(
        &mut self,
        from: &Path,
        to: &Path,
        copied: &mut BTreeMap<NodeId, PathBuf>,
    ) -> io::Result<()> {
        let node = self.there(self.at(from)?).ok_or(io::ErrorKind::NotFound)?;
        if let Some(copy) = copied.get(&node) {
            return self.link(&copy.clone(), to);
        }
        let Node { body, mode, owner, .. } = self.node(node).clone();
        match body {
            Body::File(file) => {
                let place = self.at(to)?;
                if self.there(place).is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                let new = Node { owner, ..Node::new(Body::File(FileBody::clean(Vec::new())), mode) };
                let copy = self.add(place, new);
                self.change(copy, |new, tracked| new.write(0, file.bytes(), tracked))?;
                copied.insert(node, to.to_owned());
            }
            Body::Symlink(target) => self.symlink(&target, to)?,
            Body::Dir(dir) => {
                self.make_dir(to, mode)?;
                for name in dir.entries.keys() {
                    self.copy_below(&from.join(&**name), &to.join(&**name), copied)?;
                }
            }
        }
        Ok(())
    }

    /// Removes a file or a folder with all below it, as `rm -r` does: entry by entry.
    ///
    /// # Errors
    /// As the calls that it is made of.
    pub fn remove_tree(&mut self, path: &Path) -> io::Result<()> {
        let node = self.there(self.at(path)?).ok_or(io::ErrorKind::NotFound)?;
        let Body::Dir(dir) = &self.node(node).body else { return self.unlink(path) };
        let names: Vec<PathBuf> = dir.entries.keys().map(|name| path.join(&**name)).collect();
        for below in names {
            self.remove_tree(&below)?;
        }
        self.remove_dir(path)
    }

    /// Every entry, directories before what is in them.
    fn all(&self) -> Vec<(PathBuf, NodeId)> {
        let mut all = vec![(PathBuf::from("/"), ROOT)];
        let mut next = 0;
        while let Some((path, node)) = all.get(next).cloned() {
            next += 1;
            if let Body::Dir(dir) = &self.node(node).body {
                all.extend(dir.entries.iter().map(|(name, node)| (path.join(&**name), *node)));
            }
        }
        all.sort();
        all
    }
}
