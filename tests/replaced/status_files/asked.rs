//! The status of an agent's run, the five kinds of processes that write it, and what each of them wants.
//!
//! A writer looks, decides, and writes what it has decided. A scenario holds it up in between.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Files by path: inode, time of the last change, bytes.
pub(super) type Files = BTreeMap<PathBuf, (u64, i128, Vec<u8>)>;

/// What a writer does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// The agent's monitor: the run has ended, with a URL.
    Complete,
    /// The same: it has ended with a question.
    Ask,
    /// The status tool: its process is dead, and nobody has said how it ended.
    Correct,
    /// The queue: it begins.
    Drain,
    /// The service ends, and so does whatever it has begun.
    ShutDown,
    /// A person: it begins anew.
    Resume,
}

/// Where a run stands before anything is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Queued,
    Running,
    /// It is running by its status, and its process is dead.
    Dead,
    Blocked,
    Completed,
    Failed,
}

/// What a writer, or anybody, sees of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: String,
    /// The URL, the question or the reason that goes with it.
    pub(super) note: String,
    /// Its process is proven dead.
    pub(super) is_dead: bool,
}

/// What a look brought: what was seen, and by what the run can be told to have moved since.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) seen: Seen,
    pub(super) version: String,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Done,
    /// It does not hold for what stands, and nothing was written.
    Refused,
}

/// What a writer wants to write for what it has seen; none where it is not its turn.
pub(super) fn decide(act: Act, seen: &Seen) -> Option<(&'static str, &'static str)> {
    match (act, seen.status.as_str()) {
        (Act::Complete, "running") => Some(("completed", "pull/7")),
        (Act::Ask, "running") => Some(("blocked", "which of the two?")),
        (Act::Correct, "running") if seen.is_dead => Some(("failed", "its process died")),
        (Act::Drain, "queued") => Some(("running", "")),
        (Act::ShutDown, "queued" | "running") => Some(("failed", "the service ended")),
        (Act::Resume, "blocked" | "completed" | "failed") => Some(("running", "")),
        _ => None,
    }
}

/// The status of one run at a time, and the processes that write it.
pub(super) trait Runs {
    /// A run that nobody knows yet, standing like this.
    fn begin(&mut self, how: Start);
    /// A run that is running by its status, whose process is dead, and whose number another process has.
    fn begin_with_a_number_used_again(&mut self);
    /// What a writer sees.
    fn looks(&mut self) -> Look;
    /// Writes what that writer wants for what it saw.
    fn writes(&mut self, act: Act, look: &Look) -> Told;
    /// Asks for every status there is, as a person does; what this run is by that.
    fn lists(&mut self) -> Seen;
    /// Looks and writes without being held up.
    fn does(&mut self, act: Act) -> Told {
        let look = self.looks();
        self.writes(act, &look)
    }
    /// Every file there is, with its bytes, its inode and the time of its last change.
    fn files(&self) -> Files;
}
