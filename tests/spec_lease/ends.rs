//! Closed, crashed, cleared: by whom, and what is refused.

use fencehold::ledger::LeaseVerdict;
use fencehold_model::Event;
use fencehold_model::lease::{Cause, Command, Crash, How, LeaseEvent, Refusal};

use super::{Works as _, clear, close, close_by, crash, grant, id, unchanged};
use crate::spec_kit::{HOUR, Lab, asking};

/// LEASE-20: A close that shows the token of an open lease, or its holder, closes it.
///
/// LEASE-21: A close that is repeated with the token that it closed is ok and says `already`, until the lease is
/// granted anew, is cleared or is forgotten.
#[test]
fn a_close_is_done_once_and_may_be_repeated() {
    for by_token in [true, false] {
        let lab = Lab::new();
        let token = lab.party().granted(&grant("w", "a"));
        let first = if by_token { close("w", token) } else { close_by("w", "a") };
        assert_eq!(lab.party().work(&first), LeaseVerdict::Closed { token, already: false });
        unchanged(&lab, || {
            for _ in 0..2 {
                let already = LeaseVerdict::Closed { token, already: true };
                assert_eq!(lab.party().work(&close("w", token)), already);
            }
            // A name alone may be another's: who repeats shows the token.
            assert_eq!(lab.party().refused(&close_by("w", "a")).word(), "not_open");
        });
        let newer = lab.party().granted(&grant("w", "a"));
        assert_eq!(lab.party().refused(&close("w", token)).word(), "not_holder");
        lab.party().work(&close("w", newer));
        assert_eq!(lab.party().refused(&close("w", token)).word(), "not_open");
        lab.party().work(&clear("w", false, None));
        assert_eq!(lab.party().refused(&close("w", newer)).word(), "not_open");
    }
}

/// LEASE-22: A close of an open lease that shows neither its token nor its holder is refused as `not_holder`, any
/// other close of a lease that is not open as `not_open`, and one of a lease that is not known as `not_found`.
#[test]
fn a_close_by_somebody_else_is_refused() {
    let lab = Lab::new();
    let token = lab.party().granted(&grant("w", "a"));
    let other = lab.party().granted(&grant("other", "b"));
    unchanged(&lab, || {
        for wrong in [close("w", other), close("w", token - 1), close("w", other + 1), close_by("w", "b")] {
            let refused = lab.party().refused(&wrong);
            let Refusal::NotHolder(party) = &refused else { panic!("{wrong:?} gave {refused:?}") };
            assert_eq!((party.token, party.holder.as_str()), (token, "a"));
        }
        for unknown in [close("nobody", token), close_by("nobody", "a")] {
            assert_eq!(lab.party().refused(&unknown), Refusal::NotFound);
        }
    });
    lab.party().work(&crash("w", None, "gone"));
    lab.party().work(&clear("other", true, Some("gone")));
    unchanged(&lab, || {
        for (lease, token, holder, state) in [("w", token, "a", "crashed"), ("other", other, "b", "cleared")]
        {
            for wrong in [close(lease, token), close(lease, 1), close_by(lease, holder)] {
                let refused = lab.party().refused(&wrong);
                assert!(matches!(&refused, Refusal::NotOpen(_, how) if how.word() == state), "{refused:?}");
            }
        }
    });
}

/// LEASE-23: A crash with a reason makes an open lease crashed, and the history keeps the reason.
///
/// LEASE-24: A crash with a blank reason is refused as `needs_reason`, one of a lease that is not open as `not_open`,
/// one with another token than the open grant's as `not_holder`, and one of a lease that is not known as `not_found`.
#[test]
fn a_crash_needs_a_reason_and_an_open_lease() {
    let lab = Lab::new();
    let token = lab.party().granted(&grant("w", "a").writes(&["src"]));
    unchanged(&lab, || {
        for blank in ["", " ", "\t\u{2003}"] {
            assert_eq!(lab.party().refused(&crash("w", None, blank)), Refusal::NeedsReason);
            assert_eq!(lab.party().refused(&crash("nobody", None, blank)), Refusal::NeedsReason);
        }
        assert_eq!(lab.party().refused(&crash("w", Some(token + 1), "why")).word(), "not_holder");
        assert_eq!(lab.party().refused(&crash("nobody", None, "why")), Refusal::NotFound);
        let long = lab.party().try_work(&crash("w", None, &"x".repeat(4097))).unwrap_err();
        assert_eq!(long.happened(), fencehold::Happened::No);
    });
    let cause = Cause::Reason("the agent was stopped".to_owned());
    let came = lab.party().work(&crash("w", Some(token), "  the agent was stopped\n"));
    assert_eq!(came, LeaseVerdict::Crashed(Crash { lease: id("w"), token, cause: cause.clone() }));
    let last = lab.events().pop().unwrap().event;
    assert!(matches!(&last, Event::Lease(LeaseEvent::Crashed(crash)) if crash.cause == cause), "{last:?}");
    assert_eq!(lab.party().state("w"), ("crashed", token));
    unchanged(&lab, || {
        assert_eq!(lab.party().refused(&crash("w", None, "again")).word(), "not_open");
    });
    lab.party().granted(&grant("v", "b").writes(&["src"]));
    let closed = lab.party().granted(&grant("closed", "a"));
    lab.party().work(&close("closed", closed));
    assert_eq!(lab.party().refused(&crash("closed", Some(closed), "why")).word(), "not_open");
}

