//! What the policy guards: from the first write on, under one lock.

use std::fs;

use fencehold::mark::{Fence, Shown};
use fencehold_model::{LeaseId, LockName};
use serde_json::{Value, json};

use crate::program::Yard;
use crate::served::Served;
use crate::site::{Site, fence};

/// A checkout whose policy guards `deploy/**` by the lock `deploy`, and a token of it, of another lock and of a lease of the
/// same name.
fn guarding() -> (Yard, [u64; 3]) {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("deploy")).unwrap();
    fs::write(yard.join("fencehold.toml"), "[[guarded]]\npaths = [\"deploy/**\"]\nlock = \"deploy\"\n")
        .unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    let token = |args: &[&str]| yard.json(0, args)["value"]["token"].as_u64().expect("a token");
    let tokens = [
        token(&["lock", "acquire", "other"]),
        token(&["lease", "grant", "deploy", "--writes", "src/"]),
        token(&["lock", "acquire", "deploy"]),
    ];
    (yard, tokens)
}

fn refused(answer: &Value) {
    assert_eq!(
        (&answer["outcome"], &answer["reason"], &answer["value"]),
        (&json!("refused"), &json!("guarded"), &json!({ "lock": "deploy" })),
        "{answer}"
    );
}

/// FENCE-16: A write to a document that lies in a guarded glob of the policy is refused as `guarded` without a fence of
/// the glob's lock, the first write as any other, one with a fence of a lease or of another lock too, and the answer names
/// the glob's lock.
///
/// FENCE-17: A read of such a document passes without a fence, and is refused as `guarded` with one of a lease or of another
/// lock: it would raise the mark.
#[test]
fn the_policy_guards_a_document_from_its_first_write_on() {
    let (yard, [other, lease, deploy]) = guarding();
    let spelt = ["deploy/plan.json", "./deploy/../deploy/plan.json"];
    let (other, lease) = (format!("lock/other={other}"), format!("lease/deploy={lease}"));
    let mut seen = 0;
    for _ in 0..2 {
        for file in spelt {
            for fence in [None, Some(&other), Some(&lease)] {
                let fence: Vec<&str> = fence.map_or(vec![], |fence| vec!["--fence", fence]);
                refused(
                    &yard.json(1, [&["doc", "update", file, "--merge", "{\"n\":1}"][..], &fence].concat()),
                );
                if !fence.is_empty() {
                    refused(&yard.json(1, [&["doc", "read", file][..], &fence].concat()));
                }
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 12);
    let said = yard.run(["doc", "update", "deploy/plan.json", "--merge", "{}"]);
    for word in ["guarded by lock deploy", "--fence lock/deploy=TOKEN", "--force"] {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
    assert!(!yard.join("deploy/plan.json").exists());
    let fence = format!("lock/deploy={deploy}");
    let update = ["doc", "update", "deploy/plan.json", "--merge", "{\"n\":1}", "--fence", &fence];
    assert_eq!(yard.run(update).code, 0);
    for file in spelt {
        assert_eq!(yard.json(0, ["doc", "read", file])["value"]["document"], json!({ "n": 1 }), "it passes");
    }
    refused(&yard.json(1, ["doc", "read", "deploy/plan.json", "--fence", &other]));
    // Elsewhere no fence is asked for, and a worktree inside of another is a tree of its own.
    assert_eq!(yard.run(["doc", "update", "plan.json", "--merge", "{}"]).code, 0);
    yard.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git(&["worktree", "add", "-q", "tree"]);
    fs::create_dir(yard.join("tree/deploy")).unwrap();
    refused(&yard.json(1, ["doc", "update", "tree/deploy/plan.json", "--merge", "{}"]));
}

/// The same through the target protocol.
#[test]
fn the_policy_guards_what_a_target_writes() {
    let (yard, [other, lease, deploy]) = guarding();
    let mut served = Served::start(&yard);
    let fences = [
        json!(null),
        json!({ "lock": "other", "token": other }),
        json!({ "lease": "deploy", "token": lease }),
    ];
    let mut seen = 0;
    for fence in fences {
        for (op, mut fields) in [
            ("doc.increment", json!({ "key": "n", "by": 1 })),
            ("doc.merge", json!({ "patch": {} })),
            ("doc.read", json!({})),
        ] {
            fields["file"] = json!("deploy/plan.json");
            fields["fence"] = fence.clone();
            let answer = served.ask(op, &fields);
            if fence.is_null() && op == "doc.read" {
                assert_eq!(answer["reason"], "not_found", "{answer}");
            } else {
                assert_eq!(
                    (&answer["outcome"], &answer["reason"]),
                    (&json!("refused"), &json!("guarded")),
                    "{op}: {answer}"
                );
                assert_eq!(answer["value"], json!({ "lock": "deploy" }), "{op}: {answer}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
    let fence = json!({ "lock": "deploy", "token": deploy });
    let done = served
        .ok("doc.increment", &json!({ "file": "deploy/plan.json", "key": "n", "by": 1, "fence": fence }));
    assert_eq!(done["value"], 1);
}

/// FENCE-18: A write with `--force` and a `--reason` passes where the policy refuses it, and with a fence of the glob's lock
/// hands a mark of another lock or lease over to it.
#[test]
fn force_passes_the_policy() {
    let (yard, [other, _, deploy]) = guarding();
    let forced = |more: &[&str]| {
        let update = ["doc", "update", "deploy/plan.json", "--merge", "{\"n\":1}", "--force", "--reason"];
        yard.run([&update[..], more].concat()).code
    };
    assert_eq!(forced(&[" "]), 1);
    assert_eq!(forced(&["by hand"]), 0);
    // The mark of another lock, as from before the glob was guarded.
    assert_eq!(forced(&["by hand", "--fence", &format!("lock/other={other}")]), 0);
    let fence = format!("lock/deploy={deploy}");
    let update = ["doc", "update", "deploy/plan.json", "--merge", "{\"n\":2}", "--fence", &fence];
    assert_eq!(yard.run(update).code, 1, "the mark has its say too");
    assert_eq!(forced(&["handed over", "--fence", &fence]), 0);
    assert_eq!(yard.run(update).code, 0);
    // A damaged one is repaired under the same rule.
    fs::write(yard.join("deploy/plan.json"), "{").unwrap();
    refused(&yard.json(1, ["doc", "repair", "deploy/plan.json"]));
    assert_eq!(yard.run(["doc", "repair", "deploy/plan.json", "--fence", &fence]).code, 0);
    fs::write(yard.join("deploy/plan.json"), "{").unwrap();
    assert_eq!(yard.run(["doc", "repair", "deploy/plan.json", "--force", "--reason", "r"]).code, 0);
}

/// FENCE-19: A log that lies in a guarded glob takes an append without a fence: nothing that stands in it can be lost.
#[test]
fn a_log_in_a_guarded_glob_takes_appends() {
    let (yard, _) = guarding();
    assert_eq!(yard.run(["log", "append", "deploy/log.ndjson", "{\"id\":\"a\"}"]).code, 0);
    assert_eq!(fs::read_to_string(yard.join("deploy/log.ndjson")).unwrap(), "{\"id\":\"a\"}\n");
}

/// The library: who opens a document says which lock guards it.
#[test]
fn a_document_that_is_guarded_by_a_lock_takes_no_other_fence() {
    let site = Site::new();
    let deploy = || Some(LockName::new("deploy").unwrap());
    let document = || site.document("x").guarded_by(deploy());
    let lease = Shown::fence(Fence::new(LeaseId::new("deploy").unwrap(), 7).unwrap());
    let mut seen = 0;
    for shown in [Shown::nothing(), fence("other", 7), lease] {
        let patch = json!({ "n": 1 });
        let word = |refusal: fencehold::mark::Refusal| refusal.word();
        assert_eq!(document().merge(&patch, None, &shown).unwrap().map_err(word), Err("guarded"));
        assert_eq!(document().repair(None, &shown).unwrap().map_err(word), Err("guarded"));
        let version = document().read(&Shown::nothing()).unwrap().unwrap().version;
        assert_eq!(document().remove(&version, &shown).unwrap().map_err(word), Err("guarded"));
        assert_eq!(document().read(&shown).unwrap().is_ok(), shown.fence.is_none());
        seen += 1;
    }
    assert_eq!((seen, site.names(".fencehold/doc").len()), (3, 0), "what is refused leaves nothing behind");
    assert!(document().merge(&json!({}), None, &fence("deploy", 7)).unwrap().is_ok());
    // Without the policy the mark alone counts.
    assert!(site.document("x").merge(&json!({}), None, &fence("deploy", 8)).unwrap().is_ok());
}
