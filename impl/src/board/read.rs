//! Reading a board: every line is looked at before anything is believed.

use std::collections::BTreeMap;
use std::path::Path;

use fencehold_model::json::{Fields, Malformed, Tree};
use fencehold_model::ndjson::{self, Kind};
use fencehold_model::policy::IdForm;
use fencehold_model::record::LINE_BYTES_MAX;
use fencehold_model::status::{Rung, Value, Vocabulary};
use fencehold_model::{Policy, TaskId, WorkspaceId};

use super::{Board, FORMAT, Seal};
use crate::error::{Error, Result};

impl Board {
    /// Reads the board `bytes`, which is to be joined with what a workspace of this policy holds. `name` is what errors
    /// call it.
    ///
    /// # Errors
    /// [`Error::Newer`] where it is of a newer format; [`Error::Usage`], naming the line, where it is no board, is not
    /// whole, is not as it was written, or has no meaning under the policy.
    pub fn read(name: &Path, bytes: &[u8], policy: &Policy) -> Result<Self> {
        let seal = Seal::default();
        let mut reader = Reader { name, policy, board: None, seal, spelled: BTreeMap::new(), sealed: false };
        let mut lines = 0;
        for (line, frame) in (1..).zip(ndjson::frames(bytes, LINE_BYTES_MAX)) {
            lines = line;
            let text = match frame.kind {
                Kind::Line { text, .. } => text,
                Kind::Unterminated => return Err(reader.wrong(line, "it is cut off within this line")),
                Kind::Damaged(damage) => return Err(reader.wrong(line, &damage.to_string())),
            };
            reader.line(line, text)?;
        }
        if reader.sealed {
            return Ok(reader.board.expect("it was sealed after its first line"));
        }
        let what =
            if lines == 0 { "it is empty" } else { "it is cut off: its last line, the seal, is missing" };
        Err(reader.wrong(lines, what))
    }
}

/// What was read so far.
struct Reader<'a> {
    name: &'a Path,
    policy: &'a Policy,
    board: Option<Board>,
    /// Over the lines of the tasks.
    seal: Seal,
    /// The canonical ids that were seen: how they were written, and in which line.
    spelled: BTreeMap<TaskId, (TaskId, u64)>,
    sealed: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: u64, text: &str) -> Result<()> {
        if self.sealed {
            return Err(self.wrong(line, "it goes on after its last line"));
        }
        let json: Tree<'_> =
            serde_json::from_str(text).map_err(|error| self.wrong(line, &format!("not JSON: {error}")))?;
        let fields = Fields::of(&json).map_err(|bad| self.wrong(line, &bad.to_string()))?;
        if self.board.is_none() {
            self.board = Some(self.header(line, fields)?);
            return Ok(());
        }
        let read = if fields.get("seal").is_some() {
            self.last(fields)
        } else {
            self.seal.add(text);
            self.cell(line, fields)
        };
        read.map_err(|bad| self.wrong(line, &bad.0))
    }

    fn header(&self, line: u64, fields: Fields<'_>) -> Result<Board> {
        if fields.get("board").is_none() {
            return Err(self.wrong(line, "this is no board: one begins with {\"board\":1,…}"));
        }
        let wrong = |bad: Malformed| self.wrong(line, &bad.0);
        let format = fields.number("board").map_err(wrong)?;
        if format > FORMAT {
            let what = format!(
                "a board of format {format}; this program reads format {FORMAT}. Use a newer program"
            );
            return Err(Error::Newer { path: self.name.to_owned(), what });
        }
        if format != FORMAT {
            return Err(self.wrong(line, &format!("format {format} is none; the first is {FORMAT}")));
        }
        let workspace: WorkspaceId = fields.id("workspace").map_err(wrong)?;
        let word = fields.text("task_ids").map_err(wrong)?;
        let task_ids = IdForm::parse(word)
            .ok_or_else(|| self.wrong(line, &format!("field `task_ids`: `{word}` is not text or numbers")))?;
        let vocabulary = fields.array("statuses").and_then(Vocabulary::read).map_err(wrong)?;
        if task_ids != self.policy.task_ids {
            return Err(self.other(
                line,
                &format!(
                    "its task ids are {word} and those of this workspace are {}",
                    self.policy.task_ids.word()
                ),
            ));
        }
        if let Some(difference) = difference(&vocabulary, &self.policy.vocabulary) {
            return Err(self.other(line, &format!("it has other statuses than this workspace: {difference}")));
        }
        Ok(Board { workspace, task_ids, vocabulary, cells: BTreeMap::new() })
    }

    fn cell(&mut self, line: u64, fields: Fields<'_>) -> std::result::Result<(), Malformed> {
        let written: TaskId = fields.id("task")?;
        let task = self.policy.task(&written);
        let value = Value::read(fields)?;
        self.policy.vocabulary.check(value.statuses.keys()).map_err(Malformed)?;
        if let Some((other, first)) = self.spelled.get(&task) {
            return Err(Malformed(if *other == written {
                format!("task {task} stands in line {first} already")
            } else {
                format!("task {written} is the task {other} of line {first}, written otherwise")
            }));
        }
        self.spelled.insert(task.clone(), (written, line));
        self.board.as_mut().expect("the first line was read").cells.insert(task, value);
        Ok(())
    }

    fn last(&mut self, fields: Fields<'_>) -> std::result::Result<(), Malformed> {
        let (tasks, sealed) = (fields.number("tasks")?, fields.text("seal")?);
        let found = self.board.as_ref().expect("the first line was read").cells.len() as u64;
        if tasks != found {
            return Err(Malformed(format!("it was written with {tasks} tasks, and {found} stand in it")));
        }
        if self.seal.word() != sealed {
            return Err(Malformed(
                "its lines are not as they were written: somebody changed them, or a merge of text mixed two boards, \
                 each of which can be merged by itself"
                    .to_owned(),
            ));
        }
        self.sealed = true;
        Ok(())
    }

    fn wrong(&self, line: u64, what: &str) -> Error {
        Error::usage(format!(
            "{} line {}: {what}. Nothing was merged; export the board anew",
            self.name.display(),
            line.max(1)
        ))
    }

    /// A good board of another policy.
    fn other(&self, line: u64, what: &str) -> Error {
        Error::usage(format!(
            "{} line {line}: {what}. Nothing was merged; apply one fencehold.toml in both, then export anew",
            self.name.display()
        ))
    }
}

/// What of a vocabulary is otherwise than in another, in words; none where they are one.
fn difference(there: &Vocabulary, here: &Vocabulary) -> Option<String> {
    let mut words = Vec::new();
    let kind = |rung: &Rung| format!("rank {}{}", rung.rank, if rung.terminal { ", terminal" } else { "" });
    for rung in there.rungs() {
        match here.rung(&rung.status) {
            None => words.push(format!("{} ({}) is only in the board", rung.status, kind(rung))),
            Some(ours) if ours != rung => {
                words.push(format!("{} is {} in the board and {} here", rung.status, kind(rung), kind(ours)));
            }
            Some(_) => {}
        }
    }
    for rung in here.rungs().iter().filter(|rung| there.rung(&rung.status).is_none()) {
        words.push(format!("{} ({}) is only here", rung.status, kind(rung)));
    }
    (!words.is_empty()).then(|| words.join("; "))
}
