//! Writing histories: single lines for recorders, and parts of a history that was read.

use alloc::format;
use alloc::string::String;

use serde_json::{Value, json};

use super::header::HISTORY_VERSION;
use super::{History, What};

/// Line one.
#[must_use]
pub fn header_line(seed: u64, target: &str, hello: &Value, slack_ms: u64) -> String {
    let target = Value::from(target);
    format!(
        "{{\"history\":{HISTORY_VERSION},\"seed\":{seed},\"target\":{target},\"hello\":{hello},\"slack_ms\":{slack_ms}}}\n"
    )
}

/// An operation is sent.
#[must_use]
pub fn invoke_line(at_us: u64, process: u64, id: u64, op: &str, args: &Value) -> String {
    let op = Value::from(op);
    format!(
        "{{\"at_us\":{at_us},\"process\":{process},\"type\":\"invoke\",\"id\":{id},\"op\":{op},\"args\":{args}}}\n"
    )
}

/// An operation is answered: `answer` is the target's line, whose `outcome` becomes the type.
#[must_use]
pub fn answer_line(at_us: u64, process: u64, id: u64, answer: &Value) -> String {
    let word = answer["outcome"].as_str().unwrap_or("info");
    let mut line = format!("{{\"at_us\":{at_us},\"process\":{process},\"type\":{},\"id\":{id}", json!(word));
    for key in ["revision", "reason", "value", "error"] {
        if !answer[key].is_null() {
            line.push_str(&format!(",\"{key}\":{}", answer[key]));
        }
    }
    line.push_str("}\n");
    line
}

/// A process is known dead.
#[must_use]
pub fn died_line(at_us: u64, process: u64) -> String {
    format!("{{\"at_us\":{at_us},\"process\":{process},\"type\":\"died\"}}\n")
}

/// The nemesis does something.
#[must_use]
pub fn nemesis_line(at_us: u64, process: u64, what: &str, detail: &Value) -> String {
    let what = Value::from(what);
    format!(
        "{{\"at_us\":{at_us},\"process\":{process},\"type\":\"nemesis\",\"what\":{what},\"detail\":{detail}}}\n"
    )
}

impl History {
    /// The history as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.source
    }

    /// The part of the history that is left when only the operations at the indices that `keep` accepts had been
    /// recorded, line one first; `nemesis` says whether its lines stay.
    #[must_use]
    pub fn select(&self, keep: impl Fn(usize) -> bool, nemesis: bool) -> String {
        let first = self.lines.first().map_or(self.source.len(), |line| line.bytes.start);
        let mut out = String::from(&self.source[..first]);
        let mut alive = alloc::vec![false; self.processes.len()];
        for (index, op) in self.ops.iter().enumerate() {
            alive[op.process] |= keep(index);
        }
        for line in &self.lines {
            let stays = match line.what {
                What::Op(index) => keep(index),
                What::Died(process) => alive[process],
                What::Nemesis => nemesis,
            };
            if stays {
                out.push_str(&self.source[line.bytes.clone()]);
            }
        }
        out
    }
}
