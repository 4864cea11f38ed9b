mod below;
mod guard;
mod naive;
mod page;
mod published;
mod scenarios;
mod shipped;

use std::process::Command;

use serde_json::json;

use crate::guard::play::{Session, reason};
use crate::program::{Yard, clean, said};
use below::Below;
use guard::{Checkout, Damage, Timed};
use naive::{Defect, Naive};
use published::Published;
use scenarios as on;
use scenarios::Outcome;
use shipped::Shipped;

/// Ours passes the scenario, as does a guard in memory without a defect; the published algorithm does not, nor does that
/// guard with one of these defects.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Checkout) -> Outcome, defects: &[Defect]) {
    assert_eq!(scenario(&mut Shipped::new()), Ok(()), "ours");
    alone(scenario, defects);
    let why = scenario(&mut Published::new()).expect_err("the published algorithm");
    println!("the published algorithm: {why}");
}

/// The same of the guards in memory.
#[track_caller]
fn alone(scenario: fn(&mut dyn Checkout) -> Outcome, defects: &[Defect]) {
    assert_eq!(scenario(&mut Naive::new(None)), Ok(()), "no defect");
    for defect in defects {
        let why = scenario(&mut Naive::new(Some(*defect))).expect_err("a defect");
        println!("{defect:?}: {why}");
    }
}

/// The same where time is the scenario's.
#[track_caller]
fn replaced_in_time(scenario: fn(&mut dyn Timed) -> Outcome, defects: &[Defect]) {
    assert_eq!(scenario(&mut Below::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut Naive::new(None)), Ok(()), "no defect");
    for defect in defects {
        let why = scenario(&mut Naive::new(Some(*defect))).expect_err("a defect");
        println!("{defect:?}: {why}");
    }
    let why = scenario(&mut Published::new()).expect_err("the published algorithm");
    println!("the published algorithm: {why}");
}

/// What the record said that this one takes the place of, and more of it.
///
/// Behaviour D1.1: five minutes, unless a workspace says otherwise.
/// Behaviour D1.2: who has it, with which process and where, since when and until when.
#[test]
fn the_lock_says_who_has_it_where_and_since_when() {
    let yard = Yard::with_git();
    assert_eq!(Session::new(&yard, "one").bash("make"), json!({}));
    let held = yard.json(0, ["lock", "show", "workspace"]);
    assert_eq!(
        (&held["holder"], &held["bound"]["pid"]),
        (&json!("one"), &json!(std::process::id())),
        "{held}"
    );
    assert!(held["bound"]["host"].is_string() && held["held_for_ms"].is_u64(), "{held}");
    assert!(held["token"].as_u64().is_some_and(|token| token > 0), "{held}");
    let history = yard.run(["--json", "history", "workspace"]).stdout;
    assert!(history.contains("300000"), "{history}");
    // Nothing of it lies in a home.
    assert!(yard.join(".git/fencehold/journal.1.ndjson").exists());
}

/// Defect GUARD-1: an acquire reads and then writes, so two that both read nothing are both told that they have it.
/// Shown on M45: a free lock is looked at first and taken then.
/// Shown on the published algorithm of GUARD-1: both read before either writes.
#[test]
fn of_those_that_ask_at_once_one_is_let_in() {
    replaced(on::nobody_is_inside_and_all_ask, &[Defect::M45]);
}

/// Defect GUARD-2: a takeover reads and then writes, so two take over from one.
/// Shown on M05: a takeover is looked at first and done then.
/// Shown on the published algorithm of GUARD-2: both read the stale record before either writes.
#[test]
fn one_takes_over_from_the_dead() {
    replaced(on::the_holder_is_dead_and_all_ask, &[Defect::M05]);
}

/// Defect GUARD-3: a release checks and then deletes, and deletes the lock of one that took over in between.
/// Shown on M06: a release removes whatever is there.
/// Shown on the published algorithm of GUARD-3: it deletes by what it had read.
#[test]
fn a_late_release_removes_nothing_of_another() {
    replaced(on::a_late_release_removes_nothing_of_another, &[Defect::M06]);
}

