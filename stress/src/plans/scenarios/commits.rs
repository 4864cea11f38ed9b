//! What a commit holds, and what becomes of one that cannot be made.

use std::os::unix::fs::PermissionsExt as _;

use super::{Outcome, Stage, commits, done, refuses, state, unless};
use crate::plans::machine::Machine;
use crate::plans::place::{World, write};

/// A person has staged files of their own: no commit of the helper holds them, and they are staged afterwards as before.
pub fn staged_files_of_the_user(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    write(&one.clone.join("secret.txt"), "a secret\n")?;
    write(&one.clone.join("notes.md"), "staged\n")?;
    one.git(&["add", "secret.txt", "notes.md"])?;
    write(&one.clone.join("notes.md"), "and changed again\n")?;
    let staged = one.git(&["diff", "--cached", "--raw", "--abbrev=40"])?;
    one.set("T1", "done")?;
    let ended = one.fix(&[])?;
    done(&one, &ended)?;
    let made = commits(&one, "@{u}..HEAD")?;
    unless(made == ["one plans/a.md"], || format!("its commits hold {made:?}"))?;
    let now = one.git(&["diff", "--cached", "--raw", "--abbrev=40"])?;
    unless(now == staged, || format!("{staged:?} was staged, and {now:?} is"))?;
    let text = std::fs::read_to_string(one.clone.join("notes.md")).map_err(|error| error.to_string())?;
    unless(text == "and changed again\n", || format!("a person's file is {text:?}"))
}

/// Where there is nothing to do nothing is committed, however often it is run.
pub fn runs_with_nothing_to_do(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    unless(one.head()? == one.git(&["rev-parse", "@{u}"])?, || "there was nothing to commit".to_owned())?;
    one.set("T1", "done")?;
    for run in 1..=5 {
        done(&one, &one.fix(&[])?)?;
        let made = one.git(&["rev-list", "--count", "@{u}..HEAD"])?;
        unless(made == "1", || format!("after {run} runs there are {made} commits, for one fact"))?;
    }
    Ok(())
}

/// How many plan files wait to be written, which is more than may wait to be pushed.
const FILES: usize = 54;
/// The most commits that may wait.
const WAITING_MAX: usize = 50;

/// Nobody pushes: the commits of the helper are bounded, and it says so.
pub fn many_files_and_nobody_pushes(stage: &Stage<'_>) -> Outcome {
    let names: Vec<(String, String)> =
        (0..FILES).map(|at| (format!("p{at:02}.md"), format!("P{at}"))).collect();
    let tasks: Vec<[(&str, &str); 1]> = names.iter().map(|(_, task)| [(task.as_str(), "todo")]).collect();
    let plans: Vec<(&str, &[(&str, &str)])> =
        names.iter().zip(&tasks).map(|((name, _), tasks)| (name.as_str(), tasks.as_slice())).collect();
    let world = World::new(stage.dir, stage.program, &plans)?;
    let one = stage.agreed(&world, "one")?;
    for (_, task) in &names {
        one.set(task, "done")?;
    }
    let ended = one.fix(&[])?;
    let waiting = |machine: &Machine| machine.git(&["rev-list", "--count", "@{u}..HEAD"]);
    unless(waiting(&one)? == WAITING_MAX.to_string(), || {
        format!("of {FILES} files some are committed: {:?}", waiting(&one))
    })?;
    unless(ended.says("unpushed") && ended.code != Some(0), || {
        format!("that it stopped is not said: {:?}", ended.codes())
    })?;
    let head = one.head()?;
    let again = one.fix(&[])?;
    unless(one.head()? == head && again.says("unpushed"), || format!("it goes on: {:?}", again.codes()))?;
    one.git(&["push", "--quiet"])?;
    done(&one, &one.fix(&[])?)?;
    unless(waiting(&one)? == (FILES - WAITING_MAX).to_string(), || "what was left is not done".to_owned())
}

fn hook(machine: &Machine, name: &str, script: &str) -> Outcome {
    let hooks = machine.clone.join(".git/hooks");
    std::fs::create_dir_all(&hooks).map_err(|error| error.to_string())?;
    write(&hooks.join(name), &format!("#!/bin/sh\n{script}\n"))?;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(hooks.join(name), mode).map_err(|error| error.to_string())
}

