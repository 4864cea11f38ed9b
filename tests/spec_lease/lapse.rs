//! Leases that lapse, and what makes them crashed.

use fencehold::host::{Clock as _, Host as _, RealHost};
use fencehold::ledger::LeaseVerdict;
use fencehold_model::Event;
use fencehold_model::event::{Evidence, Process};
use fencehold_model::lease::{Cause, Crash, LeaseEvent, Refusal, Standing};
use fencehold_model::lock::Liveness;

use super::{Works as _, advice, close, close_by, crash, grant, id, unchanged};
use crate::spec_kit::{HOUR, Lab};

fn elsewhere(lab: &Lab) -> Process {
    // No host here can see it: it counts as nobody's until its TTL has passed.
    Process { pid: 4, start_ticks: 1, boot: lab.machine.boot(), pid_namespace: 9, host: "there".to_owned() }
}

fn lapsed(lab: &Lab, lease: &str) -> Option<Cause> {
    match lab.party().find(lease).unwrap().standing? {
        Standing::Lapsed(cause) => Some(cause),
        Standing::Live => None,
        Standing::Unseen(process) => panic!("{process:?} was not looked at"),
    }
}

/// LEASE-10: An open lease whose process is proven dead has lapsed, its TTL passed or not.
///
/// LEASE-11: An open lease whose process lives has not lapsed, its TTL passed or not.
#[test]
fn a_lease_lives_and_dies_with_its_process() {
    let mut seen = 0;
    for (ttl, pass) in [(None, 0), (None, 100 * HOUR), (Some(HOUR), 0), (Some(HOUR), 100 * HOUR)] {
        let lab = Lab::new();
        let process = lab.machine.process(77);
        let asked = grant("w", "a").writes(&["src"]).by(&process);
        let asked = ttl.map_or(asked.clone(), |ttl| asked.ttl(ttl));
        let token = lab.party().granted(&asked);
        lab.machine.pass(pass);
        assert_eq!(lapsed(&lab, "w"), None);
        unchanged(&lab, || {
            assert_eq!(lab.party().refused(&grant("v", "b").writes(&["src/x"]).0).word(), "overlap");
            assert_eq!(lab.party().refused(&grant("w", "b").0).word(), "already_open");
            assert_eq!(lab.party().reaped(), []);
        });
        lab.machine.becomes(77, Liveness::Dead(Evidence::NoSuchProcess));
        assert_eq!(lapsed(&lab, "w"), Some(Cause::Dead(Evidence::NoSuchProcess)));
        assert_eq!(lab.party().state("w"), ("open", token));
        lab.party().granted(&grant("v", "b").writes(&["src/x"]));
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// LEASE-12: A process that was started later under the pid of an open lease's dead process does not keep the lease
/// live.
#[test]
fn a_reused_pid_keeps_no_lease_live() {
    let host = RealHost::new().unwrap();
    let mut before = host.process(u64::from(std::process::id())).unwrap();
    assert_eq!(host.liveness(&before), Liveness::Alive);
    before.start_ticks -= 1;
    let found = host.liveness(&before);
    assert_eq!(found, Liveness::Dead(Evidence::OtherStartTime));
    let lab = Lab::new();
    let process = lab.machine.process(77);
    let token = lab.party().granted(&grant("w", "a").by(&process));
    lab.machine.becomes(77, found);
    let cause = Cause::Dead(Evidence::OtherStartTime);
    assert_eq!(lab.party().reaped(), [Crash { lease: id("w"), token, cause }]);
}

/// LEASE-13: An open lease that has a TTL, and no process or one whose death cannot be found out from here, lapses at
/// the instant the TTL has passed since its grant.
///
/// LEASE-14: An open lease that has no TTL, and no process or one whose death cannot be found out from here, never
/// lapses.
#[test]
fn a_ttl_counts_where_no_death_can_be_proven() {
    let lab = Lab::new();
    let far = elsewhere(&lab);
    lab.party().granted(&grant("timed", "a").ttl(HOUR));
    lab.party().granted(&grant("far", "a").ttl(HOUR).by(&far));
    lab.party().granted(&grant("endless", "a"));
    lab.party().granted(&grant("far and endless", "a").by(&far));
    lab.machine.pass(HOUR - 1);
    assert_eq!(lab.party().reaped(), []);
    assert_eq!((lapsed(&lab, "timed"), lapsed(&lab, "far")), (None, None));
    lab.machine.pass(1);
    for lease in ["timed", "far"] {
        assert_eq!(lapsed(&lab, lease), Some(Cause::TtlPassed));
    }
    lab.machine.pass(365 * 24 * HOUR);
    assert_eq!(lab.party().reaped().len(), 2);
    for lease in ["endless", "far and endless"] {
        assert_eq!(lapsed(&lab, lease), None);
        assert_eq!(lab.party().refused(&grant(lease, "b").0).word(), "already_open");
    }
}

/// LEASE-15: An open lease whose process belongs to an earlier boot has lapsed.
#[test]
fn a_reboot_ends_the_work_of_every_process() {
    let lab = Lab::new();
    let process = lab.machine.process(77);
    let token = lab.party().granted(&grant("bound", "a").by(&process));
    lab.party().granted(&grant("endless", "a"));
    for boot in 0..40 {
        lab.machine.reboot(&format!("boot {boot}"));
        lab.machine.process(77);
        // Each writes something, so that more boots end than are remembered.
        let other = lab.party().granted(&grant("other", "a"));
        lab.party().work(&close("other", other));
    }
    let cause = Cause::Dead(Evidence::EarlierBoot);
    assert_eq!(lapsed(&lab, "bound"), Some(cause.clone()));
    assert_eq!(lab.party().reaped(), [Crash { lease: id("bound"), token, cause }]);
    assert_eq!(lab.party().state("endless").0, "open");
}

/// LEASE-16: A lapsed lease stays open, and may be closed by its holder, until a reap or a grant in its way makes it
/// crashed or it is ended by hand.
#[test]
fn who_was_late_may_still_close() {
    for by_token in [true, false] {
        let lab = Lab::new();
        let token = lab.party().granted(&grant("w", "a").ttl(1).writes(&["src"]));
        lab.machine.pass(100 * HOUR);
        assert_eq!(lab.party().state("w"), ("open", token));
        lab.party().granted(&grant("v", "b").writes(&["docs"]));
        assert_eq!(lab.party().state("w"), ("open", token), "it is not in the way");
        let end = if by_token { close("w", token) } else { close_by("w", "a") };
        assert_eq!(lab.party().work(&end), LeaseVerdict::Closed { token, already: false });
        assert_eq!(lab.party().reaped(), []);
    }
    let lab = Lab::new();
    let token = lab.party().granted(&grant("w", "a").ttl(1));
    lab.machine.pass(1);
    assert_eq!(lab.party().reaped().len(), 1);
    assert_eq!(lab.party().refused(&close("w", token)).word(), "not_open");
}

/// LEASE-17: A grant that is made crashes the lapsed leases in its way, the one of its own id and those that its write
/// set overlaps, by the same event and with the evidence of each.
#[test]
fn a_grant_crashes_what_has_lapsed_in_its_way() {
    for advises in [false, true] {
        let lab = Lab::new();
        if advises {
            lab.party().take(&advice());
        }
        let process = lab.machine.process(77);
        let own = lab.party().granted(&grant("w", "a").ttl(1).writes(&["elsewhere"]));
        let timed = lab.party().granted(&grant("timed", "a").ttl(1).writes(&["src/a.rs"]));
        let dead = lab.party().granted(&grant("dead", "a").writes(&["src/*.md"]).by(&process));
        let far = lab.party().granted(&grant("far", "a").ttl(1).writes(&["docs"]));
        lab.machine.pass(1);
        lab.machine.becomes(77, Liveness::Dead(Evidence::Exited));
        let before = lab.events().len();
        let came = lab.party().work(&grant("w", "b").writes(&["src"]).0);
        let LeaseVerdict::Granted { token, over, beside, .. } = came else { panic!("{came:?}") };
        let crash = |lease, token, cause| Crash { lease: id(lease), token, cause };
        let expected = [
            crash("w", own, Cause::TtlPassed),
            crash("dead", dead, Cause::Dead(Evidence::Exited)),
            crash("timed", timed, Cause::TtlPassed),
        ];
        assert_eq!((over.as_slice(), beside.len()), (&expected[..], 0));
        let events = lab.events();
        assert_eq!(events.len(), before + 1, "one event");
        let Event::Lease(LeaseEvent::Granted(granted)) = &events[before].event else { panic!("{events:?}") };
        assert_eq!(granted.over, expected);
        assert_eq!(lab.party().state("w"), ("open", token));
        assert_eq!(lab.party().state("timed"), ("crashed", timed));
        assert_eq!(lab.party().state("dead"), ("crashed", dead));
        assert_eq!(lab.party().state("far"), ("open", far), "it is not in the way");
        // Nothing of the three stands in anybody's way from here on.
        assert_eq!(lab.party().refused(&close("timed", timed)).word(), "not_open");
        lab.party().granted(&grant("next", "c").writes(&["elsewhere"]));
    }
}

/// LEASE-18: A grant crashes at most 64 leases, and with more lapsed ones in its way it is refused as `overlap` and
/// changes nothing.
#[test]
fn a_grant_crashes_no_more_than_64() {
    let lab = Lab::new();
    let party = lab.party();
    let process = lab.machine.process(77);
    for n in 0..65 {
        let asked = grant(&format!("w{n:02}"), "a").writes(&[&format!("src/{n}")]);
        party.granted(&if n % 2 == 0 { asked.ttl(1) } else { asked.by(&process) });
    }
    lab.machine.pass(1);
    lab.machine.becomes(77, Liveness::Dead(Evidence::Exited));
    let wide = grant("wide", "b").writes(&["src"]);
    let Refusal::Overlap(parties) = unchanged(&lab, || party.refused(&wide.0)) else {
        panic!("65 are in the way")
    };
    assert_eq!(parties.len(), 64);
    party.work(&crash("w00", None, "one less"));
    let LeaseVerdict::Granted { over, .. } = party.work(&wide.0) else { panic!("64 are not too many") };
    assert_eq!(over.len(), 64);
    assert!(party.leases().unwrap().value.iter().all(|view| (view.id == id("wide")) == view.lease.is_open()));
}

/// LEASE-19: A reap makes every lapsed lease crashed, with the evidence, and changes no other.
#[test]
fn a_reap_takes_all_that_has_lapsed_and_nothing_else() {
    let lab = Lab::new();
    let process = lab.machine.process(77);
    let alive = lab.machine.process(78);
    let party = lab.party();
    for n in 0..100 {
        party.granted(&grant(&format!("timed{n}"), "a").ttl(1 + n % 2));
        party.granted(&grant(&format!("dead{n}"), "a").by(&process));
    }
    party.granted(&grant("alive", "a").ttl(1).by(&alive));
    party.granted(&grant("endless", "a"));
    let closed = party.granted(&grant("closed", "a").ttl(1));
    party.work(&close("closed", closed));
    lab.machine.pass(1);
    lab.machine.becomes(77, Liveness::Dead(Evidence::NoSuchProcess));
    let reaped = party.reaped();
    let dead = reaped.iter().filter(|crash| crash.cause == Cause::Dead(Evidence::NoSuchProcess)).count();
    assert_eq!((reaped.len(), dead), (150, 100));
    let crashed = lab.events().into_iter().filter(|entry| entry.event.word() == "lease.crashed").count();
    assert_eq!(crashed, 150);
    for (lease, state) in [("alive", "open"), ("endless", "open"), ("closed", "closed"), ("timed1", "open")] {
        assert_eq!(party.state(lease).0, state);
    }
    assert_eq!(unchanged(&lab, || lab.party().reaped()), []);
}
