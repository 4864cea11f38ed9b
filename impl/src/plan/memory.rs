//! What a plan file and the board last agreed on, and what was about to be done.
//!
//! ```text
//! {"plan":1,"tree":"/…","file":"docs/plan.md","tasks":{"T1":{"base":{"status":"done","epoch":0,"turn":0},"commit":"…"}},
//!  "writing":{"before":"…","identity":"…","after":"…","tasks":{"T1":{"from":"todo","base":{…}}}}}
//! ```
//!
//! Invariants:
//! - a base is remembered only once both sides have it, and only of a file without uncommitted changes;
//! - before the board is moved, or the file is written, it stands here durably what will be done: so whoever was killed
//!   finds out whether it was, or knows that it cannot be known;
//! - a base belongs to a commit: where that is not in the history of what is checked out, nothing may rest on it alone.

use std::collections::BTreeMap;

use fencehold_model::status::Value;
use fencehold_model::{NUMBER_BOUND, Status, TaskId};
use serde_json::{Map, Value as Json, json};

use super::decide::{Base, Step};

/// The format that is written, and the only one that is read.
const FORMAT: u64 = 1;

/// What is remembered of one plan file in one worktree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileMemory {
    /// Each task, by canonical id.
    pub tasks: BTreeMap<TaskId, Remembered>,
    /// The write of the file that was begun.
    pub writing: Option<PendingFile>,
}

/// What is remembered of one task of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// What both last agreed on.
    pub base: Option<Base>,
    /// The commit that was checked out then; none outside of git.
    pub commit: Option<String>,
    /// What both agree on if a write of the file that was begun was done, which cannot be known.
    pub doubt: Option<Base>,
    /// The step of the board that was begun.
    pub moving: Option<Pending>,
}

/// A step of the board that was begun because the file says `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What stood on the board.
    pub before: Option<Base>,
    /// How it was to move.
    pub step: Step,
    /// Where to.
    pub to: Status,
}

/// A write of the file that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingFile {
    /// The version of the bytes before.
    pub before: String,
    /// Which file that was: a person may have brought the same bytes back.
    pub identity: String,
    /// The version of the bytes after.
    pub after: String,
    /// The status that is replaced of each task, and what both agree on once that is done.
    pub tasks: BTreeMap<TaskId, (String, Base)>,
}

/// The pasts that are possible for a task of a memory that was [settled](FileMemory::settle). `board` is what stands there
/// now; `descends` says whether what is checked out has the remembered commit in its history.
#[must_use]
pub fn candidates(remembered: &Remembered, board: Option<&Value>, descends: bool) -> Vec<Option<Base>> {
    let mut bases = vec![remembered.base.clone()];
    if remembered.base.is_some() && !descends {
        bases.push(None);
    }
    bases.extend(remembered.doubt.clone().map(Some));
    if let Some(moving) = &remembered.moving {
        let now = board.and_then(Base::of);
        if moving.made(now.as_ref()) {
            bases = vec![now];
        } else if now != moving.before || board.is_some_and(|board| board.statuses.len() > 1) {
            // It may have moved there, and on.
            let (epoch, turn) = board.map_or((0, 0), |board| (board.epoch, board.turn));
            bases.push(Some(Base { epoch, turn: turn + 1, status: moving.to.clone() }));
        }
    }
    bases.dedup();
    bases
}

impl Pending {
    /// Whether this is what the step makes.
    fn made(&self, now: Option<&Base>) -> bool {
        let (Some(now), (epoch, turn)) =
            (now, self.before.as_ref().map_or((0, 0), |before| (before.epoch, before.turn)))
        else {
            return false;
        };
        now.status == self.to
            && match self.step {
                Step::First | Step::Up => now.epoch == epoch && now.turn == 0,
                Step::Beside => now.epoch == epoch && now.turn == turn + 1,
                Step::Reopen => now.epoch > epoch && now.turn == 0,
            }
    }
}

impl FileMemory {
    /// Finds out from the version and the identity of the file whether the write that was begun was done; where that
    /// cannot be known, both stay possible. `commit` is what is checked out.
    pub fn settle(&mut self, version: &str, identity: &str, commit: Option<&str>) {
        let Some(writing) = self.writing.take() else { return };
        let was_not_done = version == writing.before && identity == writing.identity;
        for (task, (_, base)) in writing.tasks.into_iter().filter(|_| !was_not_done) {
            let remembered = self.tasks.entry(task).or_default();
            if version == writing.after {
                *remembered = Remembered {
                    base: Some(base),
                    commit: commit.map(str::to_owned),
                    ..Remembered::default()
                };
            } else {
                remembered.doubt = Some(base);
            }
        }
    }

