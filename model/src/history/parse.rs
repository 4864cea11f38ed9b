//! Reading a history; every line that cannot be understood is an error that says where, and what to do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use serde_json::Value;

use super::{Answer, Call, Header, History, Life, Line, NEVER, Names, Operation, Outcome, Reason, What};

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadHistory {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it and what to do.
    pub why: String,
}

impl fmt::Display for BadHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl core::error::Error for BadHistory {}

impl History {
    /// Reads a history.
    ///
    /// # Errors
    /// If a line cannot be understood, naming it.
    pub fn parse(text: &str) -> Result<Self, BadHistory> {
        if text.is_empty() {
            return Err(BadHistory { line: 1, why: "the history is empty: record a run first".into() });
        }
        let mut bytes = 0;
        let mut reader: Option<Reader> = None;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let bad = |why: String| BadHistory { line: index + 1, why };
            let range = bytes..bytes + line.len();
            bytes = range.end;
            if !line.ends_with('\n') {
                return Err(bad("it does not end with a newline: its writer was stopped; cut it off".into()));
            }
            let value: Value = serde_json::from_str(line)
                .map_err(|error| bad(format!("not JSON ({error}): cut it off or mend it")))?;
            match &mut reader {
                None => reader = Some(Reader::new(Header::read(&value).map_err(bad)?)),
                Some(reader) => {
                    let number = u32::try_from(index + 1).map_err(|_| bad("more than 2^32 lines".into()))?;
                    let what = reader.line(number, value).map_err(bad)?;
                    reader.history.lines.push(Line { bytes: range, what });
                }
            }
        }
        let reader =
            reader.ok_or_else(|| BadHistory { line: 1, why: "the history has no line one".into() })?;
        Ok(reader.finish(text))
    }
}

struct Reader {
    history: History,
    processes: BTreeMap<u64, usize>,
    open: BTreeMap<(usize, u64), usize>,
}

impl Reader {
    fn new(header: Header) -> Self {
        let history = History {
            header,
            ops: Vec::new(),
            processes: Vec::new(),
            names: Names::default(),
            damages: 0,
            edits: BTreeSet::new(),
            source: Arc::from(""),
            lines: Vec::new(),
        };
        Self { history, processes: BTreeMap::new(), open: BTreeMap::new() }
    }

    fn line(&mut self, line: u32, mut value: Value) -> Result<What, String> {
        let at_us = number(&value, "at_us")?;
        let word = value["type"].as_str().ok_or("field `type` is missing or not a string")?;
        if word == "nemesis" {
            self.history.damages += usize::from(matches!(value["what"].as_str(), Some("tear" | "damage")));
            if let (Some("edit"), Some(file)) = (value["what"].as_str(), value["detail"]["file"].as_str()) {
                let file = self.history.names.intern(file);
                self.history.edits.insert(file);
            }
            return Ok(What::Nemesis);
        }
        let process = self.process(number(&value, "process")?);
        if self.history.processes[process].died_us != NEVER {
            return Err(format!(
                "process {} had died: a number is one process, never used again",
                value["process"]
            ));
        }
        match word {
            "died" => {
                self.history.processes[process].died_us = at_us;
                Ok(What::Died(process))
            }
            "invoke" => self.invoke(line, at_us, process, &value),
            "ok" | "refused" | "fail" | "info" => {
                let taken = value["value"].take();
                self.answer(at_us, process, &value, taken)
            }
            other => Err(format!(
                "type {other:?} is unknown; it is invoke, ok, refused, fail, info, died or nemesis"
            )),
        }
    }

    fn process(&mut self, number: u64) -> usize {
        let lives = &mut self.history.processes;
        *self.processes.entry(number).or_insert_with(|| {
            lives.push(Life { number, alive_us: 0, died_us: NEVER });
            lives.len() - 1
        })
    }

    fn invoke(&mut self, line: u32, at_us: u64, process: usize, value: &Value) -> Result<What, String> {
        let id = number(value, "id")?;
        let op = value["op"].as_str().ok_or("field `op` is missing or not a string")?;
        let index = self.history.ops.len();
        if self.open.insert((process, id), index).is_some() {
            return Err(format!(
                "process {} has an open operation {id}: ids are not used twice",
                value["process"]
            ));
        }
        self.history.ops.push(Operation {
            process,
            id,
            call: Call::read(op, &value["args"], &mut self.history.names),
            invoked_us: at_us,
            ended_us: NEVER,
            outcome: Outcome::Info,
            revision: None,
            line,
        });
        Ok(What::Op(index))
    }

    fn answer(&mut self, at_us: u64, process: usize, line: &Value, value: Value) -> Result<What, String> {
        let id = number(line, "id")?;
        let Some(index) = self.open.remove(&(process, id)) else {
            return Err(format!(
                "process {} has no open operation {id}: its invoke is missing",
                line["process"]
            ));
        };
        let (op, names) = (&mut self.history.ops[index], &mut self.history.names);
        if at_us < op.invoked_us {
            return Err(format!(
                "operation {id} is answered at {at_us}, before it was sent at {}",
                op.invoked_us
            ));
        }
        let word = line["type"].as_str();
        let outcome = match word {
            Some("ok") => Outcome::Ok(Answer::read(&op.call, true, value, names)),
            Some("refused") => {
                let reason = line["reason"].as_str().ok_or("a refusal needs its `reason`")?;
                Outcome::Refused(Reason::read(reason, names), Answer::read(&op.call, false, value, names))
            }
            Some("fail") => Outcome::Fail,
            _ => return Ok(What::Op(index)),
        };
        op.outcome = outcome;
        op.ended_us = at_us;
        op.revision = line["revision"].as_u64();
        let life = &mut self.history.processes[process];
        life.alive_us = life.alive_us.max(op.invoked_us);
        Ok(What::Op(index))
    }

    fn finish(self, text: &str) -> History {
        let mut history = self.history;
        for op in history.ops.iter_mut().filter(|op| op.outcome == Outcome::Info) {
            op.ended_us = history.processes[op.process].died_us.max(op.invoked_us);
        }
        history.source = Arc::from(text);
        history
    }
}

fn number(value: &Value, key: &str) -> Result<u64, String> {
    value[key].as_u64().ok_or_else(|| format!("field `{key}` is missing or not a whole number"))
}
