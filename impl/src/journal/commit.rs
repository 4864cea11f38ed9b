//! A commit: under the OS lock decide on the newest state and write one line; then make it durable, and answer.
//!
//! Invariants: a line is synced after the OS lock was let go; whatever is answered, with an event or without, all that
//! it rests on is durable before; a line that was written and cannot be proven is answered as indefinite.

use fencehold_model::record::{self, LINE_BYTES_MAX};
use fencehold_model::{Entry, Event, OpId, Revision, State, TimeMs};

use super::file::{FileJournal, Inner, ROUNDS_MAX};
use super::floor::Floor;
use super::layout;
use super::rotate::FULL_BYTES;
use super::time::{self, Now};
use super::{Asking, Committed};
use crate::error::{Error, Result};
use crate::fs::{File as _, Fs};
use crate::host::Host;

/// What was decided under the OS lock.
type Decided<A> = Committed<Unrecorded<A>>;

/// Why no event was recorded.
enum Unrecorded<A> {
    /// The operation is recorded already, at the revision of what was decided.
    Before,
    /// This is the answer.
    Answer(A),
}

impl<F: Fs, H: Host> FileJournal<F, H> {
    pub(super) fn commit_proven<A>(
        &self,
        asking: &Asking,
        mut decide: impl FnMut(&State, TimeMs) -> std::result::Result<Event, A>,
    ) -> Result<Committed<A>> {
        let mut inner = self.inner();
        let mut failed = false;
        loop {
            let decided =
                self.locked(&mut inner, |journal, inner| journal.decide(inner, asking, &mut decide))?;
            let proven = self.prove(&mut inner);
            if let Ok(event) = &decided.outcome {
                self.stands(&mut inner, decided.revision, proven)?;
                let (revision, at_ms) = (decided.revision, decided.at_ms);
                return Ok(Committed { revision, at_ms, outcome: Ok(event.clone()) });
            }
            match proven {
                // The file is condemned: what is not recorded is decided anew, in the next one.
                Err(_) if !failed => failed = true,
                proven => {
                    proven?;
                    self.tell(&mut inner);
                    inner.remember(self.relaxed());
                    drop(inner);
                    return self.without_event(decided);
                }
            }
        }
    }

    /// What is decided under the OS lock; it is no answer until all that it rests on is durable.
    fn decide<A>(
        &self,
        inner: &mut Inner<F>,
        asking: &Asking,
        decide: &mut impl FnMut(&State, TimeMs) -> std::result::Result<Event, A>,
    ) -> Result<Decided<A>> {
        self.ready(inner)?;
        let at_ms = self.enter_boot(inner, asking)?;
        let state = &inner.tail.as_ref().expect("a settled section has a tail").state;
        if let Some(revision) = state.find_op(&asking.op) {
            return Ok(Committed { revision, at_ms, outcome: Err(Unrecorded::Before) });
        }
        match decide(state, at_ms) {
            Ok(event) => {
                self.has_room_for(inner, &event)?;
                let revision = self.record(inner, asking, event.clone(), at_ms)?;
                Ok(Committed { revision, at_ms, outcome: Ok(event) })
            }
            Err(answer) => {
                Ok(Committed { revision: state.revision, at_ms, outcome: Err(Unrecorded::Answer(answer)) })
            }
        }
    }

    /// Whether the event at `revision`, which was written, is there for good.
    fn stands(&self, inner: &mut Inner<F>, revision: Revision, proven: Result<()>) -> Result<()> {
        proven.map_err(|error| {
            let why =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Error::indefinite(&self.dir, format!("written, but the sync failed: {why}"))
        })?;
        if let Err(error) = self.verify_again(inner, revision) {
            inner.tail = None;
            return Err(error);
        }
        self.tell(inner);
        inner.remember(self.relaxed());
        Ok(())
    }

    fn without_event<A>(&self, decided: Decided<A>) -> Result<Committed<A>> {
        let Committed { revision, at_ms, outcome } = decided;
        match outcome {
            Err(Unrecorded::Answer(answer)) => Ok(Committed { revision, at_ms, outcome: Err(answer) }),
            _ => self.answer_again(revision),
        }
    }

