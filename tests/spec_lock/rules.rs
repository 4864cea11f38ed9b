//! What is granted and what is refused.

use fencehold::error::Happened;
use fencehold::ledger::Verdict;
use fencehold_model::lock::{Proof, Refusal, TTL_MS_MAX};
use fencehold_model::{Claim, Event, Holder, LockName};

use crate::spec_kit::{Does as _, HOUR, Lab, acquire, by_claim, end_by_hand, release, renew, vandal};

/// When the grant of `name` lapses, from now.
fn left(lab: &Lab, name: &str) -> Option<u64> {
    let seen = lab.party().show(&crate::spec_kit::lock(name)).unwrap();
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

/// LOCK-11: A released lock is free at once.
#[test]
fn a_released_lock_is_free() {
    let lab = Lab::new();
    for proof in [None, Some("c")] {
        let token = lab.party().token(&acquire("x", "h#c", HOUR));
        let proof = proof.map_or(Proof::Token(token), by_claim);
        assert_eq!(
            lab.party().verdict(&release("x", "h", proof)),
            Verdict::Released { token, already: false }
        );
        assert_eq!(lab.party().held("x"), None);
        let next = lab.party().token(&acquire("x", "other", HOUR));
        assert!(next > token);
        lab.party().verdict(&release("x", "other", Proof::Token(next)));
    }
}

/// LOCK-12: A repetition of the last release of a name is ok and says `already`, until that release is forgotten.
#[test]
fn a_repeated_release_is_ok_for_ten_minutes_at_least() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h#c", HOUR));
    lab.party().verdict(&release("x", "h", by_claim("c")));
    let already = Verdict::Released { token, already: true };
    let again = |lab: &Lab| {
        [by_claim("c"), Proof::Token(token)].map(|proof| lab.party().verdict(&release("x", "h", proof)))
    };
    assert_eq!(again(&lab), [already.clone(), already.clone()]);
    lab.machine.pass(10 * 60 * 1000 - 1);
    vandal::rotate(&lab);
    assert_eq!(again(&lab), [already.clone(), already.clone()], "a rotation before ten minutes are over");
    // Whoever follows does not change that it was released.
    let next = lab.party().token(&acquire("x", "other", HOUR));
    assert_eq!(again(&lab), [already.clone(), already]);
    assert_eq!(lab.party().held("x"), Some(("other".to_owned(), next)));
    lab.machine.pass(1);
    vandal::rotate(&lab);
    let not_holder = Verdict::Refused(Refusal::NotHolder);
    assert_eq!(again(&lab), [not_holder.clone(), not_holder], "forgotten");
}

/// LOCK-13: A break with a reason ends a live grant, and the history keeps the reason.
#[test]
fn a_break_ends_a_grant_and_says_why() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h", HOUR));
    let reason = "  its laptop \"fell\" into the sea\n";
    assert_eq!(lab.party().verdict(&end_by_hand("x", reason)), Verdict::Broken { token });
    assert_eq!(lab.party().held("x"), None);
    let last = lab.events().pop().unwrap();
    let expected =
        Event::LockBroken { name: crate::spec_kit::lock("x"), token, reason: reason.trim().to_owned() };
    assert_eq!(last.event, expected);
    assert!(lab.party().token(&acquire("x", "other", HOUR)) > token);
}

/// LOCK-14: A break with a blank reason is refused as `needs_reason`, and one of a lock that nobody holds as
/// `not_found`.
#[test]
fn a_break_needs_a_reason_and_a_grant() {
    let lab = Lab::new();
    lab.party().token(&acquire("held", "h", HOUR));
    lab.party().token(&acquire("lapsed", "h", 10));
    lab.machine.pass(10);
    let before = lab.snapshot();
    for reason in ["", " ", "\t\n", "\u{a0}"] {
        assert_eq!(lab.party().refusal(&end_by_hand("held", reason)), "needs_reason", "{reason:?}");
    }
    for name in ["lapsed", "free"] {
        assert_eq!(lab.party().refusal(&end_by_hand(name, "why")), "not_found", "{name}");
    }
    assert_eq!(lab.snapshot(), before);
}

