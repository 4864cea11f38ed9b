//! The history of a run, recorded at the client's side as it happens.
//!
//! Invariants: an `invoke` is stamped and written before the request is sent, an answer after it was received, so a
//! recorded interval always covers the real one; lines stand in the order of their stamps.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fencehold_model::history;
use serde_json::Value;

/// How much later than promised a lapse may be, in milliseconds.
pub const SLACK_MS: u64 = 250;

/// Writes history lines to a file.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl Recorder {
    /// Begins a history.
    ///
    /// # Errors
    /// Where the file cannot be created.
    pub fn begin(path: &Path, seed: u64, target: &str, hello: &Value) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(history::header_line(seed, target, hello, SLACK_MS).as_bytes())?;
        Ok(Recorder { begun: Instant::now(), out: Mutex::new(Out { file, failed: None }) })
    }

    fn line(&self, line: impl FnOnce(u64) -> String) {
        let mut out: MutexGuard<'_, Out> = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let at_us = u64::try_from(self.begun.elapsed().as_micros()).expect("a run is shorter than its clock");
        let line = line(at_us);
        if let Err(error) = out.file.write_all(line.as_bytes()) {
            out.failed.get_or_insert(error);
        }
    }

    /// An operation is about to be sent.
    pub fn invoke(&self, process: u64, id: u64, op: &str, args: &Value) {
        self.line(|at_us| history::invoke_line(at_us, process, id, op, args));
    }

    /// An operation was answered.
    pub fn answer(&self, process: u64, id: u64, answer: &Value) {
        self.line(|at_us| history::answer_line(at_us, process, id, answer));
    }

    /// A process is known dead.
    pub fn died(&self, process: u64) {
        self.line(|at_us| history::died_line(at_us, process));
    }

    /// The nemesis did something to `process` (0: to files).
    pub fn nemesis(&self, process: u64, what: &str, detail: &Value) {
        self.line(|at_us| history::nemesis_line(at_us, process, what, detail));
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where any line could not be written: the history is not whole then.
    pub fn finish(&self) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.failed.take() {
            Some(error) => Err(error),
            None => out.file.flush(),
        }
    }
}
