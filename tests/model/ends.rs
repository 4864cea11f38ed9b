use fencehold_model::Event;
use fencehold_model::event::Evidence;
use fencehold_model::lock::{Command, Decision, Liveness, Proof, Refusal, Sighting, decide};

use super::bench::{TTL_MS, bench, is_granted, name, process};

/// LOCK-13: A break with a reason ends a live grant, and the history keeps the reason.
///
/// LOCK-14: A break with a blank reason is refused as `needs_reason`, and one of a lock that nobody holds as
/// `not_found`.
///
/// LOCK-15: After a break, renew and release by the former holder are refused as `not_holder`.
#[test]
fn a_break_ends_a_live_grant() {
    let mut x = bench();
    assert_eq!(x.break_it("why"), Decision::Refuse(Refusal::NotFound));
    x.acquire("a", "c");
    assert_eq!(x.break_it(" \t\u{a0}"), Decision::Refuse(Refusal::NeedsReason));
    let Decision::Record(Event::LockBroken { token: 3, reason, .. }) = x.break_it(" it hangs ") else {
        panic!("it is live")
    };
    assert_eq!(reason, "it hangs");
    for proof in [Proof::Token(3), Proof::Claim("c".parse().unwrap())] {
        assert_eq!(x.renew("a", proof.clone(), None), Decision::Refuse(Refusal::NotHolder));
        assert_eq!(x.release("a", proof), Decision::Refuse(Refusal::NotHolder));
    }
    assert!(is_granted(&x.acquire("b", "d")));
    x.now_ms += TTL_MS;
    assert_eq!(x.break_it("why"), Decision::Refuse(Refusal::NotFound), "lapsed is nobody's");
}

/// FENCE-3's half in the model: a break leaves its token remembered as the newest, so that older ones are stale.
#[test]
fn a_broken_grant_keeps_older_tokens_stale() {
    let mut x = bench();
    x.acquire("a", "c");
    x.release("a", Proof::Token(3));
    x.acquire("b", "d");
    x.break_it("why");
    assert_eq!(x.state.locks[&name()].newest_token(), Some(9));
    x.state.forget(x.now_ms + fencehold_model::state::REMEMBER_MS);
    assert!(x.state.locks.is_empty());
    assert_eq!(x.state.forgotten, 9);
}

/// LOCK-16: A bound lock stays held past its TTL while its process lives.
///
/// LOCK-17's half in the model: the next acquire is granted at once and its event keeps the evidence.
///
/// LOCK-20: A bound lock whose process belongs to another host or another pid namespace lapses at its expiry.
///
/// LOCK-21: A bound lock of an earlier boot is lapsed.
#[test]
fn bound_locks_end_with_their_process() {
    let bound = |later_ms, seen| {
        let mut x = bench();
        x.acquire_for("a", "c", TTL_MS, Some(process("boot-1")));
        (x.now_ms, x.seen) = (x.now_ms + later_ms, Some(seen));
        x
    };
    let dead = Liveness::Dead(Evidence::Exited);
    let mut seen = 0;
    for later_ms in [0, 1, TTL_MS - 1, TTL_MS, 50 * TTL_MS] {
        let mut alive = bound(later_ms, Liveness::Alive);
        let Decision::Refuse(Refusal::Held(grant)) = alive.acquire("b", "d") else {
            panic!("its process lives")
        };
        assert_eq!(grant.expires_ms, u64::MAX, "no end while its process lives");
        let Decision::Record(Event::LockGranted { over, .. }) = bound(later_ms, dead).acquire("b", "d")
        else {
            panic!("its process is dead")
        };
        assert_eq!(over, Some(Evidence::Exited));
        let mut unseen = bound(later_ms, Liveness::Unknowable);
        assert_eq!(is_granted(&unseen.acquire("b", "d")), later_ms >= TTL_MS);
        let mut rebooted = bound(later_ms, Liveness::Alive);
        for (boot, ends) in [("boot-1", false), ("boot-2", true)] {
            let boot = Event::Boot { boot: boot.parse().unwrap(), anchor_ms: 0, monotonic_ms: 0 };
            rebooted.record(boot);
            let decision = rebooted.acquire("b", "d");
            assert_eq!(is_granted(&decision), ends, "{decision:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// A sighting of another grant than the current one says nothing.
#[test]
fn a_stale_sighting_is_not_looked_at() {
    let mut x = bench();
    x.acquire_for("a", "c", TTL_MS, Some(process("boot-1")));
    let command = Command::Break { name: name(), reason: "why".into() };
    let sighting = Some(Sighting { token: 2, liveness: Liveness::Dead(Evidence::Exited) });
    assert!(matches!(decide(&x.state, &command, sighting, x.now_ms), Decision::Probe(3, _)));
}
