//! Who is granted a lease, and under which id.

use fencehold::ledger::LeaseVerdict;
use fencehold_model::lease::{About, Party, Refusal, TEXT_BYTES_MAX};
use fencehold_model::{Holder, Pattern, Policy};

use super::{Grant, Works as _, advice, clear, close, close_by, crash, grant, id, numbers, unchanged};
use crate::spec_kit::{HOUR, Lab, asking};

/// LEASE-2: A grant of a lease that was never granted, or that was closed, crashed or cleared, opens it under a new
/// token.
#[test]
fn what_has_ended_is_granted_again_under_a_new_token() {
    let lab = Lab::new();
    let mut tokens = vec![lab.party().granted(&grant("w", "a"))];
    for end in ["closed", "crashed", "cleared"] {
        let token = *tokens.last().unwrap();
        lab.party().work(&match end {
            "closed" => close("w", token),
            "crashed" => crash("w", None, "gone"),
            _ => clear("w", true, Some("gone")),
        });
        assert_eq!(lab.party().state("w"), (end, token));
        tokens.push(lab.party().granted(&grant("w", "b")));
        assert_eq!(lab.party().state("w"), ("open", *tokens.last().unwrap()));
    }
    assert!(tokens.len() == 4 && tokens.windows(2).all(|pair| pair[0] < pair[1]), "{tokens:?}");
}

/// LEASE-3: A grant of a live lease is refused as `already_open`, to its own holder too, with the holder and the
/// token, and changes nothing.
///
/// LEASE-4: No operation renews a lease: from its grant to its end its token, its holder, its write set and the
/// instant at which its TTL passes stay as they were granted.
#[test]
fn a_live_lease_is_not_granted_again_nor_renewed() {
    let lab = Lab::new();
    let token = lab.party().granted(&grant("w", "a").ttl(HOUR).writes(&["src"]));
    let granted = lab.party().find("w").unwrap().lease;
    lab.machine.pass(HOUR / 2);
    let party = Party { lease: id("w"), token, holder: Holder::new("a").unwrap() };
    unchanged(&lab, || {
        for who in ["a", "b"] {
            let again = grant("w", who).ttl(10 * HOUR).writes(&["docs"]);
            assert_eq!(lab.party().refused(&again.0), Refusal::AlreadyOpen(party.clone()));
        }
        lab.party().refused(&close("w", token + 1));
        lab.party().refused(&clear("w", false, None));
    });
    assert_eq!(lab.party().find("w").unwrap().lease, granted);
    lab.machine.pass(HOUR / 2);
    assert_ne!(lab.party().granted(&grant("w", "b")), token, "its TTL has passed since its grant");
}

/// LEASE-28: Where the policy says that lease ids are numbers, ids of digits, with dots between them or not, that
/// differ in leading zeros name one lease, and all others, as `T1` and `T10`, differ where their texts do.
///
/// LEASE-29: Answers and events carry the one canonical id of a lease, which is without leading zeros where ids are
/// numbers.
///
/// LEASE-1: At any instant of journal time at most one grant of a lease is open, whatever the spelling of its id.
#[test]
fn every_spelling_of_a_number_is_one_lease() {
    let lab = Lab::new();
    lab.party().take(&numbers());
    let same =
        [("5", vec!["05", "005"]), ("5.1", vec!["05.01", "5.01"]), ("0", vec!["00"]), ("10", vec!["010"])];
    let mut seen = 0;
    for (canonical, spellings) in same {
        for spelling in spellings {
            let LeaseVerdict::Granted { lease, token, .. } = lab.party().work(&grant(spelling, "a").0) else {
                panic!("{spelling} was not granted")
            };
            assert_eq!(lease, id(canonical));
            let Refusal::AlreadyOpen(party) = lab.party().refused(&grant(canonical, "b").0) else {
                panic!("{canonical} is open")
            };
            assert_eq!((party.lease, party.token), (id(canonical), token));
            assert_eq!(lab.party().find(spelling).unwrap().id, id(canonical));
            lab.party().work(&close(spelling, token));
            let last = lab.events().pop().unwrap().event;
            assert_eq!(last.leases().collect::<Vec<_>>(), [&id(canonical)]);
            seen += 1;
        }
    }
    for other in ["T1", "T10", "T01", "t1", "5.10", "50", "5.", "5a"] {
        lab.party().granted(&grant(other, "a"));
        seen += 1;
    }
    assert_eq!((seen, lab.party().leases().unwrap().value.len()), (14, 12));
    let text = Lab::new();
    text.party().granted(&grant("5", "a"));
    text.party().granted(&grant("05", "a"));
    assert_eq!(text.party().leases().unwrap().value.len(), 2, "ids are texts until a policy says otherwise");
}

