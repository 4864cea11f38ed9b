//! Looking at what a done-gate asks for, in the worktree that a command works in.
//!
//! Invariants:
//! - whatever cannot be told is not met, and it is said why: no file, no git, no history, no time, no permission;
//! - no path is followed out of the tree;
//! - the time of a file counts for nothing: what is newer, and how old, is what git's history says.

mod files;
mod history;
mod settle;

use fencehold_model::policy::gates::{Gate, GatePath, Require, Work};
use fencehold_model::status::{Looked, Looking, Unmet};

use self::files::Files;
use self::history::History;
use super::span;
use crate::error::{Error, Result};
use crate::locate::Place;

pub(super) use settle::{Owes, each as each_owed, owed_lines, owed_objects, settle, settle_after};

type Found<T> = std::result::Result<T, String>;

/// Looks at all that is to be looked at.
///
/// # Errors
/// Where there is no name for where it was looked; what is not met is none.
pub(super) fn look(place: &Place, looking: Looking) -> Result<Looked> {
    let root = &place.root;
    let shown = root.to_str().ok_or_else(|| {
        Error::usage(format!(
            "{} is not UTF-8, and a gate records where it was looked; nothing was changed",
            root.display()
        ))
    })?;
    let mut eyes = Eyes {
        files: Files::of(place),
        history: History::of(root),
        looking: &looking,
        unmet: Vec::new(),
        gate: 0,
    };
    for (index, gate) in looking.gates.iter().enumerate() {
        eyes.gate = index;
        eyes.gate(gate);
    }
    let unmet = eyes.unmet;
    Ok(Looked { root: shown.to_owned(), unmet, at: looking })
}

struct Eyes<'a> {
    files: Found<Files>,
    history: History<'a>,
    looking: &'a Looking,
    unmet: Vec<(usize, Unmet)>,
    gate: usize,
}

impl Eyes<'_> {
    fn gate(&mut self, gate: &Gate) {
        if self.counts(&gate.when) {
            gate.require.iter().for_each(|require| self.require(require));
        }
    }

    fn fails(&mut self, file: &str, condition: &str, why: impl Into<String>) {
        let (file, condition, why) = (file.to_owned(), condition.to_owned(), why.into());
        self.unmet.push((self.gate, Unmet { file, condition, why }));
    }

    /// Whether all of these exist. One of which that cannot be told counts as there, and as not met.
    fn counts(&mut self, when: &[GatePath]) -> bool {
        let mut counts = true;
        for path in when {
            let there = path
                .of(&self.looking.task)
                .and_then(|path| self.files.as_ref().map_err(Clone::clone)?.is_there(&path));
            match there {
                Ok(there) => counts &= there,
                Err(why) => self.fails(path.as_str(), "when", why),
            }
        }
        counts
    }

    fn require(&mut self, require: &Require) {
        if !self.counts(&require.when) {
            return;
        }
        let file = match require.file.of(&self.looking.task) {
            Ok(file) => file,
            Err(why) => return self.fails(require.file.as_str(), "file", why),
        };
        let open = self.files.as_ref().map_err(Clone::clone).and_then(|files| files.open(&file));
        let open = match open {
            Ok(open) => open,
            Err(why) => return self.fails(&file, "file", why),
        };
        if require.not_empty
            && let Err(why) = files::holds_something(&open)
        {
            self.fails(&file, "not_empty", why);
        }
        self.history(&file, require);
    }

    fn history(&mut self, file: &str, require: &Require) {
        let (newer, aged) = (require.newer_than != Work::None, require.max_age_ms.is_some());
        if !(require.committed || newer || aged) {
            return;
        }
        let committed = self.history.is_committed(file);
        // The history of other bytes says nothing of these.
        let conditions = [(require.committed, "committed"), (newer, "newer_than"), (aged, "max_age")];
        if let Err(why) = committed {
            for (_, condition) in conditions.into_iter().filter(|(asked, _)| *asked) {
                self.fails(file, condition, why.clone());
            }
            return;
        }
        let last = self.history.last(&[history::literal(file)]);
        if newer
            && let Err(why) = last.clone().and_then(|last| self.is_newer(&last.commit, &require.newer_than))
        {
            self.fails(file, "newer_than", why);
        }
        if let Some(age_ms) = require.max_age_ms
            && let Err(why) = last.and_then(|last| is_young(last.at_ms, age_ms))
        {
            self.fails(file, "max_age", why);
        }
    }

    fn is_newer(&mut self, commit: &str, work: &Work) -> Found<()> {
        let specs = match (work, &self.looking.work) {
            (Work::None, _) => return Ok(()),
            (Work::Paths(paths), _) => {
                let path = |path: &GatePath| path.of(&self.looking.task).map(|path| history::literal(&path));
                paths.iter().map(path).collect::<Found<Vec<_>>>()?
            }
            (Work::Lease, None) => {
                return Err(format!("there is no lease {} that says what the work is", self.looking.task));
            }
            (Work::Lease, Some((_, writes))) if writes.is_empty() => {
                return Err(format!("the lease {} says not what it writes", self.looking.task));
            }
            (Work::Lease, Some((_, writes))) => writes.iter().flat_map(history::pattern).collect(),
        };
        self.history.is_unchanged(&specs)?;
        let work = self.history.last(&specs)?;
        if self.history.is_at_or_after(commit, &work.commit)? {
            return match self.history.stood_alike(commit, &specs)? {
                true => Ok(()),
                false => {
                    Err("a merge after its last commit brought the work back as it was before".to_owned())
                }
            };
        }
        let short = |commit: &str| commit.chars().take(10).collect::<String>();
        Err(format!(
            "the work was changed by {} after its last commit {}",
            short(&work.commit),
            short(commit)
        ))
    }
}

fn is_young(at_ms: u64, age_ms: u64) -> Found<()> {
    let now_ms = history::now_ms()?;
    match now_ms.checked_sub(at_ms) {
        None => Err(format!("its last commit is dated {} in the future", span::show(at_ms - now_ms))),
        Some(age) if age > age_ms => {
            Err(format!("its last commit is {} old; the most is {}", span::show(age), span::exact(age_ms)))
        }
        Some(_) => Ok(()),
    }
}
