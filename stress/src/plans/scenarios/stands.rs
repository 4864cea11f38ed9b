//! Where the branch stands, and whether the file is as it was committed.

use super::{Outcome, Stage, done, refuses, unless};

/// What was committed here and not pushed is no reason to stop: neither a person's commit nor the helper's own.
pub fn its_own_commits_are_no_reason_to_stop(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.note("a person's")?;
    for (file, task) in [("a.md", "T1"), ("b.md", "T2"), ("a.md", "T10")] {
        one.set(task, "done")?;
        let ended = one.fix(&[])?;
        let status = one.status(file, task)?;
        unless(status == "done", || {
            format!("{task} is done on the board and {status} in the file: {ended:?}")
        })?;
        done(&one, &ended)?;
    }
    let ahead = one.git(&["rev-list", "--count", "@{u}..HEAD"])?;
    unless(ahead == "4", || format!("{ahead} commits wait to be pushed, of 4"))
}

/// Behind is told as C-14 and diverged as diverged; of either nothing is written and nothing is passed off as done.
pub fn behind_and_diverged(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let (one, two) = (stage.agreed(&world, "one")?, stage.agreed(&world, "two")?);
    two.note("of another")?;
    two.git(&["push", "--quiet"])?;
    one.set("T1", "done")?;
    refuses(&one, &[], "C-14")?;
    one.note("of its own")?;
    refuses(&one, &[], "diverged")?;
    one.git(&["pull", "--quiet", "--rebase", "-X", "theirs"])?;
    let ended = one.fix(&[])?;
    unless(one.status("a.md", "T1")? == "done", || format!("nothing stands in the way any more: {ended:?}"))?;
    done(&one, &ended)
}

/// Without a branch, or without an upstream, nobody can tell whether it is behind: it says so and writes nothing.
pub fn no_branch_and_no_upstream(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.set("T1", "done")?;
    one.git(&["checkout", "--quiet", "-b", "mine"])?;
    refuses(&one, &[], "no-upstream")?;
    one.git(&["checkout", "--quiet", "--detach"])?;
    refuses(&one, &[], "detached")?;
    one.git(&["checkout", "--quiet", "main"])?;
    done(&one, &one.fix(&[])?)
}

/// A file with changes that are not committed is left as it is, and that has a code of its own.
pub fn a_file_with_changes(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.set("T1", "done")?;
    let path = one.plan("a.md");
    let text = format!("{}A line of a person.\n", one.text("a.md")?);
    super::super::place::write(&path, &text)?;
    refuses(&one, &[], "dirty")?;
    one.git(&["add", "--", "plans/a.md"])?;
    refuses(&one, &[], "dirty")?;
    one.git(&["commit", "--quiet", "-m", "a person's"])?;
    let ended = one.fix(&[])?;
    done(&one, &ended)?;
    unless(one.text("a.md")?.ends_with("A line of a person.\n"), || "a person's line is lost".to_owned())?;
    unless(one.status("a.md", "T1")? == "done", || "nothing stands in the way any more".to_owned())
}
