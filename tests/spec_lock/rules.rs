//! What is granted and what is refused.

use fencehold::ledger::Verdict;
use fencehold_model::Event;
use fencehold_model::lock::{Proof, Refusal, TTL_MS_MAX};

use crate::spec_kit::{Does as _, HOUR, Lab, acquire, by_claim, end_by_hand, lock, release, renew};

/// When the grant of `name` lapses, from now.
fn left(lab: &Lab, name: &str) -> Option<u64> {
    let seen = lab.party().show(&lock(name)).unwrap();
    seen.value.grant.map(|(grant, _)| grant.expires_ms - seen.at_ms)
}

/// LOCK-1: At any instant of journal time at most one grant of a name is live.
#[test]
fn grants_of_one_name_never_overlap() {
    let lab = Lab::new();
    let mut granted = 0;
    for round in 0_u64..300 {
        let party = lab.party();
        let who = ["a", "b", "c"][(round * 7 % 3) as usize];
        match party.verdict(&acquire("x", who, 20 + round % 50)) {
            Verdict::Granted { token, .. } => {
                granted += 1;
                if round % 4 == 0 {
                    party.verdict(&release("x", who, Proof::Token(token)));
                } else if round % 7 == 0 {
                    party.verdict(&end_by_hand("x", "stuck"));
                }
            }
            Verdict::Refused(Refusal::Held(_)) => {}
            other => panic!("{other:?}"),
        }
        lab.machine.pass(round % 13);
    }
    // From what was recorded alone: each grant begins after the one before had ended.
    let (mut live_until, mut spans) = (0, 0);
    for entry in lab.events() {
        match entry.event {
            Event::LockGranted { expires_ms, .. } => {
                assert!(entry.at_ms >= live_until, "at {} one was live until {live_until}", entry.at_ms);
                live_until = expires_ms;
                spans += 1;
            }
            Event::LockReleased { .. } | Event::LockBroken { .. } => live_until = entry.at_ms,
            _ => {}
        }
    }
    assert!(spans == granted && granted > 60, "{spans} {granted}");
}

/// LOCK-2: An acquire of a free name is granted with a new token and expires its TTL after `now`.
#[test]
fn a_free_name_is_granted_for_its_ttl() {
    let lab = Lab::new();
    let mut tokens = Vec::new();
    for ttl_ms in [1, 1_000, HOUR, TTL_MS_MAX] {
        lab.machine.pass(17);
        let answer = lab.party().ask(&acquire(&format!("{ttl_ms}"), "h", ttl_ms)).unwrap();
        let Verdict::Granted { token, expires_ms } = answer.verdict else { panic!("{answer:?}") };
        assert_eq!(expires_ms, Some(answer.at_ms + ttl_ms));
        assert_eq!((token, left(&lab, &format!("{ttl_ms}"))), (answer.revision, Some(ttl_ms)));
        tokens.push(token);
    }
    assert!(tokens.windows(2).all(|pair| pair[0] < pair[1]), "{tokens:?}");
}

/// LOCK-3: An acquire of a live lock by another holder is refused as `held`, with the holder, the token and the time
/// left, and changes nothing.
#[test]
fn a_held_lock_says_by_whom_and_for_how_long() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "first#c", 1_000));
    let before = lab.snapshot();
    lab.machine.pass(400);
    let mut refused = 0;
    for who in ["second", "second#c", "first-too#c"] {
        let answer = lab.party().ask(&acquire("x", who, HOUR)).unwrap();
        let Verdict::Refused(Refusal::Held(grant)) = &answer.verdict else { panic!("{answer:?}") };
        assert_eq!((grant.holder.as_str(), grant.token), ("first", token));
        assert_eq!(answer.expires_in_ms(grant.expires_ms), 600);
        refused += 1;
    }
    assert_eq!(refused, 3);
    assert_eq!(lab.snapshot(), before);
}

/// LOCK-4: An acquire by the same holder with the same claim keeps its token, and its expiry never becomes earlier.
#[test]
fn the_same_claim_keeps_its_token_and_never_loses_time() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h#c", 1_000));
    for (ttl_ms, expected) in [(500, 1_000), (1, 1_000), (1_000, 1_000), (5_000, 5_000), (2_000, 5_000)] {
        assert_eq!(lab.party().token(&acquire("x", "h#c", ttl_ms)), token);
        assert_eq!(left(&lab, "x"), Some(expected), "asked for {ttl_ms}");
    }
}

