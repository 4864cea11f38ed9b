//! Arbitrary leases: few ids and few write sets, so that they meet.

use fencehold_model::event::{Evidence, Process};
use fencehold_model::lease::{About, Cause, Command, Crash, Granted, Lease, LeaseEvent};
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::{Entry, Event, LeaseId, OpId, Pattern, Policy, State, TimeMs};
use proptest::prelude::*;

use super::super::arbitrary::{boot, holder, id_text, number, party, process};

fn few_ids() -> impl Strategy<Value = LeaseId> {
    prop_oneof![Just("5"), Just("05"), Just("50"), Just("T1"), Just("T10"), Just("é \"\\")]
        .prop_map(|text| LeaseId::new(text).unwrap())
}

pub(super) fn writes() -> impl Strategy<Value = Vec<Pattern>> {
    let entry = prop_oneof![
        Just("src"),
        Just("src/a.rs"),
        Just("src/*.rs"),
        Just("**/b.md"),
        Just("docs/b.md"),
        Just("."),
        Just("x\\*\"é")
    ];
    proptest::collection::vec(entry.prop_map(|text| Pattern::new(text).unwrap()), 0..4)
}

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(any::<String>())
}

fn about() -> impl Strategy<Value = About> {
    (text(), text(), text()).prop_map(|(worktree, branch, agent)| About { worktree, branch, agent })
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        any::<String>().prop_map(Cause::Reason),
        Just(Cause::TtlPassed),
        Just(Cause::Dead(Evidence::Exited)),
        Just(Cause::Dead(Evidence::OtherStartTime)),
        Just(Cause::Dead(Evidence::EarlierBoot)),
    ]
}

fn crash(ids: impl Strategy<Value = LeaseId>) -> impl Strategy<Value = Crash> {
    (ids, number(), cause()).prop_map(|(lease, token, cause)| Crash { lease, token, cause })
}

fn event_of(ids: impl Strategy<Value = LeaseId> + Clone + 'static) -> impl Strategy<Value = LeaseEvent> {
    let granted = (
        (ids.clone(), holder(), proptest::option::of(number()), writes(), about()),
        (proptest::option::of(process()), party()),
        (proptest::collection::vec(crash(ids.clone()), 0..3), proptest::collection::vec(ids.clone(), 0..3)),
    )
        .prop_map(|((lease, holder, ttl_ms, writes, about), (bound, asked_by), (over, beside))| {
            LeaseEvent::Granted(Box::new(Granted {
                lease,
                holder,
                ttl_ms,
                writes,
                about,
                bound,
                asked_by,
                over,
                beside,
            }))
        });
    prop_oneof![
        4 => granted,
        2 => (ids.clone(), number()).prop_map(|(lease, token)| LeaseEvent::Closed { lease, token }),
        2 => crash(ids.clone()).prop_map(LeaseEvent::Crashed),
        2 => (ids, number(), text()).prop_map(|(lease, token, reason)| LeaseEvent::Cleared { lease, token, reason }),
    ]
}

/// Any event of a lease of any id.
pub(super) fn lease_event() -> impl Strategy<Value = LeaseEvent> {
    event_of(id_text().prop_map(|text| LeaseId::new(&text).unwrap()).boxed())
}

fn policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>()).prop_map(|(numbers, advises)| Policy {
        lease_ids: if numbers { IdForm::Numbers } else { IdForm::Text },
        overlap: if advises { Overlap::Advise } else { Overlap::Refuse },
        ..Policy::default()
    })
}

/// Entries that follow each other; tokens mostly name an earlier grant of the lease, as decisions make them.
pub(super) fn entries(most: usize) -> impl Strategy<Value = Vec<Entry>> {
    let event = prop_oneof![
        20 => event_of(few_ids().boxed()).prop_map(Event::Lease),
        1 => policy().prop_map(|policy| Event::PolicyApplied { policy }),
        1 => (boot(), number(), number())
            .prop_map(|(boot, anchor_ms, monotonic_ms)| Event::Boot { boot, anchor_ms, monotonic_ms }),
    ];
    let one = (1u64..9, prop_oneof![0u64..5, Just(700_000)], holder(), id_text(), event, 0u8..8);
    proptest::collection::vec(one, 1..most).prop_map(|drawn| {
        let (mut revision, mut at_ms, mut last) = (0, 0, std::collections::BTreeMap::new());
        let entry = |(step, later_ms, actor, op, mut event, odd): (u64, u64, _, String, _, u8)| {
            (revision, at_ms) = (revision + step, at_ms + later_ms);
            let known = |lease: &LeaseId, token: &mut u64| {
                if let Some(granted) = last.get(lease).filter(|_| odd > 0) {
                    *token = *granted;
                }
            };
            match &mut event {
                Event::Lease(LeaseEvent::Granted(granted)) => {
                    granted.over.iter_mut().for_each(|crash| known(&crash.lease, &mut crash.token));
                    last.insert(granted.lease.clone(), revision);
                }
                Event::Lease(
                    LeaseEvent::Closed { lease, token } | LeaseEvent::Cleared { lease, token, .. },
                )
                | Event::Lease(LeaseEvent::Crashed(Crash { lease, token, .. })) => known(lease, token),
                _ => {}
            }
            Entry { revision, at_ms, actor, op: OpId::new(&op).unwrap(), event }
        };
        drawn.into_iter().map(entry).collect()
    })
}

pub(super) fn grant(lease: &str, writes: Vec<Pattern>) -> Command {
    Command::Grant {
        lease: LeaseId::new(lease).unwrap(),
        holder: "h".parse().unwrap(),
        ttl_ms: None,
        writes,
        about: About::default(),
        bound: None,
        asked_by: None,
    }
}

/// A state with many open leases: some timed, some of processes that live, died or cannot be seen.
pub(super) fn open_leases() -> impl Strategy<Value = State> {
    let one = || (writes(), proptest::option::of(1u64..40), proptest::option::of(0u64..9), 0..20u64);
    let many =
        prop_oneof![proptest::collection::vec(one(), 0..8), proptest::collection::vec(one(), 100..200)];
    many.prop_map(|drawn| {
        let mut state = State { revision: 10_000, ..State::default() };
        for ((writes, ttl_ms, pid, since_ms), token) in drawn.into_iter().zip(1u64..) {
            let id = LeaseId::new(&format!("w{token:03}")).unwrap();
            writes.iter().for_each(|pattern| state.writes.insert(pattern, id.clone()));
            state.leases.insert(id, open(token, ttl_ms, pid, since_ms, writes));
        }
        state
    })
}

fn open(token: u64, ttl_ms: Option<u64>, pid: Option<u64>, since_ms: TimeMs, writes: Vec<Pattern>) -> Lease {
    let bound = pid.map(|pid| Process {
        pid,
        start_ticks: token,
        boot: "b".parse().unwrap(),
        pid_namespace: 1,
        host: String::new(),
    });
    Lease {
        token,
        holder: "h".parse().unwrap(),
        since_ms,
        ttl_ms,
        bound,
        asked_by: None,
        about: About::default(),
        writes,
        end: None,
    }
}
