//! The workspaces that operations begin with: as a calm machine left them, a killed one, an older one, a copied one.

use std::path::Path;
use std::sync::OnceLock;

use fencehold::fs::Fs as _;
use fencehold::journal::Durability;
use fencehold_model::Entry;
use fencehold_model::lock::Command;

use super::operations::{FIRST, HELD_OP, HELD_TOKEN, LAPSED_TOKEN, OPEN_TOKEN};
use super::user::{TTL_MS, User, events};
use crate::sim::disk::Disk;
use crate::sim::power::door::Boot;
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{SimFs, SimHost, World};

/// A disk to begin with, and in which boot.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) name: &'static str,
    pub(super) disk: Disk,
    /// How many boots were before.
    pub(super) boot: u64,
    /// Whether only a repair makes it work again.
    pub(super) damaged: bool,
    /// The events that stand on it, and stay.
    pub(super) events: Vec<Entry>,
}

/// Line one of a journal here is shorter than this.
const HEAD_BYTES_MAX: u64 = 4096;

/// What a killed writer left of a line.
const HALF: &[u8] = b"{\"rev\":3,\"t\":17672256010";

/// Every start of the journal's operations, built once.
pub(super) fn all() -> &'static [Start] {
    static ALL: OnceLock<Vec<Start>> = OnceLock::new();
    ALL.get_or_init(build)
}

fn build() -> Vec<Start> {
    let used = workspace::disk(use_it);
    let full = workspace::disk(|fs, host| {
        use_it(fs, host);
        fill(fs, host);
    });
    let relaxed = workspace::disk(|fs, host| {
        use_it(fs, host);
        let user = User::new(Boot::blind().files(fs), host.clone(), "relaxed", Durability::Relaxed);
        for name in ["one", "two"] {
            let answer = user.acquire(name, name, name);
            assert!(answer.is_ok(), "{answer:?} on a healthy disk");
        }
    });
    let full_events = events(&full, 0).expect("a healthy journal");
    let events = events(&used, 0).expect("a healthy journal");
    let start = |name, disk: &Disk, boot| {
        let events = match name {
            "nothing" => Vec::new(),
            "full" | "full, half a line" => full_events.clone(),
            _ => events.clone(),
        };
        Start { name, disk: disk.clone(), boot, damaged: false, events }
    };
    let damaged = |name, disk: &Disk, lost: usize| {
        let events = events[..events.len() - lost].to_vec();
        Start { damaged: true, events, ..start(name, disk, 0) }
    };
    vec![
        start("used", &used, 0),
        start("used, after a reboot", &used, 1),
        start("half a line", &behind(&used, HALF), 0),
        start("half a line, after a reboot", &behind(&used, HALF), 1),
        start("a hole and a line, after a reboot", &with_hole(&relaxed), 1),
        start("full", &full, 0),
        start("full, half a line", &behind(&full, HALF), 0),
        start("condemned", &condemned(&used), 0),
        start("copied", &copied(&used), 0),
        damaged("damaged", &with_hole(&used), 2),
        damaged("without a floor", &without(&used, "floor.json"), 0),
        damaged("without a lock", &without(&used, "lock"), 0),
        start("nothing", &workspace::empty(), 0),
    ]
}

/// One lock held, one lease open, one lapsed, a task at each step.
fn use_it(fs: &SimFs, host: &SimHost) {
    let user = User::new(Boot::blind().files(fs), host.clone(), "prepared", Durability::Durable);
    let held = user.acquire(HELD_OP, "held", HELD_OP).expect("a healthy disk");
    let open = user.client.grant("p2", "open", "src/", Some(TTL_MS), None).expect("a healthy disk");
    let lapsed = user.client.grant("p3", "lapsed", "lib/", Some(1_000), None).expect("a healthy disk");
    let revisions = [held.revision, open.revision, lapsed.revision];
    assert_eq!(revisions, [HELD_TOKEN, OPEN_TOKEN, LAPSED_TOKEN], "revisions from {FIRST}");
    let steps = [("T-1", "todo"), ("T-2", "in_progress"), ("T-3", "in_progress"), ("T-3", "blocked")];
    for (step, (task, to)) in steps.into_iter().enumerate() {
        let set = user.client.set(&format!("s{step}"), task, to, None, 0);
        assert!(set.is_ok(), "{set:?} on a healthy disk");
    }
    host.pass(2_000);
}

/// Commits long events until the next commit rotates the journal.
fn fill(fs: &SimFs, host: &SimHost) {
    let client = Client::new(fs.clone(), host.clone(), "filler");
    let len = || fs.stat(journal().as_ref()).ok().flatten().map_or(0, |stat| stat.len);
    for number in 0.. {
        if len() > HEAD_BYTES_MAX + fencehold::journal::ROTATE_BYTES {
            return;
        }
        let token = granted(&client.acquire(&format!("f{number}"), "filled", TTL_MS));
        let reason = "x".repeat(fencehold::ledger::REASON_BYTES_MAX);
        let broken = Command::Break { name: workspace::lock("filled"), reason };
        let broken = client.ask(&format!("g{number}"), &broken);
        assert!(token.is_some() && broken.is_ok(), "{broken:?} on a healthy disk");
    }
}

fn journal() -> String {
    format!("{DIR}/journal.1.ndjson")
}

fn behind(disk: &Disk, more: &[u8]) -> Disk {
    let mut disk = disk.clone();
    let whole = disk.contents(journal()).expect("the journal of a workspace").to_vec();
    disk.put(journal(), &[&whole, more].concat());
    disk
}

/// A hole where a line was, and a whole line behind it.
fn with_hole(disk: &Disk) -> Disk {
    let mut disk = disk.clone();
    let mut bytes = disk.contents(journal()).expect("the journal of a workspace").to_vec();
    let lines: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let [.., before, after, _] = lines[..] else { unreachable!("a used journal has many lines") };
    bytes[before + 1..=after].fill(0);
    disk.put(journal(), &bytes);
    disk
}

fn condemned(disk: &Disk) -> Disk {
    let mut disk = disk.clone();
    disk.put(format!("{DIR}/journal.1.condemned"), b"");
    disk
}

fn without(disk: &Disk, name: &str) -> Disk {
    changed(disk, |fs| fs.unlink(&Path::new(DIR).join(name)))
}

/// The folder's `lock` is another file than its floor says.
fn copied(disk: &Disk) -> Disk {
    let mut disk = disk.clone();
    // A file in between, so that the number of the first is not used again.
    disk.put(format!("{DIR}/other"), b"");
    disk.put(format!("{DIR}/lock.new"), b"");
    changed(&disk, |fs| {
        fs.unlink(&Path::new(DIR).join("lock"))?;
        fs.rename(&Path::new(DIR).join("lock.new"), &Path::new(DIR).join("lock"))?;
        fs.unlink(&Path::new(DIR).join("other"))
    })
}

fn changed(disk: &Disk, change: impl FnOnce(&SimFs) -> std::io::Result<()>) -> Disk {
    let world = World::calm(disk.clone());
    let (process, fs, _) = world.process();
    change(&fs).expect("a change of a healthy disk");
    world.kill(process);
    drop(fs);
    world.disk(|disk| disk.clone())
}