    /// Where the workspace is full, only what ends something goes on.
    fn has_room_for(&self, inner: &Inner<F>, event: &Event) -> Result<()> {
        let tail = inner.tail.as_ref().expect("a settled section has a tail");
        if tail.head_bytes <= FULL_BYTES || !tail.state.grows_by(event) {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the workspace {} is full: its folded state has {} bytes, and beyond {FULL_BYTES} nothing new is taken in. \
             Nothing was changed. Close or clear leases and release locks that nobody needs; 10 minutes later there is room",
            self.dir.display(),
            tail.head_bytes
        )))
    }

    /// All that must be done before anything can be decided.
    pub(super) fn ready(&self, inner: &mut Inner<F>) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            self.settle(inner)?;
            self.adopt_copy(inner)?;
            let tail = inner.tail.as_mut().expect("a settled section has a tail");
            if self.is_condemned(tail.n)? {
                self.leave_condemned(inner)?;
            } else if !self.write_over(tail)? {
                inner.tail = None;
                inner.floor = 0;
                continue;
            }
            self.rotate_if_due(inner)?;
            // Before anything is recorded: where it cannot be done, nothing happened.
            return self.pay_directory_debts(inner);
        }
        Err(Error::usage(format!("{}: the journal changes under its lock", self.dir.display())))
    }

    /// What an operation came to that is recorded already.
    fn answer_again<A>(&self, revision: Revision) -> Result<Committed<A>> {
        let mut found = None;
        self.every_event(|entry| {
            if entry.revision == revision {
                found = Some(entry.clone());
            }
        })?;
        let Some(Entry { at_ms, event, .. }) = found else {
            let why =
                format!("the operation is recorded as revision {revision}, whose event is not kept any more");
            return Err(Error::indefinite(&self.dir, why));
        };
        Ok(Committed { revision, at_ms, outcome: Ok(event) })
    }

    /// The time to decide at; the first commit of a boot records the boot, at the floor.
    fn enter_boot(&self, inner: &mut Inner<F>, asking: &Asking) -> Result<TimeMs> {
        let state = &inner.tail.as_ref().expect("a settled section has a tail").state;
        match time::now(&self.host, state)? {
            Now::At(now_ms) => Ok(now_ms),
            Now::NewBoot(event) => {
                let Event::Boot { anchor_ms, .. } = event else {
                    unreachable!("a new boot begins with a boot event")
                };
                let floor = self.raise_floor(inner)?;
                // An operation of its own: a repetition of what was asked for must not find this event.
                let op =
                    OpId::new(&format!("{:032x}", self.host.random())).expect("hexadecimal digits are an id");
                let booting = Asking { actor: asking.actor.clone(), op };
                self.write(inner, &booting, event, anchor_ms, floor)?;
                Ok(anchor_ms)
            }
        }
    }

    fn record(&self, inner: &mut Inner<F>, asking: &Asking, event: Event, at_ms: TimeMs) -> Result<Revision> {
        let revision = inner.tail.as_ref().expect("a settled section has a tail").state.revision + 1;
        if revision >= inner.floor {
            inner.floor = self.durable_floor(inner)?.floor;
            if revision >= inner.floor {
                self.raise_floor(inner)?;
            }
        }
        self.write(inner, asking, event, at_ms, revision)?;
        Ok(revision)
    }

    /// The floor, once it is durable: whoever replaced it may have been killed before the directory was synced, and a
    /// power cut would then bring back one that lies below revisions in use.
    fn durable_floor(&self, inner: &Inner<F>) -> Result<Floor> {
        self.fs.sync_dir(&self.dir).map_err(|error| Error::environment("syncing", &self.dir, error))?;
        self.floor_above(inner)
    }

    /// The floor, which lies above every revision in the journal; else it is damaged.
    pub(super) fn floor_above(&self, inner: &Inner<F>) -> Result<Floor> {
        let floor = Floor::read(&self.fs, &self.dir)?;
        let revision = inner.tail.as_ref().map_or(0, |tail| tail.state.revision);
        if floor.floor > revision {
            return Ok(floor);
        }
        Err(Error::Damaged {
            path: self.dir.join(layout::FLOOR),
            line: None,
            what: format!("it says {}, and the journal has come to revision {revision}", floor.floor),
            advice: super::tail::REPAIR.to_owned(),
        })
    }

    /// Makes a higher floor durable; returns the old one.
    pub(super) fn raise_floor(&self, inner: &mut Inner<F>) -> Result<Revision> {
        let old = self.floor_above(inner)?;
        let new = old.raised()?;
        new.write(&self.fs, &self.host, &self.dir)?;
        inner.floor = new.floor;
        Ok(old.floor)
    }

    /// Appends one event.
    fn write(
        &self,
        inner: &mut Inner<F>,
        asking: &Asking,
        event: Event,
        at_ms: TimeMs,
        revision: Revision,
    ) -> Result<()> {
        let tail = inner.tail.as_mut().expect("a settled section has a tail");
        let entry = Entry { revision, at_ms, actor: asking.actor.clone(), op: asking.op.clone(), event };
        let (line, checksum) = record::write_entry(&entry, tail.durable(), tail.checksum);
        assert!(line.len() <= LINE_BYTES_MAX, "every field of an event is bounded, so its line is");
        debug_assert_eq!(
            record::read_entry(line.trim_end(), tail.checksum, &tail.state).map(|read| read.content),
            Ok(entry.clone()),
            "what is written reads back equal"
        );
        match tail.file.append(line.as_bytes()) {
            Ok(count) if count == line.len() => {}
            Ok(count) => {
                let short = format!("only {count} of {} bytes were written", line.len());
                return Err(self.undo(inner, std::io::Error::new(std::io::ErrorKind::StorageFull, short)));
            }
            Err(error) => return Err(self.undo(inner, error)),
        }
        tail.take(&entry, checksum, line.len());
        Ok(())
    }

    /// Cuts our own half line off, durably: only then is it sure that nothing happened.
    fn undo(&self, inner: &mut Inner<F>, why: std::io::Error) -> Error {
        let tail = inner.tail.as_ref().expect("a line was appended to a tail");
        match tail.file.truncate(tail.end).and_then(|()| tail.file.sync()) {
            Ok(()) => Error::environment("appending to", &tail.path, why),
            Err(error) => {
                self.condemn(tail.n);
                Error::indefinite(&tail.path, format!("{why}; and cutting the half line off failed: {error}"))
            }
        }
    }
}
