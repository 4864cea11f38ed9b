use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::backstop::git_as;
use super::play::Alive;
use crate::program::Yard;

/// A repository in which `deploy/` is guarded by the lock `deploy`; `deploy/old` was changed before it was.
fn guarding() -> Yard {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("deploy")).unwrap();
    for file in ["deploy/a", "deploy/b", "deploy/old", "free"] {
        fs::write(yard.join(file), "x").unwrap();
    }
    yard.git(&["add", "."]);
    yard.git(&["commit", "-q", "-m", "one"]);
    fs::write(yard.join("deploy/old"), "changed").unwrap();
    written_at(&yard, "deploy/old", -100);
    fs::write(yard.join("fencehold.toml"), "[[guarded]]\npaths = [\"deploy/**\"]\nlock = \"deploy\"\n")
        .unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    yard
}

/// Gives a file a time, in seconds from now.
fn written_at(yard: &Yard, file: &str, seconds: i64) {
    let (now, by) = (SystemTime::now(), Duration::from_secs(seconds.unsigned_abs()));
    let time = if seconds < 0 { now - by } else { now + by };
    File::options().write(true).open(yard.join(file)).unwrap().set_modified(time).unwrap();
}

/// What `audit` finds: path, word and holder.
#[track_caller]
fn found(yard: &Yard, code: i32, more: &[&str]) -> Vec<(String, String, Value)> {
    let object = yard.json(code, [&["audit"][..], more].concat());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = object["value"]["found"].as_array().unwrap().iter();
    found
        .map(|one| {
            assert_eq!(one["lock"], "deploy", "{object}");
            (text(&one["path"]), text(&one["found"]), one["holder"].clone())
        })
        .collect()
}

fn one(path: &str, word: &str, holder: Value) -> Vec<(String, String, Value)> {
    vec![(path.to_owned(), word.to_owned(), holder)]
}

/// GUARD-31: `audit` names each changed path in a guarded glob that was written while nobody held the glob's lock, with who
/// held it last and how long ago that ended, and each that was written under a lock that another holds, and exits 1.
///
/// GUARD-32: `audit` passes over what one's own live lock covers, what was written under a lock that has ended, and what was
/// written before the policy guarded it, and counts as found, and says so, where it cannot tell: when a file was removed, or
/// when a process died.
#[test]
fn what_was_written_without_the_lock_is_named() {
    let yard = guarding();
    let acquire = |holder: &str| {
        assert_eq!(yard.run(["lock", "acquire", "deploy", "--holder", holder, "--claim", "c"]).code, 0);
    };
    let release = |holder: &str| {
        assert_eq!(yard.run(["lock", "release", "deploy", "--holder", holder, "--claim", "c"]).code, 0);
    };
    fs::write(yard.join("free"), "changed").unwrap();
    assert_eq!(found(&yard, 0, &[]), [], "nobody guarded these when they were written");
    fs::write(yard.join("deploy/a"), "changed").unwrap();
    written_at(&yard, "deploy/a", 100);
    assert_eq!(found(&yard, 1, &[]), one("deploy/a", "without_claim", Value::Null));
    assert!(yard.run(["audit"]).stdout.contains("without a claim: nobody had had lock deploy"));
    acquire("mine");
    assert_eq!(found(&yard, 1, &[]), one("deploy/a", "in_lock_of_another", json!("mine")));
    assert!(
        yard.run(["audit"])
            .stdout
            .contains("by its holder or without a claim: under lock deploy of mine, held for")
    );
    assert_eq!(found(&yard, 0, &["--holder", "mine"]), []);
    // Written while it lasted, and given up since.
    fs::write(yard.join("deploy/a"), "by mine").unwrap();
    release("mine");
    assert_eq!(found(&yard, 0, &[]), []);
    // And again, before the next had it.
    written_at(&yard, "deploy/a", 100);
    assert_eq!(found(&yard, 1, &[]), one("deploy/a", "without_claim", json!("mine")));
    let told = yard.run(["audit"]);
    assert!(told.stdout.contains("without a claim: lock deploy of mine ended"), "{told:?}");
    assert!(told.stderr.contains("who wrote a file cannot be told"), "{told:?}");
    // What was removed has no time.
    fs::write(yard.join("deploy/a"), "x").unwrap();
    fs::remove_file(yard.join("deploy/b")).unwrap();
    assert_eq!(found(&yard, 1, &[]), one("deploy/b", "cannot_tell", json!("mine")));
    acquire("other");
    assert_eq!(found(&yard, 1, &[]), one("deploy/b", "in_lock_of_another", json!("other")));
    assert_eq!(found(&yard, 0, &["--holder", "other"]), []);
}

