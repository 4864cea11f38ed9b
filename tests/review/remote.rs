//! A journal whose store is remote: absence is no version (C6), what a client may decide by (M13), one contract (M14).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fencehold::journal::Journal;
use fencehold_model::{Event, State, TimeMs};
use fencehold_stress::sim::choice::Source;
use fencehold_stress::sim::journal::{
    Defect, Faults, Limits, Remote, SimStore, StoreUsers, Trouble, Want, Wants,
};
use fencehold_stress::sim::scenario::exhaust;

use crate::spec_kit::{DURABLE, Lab, asking};

/// A defect is found, and says what it does; the same setting without it stands, whatever is chosen.
fn found(defect: Defect, what: &str) {
    let found = exhaust(&defect.shown(), 10_000, &mut |_| {}).unwrap_err();
    assert!(found.what.contains(what), "{found}");
    let control =
        exhaust(&defect.setting(), 100_000, &mut |_| {}).unwrap_or_else(|flagged| panic!("{flagged}"));
    assert!(control.complete && control.runs > 1, "{}: {} runs", defect.name(), control.runs);
}

/// W folds, pauses; others append past it and trim the key that it waits for; W's append compares the head, which was
/// rewritten: it is refused, decided anew, and gets a token of its own.
#[test]
fn review_C6_an_append_behind_a_trim_compares_the_head() {
    let pair: &[&[Want]] = &[&[Want::Acquire], &[Want::Acquire, Want::Release, Want::Acquire]];
    let limits = Limits { trim_after: 1, ..Limits::default() };
    let calm = Faults { lost_max: 0, twice_max: 0, late_max: 0, pauses_max: 1, pause_ms: 300 };
    let given: &'static [&'static [Want]] = Box::leak(pair.to_vec().into_boxed_slice());
    let users = StoreUsers::new("review C6", 2, Wants::Given(given), limits, calm);
    let (mut trimmed_past, mut runs) = (0, 0);
    for seed in 0..3_000 {
        let ran = users.traced(Source::random(seed));
        assert_eq!(ran.violation, None, "seed {seed}");
        let at = |call: &str| ran.trace.iter().position(|step| step.call == call);
        let overtaken = ran.trace.iter().any(|step| step.path.to_string_lossy().contains("overtaken"));
        trimmed_past += u64::from(at("trim").is_some() && overtaken);
        runs += 1;
    }
    assert!(runs == 3_000 && trimmed_past > 100, "{trimmed_past}");
}

/// The wrong variant of C6, caught: the absence of the next key is taken for a version.
#[test]
fn review_m10_absence_as_cas_is_seen() {
    found(Defect::AbsenceAsCas, "recorded at revision 1, which was handed out before");
}

/// The wrong variant of C8, caught: the holder's name is taken for its claim.
#[test]
fn review_m10_same_holder_double_is_seen() {
    found(Defect::HolderIsClaim, "granted to two claims");
}

/// (c) A client with a wrong clock harms only itself: time is the store's. The wrong variant decides by the client's.
#[test]
fn review_M13_c_a_client_whose_clock_is_ahead_takes_no_live_lock() {
    found(Defect::ClientClock, "by the store's clock");
    // And by hand: a client that is an hour ahead sees the store's time.
    let store = SimStore::new(Remote::new(Source::first(), Limits::default(), CALM, None));
    let (right, ahead) = (store.client(0, Trouble::Chosen, 0), store.client(1, Trouble::Chosen, 3_600_000));
    assert_eq!(right.now_ms().unwrap(), ahead.now_ms().unwrap());
}

const CALM: Faults = Faults { lost_max: 0, twice_max: 0, late_max: 0, pauses_max: 0, pause_ms: 0 };

