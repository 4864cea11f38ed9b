//! What went wrong once: attempts to break the journal that succeeded, each named for what it did.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fencehold::error::Happened;
use fencehold::journal::{Journal as _, Modes, create};
use fencehold::ledger::FenceStanding;
use fencehold_model::lock::Proof;

use crate::spec_kit::{
    Act, DURABLE, Disk, Does as _, HOUR, Lab, acquire, asking, end_by_hand, lock, names, release, renew,
};

#[test]
fn a_reader_paused_before_the_clock_shows_no_lock_as_free_that_was_renewed() {
    let lab = Lab::new();
    let (holder, reader) = (lab.party(), lab.party());
    let token = holder.token(&acquire("a", "h", 1_000));
    assert_eq!(reader.held("a"), Some(("h".to_owned(), token)));
    let machine = lab.machine.clone();
    lab.machine.before_reading(move || {
        holder.verdict(&renew("a", "h", Proof::Token(token), Some(HOUR)));
        machine.pass(5_000);
    });
    assert_eq!(reader.held("a"), Some(("h".to_owned(), token)), "the lock was held at every instant");
}

#[test]
fn a_lock_file_that_cannot_be_looked_at_leaves_the_os_lock_free() {
    let lab = Lab::new();
    let party = lab.party_on(Disk::nth("stat", "/lock", 1, Act::Fail(ErrorKind::PermissionDenied)), DURABLE);
    assert_eq!(party.ask(&acquire("a", "h", HOUR)).unwrap_err().happened(), Happened::No);
    lab.party().token(&acquire("a", "other", HOUR));
}

#[test]
fn a_decision_that_panics_leaves_the_os_lock_free() {
    let lab = Lab::new();
    let party = lab.party();
    let deciding = || party.journal().commit::<()>(&asking("t"), |_, _| panic!("a broken rule"));
    assert!(catch_unwind(AssertUnwindSafe(deciding)).is_err());
    lab.party().token(&acquire("a", "h", HOUR));
    party.token(&acquire("b", "h", HOUR));
}

#[test]
fn a_name_taken_in_the_archive_keeps_nobody_writing_to_an_old_file() {
    let lab = Lab::new();
    std::fs::write(lab.path("archive/journal.1.ndjson"), "somebody's own copy").unwrap();
    let (slow, busy) = (lab.party(), lab.party());
    slow.token(&acquire("first", "h", HOUR));
    let mut locks = 0;
    while lab.n() < 3 {
        busy.token(&acquire(&format!("{locks}-{}", "x".repeat(200)), &"y".repeat(250), HOUR));
        locks += 1;
    }
    assert!(locks > 100, "{locks}");
    let newest = busy.token(&acquire("mine", "busy", HOUR));
    assert_eq!(slow.refusal(&acquire("mine", "slow", HOUR)), "held");
    assert!(slow.token(&acquire("last", "slow", HOUR)) > newest);
    assert_eq!(lab.party().held("last").map(|(holder, _)| holder), Some("slow".to_owned()));
}

#[test]
fn a_history_read_during_a_rotation_misses_no_file() {
    let lab = Lab::new();
    let party = lab.party();
    let first = party.token(&acquire("first", "h", HOUR));
    let (rotating, mut lists) = (lab.party(), 0);
    let disk = Disk::new(move |call, _| {
        lists += usize::from(call == "list");
        // Between the two folders that are listed.
        if call == "list" && lists == 2 {
            for index in 0..200 {
                rotating.token(&acquire(&format!("{index}-{}", "x".repeat(200)), &"y".repeat(250), HOUR));
            }
        }
        Act::Go
    });
    let mut seen = Vec::new();
    let notes = lab.party_on(disk, DURABLE).journal().history(|entry| seen.push(entry.revision)).unwrap();
    assert!(lab.n() > 1 && notes.is_empty(), "{notes:?}");
    assert!(seen.contains(&first), "{seen:?}");
}

#[test]
fn a_failed_commit_does_not_hand_the_time_over_to_the_wall_clock() {
    let lab = Lab::new();
    let party = lab.party_on(Disk::nth("append", "journal.", 2, Act::Fail(ErrorKind::StorageFull)), DURABLE);
    // Fails at the grant, after the event of the boot.
    party.ask(&acquire("a", "h", HOUR)).unwrap_err();
    let before = lab.machine.wall_ms();
    lab.machine.wall(before + 1_000 * HOUR);
    lab.machine.pass(10);
    assert_eq!(party.journal().now_ms().unwrap(), before + 10);
}

#[test]
fn a_workspace_replaced_under_a_process_by_its_copy_is_taken_for_a_copy() {
    let lab = Lab::new();
    let party = lab.party();
    let token = party.token(&acquire("a", "h", HOUR));
    let id = party.workspace().unwrap();
    let copy = lab.root().join("copy");
    assert!(std::process::Command::new("cp").arg("-a").arg(lab.ws()).arg(&copy).status().unwrap().success());
    std::fs::rename(lab.ws(), lab.root().join("old")).unwrap();
    std::fs::rename(&copy, lab.ws()).unwrap();
    assert!(party.token(&acquire("b", "h", HOUR)) > token + (1 << 19), "it goes on at the floor");
    assert_ne!(party.workspace().unwrap(), id);
    assert!(party.journal().notes().iter().any(|note| note.0.contains("copy")));
}

