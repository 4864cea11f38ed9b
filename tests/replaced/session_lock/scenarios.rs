//! One scenario for each known defect of a session lock. Each is told as a user would meet it; the error says what went
//! wrong.

use super::guard::{Answer, At, Call, Checkout, Damage, Guard, Half, Timed, Who};

pub(super) type Outcome = Result<(), String>;

const HOME: &str = "/home/one";
/// Who meets at once, and how often: a race that is not met proves nothing.
const AT_ONCE: usize = 4;
const ROUNDS: usize = 12;
const HOUR_MS: u64 = 3_600_000;

fn begin(guard: &mut dyn Guard, id: &str) -> Who {
    guard.begin(id, At::Top, HOME)
}

fn passes(guard: &mut dyn Guard, who: Who, what: &str) -> Outcome {
    match guard.asks(who, Call::Moves) {
        Answer::Passes => Ok(()),
        Answer::Blocked(why) => Err(format!("{what}: blocked: {why}")),
    }
}

fn is_blocked(guard: &mut dyn Guard, who: Who, what: &str) -> Result<String, String> {
    match guard.asks(who, Call::Moves) {
        Answer::Passes => Err(format!("{what}: it passed")),
        Answer::Blocked(why) => Ok(why),
    }
}

/// At most one of those that ask at once is let in; how many were.
fn at_most_one(guard: &mut dyn Checkout, all: &[Who]) -> Result<Option<Who>, String> {
    let answers = guard.ask_at_once(all);
    let inside: Vec<Who> = all
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| **answer == Answer::Passes)
        .map(|(who, _)| *who)
        .collect();
    match inside[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(format!("{} sessions are inside at once", inside.len())),
    }
}

/// GUARD-1: nothing is there, and all of them see that.
pub(super) fn nobody_is_inside_and_all_ask(guard: &mut dyn Checkout) -> Outcome {
    let all: Vec<Who> = (0..AT_ONCE).map(|number| begin(guard, &format!("s{number}"))).collect();
    let mut inside = 0;
    for _ in 0..ROUNDS {
        if let Some(one) = at_most_one(guard, &all)? {
            inside += 1;
            guard.ends(one);
        }
    }
    if inside > 0 { Ok(()) } else { Err("nobody ever got in".to_owned()) }
}

/// GUARD-2: what is there is over, and all of them see that.
pub(super) fn the_holder_is_dead_and_all_ask(guard: &mut dyn Checkout) -> Outcome {
    let all: Vec<Who> = (0..AT_ONCE).map(|number| begin(guard, &format!("s{number}"))).collect();
    let mut inside = 0;
    for round in 0..3 {
        let dead = begin(guard, &format!("dead{round}"));
        passes(guard, dead, "nobody is inside")?;
        guard.lapses(dead);
        if let Some(one) = at_most_one(guard, &all)? {
            inside += 1;
            guard.ends(one);
        }
    }
    if inside > 0 { Ok(()) } else { Err("nobody ever took over".to_owned()) }
}

/// GUARD-3, GUARD-4: the hook of a session that was killed is held up, and goes on once another has taken over.
fn a_late_hook(guard: &mut dyn Checkout, half: Half) -> Outcome {
    let (late, new, third) = (begin(guard, "late"), begin(guard, "new"), begin(guard, "third"));
    passes(guard, late, "nobody is inside")?;
    guard.begins(late, half);
    guard.lapses(late);
    passes(guard, new, "the holder is dead")?;
    guard.finishes(late, half);
    let why = is_blocked(guard, third, "while `new` is inside")?;
    if !why.contains("held by new") {
        return Err(format!("the holder is `new`, and the block says: {why}"));
    }
    passes(guard, new, "it is inside")
}

pub(super) fn a_late_release_removes_nothing_of_another(guard: &mut dyn Checkout) -> Outcome {
    a_late_hook(guard, Half::Release)
}

