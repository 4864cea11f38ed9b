//! A bug log in memory: without a flaw, with one, or as it was published, written anew from its description.
//!
//! As published: an append is the line, whatever stands before it; a reader skips what it cannot read; an id is 32 bits
//! of a random number, and nobody looks for another; a migration that finds the new file is done, else writes a temporary
//! file, renames it to the new name, and renames the old file away.

use serde_json::{Value, json};

use super::scenarios::{BugLog, Outcome, Outcome2};

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// An append does not look whether the last line has its end.
    M16Glue,
    /// A reader ends at the first line that it cannot read.
    M17Throws,
    /// A reader gives the last line, whole or not.
    M17TailReturned,
    /// An id is the number of records and one, counted before the append, and nobody looks for two of one id.
    M18LengthId,
    /// A migration that finds the new file is done.
    M21Half,
    /// A migration puts its new file in the place of what is there.
    M21Overwriting,
    /// Two records of one id are two records.
    Silent,
    /// What is no array is an empty one.
    NonArray,
    /// The old file is moved away.
    MovedAway,
    /// Any filesystem will do.
    AnyFilesystem,
}

pub(super) struct InMemory {
    flaws: Vec<Flaw>,
    log: Option<String>,
    old: Option<String>,
}

/// What a migration has done so far.
#[derive(Default)]
struct Migration {
    /// What it looked at.
    entries: Vec<Value>,
    temp: Option<String>,
    is_done: bool,
}

impl InMemory {
    pub(super) fn new(flaws: &[Flaw]) -> Self {
        InMemory { flaws: flaws.to_vec(), log: None, old: None }
    }

