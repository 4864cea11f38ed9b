use fencehold_model::lock::Lock;
use fencehold_model::record::{Head, expect_head, read_head, write_head};
use fencehold_model::state::{OPS_REMEMBERED, REMEMBER_MS};
use fencehold_model::{Entry, Event, LockName, State, WorkspaceId};
use proptest::prelude::*;

use super::arbitrary::{entries, event};

fn folded(entries: &[Entry]) -> State {
    let mut state = State::default();
    entries.iter().for_each(|entry| state.apply(entry));
    state
}

fn newest(state: &State, name: &LockName) -> Option<u64> {
    state.locks.get(name).and_then(Lock::newest_token)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn events_read_back_equal(event in event()) {
        let mut text = String::new();
        event.write(&mut text);
        prop_assert!(!text.contains('\n'), "an event is one line: {}", text);
        let value: fencehold_model::json::Tree<'_> = serde_json::from_str(&text).unwrap();
        let read = Event::read(fencehold_model::json::Fields::of(&value).unwrap());
        prop_assert_eq!(read, Ok(event));
    }

    /// JOURNAL-14's half in the model: line one of the next file reads back as the state that was folded.
    #[test]
    fn apply_is_total_and_what_is_folded_reads_back(entries in entries(80)) {
        let state = folded(&entries);
        let last = entries.last().unwrap();
        prop_assert_eq!((state.revision, state.time_ms), (last.revision, last.at_ms));
        prop_assert!(state.recent.len() <= OPS_REMEMBERED && state.ended_boots.len() <= 32);
        let found = entries.iter().rev().take(OPS_REMEMBERED).filter(|entry| state.find_op(&entry.op).is_some());
        prop_assert_eq!(found.count(), entries.len().min(OPS_REMEMBERED));
        let head = Head { workspace: WorkspaceId::new("w").unwrap(), n: 1, state };
        let (line, _) = write_head(&head, 0);
        prop_assert_eq!(read_head(line.trim_end_matches('\n'), 1).unwrap().content, head);
    }

    /// Whoever folded what came before a file need not read its line one: it is the same as read, or it is read.
    #[test]
    fn an_expected_line_one_is_as_it_is_read(entries in entries(60), durable in 0u64..1 << 53, missing in 1usize..9) {
        let before = folded(&entries);
        let workspace = WorkspaceId::new("w").unwrap();
        let mut state = before.clone();
        state.forget(state.time_ms);
        let (line, _) = write_head(&Head { workspace: workspace.clone(), n: 7, state }, durable);
        let line = line.trim_end_matches('\n');
        prop_assert_eq!(expect_head(line, 7, &workspace, before.clone()), read_head(line, 7).ok());
        prop_assert!(read_head(line, 7).is_ok());
        // Another file, another workspace, fewer events, another time of forgetting, another byte.
        prop_assert_eq!(expect_head(line, 8, &workspace, before.clone()), None);
        prop_assert_eq!(expect_head(line, 7, &WorkspaceId::new("x").unwrap(), before.clone()), None);
        let fewer = folded(&entries[..entries.len().saturating_sub(missing)]);
        prop_assert_eq!(expect_head(line, 7, &workspace, fewer), None);
        let (mut now, mut later) = (before.clone(), before.clone());
        now.forget(now.time_ms);
        later.forget(1 << 52);
        let (forgotten, _) = write_head(&Head { workspace: workspace.clone(), n: 7, state: later.clone() }, durable);
        let expected = expect_head(forgotten.trim_end_matches('\n'), 7, &workspace, before.clone());
        prop_assert_eq!(expected.map(|line| line.content.state), (later == now).then_some(later));
        let flipped = line.replacen("\"crc\":\"", "\"crc\":\"f", 1);
        prop_assert_eq!(expect_head(&flipped, 7, &workspace, before), None);
    }

    /// FENCE-3's half in the model: of every name the newest token is remembered, or lies at or below the mark of
    /// what was forgotten.
    #[test]
    fn the_newest_token_is_never_lost(entries in entries(60), every in 1usize..20, later_ms in prop_oneof![0u64..10, Just(REMEMBER_MS), Just(1u64 << 52)]) {
        let mut state = State::default();
        let mut granted: std::collections::BTreeMap<LockName, u64> = std::collections::BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            state.apply(entry);
            if let Event::LockGranted { name, .. } = &entry.event {
                granted.insert(name.clone(), entry.revision);
            }
            if index % every == 0 {
                state.forget(state.time_ms + later_ms);
            }
            for (name, token) in &granted {
                match newest(&state, name) {
                    Some(newest) => prop_assert_eq!(newest, *token, "{}", name),
                    None => prop_assert!(state.forgotten >= *token, "{}", name),
                }
            }
        }
    }

    #[test]
    fn forget_keeps_what_is_live_bound_or_young(entries in entries(60), later_ms in prop_oneof![0u64..2_000_000, Just(1u64 << 52)]) {
        let before = folded(&entries);
        let now_ms = before.time_ms + later_ms;
        let mut after = before.clone();
        after.forget(now_ms);
        let young = |at_ms: u64| at_ms + REMEMBER_MS > now_ms;
        for (name, lock) in &before.locks {
            let kept = after.locks.get(name).cloned().unwrap_or_default();
            let grant = lock.grant.clone().filter(|grant| grant.bound.is_some() || young(grant.expires_ms));
            let released = lock.released.clone().filter(|last| young(last.at_ms));
            let broken = lock.broken.filter(|last| young(last.at_ms));
            prop_assert_eq!(kept, Lock { grant, released, broken });
        }
        prop_assert_eq!(after.locks.values().filter(|lock| **lock == Lock::default()).count(), 0);
        let again = { let mut again = after.clone(); again.forget(now_ms); again };
        prop_assert_eq!(&again, &after);
        prop_assert!(after.forgotten >= before.forgotten && after.forgotten <= after.revision);
        prop_assert_eq!(State { locks: before.locks.clone(), forgotten: before.forgotten, ..after }, before);
    }
}

#[test]
fn the_memory_ends_at_its_instant() {
    let grant = |revision, at_ms, expires_ms| Entry {
        revision,
        at_ms,
        actor: "a".parse().unwrap(),
        op: "o".parse().unwrap(),
        event: Event::LockGranted {
            name: "x".parse().unwrap(),
            holder: "a".parse().unwrap(),
            claim: None,
            ttl_ms: 1,
            expires_ms,
            bound: None,
            asked_by: None,
            over: None,
        },
    };
    let mut kept = 0;
    for (later_ms, remembered) in [(REMEMBER_MS - 1, true), (REMEMBER_MS, false), (REMEMBER_MS + 1, false)] {
        let mut state = folded(&[grant(5, 10, 11)]);
        state.forget(11 + later_ms);
        assert_eq!((state.locks.len(), state.forgotten), if remembered { (1, 0) } else { (0, 5) });
        kept += usize::from(remembered);
    }
    assert_eq!(kept, 1);
}
