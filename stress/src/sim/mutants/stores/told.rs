//! What processes were told, in the order in which they were told it. It stands outside of the simulated world: a kill
//! does not take it back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::Trouble;
use super::document::Seen;
use super::log::Record;

/// What a process asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Increment,
    /// A record of this text.
    Append(String),
    Read,
}

/// What a process was told.
#[derive(Debug)]
pub(super) enum Heard {
    /// It begins: until another answer nobody knows.
    Asked(What),
    Done(What),
    Failed(What, Trouble),
    /// A reader was given something that it must not be given.
    Wrong(String),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<Heard>>>);

impl Told {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, heard: Heard) {
        self.lock().push(heard);
    }

    pub(super) fn about<T>(&self, what: What, operation: impl FnOnce() -> Result<T, Trouble>) -> Option<T> {
        self.push(Heard::Asked(what.clone()));
        match operation() {
            Ok(value) => {
                self.push(Heard::Done(what));
                Some(value)
            }
            Err(trouble) => {
                self.push(Heard::Failed(what, trouble));
                None
            }
        }
    }

    /// How many increments were answered, and the texts of the records that were.
    pub(super) fn done(&self) -> (u64, Vec<String>) {
        let (mut increments, mut texts) = (0, Vec::new());
        for heard in self.lock().iter() {
            match heard {
                Heard::Done(What::Increment) => increments += 1,
                Heard::Done(What::Append(text)) => texts.push(text.clone()),
                _ => {}
            }
        }
        (increments, texts)
    }

    /// A reader was given this document, `done` increments having been answered before to a number `from`.
    pub(super) fn was_read(&self, seen: Seen, from: u64, done: u64) {
        if let Seen::Whole(number) = seen
            && number < from + done
        {
            let what = format!("{done} increments of {from} were answered, and a reader is given {number}");
            self.push(Heard::Wrong(what));
        }
    }

    /// A reader was given these records; `old` were there before, `done` were answered.
    pub(super) fn were_read(&self, records: &[Record], old: &str, done: &[String]) {
        let asked = |text: &str| {
            self.lock()
                .iter()
                .any(|heard| matches!(heard, Heard::Asked(What::Append(asked)) if asked == text))
        };
        if let Some(nobodys) = records.iter().find(|record| record.text != old && !asked(&record.text)) {
            let text = &nobodys.text;
            self.push(Heard::Wrong(format!("a reader is given a record that nobody wrote: {text:?}")));
        }
        let there = |text: &String| records.iter().any(|record| record.text == *text);
        if let Some(missing) = done.iter().find(|text| !there(text)) {
            self.push(Heard::Wrong(format!("record {missing} was answered, and a reader does not see it")));
        }
    }
}