/// LEASE-25: A clear makes a closed or crashed lease cleared, and with force and a reason an open one, and the history
/// keeps the reason.
///
/// LEASE-26: A clear of an open lease without force, and any clear with force and a blank reason or none, is refused
/// as `needs_reason` and changes nothing.
///
/// LEASE-27: A clear of a lease that is cleared already, or is not known, is refused as `not_found`.
#[test]
fn an_open_lease_is_cleared_by_force_and_with_a_reason_only() {
    let mut seen = 0;
    for state in ["open", "closed", "crashed"] {
        for (force, reason) in
            [(false, None), (false, Some("why")), (true, Some("why")), (true, Some(" ")), (true, None)]
        {
            let lab = Lab::new();
            let token = lab.party().granted(&grant("w", "a").writes(&["src"]));
            match state {
                "closed" => drop(lab.party().work(&close("w", token))),
                "crashed" => drop(lab.party().work(&crash("w", None, "gone"))),
                _ => {}
            }
            let asked = clear("w", force, reason);
            let said = reason.is_some_and(|reason| !reason.trim().is_empty());
            if force && !said || state == "open" && !force {
                assert_eq!(
                    unchanged(&lab, || lab.party().refused(&asked)),
                    Refusal::NeedsReason,
                    "{asked:?}"
                );
                assert_eq!(lab.party().state("w"), (state, token));
            } else {
                assert_eq!(lab.party().work(&asked), LeaseVerdict::Cleared { token });
                let last = lab.events().pop().unwrap().event;
                let kept = matches!(&last, Event::Lease(LeaseEvent::Cleared { reason: kept, .. }) if kept.as_deref() == reason);
                assert!(kept, "{last:?}");
                let view = lab.party().find("w").unwrap().lease;
                let how = view.end.map(|end| end.how);
                assert_eq!(how, Some(How::Cleared(reason.map(str::to_owned))));
                unchanged(&lab, || {
                    assert_eq!(lab.party().refused(&clear("w", true, Some("why"))), Refusal::NotFound);
                    assert_eq!(lab.party().refused(&clear("w", false, None)), Refusal::NotFound);
                });
                lab.party().granted(&grant("v", "b").writes(&["src"]));
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 15);
    let lab = Lab::new();
    assert_eq!(lab.party().refused(&clear("nobody", true, Some("why"))), Refusal::NotFound);
}

/// LEASE-35: Every grant and every end of a lease stays in the history, with who asked for it.
#[test]
fn nothing_that_happened_to_a_lease_is_erased() {
    let lab = Lab::new();
    let ask = |who: &str, command: &Command| lab.party().lease(&asking(who), command).unwrap();
    ask("ann", &grant("w", "a").ttl(1).writes(&["src"]).0);
    lab.machine.pass(1);
    ask("ben", &grant("w", "b").0);
    ask("cy", &crash("w", None, "stopped"));
    ask("dan", &clear("w", false, None));
    let token = match ask("eve", &grant("w", "c").0).verdict {
        LeaseVerdict::Granted { token, .. } => token,
        other => panic!("{other:?}"),
    };
    ask("fay", &close("w", token));
    for _ in 0..2 {
        lab.machine.pass(HOUR);
        crate::spec_kit::vandal::rotate(&lab);
    }
    assert!(lab.party().find("w").is_none(), "it is forgotten");
    let events = lab.events();
    let of_w = events.iter().filter(|entry| entry.event.leases().any(|lease| *lease == id("w")));
    let told: Vec<(&str, &str)> = of_w.map(|entry| (entry.actor.as_str(), entry.event.word())).collect();
    let expected = [
        ("ann", "lease.granted"),
        ("ben", "lease.granted"),
        ("cy", "lease.crashed"),
        ("dan", "lease.cleared"),
        ("eve", "lease.granted"),
        ("fay", "lease.closed"),
    ];
    assert_eq!(told, expected);
}
