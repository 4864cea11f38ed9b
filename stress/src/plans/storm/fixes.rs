//! The helper is run, and killed.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Arena, deeds, judge};
use crate::plans::machine::{AT_MOST, Ended, Machine, at_work, ended};
use crate::rng::Rng;

/// The codes by which the gate says that nothing is written.
const CLOSED: [&str; 8] =
    ["C-14", "diverged", "offline", "timed-out", "no-upstream", "detached", "index-locked", "unfinished"];
/// How long a git whose helper was killed may go on.
const ORPHANS: Duration = Duration::from_secs(60);
/// How often it is looked whether the instant of an aimed kill has come.
const LOOK_EVERY: Duration = Duration::from_micros(300);

/// When a helper is killed.
enum Aim {
    /// After so long.
    After(Duration),
    /// When a plan file is another.
    Written,
    /// When the index is locked.
    Locked,
    /// When the branch has moved.
    Moved,
}

/// Runs the helper, and kills it now and then.
pub(super) fn fix(arena: &Arena, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
    let flags: &[&str] = if rng.one_in(2) { &["--pull"] } else { &[] };
    if arena.options.kills && rng.one_in(2) {
        return killed(arena, machine, flags, rng);
    }
    told(arena, machine, flags).map(drop)
}

/// Runs the helper to its end, and looks whether what it says is so.
pub(super) fn told(arena: &Arena, machine: &Machine, flags: &[&str]) -> Result<Ended, String> {
    let before = machine.head()?;
    let ended = machine.fix(flags)?;
    let (after, codes) = (machine.head()?, ended.codes());
    arena.fixes.fetch_add(1, Ordering::Relaxed);
    arena.count(|counts| {
        counts.fixes += 1;
        let times = |code: &str| u64::from(ended.says(code));
        counts.behind += times("C-14");
        counts.diverged += times("diverged");
        counts.offline += times("offline");
    });
    let closed: Vec<&String> = codes.iter().filter(|code| CLOSED.contains(&code.as_str())).collect();
    if before != after {
        made(arena, machine, &format!("{before}..{after}"))?;
    }
    if !closed.is_empty() && before != after {
        arena.wrong(format!("{closed:?} was said, and the branch moved from {before} to {after}"));
    }
    if !closed.is_empty() && ended.code == Some(0) {
        arena.wrong(format!("{closed:?} was said, and it ended as if all were well: {ended:?}"));
    }
    let stands = |range: &str| machine.git(&["rev-list", "--count", range]);
    if ended.says("C-14") && stands("@{u}..HEAD")? != "0" {
        arena.wrong(format!("C-14 was said of a branch with commits of its own: {ended:?}"));
    }
    if !matches!(ended.code, Some(0 | 1)) {
        arena.wrong(format!("it ended in a way of its own: {ended:?}"));
    }
    Ok(ended)
}

/// The commits that the helper has just made hold a plan file each.
fn made(arena: &Arena, machine: &Machine, range: &str) -> Result<(), String> {
    let author = machine.clone.file_name().unwrap_or_default().to_string_lossy();
    for commit in judge::history(machine, range)?.iter().filter(|commit| commit.author == author) {
        commit.holds_one_plan(arena);
        arena.count(|counts| counts.written += u64::from(commit.is_automatic));
    }
    Ok(())
}

/// Runs the helper while the remote cannot be asked: nothing may change.
pub(super) fn fix_offline(arena: &Arena, machine: &Machine, rng: &mut Rng) -> Result<(), String> {
    let flags: &[&str] = if rng.one_in(2) { &["--pull"] } else { &[] };
    let remote = machine.git(&["remote", "get-url", "origin"])?;
    machine.git(&["remote", "set-url", "origin", "/nowhere/at/all"])?;
    let before = machine.head()?;
    let ended = told(arena, machine, flags)?;
    if machine.head()? != before || ended.code == Some(0) {
        arena.wrong(format!("nobody could be asked, and it went on: {ended:?}"));
    }
    machine.git(&["remote", "set-url", "origin", &remote]).map(drop)
}

