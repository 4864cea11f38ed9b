use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::play::{Alive, Session, reason, renewers};
use crate::program::Yard;

/// A checkout whose policy guards these.
fn guarding(paths: &str, lock: &str) -> Yard {
    let yard = Yard::with_git();
    let policy = format!("[[guarded]]\npaths = {paths}\nlock = \"{lock}\"\n");
    fs::write(yard.join("fencehold.toml"), policy).unwrap();
    let said = yard.run(["config", "apply"]);
    assert_eq!(said.code, 0, "{said:?}");
    yard
}

fn edit(session: &Session, path: &str) -> Value {
    session.call("pre-tool-use", "Edit", &json!({ "file_path": path }))
}

/// Who has a lock, by name.
fn holders(yard: &Yard) -> Vec<(String, String)> {
    let listed = yard.run(["--json", "lock", "list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    let locks = listed.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    locks.map(|lock| (text(&lock["name"]), text(&lock["holder"]))).collect()
}

fn held(name: &str, holder: &str) -> (String, String) {
    (name.to_owned(), holder.to_owned())
}

/// GUARD-25: A call whose target lies in a guarded glob, whatever the spelling of the target, needs the glob's lock, which
/// the hook acquires for the session as it does `workspace`.
///
/// GUARD-26: A call that needs the lock of a guarded glob while another holder has it is blocked, and the answer names the
/// path, the lock, its holder and until when.
#[test]
fn no_two_sessions_are_in_one_guarded_glob() {
    let yard = guarding("[\"deploy/**\", \"Cargo.lock\"]", "deploy");
    fs::create_dir_all(yard.join("deploy/deep")).unwrap();
    fs::create_dir(yard.join("other")).unwrap();
    symlink(yard.join("deploy"), yard.join("other/link")).unwrap();
    yard.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git(&["worktree", "add", "-q", "tree"]);
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&second, "src/a.rs"), json!({}));
    assert_eq!(holders(&yard), [], "nothing guards that");
    assert_eq!(edit(&first, "deploy/prod.yaml"), json!({}));
    let lock = yard.json(0, ["lock", "show", "deploy"]);
    assert_eq!((&lock["holder"], lock["expires_in_ms"].is_null()), (&json!("first"), true), "{lock}");
    let absolute = yard.join("deploy/x").to_string_lossy().into_owned();
    let spelt = [
        "deploy/a",
        "./other/../deploy/a",
        "other/link/deep/a",
        &absolute,
        "tree/deploy/a",
        "Cargo.lock",
        "deploy",
    ];
    for path in spelt {
        let why = reason(&edit(&second, path));
        for word in ["is guarded", "lock `deploy`", "held by first (pid ", "until process"] {
            assert!(why.contains(word), "{path}: {word:?} is missing: {why}");
        }
        assert_eq!(edit(&first, path), json!({}), "{path}");
    }
    assert_eq!(
        yard.json(0, ["lock", "show", "deploy"])["token"],
        lock["token"],
        "asking again is the same grant"
    );
    assert_eq!(second.call("pre-tool-use", "Read", &json!({ "file_path": "deploy/a" })), json!({}));
    assert_eq!(edit(&second, "deployed/a"), json!({}), "nothing guards that");
    // A person is a holder as any other.
    assert_eq!(first.call("session-end", "", &json!(null)), json!({}));
    assert_eq!(yard.run(["lock", "acquire", "deploy", "--holder", "ann"]).code, 0);
    let why = reason(&edit(&second, "deploy/a"));
    assert!(
        why.contains("deploy/a is guarded") && why.contains("held by ann") && why.contains("lapses in"),
        "{why}"
    );
}