    pub(super) fn published() -> Self {
        use Flaw::{AnyFilesystem, M16Glue, M21Half, M21Overwriting, MovedAway, NonArray, Silent};
        InMemory::new(&[M16Glue, M21Half, M21Overwriting, MovedAway, NonArray, Silent, AnyFilesystem])
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn append_line(&mut self, line: &Value) {
        let glue = self.has(Flaw::M16Glue);
        let log = self.log.get_or_insert_default();
        if !glue && !log.is_empty() && !log.ends_with('\n') {
            log.push('\n');
        }
        log.push_str(&format!("{line}\n"));
    }

    /// Whether a migration renames: the published one, and each with one flaw of it.
    fn renames(&self) -> bool {
        self.has(Flaw::M21Half) || self.has(Flaw::M21Overwriting)
    }

    /// One step of a migration; false where there is none left.
    fn step(&mut self, migration: &mut Migration, step: usize) -> Outcome2<bool> {
        if migration.is_done {
            return Ok(false);
        }
        match step {
            0 => {
                let Some(old) = &self.old else { return Ok(false) };
                if self.has(Flaw::M21Half) && self.log.is_some() {
                    return Ok(false);
                }
                let old: Value = serde_json::from_str(old).map_err(|error| error.to_string())?;
                migration.entries = match old["bugs"].as_array() {
                    Some(entries) => entries.clone(),
                    None if self.has(Flaw::NonArray) => Vec::new(),
                    None => return Err("no array".to_owned()),
                };
            }
            1 if self.renames() => {
                let there = if self.has(Flaw::M21Half) {
                    String::new()
                } else {
                    self.log.clone().unwrap_or_default()
                };
                let entries = migration.entries.iter().filter(|entry| !there.contains(&entry.to_string()));
                let lines: String = entries.map(|entry| format!("{entry}\n")).collect();
                migration.temp = Some(format!("{there}{lines}"));
            }
            2 if self.renames() => {
                let temp = migration.temp.take();
                if self.has(Flaw::M21Overwriting) || self.log.is_none() {
                    self.log = temp;
                }
            }
            3 if self.has(Flaw::MovedAway) => self.old = None,
            // Without a flaw: an entry a step, where no record is equal to it.
            _ if !self.renames() && step <= migration.entries.len() => {
                let entry = migration.entries[step - 1].clone();
                let text = entry.to_string();
                if !self.log.as_ref().is_some_and(|log| log.lines().any(|line| line == text)) {
                    self.append_line(&entry);
                }
            }
            3 => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn run(&mut self, killed_before: usize) -> Outcome2<bool> {
        let mut migration = Migration::default();
        let mut step = 0;
        while step < killed_before {
            if !self.step(&mut migration, step)? {
                return Ok(false);
            }
            step += 1;
        }
        Ok(true)
    }
}

impl BugLog for InMemory {
    fn begin(&mut self, log: Option<&str>, old: Option<&str>) {
        (self.log, self.old) = (log.map(str::to_owned), old.map(str::to_owned));
    }

    fn append(&mut self, id: &str) {
        self.append_line(&json!({ "id": id }));
    }

    fn append_two_at_once(&mut self) -> bool {
        if !self.has(Flaw::M18LengthId) {
            return false;
        }
        // Both count before either appends.
        let next = self.log.as_deref().unwrap_or("").lines().count() + 1;
        for _ in 0..2 {
            self.append(&format!("bug-{next}"));
        }
        true
    }

    fn ids(&mut self) -> Outcome2<Vec<String>> {
        let log = self.log.clone().unwrap_or_default();
        let mut ids = Vec::new();
        for line in log.split_inclusive('\n') {
            let record = serde_json::from_str::<Value>(line).ok().filter(|_| line.ends_with('\n'));
            match record.as_ref().and_then(|record| record["id"].as_str()) {
                Some(id) => ids.push(id.to_owned()),
                None if self.has(Flaw::M17Throws) => return Err(format!("{line:?} cannot be read")),
                None if self.has(Flaw::M17TailReturned) && !line.ends_with('\n') => {
                    ids.push(line.trim_start_matches("{\"id\":\"").to_owned());
                }
                None => {}
            }
        }
        Ok(ids)
    }

    fn is_told(&mut self) -> bool {
        let mut ids = self.ids().unwrap_or_default();
        ids.sort();
        let is_silent = self.has(Flaw::Silent) || self.has(Flaw::M18LengthId);
        !is_silent && ids.windows(2).any(|two| two[0] == two[1])
    }

    fn migrate(&mut self) -> Outcome {
        self.run(usize::MAX).map(drop)
    }

    fn migrate_killed(&mut self, step: usize) -> bool {
        self.run(step).expect("the old file is whole")
    }

    fn migrate_twice_and_append(&mut self, id: &str) {
        let (mut one, mut other) = (Migration::default(), Migration::default());
        // The second one has looked, and written its temporary file, when the first one is done and somebody appends.
        // Without a flaw there is a lock, and one comes after the other.
        let looked = if self.renames() { 2 } else { 0 };
        for step in 0..looked {
            let _ = self.step(&mut other, step);
        }
        let mut step = 0;
        while self.step(&mut one, step) == Ok(true) {
            step += 1;
        }
        self.append(id);
        step = looked;
        while self.step(&mut other, step) == Ok(true) {
            step += 1;
        }
    }

    fn old_hook_adds(&mut self, id: &str) {
        let old = self.old.as_deref().and_then(|old| serde_json::from_str(old).ok());
        let mut old: Value = old.unwrap_or_else(|| json!({ "version": 1, "bugs": [] }));
        if let Some(bugs) = old["bugs"].as_array_mut() {
            bugs.push(json!({ "id": id }));
        }
        self.old = Some(old.to_string());
    }

    fn old_reader(&mut self) -> Vec<String> {
        let old = self.old.clone().unwrap_or_default();
        ids_of_old(&old)
    }

    fn on_a_strange_filesystem(&mut self) -> Outcome {
        if self.has(Flaw::AnyFilesystem) { Ok(()) } else { Err("no lock holds here".to_owned()) }
    }
}

/// The ids of the entries of an old file; the text itself where it has none.
pub(super) fn ids_of_old(text: &str) -> Vec<String> {
    let old: Option<Value> = serde_json::from_str(text).ok();
    match old.as_ref().and_then(|old| old["bugs"].as_array()) {
        Some(bugs) => bugs.iter().filter_map(|bug| bug["id"].as_str().map(str::to_owned)).collect(),
        None if text.is_empty() => Vec::new(),
        None => vec![text.to_owned()],
    }
}