/// A hook of the repository refuses: the file is as it was, it is told, and once the hook is content it is done.
pub fn a_commit_that_is_refused(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    hook(&one, "pre-commit", "exit 1")?;
    one.set("T1", "done")?;
    let before = state(&one)?;
    for _ in 0..2 {
        let ended = one.fix(&[])?;
        unless(state(&one)? == before, || {
            format!("a commit was refused, and the file stays written: {ended:?}")
        })?;
        unless(ended.code.is_some_and(|code| code != 0), || {
            format!("it ends as if all were well: {ended:?}")
        })?;
    }
    std::fs::remove_file(one.clone.join(".git/hooks/pre-commit")).map_err(|error| error.to_string())?;
    done(&one, &one.fix(&[])?)?;
    unless(one.status("a.md", "T1")? == "done", || "nothing stands in the way any more".to_owned())
}

/// A merge is in progress, or the index is locked by a git that was killed: it is named, before anything is written.
pub fn something_is_in_progress(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.set("T1", "done")?;
    let lock = one.clone.join(".git/index.lock");
    write(&lock, "")?;
    refuses(&one, &[], "index-locked")?;
    std::fs::remove_file(&lock).map_err(|error| error.to_string())?;
    one.git(&["checkout", "--quiet", "-b", "side"])?;
    one.note("of the side")?;
    one.git(&["checkout", "--quiet", "main"])?;
    one.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"])?;
    refuses(&one, &[], "unfinished")?;
    one.git(&["merge", "--abort"])?;
    done(&one, &one.fix(&[])?)
}

/// Git knows no author.
pub fn nobody_is_the_author(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.set("T1", "done")?;
    one.git(&["config", "user.name", ""])?;
    one.git(&["config", "user.email", ""])?;
    refuses(&one, &[], "no-author")
}

/// A person saves the file between the look at it and the write: what they wrote is neither lost nor committed.
///
/// A filter of git reads the file whenever git looks whether it has changes (gitattributes(5)), so it is known when that is.
pub fn a_file_that_changes_meanwhile(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    let (armed, filter) = (world.at("armed"), world.at("filter.sh"));
    let line = "A line of a person.";
    let save = format!("printf '{line}\\n' >> '{}'", one.plan("a.md").display());
    let armed_path = armed.display();
    write(&filter, &format!("cat\nif [ -e '{armed_path}' ]; then rm '{armed_path}'; {save}; fi\n"))?;
    write(&one.clone.join(".git/info/attributes"), "plans/a.md filter=save\n")?;
    one.git(&["config", "filter.save.clean", &format!("sh '{}'", filter.display())])?;
    // Another inode, so that git reads it and does not go by its times.
    let (text, copy) = (one.text("a.md")?, one.plan("a.copy"));
    write(&copy, &text)?;
    std::fs::rename(&copy, one.plan("a.md")).map_err(|error| error.to_string())?;
    one.set("T1", "done")?;
    write(&armed, "")?;
    let ended = one.fix(&[])?;
    unless(!armed.exists(), || format!("git was not asked whether the file has changes: {ended:?}"))?;
    unless(one.text("a.md")?.ends_with(&format!("{line}\n")), || {
        format!("a person's line is lost: {ended:?}")
    })?;
    let made = commits(&one, "@{u}..HEAD")?;
    unless(made.is_empty(), || format!("a person's line is committed, in {made:?}"))?;
    unless(ended.code.is_some_and(|code| code != 0), || format!("it ends as if all were well: {ended:?}"))?;
    one.git(&["commit", "--quiet", "-m", "a person's", "--", "plans/a.md"])?;
    done(&one, &one.fix(&[])?)?;
    unless(one.status("a.md", "T1")? == "done", || "nothing stands in the way any more".to_owned())
}

/// Two machines write one fact back, each before it has seen the other: neither writes a second time, and the two commits
/// come down to one.
pub fn two_machines_write_one_fact(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let (one, two) = (stage.agreed(&world, "one")?, stage.agreed(&world, "two")?);
    one.set("T1", "done")?;
    done(&one, &one.fix(&[])?)?;
    done(&two, &two.fix(&[])?)?;
    unless(two.status("a.md", "T1")? == "done", || "the second did not write it".to_owned())?;
    one.git(&["push", "--quiet"])?;
    two.set("T2", "done")?;
    for _ in 0..3 {
        refuses(&two, &[], "diverged")?;
    }
    two.git(&["pull", "--quiet", "--rebase"])?;
    done(&two, &two.fix(&[])?)?;
    two.git(&["push", "--quiet"])?;
    one.git(&["pull", "--quiet", "--ff-only"])?;
    done(&one, &one.fix(&[])?)?;
    let facts = commits(&one, "HEAD")?;
    let facts: Vec<&String> =
        facts.iter().filter(|commit| commit.contains("plans/") && !commit.starts_with("seed")).collect();
    unless(facts == ["two plans/b.md", "one plans/a.md"], || {
        format!("two facts are in these commits: {facts:?}")
    })
}