/// Defect GUARD-4: a refresh checks and then writes, and brings back a lock that another has taken over.
/// Shown on the published algorithm of GUARD-4: it writes its own record back.
#[test]
fn a_late_refresh_brings_nothing_back() {
    replaced(on::a_late_refresh_brings_nothing_back, &[]);
}

/// Defect GUARD-5: a lock is refreshed by calls alone, so a call that outlasts the TTL loses it.
/// Shown on M04: it is taken over by age, though its owner lives.
/// Shown on M48: nobody renews while the call runs.
/// Shown on the published algorithm of GUARD-5: six minutes without a call.
#[test]
fn a_call_that_outlasts_the_ttl_keeps_the_lock() {
    replaced(on::a_call_outlasts_the_ttl, &[Defect::M04, Defect::M48]);
}

/// A harness that is stopped for a day, as by a laptop's lid or a debugger, renews nothing and loses nothing.
///
/// Shown on M04: it is taken over by age.
/// Shown on M48: nobody renews.
#[test]
fn a_session_that_slept_for_a_day_goes_on() {
    replaced_in_time(on::the_holder_sleeps_for_a_day, &[Defect::M04, Defect::M48]);
}

/// Defect GUARD-6: the lock is given up at the end of each turn, so another session edits between two turns, and where
/// that end is never told its TTL is waited for.
/// Shown on the published algorithm of GUARD-6: the other is let in between two turns.
#[test]
fn between_two_turns_nobody_gets_in() {
    replaced(on::a_turn_ends_and_the_session_does_not, &[]);
}

/// Defect GUARD-7: whatever goes wrong, the call is let through, and nobody is told.
/// Shown on M47: in memory, and as a hook process.
/// Shown on the published algorithm of GUARD-7: half a record is no record.
#[test]
fn what_cannot_be_read_lets_nobody_in_silently() {
    let cut: fn(&mut dyn Checkout) -> Outcome =
        |guard| on::who_is_inside_cannot_be_read(guard, Damage::CutShort);
    let gone: fn(&mut dyn Checkout) -> Outcome =
        |guard| on::who_is_inside_cannot_be_read(guard, Damage::Unreadable);
    let mut seen = 0;
    for scenario in [cut, gone] {
        replaced(scenario, &[Defect::M47]);
        assert_eq!(scenario(&mut Shipped::asking("right")), Ok(()), "a hook without a defect");
        let why = scenario(&mut Shipped::asking("M47")).expect_err("a hook that fails open");
        println!("M47 as a process: {why}");
        seen += 1;
    }
    assert_eq!(seen, 2);
}

/// Defect GUARD-8: nobody looks at the process, so a dead holder is waited for, and the number that a block names is of
/// a hook that has ended.
/// Shown on the published algorithm of GUARD-8: the process that it names is not the session's.
#[test]
fn a_block_names_the_sessions_process_and_its_death_is_seen() {
    replaced(on::the_holder_is_killed, &[]);
}

/// Defect GUARD-8: a process is known by its number alone.
/// Shown on M27: another process with the number of the dead keeps its lock.
/// Shown on the published algorithm of GUARD-8: it waits for the TTL of the dead.
#[test]
fn a_number_that_is_used_again_keeps_no_lock() {
    replaced(on::the_number_of_a_dead_holder_is_used_again, &[Defect::M27]);
}

/// Defect GUARD-9: what names the workspace is a path, so a subdirectory, a link and a worktree each have a lock of their
/// own.
/// Shown on M39: in memory, and as a hook process.
/// Shown on the published algorithm of GUARD-9: another folder is another hash.
#[test]
fn every_way_to_the_checkout_leads_to_one_lock() {
    replaced(on::two_sessions_work_in_different_folders, &[Defect::M39]);
    assert_eq!(on::two_sessions_work_in_different_folders(&mut Shipped::asking("right")), Ok(()));
    let why = on::two_sessions_work_in_different_folders(&mut Shipped::asking("M39")).unwrap_err();
    println!("M39 as a process: {why}");
}

