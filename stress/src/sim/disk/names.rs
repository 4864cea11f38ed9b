//! The names: each change is a list of edits of entries, done in memory at once and on the platter whole or not at all.

use std::io;
use std::path::Path;
use std::sync::Arc;

use fencehold::fs::Stat;
use rustix::io::Errno;

use super::Disk;
use super::durable::{Edit, NameChange};
use super::nodes::{Body, Dir, Name, Node, NodeId};
use super::paths::Place;

impl Disk {
    /// lstat(2), or none where nothing stands at `path`.
    pub fn stat(&self, path: &Path) -> io::Result<Option<Stat>> {
        match self.at(path) {
            Ok(place) => Ok(self.there(place).map(|node| self.node(node).stat())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// rename(2).
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.move_entry(from, to, true)
    }

    /// renameat2(2) with `RENAME_NOREPLACE`.
    pub fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.move_entry(from, to, false)
    }

    fn move_entry(&mut self, from: &Path, to: &Path, replaces: bool) -> io::Result<()> {
        let (from, to) = (self.at(from)?, self.at(to)?);
        let (Some(_), Some(_)) = (from.name, to.name) else { return Err(Errno::BUSY.into()) };
        let moved = self.there(from).ok_or(Errno::NOENT)?;
        let replaced = self.there(to);
        if replaced.is_some() && !replaces {
            return Err(Errno::EXIST.into());
        }
        let is_dir = self.node(moved).is_dir();
        if is_dir && self.holds(moved, to.dir) {
            return Err(Errno::INVAL.into());
        }
        if let Some(replaced) = replaced {
            let over_dir = self.node(replaced).is_dir();
            // Two names of one file: nothing is done (rename(2)).
            if replaced == moved {
                return Ok(());
            }
            match (is_dir, over_dir) {
                _ if over_dir && self.holds(replaced, from.dir) => return Err(Errno::NOTEMPTY.into()),
                (true, false) => return Err(Errno::NOTDIR.into()),
                (false, true) => return Err(Errno::ISDIR.into()),
                (true, true) if !self.dir(replaced).entries.is_empty() => {
                    return Err(Errno::NOTEMPTY.into());
                }
                _ => {}
            }
        }
        self.change_names(&[self.edit(from, None), self.edit(to, Some(moved))]);
        if is_dir {
            self.dir_mut(moved).parent = to.dir;
        }
        Ok(())
    }

    /// link(2).
    pub fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let from = self.at(from)?;
        let node = self.there(from).ok_or(Errno::NOENT)?;
        let to = self.free(to)?;
        if self.node(node).is_dir() {
            return Err(Errno::PERM.into());
        }
        self.change_names(&[self.edit(to, Some(node))]);
        Ok(())
    }

    /// unlink(2). A file that is open lives on without a name.
    pub fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let place = self.at(path)?;
        let node = self.there(place).ok_or(Errno::NOENT)?;
        if self.node(node).is_dir() {
            return Err(Errno::ISDIR.into());
        }
        self.change_names(&[self.edit(place, None)]);
        Ok(())
    }

    /// rmdir(2).
    pub fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        let place = self.at(path)?;
        let node = self.there(place).ok_or(Errno::NOENT)?;
        let Body::Dir(dir) = &self.node(node).body else { return Err(Errno::NOTDIR.into()) };
        if place.name.is_none() {
            return Err(Errno::BUSY.into());
        }
        if !dir.entries.is_empty() {
            return Err(Errno::NOTEMPTY.into());
        }
        self.change_names(&[self.edit(place, None)]);
        Ok(())
    }

    /// getdents64(2), whole.
    pub fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let dir = self.dir(self.directory(dir)?);
        Ok(dir.entries.keys().filter_map(|name| name.to_str().map(str::to_owned)).collect())
    }

    /// mkdir(2).
    pub fn make_dir(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let place = self.free(path)?;
        self.add(place, Node::new(Body::Dir(Dir::below(place.dir)), mode));
        Ok(())
    }

    /// symlink(2), for the harness: the protocol makes none.
    pub fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let place = self.free(path)?;
        self.add(place, Node::new(Body::Symlink(target.to_owned()), 0o777));
        Ok(())
    }

    /// A place where nothing stands.
    fn free<'a>(&self, path: &'a Path) -> io::Result<Place<'a>> {
        let place = self.at(path)?;
        if self.there(place).is_some() { Err(Errno::EXIST.into()) } else { Ok(place) }
    }

    /// Puts a new inode at a free place.
    pub(super) fn add(&mut self, place: Place<'_>, mut node: Node) -> NodeId {
        node.born = self.platter.changes + 1;
        let id = self.nodes.add(node);
        self.change_names(&[self.edit(place, Some(id))]);
        id
    }

    fn edit(&self, place: Place<'_>, to: Option<NodeId>) -> Edit {
        let name = place.name.expect("the entry of a directory has a name");
        let there = self.dir(place.dir).entries.get_key_value(name);
        let (name, was) =
            there.map_or_else(|| (Name::from(name), None), |(name, node)| (name.clone(), Some(*node)));
        Edit { dir: place.dir, name, was, to }
    }

    fn change_names(&mut self, edits: &[Edit]) {
        for edit in edits {
            let dir = self.node_mut(edit.dir);
            dir.unsynced = true;
            let entries = Arc::make_mut(&mut self.dir_mut(edit.dir).entries);
            match edit.to {
                Some(node) => entries.insert(edit.name.clone(), node),
                None => entries.remove(&edit.name),
            };
            if let Some(node) = edit.to {
                self.node_mut(node).names += 1;
            }
            if let Some(node) = edit.was {
                self.node_mut(node).names -= 1;
            }
        }
        self.platter.changes += 1;
        if self.platter.tracked().is_some() {
            let number = self.platter.changes;
            self.platter.pending.push(NameChange { number, edits: edits.into() });
        }
        for node in edits.iter().filter_map(|edit| edit.was) {
            self.forget_unused(node);
        }
    }
}
