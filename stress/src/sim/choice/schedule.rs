//! A schedule: the answers of a run, as a value and as a file.
//!
//! The file is NDJSON. Line one says what to run, each other line is one answer:
//!
//! ```text
//! {"schedule":1,"scenario":"mutant/M05 double-takeover"}
//! {"step":0,"label":"next","of":2,"chosen":1}
//! ```

use std::fmt;

use serde_json::{Value, json};

/// The version of the file's form.
const SCHEDULE_VERSION: u64 = 1;

/// One answer of a [`Source`](super::Source).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub label: std::borrow::Cow<'static, str>,
    /// How many possibilities there were.
    pub of: u32,
    /// Which was taken, counted from 0.
    pub chosen: u32,
}

/// The answers of a run, and of which scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// What was run.
    pub scenario: String,
    /// The answers in their order.
    pub answers: Vec<Answer>,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSchedule(String);

impl fmt::Display for BadSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSchedule {}

impl Schedule {
    /// The text of its file.
    #[must_use]
    pub fn to_ndjson(&self) -> String {
        let mut text = format!("{}\n", json!({"schedule": SCHEDULE_VERSION, "scenario": self.scenario}));
        for (step, answer) in self.answers.iter().enumerate() {
            let line = json!({"step": step, "label": answer.label, "of": answer.of, "chosen": answer.chosen});
            text.push_str(&line.to_string());
            text.push('\n');
        }
        text
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Names the line that is none of a schedule.
    pub fn from_ndjson(text: &str) -> Result<Self, BadSchedule> {
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or(Value::Null, |(_, line)| value(line));
        let scenario = match (header["schedule"].as_u64(), header["scenario"].as_str()) {
            (Some(SCHEDULE_VERSION), Some(scenario)) => scenario.to_owned(),
            (Some(other), _) if other != SCHEDULE_VERSION => {
                return Err(BadSchedule(format!(
                    "a schedule of form {other}; this build knows {SCHEDULE_VERSION}"
                )));
            }
            _ => return Err(BadSchedule("line 1 is not {\"schedule\":1,\"scenario\":…}".to_owned())),
        };
        let answers = lines.map(|(index, line)| {
            answer(&value(line), index - 1)
                .ok_or_else(|| BadSchedule(format!("line {}: no answer", index + 1)))
        });
        Ok(Schedule { scenario, answers: answers.collect::<Result<_, _>>()? })
    }

    /// The schedule without the answers at its end that a replay gives unasked.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        let kept = self.answers.iter().rposition(|answer| answer.chosen != 0).map_or(0, |last| last + 1);
        self.answers.truncate(kept);
        self
    }
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or(Value::Null)
}

fn answer(line: &Value, step: usize) -> Option<Answer> {
    let number = |name: &str| u32::try_from(line[name].as_u64()?).ok();
    let (of, chosen) = (number("of")?, number("chosen")?);
    let in_order = line["step"].as_u64() == Some(step as u64) && chosen < of;
    in_order.then_some(Answer { label: line["label"].as_str()?.to_owned().into(), of, chosen })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::choice::Source;

    #[test]
    fn what_is_written_reads_back_equal() {
        let mut source = Source::random(3);
        for of in 2..30 {
            source.choose("next", of);
        }
        let schedule = source.schedule("a \"scenario\"");
        assert_eq!(Schedule::from_ndjson(&schedule.to_ndjson()), Ok(schedule));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "{}",
            "{\"schedule\":2,\"scenario\":\"x\"}",
            "{\"schedule\":1,\"scenario\":\"x\"}\n{\"step\":1}",
        ] {
            assert!(Schedule::from_ndjson(text).is_err(), "{text:?}");
        }
    }
}