/// LOCK-15: After a break, renew and release by the former holder are refused as `not_holder`.
#[test]
fn the_former_holder_of_a_broken_lock_is_told() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("x", "h#c", HOUR));
    lab.party().verdict(&end_by_hand("x", "stuck"));
    let mut refused = 0;
    for _ in 0..2 {
        for proof in [Proof::Token(token), by_claim("c")] {
            for command in [renew("x", "h", proof.clone(), None), release("x", "h", proof)] {
                assert_eq!(lab.party().refusal(&command), "not_holder");
                refused += 1;
            }
        }
        // And once more when another holds it.
        lab.party().ask(&acquire("x", "other", HOUR)).unwrap();
    }
    assert_eq!(refused, 8);
}

/// LOCK-22: A lock name, holder or claim is 1 to 256 bytes of UTF-8 without control characters and without white space
/// at either end, and anything else fails definitely.
#[test]
fn ids_are_short_visible_text() {
    let bad = [
        "",
        " ",
        "\u{3000}",
        " a",
        "a ",
        "a\u{a0}",
        "a\nb",
        "\0",
        "a\u{7f}",
        "a\u{85}b",
        &"x".repeat(257),
        &"ü".repeat(129),
    ];
    for text in bad {
        let all = [LockName::new(text).is_err(), Holder::new(text).is_err(), Claim::new(text).is_err()];
        assert_eq!(all, [true; 3], "{text:?}");
    }
    let lab = Lab::new();
    let good = ["a", "a b", "a/b=c#", "\"\\\"", "ü", "🔒", &"x".repeat(256), &"ü".repeat(128), "--help"];
    for text in good {
        let (name, holder) = (LockName::new(text).unwrap(), Holder::new(text).unwrap());
        let mut command = acquire("-", "-", HOUR);
        if let fencehold_model::lock::Command::Acquire { name: of, holder: by, claim, .. } = &mut command {
            (*of, *by, *claim) = (name.clone(), holder, Some(Claim::new(text).unwrap()));
        }
        let token = lab.party().token(&command);
        assert_eq!(lab.party().held(text), Some((text.to_owned(), token)), "it comes back as it was given");
    }
}

/// LOCK-23: A TTL is at least 1 ms and at most 366 days, anything else fails definitely, and where none is given for
/// an acquire it is 5 minutes.
#[test]
fn a_ttl_has_bounds_and_a_default() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("held", "h", HOUR));
    let before = lab.snapshot();
    for ttl_ms in [0, 366 * 24 * HOUR + 1, u64::MAX] {
        for command in [acquire("x", "h", ttl_ms), renew("held", "h", Proof::Token(token), Some(ttl_ms))] {
            let error = lab.party().ask(&command).unwrap_err();
            assert_eq!((error.happened(), error.exit_code()), (Happened::No, 2), "{error}");
        }
    }
    assert_eq!(lab.snapshot(), before);
    for ttl_ms in [1, 366 * 24 * HOUR] {
        lab.party().token(&acquire(&format!("{ttl_ms}"), "h", ttl_ms));
    }
    let yard = crate::program::Yard::with_git();
    let granted = yard.json(0, ["lock", "acquire", "x"]);
    let expires_in_ms = granted["value"]["expires_in_ms"].as_u64().unwrap();
    // Computed when the answer is written, some time after the grant.
    assert!((1..=5 * 60 * 1000).contains(&expires_in_ms) && expires_in_ms > 4 * 60 * 1000, "{granted}");
}

/// LOCK-26: The remaining time in an answer is computed when the answer is written, and is 0 for a grant that has
/// lapsed by then.
#[test]
fn the_time_left_is_that_of_the_answer() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    let mut seen = 0;
    for (ttl_ms, commit_takes, expected) in [(1_000, 300, 700), (1_000, 1_000, 0), (1_000, 5_000, 0)] {
        let machine = lab.machine.clone();
        let mut written = false;
        let disk = crate::spec_kit::Disk::new(move |call, _| {
            if call == "append" {
                written = true;
            } else if call == "sync" && std::mem::take(&mut written) {
                machine.pass(commit_takes);
            }
            crate::spec_kit::Act::Go
        });
        let party = lab.party_on(disk, crate::spec_kit::AT_ONCE);
        let answer = party.ask(&acquire(&format!("{commit_takes}"), "h", ttl_ms)).unwrap();
        let Verdict::Granted { expires_ms: Some(expires_ms), .. } = answer.verdict else {
            panic!("{answer:?}")
        };
        assert_eq!(answer.expires_in_ms(expires_ms), expected);
        seen += 1;
    }
    assert_eq!(seen, 3);
}
