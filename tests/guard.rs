/// What was written in guarded globs: at a commit, and in an audit.
mod afterwards;
/// Git's own hooks, asked by git.
mod backstop;
/// Payloads that say too little, too much or nothing.
mod bad_input;
/// What cannot be decided.
mod failures;
/// Guarded globs: their locks, taken, kept, given up, and in the way.
mod guarded;
/// A repository in the middle of something.
mod in_progress;
/// A harness's settings: installed, tried, uninstalled.
mod install;
/// A session on a checkout, as its harness plays it.
pub(crate) mod play;
/// Sessions that are stopped, or go on under another id.
mod resumed;
/// Two users in one shared checkout.
mod users;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::Yard;
use play::{Session, reason};

/// The two incidents that such guards are written after: a second session checks out another branch under the first,
/// or pushes.
///
/// Behaviour D1.3: free is taken, one's own is taken again, another's is blocked.
/// Behaviour D1.4: a block names the other session and its process.
/// Behaviour D1.7: both stories.
/// Defect GUARD-12: a tool that nobody knows needs the lock.
///
/// GUARD-5: A shell command that is not shown to read only, a git command that is not known to move nothing, and a tool
/// that is not known need the lock `workspace`, which the hook acquires for the session with its id as the claim.
///
/// GUARD-6: A call that needs the lock `workspace` while another session has it is blocked, and the answer names the
/// holder, its process and until when.
#[test]
fn a_second_session_neither_checks_out_nor_pushes() {
    let yard = Yard::with_git();
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(first.bash("git checkout -b topic"), json!({}));
    let held = yard.json(0, ["lock", "show", "workspace"]);
    assert_eq!((&held["holder"], &held["claim"]), (&json!("first"), &Value::Null), "{held}");
    for command in
        ["git checkout main", "git push", "cd src; git   push -f origin HEAD", "make", "echo x > y"]
    {
        let why = reason(&second.bash(command));
        assert!(why.contains("held by first (pid ") && why.contains("until process"), "{command}: {why}");
    }
    let unknown = reason(&second.call("pre-tool-use", "mcp__db__write", &json!({})));
    assert!(unknown.contains("mcp__db__write is not known"), "{unknown}");
    // Asking again is the same grant.
    let token = yard.json(0, ["lock", "show", "workspace"])["token"].clone();
    assert_eq!(first.bash("git commit -m x"), json!({}));
    assert_eq!(yard.json(0, ["lock", "show", "workspace"])["token"], token);
}

/// Defect GUARD-12: what reads is in nobody's way.
///
/// GUARD-3: A tool call that is shown to read only passes without a look at the ledger, and creates nothing.
#[test]
fn reads_pass_and_create_nothing() {
    let yard = Yard::with_git();
    let session = Session::new(&yard, "reader");
    let before = yard.snapshot();
    let mut passed = 0;
    for command in ["git status", "git log --oneline | head", "ls -la", "rg foo", "cat a b 2>/dev/null"] {
        assert_eq!(session.bash(command), json!({}), "{command}");
        passed += 1;
    }
    for tool in ["Read", "Glob", "Grep", "WebFetch", "TodoWrite", "Task"] {
        assert_eq!(session.call("pre-tool-use", tool, &json!({ "file_path": "a" })), json!({}), "{tool}");
        passed += 1;
    }
    assert_eq!((passed, yard.snapshot() == before), (11, true));
}

/// GUARD-4: A call whose target lies in the write set of another holder's live lease is blocked, whatever the spelling
/// of the target, and the answer names the lease, its holder and what it writes.
#[test]
fn what_another_writes_is_blocked_however_it_is_spelt() {
    let yard = Yard::with_git();
    fs::create_dir_all(yard.join("src/deep")).unwrap();
    fs::create_dir(yard.join("other")).unwrap();
    symlink(yard.join("src"), yard.join("other/link")).unwrap();
    yard.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git(&["worktree", "add", "-q", "../tree-of-the-guard-test"]);
    let worktree = yard.path().parent().unwrap().join("tree-of-the-guard-test");
    let said = yard.run(["lease", "grant", "parser", "--writes", "src/", "--holder", "mine"]);
    assert_eq!(said.code, 0, "{said:?}");
    let (mine, other) = (Session::new(&yard, "mine"), Session::new(&yard, "other"));
    let absolute = yard.join("src/new.rs").to_string_lossy().into_owned();
    let elsewhere = worktree.join("src/new.rs").to_string_lossy().into_owned();
    let spelt =
        ["src/a.rs", "./other/../src/a.rs", "other/link/deep/a.rs", &absolute, &elsewhere, "src/[id].tsx"];
    for path in spelt {
        let call = |session: &Session| session.call("pre-tool-use", "Edit", &json!({ "file_path": path }));
        let why = reason(&call(&other));
        assert!(
            why.contains("lease parser") && why.contains("held by mine") && why.contains("src/"),
            "{why}"
        );
        assert_eq!(call(&mine), json!({}), "{path}");
    }
    let patch = "*** Begin Patch\n*** Update File: other/a\n*** Move to: src/a\n*** End Patch\n";
    assert!(
        reason(&other.call("pre-tool-use", "apply_patch", &json!({ "command": patch }))).contains("parser")
    );
    assert_eq!(other.call("pre-tool-use", "Write", &json!({ "file_path": "other/a" })), json!({}));
    // A lease that is closed is in nobody's way.
    assert_eq!(yard.run(["lease", "close", "parser", "--holder", "mine"]).code, 0);
    assert_eq!(other.call("pre-tool-use", "Edit", &json!({ "file_path": "src/a.rs" })), json!({}));
    fs::remove_dir_all(worktree).unwrap();
}