pub(super) fn a_late_refresh_brings_nothing_back(guard: &mut dyn Checkout) -> Outcome {
    a_late_hook(guard, Half::Refresh)
}

/// GUARD-5: a build of six minutes under a TTL of five.
pub(super) fn a_call_outlasts_the_ttl(guard: &mut dyn Checkout) -> Outcome {
    let (long, other) = (begin(guard, "long"), begin(guard, "other"));
    passes(guard, long, "nobody is inside")?;
    guard.outlast_ttl();
    is_blocked(guard, other, "while a command of `long` runs")?;
    passes(guard, long, "it is inside")
}

/// GUARD-6: between two turns, and after a turn whose end nobody was told.
pub(super) fn a_turn_ends_and_the_session_does_not(guard: &mut dyn Checkout) -> Outcome {
    let (first, other) = (begin(guard, "first"), begin(guard, "other"));
    passes(guard, first, "nobody is inside")?;
    guard.stops(first);
    is_blocked(guard, other, "between two turns of `first`")?;
    passes(guard, first, "its next turn")?;
    guard.ends(first);
    passes(guard, other, "`first` has ended")?;
    guard.dies(other);
    let third = begin(guard, "third");
    passes(guard, third, "`other` was interrupted and is dead")
}

/// GUARD-7: nobody can read who is inside.
pub(super) fn who_is_inside_cannot_be_read(guard: &mut dyn Checkout, how: Damage) -> Outcome {
    let (first, other) = (begin(guard, "first"), begin(guard, "other"));
    passes(guard, first, "nobody is inside")?;
    guard.damage(how);
    match guard.asks(other, Call::Moves) {
        Answer::Blocked(why) if why.contains("cannot tell") => Ok(()),
        Answer::Blocked(why) => Err(format!("it does not say that it cannot tell: {why}")),
        Answer::Passes if guard.records() > 0 => Ok(()),
        Answer::Passes => Err("it passed, and nothing says so".to_owned()),
    }
}

/// GUARD-8: the process that a block names is the session's, and its death is seen at once.
pub(super) fn the_holder_is_killed(guard: &mut dyn Checkout) -> Outcome {
    let (first, other) = (begin(guard, "first"), begin(guard, "other"));
    passes(guard, first, "nobody is inside")?;
    let why = is_blocked(guard, other, "while `first` is inside")?;
    let pid = guard.pid(first);
    if !why.contains(&format!("pid {pid}")) {
        return Err(format!("the session's process is {pid}, and the block says: {why}"));
    }
    guard.dies(first);
    passes(guard, other, "`first` is dead")
}

/// GUARD-8: a number says little of a process.
pub(super) fn the_number_of_a_dead_holder_is_used_again(guard: &mut dyn Checkout) -> Outcome {
    let (first, other) = (begin(guard, "first"), begin(guard, "other"));
    passes(guard, first, "nobody is inside")?;
    guard.dies_and_its_number_is_used_again(first);
    passes(guard, other, "`first` is dead")
}

/// GUARD-9: every way to the checkout leads to the same lock.
pub(super) fn two_sessions_work_in_different_folders(guard: &mut dyn Checkout) -> Outcome {
    let top = begin(guard, "top");
    passes(guard, top, "nobody is inside")?;
    for at in [At::Below, At::Link, At::Worktree] {
        let other = guard.begin(&format!("{at:?}").to_lowercase(), at, HOME);
        is_blocked(guard, other, &format!("{at:?}, while `top` is inside"))?;
    }
    Ok(())
}

/// GUARD-10: the users have different homes.
pub(super) fn two_users_share_the_checkout(guard: &mut dyn Checkout) -> Outcome {
    let (one, other) = (begin(guard, "one"), guard.begin("other", At::Top, "/home/other"));
    passes(guard, one, "nobody is inside")?;
    is_blocked(guard, other, "another user, while `one` is inside").map(|_| ())
}

