//! What one process changes and the next one looks at.

use std::path::Path;

use fencehold::fs::read_file;

use super::after::files;
use super::pairs::{alone, append, increment, look, number, own, records};
use crate::sim::disk::Disk;
use crate::sim::seam::deeds;
use crate::sim::workspace::{self, Client, granted};
use crate::sim::world::{SimFs, SimHost, World};

pub(super) type Told = Result<u64, String>;
pub(super) type Act = fn(&SimFs, &SimHost) -> Told;

/// Something that one process changes and the next one looks at: the more of it, the higher the number.
pub(super) struct Thing {
    pub(super) name: &'static str,
    pub(super) disk: fn() -> Disk,
    pub(super) act: Act,
    pub(super) look: Act,
    /// Whether only who made it, and was told that it is done, may rely on it.
    pub(super) when_done: bool,
    /// Whether a look holds though a sync of the maker failed: what nobody vouches for is written over, or synced again
    /// by another way, before it is shown.
    pub(super) after_errors: bool,
}

/// All of them, in a fixed order.
pub(super) const THINGS: [Thing; 7] = [
    thing("document", files, increment, number),
    Thing { after_errors: false, ..thing("log", files, append, records) },
    thing("journal", || workspace::disk(|_, _| {}), own, look),
    thing("journal at its floor", next_at_the_floor, own, another),
    thing("ended leases", deeds::with_an_ended_lease, forget, ended),
    Thing { when_done: true, ..thing("missing lock", || deeds::without("lock"), repair, own) },
    Thing { when_done: true, ..thing("settings of git", deeds::git_checkout, git, settings) },
];

const fn thing(name: &'static str, disk: fn() -> Disk, act: Act, look: Act) -> Thing {
    Thing { name, disk, act, look, when_done: false, after_errors: true }
}

fn client(fs: &SimFs, host: &SimHost) -> Client<SimFs, SimHost> {
    Client::new(fs.clone(), host.clone(), "user")
}

fn next_at_the_floor() -> Disk {
    let world = World::calm(deeds::at_the_floor());
    let before = |fs: &SimFs, host: &SimHost| {
        let answer = client(fs, host).acquire("before", "before", 60_000);
        granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
    };
    assert!(alone(&world, before).is_ok(), "a healthy disk");
    world.disk(|disk| disk.clone())
}

/// A lock that nobody asked for before.
fn another(fs: &SimFs, host: &SimHost) -> Told {
    let me = format!("after-{}", look(fs, host)?);
    let answer = Client::new(fs.clone(), host.clone(), &me).acquire(&me, &me, 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

fn forget(fs: &SimFs, host: &SimHost) -> Told {
    host.pass(deeds::LONG_MS);
    own(fs, host)?;
    ended(fs, host)
}

/// How many leases are known to have ended; none is forgotten.
fn ended(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let said = |error: fencehold::Error| format!("a process is told: {error}");
    let in_state = client.show_lease("work").map_err(said)?.is_some();
    let (ended, _) = client.ledger.journal().ended_leases().map_err(said)?;
    Ok(u64::from(in_state || !ended.is_empty()))
}

fn repair(fs: &SimFs, host: &SimHost) -> Told {
    let repaired = client(fs, host).ledger.journal().repair();
    repaired.map_err(|error| format!("a process is told: {error}"))?;
    own(fs, host)
}

fn git(fs: &SimFs, host: &SimHost) -> Told {
    deeds::git(fs)?;
    settings(fs, host)
}

/// What stands in git's files of what was there and what was added.
fn settings(fs: &SimFs, _: &SimHost) -> Told {
    let read = |name: &str| {
        let bytes = read_file(fs, &Path::new(deeds::GIT).join(name), 1 << 16).ok().flatten();
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    // The attributes are a convenience: their folder is not synced, and the next append writes them anew.
    let config = read("config");
    if !config.contains("bare = false") {
        return Err(format!("git's config has become {config:?}"));
    }
    Ok(u64::from(config.contains("/elsewhere")))
}
