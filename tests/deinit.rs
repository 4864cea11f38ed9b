//! `fencehold deinit` as processes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::guard::play::Session;
use crate::program::{Said, Yard, said};

/// By how much one of two that race begins later or earlier the next time.
const STEP: Duration = Duration::from_micros(500);

type Tree = Vec<(PathBuf, u32, Vec<u8>)>;

#[track_caller]
fn ok(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// A repository in which somebody has worked: attributes, settings and hooks of their own.
fn lived_in() -> Yard {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("src")).unwrap();
    fs::create_dir(yard.join(".claude")).unwrap();
    fs::write(yard.join("src/a.rs"), "fn main() {}\n").unwrap();
    fs::write(yard.join(".claude/settings.local.json"), "{ \"model\": \"x\" }\n").unwrap();
    fs::write(yard.join(".git/info/attributes"), "*.png binary\n/kept.ndjson merge=union").unwrap();
    fs::set_permissions(yard.join(".git/info/attributes"), fs::Permissions::from_mode(0o640)).unwrap();
    yard.git(&["add", "."]);
    yard.git(&["commit", "-q", "-m", "one"]);
    yard
}

/// A day of sessions that share the checkout: each works, is in another's way, and ends. What they wrote is taken away.
fn a_day(yard: &Yard) {
    ok(&yard.run(["log", "append", "bugs.ndjson", "{\"id\":\"0\"}"]));
    for (number, id) in ["early", "noon", "late", "night"].into_iter().enumerate() {
        let session = Session::new(yard, id);
        let lease = format!("work-{number}");
        ok(&yard.run(["lease", "grant", &lease, "--writes", "src/", "--holder", id]));
        ok(&yard.run(["task", "set", &lease, "in_progress", "--holder", id]));
        let edit = json!({ "file_path": "src/a.rs" });
        assert_eq!(session.call("pre-tool-use", "Edit", &edit), json!({}));
        let other = Session::new(yard, "other").call("pre-tool-use", "Edit", &edit);
        assert_ne!(other, json!({}), "two in one file");
        assert_eq!(session.call("post-tool-use", "Edit", &edit), json!({}));
        assert_eq!(session.bash("make"), json!({}));
        ok(&yard.run(["lock", "run", "build", "--holder", id, "--", "true"]));
        ok(&yard.run(["log", "append", "src/events.ndjson", &format!("{{\"id\":\"{number}\"}}")]));
        ok(&yard.run(["log", "append", "kept.ndjson", &format!("{{\"id\":\"{number}\"}}")]));
        ok(&yard.run(["doc", "update", "plan.json", "--merge", &format!("{{\"step\":{number}}}")]));
        ok(&yard.run(["task", "set", &lease, "done", "--holder", id]));
        ok(&yard.run(["lease", "close", &lease, "--holder", id]));
        for event in ["stop", "session-end"] {
            assert_eq!(session.call(event, "", &json!(null)), json!({}));
        }
    }
    for file in ["bugs.ndjson", "src/events.ndjson", "kept.ndjson", "plan.json"] {
        fs::remove_file(yard.join(file)).unwrap();
    }
}

