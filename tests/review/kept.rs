//! What is kept: history and operation ids over rotations (M17), directory entries of a killed rotator (C7), what is
//! already told of an expiry (M21).

use fencehold::fs::RealFs;
use fencehold::journal::{Modes, create};
use fencehold_model::lock::Proof;

use super::kit::{Act, Tampered};
use crate::spec_kit::{
    DURABLE, Disk, Does as _, HOUR, Lab, acquire, asking, kill_everywhere, names, release, vandal,
};

/// Rotation moves the old file to `archive/`: history, evidence and the ids of operations stay. The wrong variant
/// unlinks it.
#[test]
fn review_M17_a_rotation_takes_nothing_out_of_the_history() {
    let run = |moved: bool| {
        let lab = Lab::new();
        let mine = asking("me");
        let first = lab.party().submit(&mine, &acquire("a", "h", HOUR)).unwrap();
        lab.party().verdict(&release("a", "h", Proof::Token(first.revision)));
        vandal::rotate(&lab);
        if !moved {
            std::fs::remove_file(lab.path("archive/journal.1.ndjson")).unwrap();
        }
        let (events, _) = lab.history();
        events.iter().filter(|entry| entry.revision == first.revision).count()
    };
    assert_eq!(run(true), 1);
    assert_eq!(run(false), 0, "the wrong variant: the evidence is gone");
    // An operation that is repeated behind the rotation is not done twice.
    let lab = Lab::new();
    vandal::fill(&lab);
    let mine = asking("me");
    let first = lab.party().submit(&mine, &acquire("a", "h", HOUR)).unwrap();
    assert_eq!(lab.n(), 2);
    vandal::rotate(&lab);
    let again = lab.party().submit(&mine, &acquire("a", "h", HOUR)).unwrap();
    assert_eq!((again.revision, again.verdict), (first.revision, first.verdict));
}

/// A rotator was killed between the rename and the sync of the directory. Whoever comes next makes the entry durable
/// before it answers anything. The wrong variant syncs the file alone: the power loss takes the whole file.
#[test]
fn review_C7_the_next_one_pays_the_killed_rotators_directory() {
    let mut paid = 0;
    for ask in ["grant", "refusal", "read"] {
        let lab = Lab::new();
        lab.party().token(&acquire("a", "h", HOUR));
        vandal::fill(&lab);
        let mut renamed = false;
        let rotator = Tampered::new(RealFs, move |call, path| {
            if renamed && call == "sync_dir" {
                return Act::Die;
            }
            renamed |= call == "rename" && path.ends_with("journal.2.ndjson");
            Act::Go
        });
        lab.party_on(rotator, DURABLE).ask(&acquire("b", "h", HOUR)).unwrap_err();
        assert_eq!(lab.n(), 2, "it has its name");
        let (disk, calls) = Disk::noting();
        let next = lab.party_on(disk, DURABLE);
        match ask {
            "grant" => _ = next.token(&acquire("b", "h", HOUR)),
            "refusal" => _ = next.refusal(&acquire("a", "other", HOUR)),
            _ => assert!(next.held("a").is_some()),
        }
        let calls = calls.lock().unwrap();
        assert!(calls.iter().any(|call| call == "sync_dir ws"), "{ask}: {calls:#?}");
        paid += 1;
    }
    assert_eq!(paid, 3);
}

/// The same debt at `init`: killed at any step it leaves none or one that works, and who finds one syncs its parent
/// before the first answer.
#[test]
fn review_C7_the_next_one_pays_the_killed_creators_directories() {
    let mut works = 0;
    kill_everywhere(|disk, _| {
        let lab = Lab::empty();
        let _ = create(&disk, &lab.machine, &lab.ws(), Modes::Owner);
        if !lab.ws().exists() {
            return;
        }
        let (noting, calls) = Disk::noting();
        lab.party_on(noting, DURABLE).token(&acquire("a", "h", HOUR));
        let parent = lab.root().file_name().unwrap().to_string_lossy().into_owned();
        let calls = calls.lock().unwrap();
        let synced = |dir: &str| calls.iter().any(|call| *call == format!("sync_dir {dir}"));
        assert!(synced("ws") && synced(&parent), "{calls:#?}");
        works += 1;
    });
    assert!(works >= 1);
}

