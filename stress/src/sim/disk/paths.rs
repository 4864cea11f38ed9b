//! From a path to an inode (path_resolution(7)).

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Disk;
use super::nodes::{Body, Dir, Name, NodeId, ROOT};

/// How many symlinks a path may lead through (path_resolution(7)).
const SYMLINKS_MAX: usize = 40;

/// Where a path leads: a directory, and a name in it; without a name, the directory itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) dir: NodeId,
    pub(super) name: Option<&'a OsStr>,
}

/// What stands at the end of a path.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) node: NodeId,
    /// Of what is no directory: where it stands.
    entry: Option<(NodeId, Name)>,
}

impl Disk {
    /// realpath(3).
    pub fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let spot = self.end_of(path)?;
        match spot.entry {
            Some((dir, name)) if !self.node(spot.node).is_dir() => Ok(self.path_of(dir).join(&*name)),
            _ => Ok(self.path_of(spot.node)),
        }
    }

    /// The place of an entry: its directory resolved, its last component as it stands.
    pub(super) fn at<'a>(&self, path: &'a Path) -> io::Result<Place<'a>> {
        let bytes = path.as_os_str().as_bytes();
        // mkdir(2) and rename(2) of a directory take a slash behind its name.
        let end = bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        let bytes = if end == 0 { bytes } else { &bytes[..end] };
        let cut = bytes.iter().rposition(|byte| *byte == b'/').ok_or(Errno::NOENT)?;
        match &bytes[cut + 1..] {
            b"" | b"." | b".." => Ok(Place { dir: self.directory(path)?, name: None }),
            name => {
                let dir = self.directory(Path::new(OsStr::from_bytes(&bytes[..=cut])))?;
                Ok(Place { dir, name: Some(OsStr::from_bytes(name)) })
            }
        }
    }

    /// What stands at a place.
    pub(super) fn there(&self, place: Place<'_>) -> Option<NodeId> {
        match place.name {
            None => Some(place.dir),
            Some(name) => self.dir(place.dir).entries.get(name).copied(),
        }
    }

    pub(super) fn directory(&self, path: &Path) -> io::Result<NodeId> {
        let node = self.end_of(path)?.node;
        if self.node(node).is_dir() { Ok(node) } else { Err(Errno::NOTDIR.into()) }
    }

    /// The directory `node`.
    pub(super) fn dir(&self, node: NodeId) -> &Dir {
        match &self.node(node).body {
            Body::Dir(dir) => dir,
            _ => unreachable!("a place is in a directory"),
        }
    }

    pub(super) fn dir_mut(&mut self, node: NodeId) -> &mut Dir {
        match &mut self.node_mut(node).body {
            Body::Dir(dir) => dir,
            _ => unreachable!("a place is in a directory"),
        }
    }

    /// Whether `node` is `dir` or a directory above it.
    pub(super) fn holds(&self, node: NodeId, mut dir: NodeId) -> bool {
        loop {
            if dir == node {
                return true;
            }
            if dir == ROOT {
                return false;
            }
            dir = self.dir(dir).parent;
        }
    }

    pub(super) fn path_of(&self, dir: NodeId) -> PathBuf {
        if dir == ROOT {
            return PathBuf::from("/");
        }
        let parent = self.dir(dir).parent;
        let named = self.dir(parent).entries.iter().find(|(_, node)| **node == dir);
        let (name, _) = named.expect("a directory that a path leads to stands in its parent");
        self.path_of(parent).join(&**name)
    }

    pub(super) fn end_of(&self, path: &Path) -> io::Result<Spot> {
        if !path.is_absolute() {
            return Err(Errno::NOENT.into());
        }
        self.follow(ROOT, path, &mut { SYMLINKS_MAX })
    }

    fn follow(&self, from: NodeId, path: &Path, left: &mut usize) -> io::Result<Spot> {
        let bytes = path.as_os_str().as_bytes();
        let start = if bytes.first() == Some(&b'/') { ROOT } else { from };
        let mut spot = Spot { node: start, entry: None };
        for part in bytes.split(|byte| *byte == b'/') {
            let here = spot.node;
            let Body::Dir(dir) = &self.node(here).body else { return Err(Errno::NOTDIR.into()) };
            match part {
                b"" | b"." => {}
                b".." => spot = Spot { node: dir.parent, entry: None },
                name => {
                    let found = dir.entries.get_key_value(OsStr::from_bytes(name));
                    let (name, node) = found.ok_or(Errno::NOENT)?;
                    if let Body::Symlink(target) = &self.node(*node).body {
                        *left = left.checked_sub(1).ok_or(Errno::LOOP)?;
                        spot = self.follow(here, target, left)?;
                    } else if self.node(*node).is_dir() {
                        spot = Spot { node: *node, entry: None };
                    } else {
                        spot = Spot { node: *node, entry: Some((here, name.clone())) };
                    }
                }
            }
        }
        Ok(spot)
    }
}