    /// Its text. `tree` and `file` say what it is of.
    #[must_use]
    pub fn write(&self, tree: &str, file: &str) -> String {
        let tasks: Map<String, Json> = self
            .tasks
            .iter()
            .map(|(task, remembered)| (task.as_str().to_owned(), remembered.json()))
            .collect();
        let mut object = json!({ "plan": FORMAT, "tree": tree, "file": file, "tasks": tasks });
        if let Some(writing) = &self.writing {
            let tasks: Map<String, Json> = writing
                .tasks
                .iter()
                .map(|(task, (from, base))| {
                    (task.as_str().to_owned(), json!({ "from": from, "base": base_json(base) }))
                })
                .collect();
            object["writing"] = json!({ "before": writing.before, "identity": writing.identity, "after": writing.after, "tasks": tasks });
        }
        format!("{object}\n")
    }

    /// Reads what [`FileMemory::write`] wrote.
    ///
    /// # Errors
    /// What is wrong with it, as a clause; it is of another format, damaged, or of another file.
    pub fn read(bytes: &[u8], tree: &str, file: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON ({error})"))?;
        if json["plan"] != FORMAT {
            return Err(format!("its format is {}, and this fencehold reads {FORMAT}", json["plan"]));
        }
        if json["tree"] != tree || json["file"] != file {
            return Err(format!("it is of {} in {}", json["file"], json["tree"]));
        }
        let tasks = each(&json["tasks"], Remembered::of)?;
        let writing = match &json["writing"] {
            Json::Null => None,
            writing => {
                let tasks = each(&writing["tasks"], |one| Ok((text(one, "from")?, base_of(&one["base"])?)))?;
                Some(PendingFile {
                    before: text(writing, "before")?,
                    identity: text(writing, "identity")?,
                    after: text(writing, "after")?,
                    tasks,
                })
            }
        };
        Ok(FileMemory { tasks, writing })
    }
}

impl Remembered {
    fn json(&self) -> Json {
        let mut object = json!({});
        if let Some(base) = &self.base {
            object["base"] = base_json(base);
        }
        if let Some(commit) = &self.commit {
            object["commit"] = commit.as_str().into();
        }
        if let Some(doubt) = &self.doubt {
            object["doubt"] = base_json(doubt);
        }
        if let Some(moving) = &self.moving {
            object["moving"] = json!({ "step": moving.step.word(), "to": moving.to.as_str() });
            if let Some(before) = &moving.before {
                object["moving"]["before"] = base_json(before);
            }
        }
        object
    }

    fn of(json: &Json) -> Result<Self, String> {
        let or_none = |json: &Json| if json.is_null() { Ok(None) } else { base_of(json).map(Some) };
        let commit = if json["commit"].is_null() { None } else { Some(text(json, "commit")?) };
        let moving = match &json["moving"] {
            Json::Null => None,
            moving => {
                let word = text(moving, "step")?;
                let step = Step::ALL.into_iter().find(|step| step.word() == word);
                let step = step.ok_or_else(|| format!("{word:?} is no step"))?;
                Some(Pending { before: or_none(&moving["before"])?, step, to: status(moving, "to")? })
            }
        };
        Ok(Remembered { base: or_none(&json["base"])?, commit, doubt: or_none(&json["doubt"])?, moving })
    }
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 4] = [Step::First, Step::Up, Step::Beside, Step::Reopen];

    /// Its word in what is remembered, and for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Step::First => "first",
            Step::Up => "up",
            Step::Beside => "beside",
            Step::Reopen => "reopen",
        }
    }
}

fn base_json(base: &Base) -> Json {
    json!({ "status": base.status.as_str(), "epoch": base.epoch, "turn": base.turn })
}

fn base_of(json: &Json) -> Result<Base, String> {
    let number = |key: &str| {
        let number = json[key].as_u64().filter(|number| *number < NUMBER_BOUND);
        number.ok_or_else(|| format!("field `{key}` is no whole number from 0 to 2^53-1"))
    };
    Ok(Base { epoch: number("epoch")?, turn: number("turn")?, status: status(json, "status")? })
}

fn each<T>(json: &Json, read: impl Fn(&Json) -> Result<T, String>) -> Result<BTreeMap<TaskId, T>, String> {
    let object = json.as_object().ok_or("field `tasks` is no object")?;
    let one = |(id, json): (&String, &Json)| {
        let task = TaskId::new(id).map_err(|bad| bad.to_string())?;
        Ok((task, read(json).map_err(|why| format!("task {id}: {why}"))?))
    };
    object.iter().map(one).collect()
}

fn text(json: &Json, key: &str) -> Result<String, String> {
    json[key].as_str().map(str::to_owned).ok_or_else(|| format!("field `{key}` is no text"))
}

fn status(json: &Json, key: &str) -> Result<Status, String> {
    Status::new(&text(json, key)?).map_err(|bad| bad.to_string())
}
