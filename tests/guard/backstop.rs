use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::program::{Said, Yard, clean, said};

#[track_caller]
fn ok(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// Git as a holder starts it.
pub(super) fn git_as(holder: &str, dir: &Path, args: &[&str]) -> Said {
    let mut git = Command::new("git");
    clean(&mut git).current_dir(dir).env("FENCEHOLD_HOLDER", holder);
    git.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.editor=true"]).args(args);
    said(&mut git)
}

/// A repository with a commit and our hooks, in which `mine` writes `src/`.
fn guarded() -> Yard {
    let yard = Yard::with_git();
    for dir in ["src", "other"] {
        fs::create_dir(yard.join(dir)).unwrap();
        fs::write(yard.join(dir).join("a"), dir).unwrap();
    }
    yard.git(&["add", "."]);
    yard.git(&["commit", "-q", "-m", "one"]);
    ok(&yard.run(["hook", "install", "--git"]));
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/", "--holder", "mine"]));
    yard
}

/// GUARD-21: A commit is stopped where a staged path lies in the write set of another holder's live lease, whatever the
/// path's bytes and whatever is in progress, and the message names path, lease and holder.
#[test]
fn what_another_writes_is_not_committed() {
    type Change = fn(&Yard);
    let cases: [(Change, &[&str]); 8] = [
        (|yard| fs::write(yard.join("src/a"), "x").unwrap(), &["commit", "-q", "-a", "-m", "x"]),
        (|yard| fs::write(yard.join("src/a"), "x").unwrap(), &["commit", "-q", "-m", "x", "src/a"]),
        (|yard| fs::write(yard.join("src/a"), "x").unwrap(), &["commit", "-q", "--amend", "-a", "-m", "x"]),
        (|yard| yard.git(&["rm", "-q", "src/a"]), &["commit", "-q", "-m", "x"]),
        (|yard| yard.git(&["mv", "src/a", "other/b"]), &["commit", "-q", "-m", "x"]),
        (
            |yard| {
                fs::write(yard.join("src/two\nlines"), "x").unwrap();
                yard.git(&["add", "."]);
            },
            &["commit", "-q", "-m", "x"],
        ),
        (
            |yard| {
                fs::write(yard.join(Path::new(OsStr::from_bytes(b"src/\xff\xfe"))), "x").unwrap();
                yard.git(&["add", "."]);
            },
            &["commit", "-q", "-m", "x"],
        ),
        (
            |yard| {
                fs::write(yard.join("src/a b"), "x").unwrap();
                yard.git(&["add", "."]);
                yard.git(&["config", "diff.relative", "true"]);
                yard.git(&["config", "diff.renames", "copies"]);
                yard.git(&["config", "core.quotePath", "true"]);
            },
            &["commit", "-q", "-m", "x"],
        ),
    ];
    let mut seen = 0;
    for (change, args) in cases {
        let yard = guarded();
        change(&yard);
        let stopped = git_as("other", &yard.path(), args);
        assert_eq!(stopped.code, 1, "{args:?}: {stopped:?}");
        assert!(
            stopped.stderr.contains("src/")
                && stopped.stderr.contains("lease 7")
                && stopped.stderr.contains("held by mine"),
            "{stopped:?}"
        );
        ok(&git_as("mine", &yard.path(), args));
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn what_is_nobodys_is_committed_from_any_worktree() {
    let yard = guarded();
    fs::write(yard.join("other/a"), "x").unwrap();
    ok(&git_as("other", &yard.path(), &["commit", "-q", "-a", "-m", "two"]));
    ok(&git_as("other", &yard.path(), &["commit", "-q", "--allow-empty", "-m", "empty"]));
    let worktrees = Yard::new();
    let tree = worktrees.join("tree");
    yard.git(&["worktree", "add", "-q", "-b", "topic", tree.to_str().unwrap()]);
    fs::write(tree.join("other/a"), "y").unwrap();
    ok(&git_as("other", &tree.join("other"), &["commit", "-q", "-a", "-m", "in a worktree"]));
    fs::write(tree.join("src/a"), "y").unwrap();
    let stopped = git_as("other", &tree.join("other"), &["commit", "-q", "-a", "-m", "in a worktree"]);
    assert!(stopped.code == 1 && stopped.stderr.contains("src/a"), "{stopped:?}");
    ok(&yard.run(["lease", "close", "7", "--holder", "mine"]));
    ok(&git_as("other", &tree, &["commit", "-q", "-a", "-m", "closed"]));
}

/// A first commit has nothing to be compared with; a merge and a rebase that stopped are committed as anything else.
#[test]
fn a_first_commit_a_merge_and_a_rebase_are_looked_at() {
    let fresh = Yard::with_git();
    ok(&fresh.run(["hook", "install", "--git"]));
    ok(&fresh.run(["lease", "grant", "7", "--writes", "a", "--holder", "mine"]));
    fs::write(fresh.join("a"), "x").unwrap();
    fresh.git(&["add", "."]);
    assert_eq!(git_as("other", &fresh.path(), &["commit", "-q", "-m", "one"]).code, 1);
    ok(&git_as("mine", &fresh.path(), &["commit", "-q", "-m", "one"]));

    for (word, go_on) in [("merge", ["commit", "-q", "--no-edit"]), ("rebase", ["commit", "-q", "-mx"])] {
        let yard = guarded();
        let at = yard.path();
        yard.git(&["checkout", "-q", "-b", "topic"]);
        for (branch, text) in [("topic", "theirs"), ("main", "ours")] {
            yard.git(&["checkout", "-q", branch]);
            fs::write(yard.join("src/a"), text).unwrap();
            ok(&git_as("mine", &at, &["commit", "-q", "-a", "-m", branch]));
        }
        assert_ne!(git_as("other", &at, &[word, "topic"]).code, 0, "a conflict");
        fs::write(yard.join("src/a"), "both").unwrap();
        yard.git(&["add", "src/a"]);
        let stopped = git_as("other", &at, &go_on);
        assert!(stopped.code == 1 && stopped.stderr.contains("lease 7"), "{word}: {stopped:?}");
        ok(&git_as("mine", &at, &go_on));
    }
}

/// Behaviour D1.7: somebody pushes beside a session, whom no harness asks.
/// Defect GUARD-12: a person is asked by git.
///
/// GUARD-22: A push is stopped while another holder has the lock `workspace`, and the message names the holder.
#[test]
fn nobody_pushes_while_a_session_has_the_checkout() {
    let (yard, remote) = (guarded(), Yard::new());
    remote.git(&["init", "-q", "--bare", "-b", "main"]);
    let to = remote.path().to_string_lossy().into_owned();
    let push = ["push", "-q", &to, "main"];
    ok(&yard.run(["lock", "acquire", "workspace", "--holder", "session-1"]));
    let stopped = git_as("other", &yard.path(), &push);
    assert!(stopped.code != 0 && stopped.stderr.contains("held by session-1"), "{stopped:?}");
    assert!(!remote.join("refs/heads/main").exists());
    ok(&git_as("session-1", &yard.path(), &push));
    ok(&yard.run(["lock", "break", "workspace", "--reason", "over"]));
    ok(&git_as("other", &yard.path(), &push));

    // A bare repository pushes too.
    let second = Yard::new();
    second.git(&["init", "-q", "--bare", "-b", "main"]);
    let onward = second.path().to_string_lossy().into_owned();
    ok(&remote.run(["hook", "install", "--git"]));
    ok(&remote.run(["lock", "acquire", "workspace", "--holder", "session-1"]));
    let stopped = git_as("other", &remote.path(), &["push", "-q", &onward, "main"]);
    assert!(stopped.code != 0 && stopped.stderr.contains("held by session-1"), "{stopped:?}");
    ok(&git_as("session-1", &remote.path(), &["push", "-q", &onward, "main"]));
}

/// GUARD-23: What git's hooks cannot decide stops git, unless `hook_failure = "open"` stands in `config.toml`, with a
/// record as for a tool call; where there is no workspace they let git go on and create none.
#[test]
fn git_is_stopped_where_nobody_can_tell() {
    let yard = guarded();
    let workspace = yard.join(".git/fencehold");
    fs::write(workspace.join("journal.1.ndjson"), b"?\n").unwrap();
    let commit = ["commit", "-q", "--allow-empty", "-m", "x"];
    let stopped = git_as("other", &yard.path(), &commit);
    assert!(
        stopped.code == 1 && stopped.stderr.contains("cannot tell whether this pre-commit is safe"),
        "{stopped:?}"
    );
    fs::write(workspace.join("config.toml"), "hook_failure = \"open\"\n").unwrap();
    ok(&git_as("other", &yard.path(), &commit));
    let records = fs::read_to_string(workspace.join("failed-open.ndjson")).unwrap();
    assert!(records.lines().count() == 1 && records.contains("pre-commit: "), "{records}");
    fs::remove_file(workspace.join("failed-open.ndjson")).unwrap();
    fs::create_dir(workspace.join("failed-open.ndjson")).unwrap();
    let stopped = git_as("other", &yard.path(), &commit);
    assert!(stopped.code == 1 && stopped.stderr.contains("no record of it could be left"), "{stopped:?}");
    fs::remove_dir_all(&workspace).unwrap();
    ok(&git_as("other", &yard.path(), &commit));
    assert!(!workspace.exists());
}

/// GUARD-19: `hook install --git` puts both hooks where git takes its hooks from, or neither, and where a hook of others
/// does not ask, or git takes them from outside of the repository, it says what to do and changes nothing.
///
/// GUARD-20: `hook uninstall --git` removes what was installed and nothing else, and `hook status --git` exits 1 where a
/// hook does not ask, or what it asks does not answer.
#[test]
fn hooks_of_others_stay_and_ours_go_without_a_trace() {
    for place in [None, Some(".githooks"), Some(".husky/_")] {
        let yard = Yard::with_git();
        if let Some(place) = place {
            fs::create_dir_all(yard.join(place)).unwrap();
            yard.git(&["config", "core.hooksPath", place]);
        } else {
            fs::remove_dir_all(yard.join(".git/hooks")).unwrap();
        }
        let stood = yard.snapshot();
        assert_eq!(yard.run(["hook", "status", "--git"]).code, 1);
        for _ in 0..2 {
            ok(&yard.run(["hook", "install", "--git"]));
            assert_eq!(yard.json(0, ["hook", "status", "--git"])["ok"], json!(true));
        }
        let dir = yard.join(place.unwrap_or(".git/hooks"));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "{place:?}");
        assert!(yard.run(["deinit"]).stderr.contains("hook uninstall --git"));
        // A program that is gone is told.
        let pre_push = fs::read_to_string(dir.join("pre-push")).unwrap();
        fs::write(dir.join("pre-push"), pre_push.replace("-under-test", "-gone")).unwrap();
        assert_eq!(yard.json(1, ["hook", "status", "--git"])["events"]["pre-commit"]["ok"], json!(true));
        ok(&yard.run(["hook", "install", "--git"]));
        fs::set_permissions(dir.join("pre-push"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(yard.run(["hook", "status", "--git"]).stdout.contains("not executable"));
        for _ in 0..2 {
            ok(&yard.run(["hook", "uninstall", "--git"]));
        }
        ok(&yard.run(["deinit"]));
        assert!(yard.snapshot() == stood, "{place:?}");
        ok(&yard.run(["hook", "install", "--git"]));
        ok(&yard.run(["deinit", "--force", "--reason", "moving house"]));
        assert!(yard.snapshot() == stood, "{place:?}, forced");
    }
}

#[test]
fn a_hook_of_others_is_told_what_to_add_and_never_touched() {
    let yard = Yard::with_git();
    let theirs = yard.join(".git/hooks/pre-push");
    type Put = fn(&Path);
    let cases: [Put; 4] = [
        |path| fs::write(path, "#!/bin/sh\n# fencehold hook pre-push is not called\n").unwrap(),
        |path| fs::write(path, b"\x7fELF\xff").unwrap(),
        |path| symlink("nowhere", path).unwrap(),
        |path| fs::create_dir(path).unwrap(),
    ];
    let mut seen = 0;
    for put in cases {
        put(&theirs);
        let stood = yard.snapshot();
        let refused = yard.run(["hook", "install", "--git"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("hook pre-push \"$@\" || exit 1"), "{refused:?}");
        assert!(!refused.stderr.contains("hook pre-commit"), "{refused:?}");
        ok(&yard.run(["hook", "uninstall", "--git"]));
        assert!(yard.snapshot() == stood);
        if theirs.is_dir() {
            fs::remove_dir(&theirs).unwrap();
        } else {
            fs::remove_file(&theirs).unwrap();
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
    // The line that it says, added, is enough; the hook stays theirs.
    fs::write(&theirs, "#!/bin/sh\n").unwrap();
    let line = yard.json(1, ["hook", "install", "--git"])["value"]["to_add"][0].as_str().unwrap().to_owned();
    let line = line.split_once(": ").unwrap().1;
    let whole = format!("#!/bin/sh\n{line}\necho theirs >&2\n");
    fs::write(&theirs, &whole).unwrap();
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755)).unwrap();
    ok(&yard.run(["hook", "install", "--git"]));
    ok(&yard.run(["hook", "status", "--git"]));
    yard.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    let remote = Yard::new();
    remote.git(&["init", "-q", "--bare"]);
    let to = remote.path().to_string_lossy().into_owned();
    ok(&yard.run(["lock", "acquire", "workspace", "--holder", "session-1"]));
    assert_ne!(git_as("other", &yard.path(), &["push", "-q", &to, "main"]).code, 0);
    let pushed = git_as("session-1", &yard.path(), &["push", "-q", &to, "main"]);
    assert!(pushed.code == 0 && pushed.stderr.contains("theirs"), "{pushed:?}");
    let said = yard.run(["hook", "uninstall", "--git"]);
    assert!(said.stderr.contains("is another's and asks all the same"), "{said:?}");
    assert_eq!(fs::read_to_string(&theirs).unwrap(), whole);
    assert!(!yard.join(".git/hooks/pre-commit").exists());
}

#[test]
fn hooks_outside_of_the_repository_are_refused() {
    let (yard, shared) = (Yard::with_git(), Yard::new());
    let path = shared.path().to_string_lossy().into_owned();
    yard.git(&["config", "core.hooksPath", &path]);
    let refuse = || {
        let refused = yard.run(["hook", "install", "--git"]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("core.hooksPath") && refused.stderr.contains(&path), "{refused:?}");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    };
    refuse();
    // A link that leads out is no way round.
    yard.git(&["config", "--unset", "core.hooksPath"]);
    fs::remove_dir_all(yard.join(".git/hooks")).unwrap();
    symlink(&path, yard.join(".git/hooks")).unwrap();
    let refused = yard.run(["hook", "install", "--git"]);
    assert_eq!((refused.code, fs::read_dir(&path).unwrap().count()), (2, 0), "{refused:?}");
    // Nor where there is no git.
    assert_eq!(Yard::new().run(["hook", "install", "--git"]).code, 2);
}
