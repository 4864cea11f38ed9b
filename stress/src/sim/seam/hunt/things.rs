//! What one process changes and the next one looks at.

use std::path::Path;

use fencehold::fs::{Fs as _, read_file};
use fencehold::journal::{Durability, FileJournal, Modes, Options, create, is_workspace};
use fencehold::ledger::Ledger;

use super::after::files;
use super::pairs::{alone, append, increment, look, number, own, records};
use crate::sim::disk::Disk;
use crate::sim::seam::deeds;
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{SimFs, SimHost, World};

pub(super) type Told = Result<u64, String>;
pub(super) type Act = fn(&SimFs, &SimHost) -> Told;

/// Something that one process changes and the next one looks at: the more of it, the higher the number.
pub(super) struct Thing {
    pub(super) name: &'static str,
    pub(super) disk: fn() -> Disk,
    /// What was done before, and how it ended.
    pub(super) left: Option<(Act, Left)>,
    pub(super) act: Act,
    /// What the next one does before it looks.
    pub(super) then: Option<Act>,
    pub(super) look: Act,
    /// Whether only who made it, and was told that it is done, may rely on it.
    pub(super) when_done: bool,
    /// Whether a look holds though a sync of the maker failed: what nobody vouches for is written over, or synced again
    /// by another way, before it is shown.
    pub(super) after_errors: bool,
    /// Whether what is answered to who makes it is a number of the same kind.
    pub(super) told: bool,
    /// Whether the journal is long, so that one execution takes as long as ten others.
    pub(super) long: bool,
    /// How many faults made the disk what it is, beside the one of who left something.
    pub(super) faults: u32,
}

/// How one ended that nobody hears of any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Killed before its last sync.
    Unsynced,
    /// Killed before its last sync of a directory.
    Owing,
    /// The same, and a file that it made is condemned.
    OwingCondemned,
    /// Killed as its last sync met a writeback error.
    Lost,
    /// The same, and the file is condemned.
    Condemned,
    /// As [`Left::Unsynced`], and another one was killed in the middle of its line.
    Half,
}

/// All of them, in a fixed order.
pub(super) const THINGS: [Thing; 32] = [
    thing("document", files, increment, number),
    Thing { after_errors: false, ..thing("log", files, append, records) },
    thing("journal", || workspace::disk(|_, _| {}), own, look),
    thing("journal at its floor", next_at_the_floor, own, another),
    thing("ended leases", deeds::with_an_ended_lease, forget, ended),
    Thing { when_done: true, ..thing("missing lock", || deeds::without("lock"), repair, own) },
    Thing { when_done: true, ..thing("settings of git", deeds::git_checkout, git, settings) },
    Thing { faults: 1, ..thing("condemned journal", condemned, own, look) },
    thing("workspace", workspace::empty, make, stands),
    Thing { then: Some(use_it), ..thing("workspace, used", workspace::empty, make, stands) },
    Thing { when_done: true, ..thing("missing folder", || deeds::without("quarantine"), repair, folder) },
    Thing { left: Some((early, Left::Unsynced)), ..thing("journal of the dead", used, own, look) },
    Thing { left: Some((early, Left::Lost)), ..thing("journal of the dead, lost", used, own, look) },
    Thing {
        left: Some((early, Left::Unsynced)),
        ..thing("journal of the dead, twice", || workspace::disk(|_, _| {}), twice, look)
    },
    Thing {
        left: Some((early, Left::Half)),
        told: false,
        ..thing("journal and a half line", used, relaxed, look)
    },
    thing("damaged journal", deeds::broken, repair, look_if_whole),
    Thing { left: Some((due, Left::Lost)), ..history("history of the dead, lost", nearly_due, own) },
    Thing { then: Some(own), ..history("history as it is due", nearly_due, due) },
    Thing { left: Some((due, Left::Unsynced)), ..history("history of the dead", nearly_due, own) },
    Thing {
        left: Some((early, Left::Condemned)),
        after_errors: false,
        long: false,
        ..history("history of a condemned journal", used, own_or_note)
    },
    thing("journal, tried again", used, tries_again, look),
    thing("journal at its floor, tried again", next_at_the_floor, tries_again, another),
    Thing { faults: 1, ..thing("condemned journal, tried again", condemned, tries_again, look) },
    Thing {
        left: Some((own, Left::Owing)),
        ..thing("journal of a dead rotator, looked at and tried again", full, looks_and_tries, look)
    },
    Thing {
        left: Some((own, Left::Owing)),
        ..thing(
            "journal of who died as he raised the floor, tried again",
            next_at_the_floor,
            tries_again,
            another,
        )
    },
    Thing {
        left: Some((own, Left::Owing)),
        ..thing(
            "journal of who died as he raised the floor, looked at",
            next_at_the_floor,
            looks_and_tries,
            another,
        )
    },
    Thing {
        left: Some((own, Left::Owing)),
        ..thing("journal of a dead rotator, after a refusal", full, refused_and_tries, look)
    },
    Thing { when_done: true, ..thing("missing floor", || deeds::without("floor.json"), mend, own) },
    Thing {
        left: Some((make, Left::OwingCondemned)),
        ..thing("workspace of the dead, condemned", workspace::empty, own, stands)
    },
    thing("workspace, tried again", workspace::empty, makes_again, stands),
    Thing {
        left: Some((early, Left::Unsynced)),
        ..thing("journal of the dead, tried again", used, tries_again, look)
    },
    Thing {
        left: Some((due, Left::Lost)),
        long: true,
        ..thing("history of the dead, lost, tried again", nearly_due, counts_again, events)
    },
];

