//! The record of a run, as it happens: one JSON object a line, stamped by one clock.

use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use super::locked;

/// One line: `at_us` since the run began, `process` (0: nobody's), `what` happened, and what belongs to that.
pub type Line = Value;

/// Collects lines in the order of their stamps.
#[derive(Debug)]
pub(super) struct Recorder {
    begun: Instant,
    lines: Mutex<Vec<Line>>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Recorder { begun: Instant::now(), lines: Mutex::default() }
    }

    /// Something happens to `process`; `detail` is an object.
    pub(super) fn note(&self, process: u64, what: &str, mut detail: Value) {
        let mut lines = locked(&self.lines);
        let at_us = u64::try_from(self.begun.elapsed().as_micros()).expect("a run is shorter than its clock");
        detail["at_us"] = at_us.into();
        detail["process"] = process.into();
        detail["what"] = what.into();
        lines.push(detail);
    }

    /// Looks at what there is so far.
    pub(super) fn peek<T>(&self, look: impl FnOnce(&[Line]) -> T) -> T {
        look(&locked(&self.lines))
    }

    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The lines as NDJSON.
pub(super) fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Reads a record back; none where the text is none: another kind of history.
///
/// # Errors
/// Where a line of it is damaged.
pub fn recorded(text: &str) -> Option<Result<Vec<Line>, String>> {
    let is_line =
        |line: &Line| line["at_us"].is_u64() && line["process"].is_u64() && line["what"].is_string();
    let first: Line = serde_json::from_str(text.lines().next()?).ok()?;
    if !is_line(&first) {
        return None;
    }
    let lines = text.lines().enumerate().map(|(at, line)| match serde_json::from_str(line) {
        Ok(line) if is_line(&line) => Ok(line),
        _ => Err(format!("line {} is no line of a record of the stage guard", at + 1)),
    });
    Some(lines.collect())
}