#[test]
fn a_parent_that_may_not_be_listed_makes_no_recorded_event_indefinite() {
    for (kind, works) in [(ErrorKind::PermissionDenied, true), (ErrorKind::Other, false)] {
        let lab = Lab::new();
        let root = lab.root().to_owned();
        let disk = Disk::new(
            move |call, path| {
                if call == "sync_dir" && path == root { Act::Fail(kind) } else { Act::Go }
            },
        );
        let before = lab.history().0.len();
        match lab.party_on(disk, DURABLE).ask(&acquire(&format!("{kind:?}"), "h", HOUR)) {
            Ok(_) => assert!(works),
            Err(error) => {
                assert_eq!((works, error.happened()), (false, Happened::No), "{error}");
                assert_eq!(lab.history().0.len(), before, "a definite failure recorded nothing");
            }
        }
    }
}

#[test]
fn a_creator_swept_by_another_creator_begins_again() {
    let lab = Lab::empty();
    let (root, mut left) = (lab.root().to_owned(), 2);
    let disk = Disk::new(move |call, path| {
        if call == "lock" && path.ends_with("lock") && left > 0 {
            left -= 1;
            for name in names(&root) {
                std::fs::remove_dir_all(root.join(name)).unwrap();
            }
        }
        Act::Go
    });
    assert!(create(&disk, &lab.machine, &lab.ws(), Modes::Owner).unwrap());
    lab.party().token(&acquire("a", "h", HOUR));
    assert_eq!(names(lab.root()), ["ws"]);
}

#[test]
fn a_token_from_before_a_broken_grant_is_stale() {
    let lab = Lab::new();
    let party = lab.party();
    let released = party.token(&acquire("a", "old", HOUR));
    party.verdict(&release("a", "old", Proof::Token(released)));
    let lapsed = party.token(&acquire("b", "old", 1));
    lab.machine.pass(10);
    let mut stale = 0;
    for (name, old) in [("a", released), ("b", lapsed)] {
        let newer = party.token(&acquire(name, "new", HOUR));
        party.verdict(&end_by_hand(name, "stuck"));
        let standing = party.fence_standing(&lock(name), old).unwrap();
        assert!(
            matches!(standing, FenceStanding::Stale { newest } if newest >= newer),
            "{name}: {standing:?}"
        );
        stale += 1;
    }
    assert_eq!(stale, 2);
    let live = party.token(&acquire("c", "h", HOUR));
    party.token(&acquire("d", "h", HOUR));
    party.verdict(&end_by_hand("d", "stuck"));
    assert_eq!(party.fence_standing(&lock("c"), live).unwrap(), FenceStanding::Good, "another lock's break");
}

#[test]
fn a_floor_of_another_workspace_is_mended_by_repair() {
    let lab = Lab::new();
    let other = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    let theirs: serde_json::Value = serde_json::from_slice(&other.bytes("floor.json")).unwrap();
    let ours = String::from_utf8(lab.bytes("floor.json")).unwrap();
    let id = lab.party().workspace().unwrap();
    // Their id over our lock, with a checksum that is right.
    let mut line = ours.replace(id.as_str(), theirs["workspace"].as_str().unwrap());
    line.truncate(line.find(",\"crc\"").unwrap());
    fencehold_model::chain::seal(&mut line);
    std::fs::write(lab.path("floor.json"), &line).unwrap();
    let refused = lab.party().ask(&acquire("b", "h", HOUR));
    assert!(crate::spec_kit::is_damage(&refused), "{refused:?}");
    let report = lab.party().journal().repair().unwrap();
    assert_eq!((report.done.len(), report.kept.len()), (1, 1), "{report:?}");
    assert_eq!(std::fs::read(&report.kept[0]).unwrap(), line.as_bytes());
    let party = lab.party();
    assert!(party.token(&acquire("b", "h", HOUR)) > token);
    assert_eq!(party.held("a"), Some(("h".to_owned(), token)));
}

#[test]
fn a_file_with_an_absurd_number_is_no_journal() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    let absurd = format!("journal.{}.ndjson", u64::MAX);
    std::fs::write(lab.path(&absurd), "somebody's").unwrap();
    assert_eq!(lab.party().journal().repair().unwrap(), fencehold::journal::Report::default());
    assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)));
    assert_eq!(lab.bytes(&absurd), b"somebody's");
}

#[test]
fn what_a_killed_writer_of_the_floor_left_is_removed() {
    let lab = Lab::new();
    let temp = lab.path(&format!(".floor.json.fencehold-{:032x}", 7));
    for boot in ["boot 1", "boot 2"] {
        std::fs::write(&temp, "half").unwrap();
        lab.machine.reboot(boot);
        lab.party().token(&acquire(boot, "h", HOUR));
        assert!(!temp.exists(), "{:?}", names(&lab.ws()));
    }
}