/// Where the policy names a symbolic link, what it leads to is guarded, and so is the link.
#[test]
fn a_guarded_link_guards_what_it_leads_to() {
    let yard = guarding("[\"current/**\", \"gone/**\", \"out/**\"]", "deploy");
    fs::create_dir(yard.join("v2")).unwrap();
    symlink("v2", yard.join("current")).unwrap();
    symlink("nowhere", yard.join("gone")).unwrap();
    symlink("/", yard.join("out")).unwrap();
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&first, "current/a"), json!({}));
    assert_eq!(holders(&yard), [held("deploy", "first")]);
    for path in ["v2/a", "current/b", "v2"] {
        assert!(reason(&edit(&second, path)).contains("held by first"), "{path}");
    }
    assert_eq!(edit(&second, "v1/a"), json!({}));
    // The same file is free again where the link leads elsewhere.
    fs::remove_file(yard.join("current")).unwrap();
    assert_eq!(edit(&second, "v2/a"), json!({}));
}

/// GUARD-25: A call whose target lies in a guarded glob, whatever the spelling of the target, needs the glob's lock, which
/// the hook acquires for the session as it does `workspace`.
///
/// A patch that deletes a link changes the folder in which the link stands, and not the file that it leads to.
#[test]
fn a_link_out_of_a_guarded_folder_is_no_way_round_its_lock() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    fs::create_dir_all(yard.join("deploy/in")).unwrap();
    fs::create_dir(yard.join("src")).unwrap();
    fs::write(yard.join("src/prod.yaml"), "").unwrap();
    symlink("../src/prod.yaml", yard.join("deploy/current.yaml")).unwrap();
    symlink("../src", yard.join("deploy/out")).unwrap();
    symlink("deploy", yard.join("by")).unwrap();
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&first, "deploy/a"), json!({}));
    for path in ["deploy/current.yaml", "deploy/out/new", "deploy/in/../out/new", "by/current.yaml"] {
        let why = reason(&edit(&second, path));
        assert!(why.contains("is guarded") && why.contains("held by first"), "{path}: {why}");
    }
    let delete =
        json!({ "command": "*** Begin Patch\n*** Delete File: deploy/current.yaml\n*** End Patch\n" });
    assert!(reason(&second.call("pre-tool-use", "apply_patch", &delete)).contains("held by first"));
    // What the links lead to is nobody's by its own name, and by one that only goes through the folder.
    for path in ["src/prod.yaml", "src/new", "deploy/out/../src/new"] {
        assert_eq!(edit(&second, path), json!({}), "{path}");
    }
    // A write set is gone round no more than a lock.
    let said = yard.run(["lease", "grant", "x", "--writes", "docs/", "--holder", "first"]);
    assert_eq!(said.code, 0, "{said:?}");
    fs::create_dir(yard.join("docs")).unwrap();
    symlink("../src/prod.yaml", yard.join("docs/link")).unwrap();
    assert!(reason(&edit(&second, "docs/link")).contains("lease x"));
}

/// GUARD-25: A call whose target lies in a guarded glob, whatever the spelling of the target, needs the glob's lock, which
/// the hook acquires for the session as it does `workspace`.
///
/// GUARD-4: A call whose target lies in the write set of another holder's live lease is blocked, whatever the spelling of
/// the target, and the answer names the lease, its holder and what it writes.
#[test]
fn a_repository_inside_of_another_is_in_the_tree_of_both() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    for inner in ["deploy/inner", "leased/inner", "free/inner"] {
        fs::create_dir_all(yard.join(inner)).unwrap();
        yard.git_in(&yard.join(inner), &["init", "-q"]);
    }
    let said = yard.run(["lease", "grant", "x", "--writes", "leased/", "--holder", "first"]);
    assert_eq!(said.code, 0, "{said:?}");
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&first, "deploy/inner/a"), json!({}));
    assert_eq!(holders(&yard), [held("deploy", "first")]);
    let why = reason(&edit(&second, "deploy/inner/deep/a"));
    assert!(why.contains("deploy/inner/deep/a is guarded") && why.contains("held by first"), "{why}");
    assert!(reason(&edit(&second, "leased/inner/a")).contains("lease x"));
    assert_eq!(edit(&second, "free/inner/a"), json!({}));
    // The inner one has a policy of its own as well.
    let inner = yard.join("deploy/inner");
    fs::write(inner.join("fencehold.toml"), "[[guarded]]\npaths = [\"own\"]\nlock = \"inner\"\n").unwrap();
    let root = inner.to_str().expect("UTF-8");
    assert_eq!(yard.run(["--root", root, "config", "apply"]).code, 0);
    assert_eq!(edit(&first, "deploy/inner/own"), json!({}));
    let listed = yard.run(["--root", root, "--json", "lock", "list"]).stdout;
    assert!(listed.contains("\"inner\"") && listed.contains("\"first\""), "{listed}");
    assert_eq!(holders(&yard), [held("deploy", "first")]);
    assert!(!yard.join("free/inner/.git/fencehold").exists(), "who only asks makes none");
}