/// GUARD-13: A call in a folder where nothing is shared passes: one in no git repository with no `.fencehold` above it,
/// and a target outside of the tree.
#[test]
fn where_nothing_is_shared_everything_passes() {
    let (bare, yard) = (Yard::new(), Yard::with_git());
    let before = bare.snapshot();
    assert_eq!(Session::new(&bare, "a").bash("rm -rf x"), json!({}));
    assert_eq!(bare.snapshot(), before);
    let outside = bare.join("file").to_string_lossy().into_owned();
    assert_eq!(yard.run(["lease", "grant", "all", "--writes", "./", "--holder", "other"]).code, 0);
    let session = Session::new(&yard, "a");
    assert_eq!(session.call("pre-tool-use", "Write", &json!({ "file_path": outside })), json!({}));
    assert!(
        reason(&session.call("pre-tool-use", "Write", &json!({ "file_path": "a" }))).contains("lease all")
    );
}

/// Defect GUARD-8: a dead holder is waited for by nobody.
///
/// GUARD-7: The lock `workspace` is bound to the process of the session, the nearest ancestor of the hook that is no
/// shell, and is nobody's once that process is dead.
#[test]
fn a_killed_session_is_in_nobodys_way() {
    let yard = Yard::with_git();
    let mut killed = play::Alive::begin(&yard, "killed", "git rebase main");
    let second = Session::new(&yard, "second");
    let why = reason(&second.bash("git push"));
    assert!(why.contains(&format!("held by killed (pid {}", killed.pid())), "{why}");
    killed.kill();
    assert_eq!(second.bash("git push"), json!({}));
}

/// A harness that is killed while its hook runs leaves that to process 1, whatever is called so, which never ends: a lock
/// that is bound to it is held until a person breaks it.
#[test]
fn the_lock_of_a_hook_whose_harness_was_killed_is_not_bound_to_who_adopts_it() {
    let yard = Yard::with_git();
    assert_eq!(play::orphaned(&yard, "orphan", "git push"), json!({}));
    let held = yard.run(["lock", "show", "workspace"]);
    assert!(held.stdout.contains("held by orphan") && held.stdout.contains("lapses in"), "{held:?}");
}

/// Behaviour D1.1: a call of the session refreshes its lock.
///
/// GUARD-8: `post-tool-use` and `stop` renew the session's lock once a third of its TTL has passed, and never block.
#[test]
fn a_lock_of_which_a_third_is_over_is_renewed_by_the_next_call() {
    let yard = Yard::with_git();
    let session = Session::new(&yard, "s");
    let acquire = ["lock", "acquire", "workspace", "--holder", "s", "--claim", "s", "--ttl", "3s"];
    assert_eq!(yard.run(acquire).code, 0);
    let left_ms = || yard.json(0, ["lock", "show", "workspace"])["expires_in_ms"].as_u64().unwrap();
    let (mut least_ms, mut calls) = (left_ms(), 0);
    // Nobody waits here: the calls themselves take the time that passes.
    while left_ms() <= least_ms {
        least_ms = left_ms();
        let event = if calls % 2 == 0 { "post-tool-use" } else { "stop" };
        assert_eq!(session.call(event, "Read", &json!({})), json!({}));
        calls += 1;
        assert!(calls < 100_000, "never renewed");
    }
    assert!(least_ms <= 2_000 + 100, "renewed with {least_ms} ms of 3,000 left: each call would write");
    assert!(calls > 1, "{calls}");
}

/// Defect GUARD-5: a call of more than the TTL.
///
/// GUARD-18: While a session's process lives its lock is renewed, through calls of any length, by a process that ends with
/// the session's, with the grant, or after 24 hours.
#[test]
fn a_call_that_outlasts_its_ttl_keeps_the_lock() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init"]).code, 0);
    fs::write(yard.join(".git/fencehold/config.toml"), "hook_ttl = \"300ms\"\n").unwrap();
    let renewals = || {
        let history = yard.run(["--json", "history", "workspace"]).stdout;
        history.lines().filter(|line| line.contains("renewed")).count()
    };
    let mut session = play::Alive::begin(&yard, "long", "make");
    let until = Instant::now() + Duration::from_secs(30);
    while renewals() < 5 {
        assert!(Instant::now() < until, "{} renewals while the session makes no call", renewals());
    }
    assert!(!play::renewers(&yard).is_empty());
    session.kill();
    while !play::renewers(&yard).is_empty() {
        assert!(Instant::now() < until, "it outlives the session");
    }
}

/// Behaviour D1.3: only the session itself refreshes and releases.
/// Behaviour D1.6: each event has a word of its own.
/// Defect GUARD-6: it is kept between two turns.
///
/// GUARD-9: `session-end` releases the session's lock, and that of no other session.
#[test]
fn the_lock_is_the_sessions_until_its_end() {
    let yard = Yard::with_git();
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(first.bash("make"), json!({}));
    for event in ["post-tool-use", "stop", "session-end"] {
        assert_eq!(second.call(event, "Bash", &json!({ "command": "make" })), json!({}), "{event}");
    }
    let held = yard.json(0, ["lock", "show", "workspace"]);
    assert_eq!(held["holder"], "first", "a turn's end, another session's end: {held}");
    assert_eq!(first.call("stop", "", &json!(null)), json!({}));
    assert!(reason(&second.bash("make")).contains("held by first"));
    assert_eq!(first.call("session-end", "", &json!(null)), json!({}));
    assert_eq!(second.bash("make"), json!({}));
}
