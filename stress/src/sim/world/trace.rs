//! What happened in a run, call by call, for people.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::inner::Inner;
use crate::sim::disk::ProcessId;
use crate::sim::door::Call;

/// One call of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who.
    pub process: ProcessId,
    /// Which method of the port.
    pub call: &'static str,
    /// The path it names, or by which its file was opened.
    pub path: PathBuf,
    /// The bytes that a write was to write.
    pub bytes: usize,
    /// What became of it.
    pub note: Note,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It took effect.
    Done,
    /// What was there in its whole length has its beginning now.
    Landed,
    /// It failed.
    Failed(io::ErrorKind),
    /// It waits for the OS lock.
    Waits,
    /// The patience with the OS lock ran out.
    TimedOut,
    /// The process was killed before it.
    Killed,
    /// The process was killed within a write, of which so many bytes are there.
    Cut(usize),
    /// Only so many bytes were written, or read.
    Short(usize),
    /// The power went before it.
    PowerCut,
    /// Time passed before it.
    Stalled(u64),
    /// The process was stopped before it.
    Stopped,
    /// Clean pages were taken out of memory.
    Evicted,
    /// The wall clock was set.
    ClockStep(i64),
    /// The machine slept.
    Suspended(u64),
    /// The process forked this child.
    Forked(ProcessId),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} {:<10} {}", self.process, self.call, self.path.display())?;
        if self.bytes > 0 {
            write!(f, " ({} bytes)", self.bytes)?;
        }
        match self.note {
            Note::Done => Ok(()),
            Note::Landed => f.write_str(" … its beginning is there"),
            Note::Failed(kind) => write!(f, " → {kind}"),
            Note::Waits => f.write_str(" … waits"),
            Note::TimedOut => f.write_str(" → patience ran out"),
            Note::Killed => f.write_str(" ✗ killed before it"),
            Note::Cut(bytes) => write!(f, " ✗ killed after {bytes} bytes"),
            Note::Short(bytes) => write!(f, " → {bytes} bytes only"),
            Note::PowerCut => f.write_str(" ✗ the power goes before it"),
            Note::Stalled(ms) => write!(f, "… {ms} ms pass"),
            Note::Stopped => f.write_str("… stopped"),
            Note::Evicted => f.write_str("… clean pages are evicted"),
            Note::ClockStep(ms) => write!(f, "… the wall clock is set by {ms} ms"),
            Note::Suspended(ms) => write!(f, "… the machine sleeps for {ms} ms"),
            Note::Forked(child) => write!(f, "… forks process {child}, which inherits its descriptions"),
        }
    }
}

impl Inner {
    pub(super) fn note(&mut self, process: ProcessId, call: Call<'_>, note: Note) {
        self.noted += 1;
        if !self.source.is_quiet() {
            let path = call.path.to_owned();
            self.trace.push(Step { process, call: call.name, path, bytes: call.bytes, note });
        }
    }

    pub(super) fn note_result<R>(&mut self, process: ProcessId, call: Call<'_>, result: &io::Result<R>) {
        let note = result.as_ref().map_or_else(|error| Note::Failed(error.kind()), |_| Note::Done);
        self.note(process, call, note);
    }

    /// What happens between calls.
    pub(super) fn note_event(&mut self, process: ProcessId, note: Note) {
        self.noted += 1;
        if !self.source.is_quiet() {
            self.trace.push(Step { process, call: "", path: PathBuf::new(), bytes: 0, note });
        }
    }
}

/// A run as lines for people.
#[must_use]
pub fn render(steps: &[Step]) -> String {
    steps.iter().enumerate().map(|(index, step)| format!("{index:>4}  {step}\n")).collect()
}
