//! Workspaces that were copied, restored or removed.

use std::path::Path;

use fencehold::fs::RealFs;
use fencehold::journal::{Modes, create};

use crate::spec_kit::{Does as _, HOUR, Lab, acquire, is_damage};

fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

/// RECOVER-13: A workspace whose lock file is another inode than its floor says is a copy: the next writer gives it a
/// new workspace id, goes on at the floor, and says so once.
#[test]
fn a_restored_backup_goes_on_as_a_workspace_of_its_own() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    let backup = lab.root().join("backup");
    copy(&lab.ws(), &backup);
    let lost = lab.party().token(&acquire("lost", "h", HOUR));
    let (id, floor) = (lab.party().workspace().unwrap(), lab.floor());
    std::fs::remove_dir_all(lab.ws()).unwrap();
    copy(&backup, &lab.ws());
    let party = lab.party();
    assert_eq!(party.held("a"), Some(("h".to_owned(), token)));
    let next = party.token(&acquire("b", "h", HOUR));
    assert!(next > floor && floor > lost, "{next} {floor} {lost}");
    let said = |party: &crate::spec_kit::Party<RealFs>| {
        party.journal().notes().iter().filter(|note| note.0.contains("copy")).count()
    };
    let new_id = party.workspace().unwrap();
    assert!(new_id != id);
    assert_eq!(said(&party), 1);
    let another = lab.party();
    another.token(&acquire("c", "h", HOUR));
    assert_eq!((said(&party), said(&another)), (0, 0));
    assert_eq!(another.workspace().unwrap(), new_id);
    assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)), "its locks are those of the copy");
}

/// RECOVER-14: A workspace that a running process saw vanish is never made anew by that process.
#[test]
fn a_process_whose_workspace_was_removed_does_not_go_on() {
    let lab = Lab::new();
    let party = lab.party();
    party.token(&acquire("a", "h", HOUR));
    let backup = lab.root().join("backup");
    copy(&lab.ws(), &backup);
    party.token(&acquire("later", "h", HOUR));
    std::fs::remove_dir_all(lab.ws()).unwrap();
    for _ in 0..2 {
        assert!(is_damage(&party.ask(&acquire("b", "h", HOUR))));
        assert!(is_damage(&party.look("a")));
        assert!(!lab.ws().exists());
    }
    // Somebody else's new one, and an older copy, are not taken for the one that it knew.
    assert!(create(&RealFs, &lab.machine, &lab.ws(), Modes::Owner).unwrap());
    assert!(is_damage(&party.ask(&acquire("b", "h", HOUR))));
    assert!(is_damage(&party.look("a")));
    std::fs::remove_dir_all(lab.ws()).unwrap();
    copy(&backup, &lab.ws());
    assert!(is_damage(&party.ask(&acquire("b", "h", HOUR))));
    lab.party().token(&acquire("b", "h", HOUR));
}

#[test]
fn a_journal_that_shrank_under_a_process_is_damage_to_it() {
    let lab = Lab::new();
    let party = lab.party();
    party.token(&acquire("a", "h", HOUR));
    let older = lab.bytes("journal.1.ndjson");
    party.token(&acquire("b", "h", HOUR));
    std::fs::write(lab.journal(), &older).unwrap();
    assert!(is_damage(&party.ask(&acquire("c", "h", HOUR))));
    assert!(is_damage(&party.ask(&acquire("c", "h", HOUR))), "the second time as the first");
    assert!(is_damage(&party.look("a")));
    assert!(is_damage(&lab.party().ask(&acquire("c", "h", HOUR))), "to a fresh one of the same boot as well");
    lab.party().journal().repair().unwrap();
    lab.party().token(&acquire("c", "h", HOUR));
}
