//! What a remote does.

use std::time::{Duration, Instant};

use super::{Outcome, Stage, commits, done, refuses, unless};
use crate::plans::machine::{AT_MOST, Helper, at_work};
use crate::plans::naive::Flaw;

/// How long a helper that is known to hang is waited for; who does not hang has as long as it takes.
const HANGS: Duration = Duration::from_secs(6);

/// How long who was killed may take to be gone.
const GONE: Duration = Duration::from_secs(60);

/// A remote that cannot be asked: nothing is written.
pub fn it_is_offline(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.set("T1", "done")?;
    one.git(&["remote", "set-url", "origin", "/nowhere/at/all"])?;
    refuses(&one, &[], "offline")
}

/// A pull that fails, because nobody answers or because the branches have diverged, ends it.
pub fn a_pull_that_fails(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let (one, two) = (stage.agreed(&world, "one")?, stage.agreed(&world, "two")?);
    one.set("T1", "done")?;
    two.note("of another")?;
    two.git(&["push", "--quiet"])?;
    let remote = one.git(&["remote", "get-url", "origin"])?;
    one.git(&["remote", "set-url", "origin", "/nowhere/at/all"])?;
    refuses(&one, &["--pull"], "pull-failed")?;
    one.git(&["remote", "set-url", "origin", &remote])?;
    one.note("of its own")?;
    refuses(&one, &["--pull"], "pull-failed")?;
    one.git(&["reset", "--quiet", "--hard", "HEAD^"])?;
    let ended = one.fix(&["--pull"])?;
    done(&one, &ended)?;
    let made = commits(&one, "@{u}..HEAD")?;
    unless(made == ["one plans/a.md"], || format!("after a pull that went well there is {made:?}"))
}

/// The branch follows a branch of another remote than `origin`: that one is asked, and `origin` is nothing to it.
pub fn an_upstream_of_another_remote(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let (one, two) = (stage.agreed(&world, "one")?, stage.agreed(&world, "two")?);
    let other = world.at("other.git");
    let other = other.to_str().ok_or("a folder that is not UTF-8")?;
    two.git(&["clone", "--quiet", "--bare", ".", other])?;
    one.git(&["remote", "add", "other", other])?;
    one.git(&["fetch", "--quiet", "other"])?;
    one.git(&["branch", "--quiet", "--set-upstream-to=other/main"])?;
    two.note("at origin alone")?;
    two.git(&["push", "--quiet", "origin", "main"])?;
    one.set("T1", "done")?;
    let ended = one.fix(&[])?;
    unless(one.status("a.md", "T1")? == "done", || {
        format!("origin is ahead, and is nothing to it: {ended:?}")
    })?;
    one.git(&["reset", "--quiet", "--hard", "@{u}"])?;
    two.git(&["push", "--quiet", other, "main"])?;
    one.set("T2", "done")?;
    refuses(&one, &[], "C-14")
}

/// A remote that never answers is not waited for.
pub fn a_remote_that_hangs(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let one = stage.agreed(&world, "one")?;
    one.set("T1", "done")?;
    one.git(&["config", "protocol.ext.allow", "always"])?;
    one.git(&["remote", "set-url", "origin", "ext::sleep 600"])?;
    let hangs = matches!(stage.helper, Helper::Own(flaws) if flaws.contains(&Flaw::NoTimeout));
    let before = super::state(&one)?;
    let flags: &[&str] = if stage.helper == Helper::Shipped { &["--fetch-timeout", "1s"] } else { &[] };
    let ended = one.fix_within(flags, if hangs { HANGS } else { AT_MOST })?;
    unless(ended.code.is_some(), || "it waits for a remote that hangs".to_owned())?;
    unless(super::state(&one)? == before, || format!("something was written: {ended:?}"))?;
    unless(ended.says("timed-out") && ended.code != Some(0), || {
        format!("that it timed out is not said: {ended:?}")
    })?;
    let (begun, mut left) = (Instant::now(), at_work(&one.clone));
    // Who was killed is gone when the kernel gets to it.
    while !left.is_empty() && begun.elapsed() < GONE {
        std::thread::yield_now();
        left = at_work(&one.clone);
    }
    unless(left.is_empty(), || format!("processes that it started are still there: {left:?}"))
}

/// The remote moves after it was asked. What is committed then diverges: once, and it is told.
pub fn the_remote_moves_after_the_fetch(stage: &Stage<'_>) -> Outcome {
    let world = stage.world()?;
    let (one, two) = (stage.agreed(&world, "one")?, stage.agreed(&world, "two")?);
    two.note("of another")?;
    let serve = world.at("serve.sh");
    let push = format!("cd '{}' && env -u GIT_DIR git push --quiet origin main", two.clone.display());
    super::super::place::write(
        &serve,
        &format!("git-upload-pack \"$@\"\ncode=$?\n({push}) >/dev/null 2>&1\nexit $code\n"),
    )?;
    one.git(&["config", "remote.origin.uploadpack", &format!("sh '{}'", serve.display())])?;
    one.set("T1", "done")?;
    let first = one.fix(&[])?;
    one.git(&["config", "--unset", "remote.origin.uploadpack"])?;
    let moved = one.git(&["ls-remote", "origin", "refs/heads/main"])?;
    unless(moved.starts_with(&two.head()?), || "the remote did not move".to_owned())?;
    one.set("T2", "done")?;
    refuses(&one, &[], "diverged").map_err(|why| format!("{why}; before: {first:?}"))?;
    let made = commits(&one, "@{u}..HEAD")?;
    unless(made == ["one plans/a.md"], || format!("on a branch that diverged there is {made:?}"))?;
    one.git(&["pull", "--quiet", "--rebase"])?;
    done(&one, &one.fix(&[])?)
}
