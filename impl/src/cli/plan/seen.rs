//! What a run looks at first: the files, the board, and what several blocks say of one task.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use fencehold_model::status::Value;
use fencehold_model::{Policy, TaskId};

use super::super::locks::Locks;
use super::super::session::Session;
use super::paths::{PlanFile, files};
use super::report::Finding;
use crate::document::Version;
use crate::error::{Error, Result};
use crate::fs::{RealFs, read_file};
use crate::host::Deadline;
use crate::journal::Journal as _;
use crate::plan::{PLAN_BYTES_MAX, Read, TroubleKind, read};

/// A board: the policy that it obeys, and what stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Board {
    pub(super) policy: Policy,
    pub(super) values: BTreeMap<TaskId, Value>,
}

/// A plan file that was read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) file: PlanFile,
    pub(super) read: Read,
    pub(super) version: Version,
}

/// All plan files of a run.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) files: Vec<Seen>,
    pub(super) tasks: usize,
    /// The tasks that stand in several blocks, by canonical id.
    pub(super) doubled: BTreeSet<TaskId>,
    /// What is wrong with the files, in their order.
    pub(super) findings: Vec<Finding>,
}

/// The board of a workspace; that of none is empty.
pub(super) fn board(locks: Option<&Locks>) -> Result<Board> {
    let Some(locks) = locks else { return Ok(Board::default()) };
    let seen = locks.journal().read(|state, _| Board {
        policy: state.policy.clone(),
        values: state.tasks.iter().map(|(task, cell)| (task.clone(), cell.value.clone())).collect(),
    })?;
    Ok(seen.value)
}

/// Reads the files that these paths mean.
pub(super) fn look(session: &Session, paths: &[PathBuf], policy: &Policy) -> Result<Looked> {
    let mut looked = Looked::default();
    let mut places: BTreeMap<TaskId, Vec<(usize, u64)>> = BTreeMap::new();
    let files = files(session, paths)?;
    let count = files.len();
    let mut silence = Deadline::after(super::SILENCE);
    for (index, file) in files.into_iter().enumerate() {
        if silence.left().is_zero() {
            silence = Deadline::after(super::SILENCE);
            session.out.tell_who_watches(&format!("{index} of {count} files are read"));
        }
        let path = file.place.path();
        let bytes = match read_file(&RealFs, &path, PLAN_BYTES_MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                let what = format!(
                    "it has more than {PLAN_BYTES_MAX} bytes, which no plan has; divide it, or name other files"
                );
                looked.findings.push(Finding::of_file(&file.name, 1, "bad-file", what));
                continue;
            }
            Err(error) => return Err(Error::environment("reading", &path, error)),
        };
        let read = read(&bytes);
        looked.tasks += read.tasks.len();
        for task in &read.tasks {
            places.entry(policy.task(&task.id)).or_default().push((index_of(&looked), task.line));
        }
        looked.files.push(Seen { file, read, version: Version::of(&bytes) });
    }
    looked.tell_troubles();
    looked.tell_doubles(places);
    Ok(looked)
}

fn index_of(looked: &Looked) -> usize {
    looked.files.len()
}

impl Looked {
    fn tell_troubles(&mut self) {
        for seen in &self.files {
            for trouble in &seen.read.troubles {
                let code = match trouble.kind {
                    TroubleKind::File => "bad-file",
                    TroubleKind::Block => "bad-block",
                };
                self.findings.push(Finding::of_file(
                    &seen.file.name,
                    trouble.line,
                    code,
                    trouble.what.clone(),
                ));
            }
        }
    }

    fn tell_doubles(&mut self, places: BTreeMap<TaskId, Vec<(usize, u64)>>) {
        for (task, places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
            for (at, (index, line)) in places.iter().enumerate() {
                let (other, other_line) = places[usize::from(at == 0)];
                let (file, other) = (&self.files[*index].file.name, &self.files[other].file.name);
                let what = format!(
                    "task {task} has another block, {other}:{other_line}; nothing is done for it. Leave one, or give the \
                     other an id of its own"
                );
                let mut finding = Finding::of_file(file, *line, "duplicate-id", what);
                finding.task = Some(task.clone());
                self.findings.push(finding);
            }
            self.doubled.insert(task);
        }
    }
}
