//! The judge of a crash image: what the next boot finds, and whether it agrees with all that was told before.
//!
//! What must hold:
//! - what was answered durably is there, at the revision that was said, and so is everything that the answer rested on:
//!   the events up to it are the ones that it was decided by;
//! - what was refused, or answered as not done, is not there; what nobody knows is there once or not at all;
//! - no revision that anybody could have seen is handed out again;
//! - who comes next can go on, lets go, and goes on again; reading and recovering twice change nothing;
//! - what was saved in quarantine stays there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fencehold::journal::{Durability, Journal as _, is_workspace};
use fencehold_model::{Entry, Event, Revision, State};

use super::canary::Recovery;
use super::operations::MEND;
use super::play::Scene;
use super::starts::Start;
use super::told::{Heard, Told};
use super::user::{User, is_mark, machine, of_lock, read_events};
use crate::fold::Fold;
use crate::sim::disk::Disk;
use crate::sim::power::door::Boot;
use crate::sim::workspace::{Client, DIR};
use crate::sim::world::{Ended, Plan, World};

/// A disk after a power cut, and all that the world outside knows.
pub(super) struct Image<'a> {
    pub(super) scene: &'a Scene,
    pub(super) start: &'a Start,
    pub(super) recovery: Recovery,
}

impl Image<'_> {
    /// What the next boot makes of it.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn judge(&self) -> Result<(), String> {
        let world = machine(self.scene.disk.clone(), self.scene.boot);
        self.judged(&world)?;
        let after = saved(&world.disk(|disk| disk.clone()));
        match saved(&self.scene.disk).into_iter().find(|one| !after.contains(one)) {
            Some((path, _)) => Err(format!("{}, which was saved, is changed or gone", path.display())),
            None => Ok(()),
        }
    }

    fn judged(&self, world: &World) -> Result<(), String> {
        let stands = world.alone(Plan::NONE, |fs, _| is_workspace(&fs, DIR.as_ref()).unwrap_or(false));
        if stands != Ended::Returned(true) {
            return self.absent(world);
        }
        let first = if self.start.damaged {
            self.go_on(world, "mended")?;
            read_events(world)?
        } else {
            if condemned(world) {
                // Who reads a condemned file begins a new one first.
                read_events(world)?;
            }
            changes_nothing(world, "reading", read_events)?
        };
        self.agrees(&first)?;
        self.state_agrees(world, &self.known(&first))?;
        let token = self.go_on(world, "one")?;
        let second = read_events(world)?;
        if !second.starts_with(&first) {
            return Err("events that a reader saw after the power cut are gone once a writer came".to_owned());
        }
        // Nor does a writer bring back what a reader did not see.
        self.agrees(&second)?;
        let known = first.last().map_or(0, |entry| entry.revision).max(self.highest());
        if token <= known {
            return Err(format!("token {token} is granted after revision {known} had been handed out"));
        }
        changes_nothing(world, "recovering again", |world| self.stranger(world))?;
        let later = self.release_and_go_on(world, token)?;
        if later <= token {
            return Err(format!("token {token}, then {later}"));
        }
        let events = read_events(world)?;
        self.known(&events).values().try_for_each({
            let mut fold = Fold::default();
            move |entry| fold.next(entry)
        })
    }

    /// There is no workspace: it never was answered that there is, and the next process makes one.
    fn absent(&self, world: &World) -> Result<(), String> {
        let there = self.start.name != "nothing";
        if there || self.scene.told.iter().any(|told| told.durable && matches!(told.heard, Heard::Done(_))) {
            return Err("the workspace is gone".to_owned());
        }
        let token = self.go_on(world, "one")?;
        if token <= self.highest() {
            return Err(format!("token {token} of a new workspace; {} had been handed out", self.highest()));
        }
        Ok(())
    }

    /// The highest revision that anybody could have seen.
    fn highest(&self) -> Revision {
        let lasts = self.scene.visible.iter().filter_map(|entries| entries.last());
        lasts.map(|entry| entry.revision).max().unwrap_or(0)
    }

    /// What is read agrees with everything that was told.
    fn agrees(&self, events: &[Entry]) -> Result<(), String> {
        if !events.starts_with(&self.start.events) {
            return Err("events from before the last boot are gone".to_owned());
        }
        for told in &self.scene.told {
            self.told_agrees(told, events)?;
        }
        for (at, entry) in events.iter().enumerate().skip(self.start.events.len()) {
            let own = matches!(entry.event, Event::Boot { .. } | Event::Repaired { .. });
            let asked = self.scene.told.iter().any(|told| told.op == entry.op.as_str());
            // Who was cut off by the power was told nothing: its operation is known by its name.
            let by_us = ["a", "b", "c", "next"].iter().any(|op| entry.op.as_str().starts_with(op));
            if !own && !asked && !by_us {
                return Err(format!("{entry:?} was never asked for"));
            }
            if !own && events[at + 1..].iter().any(|later| later.op == entry.op) {
                return Err(format!("operation {} stands in the journal twice", entry.op.as_str()));
            }
        }
        Ok(())
    }

    fn known<'e>(&'e self, events: &'e [Entry]) -> BTreeMap<Revision, &'e Entry> {
        let mut known = known(self.scene.visible.iter().map(|seen| seen.as_slice()), events);
        let told = self.scene.told.iter().filter(|told| told.durable);
        known.extend(told.flat_map(|told| told.witness.iter()).map(by_revision));
        known
    }

    /// The folded state is what all known events come to.
    fn state_agrees(&self, world: &World, known: &BTreeMap<Revision, &Entry>) -> Result<(), String> {
        let mut expected = State::default();
        known.values().for_each(|entry| expected.apply(entry));
        let read = world.alone(Plan::NONE, |fs, host| {
            let client = Client::new(fs, host, "reader");
            client.ledger.journal().read(|state, _| state.clone()).map(|seen| seen.value)
        });
        let Ended::Returned(Ok(state)) = read else {
            return Err(format!("the state cannot be read: {read:?}"));
        };
        let grants = |state: &State| -> Vec<(String, Revision)> {
            let granted =
                state.locks.iter().filter_map(|(name, lock)| Some((name, lock.grant.as_ref()?.token)));
            let open = state.leases.iter().filter(|(_, lease)| lease.end.is_none());
            let locks = granted.map(|(name, token)| (format!("lock {name}"), token));
            locks.chain(open.map(|(id, lease)| (format!("lease {id}"), lease.token))).collect()
        };
        if grants(&state) != grants(&expected) {
            return Err(format!("{:?} are granted, by the events {:?}", grants(&state), grants(&expected)));
        }
        if state.tasks != expected.tasks {
            return Err(format!("tasks stand at {:?}, by the events at {:?}", state.tasks, expected.tasks));
        }
        Ok(())
    }

    fn told_agrees(&self, told: &Told, events: &[Entry]) -> Result<(), String> {
        let who = || format!("{} ({})", told.what, told.op);
        let there = events.iter().find(|entry| entry.op.as_str() == told.op);
        if let Some(revision) = told.heard.revision().filter(|_| told.durable) {
            if let Some(lost) = lost(told, events) {
                return Err(format!(
                    "{} was answered {:?} by what stood up to revision {revision}; revision {} of it is lost",
                    who(),
                    told.heard,
                    lost.revision
                ));
            }
            let other =
                events.iter().find(|entry| entry.revision <= revision && !told.witness.contains(entry));
            if let Some(other) = other {
                return Err(format!(
                    "{} was answered at revision {revision}, before {other:?} stood there",
                    who()
                ));
            }
        }
        match told.heard {
            Heard::Saw(_) | Heard::Not | Heard::Damaged => match there {
                // A repetition under the id of what was recorded before.
                Some(entry) if !told.witness.contains(entry) => {
                    Err(format!("{} was answered {:?}, and is there", who(), told.heard))
                }
                _ => Ok(()),
            },
            Heard::Done(_) | Heard::Unknown => Ok(()),
        }
    }

    /// A commit by the next process; its token.
    fn go_on(&self, world: &World, op: &str) -> Result<Revision, String> {
        let next = if self.start.damaged { MEND } else { self.recovery.next() };
        let op = format!("next-{}-{op}", self.scene.boot);
        match as_next(world, &op, next.act)? {
            Heard::Done(revision) => Ok(revision),
            other => {
                Err(format!("the next process cannot go on: it is told {other:?} ({})", why(world, &op)))
            }
        }
    }

    fn release_and_go_on(&self, world: &World, token: Revision) -> Result<Revision, String> {
        let name = format!("next-next-{}-one", self.scene.boot);
        let heard =
            fresh(world, "next-release", |user| of_lock(&user.client.release(&user.op, &name, token)))?;
        if !matches!(heard, Heard::Done(_)) {
            return Err(format!("a release after the power cut is told {heard:?}"));
        }
        self.go_on(world, "two")
    }

    /// Who is refused changes nothing.
    fn stranger(&self, world: &World) -> Result<(), String> {
        let heard = fresh(world, "next-stranger", |user| {
            self.recovery.recover(user);
            of_lock(&user.client.release(&user.op, "nobody's", 1))
        })?;
        match heard {
            Heard::Saw(_) => Ok(()),
            other => Err(format!("a stranger is told {other:?}")),
        }
    }
}

