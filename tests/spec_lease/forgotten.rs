//! What a rotation forgets of leases, where that stands then, and what is stale.

use fencehold::fs::Fs;
use fencehold::ledger::FenceStanding;
use fencehold_model::lease::Lease;
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{LeaseId, Token};

use super::{Works as _, clear, close, crash, grant, id, numbers};
use crate::spec_kit::{DURABLE, Disk, Lab, Party, asking, kill_everywhere, names, vandal};

/// Every lease that can be listed: id, state, token. Asked as `list --all` asks.
fn listed<F: Fs>(party: &Party<F>) -> (Vec<(String, &'static str, Token)>, Vec<String>) {
    let mut all: Vec<(LeaseId, Lease)> =
        party.leases().unwrap().value.into_iter().map(|view| (view.id, view.lease)).collect();
    let (ended, notes) = party.journal().ended_leases().unwrap();
    all.extend(ended);
    all.sort_by(|one, other| one.0.cmp(&other.0));
    (all.into_iter().map(|(id, lease)| (id.to_string(), lease.word(), lease.token)).collect(), notes)
}

/// One lease of each state. With their tokens, in the order of the ids.
fn one_of_each(lab: &Lab) -> Vec<(String, &'static str, Token)> {
    let party = lab.party();
    let mut all = Vec::new();
    for (lease, state) in [("a", "cleared"), ("b", "closed"), ("c", "crashed"), ("d", "open")] {
        let token = party.granted(&grant(lease, "h").writes(&[lease]));
        match state {
            "cleared" => drop(party.work(&clear(lease, true, Some("why")))),
            "closed" => drop(party.work(&close(lease, token))),
            "crashed" => drop(party.work(&crash(lease, None, "why"))),
            _ => {}
        }
        all.push((lease.to_owned(), state, token));
    }
    all
}

/// LEASE-31: A rotation forgets a lease that was closed or cleared 10 minutes or more before, or before 1,024 others
/// that were, and neither an open nor a crashed one.
///
/// LEASE-32: A lease that a journal file forgets stands in `archive/leases.<n>.ndjson`, durably and under its last
/// token, before that file `journal.<n>.ndjson` begins.
#[test]
fn what_ended_long_ago_moves_to_the_index() {
    for (later_ms, forgotten) in [(REMEMBER_MS - 1, false), (REMEMBER_MS, true)] {
        let lab = Lab::new();
        let all = one_of_each(&lab);
        vandal::fill(&lab);
        lab.machine.pass(later_ms);
        let (disk, calls) = Disk::noting();
        lab.party_on(disk, DURABLE).granted(&grant("rotates", "h"));
        assert_eq!(lab.n(), 2);
        let known: Vec<String> =
            lab.party().leases().unwrap().value.iter().map(|view| view.id.to_string()).collect();
        assert_eq!(
            known,
            if forgotten { vec!["c", "d", "rotates"] } else { vec!["a", "b", "c", "d", "rotates"] }
        );
        let index = names(&lab.path("archive"))
            .into_iter()
            .filter(|name| name.starts_with("leases."))
            .collect::<Vec<_>>();
        assert_eq!(index, if forgotten { vec!["leases.2.ndjson"] } else { Vec::new() });
        let (mut told, notes) = listed(&lab.party());
        told.retain(|(lease, ..)| lease != "rotates");
        assert_eq!((told, notes), (all, vec![]));
        let calls = calls.lock().unwrap();
        let at = |call: &str| calls.iter().position(|noted| noted.starts_with(call));
        if forgotten {
            let named = at("rename leases.2.ndjson");
            let synced = calls.iter().skip(named.unwrap()).position(|noted| noted == "sync_dir archive");
            let order = [at("sync .leases.2.ndjson"), named, at("rename journal.2.ndjson")];
            assert!(order.is_sorted() && order[0].is_some() && synced == Some(1), "{calls:#?}");
        }
    }
}

/// LEASE-31: A rotation forgets a lease that was closed or cleared 10 minutes or more before, or before 1,024 others
/// that were, and neither an open nor a crashed one.
#[test]
fn a_thousand_that_ended_are_remembered() {
    let mut state = fencehold_model::State::default();
    let mut revision = 0;
    let mut happens = |state: &mut fencehold_model::State, at_ms, event| {
        revision += 1;
        let (actor, op) = ("a".parse().unwrap(), format!("o{revision}").parse().unwrap());
        let event = fencehold_model::Event::Lease(event);
        state.apply(&fencehold_model::Entry { revision, at_ms, actor, op, event });
        revision
    };
    let mut tokens = Vec::new();
    for n in 0..1_100 {
        let granted = fencehold_model::lease::Granted {
            lease: id(&format!("w{n}")),
            holder: "a".parse().unwrap(),
            ttl_ms: None,
            writes: Vec::new(),
            about: fencehold_model::lease::About::default(),
            bound: None,
            asked_by: None,
            over: Vec::new(),
            beside: Vec::new(),
        };
        tokens.push(happens(&mut state, 1, fencehold_model::lease::LeaseEvent::Granted(Box::new(granted))));
    }
    // The first that were granted end last: what counts is the end.
    for n in (0..1_100usize).rev() {
        let closed =
            fencehold_model::lease::LeaseEvent::Closed { lease: id(&format!("w{n}")), token: tokens[n] };
        happens(&mut state, 2 + (1_100 - n as u64), closed);
    }
    let gone = state.forget(state.time_ms);
    let expected: Vec<usize> = (1_024..1_100).collect();
    let mut left: Vec<usize> = gone.iter().map(|(id, _)| id.as_str()[1..].parse().unwrap()).collect();
    left.sort_unstable();
    assert_eq!((left, state.leases.len()), (expected, 1_024));
    assert!(state.forget(state.time_ms).is_empty());
}

/// LEASE-32: A lease that a journal file forgets stands in `archive/leases.<n>.ndjson`, durably and under its last
/// token, before that file `journal.<n>.ndjson` begins.
#[test]
fn no_lease_is_lost_wherever_a_rotation_is_killed() {
    let mut between = 0;
    let kills = kill_everywhere(|disk, killed| {
        let lab = Lab::new();
        let all = one_of_each(&lab);
        vandal::fill(&lab);
        lab.machine.pass(REMEMBER_MS);
        let died = lab.party_on(disk, DURABLE).try_work(&grant("rotates", "h").0);
        assert!(died.is_ok() || killed());
        let begun = lab.n() == 2;
        let indexed = lab.path("archive/leases.2.ndjson").exists();
        assert!(indexed || !begun, "a file that forgets begins after the index");
        between += usize::from(indexed && !begun);
        let told = |lab: &Lab| {
            let (mut told, notes) = listed(&lab.party());
            told.retain(|(lease, ..)| lease != "rotates");
            assert!(notes.is_empty(), "{notes:?}");
            told
        };
        assert_eq!(told(&lab), all, "as the killed one left it");
        // What was closed is cleared meanwhile, where it is still known: the index says so in the end.
        let mut all = all;
        if !begun && lab.party().find("b").is_some() {
            let cleared = lab.party().try_work(&clear("b", false, None)).unwrap();
            if matches!(cleared, fencehold::ledger::LeaseVerdict::Cleared { .. }) {
                all[1].1 = "cleared";
            }
        }
        assert_eq!(told(&lab), all);
        lab.machine.pass(REMEMBER_MS);
        vandal::fill(&lab);
        lab.party().granted(&grant("later", "h"));
        let (after, notes) = listed(&lab.party());
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(after.into_iter().filter(|(lease, ..)| lease.len() == 1).collect::<Vec<_>>(), all);
    });
    assert!(kills > 25 && between > 1, "{kills} kills, {between} between the index and the file");
}

/// LEASE-32: A lease that a journal file forgets stands in `archive/leases.<n>.ndjson`, durably and under its last
/// token, before that file `journal.<n>.ndjson` begins.
#[test]
fn of_one_grant_in_two_parts_the_later_one_counts() {
    let lab = Lab::new();
    let token = lab.party().granted(&grant("w", "h"));
    lab.party().work(&close("w", token));
    vandal::fill(&lab);
    lab.machine.pass(REMEMBER_MS);
    let part = |lab: &Lab, n: u64| lab.path(&format!("archive/leases.{n}.ndjson"));
    lab.party().granted(&grant("v", "h"));
    let stale = std::fs::read(part(&lab, 2)).unwrap();
    // As a rotation leaves it that did not come to its end, and after which the lease was cleared.
    let other = Lab::new();
    assert_eq!(other.party().granted(&grant("w", "h")), token);
    other.party().work(&close("w", token));
    std::fs::write(part(&other, 2), stale).unwrap();
    other.party().work(&clear("w", false, None));
    assert_eq!(listed(&other.party()).0, [("w".to_owned(), "cleared", token)]);
    vandal::rotate(&other);
    other.machine.pass(REMEMBER_MS);
    vandal::rotate(&other);
    assert_eq!(names(&other.path("archive")).iter().filter(|name| name.starts_with("leases.")).count(), 2);
    assert_eq!(listed(&other.party()).0, [("w".to_owned(), "cleared", token)]);
    // Granted anew and closed once more, it is told of once, under its last token, by its id of now.
    other.party().take(&numbers());
    let newer = other.party().granted(&grant("w", "h"));
    assert_eq!(listed(&other.party()).0, [("w".to_owned(), "open", newer)]);
}

/// LEASE-33: A damaged line of that index is named by file and line, and hides no other line.
#[test]
fn a_damaged_line_of_the_index_hides_no_other() {
    let lab = Lab::new();
    let mut tokens = Vec::new();
    for lease in ["a", "b", "c"] {
        tokens.push(lab.party().granted(&grant(lease, "h")));
        lab.party().work(&close(lease, *tokens.last().unwrap()));
    }
    vandal::fill(&lab);
    lab.machine.pass(REMEMBER_MS);
    lab.party().granted(&grant("rotates", "h"));
    let path = lab.path("archive/leases.2.ndjson");
    let good = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    assert_eq!(lines.len(), 3);
    let (first, third) = (lines[0], lines[2]);
    let open = lines[1].replace("\"state\":\"closed\",", "");
    let bad: Vec<(Vec<u8>, &str)> = vec![
        (b"{\"lease\":".to_vec(), "JSON"),
        (b"\xff\xfe".to_vec(), "UTF-8"),
        (b"\0\0\0".to_vec(), "NUL"),
        (b"[]".to_vec(), "object"),
        (b"{}".to_vec(), "field"),
        (lines[1].replace("\"closed\"", "\"lost\"").into_bytes(), "lost"),
        (open.into_bytes(), "state"),
        (lines[1].replace("\"lease\":\"b\"", "\"lease\":\" b\"").into_bytes(), "lease"),
    ];
    for (line, word) in &bad {
        let text = [first.as_bytes(), line, third.as_bytes(), b""].join(&b'\n');
        std::fs::write(&path, text).unwrap();
        let (told, notes) = listed(&lab.party());
        let told: Vec<&str> = told.iter().map(|(lease, ..)| lease.as_str()).collect();
        assert_eq!(told, ["a", "c", "rotates"], "{line:?}");
        let [note] = notes.as_slice() else { panic!("{notes:?}") };
        assert!(note.contains("leases.2.ndjson, line 2: "), "{note}");
        assert!(note.contains(word), "{word}: {note}");
    }
    std::fs::write(&path, &good[..good.len() - 5]).unwrap();
    let (told, notes) = listed(&lab.party());
    assert!(
        told.len() == 3 && notes.len() == 1 && notes[0].contains("line 3: it is cut off"),
        "{told:?} {notes:?}"
    );
    assert_eq!(bad.len(), 8);
}

/// LEASE-34: A token of a lease is stale once there is a newer grant of that lease, once it was crashed or cleared, and
/// where its end was forgotten.
#[test]
fn an_older_token_of_a_lease_is_stale() {
    let lab = Lab::new();
    let standing = |lease: &str, token| lab.party().lease_fence_standing(&id(lease), token).unwrap().1;
    let first = lab.party().granted(&grant("w", "a"));
    assert_eq!(standing("w", first), FenceStanding::Good);
    assert_eq!(standing("w", first + 1), FenceStanding::NeverGranted);
    lab.party().work(&close("w", first));
    assert_eq!(standing("w", first), FenceStanding::Good, "nothing newer is there to be protected");
    let second = lab.party().granted(&grant("w", "b"));
    assert_eq!(standing("w", first), FenceStanding::Stale { newest: second });
    assert_eq!(standing("w", second), FenceStanding::Good);
    lab.party().work(&close("w", second));
    lab.machine.pass(REMEMBER_MS);
    vandal::rotate(&lab);
    assert!(lab.party().find("w").is_none());
    for token in [first, second] {
        assert!(
            matches!(standing("w", token), FenceStanding::Stale { newest } if newest >= second),
            "{token}"
        );
    }
    for end in [crash("other", None, "stopped"), clear("other", true, Some("stopped"))] {
        let token = lab.party().granted(&grant("other", "a"));
        assert_eq!(standing("other", token), FenceStanding::Good);
        lab.party().work(&end);
        assert_eq!(standing("other", token), FenceStanding::Stale { newest: token }, "{end:?}");
    }
    let third = lab.party().granted(&grant("w", "c"));
    assert_eq!(standing("w", third), FenceStanding::Good);
    assert_eq!(standing("w", second), FenceStanding::Stale { newest: third });
    lab.party().work(&crash("w", None, "stuck"));
    assert_eq!(standing("w", third), FenceStanding::Stale { newest: third }, "others ended it");
    let fourth = lab.party().granted(&grant("w", "d"));
    lab.party().work(&clear("w", true, Some("made twice")));
    assert_eq!(standing("w", fourth), FenceStanding::Stale { newest: fourth });
}

/// LEASE-31: A rotation forgets a lease that was closed or cleared 10 minutes or more before, or before 1,024 others
/// that were, and neither an open nor a crashed one.
#[test]
fn a_repair_keeps_every_lease() {
    let lab = Lab::new();
    let all = one_of_each(&lab);
    lab.append("{\"not\":\"a line of ours\"}\n");
    lab.machine.pass(REMEMBER_MS);
    assert!(lab.party().lease(&asking("a"), &grant("x", "a").0).is_err(), "it is damaged");
    lab.party().journal().repair().unwrap();
    assert_eq!((lab.n(), listed(&lab.party()).0), (2, all.clone()));
    // They stand in the way, each as before.
    assert_eq!(lab.party().refused(&grant("x", "a").writes(&["d/x"]).0).word(), "overlap");
    lab.party().granted(&grant("x", "a").writes(&["a", "b", "c"]));
    assert_eq!(lab.party().state("d"), ("open", all[3].2));
}