/// LOCK-5: An acquire by the same holder with another claim, or with none, is refused as `held`.
#[test]
fn the_name_of_the_holder_alone_opens_nothing() {
    let mut refused = 0;
    for (first, again) in [("h#c", "h#d"), ("h#c", "h"), ("h", "h"), ("h", "h#c")] {
        let lab = Lab::new();
        let token = lab.party().token(&acquire("x", first, HOUR));
        assert_eq!(lab.party().refusal(&acquire("x", again, HOUR)), "held", "{first} {again}");
        assert_eq!(lab.party().held("x"), Some(("h".to_owned(), token)));
        refused += 1;
    }
    assert_eq!(refused, 4);
}

/// LOCK-6: A timed lock lapses at the instant `now` reaches its expiry, whether its holder is alive or not.
#[test]
fn a_timed_lock_ends_at_its_expiry_to_the_millisecond() {
    let lab = Lab::new();
    let holder = lab.party();
    let token = holder.token(&acquire("x", "h", 1_000));
    lab.machine.pass(999);
    assert_eq!(lab.party().held("x"), Some(("h".to_owned(), token)));
    assert_eq!(lab.party().refusal(&acquire("x", "other", HOUR)), "held");
    lab.machine.pass(1);
    assert_eq!((lab.party().held("x"), holder.held("x")), (None, None));
    assert!(lab.party().token(&acquire("x", "other", HOUR)) > token);
}

/// LOCK-7: An expired lock is nobody's: renew and release of it are refused as `expired`.
#[test]
fn an_expired_lock_is_nobodys() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h#c", 1_000));
    lab.machine.pass(1_000);
    let before = lab.snapshot();
    let mut refused = 0;
    for proof in [Proof::Token(token), by_claim("c")] {
        for command in [
            renew("x", "h", proof.clone(), None),
            renew("x", "h", proof.clone(), Some(HOUR)),
            release("x", "h", proof),
        ] {
            assert_eq!(lab.party().refusal(&command), "expired", "{command:?}");
            refused += 1;
        }
    }
    assert_eq!(refused, 6);
    assert_eq!(lab.snapshot(), before);
}

/// LOCK-8: An acquire of a lapsed lock is granted under a new token, its old holder and claim included.
#[test]
fn a_lapsed_lock_is_granted_anew_to_anybody() {
    for who in ["h#c", "h", "other", "other#c"] {
        let lab = Lab::new();
        let old = lab.party().token(&acquire("x", "h#c", 1_000));
        lab.machine.pass(1_000);
        let new = lab.party().token(&acquire("x", who, HOUR));
        assert!(new > old, "{who}: {new} after {old}");
        assert_eq!(left(&lab, "x"), Some(HOUR));
    }
}

/// LOCK-9: A renew keeps the token and moves the expiry to `now` plus the TTL asked for, or the last TTL where none is
/// asked for, but never to an earlier instant.
#[test]
fn a_renewal_moves_the_expiry_later_or_not_at_all() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h#c", 1_000));
    let steps =
        [(400, None, 1_000), (400, Some(3_000), 3_000), (1_000, Some(500), 2_000), (1_500, None, 3_000)];
    for (pass, ttl_ms, expected) in steps {
        lab.machine.pass(pass);
        for proof in [Proof::Token(token), by_claim("c")] {
            assert_eq!(lab.party().token(&renew("x", "h", proof, ttl_ms)), token);
            assert_eq!(left(&lab, "x"), Some(expected), "{ttl_ms:?} after {pass}");
        }
    }
}

/// LOCK-10: A renew or release that does not show the current holder, and its token or claim, is refused as
/// `not_holder` and changes nothing.
#[test]
fn who_shows_the_wrong_thing_is_not_the_holder() {
    let lab = Lab::new();
    let old = lab.party().token(&acquire("x", "before#c", 10));
    lab.machine.pass(10);
    let token = lab.party().token(&acquire("x", "h#c", HOUR));
    let unclaimed = lab.party().token(&acquire("y", "h", HOUR));
    let before = lab.snapshot();
    let mut refused = 0;
    for (name, holder, proof) in [
        ("x", "other", Proof::Token(token)),
        ("x", "other", by_claim("c")),
        ("x", "h", Proof::Token(old)),
        ("x", "h", Proof::Token(unclaimed)),
        ("x", "h", by_claim("d")),
        ("x", "before", Proof::Token(old)),
        ("y", "h", by_claim("c")),
        ("free", "h", Proof::Token(token)),
    ] {
        for command in [renew(name, holder, proof.clone(), Some(HOUR)), release(name, holder, proof)] {
            assert_eq!(lab.party().refusal(&command), "not_holder", "{command:?}");
            refused += 1;
        }
    }
    assert_eq!(refused, 16);
    assert_eq!(lab.snapshot(), before);
}
