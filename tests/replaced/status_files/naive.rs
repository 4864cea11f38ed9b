//! A status file of the tests' own, on the real disk: without a flaw, with one, or as it was published.
//!
//! A writer looks, decides by what it saw, writes a temp and renames it. With a lock and a look of its own under it
//! nothing comes between; without, a scenario says what does.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::asked::{Act, Files, Look, Runs, Seen, Start, Told, decide};
use super::in_file::{files, standing};
use crate::program::Yard;

/// What is wrong with it. A number is that of the mutant which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// M01: what was read before is changed and written whole, and nothing is locked.
    Unlocked,
    /// M25: it is read again under a lock, and the status that was decided on before goes over what stands.
    Stale,
    /// M27: a process is known by its number alone.
    PidOnly,
    /// M26: who lists runs corrects them.
    ReaderWrites,
}

/// All that is wrong with the published one: the tool that lists is the one that corrects.
pub(super) const PUBLISHED: &[Flaw] = &[Flaw::Unlocked, Flaw::ReaderWrites, Flaw::PidOnly];

pub(super) struct Naive {
    flaws: &'static [Flaw],
    yard: Yard,
    run: usize,
    is_dead: bool,
    /// For names that are not used again.
    drawn: u64,
}

impl Naive {
    pub(super) fn new(flaws: &'static [Flaw]) -> Self {
        Naive { flaws, yard: Yard::new(), run: 0, is_dead: false, drawn: 0 }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn file(&self) -> PathBuf {
        self.yard.join(format!("{}.json", self.run))
    }

    fn seen(&self, document: &Value) -> Seen {
        let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        let status = text("status");
        Seen { is_dead: self.is_dead && status == "running", status, note: text("note") }
    }

    fn replace(&mut self, document: &Value) {
        self.drawn += 1;
        let temp = self.yard.join(format!("{}.json.tmp.{}", self.run, self.drawn));
        fs::write(&temp, document.to_string()).unwrap();
        fs::rename(&temp, self.file()).unwrap();
    }
}

impl Runs for Naive {
    fn begin(&mut self, how: Start) {
        self.run += 1;
        self.is_dead = how == Start::Dead;
        let (status, note) = standing(how);
        self.replace(&json!({ "status": status, "note": note }));
    }

    fn begin_with_a_number_used_again(&mut self) {
        self.begin(Start::Dead);
        // A process of this number lives.
        self.is_dead = !self.has(Flaw::PidOnly);
    }

    /// The version is the whole document.
    fn looks(&mut self) -> Look {
        let text = fs::read_to_string(self.file()).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        Look { seen: self.seen(&document), version: text }
    }

    fn writes(&mut self, act: Act, look: &Look) -> Told {
        let now = self.looks();
        let decided_on =
            if self.has(Flaw::Unlocked) || self.has(Flaw::Stale) { &look.seen } else { &now.seen };
        let Some((status, note)) = decide(act, decided_on) else { return Told::Refused };
        let text = if self.has(Flaw::Unlocked) { &look.version } else { &now.version };
        let mut document: Value = serde_json::from_str(text).unwrap();
        (document["status"], document["note"]) = (status.into(), note.into());
        self.replace(&document);
        Told::Done
    }

    fn lists(&mut self) -> Seen {
        if self.has(Flaw::ReaderWrites) {
            let look = self.looks();
            self.writes(Act::Correct, &look);
        }
        self.looks().seen
    }

    fn files(&self) -> Files {
        files(&self.yard.path())
    }
}