fn by_revision(entry: &Entry) -> (Revision, &Entry) {
    (entry.revision, entry)
}

/// All known events: those that are read, and those that were folded into a file begun at the floor and stand in no file
/// any more; `visible` is what stood on the disk before each power cut.
pub(in crate::sim) fn known<'e>(
    visible: impl Iterator<Item = &'e [Entry]>,
    events: &'e [Entry],
) -> BTreeMap<Revision, &'e Entry> {
    let mut known: BTreeMap<Revision, &Entry> = BTreeMap::new();
    for seen in visible {
        let folded = folded(seen, events);
        known.extend(seen.iter().filter(|entry| entry.revision < folded).map(by_revision));
    }
    known.extend(events.iter().map(by_revision));
    known
}

/// The revision of the last event among `seen` that opens a file begun at the floor and is kept; 0 where there is none.
fn folded(seen: &[Entry], kept: &[Entry]) -> Revision {
    let begun = seen.iter().filter(|entry| matches!(entry.event, Event::Repaired { .. }));
    begun.filter(|entry| kept.contains(entry)).map(|entry| entry.revision).max().unwrap_or(0)
}

/// An event that `told` rests on and that is neither there nor kept otherwise. The line of an event that nobody
/// acknowledged may be lost from a file of which a sync failed: the state that its successor begins with keeps what it
/// did, and that one says that it was made for it.
fn lost<'a>(told: &'a Told, events: &[Entry]) -> Option<&'a Entry> {
    let folded = folded(&told.witness, events);
    let own = |entry: &Entry| matches!(told.heard, Heard::Done(_)) && entry.op.as_str() == told.op;
    told.witness.iter().find(|entry| !events.contains(entry) && (own(entry) || entry.revision > folded))
}

