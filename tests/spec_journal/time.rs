//! Boots and journal time.

use fencehold::journal::Journal as _;
use fencehold_model::Event;

use crate::spec_kit::{Does as _, HOUR, Lab, acquire, is_damage};

/// JOURNAL-19: The first event of a boot stands at the floor as it was, and the floor was raised by 2^20 before.
#[test]
fn each_boot_begins_at_the_floor() {
    let lab = Lab::new();
    for boot in 1..=5 {
        lab.machine.reboot(&format!("boot {boot}"));
        let floor = lab.floor();
        let token = lab.party().token(&acquire(&format!("{boot}"), "h", HOUR));
        assert_eq!((token, lab.floor()), (floor + 1, floor + (1 << 20)));
        lab.party().token(&acquire(&format!("{boot} again"), "h", HOUR));
    }
    let (entries, _) = lab.history();
    let boots: Vec<u64> = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::Boot { .. }))
        .map(|entry| entry.revision >> 20)
        .collect();
    assert_eq!(boots, [1, 2, 3, 4, 5]);
}

/// JOURNAL-20: Journal time follows CLOCK_MONOTONIC within a boot and never goes back from one boot to the next,
/// whatever the wall clock says.
#[test]
fn the_wall_clock_moves_journal_time_at_a_boot_and_only_forward() {
    let lab = Lab::new();
    let first = lab.machine.wall_ms();
    let party = lab.party();
    party.token(&acquire("a", "h", 10 * HOUR));
    assert_eq!(party.journal().now_ms().unwrap(), first);
    for wall_ms in [0, first + 1_000 * HOUR] {
        lab.machine.wall(wall_ms);
        assert_eq!(lab.party().list().unwrap().at_ms, first, "a step of the wall clock within a boot");
    }
    lab.machine.pass(HOUR);
    let last = lab.party().ask(&acquire("b", "h", HOUR)).unwrap().at_ms;
    assert_eq!(last, first + HOUR);
    // A boot with a wall clock from long ago, and then one that is right again.
    lab.machine.reboot("boot 2");
    lab.machine.wall(0);
    assert_eq!(lab.party().list().unwrap().at_ms, last, "as a reader sees it that comes first");
    assert_eq!(lab.party().ask(&acquire("c", "h", HOUR)).unwrap().at_ms, last);
    lab.machine.pass(500);
    assert_eq!(lab.party().ask(&acquire("d", "h", HOUR)).unwrap().at_ms, last + 500);
    lab.machine.reboot("boot 3");
    lab.machine.wall(last + HOUR);
    assert_eq!(lab.party().ask(&acquire("e", "h", HOUR)).unwrap().at_ms, last + HOUR);
}

/// JOURNAL-21: A boot id that is among the last 32 that ended and comes back is refused with exit code 2.
#[test]
fn a_boot_that_was_over_and_is_back_is_refused() {
    let lab = Lab::new();
    for boot in 0..33 {
        lab.machine.reboot(&format!("boot {boot}"));
        lab.party().token(&acquire(&format!("{boot}"), "h", HOUR));
    }
    let before = lab.snapshot();
    let mut refused = 0;
    for boot in 0..32 {
        lab.machine.reboot(&format!("boot {boot}"));
        for error in [
            lab.party().ask(&acquire("x", "h", HOUR)).map(|_| ()).unwrap_err(),
            lab.party().look("x").map(|_| ()).unwrap_err(),
        ] {
            assert_eq!(error.exit_code(), 2, "{error}");
            assert!(error.to_string().contains("two kernels"), "{error}");
            refused += 1;
        }
    }
    assert_eq!(refused, 64);
    assert_eq!(lab.snapshot(), before);
    lab.machine.reboot("boot 32");
    assert!(!is_damage(&lab.party().ask(&acquire("x", "h", HOUR))));
}
