//! Tokens grow, whatever happens.

use fencehold::fs::RealFs;

use crate::spec_kit::{
    DURABLE, Does as _, HOUR, Lab, Named, RELAXED, acquire, end_by_hand, kill_everywhere, vandal,
};

/// FENCE-1: The token of a grant is greater than every token granted in the workspace before it, whatever the name.
#[test]
fn tokens_grow_over_all_names() {
    let lab = Lab::new();
    let mut tokens = Vec::new();
    for index in 0..60 {
        let name = format!("lock {}", index * 7 % 5);
        let party = lab.party();
        if party.held(&name).is_some() {
            party.verdict(&end_by_hand(&name, "next"));
        }
        tokens.push(party.token(&acquire(&name, "h", HOUR)));
    }
    assert!(tokens.windows(2).all(|pair| pair[0] < pair[1]), "{tokens:?}");
}

/// What may lie between two grants.
fn disturbances() -> Vec<Named<fn(&Lab)>> {
    vec![
        ("nothing", |_| ()),
        ("a torn tail", |lab| lab.append("{\"rev\":")),
        ("a rotation", vandal::rotate),
        ("a reboot", |lab| lab.machine.reboot(&format!("boot at {}", lab.floor()))),
        ("a failed sync", |lab| {
            std::fs::write(lab.journal().with_extension("condemned"), "").unwrap();
        }),
        ("unacked lines lost in a crash", |lab| {
            let relaxed = lab.party_on(RealFs, RELAXED);
            let before = std::fs::read(lab.journal()).unwrap();
            relaxed.token(&acquire(&format!("lost {}", lab.floor()), "h", HOUR));
            std::fs::write(lab.journal(), before).unwrap();
            lab.machine.reboot(&format!("boot after {}", lab.floor()));
        }),
        ("acked lines damaged, and a repair", |lab| {
            lab.party().token(&acquire(&format!("damaged {}", lab.floor()), "h", HOUR));
            vandal::damage(lab, lab.lines().len() - 1);
            lab.party().journal().repair().unwrap();
        }),
        ("line one damaged, and a repair", |lab| {
            vandal::damage(lab, 0);
            lab.party().journal().repair().unwrap();
        }),
        ("the floor lost, and a repair", |lab| {
            std::fs::remove_file(lab.path("floor.json")).unwrap();
            lab.party().journal().repair().unwrap();
        }),
        ("the lock replaced", |lab| {
            std::fs::write(lab.path("new"), "").unwrap();
            std::fs::rename(lab.path("new"), lab.path("lock")).unwrap();
        }),
    ]
}

/// FENCE-2: No token is granted twice in a workspace, whatever was killed, recovered, rotated or repaired between.
#[test]
fn no_token_comes_back_whatever_happened() {
    let lab = Lab::new();
    let mut tokens = vec![lab.party().token(&acquire("first", "h", HOUR))];
    let mut happened = 0;
    for round in 0..3 {
        for (what, disturb) in disturbances() {
            disturb(&lab);
            let token = lab.party().token(&acquire(&format!("{what} {round}"), "h", HOUR));
            assert!(token > *tokens.last().unwrap(), "after {what}: {token} after {tokens:?}");
            tokens.push(token);
            happened += 1;
        }
    }
    // And with a kill at every step of a grant; a grant that was seen was handed out.
    let mut round = 0;
    let kills = kill_everywhere(|disk, _| {
        round += 1;
        let name = format!("killed {round}");
        let _ = lab.party_on(disk, DURABLE).ask(&acquire(&name, "h", HOUR));
        tokens.extend(lab.party().held(&name).map(|(_, token)| token));
        tokens.push(lab.party().token(&acquire(&format!("after {round}"), "h", HOUR)));
    });
    assert!(tokens.windows(2).all(|pair| pair[0] < pair[1]), "{tokens:?}");
    assert!(happened == 30 && kills > 20, "{happened} {kills}");
}
