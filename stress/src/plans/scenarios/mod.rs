//! What a helper has to do and must not do, each as a story on real repositories.
//!
//! Every scenario is driven from outside: statuses are set on the board, git is used as a person uses it, the helper is run,
//! and then commits, files, index and board are looked at. Nothing in them knows whose helper it is.

mod commits;
mod remotes;
mod stands;

use std::path::Path;

pub use commits::{
    a_commit_that_is_refused, a_file_that_changes_meanwhile, many_files_and_nobody_pushes,
    nobody_is_the_author, runs_with_nothing_to_do, something_is_in_progress, staged_files_of_the_user,
    two_machines_write_one_fact,
};
pub use remotes::{
    a_pull_that_fails, a_remote_that_hangs, an_upstream_of_another_remote, it_is_offline,
    the_remote_moves_after_the_fetch,
};
pub use stands::{
    a_file_with_changes, behind_and_diverged, its_own_commits_are_no_reason_to_stop,
    no_branch_and_no_upstream,
};

use super::Outcome;
use super::machine::{Ended, Helper, Machine};
use super::place::World;

/// What a scenario is played with.
#[derive(Debug)]
pub struct Stage<'a> {
    /// A fresh folder.
    pub dir: &'a Path,
    /// The gate's own binary, which is every helper.
    pub program: &'a Path,
    /// The helper.
    pub helper: Helper,
}

/// The plan files of most scenarios.
const PLANS: [(&str, &[(&str, &str)]); 2] =
    [("a.md", &[("T1", "todo"), ("T10", "todo")]), ("b.md", &[("T2", "todo"), ("T3", "todo")])];

impl Stage<'_> {
    fn world(&self) -> Result<World, String> {
        World::new(self.dir, self.program, &PLANS)
    }

    /// A machine on which file and board agree.
    fn agreed(&self, world: &World, name: &str) -> Result<Machine, String> {
        let machine = world.machine(name, self.helper)?;
        done(&machine, &machine.fix(&[])?)?;
        Ok(machine)
    }
}

/// Says what is not so.
fn unless(is: bool, what: impl FnOnce() -> String) -> Outcome {
    if is { Ok(()) } else { Err(what()) }
}

/// The helper ended with all in step.
fn done(machine: &Machine, ended: &Ended) -> Outcome {
    let name = machine.clone.file_name().unwrap_or_default().to_string_lossy();
    unless(ended.code == Some(0), || format!("the helper of {name} leaves something undone: {ended:?}"))
}

/// What the helper could have changed on its machine: commit, files and index.
fn state(machine: &Machine) -> Result<(String, String, String), String> {
    let files = [machine.text("a.md")?, machine.text("b.md")?].concat();
    Ok((machine.git(&["rev-parse", "HEAD"])?, files, machine.git(&["ls-files", "--stage"])?))
}

/// The helper has to leave everything as it is, with this code and no other of the gate, and not pass it off as done.
fn refuses(machine: &Machine, flags: &[&str], code: &str) -> Outcome {
    let before = state(machine)?;
    let ended = machine.fix(flags)?;
    unless(state(machine)? == before, || format!("something was written, and the answer was {ended:?}"))?;
    unless(ended.says(code), || format!("{code} is not said: {ended:?}"))?;
    unless(code == "C-14" || !ended.says("C-14"), || format!("it is said to be behind: {ended:?}"))?;
    unless(ended.code.is_some_and(|code| code != 0), || {
        format!("{code} is said, and it ends as if all were well: {ended:?}")
    })
}

/// What the last commits changed, newest first, with their authors: `author path…`.
fn commits(machine: &Machine, range: &str) -> Result<Vec<String>, String> {
    let log = machine.git(&["log", "--no-renames", "--name-only", "--format=%x01%an", range])?;
    let commits = log.split('\u{1}').filter(|commit| !commit.trim().is_empty());
    Ok(commits.map(|commit| commit.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}