fn as_next(world: &World, op: &str, act: fn(&User) -> Heard) -> Result<Heard, String> {
    fresh(world, op, act)
}

/// Runs `act` as a process that nothing happens to.
fn fresh(world: &World, op: &str, act: impl FnOnce(&User) -> Heard) -> Result<Heard, String> {
    let boot = Boot::blind();
    let ended =
        world.alone(Plan::NONE, |fs, host| act(&User::new(boot.files(&fs), host, op, Durability::Durable)));
    match ended {
        Ended::Returned(heard) => Ok(heard),
        Ended::Killed => Err("a process that nobody killed is dead".to_owned()),
        Ended::Panicked(text) => Err(format!("the next process panicked: {text}")),
    }
}

/// What the next process is told, in words.
fn why(world: &World, op: &str) -> String {
    let boot = Boot::blind();
    let ended = world.alone(Plan::NONE, |fs, host| {
        let user = User::new(boot.files(&fs), host, op, Durability::Durable);
        user.acquire(&format!("{op}-again"), "free-for-all", op).map(|answer| answer.verdict)
    });
    match ended {
        Ended::Returned(Err(error)) => error.to_string(),
        Ended::Returned(Ok(verdict)) => format!("asked again: {verdict:?}"),
        Ended::Killed => "killed".to_owned(),
        Ended::Panicked(text) => text,
    }
}

/// What stands in quarantine: a copy is whole before it has its name.
fn saved(disk: &Disk) -> Vec<(PathBuf, Vec<u8>)> {
    let of_quarantine = |path: &Path| path.parent().is_some_and(|folder| folder.ends_with("quarantine"));
    let is_temp =
        |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let kept = disk.files().filter(|(path, _)| of_quarantine(path) && !is_temp(path));
    kept.map(|(path, bytes)| (path, bytes.to_vec())).collect()
}

fn condemned(world: &World) -> bool {
    world.disk(|disk| disk.files().any(|(path, _)| is_mark(&path)))
}

/// Fails unless `act` leaves every file as it is.
fn changes_nothing<T>(
    world: &World,
    what: &str,
    act: impl FnOnce(&World) -> Result<T, String>,
) -> Result<T, String> {
    let before = world.disk(|disk| disk.clone());
    let done = act(world)?;
    let after = world.disk(|disk| disk.clone());
    match before.files().zip(after.files()).find(|(before, after)| before != after) {
        None if before.files().count() == after.files().count() => Ok(done),
        None => Err(format!("{what} added or removed files")),
        Some(((path, _), _)) => Err(format!("{what} changed {}", path.display())),
    }
}
