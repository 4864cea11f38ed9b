//! A root with a workspace folder on a simulated disk, as logs and documents need it.

use std::path::Path;

use fencehold::document::Document;
use fencehold::fs::{Fs, How};
use fencehold::log::Log;
use fencehold::mark::{Fence, Folder, Last, ResourceLock, Rooted, Shown};
use fencehold_model::{LockName, WorkspaceId};
use serde_json::{Map, Value, json};

use crate::sim::disk::Disk;
use crate::sim::world::{Ended, Plan, SimFs, SimHost, World};

/// The root.
pub(crate) const ROOT: &str = "/root";
/// The log, below the root.
pub(crate) const LOG: &str = "bugs.ndjson";
const FOLDER: &str = "/root/.fencehold";
/// Where the files are that a log was.
pub(crate) const ARCHIVE: &str = "/root/.fencehold/archive";

/// A disk with an empty root, after `then`.
pub(crate) fn disk(then: impl FnOnce(&SimFs, &SimHost)) -> Disk {
    let world = World::calm(Disk::new());
    let built = world.alone(Plan::NONE, |fs, host| {
        for dir in [ROOT, FOLDER, "/root/.fencehold/doc", ARCHIVE, "/root/.fencehold/quarantine"] {
            fs.make_dir(Path::new(dir), 0o700).expect("an empty disk takes a directory");
        }
        then(&fs, &host);
    });
    assert_eq!(built, Ended::Returned(()), "a disk to begin with");
    world.disk(|disk| disk.clone())
}

/// Writes a file below the root as a foreign program would.
pub(crate) fn foreign<F: Fs>(fs: &F, name: &str, bytes: &[u8]) {
    use fencehold::fs::File as _;
    let path = Path::new(ROOT).join(name);
    let file = match fs.open(&path, How::Append) {
        Ok(file) => file,
        Err(_) => fs.open(&path, How::CreateNew { mode: 0o644 }).expect("a new file on a healthy disk"),
    };
    file.append(bytes).expect("a write on a healthy disk");
}

fn folder() -> Folder {
    Folder { dir: FOLDER.into(), id: WorkspaceId::new("w1").expect("a plain id") }
}

/// A record with this id.
pub(crate) fn record(id: &str) -> Map<String, Value> {
    Map::from_iter([("id".to_owned(), json!(id)), ("text".to_owned(), json!("ä, two bytes"))])
}

pub(crate) fn log<F: Fs>(fs: &F) -> fencehold::Result<Log<F>> {
    let rooted = Rooted::new(fs, Path::new(ROOT), Path::new(FOLDER))?;
    Log::open(fs.clone(), folder(), &rooted, Path::new(LOG), None)
}

/// The OS lock of the log.
pub(crate) fn log_lock<F: Fs>(fs: &F) -> fencehold::Result<ResourceLock<F>> {
    let rooted = Rooted::new(fs, Path::new(ROOT), Path::new(FOLDER))?;
    let place = rooted.locate(fs, Path::new(LOG), Last::Refuse)?;
    Ok(ResourceLock::new(fs.clone(), folder(), &place))
}

pub(crate) fn document(fs: &SimFs, host: &SimHost) -> fencehold::Result<Document<SimFs, SimHost>> {
    let rooted = Rooted::new(fs, Path::new(ROOT), Path::new(FOLDER))?;
    Document::open(fs.clone(), host.clone(), folder(), &rooted, Path::new("state.json"))
}

/// A fence of the lock `build`, or nothing to show.
pub(crate) fn shown(token: Option<u64>) -> Shown {
    let name = LockName::new("build").expect("a plain name");
    token.map_or_else(Shown::nothing, |token| Shown::fence(Fence::new(name, token).expect("a small token")))
}