/// What a guard kept by the paths of a checkout would take for another one: the same files, mounted elsewhere.
///
/// Defect GUARD-9: a bind mount is another path.
#[test]
fn a_mount_of_the_checkout_leads_to_the_same_lock() {
    let (yard, elsewhere) = (Yard::with_git(), Yard::new());
    assert_eq!(Session::new(&yard, "first").bash("make"), json!({}));
    let payload = json!({ "session_id": "other", "cwd": elsewhere.path(), "tool_name": "Bash",
        "tool_input": { "command": "make" } });
    let script = "mount --bind \"$1\" \"$2\" && printf %s \"$3\" | \"$4\" hook pre-tool-use";
    let mut unshare = Command::new("unshare");
    clean(&mut unshare).args(["--mount", "sh", "-c", script, "sh"]);
    unshare.arg(yard.path()).arg(elsewhere.path()).arg(payload.to_string());
    let said = said(unshare.arg(env!("CARGO_BIN_EXE_fencehold-under-test")));
    if said.stdout.is_empty() {
        println!("skipped, because nothing can be mounted from here: {}", said.stderr);
        return;
    }
    let why = reason(&serde_json::from_str(&said.stdout).unwrap());
    assert!(why.contains("held by first"), "{why}");
}

/// Defect GUARD-10: the lock lies in the home of the user.
/// Shown on the published algorithm of GUARD-10: two homes are two locks.
#[test]
fn two_homes_share_one_lock() {
    replaced(on::two_users_share_the_checkout, &[]);
}

/// Defect GUARD-11: a record from the future never lapses, and a clock that is ahead steals.
/// Shown on M08: what lapses goes by wall clocks.
/// Shown on the published algorithm of GUARD-11: both.
#[test]
fn no_wall_clock_keeps_or_ends_a_lock() {
    replaced_in_time(on::a_dead_holders_clock_was_ahead, &[Defect::M08]);
    replaced_in_time(on::one_that_asks_has_a_clock_ahead, &[Defect::M08]);
}

/// Defect GUARD-12: a shell command that only reads is blocked, and a tool that is in no list passes.
/// Shown on the published algorithm of GUARD-12: `git log` is blocked.
#[test]
fn what_reads_passes_and_what_nobody_knows_does_not() {
    replaced(on::reads_pass_and_the_unknown_does_not, &[]);
}

/// Defect GUARD-13: two sessions without an id are the same session.
/// Shown on the published algorithm of GUARD-13: both pass.
#[test]
fn two_sessions_without_an_id_are_not_one() {
    replaced(on::two_sessions_have_no_id, &[]);
}

/// Defect GUARD-14: what was installed did nothing, and every test of its functions was green.
/// Shown on M50: in memory, and as a hook process.
/// Shown on the published algorithm of GUARD-14: as it was shipped at first.
#[test]
fn what_is_asked_is_no_dead_guard() {
    assert_eq!(on::the_guard_is_asked_itself(&mut Shipped::new()), Ok(()));
    alone(on::the_guard_is_asked_itself, &[Defect::M50]);
    assert_eq!(on::the_guard_is_asked_itself(&mut Shipped::asking("right")), Ok(()));
    println!("M50 as a process: {}", on::the_guard_is_asked_itself(&mut Shipped::asking("M50")).unwrap_err());
    println!("as published: {}", on::the_guard_is_asked_itself(&mut Published::inert()).unwrap_err());
    // As it was meant, it guards.
    assert_eq!(on::the_guard_is_asked_itself(&mut Published::new()), Ok(()));
}

/// Defect GUARD-15: there is no token, so what a session writes that was held up lands behind the work of the next one.
/// Shown on M51: a document takes every write.
/// Shown on the published algorithm of GUARD-15: its TTL passes while it sleeps, and it writes.
#[test]
fn one_that_wakes_up_behind_another_writes_no_document() {
    replaced(on::one_that_slept_writes_late, &[Defect::M51]);
}
