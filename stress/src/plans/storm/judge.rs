//! Everything is brought in step, and what stands is judged.

use std::collections::{BTreeMap, BTreeSet};

use super::deeds::{SECRET, exchange};
use super::{Arena, ROUNDS_MAX, STATUSES, fixes, locked, rank};
use crate::plans::machine::Machine;
use crate::plans::place::status_in;

/// Everybody brings what they have in step, round by round: pull, fix, push.
pub(super) fn settle(arena: &Arena, machines: &[Machine]) -> Result<(), String> {
    for round in 1..=ROUNDS_MAX {
        let mut is_quiet = true;
        for machine in machines {
            exchange(arena, machine)?;
            let before = machine.head()?;
            let ended = fixes::told(arena, machine, &[])?;
            is_quiet &= ended.code == Some(0) && machine.head()? == before;
            if ended.code != Some(0) {
                agree(arena, machine)?;
            }
            exchange(arena, machine)?;
        }
        arena.count(|counts| counts.rounds = round as u64);
        let heads: BTreeSet<String> = machines.iter().map(Machine::head).collect::<Result<_, _>>()?;
        if is_quiet && heads.len() == 1 {
            return Ok(());
        }
    }
    arena.wrong(format!("after {ROUNDS_MAX} rounds of everybody it is not in step"));
    Ok(())
}

/// Where file and board both moved a person has the last word: the higher of the two.
fn agree(arena: &Arena, machine: &Machine) -> Result<(), String> {
    for (task, file) in &arena.tasks {
        let (there, here) =
            (machine.board(task).map_or(0, |status| rank(&status)), rank(&machine.status(file, task)?));
        if here > there {
            machine.set(task, STATUSES[here])?;
        }
    }
    Ok(())
}

/// The mark of a commit that a helper made, ours or the gate's own.
const MARKS: [&str; 2] = ["Fencehold-Writeback: ", "Auto: "];

/// A commit on the branch of the remote.
pub(super) struct Commit {
    id: String,
    pub(super) author: String,
    pub(super) is_automatic: bool,
    files: Vec<String>,
}

impl Commit {
    /// Whoever made it, it holds nothing that a person had staged; the helper's holds one plan file.
    pub(super) fn holds_one_plan(&self, arena: &Arena) {
        let Commit { id, author, files, .. } = self;
        if files.iter().any(|file| file == SECRET) {
            arena.wrong(format!("{id} of {author} holds what a person had staged"));
        }
        if self.is_automatic && (files.len() != 1 || !files[0].starts_with("plans/")) {
            arena.wrong(format!("{id} of the helper of {author} holds {files:?}"));
        }
    }
}

/// Judges what stands at the end, and how it came about.
pub(super) fn judge(arena: &Arena, machines: &[Machine]) -> Result<(), String> {
    ends(arena, machines)?;
    let Some(machine) = machines.first() else { return Ok(()) };
    let log = history(machine, "HEAD")?;
    let mut facts: BTreeMap<(String, String, usize), u64> = BTreeMap::new();
    let mut stands: BTreeMap<String, usize> = BTreeMap::new();
    for commit in &log {
        commit.holds_one_plan(arena);
        for file in commit.files.iter().filter(|file| file.starts_with("plans/")) {
            let text = machine.git(&["show", &format!("{}:{file}", commit.id)])?;
            for (task, _) in arena.tasks.iter().filter(|(_, of)| file.ends_with(of.as_str())) {
                let Some(now) = status_in(&text, task).map(|status| rank(&status)) else {
                    arena.wrong(format!("{} lost the block of {task}", commit.id));
                    continue;
                };
                let was = stands.insert(task.clone(), now).unwrap_or(0);
                if now < was {
                    arena.wrong(format!(
                        "{task} went from {} back to {} by {} of {}",
                        STATUSES[was], STATUSES[now], commit.id, commit.author
                    ));
                }
                if now > was && commit.is_automatic {
                    *facts.entry((commit.author.clone(), task.clone(), now)).or_default() += 1;
                }
            }
        }
    }
    for ((author, task, now), times) in facts.into_iter().filter(|(_, times)| *times > 1) {
        arena.wrong(format!("the helper of {author} wrote {times} times that {task} is {}", STATUSES[now]));
    }
    again(arena, machines)
}

/// The commits of a range, oldest first.
pub(super) fn history(machine: &Machine, range: &str) -> Result<Vec<Commit>, String> {
    let format = "--format=%x01%H%x02%an%x02%B%x02";
    let log =
        machine.git(&["log", "--reverse", "--first-parent", "--no-renames", "--name-only", format, range])?;
    let mut commits = Vec::new();
    for part in log.split('\u{1}').filter(|part| !part.trim().is_empty()) {
        let mut fields = part.split('\u{2}');
        let (Some(id), Some(author), Some(body), Some(files)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(format!("git logs {part:?}"));
        };
        commits.push(Commit {
            id: id.to_owned(),
            author: author.to_owned(),
            is_automatic: body.lines().any(|line| MARKS.iter().any(|mark| line.starts_with(mark))),
            files: files.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        });
    }
    Ok(commits)
}

/// Every board and every file holds the highest that was acknowledged; what was staged is staged.
fn ends(arena: &Arena, machines: &[Machine]) -> Result<(), String> {
    let told = locked(&arena.told).clone();
    for machine in machines {
        let (name, boards) = (machine.clone.display(), machine.boards()?);
        for (task, file) in &arena.tasks {
            let expected = told.get(task).copied().unwrap_or(0);
            let (here, there) = (machine.status(file, task)?, boards.get(task).cloned().unwrap_or_default());
            let expected = STATUSES[expected];
            if here != expected || there != expected {
                arena.wrong(format!(
                    "{name}: {task} is {here} in the file and {there} on the board; {expected} was told"
                ));
            }
        }
        let staged = machine.git(&["diff", "--cached", "--name-status"])?;
        if staged != format!("A\t{SECRET}") {
            arena.wrong(format!("{name}: a person had staged one file, and {staged:?} is staged"));
        }
    }
    Ok(())
}

/// A run with nothing to do does nothing.
fn again(arena: &Arena, machines: &[Machine]) -> Result<(), String> {
    for machine in machines {
        let before = machine.head()?;
        let ended = fixes::told(arena, machine, &[])?;
        if ended.code != Some(0) || machine.head()? != before {
            arena.wrong(format!("with nothing to do it does something: {ended:?}"));
        }
    }
    Ok(())
}
