use fencehold_model::lock::{Already, Decision, Proof, Refusal};
use fencehold_model::{Event, Holder, LockName, State};

use super::bench::{Bench, TTL_MS, bench, is_granted};

/// LOCK-2: An acquire of a free name is granted with a new token and expires its TTL after `now`.
///
/// LOCK-3: An acquire of a live lock by another holder is refused as `held`, with the holder, the token and the
/// time left, and changes nothing.
#[test]
fn free_is_granted_and_live_is_held() {
    let mut x = bench();
    assert!(is_granted(&x.acquire("a", "c")));
    assert_eq!((x.token(), x.expires_ms()), (3, 1_000 + TTL_MS));
    let before = x.state.clone();
    let Decision::Refuse(Refusal::Held(grant)) = x.acquire("b", "c") else { panic!("it is held") };
    assert_eq!((grant.holder.as_str(), grant.token, grant.expires_ms), ("a", 3, 1_000 + TTL_MS));
    assert_eq!(x.state, before);
}

/// LOCK-4: An acquire by the same holder with the same claim keeps its token, and its expiry never becomes earlier.
///
/// LOCK-5: An acquire by the same holder with another claim, or with none, is refused as `held`.
#[test]
fn the_claim_is_what_repeats() {
    let mut x = bench();
    assert!(is_granted(&x.acquire("a", "c")));
    let kept = Decision::Already(Already::Granted { token: 3, expires_ms: Some(1_100) });
    assert_eq!(x.acquire_for("a", "c", 1, None), kept);
    x.now_ms += 10;
    assert!(matches!(
        x.acquire("a", "c"),
        Decision::Record(Event::LockRenewed { token: 3, expires_ms: 1_110, .. })
    ));
    for claim in ["d", ""] {
        assert!(matches!(x.acquire("a", claim), Decision::Refuse(Refusal::Held(_))), "{claim:?}");
    }
    let mut unclaimed = bench();
    assert!(is_granted(&unclaimed.acquire("a", "")));
    assert!(matches!(unclaimed.acquire("a", ""), Decision::Refuse(Refusal::Held(_))));
}

/// LOCK-6: A timed lock lapses at the instant `now` reaches its expiry, whether its holder is alive or not.
///
/// LOCK-7: An expired lock is nobody's: renew and release of it are refused as `expired`.
///
/// LOCK-8: An acquire of a lapsed lock is granted under a new token, its old holder and claim included.
#[test]
fn expiry_is_an_instant() {
    for (later_ms, live) in [(TTL_MS - 1, true), (TTL_MS, false), (TTL_MS + 1, false)] {
        let after = || {
            let mut x = bench();
            x.acquire("a", "c");
            x.now_ms += later_ms;
            x
        };
        let expired = Decision::Refuse(Refusal::Expired);
        assert_eq!(after().renew("a", Proof::Token(3), None) == expired, !live);
        assert_eq!(after().release("a", Proof::Token(3)) == expired, !live);
        assert_eq!(is_granted(&after().acquire("b", "d")), !live);
        let mut own = after();
        assert_eq!(is_granted(&own.acquire("a", "c")), !live);
        assert_eq!(own.token(), if live { 3 } else { 6 });
    }
}

/// LOCK-9: A renew keeps the token and moves the expiry to `now` plus the TTL asked for, or the last TTL where none
/// is asked for, but never to an earlier instant.
#[test]
fn renew_moves_the_expiry_later_only() {
    let mut x = bench();
    x.acquire("a", "c");
    x.now_ms += 50;
    assert!(matches!(
        x.renew("a", Proof::Token(3), Some(50)),
        Decision::Already(Already::Granted { token: 3, .. })
    ));
    for (ttl_ms, expires_ms) in [(None, 1_150), (Some(300), 1_350), (None, 1_350), (Some(1), 1_350)] {
        x.renew("a", Proof::Claim("c".parse().unwrap()), ttl_ms);
        assert_eq!((x.token(), x.expires_ms()), (3, expires_ms), "{ttl_ms:?}");
    }
}

/// LOCK-10: A renew or release that does not show the current holder, and its token or claim, is refused as
/// `not_holder` and changes nothing.
#[test]
fn who_shows_the_wrong_thing_is_not_the_holder() {
    let mut x = bench();
    x.acquire("a", "c");
    x.release("a", Proof::Token(3));
    x.acquire("b", "d");
    let before = x.state.clone();
    let claim = |text: &str| Proof::Claim(text.parse().unwrap());
    let wrong = [
        ("a", Proof::Token(9)),
        ("b", Proof::Token(3)),
        ("b", Proof::Token(10)),
        ("b", claim("c")),
        ("a", claim("d")),
        ("c", Proof::Token(9)),
    ];
    assert_eq!(x.token(), 9);
    for (holder, proof) in &wrong {
        assert_eq!(
            x.renew(holder, proof.clone(), None),
            Decision::Refuse(Refusal::NotHolder),
            "{holder} {proof:?}"
        );
        assert_eq!(
            x.release(holder, proof.clone()),
            Decision::Refuse(Refusal::NotHolder),
            "{holder} {proof:?}"
        );
    }
    assert_eq!(x.state, before);
}

/// LOCK-11: A released lock is free at once.
///
/// LOCK-12: A repetition of the last release of a name is ok and says `already`, until that release is forgotten.
#[test]
fn release_frees_and_repeats() {
    let mut x = bench();
    x.acquire("a", "c");
    assert!(matches!(
        x.release("a", Proof::Token(3)),
        Decision::Record(Event::LockReleased { token: 3, .. })
    ));
    for proof in [Proof::Token(3), Proof::Claim("c".parse().unwrap())] {
        assert_eq!(x.release("a", proof), Decision::Already(Already::Released { token: 3 }));
    }
    let mut later = State { ..x.state.clone() };
    later.forget(x.now_ms + fencehold_model::state::REMEMBER_MS);
    let mut forgotten = Bench { state: later, now_ms: x.now_ms, seen: None };
    assert_eq!(forgotten.release("a", Proof::Token(3)), Decision::Refuse(Refusal::NotHolder));
    assert!(is_granted(&x.acquire("b", "d")));
    assert_eq!(x.release("a", Proof::Token(3)), Decision::Already(Already::Released { token: 3 }));
}

/// LOCK-22: A lock name, holder or claim is 1 to 256 bytes of UTF-8 without control characters and without white
/// space at either end, and anything else fails definitely.
#[test]
fn ids_are_checked_where_they_come_in() {
    let good = ["a", "a b", "a/b", "ß🦀", "\"\\", &"x".repeat(256), &"ß".repeat(128)].map(ToOwned::to_owned);
    let bad = [
        "",
        " ",
        "\t",
        "\u{2003}",
        " a",
        "a ",
        "a\nb",
        "a\0",
        "\u{7f}",
        "\u{85}x",
        &"x".repeat(257),
        &"ß".repeat(129),
    ]
    .map(ToOwned::to_owned);
    assert_eq!(
        good.iter().filter(|text| LockName::new(text).is_ok() && Holder::new(text).is_ok()).count(),
        7
    );
    for text in &bad {
        let refused = LockName::new(text).expect_err(text).to_string();
        assert!(refused.starts_with("lock name"), "{refused}");
        assert!(
            text.parse::<Holder>().is_err() && text.parse::<fencehold_model::Claim>().is_err(),
            "{text:?}"
        );
    }
    assert_eq!(bad.len(), 12);
}
