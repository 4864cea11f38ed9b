//! Leases in the model: what is written reads back, the index follows from the leases, and what is forgotten.

mod arbitrary;

use fencehold_model::json::{Fields, Tree};
use fencehold_model::lease::{
    Cause, Decision, LeaseEvent, Standing, decide, ended_line, read_ended_line, standing,
};
use fencehold_model::lock::{Liveness, Sighting};
use fencehold_model::pattern::Index;
use fencehold_model::policy::Overlap;
use fencehold_model::record::{Head, LINE_BYTES_MAX, read_head, write_head};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{Entry, Event, LeaseId, Policy, State, WorkspaceId};
use proptest::prelude::*;

use arbitrary::{entries, grant, lease_event, open_leases};

/// What the index must be.
fn index_of(state: &State) -> Index<LeaseId> {
    let mut index = Index::default();
    for (id, lease) in state.leases.iter().filter(|(_, lease)| lease.is_open()) {
        lease.writes.iter().for_each(|pattern| index.insert(pattern, id.clone()));
    }
    index
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// LEASE-35's half in the model: an event is one line that reads back equal.
    #[test]
    fn events_of_leases_read_back_equal(event in lease_event()) {
        let event = Event::Lease(event);
        let mut text = String::new();
        event.write(&mut text);
        prop_assert!(!text.contains('\n') && text.len() < LINE_BYTES_MAX, "{}", text);
        let value: Tree<'_> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Event::read(Fields::of(&value).unwrap()), Ok(event));
    }

    /// LEASE-5's half in the model: after any events, those of policies and boots between, the index that a grant looks
    /// into is that of the open leases, also once it was read from line one.
    #[test]
    fn the_index_follows_from_the_leases(entries in entries(60), every in 1usize..12, later_ms in prop_oneof![0u64..10, Just(REMEMBER_MS)]) {
        let mut state = State::default();
        for (at, entry) in entries.iter().enumerate() {
            state.apply(entry);
            prop_assert_eq!(&state.writes, &index_of(&state), "after {:?}", entry);
            if at % every == 0 {
                state.forget(state.time_ms + later_ms);
                prop_assert_eq!(&state.writes, &index_of(&state));
            }
        }
        let head = Head { workspace: WorkspaceId::new("w").unwrap(), n: 1, state };
        let (line, _) = write_head(&head, 0);
        prop_assert_eq!(read_head(line.trim_end_matches('\n'), 1).unwrap().content, head);
    }

    /// LEASE-31's half in the model: what leaves was closed or cleared, is given up as it was, is written and read back
    /// equal, and its token stays stale.
    #[test]
    fn what_is_forgotten_is_given_up(entries in entries(60), later_ms in 0..2 * REMEMBER_MS) {
        let mut state = State::default();
        entries.iter().for_each(|entry| state.apply(entry));
        let before = state.clone();
        let now_ms = state.time_ms + later_ms;
        let gone = state.forget(now_ms);
        for (id, lease) in &gone {
            prop_assert!(matches!(lease.word(), "closed" | "cleared"));
            prop_assert!(lease.end.as_ref().is_some_and(|end| end.at_ms + REMEMBER_MS <= now_ms));
            prop_assert_eq!(before.leases.get(id), Some(lease));
            prop_assert!(!state.leases.contains_key(id) && state.forgotten >= lease.token);
            let line = ended_line(id, lease);
            prop_assert_eq!(read_ended_line(line.strip_suffix('\n').unwrap()).unwrap(), (id.clone(), lease.clone()));
        }
        prop_assert_eq!(gone.len() + state.leases.len(), before.leases.len());
    }

    /// LEASE-17's half in the model: whatever is open, a grant that is made crashes exactly what has lapsed in its way,
    /// and one that asks for processes asks for no more than settle it.
    #[test]
    fn a_grant_looks_at_what_is_in_its_way(open in open_leases(), writes in arbitrary::writes(), advises: bool, now_ms in 0u64..40) {
        let mut state = open;
        state.policy = Policy { overlap: if advises { Overlap::Advise } else { Overlap::Refuse }, ..Policy::default() };
        let command = grant("new", writes.clone());
        let mut seen: Vec<Sighting> = Vec::new();
        let mut rounds = 0;
        let decision = loop {
            match decide(&state, &command, &seen, now_ms) {
                Decision::Probe(asked) => {
                    prop_assert!(!asked.is_empty() && asked.iter().all(|(token, _)| seen.iter().all(|old| old.token != *token)));
                    prop_assert!(advises || asked.len() <= 65);
                    seen.extend(asked.iter().map(|(token, process)| Sighting { token: *token, liveness: life(process.pid) }));
                    rounds += 1;
                }
                decision => break decision,
            }
        };
        prop_assert!(rounds <= 2, "{} rounds", rounds);
        let stands = |lease: &fencehold_model::lease::Lease| {
            let seen = lease.bound.as_ref().map(|process| Sighting { token: lease.token, liveness: life(process.pid) });
            standing(&state, lease, seen.as_slice(), now_ms)
        };
        let met: Vec<_> = state.leases.iter().filter(|(_, lease)| {
            lease.is_open() && lease.writes.iter().any(|entry| writes.iter().any(|new| new.overlaps(entry)))
        }).collect();
        let live = met.iter().filter(|(_, lease)| stands(lease) == Standing::Live).count();
        match decision {
            Decision::Record(Event::Lease(LeaseEvent::Granted(granted))) => {
                prop_assert!(advises || live == 0);
                prop_assert_eq!(granted.beside.len(), live.min(64));
                prop_assert_eq!(granted.over.len(), met.len() - live);
                for crash in &granted.over {
                    let lease = &state.leases[&crash.lease];
                    prop_assert_eq!(stands(lease), Standing::Lapsed(crash.cause.clone()));
                    prop_assert!(!matches!(crash.cause, Cause::Reason(_)));
                }
            }
            Decision::Refuse(fencehold_model::lease::Refusal::Overlap(parties)) => {
                prop_assert!(!parties.is_empty() && parties.len() <= 64);
                prop_assert!(!advises && live > 0 || met.len() - live > 64, "{} live of {}", live, met.len());
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

/// What a look at a process finds, by its pid.
fn life(pid: u64) -> Liveness {
    match pid % 3 {
        0 => Liveness::Alive,
        1 => Liveness::Unknowable,
        _ => Liveness::Dead(fencehold_model::event::Evidence::Exited),
    }
}

/// LEASE-5's half in the model: one policy follows another, and every write set is held under the ids of now.
#[test]
fn a_policy_moves_the_index_to_the_new_ids() {
    let mut state = State::default();
    let mut revision = 0;
    let mut happens = |state: &mut State, event| {
        revision += 1;
        let (actor, op) = ("a".parse().unwrap(), format!("o{revision}").parse().unwrap());
        state.apply(&Entry { revision, at_ms: 1, actor, op, event });
    };
    let fencehold_model::lease::Command::Grant { .. } = grant("05", Vec::new()) else {
        unreachable!("it is one")
    };
    let command = grant("05", vec!["src".parse().unwrap(), "docs/*.md".parse().unwrap()]);
    let Decision::Record(event) = decide(&state, &command, &[], 1) else { panic!("it is granted") };
    happens(&mut state, event);
    let numbers = Policy { lease_ids: fencehold_model::policy::IdForm::Numbers, ..Policy::default() };
    for policy in [numbers.clone(), Policy::default(), numbers] {
        happens(&mut state, Event::PolicyApplied { policy });
        assert_eq!(state.leases.keys().map(LeaseId::as_str).collect::<Vec<_>>(), ["5"]);
        assert_eq!(state.writes, index_of(&state));
        assert_eq!(state.writes.iter().count(), 2);
    }
}
