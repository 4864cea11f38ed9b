//! "A token never repeats or goes back, whatever was lost" (C3), on every way to lose something.

use super::kit::{Act, Tampered};
use crate::spec_kit::{DURABLE, Does as _, HOUR, Lab, RELAXED, acquire, vandal};
use fencehold::fs::RealFs;

/// Cuts the journal to its first `lines` lines, without a trace: what a power loss does to what was never synced.
fn lose_all_but(lab: &Lab, lines: usize) {
    let kept: String = lab.lines()[..lines].iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(lab.journal(), kept).unwrap();
}

/// The next token of a fresh process, after a reboot, of another holder.
fn next(lab: &Lab) -> u64 {
    lab.machine.reboot("after the loss");
    lab.party().token(&acquire("next", "another", HOUR))
}

/// Tokens were acked under relaxed durability and used elsewhere; power is lost, and the journal ends at any line
/// before. The wrong variant is `review_m10_token_floor_skipped_is_seen`.
#[test]
fn review_C3_relaxed_tokens_that_were_lost_are_never_handed_out_again() {
    let mut cuts = 0;
    for lines in 1..12 {
        let lab = Lab::new();
        let party = lab.party_on(RealFs, RELAXED);
        let tokens: Vec<u64> =
            (0..10).map(|n| party.token(&acquire(&format!("{n}"), "holder", HOUR))).collect();
        assert_eq!(lab.lines().len(), 12, "line one, the boot, and a line for each");
        lose_all_but(&lab, lines);
        let next = next(&lab);
        assert!(tokens.iter().all(|token| *token < next), "{next} after {tokens:?}");
        cuts += 1;
    }
    assert_eq!(cuts, 11);
}

/// The wrong variant of C3, caught: the same machine, and a floor that was never raised: the token repeats.
#[test]
fn review_m10_token_floor_skipped_is_seen() {
    let lab = Lab::new();
    let floorless = || Tampered::always(RealFs, "rename", "floor.json", Act::Skip);
    let party = lab.party_on(floorless(), RELAXED);
    let token = party.token(&acquire("a", "holder", HOUR));
    lose_all_but(&lab, 1);
    lab.machine.reboot("after the loss");
    let again = lab.party_on(floorless(), DURABLE).token(&acquire("a", "another", HOUR));
    assert_eq!(again, token, "two holders of one token");
}

/// The loss comes in the very boot: a tail that was set aside because a sync of the file had failed (C2).
#[test]
fn review_C3_what_a_failed_sync_lost_leaves_its_revisions_unused() {
    let lab = Lab::new();
    let party = lab.party_on(RealFs, RELAXED);
    let tokens: Vec<u64> = (0..4).map(|n| party.token(&acquire(&format!("{n}"), "h", HOUR))).collect();
    drop(party);
    // A page was lost, and whoever was told left the mark.
    vandal::damage(&lab, 3);
    std::fs::write(lab.path("journal.1.condemned"), "").unwrap();
    let next = lab.party().token(&acquire("next", "another", HOUR));
    assert!(tokens.iter().all(|token| *token < next), "{next} after {tokens:?}");
}

/// What was acked is damaged, and a person repairs: the lost grants had tokens, and every later one is above them.
#[test]
fn review_C3_a_repair_goes_on_above_everything_that_it_sets_aside() {
    let mut repaired = 0;
    for broken in 1..6 {
        let lab = Lab::new();
        let tokens: Vec<u64> =
            (0..4).map(|n| lab.party().token(&acquire(&format!("{n}"), "h", HOUR))).collect();
        vandal::damage(&lab, broken);
        lab.party().ask(&acquire("x", "h", HOUR)).unwrap_err();
        lab.party().journal().repair().unwrap();
        let next = lab.party().token(&acquire("next", "another", HOUR));
        assert!(tokens.iter().all(|token| *token < next), "line {broken}: {next} after {tokens:?}");
        repaired += 1;
    }
    assert_eq!(repaired, 5);
}

/// The journal is gone, beside a lock and a floor: damage, and after a repair the tokens go on above.
#[test]
fn review_C3_a_missing_journal_is_no_fresh_workspace() {
    for rotated in [false, true] {
        let lab = Lab::new();
        let token = lab.party().token(&acquire("a", "h", HOUR));
        if rotated {
            vandal::rotate(&lab);
        }
        let last = lab.party().token(&acquire("last", "h", HOUR));
        std::fs::remove_file(lab.journal()).unwrap();
        assert_eq!(lab.party().ask(&acquire("b", "h", HOUR)).unwrap_err().exit_code(), 4);
        lab.party().journal().repair().unwrap();
        let next = lab.party().token(&acquire("b", "h", HOUR));
        assert!(next > last && last > token, "{next} {last} {token}");
    }
}

/// The floor itself is gone as well: a repair takes one that is above all that was handed out.
#[test]
fn review_C3_a_missing_floor_is_put_above_all_that_was_handed_out() {
    let lab = Lab::new();
    let mut last = 0;
    for boot in 0..5 {
        lab.machine.reboot(&format!("boot {boot}"));
        last = lab.party().token(&acquire(&format!("{boot}"), "h", HOUR));
    }
    // The newest lines are lost with it.
    lose_all_but(&lab, 2);
    std::fs::remove_file(lab.path("floor.json")).unwrap();
    assert_eq!(lab.party().ask(&acquire("b", "h", HOUR)).unwrap_err().exit_code(), 4);
    lab.party().journal().repair().unwrap();
    assert!(lab.party().token(&acquire("b", "h", HOUR)) > last);
}

/// The whole workspace is restored from a backup: it goes on as a workspace of its own, at its floor. (No machine can
/// know what was handed out after the backup; the new id keeps those tokens from passing any mark.)
#[test]
fn review_C3_a_restored_backup_is_another_workspace_at_its_floor() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    let backup = lab.root().join("backup");
    let copied = std::process::Command::new("cp").arg("-a").args([&lab.ws(), &backup]).status().unwrap();
    assert!(copied.success());
    let later = lab.party().token(&acquire("b", "h", HOUR));
    let id = lab.party().workspace().unwrap();
    std::fs::remove_dir_all(lab.ws()).unwrap();
    std::fs::rename(&backup, lab.ws()).unwrap();
    let party = lab.party();
    let next = party.token(&acquire("b", "another", HOUR));
    assert!(next > later, "{next} {later}");
    assert_ne!(party.workspace().unwrap(), id);
}

/// Revisions grow and are not consecutive, over boots, losses and repairs, and stay below 2^53.
#[test]
fn review_C3_revisions_grow_over_every_loss() {
    let lab = Lab::new();
    let mut last = 0;
    let mut jumps = 0;
    for round in 0..6 {
        lab.machine.reboot(&format!("boot {round}"));
        let party = lab.party_on(RealFs, RELAXED);
        let token = party.token(&acquire(&format!("first {round}"), "h", HOUR));
        assert!(token > last, "round {round}: {token} after {last}");
        jumps += usize::from(token > last + 1000);
        last = party.token(&acquire(&format!("second {round}"), "h", HOUR));
        lose_all_but(&lab, lab.lines().len() - 1 - round % 2);
    }
    assert!(jumps >= 5 && last < 1 << 53, "{jumps} {last}");
}
