//! The contract of `Journal`, kept by the journal in files, on the real and on the simulated disk, and by the simulated
//! one, in calm and whatever becomes of its messages; broken, clause by clause, by wrong ones. And the simulated one's
//! fault suite.

mod clauses;
mod faults;
mod places;
mod story;
mod wrong;

use clauses::Broken;
use places::{Place, RealFiles, SimFiles, Store};

/// From how many seeds the messages of the simulated journal are delayed, doubled and lost.
const SEEDS: u64 = 100;

/// Asks one journal to keep a clause.
#[track_caller]
fn kept<P: Place>(place: &P, holds: fn(&P) -> Broken) {
    if let Err(broken) = holds(place) {
        panic!("{}: {broken}", std::any::type_name::<P>());
    }
}

/// A clause, asked of every journal in every place.
macro_rules! everywhere {
    ($clause:ident) => {
        kept(&RealFiles::new(), clauses::$clause);
        kept(&SimFiles::new(), clauses::$clause);
        kept(&Store::calm(), clauses::$clause);
        for seed in 0..SEEDS {
            kept(&Store::troubled(seed), clauses::$clause);
        }
    };
}

/// CONTRACT-1: The revisions of a journal's events strictly grow in the order in which they are recorded, and the token
/// of a grant is the revision of its event.
#[test]
fn revisions_grow() {
    everywhere!(revisions_grow);
}

/// CONTRACT-2: A decision is made on every event that was recorded before its own, and on no other.
#[test]
fn decisions_see_the_newest() {
    everywhere!(decisions_see_the_newest);
}

/// CONTRACT-3: A decision may be made more than once for one commit; at most one event comes of it, and nothing that
/// others recorded meanwhile is passed over.
#[test]
fn one_event_of_many_decisions() {
    everywhere!(one_event_of_many_decisions);
}

/// CONTRACT-4: A commit repeated under the operation id of one of the last 64 events, by whichever client and after
/// whatever answer, is answered with the revision, time and event that are recorded, and records nothing.
///
/// JOURNAL-22: A commit repeated under an operation id that is among the last 64 answers the recorded revision and
/// records nothing.
#[test]
fn an_operation_is_recorded_once() {
    everywhere!(an_operation_is_recorded_once);
}

/// CONTRACT-5: A commit that comes to no event changes nothing, and its answer carries the revision and the time that
/// it was decided at.
#[test]
fn a_refusal_changes_nothing() {
    everywhere!(a_refusal_changes_nothing);
}

/// CONTRACT-6: A read shows the state after some event, and none that was answered before the read began is missing.
#[test]
fn reads_are_current() {
    everywhere!(reads_are_current);
}

/// CONTRACT-7: The time of every decision and read is the journal's: it passes for all clients alike, no wall clock of
/// a client moves it, and nobody is given an earlier time than was answered before it asked.
#[test]
fn time_is_the_journals() {
    everywhere!(time_is_the_journals);
}

/// CONTRACT-8: A journal says of each client whether its answers wait until what they rest on is durable.
#[test]
fn durability_is_told() {
    everywhere!(durability_is_told);
}

/// CONTRACT-9: An error says whether the event may stand; one that says that it does not is never followed by the
/// event, and asking again under the same operation id settles the other.
///
/// JOURNAL-22: A commit repeated under an operation id that is among the last 64 answers the recorded revision and
/// records nothing.
#[test]
fn an_error_says_whether_it_happened() {
    everywhere!(an_error_says_whether_it_happened);
}

/// CONTRACT-10: A commit that cannot be recorded ends after a bounded wait, with an error that says that it did not
/// happen.
///
/// JOURNAL-23: Waiting for the OS lock ends at a deadline, definitely, with a message that names a process in the way
/// where one can be found.
#[test]
fn waiting_ends() {
    everywhere!(waiting_ends);
}

/// CONTRACT-11: All clients of one journal name the same workspace, from their first call on.
#[test]
fn one_workspace() {
    everywhere!(one_workspace);
}