/// A file n+1 that a dead rotator left is adopted, never truncated and never in the way; its orphan temporary files are
/// swept. The wrong variants: O_EXCL fails for ever, O_TRUNC destroys what was acked in it.
#[test]
fn review_C7_a_dead_rotators_file_is_adopted_and_its_temp_is_swept() {
    let kills = kill_everywhere(|disk, _| {
        let lab = Lab::new();
        let token = lab.party().token(&acquire("a", "h", HOUR));
        vandal::fill(&lab);
        let _ = lab.party_on(disk, DURABLE).ask(&acquire("b", "h", HOUR));
        let acked = lab.party().token(&acquire("c", "h", HOUR));
        vandal::rotate(&lab);
        assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)));
        assert_eq!(lab.party().held("c"), Some(("h".to_owned(), acked)));
        let left: Vec<String> =
            names(&lab.ws()).into_iter().filter(|name| name.contains("fencehold-")).collect();
        assert_eq!(left, [""; 0], "swept");
    });
    assert!(kills > 20, "{kills}");
}

/// There is one pointer: the highest n. A power loss that takes the new file's entry leaves the old file, whole, which
/// a rotation synced before it named the new one.
#[test]
fn review_C7_the_old_file_is_whole_when_the_new_one_gets_its_name() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    vandal::fill(&lab);
    let (disk, calls) = Disk::noting();
    lab.party_on(disk, DURABLE).token(&acquire("b", "h", HOUR));
    let calls = calls.lock().unwrap();
    let at = |wanted: &str| calls.iter().position(|call| call.starts_with(wanted));
    let order = [
        at("sync journal.1.ndjson"),
        at("sync .journal.2.ndjson"),
        at("rename journal.2.ndjson"),
        at("sync_dir ws"),
    ];
    assert!(order.iter().all(Option::is_some), "{order:?} {calls:#?}");
    assert!(order[0] < order[2] && order[1] < order[2], "{calls:#?}");
    // What the power loss leaves: the entry of the new file is not there.
    std::fs::remove_file(lab.path("journal.2.ndjson")).unwrap();
    std::fs::rename(lab.path("archive/journal.1.ndjson"), lab.path("journal.1.ndjson")).unwrap();
    lab.machine.reboot("after the power cut");
    assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)));
}

/// The sync took longer than the TTL: the remaining time is computed when the answer is written, and is none. The wrong
/// variant computes it when it decides: it would be the whole TTL.
#[test]
fn review_M21_a_sync_that_outlasts_the_ttl_leaves_no_time() {
    for (sync_ms, left) in [(0, 5_000), (4_999, 1), (5_000, 0), (6_000, 0)] {
        let lab = Lab::new();
        lab.party().token(&acquire("boot", "h", HOUR));
        let (machine, mut written) = (lab.machine.clone(), false);
        let slow = Tampered::new(RealFs, move |call, path| {
            written |= call == "append";
            if written && call == "sync" && path.ends_with("journal.1.ndjson") {
                machine.pass(sync_ms);
                written = false;
            }
            Act::Go
        });
        let answer = lab.party_on(slow, DURABLE).ask(&acquire("a", "h", 5_000)).unwrap();
        let fencehold::ledger::Verdict::Granted { expires_ms: Some(expires_ms), .. } = answer.verdict else {
            panic!("{answer:?}")
        };
        assert_eq!(answer.expires_in_ms(expires_ms), left, "{sync_ms}");
        assert_eq!(expires_ms - answer.at_ms, 5_000, "when it was decided it was the whole TTL");
        assert_eq!(lab.party().held("a").is_some(), left > 0);
    }
}
