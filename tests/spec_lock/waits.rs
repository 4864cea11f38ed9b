//! Waiting for a lock, by the command line as real processes.

use std::process::Child;

use crate::program::{Kept, Yard, said};

/// Starts an acquire that waits for a minute, and lets it come to its waiting.
fn waiter(yard: &Yard, holder: &str) -> Kept {
    let child = yard
        .fencehold()
        .args(["--json", "lock", "acquire", "x", "--holder", holder, "--wait", "60s"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Kept(child);
    // It has a watch on the folder from just before it asks for the last time.
    while !has_watch(&child.0) {
        assert!(child.0.try_wait().unwrap().is_none(), "it did not wait");
        std::thread::yield_now();
    }
    child
}

fn has_watch(child: &Child) -> bool {
    let Ok(fds) = std::fs::read_dir(format!("/proc/{}/fd", child.id())) else { return false };
    fds.flatten()
        .any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().contains("inotify")))
}

/// Its answer, and when it was granted by the journal's own clock.
fn answer(mut waiter: Kept) -> serde_json::Value {
    use std::io::Read as _;
    let mut text = String::new();
    waiter.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(waiter.0.wait().unwrap().success(), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Journal times of the events of a kind.
fn times(yard: &Yard, kind: &str) -> Vec<u64> {
    let journal = std::fs::read_to_string(yard.join(".git/fencehold/journal.1.ndjson")).unwrap();
    let values = journal.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    values.filter(|line| line["event"]["type"] == kind).map(|line| line["t"].as_u64().unwrap()).collect()
}

/// LOCK-24: An acquire that may wait is granted within a second of a release, a break or an expiry that frees the
/// lock, unless another acquire was granted first.
#[test]
fn a_waiter_is_woken_by_what_frees_the_lock() {
    for (how, ttl) in [("release", "1h"), ("break", "1h"), ("expiry", "1s")] {
        let yard = Yard::with_git();
        let token =
            yard.json(0, ["lock", "acquire", "x", "--holder", "first", "--ttl", ttl])["value"]["token"]
                .to_string();
        let waiter = waiter(&yard, "second");
        match how {
            "release" => _ = yard.json(0, ["lock", "release", "x", "--holder", "first", "--token", &token]),
            "break" => _ = yard.json(0, ["lock", "break", "x", "--reason", "stuck"]),
            _ => {}
        }
        let granted = answer(waiter);
        assert_eq!(granted["outcome"], "ok", "{how}: {granted}");
        let grants = times(&yard, "lock.granted");
        let freed = match how {
            "release" => times(&yard, "lock.released")[0],
            "break" => times(&yard, "lock.broken")[0],
            _ => grants[0] + 1_000,
        };
        // A second is what is promised of a machine that has one to spare; whoever is not woken sleeps for 30.
        assert!(
            grants[1] >= freed && grants[1] < freed + 15_000,
            "{how}: freed at {freed}, granted {grants:?}"
        );
    }
}

/// LOCK-25: A wait that has ended without a grant is answered `held` at most 250 ms late and leaves nothing behind.
#[test]
fn a_wait_that_ends_is_answered_held_and_leaves_nothing() {
    let yard = Yard::with_git();
    let token =
        yard.json(0, ["lock", "acquire", "x", "--holder", "first", "--ttl", "1h"])["value"]["token"].clone();
    let before = yard.snapshot();
    for wait in ["1ms", "300ms"] {
        let said = said(
            yard.fencehold().args(["--json", "lock", "acquire", "x", "--holder", "second", "--wait", wait]),
        );
        let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!((said.code, &answer["reason"]), (1, &"held".into()), "{said:?}");
        assert_eq!((&answer["value"]["holder"], &answer["value"]["token"]), (&"first".into(), &token));
    }
    assert_eq!(yard.snapshot(), before);
    // Whoever gave up is not granted the lock later on.
    yard.json(0, ["lock", "break", "x", "--reason", "over"]);
    assert_eq!(yard.json(0, ["lock", "acquire", "x", "--holder", "third"])["outcome"], "ok");
}