/// A process's lock ends when that does, and nobody writes down when that was.
#[test]
fn what_was_written_about_when_a_session_died_cannot_be_told() {
    let yard = guarding();
    let mut session = Alive::after(&yard, "dead", &[("Write", json!({ "file_path": "deploy/a" }))]);
    fs::write(yard.join("deploy/a"), "by the session").unwrap();
    written_at(&yard, "deploy/a", 50);
    assert_eq!(found(&yard, 1, &[]), one("deploy/a", "in_lock_of_another", json!("dead")));
    session.kill();
    assert_eq!(found(&yard, 1, &[]), one("deploy/a", "cannot_tell", json!("dead")));
    // Once another has it, it was surely nobody's any more.
    for command in ["acquire", "release"] {
        assert_eq!(yard.run(["lock", command, "deploy", "--holder", "next", "--claim", "c"]).code, 0);
    }
    written_at(&yard, "deploy/a", 100);
    assert_eq!(found(&yard, 1, &[]), one("deploy/a", "without_claim", json!("next")));
}

/// GUARD-30: A commit is stopped where a staged path lies in a guarded glob whose lock the holder does not have, and the
/// message names path and lock, and who holds it, or that nobody does and how to acquire it.
#[test]
fn what_is_guarded_is_committed_by_the_holder_of_its_lock() {
    let yard = guarding();
    yard.git(&["checkout", "-q", "deploy/old"]);
    assert_eq!(yard.run(["hook", "install", "--git"]).code, 0);
    let commit = |holder: &str| git_as(holder, &yard.path(), &["commit", "-q", "-a", "-m", "x"]);
    fs::write(yard.join("free"), "changed").unwrap();
    assert_eq!(commit("ann").code, 0, "nothing guards that");
    for file in ["a", "b", "c", "d", "e", "f"] {
        fs::write(yard.join("deploy").join(file), "by ann").unwrap();
    }
    yard.git(&["add", "deploy"]);
    let stopped = commit("ann");
    for word in [
        "not committed: deploy/a, deploy/b",
        "and 1 more is guarded by the lock `deploy`, which nobody holds",
        "`fencehold lock acquire deploy` first",
    ] {
        assert!(stopped.code == 1 && stopped.stderr.contains(word), "{word:?} is missing: {stopped:?}");
    }
    assert_eq!(yard.run(["lock", "acquire", "deploy", "--holder", "bob"]).code, 0);
    let stopped = commit("ann");
    for word in
        ["guarded by the lock `deploy`, which is held by bob", "git restore --staged", "lock break deploy"]
    {
        assert!(stopped.code == 1 && stopped.stderr.contains(word), "{word:?} is missing: {stopped:?}");
    }
    assert_eq!(commit("bob").code, 0);
    // A removal and a new name are changes as well.
    assert_eq!(yard.run(["lock", "break", "deploy", "--reason", "r"]).code, 0);
    yard.git(&["mv", "deploy/a", "moved"]);
    let stopped = commit("ann");
    assert!(stopped.code == 1 && stopped.stderr.contains("deploy/a is guarded"), "{stopped:?}");
    // `--no-verify` is git's own way round, and nothing of ours is lost.
    assert_eq!(git_as("ann", &yard.path(), &["commit", "-q", "--no-verify", "-m", "x"]).code, 0);
}
