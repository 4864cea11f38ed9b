//! Who commits beside whom, twice, or first of all.

use fencehold::error::{Error, Happened};
use fencehold::fs::{File as _, Fs as _, How, LockMode, RealFs};
use fencehold::journal::{Modes, Options, create};
use fencehold::ledger::Verdict;
use fencehold_model::lock::Refusal;

use crate::spec_kit::{DURABLE, Does as _, HOUR, Lab, Party, acquire, asking, end_by_hand, kill_everywhere};

/// JOURNAL-22: A commit repeated under an operation id that is among the last 64 answers the recorded revision and
/// records nothing.
#[test]
fn a_repeated_operation_is_answered_as_the_first_time() {
    let lab = Lab::new();
    let mine = asking("me");
    let first = lab.party().submit(&mine, &acquire("a", "h", HOUR)).unwrap();
    let (mut after, mut seen) = (0, 0);
    while after < 63 {
        lab.machine.pass(10);
        let before = lab.history().0.len();
        let again = lab.party().submit(&mine, &acquire("a", "h", HOUR)).unwrap();
        assert_eq!(
            (again.revision, again.at_ms, &again.verdict),
            (first.revision, first.at_ms, &first.verdict)
        );
        assert_eq!(lab.history().0.len(), before, "nothing is recorded");
        // Long lines, so that files are begun meanwhile.
        lab.party().token(&acquire("b", "h", HOUR));
        lab.party().verdict(&end_by_hand("b", &format!("x{}x", "\u{1}".repeat(4000))));
        (after, seen) = (after + 2, seen + 1);
    }
    assert!(lab.n() > 3 && seen == 32, "{} {seen}", lab.n());
    // The 65th: it is decided anew.
    let anew = lab.party().submit(&mine, &acquire("a", "other", HOUR)).unwrap();
    assert!(matches!(anew.verdict, Verdict::Refused(Refusal::Held(_))), "{anew:?}");
}

/// JOURNAL-23: Waiting for the OS lock ends at a deadline, definitely, with a message that names a process in the way
/// where one can be found.
#[test]
fn a_busy_workspace_names_who_is_in_the_way() {
    let lab = Lab::new();
    let before = lab.snapshot();
    let file = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    file.lock(LockMode::Exclusive, std::time::Duration::ZERO).unwrap();
    let at_once = Options { patience: std::time::Duration::ZERO, ..DURABLE };
    let error = lab.party_on(RealFs, at_once).ask(&acquire("a", "h", HOUR)).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!((error.happened(), error.exit_code()), (Happened::No, 2));
    assert!(error.to_string().contains(&format!("pid {} (", std::process::id())), "{error}");
    assert_eq!(lab.snapshot(), before);
    drop(file);
    lab.party().token(&acquire("a", "h", HOUR));
}

/// JOURNAL-24: Commits of two threads of one process exclude each other as those of two processes do.
#[test]
fn threads_over_one_handle_lose_nothing() {
    let lab = Lab::new();
    let (shared, own) = (lab.party(), lab.party());
    let work = |party: &Party<RealFs>, thread: usize| {
        (0..40)
            .map(|index| party.token(&acquire(&format!("{thread} {index}"), "h", HOUR)))
            .collect::<Vec<_>>()
    };
    let mut tokens: Vec<u64> = std::thread::scope(|scope| {
        let threads = [
            scope.spawn(|| work(&shared, 1)),
            scope.spawn(|| work(&shared, 2)),
            scope.spawn(|| work(&own, 3)),
        ];
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 120, "no token twice");
    let (entries, notes) = lab.history();
    assert_eq!(
        (entries.len(), notes.len()),
        (121, 0),
        "the boot and every grant, and nothing glued: {notes:?}"
    );
}

/// JOURNAL-25: A new workspace appears whole: a kill at any step of its creation leaves none, or one that works.
#[test]
fn a_creation_killed_anywhere_leaves_none_or_one_that_works() {
    let (mut none, mut works) = (0, 0);
    kill_everywhere(|disk, killed| {
        let lab = Lab::empty();
        let created = create(&disk, &lab.machine, &lab.ws(), Modes::Owner);
        // What it does after its last rename that matters cannot be told apart.
        assert!(created.is_ok() || killed(), "{created:?}");
        if lab.ws().exists() {
            works += 1;
        } else {
            none += 1;
            assert!(create(&RealFs, &lab.machine, &lab.ws(), Modes::Owner).unwrap());
        }
        lab.party().token(&acquire("a", "h", HOUR));
    });
    assert!(none > 12 && works >= 1, "{none} {works}");
}
