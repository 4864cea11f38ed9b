//! A board file: what every task of a workspace is, to be carried to another clone and joined there.
//!
//! ```text
//! {"board":1,"workspace":"…","task_ids":"text","statuses":[{"name":"todo","rank":0},…]}
//! {"task":"7","epoch":0,"turn":0,"statuses":{"done":null}}
//! {"tasks":1,"seal":"9f3a02c1"}
//! ```
//!
//! Invariants:
//! - two workspaces that hold the same write the same bytes, the id in line one aside: tasks by id, keys in order;
//! - a line for each task, so that a change of one task changes its line and the last;
//! - the last line seals the lines of the tasks: their number and their checksum. A join cannot be undone, so a digit
//!   that changed on the way, a line that is missing, and two boards mixed by a merge of text are found before it;
//! - a board is read whole or not at all, against the policy of the workspace that it is to be joined with.

mod read;

use std::collections::BTreeMap;

use fencehold_model::json::Writer;
use fencehold_model::policy::IdForm;
use fencehold_model::status::{Value, Vocabulary};
use fencehold_model::{TaskId, WorkspaceId};

/// The format that is written, and the only one that is read.
pub const FORMAT: u64 = 1;
/// The longest board in bytes: 256 MiB.
pub const BOARD_BYTES_MAX: usize = 256 << 20;
/// What every board begins with.
pub const BEGINS: &str = "{\"board\":";

/// What every task of one workspace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Which workspace it is of. Boards of any workspace may be joined: this is for people.
    pub workspace: WorkspaceId,
    /// How its task ids are written.
    pub task_ids: IdForm,
    /// The statuses that its values are of.
    pub vocabulary: Vocabulary,
    /// What each task is, by canonical id.
    pub cells: BTreeMap<TaskId, Value>,
}

impl Board {
    /// Its text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = String::new();
        let mut to = Writer::new(&mut text);
        to.number("board", FORMAT).text("workspace", self.workspace.as_str());
        to.text("task_ids", self.task_ids.word());
        to.value("statuses", |out| self.vocabulary.write(out));
        to.end();
        text.push('\n');
        let mut seal = Seal::default();
        for (task, value) in &self.cells {
            let begin = text.len();
            let mut to = Writer::new(&mut text);
            to.text("task", task.as_str());
            value.write(&mut to);
            to.end();
            seal.add(&text[begin..]);
            text.push('\n');
        }
        let mut to = Writer::new(&mut text);
        to.number("tasks", self.cells.len() as u64).text("seal", &seal.word());
        to.end();
        text.push('\n');
        text
    }
}

/// The checksum of the lines of the tasks. Line ends are not in it: git may have changed them.
#[derive(Debug, Default)]
struct Seal(crc32fast::Hasher);

impl Seal {
    fn add(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    fn word(&self) -> String {
        format!("{:08x}", self.0.clone().finalize())
    }
}
