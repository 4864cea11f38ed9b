//! What befalls a status: each scenario is `Ok` where it keeps what was told, and else says what it did not keep.

use super::asked::{Act, Runs, Seen, Start, Told, decide};

pub(super) type Outcome = Result<(), String>;

pub(super) fn need(is: bool, what: impl FnOnce() -> String) -> Outcome {
    if is { Ok(()) } else { Err(what()) }
}

/// What the acts come to, one after the other, and what each is told.
fn in_turn(start: &Seen, acts: [Act; 2]) -> (Seen, [Told; 2]) {
    let mut stands = start.clone();
    let told = acts.map(|act| match decide(act, &stands) {
        None => Told::Refused,
        Some((status, note)) => {
            (stands.status, stands.note) = (status.to_owned(), note.to_owned());
            Told::Done
        }
    });
    (stands, told)
}

/// Two writers look, the second writes, and then the first: what stands, and what they were told, is that of one order.
fn one_between_the_steps_of_another(runs: &mut dyn Runs, how: Start, late: Act, early: Act) -> Outcome {
    runs.begin(how);
    let start = runs.looks();
    let (first, second) = (runs.looks(), runs.looks());
    let told_early = runs.writes(early, &second);
    let told_late = runs.writes(late, &first);
    let stands = runs.lists();
    let after = in_turn(&start.seen, [early, late]);
    let before = in_turn(&start.seen, [late, early]);
    let is = |(seen, told): &(Seen, [Told; 2]), now: [&Told; 2]| {
        (&seen.status, &seen.note) == (&stands.status, &stands.note) && [&told[0], &told[1]] == now
    };
    need(is(&after, [&told_early, &told_late]) || is(&before, [&told_late, &told_early]), || {
        format!(
            "{how:?}: {early:?} was told {told_early:?} and {late:?}, which had looked before, {told_late:?}; \
             it is {} {:?}",
            stands.status, stands.note
        )
    })
}

/// The agent ends with a URL while somebody who has seen it running writes that it asks.
pub(super) fn it_completes_before_a_late_question(runs: &mut dyn Runs) -> Outcome {
    one_between_the_steps_of_another(runs, Start::Running, Act::Ask, Act::Complete)
}

/// The agent's end is written while the corrector has seen it running, and dead.
pub(super) fn it_ends_before_a_late_correction(runs: &mut dyn Runs) -> Outcome {
    one_between_the_steps_of_another(runs, Start::Dead, Act::Correct, Act::Ask)?;
    one_between_the_steps_of_another(runs, Start::Dead, Act::Correct, Act::Complete)
}

/// The service ends while the queue has seen the run waiting.
pub(super) fn it_fails_before_the_queue_begins_it(runs: &mut dyn Runs) -> Outcome {
    one_between_the_steps_of_another(runs, Start::Queued, Act::Drain, Act::ShutDown)
}

/// Every writer is held up between its look and its write, and every other one writes meanwhile.
pub(super) fn each_between_the_steps_of_each(runs: &mut dyn Runs) -> Outcome {
    let of_a_run = [Act::Complete, Act::Ask, Act::Correct, Act::ShutDown];
    let mut pairs = 0;
    for (how, acts) in [
        (Start::Dead, &of_a_run[..]),
        (Start::Queued, &[Act::Drain, Act::ShutDown]),
        (Start::Blocked, &[Act::Resume]),
    ] {
        for late in acts {
            for early in acts {
                one_between_the_steps_of_another(runs, how, *late, *early)?;
                pairs += 1;
            }
        }
    }
    need(pairs == 21, || format!("{pairs} pairs"))
}

/// Runs that stand in every way are listed, the dead one twice, by two at a time.
pub(super) fn it_is_listed(runs: &mut dyn Runs) -> Outcome {
    for how in [Start::Queued, Start::Running, Start::Dead, Start::Blocked, Start::Completed, Start::Failed] {
        runs.begin(how);
        let (before, look) = (runs.files(), runs.looks());
        for _ in 0..2 {
            let listed = runs.lists();
            need(listed == look.seen, || {
                format!("{how:?}: a list says {listed:?}, and it is {:?}", look.seen)
            })?;
        }
        need(runs.files() == before, || format!("{how:?}: a list changes files"))?;
    }
    Ok(())
}

/// Its process is dead, and another has its number by now.
pub(super) fn the_number_of_its_process_is_used_again(runs: &mut dyn Runs) -> Outcome {
    runs.begin_with_a_number_used_again();
    let look = runs.looks();
    need(look.seen.is_dead, || "a stranger keeps it running".to_owned())?;
    need(runs.writes(Act::Correct, &look) == Told::Done, || "it is not corrected".to_owned())?;
    need(runs.lists().status == "failed", || "it was corrected, and is not failed".to_owned())
}
