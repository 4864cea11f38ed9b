use std::path::{Path, PathBuf};

use fencehold::document::Document;
use fencehold::fs::{Fs, RealFs};
use fencehold::host::RealHost;
use fencehold::log::Log;
use fencehold::mark::{Fence, Folder, Last, ResourceLock, Rooted, Shown};
use fencehold_model::{LockName, WorkspaceId};

/// A root with a workspace folder in it.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["", "/.fencehold", "/.fencehold/doc", "/.fencehold/archive", "/.fencehold/quarantine"] {
            std::fs::create_dir(dir.path().join(format!("root{name}"))).unwrap();
        }
        Site { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.dir.path().join("root")).unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// The names in a directory of the root, sorted.
    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(dir)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder { dir: self.path(".fencehold"), id: WorkspaceId::new("w1").unwrap() }
    }

    pub(crate) fn rooted(&self) -> Rooted {
        Rooted::new(&RealFs, &self.path(""), &self.path(".fencehold")).unwrap()
    }

    pub(crate) fn document(&self, name: &str) -> Document<RealFs, RealHost> {
        self.document_on(RealFs, name)
    }

    pub(crate) fn document_on<F: Fs>(&self, fs: F, name: &str) -> Document<F, RealHost> {
        let host = RealHost::new().unwrap();
        Document::open(fs, host, self.folder(), &self.rooted(), Path::new(name)).unwrap()
    }

    pub(crate) fn log(&self, name: &str) -> Log<RealFs> {
        self.log_on(RealFs, name)
    }

    pub(crate) fn log_on<F: Fs>(&self, fs: F, name: &str) -> Log<F> {
        Log::open(fs, self.folder(), &self.rooted(), Path::new(name), None).unwrap()
    }

    pub(crate) fn lock(&self, name: &str) -> ResourceLock<RealFs> {
        let place = self.rooted().locate(&RealFs, Path::new(name), Last::Follow).unwrap();
        ResourceLock::new(RealFs, self.folder(), &place)
    }
}

pub(crate) fn fence(lock: &str, token: u64) -> Shown {
    Shown::fence(Fence::new(LockName::new(lock).unwrap(), token).unwrap())
}
