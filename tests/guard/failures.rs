use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::play::{Session, decided, hook, reason};
use crate::program::{Yard, fencehold_in};

/// A workspace whose journal nobody can read.
fn damaged(policy: Option<&str>) -> Yard {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init"]).code, 0);
    fs::write(yard.join(".git/fencehold/journal.1.ndjson"), b"?\n").unwrap();
    if let Some(policy) = policy {
        fs::write(yard.join(".git/fencehold/config.toml"), policy).unwrap();
    }
    yard
}

/// Behaviour D1.6: an error blocks, unless a workspace says otherwise.
/// Defect GUARD-7: a lock that cannot be read lets nobody in.
///
/// GUARD-11: A `pre-tool-use` that fails is blocked, unless `hook_failure = "open"` stands in the workspace's
/// `config.toml`.
#[test]
fn what_cannot_be_decided_is_blocked() {
    let mut seen = 0;
    for policy in
        [None, Some("hook_failure = \"closed\"\n"), Some("hook_failure = \"ajar\"\n"), Some("\u{0}")]
    {
        let yard = damaged(policy);
        let session = Session::new(&yard, "s");
        for (tool, input) in [("Bash", json!({ "command": "make" })), ("Edit", json!({ "file_path": "a" }))] {
            let why = reason(&session.call("pre-tool-use", tool, &input));
            assert!(why.contains("cannot tell") && why.contains("fencehold doctor"), "{why}");
            seen += 1;
        }
        // What reads needs no decision.
        assert_eq!(session.bash("git status"), json!({}));
    }
    assert_eq!(seen, 8);
}

/// Behaviour D1.4: what cannot be decided may be let pass, where a workspace says so.
/// Behaviour D1.6: an error blocks, or leaves a record.
/// Defect GUARD-7: what passes undecided is recorded, and `status` shows it.
///
/// GUARD-12: What passes because of `hook_failure = "open"` leaves a record first, which `status` shows, and is blocked
/// where the record cannot be left.
#[test]
fn what_passes_undecided_is_recorded_or_does_not_pass() {
    let yard = damaged(Some("hook_failure = \"open\"\n"));
    let session = Session::new(&yard, "s");
    for _ in 0..3 {
        assert_eq!(session.bash("make"), json!({}));
    }
    let path = yard.join(".git/fencehold/failed-open.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 3, "{text}");
    assert!(
        records.iter().all(|record| record["why"].as_str().unwrap().contains("journal.1.ndjson")),
        "{text}"
    );
    // A journal that can be read again.
    let healthy = Yard::with_git();
    assert_eq!(healthy.run(["init"]).code, 0);
    fs::copy(&path, healthy.join(".git/fencehold/failed-open.ndjson")).unwrap();
    assert_eq!(healthy.json(0, ["status"])["failed_open"].as_array().unwrap().len(), 3);
    assert!(healthy.run(["status"]).stdout.contains("3 tool calls passed undecided"));
    fs::write(&path, vec![b'\n'; (1 << 20) + 1]).unwrap();
    let why = reason(&session.bash("make"));
    assert!(why.contains("no record of it could be left") && why.contains("is full"), "{why}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(reason(&session.bash("make")).contains("no record of it could be left"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// GUARD-2: A hook answers within 1 s, or by the fail policy.
#[test]
fn a_hook_that_has_to_wait_answers_in_time() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init"]).code, 0);
    let lock = fs::File::open(yard.join(".git/fencehold/lock")).unwrap();
    lock.lock().unwrap();
    let begun = Instant::now();
    let why = reason(&Session::new(&yard, "s").bash("make"));
    assert!(why.contains("no answer within"), "{why}");
    assert!(begun.elapsed() < Duration::from_secs(10), "ten times what it may take: {:?}", begun.elapsed());
    lock.unlock().unwrap();
    assert_eq!(Session::new(&yard, "s").bash("make"), json!({}));
}

/// An argument that nobody knows is no usage error here: it would stop every call of an agent, or let every one pass.
#[test]
fn a_flag_that_is_unknown_follows_the_fail_policy() {
    let yard = Yard::with_git();
    let mut command = yard.fencehold();
    let output = command.args(["hook", "pre-tool-use", "--no-such-flag"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let decision: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(reason(&decision).contains("--no-such-flag"), "{decision}");
    assert_eq!(decided(&hook(&yard.path(), "stop", b"")), json!({}));
}

/// A call that writes, of a hook whose stdout is this.
fn told_to(yard: &Yard, stdout: impl Into<Stdio>) {
    let payload = json!({ "session_id": "s", "cwd": yard.path(), "tool_name": "Bash",
        "tool_input": { "command": "make" } });
    let mut hook = fencehold_in(&yard.path());
    let mut hook =
        hook.args(["hook", "pre-tool-use"]).stdin(Stdio::piped()).stdout(stdout).spawn().expect("it starts");
    let payload = payload.to_string();
    hook.stdin.take().expect("piped").write_all(payload.as_bytes()).expect("it reads");
    assert!(hook.wait().expect("it ends").success());
}

/// A harness that is killed leaves its hook to whoever adopts orphans: it had the lock for as long as that one lived.
///
/// GUARD-34: A hook whose answer nobody can read takes no lock.
#[test]
fn a_hook_that_outlives_its_harness_takes_no_lock_for_who_adopts_it() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init"]).code, 0);
    let held = || yard.run(["lock", "list", "--json"]).stdout.lines().count();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    told_to(&yard, writer);
    let (theirs, ours) = UnixStream::pair().unwrap();
    drop(theirs);
    told_to(&yard, OwnedFd::from(ours));
    assert_eq!(held(), 0);
    // What it has by a call that was heard, it keeps.
    told_to(&yard, File::create(yard.join("answer")).unwrap());
    assert_eq!((held(), fs::read_to_string(yard.join("answer")).unwrap().as_str()), (1, "{}\n"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    told_to(&yard, writer);
    assert_eq!(held(), 1);
}