/// GUARD-11: a holder's clock was an hour ahead; it is dead.
pub(super) fn a_dead_holders_clock_was_ahead(guard: &mut dyn Timed) -> Outcome {
    let (ahead, other) = (begin(guard, "ahead"), begin(guard, "other"));
    guard.clock_is_ahead(ahead, HOUR_MS);
    passes(guard, ahead, "nobody is inside")?;
    guard.lapses(ahead);
    guard.pass(HOUR_MS / 2);
    passes(guard, other, "half an hour after the death of `ahead`")
}

/// GUARD-11: the clock of one that asks is an hour ahead.
pub(super) fn one_that_asks_has_a_clock_ahead(guard: &mut dyn Timed) -> Outcome {
    let (first, ahead) = (begin(guard, "first"), begin(guard, "ahead"));
    guard.clock_is_ahead(ahead, HOUR_MS);
    passes(guard, first, "nobody is inside")?;
    is_blocked(guard, ahead, "right after `first` got in").map(|_| ())
}

/// GUARD-12: what reads is not in the way of anybody, and what nobody knows may write.
pub(super) fn reads_pass_and_the_unknown_does_not(guard: &mut dyn Checkout) -> Outcome {
    let (first, other) = (begin(guard, "first"), begin(guard, "other"));
    passes(guard, first, "nobody is inside")?;
    if let Answer::Blocked(why) = guard.asks(other, Call::Reads) {
        return Err(format!("a command that only reads is blocked: {why}"));
    }
    match guard.asks(other, Call::Unknown) {
        Answer::Blocked(_) => Ok(()),
        Answer::Passes => Err("a tool that nobody knows passed while `first` is inside".to_owned()),
    }
}

/// GUARD-13: two harnesses that give no id.
pub(super) fn two_sessions_have_no_id(guard: &mut dyn Checkout) -> Outcome {
    for (one, other) in [("", ""), (" ", "")] {
        let all = [begin(guard, one), begin(guard, other)];
        let answers = all.map(|who| guard.asks(who, Call::Moves));
        if answers == [Answer::Passes, Answer::Passes] {
            return Err("two sessions without an id are taken for one".to_owned());
        }
    }
    Ok(())
}

/// GUARD-14: what is installed guards.
pub(super) fn the_guard_is_asked_itself(guard: &mut dyn Checkout) -> Outcome {
    let (first, other) = (begin(guard, "first"), begin(guard, "other"));
    passes(guard, first, "nobody is inside")?;
    is_blocked(guard, other, "while `first` is inside").map(|_| ())
}

/// GUARD-15: one that slept wakes up and writes what another has taken over.
pub(super) fn one_that_slept_writes_late(guard: &mut dyn Checkout) -> Outcome {
    let (slept, new) = (begin(guard, "slept"), begin(guard, "new"));
    passes(guard, slept, "nobody is inside")?;
    guard.sleeps(slept);
    guard.outlast_ttl();
    if is_blocked(guard, new, "while `slept` is inside").is_ok() {
        // Asleep is not dead: only a person can know that it must not count.
        guard.broken_by_hand();
        passes(guard, new, "the lock was broken")?;
    }
    if !guard.writes(new) {
        return Err("the new holder's write was refused".to_owned());
    }
    guard.wakes(slept);
    if guard.writes(slept) {
        return Err("the write of one that another has taken over from was let in".to_owned());
    }
    Ok(())
}

/// A day of sleep, not only a TTL, and no renewal.
pub(super) fn the_holder_sleeps_for_a_day(guard: &mut dyn Timed) -> Outcome {
    let (slept, other) = (begin(guard, "slept"), begin(guard, "other"));
    passes(guard, slept, "nobody is inside")?;
    guard.sleeps(slept);
    guard.pass(24 * HOUR_MS);
    is_blocked(guard, other, "while `slept` is inside, and asleep")?;
    guard.wakes(slept);
    passes(guard, slept, "it goes on")?;
    guard.dies(slept);
    passes(guard, other, "`slept` is dead")
}
