//! Leases at the file: what was granted is not only a lock.

use fencehold::fs::RealFs;
use fencehold::host::{Host as _, RealHost};
use fencehold::journal::{Asking, FileJournal, Options};
use fencehold::ledger::Ledger;
use fencehold::mark::{Fence, Refusal, Shown};
use fencehold_model::policy::{IdForm, Policy};
use fencehold_model::{Holder, LeaseId, OpId, Right, Token};
use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;
use crate::site::Site;

fn grant(served: &mut Served, lease: &str) -> Token {
    served.ok("lease.grant", &json!({ "lease": lease, "holder": "h" }))["token"].as_u64().unwrap()
}

fn increment(fence: &Value) -> Value {
    json!({ "file": "d.json", "key": "n", "by": 1, "fence": fence })
}

/// FENCE-13: A lock and a lease of one name guard apart: neither's token passes the mark of the other.
#[test]
fn a_lock_and_a_lease_of_one_name_guard_apart() {
    let shown = |right: &str, token: u64| Shown::fence(format!("{right}={token}").parse::<Fence>().unwrap());
    let mut refused = 0;
    for (guard, other) in [("lock/x", "lease/x"), ("lease/x", "lock/x")] {
        let site = Site::new();
        site.document("d").increment("n", 1, &shown(guard, 5)).unwrap().unwrap();
        for token in [4, 5, 6] {
            let Err(Refusal::Guarded(mark)) =
                site.document("d").increment("n", 1, &shown(other, token)).unwrap()
            else {
                panic!("{guard} let the other pass");
            };
            assert_eq!((mark.right.to_string(), mark.token), (guard.to_owned(), 5));
            refused += 1;
        }
        site.document("d").increment("n", 1, &shown(guard, 5)).unwrap().unwrap();
    }
    assert_eq!(refused, 6);
    // The target says which of the two it is.
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let token = grant(&mut served, "x");
    served.ok("doc.increment", &increment(&json!({ "lease": "x", "token": token })));
    let lock =
        served.ok("lock.acquire", &json!({ "name": "x", "holder": "h", "ttl_ms": 60_000 }))["token"].clone();
    let answer = served.ask("doc.increment", &increment(&json!({ "lock": "x", "token": lock })));
    assert_eq!(
        (&answer["reason"], &answer["value"]),
        (&json!("guarded"), &json!({ "lease": "x", "token": token }))
    );
    for both in [json!({ "lock": "x", "lease": "x", "token": token }), json!({ "token": token })] {
        assert_eq!(served.ask("doc.increment", &increment(&both))["outcome"], "fail", "{both}");
    }
}

/// FENCE-14: A fence of a lease means the lease under every spelling of its id, and the mark remembers the canonical
/// one.
#[test]
fn every_spelling_of_a_lease_meets_one_mark() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let first = grant(&mut served, "7");
    let host = RealHost::new().unwrap();
    let journal = FileJournal::new(RealFs, host.clone(), &yard.join(".git/fencehold"), Options::default());
    let ledger = Ledger::new(journal, host.clone());
    let asking =
        Asking { actor: Holder::new("h").unwrap(), op: OpId::new(&format!("{:x}", host.random())).unwrap() };
    ledger.apply_policy(&asking, &Policy { lease_ids: IdForm::Numbers, ..Policy::default() }).unwrap();
    served.ok("lease.close", &json!({ "lease": "07", "token": first }));
    let token = grant(&mut served, "007");
    for spelling in ["7", "07", "0007"] {
        served.ok("doc.increment", &increment(&json!({ "lease": spelling, "token": token })));
        let answer = served.ask("doc.increment", &increment(&json!({ "lease": spelling, "token": first })));
        assert_eq!((&answer["reason"], &answer["value"]["lease"]), (&json!("stale_token"), &json!("7")));
        let written = yard.run([
            "doc",
            "update",
            "d.json",
            "--merge",
            "{}",
            "--fence",
            &format!("lease/{spelling}={token}"),
        ]);
        assert_eq!(written.code, 0, "{}", written.stderr);
    }
    let folder = yard.join(".git/fencehold/doc");
    let marks: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(marks.len(), 1);
    assert!(std::fs::read_to_string(&marks[0]).unwrap().contains("\"fence\":\"lease/7\""));
    assert_eq!("lease/7".parse(), Ok(Right::Lease(LeaseId::new("7").unwrap())));
}

/// FENCE-15: A guarded operation sent after its lease was answered to be crashed or cleared is refused as
/// `stale_token`.
#[test]
fn a_lease_that_others_ended_writes_nothing_more() {
    let mut refused = 0;
    for (op, fields) in [
        ("lease.crash", json!({ "lease": "x", "reason": "gone" })),
        ("lease.clear", json!({ "lease": "x", "force": true, "reason": "gone" })),
        ("lease.grant", json!({ "lease": "y", "holder": "other", "write_set": ["d.json"] })),
    ] {
        let yard = Yard::with_git();
        let mut served = Served::start(&yard);
        let token = served
            .ok("lease.grant", &json!({ "lease": "x", "holder": "h", "write_set": ["d.json"], "ttl_ms": 1 }))
            ["token"]
            .clone();
        let fence = json!({ "lease": "x", "token": token });
        served.ok("doc.increment", &increment(&fence));
        // Whether its TTL has passed is asked of the grant that needs it.
        let ended = (0..1000).map(|_| served.ask(op, &fields)).find(|answer| answer["outcome"] == "ok");
        assert!(ended.is_some(), "{op}");
        let before = std::fs::read(yard.join("d.json")).unwrap();
        for (op, more) in [
            ("doc.increment", json!({ "key": "n", "by": 1 })),
            ("doc.merge", json!({ "patch": { "m": 1 } })),
            ("doc.read", json!({})),
            ("log.append", json!({ "file": "l", "record": { "id": "r" } })),
        ] {
            let mut fields = more;
            fields["fence"] = fence.clone();
            if fields.get("file").is_none() {
                fields["file"] = json!("d.json");
            }
            let answer = served.ask(op, &fields);
            assert_eq!(answer["reason"], "stale_token", "{op} {fields}: {answer}");
            assert_eq!(answer["value"], json!({ "lease": "x", "token": token }));
            refused += 1;
        }
        assert_eq!(std::fs::read(yard.join("d.json")).unwrap(), before);
        assert!(!yard.join("l").exists());
    }
    assert_eq!(refused, 12);
}
