//! What happened in a run, call by call, for people.

use std::fmt;
use std::path::PathBuf;

use crate::sim::disk::ProcessId;

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
    /// It failed.
    Failed(std::io::ErrorKind),
    /// It waits for the OS lock.
    Waits,
    /// The patience with the OS lock ran out.
    TimedOut,
    /// The process was killed before it.
    Killed,
    /// The process was killed within a write, of which so many bytes are there.
    Cut(usize),
    /// Only so many bytes were written.
    Short(usize),
    /// Time passed before it.
    Stalled(u64),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} {:<10} {}", self.process, self.call, self.path.display())?;
        if self.bytes > 0 {
            write!(f, " ({} bytes)", self.bytes)?;
        }
        match self.note {
            Note::Done => Ok(()),
            Note::Failed(kind) => write!(f, " → {kind}"),
            Note::Waits => f.write_str(" … waits"),
            Note::TimedOut => f.write_str(" → patience ran out"),
            Note::Killed => f.write_str(" ✗ killed before it"),
            Note::Cut(bytes) => write!(f, " ✗ killed after {bytes} bytes"),
            Note::Short(bytes) => write!(f, " → {bytes} bytes only"),
            Note::Stalled(ms) => write!(f, " … {ms} ms pass before it"),
        }
    }
}

/// A run as lines for people.
#[must_use]
pub fn render(steps: &[Step]) -> String {
    steps.iter().enumerate().map(|(index, step)| format!("{index:>4}  {step}\n")).collect()
}