fn killed(arena: &Arena, machine: &Machine, flags: &[&str], rng: &mut Rng) -> Result<(), String> {
    // Something to be done, and mostly nothing that stands in its way.
    if !rng.one_in(4) {
        deeds::exchange(arena, machine)?;
    }
    for _ in 0..3 {
        deeds::set(arena, machine, rng)?;
    }
    let aim = match rng.below(6) {
        0 => Aim::Written,
        1 => Aim::Locked,
        2 => Aim::Moved,
        _ => Aim::After(Duration::from_micros(rng.below(250_000))),
    };
    // A lock that is left is waited for before it is named.
    let with_its_git = rng.one_in(2) && !arena.options.short;
    let was = seen(machine);
    let mut child = machine.begin_fix(flags)?;
    let begun = Instant::now();
    let failed = |error: std::io::Error| format!("a helper: {error}");
    let is_alive = loop {
        if child.try_wait().map_err(failed)?.is_some() || begun.elapsed() > AT_MOST {
            break false;
        }
        let now = || seen(machine);
        let is_time = match &aim {
            Aim::After(at) => begun.elapsed() >= *at,
            Aim::Written => now().0 != was.0,
            Aim::Locked => now().1,
            Aim::Moved => now().2 != was.2,
        };
        if is_time {
            break true;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    if is_alive {
        // Before the helper is dead: its git is found by where it works, and so is the helper.
        let helper = i32::try_from(child.id()).ok();
        let all = at_work(&machine.clone).into_iter().filter(|pid| Some(*pid) != helper && with_its_git);
        for pid in helper.into_iter().chain(all).filter_map(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    if child.try_wait().map_err(failed)?.is_none() {
        ended(&mut child, AT_MOST).map_err(failed)?;
    }
    arena.fixes.fetch_add(1, Ordering::Relaxed);
    arena.count(|counts| counts.fixes += 1);
    orphans_end(machine)?;
    if is_alive {
        left_behind(arena, machine)?;
    }
    Ok(())
}

/// Waits until nothing of a killed helper runs any more.
fn orphans_end(machine: &Machine) -> Result<(), String> {
    let begun = Instant::now();
    while !at_work(&machine.clone).is_empty() {
        if begun.elapsed() > ORPHANS {
            return Err(format!("what a killed helper started goes on: {:?}", at_work(&machine.clone)));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// What the kill left, and what a person does about it once the helper has named it.
fn left_behind(arena: &Arena, machine: &Machine) -> Result<(), String> {
    let lock = machine.clone.join(".git/index.lock");
    let (is_locked, mut is_between) = (lock.exists(), false);
    if is_locked {
        let ended = told(arena, machine, &[])?;
        // The gate of the branch comes first.
        if !CLOSED.iter().any(|code| ended.says(code)) {
            arena.wrong(format!("the index is locked, and it says {ended:?}"));
        }
        std::fs::remove_file(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    }
    // The others that a killed git leaves: of refs, and of what git notes beside them.
    unlock(&machine.clone.join(".git"))?;
    if !dirty(machine)?.is_empty() {
        is_between = true;
        // It finishes what it has begun, or says why not.
        told(arena, machine, &[])?;
        if !dirty(machine)?.is_empty() {
            machine.git(&["checkout", "--quiet", "HEAD", "--", "plans"])?;
        }
    }
    arena.count(|counts| {
        counts.kills += 1;
        counts.kills_between += u64::from(is_between);
        counts.kills_locked += u64::from(is_locked);
    });
    Ok(())
}

/// Removes what is left of locks of git, as a person does once no git runs any more.
fn unlock(dir: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_ours = path.file_name().is_some_and(|name| name == "fencehold" || name == "objects");
        if path.is_dir() && !is_ours {
            unlock(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            std::fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

/// What git says of the plan files.
fn dirty(machine: &Machine) -> Result<String, String> {
    machine.git(&["status", "--porcelain", "--untracked-files=no", "--", "plans"])
}

/// The plan files as they were last written, whether the index is locked, and where the branch is.
fn seen(machine: &Machine) -> (Vec<(PathBuf, Option<std::time::SystemTime>)>, bool, String) {
    let files = std::fs::read_dir(machine.clone.join("plans")).into_iter().flatten().flatten();
    let mut files: Vec<_> = files
        .map(|entry| (entry.path(), entry.metadata().and_then(|meta| meta.modified()).ok()))
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let branch = std::fs::read_to_string(machine.clone.join(".git/refs/heads/main")).unwrap_or_default();
    (files, machine.clone.join(".git/index.lock").exists(), branch)
}
