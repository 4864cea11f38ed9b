//! Kills at every step, simulated: from one call on nothing of the process reaches the disk any more.

use fencehold_model::lock::{Command, Proof};

use crate::spec_kit::{
    DURABLE, Does as _, HOUR, Lab, Named, acquire, kill_everywhere, release, renew, vandal,
};

type Make = fn() -> (Lab, Command);

/// What stands before an operation is killed, and the operation.
fn cases() -> Vec<Named<Make>> {
    vec![
        ("first of a boot", || (Lab::new(), acquire("a", "h#c", HOUR))),
        ("a grant", || {
            let lab = Lab::new();
            lab.party().token(&acquire("acked", "h", HOUR));
            (lab, acquire("a", "h#c", HOUR))
        }),
        ("after a torn tail", || {
            let lab = Lab::new();
            lab.party().token(&acquire("acked", "h", HOUR));
            lab.append("{\"rev\":");
            (lab, acquire("a", "h#c", HOUR))
        }),
        ("a release", || {
            let lab = Lab::new();
            let token = lab.party().token(&acquire("acked", "h", HOUR));
            (lab, release("acked", "h", Proof::Token(token)))
        }),
        ("a renewal", || {
            let lab = Lab::new();
            let token = lab.party().token(&acquire("acked", "h", HOUR));
            (lab, renew("acked", "h", Proof::Token(token), Some(2 * HOUR)))
        }),
        ("a rotation", || {
            let lab = Lab::new();
            lab.party().token(&acquire("acked", "h", HOUR));
            vandal::fill(&lab);
            (lab, acquire("a", "h#c", HOUR))
        }),
        ("a new boot", || {
            let lab = Lab::new();
            lab.party().token(&acquire("acked", "h", HOUR));
            lab.machine.reboot("boot 2");
            (lab, acquire("a", "h#c", HOUR))
        }),
        ("a condemned file", || {
            let lab = Lab::new();
            lab.party().token(&acquire("acked", "h", HOUR));
            std::fs::write(lab.path("journal.1.condemned"), "").unwrap();
            (lab, acquire("a", "h#c", HOUR))
        }),
        ("a copy", || {
            let lab = Lab::new();
            lab.party().token(&acquire("acked", "h", HOUR));
            std::fs::write(lab.path("new"), "").unwrap();
            std::fs::rename(lab.path("new"), lab.path("lock")).unwrap();
            (lab, acquire("a", "h#c", HOUR))
        }),
    ]
}

/// RECOVER-2: After a kill at any point of any operation the next operation goes on without repair, and every acked
/// event is there.
#[test]
fn the_next_one_goes_on_wherever_the_one_before_was_killed() {
    let (mut kills, mut happened) = (0, 0);
    for (what, make) in cases() {
        kills += kill_everywhere(|disk, killed| {
            let (lab, command) = make();
            let acked = lab.events();
            let answer = lab.party_on(disk, DURABLE).ask(&command);
            let after = lab.events();
            assert!(after.starts_with(&acked), "{what}");
            match answer {
                Ok(answer) => assert!(after.iter().any(|entry| entry.revision == answer.revision), "{what}"),
                Err(error) => assert!(killed(), "{what}: {error}"),
            }
            // What was asked for is there whole, or not at all, and can be asked for again.
            happened += usize::from(after.len() > acked.len());
            let next = lab.party().token(&acquire("next", "h", HOUR));
            assert!(after.iter().all(|entry| entry.revision < next), "{what}");
            lab.party().verdict(&command);
            assert!(lab.events().starts_with(&after), "{what}");
        });
    }
    assert!(kills > 250 && happened > 50, "{kills} kills, {happened} times it had happened");
}
