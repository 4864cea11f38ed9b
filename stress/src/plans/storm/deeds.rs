//! What a person and the agents of one machine do.

use super::{Arena, STATUSES, fixes, rank};
use crate::plans::machine::Machine;
use crate::plans::place::{self, status_in, write};
use crate::rng::Rng;

/// The file that a person has staged, and never commits.
pub(super) const SECRET: &str = "secret.txt";

pub(super) fn stage_a_secret(machine: &Machine) -> Result<(), String> {
    write(&machine.clone.join(SECRET), "a secret\n")?;
    machine.git(&["add", SECRET]).map(drop)
}

/// One deed, drawn.
pub(super) fn deed(arena: &Arena, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
    match rng.below(100) {
        0..30 => set(arena, machine, rng),
        30..42 => edit(arena, machine, rng),
        42..82 => fixes::fix(arena, machine, rng),
        82..90 => fixes::fix_offline(arena, machine, rng),
        _ => exchange(arena, machine),
    }
}

/// An agent moves the board a step up.
pub(super) fn set(arena: &Arena, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
    let (task, _) = rng.pick(&arena.tasks);
    let stands = machine.board(task).map_or(0, |status| rank(&status));
    if let Some(next) = STATUSES.get(stands + 1) {
        // Another may have moved it meanwhile: then it is refused.
        if machine.set(task, next).is_ok() {
            arena.acknowledged(task, stands + 1);
            arena.count(|counts| counts.sets += 1);
        }
    }
    Ok(())
}

/// A person writes the next status into a plan file, and commits it.
fn edit(arena: &Arena, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
    let (task, file) = rng.pick(&arena.tasks);
    let path = format!("plans/{file}");
    if !machine.git(&["status", "--porcelain", "--", &path])?.is_empty() {
        return Ok(());
    }
    let stands = rank(&machine.status(file, task)?);
    let Some(next) = STATUSES.get(stands + 1) else { return Ok(()) };
    machine.edit(file, task, next)?;
    machine.git(&["commit", "--quiet", "-m", &format!("{task} is {next}"), "--", &path])?;
    arena.acknowledged(task, stands + 1);
    arena.count(|counts| counts.edits += 1);
    Ok(())
}

/// A person pushes what is committed, on top of what others have pushed.
pub(super) fn exchange(arena: &Arena, machine: &Machine) -> Result<(), String> {
    // As often as another can be first.
    for _ in 0..10 {
        if machine.git(&["push", "--quiet", "origin", "main"]).is_ok() {
            machine.git(&["fetch", "--quiet"])?;
            return Ok(());
        }
        arena.count(|counts| counts.refused += 1);
        // A rebase wants nothing staged.
        machine.git(&["rm", "--quiet", "--cached", SECRET])?;
        let rebased = rebase(machine);
        machine.git(&["add", SECRET])?;
        rebased?;
    }
    Ok(())
}

fn rebase(machine: &Machine) -> Result<(), String> {
    let mut rebased = machine.git(&["-c", "core.editor=true", "pull", "--quiet", "--rebase"]);
    // One conflict for each commit that is not pushed yet, at the most.
    for _ in 0..200 {
        let Err(why) = rebased else { return Ok(()) };
        let conflicts = machine.git(&["diff", "--name-only", "--diff-filter=U"])?;
        if conflicts.is_empty() && !machine.clone.join(".git/rebase-merge").exists() {
            return Err(why);
        }
        for file in conflicts.lines() {
            resolve(machine, file)?;
        }
        let changed = !machine.git(&["diff", "--cached", "--name-only"])?.is_empty();
        let go_on = if changed { "--continue" } else { "--skip" };
        rebased = machine.git(&["-c", "core.editor=true", "rebase", go_on]);
    }
    Err(format!("a rebase does not end: {rebased:?}; {:?}", machine.git(&["status"])))
}

/// A person takes of each task the higher status.
fn resolve(machine: &Machine, file: &str) -> Result<(), String> {
    let (one, other) =
        (machine.git(&["show", &format!(":2:{file}")])?, machine.git(&["show", &format!(":3:{file}")])?);
    let mut text = format!("{one}\n");
    let tasks: Vec<&str> =
        one.split("```task\nid: ").skip(1).filter_map(|block| block.lines().next()).collect();
    for task in tasks {
        let (Some(here), Some(there)) = (status_in(&one, task), status_in(&other, task)) else { continue };
        if rank(&there) > rank(&here) {
            let was = format!("id: {task}\nstatus: {here}\n");
            text = text.replace(&was, &format!("id: {task}\nstatus: {there}\n"));
        }
    }
    while text.ends_with("\n\n\n") {
        text.pop();
    }
    place::write(&machine.clone.join(file), &text)?;
    machine.git(&["add", "--", file]).map(drop)
}