/// LEASE-30: A policy under which two leases that are known would be one is refused as invalid and changes nothing.
#[test]
fn a_policy_does_not_make_two_leases_one() {
    let lab = Lab::new();
    lab.party().granted(&grant("5", "a").writes(&["x"]));
    let token = lab.party().granted(&grant("05", "b").writes(&["y"]));
    unchanged(&lab, || {
        let refused = lab.party().apply_policy(&asking("tester"), &numbers()).unwrap_err().to_string();
        assert!(refused.contains("two leases would become one") && refused.contains("nothing"), "{refused}");
    });
    lab.party().work(&clear("05", true, Some("a slip")));
    assert!(lab.party().apply_policy(&asking("tester"), &numbers()).is_err(), "it is known still");
    // One that is alone gets its new form, its write set and its token with it.
    let other = Lab::new();
    let kept = other.party().granted(&grant("007", "b").writes(&["y"]));
    other.party().take(&numbers());
    assert_eq!((other.party().state("7"), other.party().find("007").unwrap().id), (("open", kept), id("7")));
    let Refusal::Overlap(parties) = other.party().refused(&grant("8", "c").writes(&["y/z"]).0) else {
        panic!("the write set is held against others")
    };
    assert_eq!(parties[0].lease, id("7"));
    other.party().take(&Policy { lease_ids: numbers().lease_ids, ..advice() });
    assert!(token > 0 && other.party().granted(&grant("8", "c").writes(&["y/z"])) > kept);
}

/// LEASE-9: A write set has at most 1,024 entries and 24 KiB, a worktree, a branch and an agent at most 4 KiB without
/// control characters, and a grant with more fails definitely.
#[test]
fn what_a_lease_says_of_itself_is_bounded() {
    let lab = Lab::new();
    let set = |count: usize, len: usize| {
        let entries = (0..count).map(|n| Pattern::new(&format!("{n:0len$}")).unwrap()).collect::<Vec<_>>();
        grant("w", "a").change(|_, writes, _| *writes = entries)
    };
    let say = |text: &str| {
        let about = |worktree: &str, branch: &str, agent: &str| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            About { worktree: text(worktree), branch: text(branch), agent: text(agent) }
        };
        [about(text, "", ""), about("", text, ""), about("", "", text)]
            .map(|about| grant("w", "a").about(about))
    };
    let good: Vec<Grant> = [set(1024, 24), set(6, 4096), set(0, 1)]
        .into_iter()
        .chain(say(&"x".repeat(TEXT_BYTES_MAX)))
        .chain(say("a \u{2028} ß"))
        .collect();
    let bad: Vec<Grant> = [set(1025, 4), set(1024, 25), set(7, 4000)]
        .into_iter()
        .chain(say(&"x".repeat(TEXT_BYTES_MAX + 1)))
        .chain(say("a\nb"))
        .chain(say(" "))
        .collect();
    for grant in &good {
        let token = lab.party().granted(grant);
        lab.party().work(&close_by("w", "a"));
        assert!(token > 0);
    }
    unchanged(&lab, || {
        for grant in &bad {
            let failed = lab.party().try_work(&grant.0).unwrap_err();
            assert_eq!(failed.happened(), fencehold::Happened::No, "{failed}");
        }
    });
    assert_eq!((good.len(), bad.len()), (9, 12));
    // The longest line that a grant can make fits into the journal, and into line one of the next file.
    let long = "\\".repeat(TEXT_BYTES_MAX);
    let about = About { worktree: Some(long.clone()), branch: Some(long.clone()), agent: Some(long) };
    let widest = grant(&"\"".repeat(256), &"\"".repeat(256)).writes(&["x"]).about(about);
    lab.party().granted(&widest);
    crate::spec_kit::vandal::rotate(&lab);
    assert_eq!(lab.party().state(&"\"".repeat(256)).0, "open");
}