/// GUARD-27: Every lock that the hook acquired for a session is renewed by `post-tool-use` and `stop`, kept by one process
/// for all of them, and released by `session-end`; what the session took by hand is left to it.
#[test]
fn a_session_keeps_all_its_locks_and_gives_them_all_up() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!((edit(&first, "deploy/a"), first.bash("make")), (json!({}), json!({})));
    assert_eq!(yard.run(["lock", "acquire", "mine", "--holder", "first"]).code, 0);
    for event in ["post-tool-use", "stop", "session-end"] {
        assert_eq!(second.call(event, "Bash", &json!({ "command": "make" })), json!({}), "{event}");
    }
    assert_eq!(holders(&yard), [held("deploy", "first"), held("mine", "first"), held("workspace", "first")]);
    assert_eq!(first.call("session-end", "", &json!(null)), json!({}));
    assert_eq!(holders(&yard), [held("mine", "first")]);
    // What the session took by hand is in its own way no more than in that of its calls.
    assert_eq!(yard.run(["lock", "acquire", "deploy", "--holder", "first"]).code, 0);
    assert_eq!(edit(&first, "deploy/a"), json!({}));
    assert_eq!(first.call("session-end", "", &json!(null)), json!({}));
    assert_eq!(holders(&yard), [held("deploy", "first"), held("mine", "first")]);
}

/// Each is renewed once a third of its time is over, by the call that finds it so.
#[test]
fn the_lock_of_a_glob_is_renewed_by_the_next_call() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    let session = Session::new(&yard, "s");
    let renewed = |lock: &str| yard.run(["history", lock]).stdout.contains("renewed");
    let mut calls = 0;
    // Nobody waits here: the calls themselves take the time that passes.
    while !(renewed("deploy") && renewed("workspace")) {
        let held = holders(&yard);
        for lock in ["deploy", "workspace"] {
            // At first, and where this process got no time for longer than a TTL.
            if !held.iter().any(|(name, _)| name == lock) {
                let acquire = ["lock", "acquire", lock, "--holder", "s", "--claim", "s", "--ttl", "3s"];
                assert_eq!(yard.run(acquire).code, 0);
            }
        }
        assert_eq!(session.call("post-tool-use", "Read", &json!({})), json!({}));
        calls += 1;
        assert!(calls < 100_000, "never renewed");
    }
}

#[test]
fn one_process_keeps_all_locks_of_a_session() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    fs::write(yard.join(".git/fencehold/config.toml"), "hook_ttl = \"300ms\"\n").unwrap();
    let calls = [("Bash", json!({ "command": "make" })), ("Write", json!({ "file_path": "deploy/a" }))];
    let mut session = Alive::after(&yard, "long", &calls);
    let renewals = |lock: &str| {
        let history = yard.run(["--json", "history", lock]).stdout;
        history.lines().filter(|line| line.contains("renewed")).count()
    };
    let until = Instant::now() + Duration::from_secs(60);
    let patient = |what: &str| assert!(Instant::now() < until, "{what}");
    while renewals("deploy") < 3 || renewals("workspace") < 3 {
        patient("renewed too seldom while the session makes no call");
    }
    // The second that was started finds the first, and ends.
    while renewers(&yard).len() != 1 {
        patient("not one of them");
    }
    // It goes on with what is left, and with what comes.
    assert_eq!(yard.run(["lock", "break", "workspace", "--reason", "r"]).code, 0);
    let before = renewals("deploy");
    while renewals("deploy") < before + 3 {
        patient("it ended with one of two locks");
    }
    assert_eq!(renewers(&yard).len(), 1);
    session.kill();
    while !renewers(&yard).is_empty() {
        patient("it outlives the session");
    }
}

