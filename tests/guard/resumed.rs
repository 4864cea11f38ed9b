//! A session that is stopped, and one that goes on under another id.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::play::{Alive, Session, reason};
use crate::program::Yard;

/// Resumed after its process is dead, the new id is anybody: it gets what the old one held.
#[test]
fn a_session_that_is_resumed_after_its_death_goes_on() {
    let yard = Yard::with_git();
    let mut old = Alive::begin(&yard, "old", "git rebase main");
    let new = Session::new(&yard, "new");
    assert!(reason(&new.bash("git rebase --continue")).contains("held by old"));
    old.kill();
    assert_eq!(new.bash("git rebase --continue"), json!({}));
    let held = yard.json(0, ["lock", "show", "workspace"]);
    assert_eq!(held["holder"], "new", "{held}");
    // The old id is nobody now: what it still tells ends nothing.
    let old = Session::new(&yard, "old");
    assert_eq!(old.call("session-end", "", &json!(null)), json!({}));
    assert!(reason(&old.bash("make")).contains("held by new"));
}

/// Where the process goes on under another id, and the end of the old one was never told, nobody can know that the old
/// one is over: the new id is told whose it is, in which process, and how a person ends it.
#[test]
fn a_session_that_changes_its_id_is_told_who_holds_the_lock_and_how_it_ends() {
    let yard = Yard::with_git();
    let (old, new) = (Session::new(&yard, "old"), Session::new(&yard, "new"));
    assert_eq!(old.bash("make"), json!({}));
    let why = reason(&new.bash("make"));
    let pid = format!("pid {}", std::process::id());
    for word in ["held by old", &pid, "fencehold lock break workspace --reason"] {
        assert!(why.contains(word), "{word}: {why}");
    }
    // As the harness tells it when a session is cleared or resumed within one process.
    assert_eq!(old.call("session-end", "", &json!(null)), json!({}));
    assert_eq!(new.bash("make"), json!({}));
    // Or by hand, where it was not told.
    let newer = Session::new(&yard, "newer");
    assert!(reason(&newer.bash("make")).contains("held by new"));
    assert_eq!(yard.run(["lock", "break", "workspace", "--reason", "it is over"]).code, 0);
    assert_eq!(newer.bash("make"), json!({}));
}

/// A process that is stopped, as by a debugger or a laptop's lid, holds what it holds. That a day passes is tried below
/// the command, on a machine whose clock a test sets: `replaced::session_lock::a_session_that_slept_for_a_day_goes_on`.
#[test]
fn a_session_that_is_stopped_keeps_the_lock_and_goes_on() {
    let yard = Yard::with_git();
    let mut stopped = Alive::begin(&yard, "stopped", "make");
    let pid = Pid::from_raw(i32::try_from(stopped.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let other = Session::new(&yard, "other");
    assert!(reason(&other.bash("make")).contains("held by stopped"));
    assert!(yard.run(["status"]).stdout.contains("stopped (pid"));
    // Death is seen of a stopped process too.
    stopped.kill();
    assert_eq!(other.bash("make"), json!({}));
}
