//! What a worker is told, as one JSON argument, and what it prints: the same for every language.

use std::path::PathBuf;

use fencehold_benches::Result;
use fencehold_benches::results::{Latency, Subject, Workload};
use serde_json::{Value, json};

/// What one worker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) subject: Subject,
    pub(crate) workload: Workload,
    /// Which of the workers it is, from 0.
    pub(crate) index: usize,
    /// The folder that all of them work in.
    pub(crate) dir: PathBuf,
    /// For how long it begins operations.
    pub(crate) window_ms: u64,
    /// How many bytes a record has, its newline included.
    pub(crate) record_bytes: usize,
}

/// What it says when it is done.
#[derive(Debug)]
pub(crate) struct Said {
    /// Operations that ended within the window.
    pub(crate) within: u64,
    /// All that were acknowledged.
    pub(crate) acked: u64,
    pub(crate) unsure: u64,
    pub(crate) gave_up: u64,
    /// Of those that began within the window.
    pub(crate) latency: Latency,
}

impl Task {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "subject": self.subject.id(),
            "workload": self.workload.id(),
            "index": self.index,
            "dir": self.dir.to_string_lossy(),
            "window_ms": self.window_ms,
            "work_us": self.workload.work_us(),
            "record_bytes": self.record_bytes,
        })
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text)?;
        let word = |key: &str| json[key].as_str().ok_or_else(|| format!("a task has a text `{key}`: {text}"));
        let number =
            |key: &str| json[key].as_u64().ok_or_else(|| format!("a task has a number `{key}`: {text}"));
        Ok(Task {
            subject: Subject::of_id(word("subject")?).ok_or("no such subject")?,
            workload: Workload::of_id(word("workload")?).ok_or("no such workload")?,
            index: usize::try_from(number("index")?)?,
            dir: word("dir")?.into(),
            window_ms: number("window_ms")?,
            record_bytes: usize::try_from(number("record_bytes")?)?,
        })
    }

    /// A record's text, without its newline: as long as asked, and of letters that JSON does not escape.
    pub(crate) fn record(&self) -> String {
        "r".repeat(self.record_bytes.saturating_sub(1).max(1))
    }
}

impl Said {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "within": self.within,
            "acked": self.acked,
            "unsure": self.unsure,
            "gave_up": self.gave_up,
            "latency": self.latency.to_json(),
        })
    }

    pub(crate) fn parse(line: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(line)?;
        let number =
            |key: &str| json[key].as_u64().ok_or_else(|| format!("a worker says a number `{key}`: {line}"));
        Ok(Said {
            within: number("within")?,
            acked: number("acked")?,
            unsure: number("unsure")?,
            gave_up: number("gave_up")?,
            latency: Latency::from_json(&json["latency"])?,
        })
    }
}
