//! Rotation, the archive, and the events of all files together.

use fencehold::Happened;
use fencehold::journal::{FULL_BYTES, ROTATE_BYTES};
use fencehold::ledger::{LeaseVerdict, Verdict};
use fencehold_model::lease::{About, Command, Lease, Proof as Shows};
use fencehold_model::lock::Proof;
use fencehold_model::record::{read_head, write_head};
use fencehold_model::status::Command::Set;
use fencehold_model::{Holder, LeaseId, Pattern, Status, TaskId};

use crate::spec_kit::{
    DURABLE, Disk, Does as _, HOUR, Lab, acquire, asking, end_by_hand, names, release, vandal,
};

/// The lengths of line one and of the lines after it.
fn sizes(lab: &Lab) -> (u64, u64) {
    let lens: Vec<u64> = lab.lines().iter().map(|line| line.len() as u64 + 1).collect();
    (lens[0], lens[1..].iter().sum())
}

/// JOURNAL-13: A commit rotates once the lines after line one exceed both 64 KiB and the size of line one.
#[test]
fn a_file_is_rotated_when_it_is_long_and_longer_than_its_head() {
    assert_eq!(ROTATE_BYTES, 64 * 1024);
    let lab = Lab::new();
    let party = lab.party();
    let mut seen = Vec::new();
    for index in 0..600 {
        let (n, (head, lines)) = (lab.n(), sizes(&lab));
        party.token(&acquire(&format!("{index} {}", "x".repeat(200)), &"y".repeat(200), HOUR));
        let rotated = lab.n() > n;
        assert_eq!(rotated, lines > ROTATE_BYTES && lines > head, "{index}: {lines} bytes after {head}");
        if rotated {
            seen.push((head, lines));
        }
    }
    assert!(seen.len() >= 3, "{seen:?}");
    assert!(seen.iter().any(|(head, _)| *head > ROTATE_BYTES), "a head longer than the bound: {seen:?}");
}

/// JOURNAL-14: A rotation changes no lock, no token and no expiry, and moves the file before, byte for byte, to
/// `archive/`.
#[test]
fn nothing_but_the_file_changes_in_a_rotation() {
    let lab = Lab::new();
    let party = lab.party();
    let process = lab.machine.process(77);
    for (name, ttl) in [("a", HOUR), ("b", 2 * HOUR), ("c", 3 * HOUR)] {
        party.token(&acquire(name, "h#claim", ttl));
    }
    party.token(&crate::spec_kit::acquire_bound("bound", "h", HOUR, &process));
    let gone = party.token(&acquire("gone", "h", HOUR));
    party.verdict(&release("gone", "h", Proof::Token(gone)));
    vandal::fill(&lab);
    let list = |lab: &Lab| lab.party().list().unwrap().value;
    let (before, bytes) = (list(&lab), lab.bytes("journal.1.ndjson"));
    assert_eq!(before.len(), 4, "{before:?}");
    let again = release("gone", "h", Proof::Token(gone));
    assert_eq!(lab.party().verdict(&again), Verdict::Released { token: gone, already: true });
    assert_eq!(lab.n(), 2, "the repeated release rotated, and is no event");
    assert_eq!(list(&lab), before);
    assert_eq!(lab.party().verdict(&again), Verdict::Released { token: gone, already: true });
    assert_eq!(lab.bytes("archive/journal.1.ndjson"), bytes);
    assert!(!lab.path("journal.1.ndjson").exists());
}

/// JOURNAL-15: `history` shows the events of all files, the archived ones included, in the order of their revisions.
#[test]
fn history_goes_over_all_files_in_order() {
    let lab = Lab::new();
    let mut tokens = Vec::new();
    while lab.n() < 4 {
        tokens.push(lab.party().token(&acquire("long", "h", HOUR)));
        lab.party().verdict(&end_by_hand("long", &format!("x{}x", "\u{1}".repeat(4000))));
    }
    assert_eq!(names(&lab.path("archive")).len(), 3);
    let (entries, notes) = lab.history();
    let revisions: Vec<u64> = entries.iter().map(|entry| entry.revision).collect();
    assert!(revisions.windows(2).all(|pair| pair[0] < pair[1]), "{revisions:?}");
    let granted = entries.iter().filter(|entry| entry.event.word() == "lock.granted");
    assert_eq!(granted.map(|entry| entry.revision).collect::<Vec<_>>(), tokens);
    assert_eq!((entries.len(), notes.len()), (1 + 2 * tokens.len(), 0));
}