/// GUARD-28: A call of several targets is blocked where one of them is, and leaves no lock behind that it alone took.
#[test]
fn a_blocked_call_takes_nothing() {
    let yard = guarding("[\"deploy/**\"]\nlock = \"deploy\"\n\n[[guarded]]\npaths = [\"db/\"]", "migrations");
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&first, "db/1.sql"), json!({}));
    let patch = |session: &Session, files: &[&str]| {
        let files: String =
            files.iter().map(|file| format!("*** Update File: {file}\n@@\n-x\n+y\n")).collect();
        let patch = format!("*** Begin Patch\n{files}*** End Patch\n");
        session.call("pre-tool-use", "apply_patch", &json!({ "command": patch }))
    };
    let mut seen = 0;
    for files in [["deploy/a", "db/a"], ["db/a", "deploy/a"]] {
        let why = reason(&patch(&second, &files));
        assert!(why.contains("db/a is guarded") && why.contains("lock `migrations`"), "{why}");
        assert_eq!(holders(&yard), [held("migrations", "first")], "{files:?}");
        seen += 1;
    }
    assert_eq!(seen, 2);
    // What it had before it keeps.
    assert_eq!(edit(&second, "deploy/b"), json!({}));
    reason(&patch(&second, &["deploy/a", "db/a"]));
    assert_eq!(holders(&yard), [held("deploy", "second"), held("migrations", "first")]);
    // Another's lease is looked at first.
    let said = yard.run(["lease", "grant", "x", "--writes", "src/", "--holder", "first"]);
    assert_eq!((said.code, second.call("session-end", "", &json!(null))), (0, json!({})));
    assert!(reason(&patch(&second, &["deploy/a", "src/x"])).contains("lease x"));
    assert_eq!(holders(&yard), [held("migrations", "first")]);
    // Both at once.
    assert_eq!(patch(&first, &["deploy/a", "db/a"]), json!({}));
    assert_eq!(holders(&yard), [held("deploy", "first"), held("migrations", "first")]);
}

/// GUARD-29: A shell call passes with the lock `workspace` while another holder has the lock of a guarded glob, and is
/// blocked where that lock is `workspace`.
#[test]
fn a_shell_call_needs_the_workspace_alone() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&first, "deploy/a"), json!({}));
    assert_eq!(second.bash("make"), json!({}));
    assert_eq!(edit(&first, "deploy/b"), json!({}));
    let yard = guarding("[\"deploy/**\"]", "workspace");
    let (first, second) = (Session::new(&yard, "first"), Session::new(&yard, "second"));
    assert_eq!(edit(&first, "deploy/a"), json!({}));
    assert!(reason(&second.bash("make")).contains("held by first"));
    assert_eq!(second.bash("git status"), json!({}));
}

/// GUARD-2: A hook answers within 1 s, or by the fail policy.
#[test]
fn a_glob_whose_ledger_is_damaged_follows_the_fail_policy() {
    let yard = guarding("[\"deploy/**\"]", "deploy");
    let session = Session::new(&yard, "first");
    fs::write(yard.join(".git/fencehold/journal.1.ndjson"), "?\n").unwrap();
    assert!(reason(&edit(&session, "deploy/a")).contains("cannot tell"));
    assert_eq!(session.call("pre-tool-use", "Read", &json!({ "file_path": "deploy/a" })), json!({}));
}
