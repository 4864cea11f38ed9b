//! What the shipped code does beside the torn operations: repairs, copies, what comes once in a million events.

use std::path::Path;

use fencehold::document::{Document, Version};
use fencehold::fs::{Fs as _, How};
use fencehold::journal::Journal as _;
use fencehold::locate::keep_in_git_config;
use fencehold::log::{GitCheckout, union_merge};
use fencehold_model::record::{self, Head};
use fencehold_model::state::Boot;
use fencehold_model::{Revision, State};

use crate::sim::disk::Disk;
use crate::sim::torn::site;
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{Ended, Plan, SimFs, SimHost, World};

const TTL_MS: u64 = 1_000;
/// Longer than an ended lease stays in the state.
pub(super) const LONG_MS: u64 = 11 * 60 * 1_000;
/// By how much a floor is raised.
const FLOOR_STEP: Revision = 1 << 20;

/// Something that is done to a disk.
pub(super) struct Deed {
    /// Its name.
    pub(super) name: &'static str,
    disk: fn() -> Disk,
    act: fn(&SimFs, &SimHost),
}

/// All of them, in a fixed order.
pub(super) const DEEDS: [Deed; 14] = [
    Deed { name: "repair of a missing lock", disk: || without("lock"), act: repair },
    Deed { name: "repair of a missing folder", disk: || without("quarantine"), act: repair },
    Deed { name: "repair of a missing floor", disk: || without("floor.json"), act: repair },
    Deed { name: "repair of a missing journal", disk: || without("journal.1.ndjson"), act: repair },
    Deed { name: "repair of a damaged floor", disk: || spoilt("floor.json", 3), act: repair },
    Deed { name: "repair of line one", disk: || spoilt("journal.1.ndjson", 3), act: repair },
    Deed { name: "repair of the last line", disk: broken, act: repair },
    Deed { name: "read of a broken line", disk: broken, act: |fs, host| drop(user(fs, host).revision()) },
    Deed { name: "adoption of a copy", disk: copied, act: acquire },
    Deed {
        name: "rotation that forgets a lease",
        disk: with_an_ended_lease,
        act: |fs, host| {
            host.pass(LONG_MS);
            acquire(fs, host);
        },
    },
    Deed {
        name: "revision at the floor",
        disk: at_the_floor,
        act: |fs, host| {
            acquire(fs, host);
            assert!(user(fs, host).acquire("at the floor", "next", TTL_MS).is_ok(), "a healthy disk");
        },
    },
    Deed { name: "settings of git", disk: git_checkout, act: |fs, _| git(fs).expect("a healthy disk") },
    Deed {
        name: "repair of a document",
        disk: || site::disk(|fs, _| site::foreign(fs, "state.json", b"{\"n\":")),
        act: |fs, host| {
            let document = site::document(fs, host).expect("a healthy disk");
            assert!(mend(&document).is_ok(), "a healthy disk");
        },
    },
    Deed {
        name: "removal of a document",
        disk: || site::disk(|fs, _| site::foreign(fs, "state.json", b"{\"n\":0}\n")),
        act: |fs, host| {
            let document = site::document(fs, host).expect("a healthy disk");
            assert_eq!(remove(&document), Ok(true));
            assert_eq!(remove(&document), Ok(false), "it is gone");
        },
    },
];

/// The checkout's common directory.
pub(super) const GIT: &str = "/root/.git";

impl Deed {
    /// Runs it on a healthy disk.
    pub(super) fn run(&self) {
        let ended = World::calm((self.disk)()).alone(Plan::NONE, |fs, host| (self.act)(&fs, &host));
        assert_eq!(ended, Ended::Returned(()), "{}", self.name);
    }
}

fn user(fs: &SimFs, host: &SimHost) -> Client<SimFs, SimHost> {
    Client::new(fs.clone(), host.clone(), "user")
}

fn acquire(fs: &SimFs, host: &SimHost) {
    let answer = user(fs, host).acquire("deed", "deed", TTL_MS);
    assert!(granted(&answer).is_some(), "{answer:?} on a healthy disk");
}

fn repair(fs: &SimFs, host: &SimHost) {
    let repaired = user(fs, host).ledger.journal().repair();
    assert!(repaired.is_ok(), "{repaired:?} on a healthy disk");
}

