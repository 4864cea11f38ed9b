//! A call of the port, in words: what a world is told before it lets it through.

use std::panic::Location;
use std::path::{Path, PathBuf};

use crate::sim::disk::OpenId;

/// What a process asks of the disk, in words, and how many bytes it would write.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method of the port.
    pub name: &'static str,
    /// The path it names, or the one its file was opened by.
    pub path: &'a Path,
    /// The name that a rename or a link starts from.
    pub from: Option<&'a Path>,
    /// The description it goes through.
    pub open: Option<OpenId>,
    /// The bytes that a write would write; 0 for every other call.
    pub bytes: usize,
    /// The bytes that a read has room for; 0 for every other call.
    pub room: usize,
    /// Where in the source it is called.
    pub site: Site,
}

/// A place in the source: of the caller of a method of the port, or of the caller of a helper of [`fencehold::fs`].
pub type Site = &'static Location<'static>;

/// A call without what it borrows, to be made later.
pub(super) struct Late {
    name: &'static str,
    path: PathBuf,
    from: Option<PathBuf>,
    open: Option<OpenId>,
    bytes: usize,
    room: usize,
    site: Site,
}

impl<'a> Call<'a> {
    /// A call by path.
    #[track_caller]
    pub(super) fn at(name: &'static str, path: &'a Path) -> Self {
        Call { name, path, from: None, open: None, bytes: 0, room: 0, site: Location::caller() }
    }

    /// How many bytes move where nothing cuts it short.
    pub(in crate::sim) fn whole(&self) -> usize {
        self.bytes.max(self.room)
    }

    pub(super) fn late(&self) -> Late {
        let (path, from) = (self.path.to_owned(), self.from.map(Path::to_owned));
        let Call { name, open, bytes, room, site, .. } = *self;
        Late { name, path, from, open, bytes, room, site }
    }
}

impl Late {
    pub(super) fn call(&self) -> Call<'_> {
        let Late { name, open, bytes, room, site, .. } = *self;
        Call { name, path: &self.path, from: self.from.as_deref(), open, bytes, room, site }
    }
}
