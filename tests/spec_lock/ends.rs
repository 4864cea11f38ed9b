//! How a grant ends, who is told, and what may be asked for at all.

use fencehold::error::Happened;
use fencehold::ledger::Verdict;
use fencehold_model::lock::{Proof, Refusal};
use fencehold_model::{Claim, Event, Holder, LockName};

use crate::spec_kit::{
    Act, DURABLE, Disk, Does as _, HOUR, Lab, acquire, by_claim, end_by_hand, lock, release, renew, vandal,
};

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
    let expected = Event::LockBroken { name: lock("x"), token, reason: reason.trim().to_owned() };
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
        let disk = Disk::new(move |call, _| {
            if call == "append" {
                written = true;
            } else if call == "sync" && std::mem::take(&mut written) {
                machine.pass(commit_takes);
            }
            Act::Go
        });
        let party = lab.party_on(disk, DURABLE);
        let answer = party.ask(&acquire(&format!("{commit_takes}"), "h", ttl_ms)).unwrap();
        let Verdict::Granted { expires_ms: Some(expires_ms), .. } = answer.verdict else {
            panic!("{answer:?}")
        };
        assert_eq!(answer.expires_in_ms(expires_ms), expected);
        seen += 1;
    }
    assert_eq!(seen, 3);
}