/// (d) "The next key is absent" proves nothing about an append that was not answered: it may still be under way. The
/// outcome is resolved by writing. The wrong variants: to look only, not to ask at all, and to say that it did not
/// happen.
#[test]
fn review_M13_d_an_append_without_an_answer_is_resolved_by_writing() {
    found(Defect::NoBarrier, "answered as not done, and it is recorded");
    found(Defect::NoLookUp, "is recorded twice");
    found(Defect::AmbiguousIsNo, "answered as not done, and it is recorded");
}

/// (d) Operation ids survive a trim, and where they may not have, the client knows that it cannot know. Reads are the
/// store's newest. The wrong variants of both.
#[test]
fn review_M13_d_what_was_trimmed_is_not_taken_for_never_and_no_read_is_stale() {
    found(Defect::ForgottenIsNo, "recorded at revision 1");
    found(Defect::StaleRead, "by the store's clock");
    found(Defect::TrimAnyway, "damaged");
}

/// The closure of a commit, counted.
fn counting(
    runs: Arc<AtomicUsize>,
    times: Arc<Mutex<Vec<TimeMs>>>,
) -> impl FnMut(&State, TimeMs) -> Result<Event, &'static str> {
    move |_, now_ms| {
        runs.fetch_add(1, Ordering::SeqCst);
        times.lock().unwrap().push(now_ms);
        Err("no")
    }
}

/// What every journal owes: `now` is its own and does not go back, the closure is asked with its newest state, an answer
/// without an event names the revision it rests on and records nothing.
fn contract(journal: &impl Journal) {
    let (runs, times) = (Arc::new(AtomicUsize::new(0)), Arc::default());
    let before = journal.read(|state, _| state.revision).unwrap();
    assert_eq!(before.value, before.revision);
    for _ in 0..3 {
        let answer = journal.commit(&asking("c"), counting(runs.clone(), Arc::clone(&times))).unwrap();
        assert!(answer.outcome.is_err() && answer.revision >= before.revision);
        assert_eq!(journal.read(|state, _| state.revision).unwrap().revision, answer.revision);
    }
    assert!(runs.load(Ordering::SeqCst) >= 3, "the closure was asked");
    assert!(times.lock().unwrap().is_sorted(), "the journal's time goes on");
}

/// "Lock, catch up, decide, write" and "read, append at exactly" are one trait: the closure is pure and may run again.
/// Both journals keep the same contract; the remote one runs a closure again where somebody was faster.
#[test]
fn review_M14_one_contract_holds_for_both_and_a_closure_may_run_again() {
    let lab = Lab::new();
    contract(&fencehold::journal::FileJournal::new(
        fencehold::fs::RealFs,
        lab.machine.clone(),
        &lab.ws(),
        DURABLE,
    ));
    let store = SimStore::new(Remote::new(Source::first(), Limits::default(), CALM, None));
    contract(&store.client(0, Trouble::Chosen, 0));
    // Two clients: the second commits while the first one decides. The wrong variant counts on a single run.
    let (slow, fast) = (store.client(1, Trouble::Chosen, 0), store.client(2, Trouble::Chosen, 0));
    let slow = crate::review::remote::ledger(slow);
    let fast = crate::review::remote::ledger(fast);
    let mut runs = 0;
    let holder = fencehold_model::Holder::new("h").unwrap();
    let reaped = slow.journal().commit(&asking("slow"), |state: &State, _| {
        runs += 1;
        if runs == 1 {
            fast.submit(&asking("fast"), &crate::spec_kit::acquire("x", "fast", 1_000)).unwrap();
        }
        if state.locks.is_empty() { Ok(Event::Repaired { reason: holder.to_string() }) } else { Err("held") }
    });
    assert_eq!(
        (runs, reaped.unwrap().outcome),
        (2, Err("held")),
        "decided anew on what the other had written"
    );
}

pub(crate) fn ledger<J: Journal>(journal: J) -> fencehold::ledger::Ledger<J, crate::spec_kit::Machine> {
    fencehold::ledger::Ledger::new(journal, crate::spec_kit::Machine::new())
}