fn mend(document: &Document<SimFs, SimHost>) -> fencehold::Result<()> {
    document.repair(None, &site::shown(None)).map(drop)
}

/// Removes what stands there; false where nothing does.
pub(super) fn remove(document: &Document<SimFs, SimHost>) -> Result<bool, String> {
    let said = |error: fencehold::Error| format!("a process is told: {error}");
    let content = document.read(&site::shown(None)).map_err(said)?;
    let version = content.map_err(|refusal| format!("a read is refused: {refusal}"))?.version;
    if version == Version::absent() {
        return Ok(false);
    }
    let removed = document.remove(&version, &site::shown(None)).map_err(said)?;
    removed.map(|()| true).map_err(|refusal| format!("a removal is refused: {refusal}"))
}

/// A folder with git's files in it.
pub(super) fn git_checkout() -> Disk {
    site::disk(|fs, _| {
        fs.make_dir(Path::new(GIT), 0o755).expect("a new folder");
        site::foreign(fs, ".git/config", b"[core]\n\tbare = false\n");
    })
}

/// Writes into git's files.
pub(super) fn git(fs: &SimFs) -> Result<(), String> {
    let checkout = GitCheckout { common_dir: GIT.into(), top: "/root".into() };
    for _ in 0..2 {
        union_merge(fs, &checkout, Path::new("/root/bugs.ndjson")).map_or(Ok(()), |note| Err(note.0))?;
    }
    let kept = keep_in_git_config(fs, Path::new(GIT), Path::new("/elsewhere"));
    kept.map_err(|error| format!("a process is told: {error}"))
}

/// A workspace that was used.
fn used() -> Disk {
    workspace::disk(acquire)
}

pub(super) fn without(name: &str) -> Disk {
    let world = World::calm(used());
    let path = Path::new(DIR).join(name);
    world.disk(|disk| disk.unlink(&path).or_else(|_| disk.remove_dir(&path))).expect("it was there");
    world.disk(|disk| disk.clone())
}

/// With a byte of the file changed.
fn spoilt(name: &str, at: usize) -> Disk {
    let mut disk = used();
    let path = Path::new(DIR).join(name);
    let mut bytes = disk.contents(&path).expect("it was there").to_vec();
    bytes[at] ^= 1;
    disk.put(&path, &bytes);
    disk
}

/// With the last line of the journal damaged, in the boot that wrote it.
pub(super) fn broken() -> Disk {
    let path = Path::new(DIR).join("journal.1.ndjson");
    let len = used().contents(&path).expect("the journal of a workspace").len();
    spoilt("journal.1.ndjson", len - 3)
}

/// A copy: its `lock` is another inode.
fn copied() -> Disk {
    workspace::disk(|fs, host| {
        acquire(fs, host);
        let copy = Path::new(DIR).join("copy");
        fs.open(&copy, How::CreateNew { mode: 0o600 }).expect("a new file");
        fs.rename(&copy, &Path::new(DIR).join("lock")).expect("a healthy disk");
    })
}

pub(super) fn with_an_ended_lease() -> Disk {
    workspace::disk(|fs, host| {
        let client = user(fs, host);
        client.grant("grant", "work", "src/", Some(TTL_MS), None).expect("a healthy disk");
        let token = client.revision().expect("a healthy disk");
        client.close("close", "work", token).expect("a healthy disk");
        workspace::fill(fs, host);
    })
}

/// The next revision but one is the floor.
pub(super) fn at_the_floor() -> Disk {
    let mut disk = workspace::disk(|_, _| {});
    let read = World::calm(disk.clone()).alone(Plan::NONE, |fs, host| {
        let client = user(&fs, &host);
        let workspace = client.ledger.journal().workspace().expect("a healthy disk");
        (workspace, fencehold::host::Clock::boot(&host))
    });
    let (workspace, boot) = read.returned().expect("a healthy disk");
    let boot = Boot { boot, anchor_ms: 0, monotonic_ms: 0 };
    let state = State { revision: FLOOR_STEP - 2, boot: Some(boot), ..State::default() };
    let (line, _) = record::write_head(&Head { workspace, n: 1, state }, FLOOR_STEP - 2);
    disk.put(Path::new(DIR).join("journal.1.ndjson"), line.as_bytes());
    disk
}