/// CLI-59: `deinit` removes the workspace folder, what `init --dir` wrote into git's config and the lines that logs added
/// to git's attributes, says so, and leaves every other byte of the repository as it was.
#[test]
fn after_a_day_of_sessions_the_repository_is_what_it_was() {
    let mut seen = 0;
    for place in [None, Some("--in-tree"), Some("--dir")] {
        let yard = lived_in();
        let outside = Yard::new();
        let folder = outside.join("shared");
        let stood: Tree = yard.snapshot();
        match place {
            Some("--dir") => ok(&yard.run(["init", "--dir", folder.to_str().unwrap()])),
            Some(flag) => ok(&yard.run(["init", flag])),
            None => {}
        }
        for harness in ["claude", "codex"] {
            ok(&yard.run(["hook", "install", "--harness", harness]));
        }
        ok(&yard.run(["hook", "install", "--git"]));
        a_day(&yard);
        assert_ne!(yard.snapshot(), stood);
        for harness in ["claude", "codex"] {
            ok(&yard.run(["hook", "uninstall", "--harness", harness]));
        }
        ok(&yard.run(["hook", "uninstall", "--git"]));
        let said = yard.run(["deinit"]);
        ok(&said);
        assert!(said.stdout.contains("the line `/bugs.ndjson merge=union`"), "{said:?}");
        assert!(said.stdout.contains("the workspace folder /"), "{said:?}");
        assert_eq!(said.stdout.contains("fencehold.dir"), place == Some("--dir"), "{said:?}");
        let now = yard.snapshot();
        let differing: Vec<_> =
            now.iter().filter(|entry| !stood.contains(entry)).map(|(path, ..)| path).collect();
        assert!(now == stood, "{place:?}: {differing:?}");
        assert!(!folder.exists());
        // Again: nothing is there, and nothing is made.
        ok(&yard.run(["deinit"]));
        assert!(yard.snapshot() == stood);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// CLI-60: `deinit` exits 1, names what is in the way and removes nothing while a lock is held, a lease is open, the
/// entry of an override is owed, an installed hook asks, or something in the folder is not fencehold's or was set aside
/// as damaged.
///
/// CLI-61: `deinit --force --reason` removes a workspace whatever is in the way and says what was, its hooks uninstalled
/// first, and never a folder that is no workspace.
#[test]
fn what_is_held_or_somebody_may_miss_stops_it() {
    type Put = fn(&Yard);
    let cases: [(Put, &str); 8] = [
        (owe_an_entry, "the entry of override"),
        (
            |yard| ok(&yard.run(["lock", "acquire", "deploy", "--holder", "mine"])),
            "lock deploy: held by mine",
        ),
        (|yard| ok(&yard.run(["lease", "grant", "7", "--writes", "src/", "--holder", "mine"])), "lease 7"),
        (|yard| ok(&yard.run(["hook", "install"])), "settings.local.json asks before each tool call"),
        (
            |yard| fs::write(yard.join(".git/fencehold/notes.txt"), "x").unwrap(),
            "notes.txt is not fencehold's",
        ),
        (|yard| fs::create_dir(yard.join(".git/fencehold/lock.d")).unwrap(), "lock.d is not fencehold's"),
        (
            |yard| {
                use std::os::unix::ffi::OsStrExt as _;
                let name = std::ffi::OsStr::from_bytes(b"doc/\xff");
                fs::write(yard.join(".git/fencehold").join(name), "x").unwrap();
            },
            "is not fencehold's",
        ),
        (
            |yard| fs::write(yard.join(".git/fencehold/quarantine/plan.json@0-x"), "{").unwrap(),
            "set aside as damaged",
        ),
    ];
    let mut seen = 0;
    for (put, named) in cases {
        let yard = lived_in();
        let stood = yard.snapshot();
        ok(&yard.run(["init"]));
        put(&yard);
        let before = yard.snapshot();
        let refused = yard.run(["deinit"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{refused:?}");
        assert!(
            refused.stderr.contains(named) && refused.stderr.contains("nothing was removed"),
            "{refused:?}"
        );
        assert_eq!(yard.json(1, ["deinit"])["reason"], "in_use");
        assert_eq!(yard.run(["deinit", "--force"]).code, 2, "without a reason");
        assert_eq!(yard.json(1, ["deinit", "--force", "--reason", " "])["reason"], "needs_reason");
        assert!(yard.snapshot() == before, "{named}");
        let forced = yard.run(["deinit", "--force", "--reason", "moving house"]);
        ok(&forced);
        assert!(forced.stderr.contains("forced (moving house)"), "{forced:?}");
        assert!(
            format!("{}{}", forced.stdout, forced.stderr).contains(named.split(" asks").next().unwrap()),
            "{forced:?}"
        );
        assert!(yard.snapshot() == stood, "{named}: {forced:?}");
        seen += 1;
    }
    assert_eq!(seen, 8);
}

/// A step by force whose entry in a log could not be written.
fn owe_an_entry(yard: &Yard) {
    let gate = "[[gates]]\nto = \"done\"\nrequire = [{ file = \"DONE\" }]\non_override = { append = \"gone/log.ndjson\" }\n";
    fs::write(yard.join("fencehold.toml"), gate).unwrap();
    ok(&yard.run(["config", "apply"]));
    ok(&yard.run(["task", "set", "7", "done", "--force", "--reason", "it is late"]));
    fs::remove_file(yard.join("fencehold.toml")).unwrap();
}

#[test]
fn a_folder_that_is_no_workspace_is_never_forced() {
    let (yard, other) = (Yard::with_git(), Yard::new());
    fs::write(other.join("thesis.tex"), "x").unwrap();
    yard.git(&["config", "fencehold.dir", other.path().to_str().unwrap()]);
    for args in [&["deinit"][..], &["deinit", "--force", "--reason", "x"]] {
        let said = yard.run(args);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains("is no workspace"), "{said:?}");
    }
    assert!(other.join("thesis.tex").exists());
}

/// A journal that cannot be read may hold locks: damage is no reason to go on, unless somebody says so.
#[test]
fn a_damaged_workspace_goes_by_force_alone() {
    let yard = Yard::with_git();
    let stood = yard.snapshot();
    ok(&yard.run(["lock", "acquire", "a"]));
    fs::write(yard.join(".git/fencehold/journal.1.ndjson"), b"?\n").unwrap();
    assert_eq!(yard.run(["deinit"]).code, 4);
    let forced = yard.run(["deinit", "--force", "--reason", "lost"]);
    ok(&forced);
    assert!(forced.stderr.contains("who holds what cannot be told"), "{forced:?}");
    assert!(yard.snapshot() == stood);
}

/// CLI-62: What is granted while `deinit` runs stands when it has ended, and a `deinit` that was killed and is run again
/// comes to the same.
#[test]
fn a_lock_granted_meanwhile_is_not_lost_with_the_workspace() {
    for in_dir in [false, true] {
        acquire_against_deinit(in_dir);
    }
}

fn acquire_against_deinit(in_dir: bool) {
    let (yard, outside) = (Yard::with_git(), Yard::new());
    let dir = outside.join("w").to_string_lossy().into_owned();
    let (mut removed, mut kept) = (0, 0);
    // The acquire begins that much later: more while it wins, less while it loses, so that the two meet on any machine.
    let mut behind = Duration::ZERO;
    for round in 0..200 {
        let name = format!("lock-{round}");
        if in_dir {
            ok(&yard.run(["deinit"]));
            ok(&yard.run(["init", "--dir", &dir]));
        } else {
            ok(&yard.run(["init"]));
        }
        let mut acquire = yard.fencehold();
        acquire.args(["lock", "acquire", &name, "--ttl", "1h"]);
        let mut deinit = yard.fencehold();
        deinit.arg("deinit");
        let (ended, granted) = std::thread::scope(|scope| {
            let granted = scope.spawn(|| {
                std::thread::sleep(behind);
                said(&mut acquire)
            });
            (said(&mut deinit), granted.join().unwrap())
        });
        match ended.code {
            0 => {
                removed += 1;
                behind = behind.saturating_sub(STEP);
            }
            1 => {
                kept += 1;
                behind += STEP;
            }
            _ => panic!("{ended:?}"),
        }
        if granted.code == 0 {
            let token = granted.stdout.trim();
            let shown = yard.json(0, ["lock", "show", &name]);
            assert_eq!(shown["token"].to_string(), token, "{ended:?}");
            ok(&yard.run(["lock", "release", &name, "--token", token]));
        } else {
            assert_eq!(ended.code, 0, "{granted:?}");
        }
        if removed > 3 && kept > 3 && round > 20 {
            return;
        }
    }
    panic!("the two did not meet: {removed} removed, {kept} kept");
}

#[test]
fn a_killed_run_is_finished_by_the_next_one() {
    let mut seen = 0;
    for step in 0..5 {
        let yard = lived_in();
        let outside = Yard::new();
        let folder = outside.join("shared");
        let stood = yard.snapshot();
        let config = fs::read(yard.join(".git/config")).unwrap();
        ok(&yard.run(["init", "--dir", folder.to_str().unwrap()]));
        ok(&yard.run(["log", "append", "bugs.ndjson", "{\"id\":\"0\"}"]));
        fs::remove_file(yard.join("bugs.ndjson")).unwrap();
        // The setting gone; the folder moved away; the lines gone; half of the folder gone; all but the word of it gone.
        fs::write(yard.join(".git/config"), &config).unwrap();
        fs::write(yard.join(".git/fencehold.deinit"), folder.to_str().unwrap()).unwrap();
        let gone = outside.join("shared.gone-0123456789abcdef0123456789abcdef");
        if step > 0 {
            fs::rename(&folder, &gone).unwrap();
        }
        if step > 1 {
            fs::write(yard.join(".git/info/attributes"), "*.png binary\n/kept.ndjson merge=union").unwrap();
        }
        if step > 2 {
            fs::remove_file(gone.join("floor.json")).unwrap();
        }
        if step > 3 {
            fs::remove_dir_all(&gone).unwrap();
        }
        ok(&yard.run(["deinit"]));
        assert!(yard.snapshot() == stood, "{step}");
        assert!(!gone.exists() && !folder.exists(), "{step}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

/// Who changed the section by hand is told how to end it, and nothing of theirs goes.
#[test]
fn a_setting_in_other_words_stops_it() {
    let (yard, outside) = (Yard::with_git(), Yard::new());
    ok(&yard.run(["init", "--dir", outside.join("w").to_str().unwrap()]));
    let config = fs::read_to_string(yard.join(".git/config")).unwrap();
    fs::write(yard.join(".git/config"), format!("{config}\tmine = 1\n")).unwrap();
    let refused = yard.run(["deinit"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("git config --unset fencehold.dir"), "{refused:?}");
    assert!(outside.join("w").exists());
}