pub(super) const fn thing(name: &'static str, disk: fn() -> Disk, act: Act, look: Act) -> Thing {
    Thing {
        name,
        disk,
        left: None,
        act,
        then: None,
        look,
        when_done: false,
        after_errors: true,
        told: true,
        long: false,
        faults: 0,
    }
}

const fn history(name: &'static str, disk: fn() -> Disk, act: Act) -> Thing {
    Thing { told: false, long: true, ..thing(name, disk, act, events) }
}

fn client(fs: &SimFs, host: &SimHost) -> Client<SimFs, SimHost> {
    Client::new(fs.clone(), host.clone(), "user")
}

pub(super) fn next_at_the_floor() -> Disk {
    let world = World::calm(deeds::at_the_floor());
    assert!(alone(&world, early).is_ok(), "a healthy disk");
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

pub(super) fn repair(fs: &SimFs, host: &SimHost) -> Told {
    let repaired = client(fs, host).ledger.journal().repair();
    repaired.map_err(|error| format!("a process is told: {error}"))?;
    own(fs, host)
}

/// A repair and nothing else.
fn mend(fs: &SimFs, host: &SimHost) -> Told {
    let repaired = client(fs, host).ledger.journal().repair();
    repaired.map(|_| 1).map_err(|error| format!("a process is told: {error}"))
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

fn acquire(fs: &SimFs, host: &SimHost, name: &str) -> Told {
    let answer = client(fs, host).acquire(name, name, 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

pub(super) fn early(fs: &SimFs, host: &SimHost) -> Told {
    acquire(fs, host, "early")
}

/// A lock of one's own that may be lost with the power.
fn relaxed(fs: &SimFs, host: &SimHost) -> Told {
    let options = Options { durability: Durability::Relaxed, ..Options::default() };
    let journal = FileJournal::new(fs.clone(), host.clone(), Path::new(DIR), options);
    let client = Client { ledger: Ledger::new(journal, host.clone()), ..client(fs, host) };
    let long = "r".repeat(200);
    let answer = client.acquire("relaxed", &long, 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

/// Looks twice, whatever becomes of the first look.
fn twice(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let _ = client.revision();
    client.revision().map_err(|error| format!("a process is told: {error}"))
}

/// Two locks in one process, whatever becomes of the first.
fn tries_again(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let _ = client.acquire("first", "first", 60_000);
    let answer = client.acquire("second", "second", 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

/// A look and a lock in one process, whatever becomes of the look.
fn looks_and_tries(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let _ = client.revision();
    let answer = client.acquire("second", "second", 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

/// A release of what nobody has and a lock in one process, whatever becomes of the release.
fn refused_and_tries(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let _ = client.release("first", "nobody's", 1);
    let answer = client.acquire("second", "second", 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

fn full() -> Disk {
    workspace::disk(workspace::fill)
}

/// Two locks in one process, and how many events there are then.
fn counts_again(fs: &SimFs, host: &SimHost) -> Told {
    tries_again(fs, host)?;
    events(fs, host)
}

/// A workspace and a lock in it, whatever becomes of the first try.
fn makes_again(fs: &SimFs, host: &SimHost) -> Told {
    let _ = make(fs, host);
    make(fs, host)?;
    tries_again(fs, host)
}

/// Nothing where the journal is damaged.
fn look_if_whole(fs: &SimFs, host: &SimHost) -> Told {
    Ok(look(fs, host).unwrap_or(0))
}

pub(super) fn used() -> Disk {
    workspace::disk(|fs, host| assert!(acquire(fs, host, "used").is_ok(), "a healthy disk"))
}

fn condemned() -> Disk {
    let mut disk = used();
    disk.put(Path::new(DIR).join("journal.1.condemned"), b"");
    disk
}

pub(super) fn make(fs: &SimFs, host: &SimHost) -> Told {
    let made = create(fs, host, Path::new(DIR), Modes::Owner);
    made.map(u64::from).map_err(|error| format!("a process is told: {error}"))
}

/// How far the workspace has come, if there is one.
fn stands(fs: &SimFs, host: &SimHost) -> Told {
    match is_workspace(fs, Path::new(DIR)) {
        Ok(true) => Ok(1 + look(fs, host)?),
        Ok(false) => Ok(0),
        Err(error) => Err(format!("a process is told: {error}")),
    }
}

fn use_it(fs: &SimFs, host: &SimHost) -> Told {
    if stands(fs, host)? > 0 { own(fs, host) } else { Ok(0) }
}

fn folder(fs: &SimFs, _: &SimHost) -> Told {
    let stat = fs.stat(&Path::new(DIR).join("quarantine"));
    stat.map(|stat| u64::from(stat.is_some())).map_err(|error| format!("a process is told: {error}"))
}

/// A journal that a long line makes due to be rotated.
pub(super) fn nearly_due() -> Disk {
    let mut disk = workspace::disk(workspace::fill);
    let path = Path::new(DIR).join("journal.1.ndjson");
    let whole = disk.contents(&path).expect("the journal of a workspace").to_vec();
    let before = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("it has many lines");
    disk.put(&path, &whole[..=before]);
    // What it says of the line that is gone; without it everybody syncs.
    disk.unlink(&Path::new(DIR).join("synced")).expect("somebody synced");
    disk
}

pub(super) fn due(fs: &SimFs, host: &SimHost) -> Told {
    let long = "d".repeat(250);
    let answer = client(fs, host).acquire("due", &long, 60_000);
    granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock"))
}

/// How many events are shown.
fn events(fs: &SimFs, host: &SimHost) -> Told {
    let (entries, notes) =
        client(fs, host).history().map_err(|error| format!("a process is told: {error}"))?;
    if notes.is_empty() { Ok(entries.len() as u64) } else { Err(notes.join("; ")) }
}

/// A lock of one's own; not where a note says that events may come to be missing.
fn own_or_note(fs: &SimFs, host: &SimHost) -> Told {
    let client = client(fs, host);
    let answer = client.acquire("noted", "noted", 60_000);
    match client.ledger.journal().notes().first() {
        Some(note) => Err(note.0.clone()),
        None => granted(&answer).ok_or_else(|| format!("{answer:?} to an acquire of a free lock")),
    }
}