/// JOURNAL-18: Every revision handed out is below the floor that stood in `floor.json` before.
#[test]
fn the_floor_is_raised_durably_before_a_revision_reaches_it() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("boot", "h", HOUR));
    set_floor(&lab, token + 3);
    let (disk, calls) = Disk::noting();
    let party = lab.party_on(disk, DURABLE);
    let mut raised = 0;
    for index in 0..6 {
        calls.lock().unwrap().clear();
        let before = lab.floor();
        let token = party.token(&acquire(&format!("{index}"), "h", HOUR));
        let calls = calls.lock().unwrap();
        let at = |call: &str| calls.iter().position(|noted| noted.starts_with(call));
        if token >= before {
            let order = [at("sync .floor.json"), at("rename floor.json"), at("append journal.1.ndjson")];
            assert!(order.is_sorted() && order[0].is_some(), "{order:?} {calls:#?}");
            let entry = calls.iter().rposition(|noted| noted == "sync_dir ws");
            assert!(entry > order[1] && entry < order[2], "{calls:#?}");
            raised += 1;
        }
        assert!(token < lab.floor());
    }
    assert_eq!(raised, 1);
}

/// Rewrites `floor.json` with another number.
fn set_floor(lab: &Lab, floor: u64) {
    let text = String::from_utf8(lab.bytes("floor.json")).unwrap();
    let mut line = text.replace(&format!("\"floor\":{}", lab.floor()), &format!("\"floor\":{floor}"));
    line.truncate(line.find(",\"crc\"").unwrap());
    fencehold_model::chain::seal(&mut line);
    std::fs::write(lab.path("floor.json"), line).unwrap();
}

/// JOURNAL-27: While line one is longer than 24 MiB, a grant of a lock or a lease and the first status of a task fail
/// definitely, and what ends or moves something goes on.
#[test]
fn a_full_workspace_takes_in_nothing_new_and_lets_go() {
    assert_eq!(FULL_BYTES, 24 << 20);
    let lab = Lab::new();
    lab.party().token(&acquire("held", "h#c", HOUR));
    let lines = lab.lines();
    let mut head = read_head(&lines[0], 1).unwrap().content;
    let (lease, holder) = (|n: usize| LeaseId::new(&format!("work-{n}")).unwrap(), Holder::new("h").unwrap());
    let folder = "x".repeat(1000);
    for n in 0..1_100 {
        let writes = (0..23).map(|entry| Pattern::new(&format!("{n}/{entry}{folder}")).unwrap()).collect();
        let granted = Lease {
            token: 1,
            holder: holder.clone(),
            since_ms: head.state.time_ms,
            ttl_ms: None,
            bound: None,
            asked_by: None,
            about: About::default(),
            writes,
            end: None,
        };
        head.state.leases.insert(lease(n), granted);
    }
    let (line, _) = write_head(&head, head.state.revision);
    assert!(line.len() as u64 > FULL_BYTES, "{}", line.len());
    std::fs::write(lab.journal(), line).unwrap();

    let party = lab.party();
    let grant = Command::Grant {
        lease: lease(9_999),
        holder,
        ttl_ms: None,
        writes: Vec::new(),
        about: About::default(),
        bound: None,
        asked_by: None,
    };
    let todo = Set {
        task: TaskId::new("T1").unwrap(),
        to: Status::new("todo").unwrap(),
        from: None,
        epoch: 0,
        detail: None,
        resolve: false,
    };
    let refused = [
        party.lease(&asking("h"), &grant).unwrap_err(),
        party.submit(&asking("h"), &acquire("other", "h", HOUR)).unwrap_err(),
        party.task(&asking("h"), &todo).unwrap_err(),
    ];
    for error in refused {
        assert!(error.happened() == Happened::No && error.to_string().contains("is full"), "{error}");
    }
    let close = Command::Close { lease: lease(0), proof: Shows::Token(1) };
    let closed = party.lease(&asking("h"), &close).unwrap().verdict;
    assert_eq!(closed, LeaseVerdict::Closed { token: 1, already: false });
}
