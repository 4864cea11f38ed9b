use std::fs;
use std::os::unix::fs::symlink;

use super::repo::{DAY_S, Repo, now_s};
use crate::program::{clean, fencehold_in, said};

fn one(condition: &str) -> Repo {
    Repo::with(&format!("[[gates]]\nto = \"done\"\nrequire = [ {{ file = \"DONE.md\"{condition} }} ]\n"))
}

#[track_caller]
fn refuses(repo: &Repo, condition: &str, why: &str) {
    let (named, whys) = repo.refused("7");
    assert_eq!(named, [format!("DONE.md {condition}")], "{whys}");
    assert!(whys.contains(why), "{why:?}: {whys}");
}

/// GATE-3: Where a gate is not met the step is refused as `gate` and changes nothing, and the answer names each condition
/// that is not met, with its file and why.
///
/// Behaviour C1.10: a phase is done once its plan check, its verification and fresh lessons are there; where it has no
/// folder, or the project keeps no research, the gate is not asked; force needs a reason and leaves an entry.
#[test]
fn a_phase_is_done_once_all_that_is_asked_of_it_is_there() {
    let repo = Repo::with(
        r#"
[tasks]
ids = "numbers"
[[gates]]
to = "done"
when = ["phases/{task} exists", ".internal-research exists"]
require = [
  { file = "phases/{task}/PLAN-CHECK.md", not_empty = true, max_age = "7d" },
  { file = "phases/{task}/VERIFICATION.md", not_empty = true, newer_than = ["src/"], max_age = "7d" },
  { file = "LESSONS.md", not_empty = true, max_age = "7d" },
]
on_override = { append = "overrides.ndjson" }
"#,
    );
    repo.done("5");
    fs::create_dir_all(repo.path("phases/6")).unwrap();
    repo.done("6");
    fs::create_dir(repo.path(".internal-research")).unwrap();
    fs::create_dir_all(repo.path("phases/7")).unwrap();
    let (named, whys) = repo.refused("07");
    assert_eq!(named, ["phases/7/PLAN-CHECK.md file", "phases/7/VERIFICATION.md file", "LESSONS.md file"]);
    assert_eq!(whys, "it does not exist; it does not exist; it does not exist");
    let prose = repo.0.run(["task", "set", "7", "done"]);
    assert_eq!((prose.code, prose.stdout.as_str()), (1, ""), "{prose:?}");
    for word in
        ["nothing was changed", "phases/7/PLAN-CHECK.md: file: it does not exist", "--force --reason TEXT"]
    {
        assert!(prose.stderr.contains(word), "{word}: {prose:?}");
    }
    repo.write("phases/7/PLAN-CHECK.md", "checked\n");
    repo.write("phases/7/VERIFICATION.md", "verified\n");
    repo.write("LESSONS.md", "learned\n");
    repo.commit("lessons", 8 * DAY_S);
    assert_eq!(repo.refused("7").0.len(), 3, "all of them are too old");
    repo.write("LESSONS.md", "learned again\n");
    repo.commit("lessons", DAY_S);
    let (named, whys) = repo.refused("7");
    assert_eq!(named, ["phases/7/PLAN-CHECK.md max_age", "phases/7/VERIFICATION.md max_age"]);
    assert!(whys.contains("8d old; the most is 7d"), "{whys}");
    assert_eq!(repo.0.run(["task", "set", "7", "done", "--force"]).code, 1, "force alone is refused");
    assert_eq!(repo.force("7", "the customer cannot wait").code, 0);
    let entries = repo.entries("overrides.ndjson");
    assert_eq!((entries.len(), &entries[0]["task"]), (1, &"7".into()));
    assert_eq!(entries[0]["unmet"].as_array().unwrap().len(), 2);
}

/// GATE-4: A required file that is missing, is a folder or a symbolic link, cannot be read, or lies outside of the tree is
/// not met.
#[test]
fn what_is_no_file_of_the_tree_is_not_met() {
    let repo = one("");
    let path = repo.path("DONE.md");
    refuses(&repo, "file", "it does not exist");
    fs::create_dir(&path).unwrap();
    refuses(&repo, "file", "it is a folder");
    fs::remove_dir(&path).unwrap();
    symlink("/etc/passwd", &path).unwrap();
    refuses(&repo, "file", "it is a symbolic link");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    repo.done("7");
    let out = Repo::with("[[gates]]\nto = \"done\"\nrequire = [ { file = \"sub/{task}/passwd\" } ]\n");
    fs::create_dir(out.path("sub")).unwrap();
    symlink("/etc", out.path("sub/9")).unwrap();
    let (named, whys) = out.refused("9");
    assert_eq!(
        (named, whys.as_str()),
        (vec!["sub/9/passwd file".to_owned()], "a symbolic link leads out of the tree")
    );
    for id in ["../../etc", "a/../..", "/etc", "."] {
        assert!(out.refused(id).1.contains("no path of a gate"), "{id}");
    }
}

/// GATE-5: `not_empty` is met where the file holds a byte that is neither white space nor NUL.
#[test]
fn a_file_of_nothing_is_empty() {
    let repo = one(", not_empty = true");
    for (text, why) in
        [("", "it is empty"), (" \n\t\r\n", "nothing but white space"), ("\0\0", "nothing but")]
    {
        repo.write("DONE.md", text);
        refuses(&repo, "not_empty", why);
    }
    repo.write("DONE.md", &format!("{}x", "\n".repeat(100_000)));
    repo.done("7");
}

/// GATE-6: `committed` is met where the last commit has the file with the bytes that stand in the worktree.
#[test]
fn what_is_not_committed_as_it_stands_is_not_met() {
    let repo = one(", committed = true");
    repo.write("DONE.md", "one\n");
    refuses(&repo, "committed", "it is not committed");
    repo.0.git(&["add", "DONE.md"]);
    refuses(&repo, "committed", "it is not committed");
    repo.commit("done", 0);
    repo.write("DONE.md", "two\n");
    refuses(&repo, "committed", "it is not as it was committed");
    // A bit in the index hides it from git status, and from nobody here.
    repo.0.git(&["update-index", "--assume-unchanged", "DONE.md"]);
    refuses(&repo, "committed", "it is not as it was committed");
    repo.write("DONE.md", "one\n");
    repo.done("7");
}

/// GATE-7: `newer_than` is met where the last commit that changed the file is the last one that changed the work, or a
/// descendant of it, and nothing of the work is changed, new or hidden from git since: no time of a file counts.
#[test]
fn newer_is_what_git_says() {
    let repo = one(", newer_than = [\"src/\", \"lib.rs\"]");
    repo.write("DONE.md", "done\n");
    refuses(&repo, "newer_than", "it is not committed");
    repo.commit("done", 30 * DAY_S);
    repo.write("src/main.rs", "fn main() { work() }\n");
    refuses(&repo, "newer_than", "\"src/main.rs\" of the work is changed and not committed");
    repo.0.git(&["update-index", "--skip-worktree", "src/main.rs"]);
    refuses(&repo, "newer_than", "is hidden from git");
    repo.0.git(&["update-index", "--no-skip-worktree", "src/main.rs"]);
    // Dated before the file was: it is the history that counts, and not the date.
    repo.commit("more work", 50 * DAY_S);
    refuses(&repo, "newer_than", "after its last commit");
    repo.write("src/new.rs", "\n");
    refuses(&repo, "newer_than", "\"src/new.rs\" of the work is changed");
    fs::remove_file(repo.path("src/new.rs")).unwrap();
    repo.write("DONE.md", "done again\n");
    repo.commit("done again", 60 * DAY_S);
    repo.done("7");
    // Work and proof in one commit are as good.
    repo.write("DONE.md", "done\n");
    repo.write("lib.rs", "\n");
    repo.commit("both", 0);
    repo.done("8");
    let lost = one(", newer_than = [\"scr/\"]");
    lost.write("DONE.md", "done\n");
    lost.commit("done", 0);
    refuses(&lost, "newer_than", "no commit has changed the work; is it spelled right?");
}

/// GATE-18: `newer_than = "lease"` means the write set of the lease with the task's id, and is not met where there is none.
#[test]
fn the_work_may_be_what_the_lease_writes() {
    let repo = one(", newer_than = \"lease\"");
    repo.write("DONE.md", "done\n");
    repo.commit("done", 0);
    refuses(&repo, "newer_than", "there is no lease 7");
    assert_eq!(repo.0.run(["lease", "grant", "7"]).code, 0);
    refuses(&repo, "newer_than", "says not what it writes");
    assert_eq!(repo.0.run(["lease", "close", "7"]).code, 0);
    assert_eq!(repo.0.run(["lease", "grant", "7", "--writes", "src/*.rs"]).code, 0);
    repo.write("src/main.rs", "fn main() { }\n");
    refuses(&repo, "newer_than", "\"src/main.rs\" of the work is changed");
    repo.0.git(&["checkout", "-q", "src/main.rs"]);
    repo.done("7");
}

/// GATE-8: `max_age` is met where the last commit that changed the file is dated, by its committer, that long ago at the
/// most, and not in the future.
#[test]
fn age_is_that_of_the_commit() {
    let repo = one(", max_age = \"7d\"");
    repo.write("DONE.md", "done\n");
    refuses(&repo, "max_age", "it is not committed");
    repo.commit("done", 7 * DAY_S + 3600);
    refuses(&repo, "max_age", "old; the most is 7d");
    repo.write("DONE.md", "done in a year\n");
    repo.commit_at("done", i64::try_from(now_s() + 365 * DAY_S).unwrap());
    refuses(&repo, "max_age", "in the future");
    repo.write("DONE.md", "done now\n");
    repo.commit("done", 6 * DAY_S);
    repo.done("7");
}

/// GATE-9: What git cannot tell is not met: outside of a work tree, before the first commit, in a shallow clone, and where
/// git is missing or fails.
#[test]
fn what_git_cannot_tell_is_not_met() {
    let repo = one(", committed = true");
    repo.write("DONE.md", "done\n");
    repo.commit("done", 0);
    let without =
        said(fencehold_in(&repo.0.path()).env("PATH", "/nowhere").args(["task", "set", "7", "done"]));
    assert_eq!((without.code, without.stderr.contains("git cannot be started")), (1, true), "{without:?}");
    // A variable that leads git elsewhere leads nobody elsewhere here.
    let elsewhere = one("");
    let mut led = fencehold_in(&repo.0.path());
    led.env("GIT_INDEX_FILE", elsewhere.path(".git/index")).args(["task", "set", "8", "done"]);
    assert_eq!(said(&mut led).code, 0);
    fs::write(repo.path(".git/HEAD"), "ref: refs/heads/unborn\n").unwrap();
    refuses(&repo, "committed", "there is no commit yet");
    fs::write(repo.path(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    let url = format!("file://{}", repo.0.path().display());
    repo.commit("more", 0);
    elsewhere.0.git(&["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = elsewhere.path("shallow");
    fs::copy(repo.path("fencehold.toml"), shallow.join("fencehold.toml")).unwrap();
    assert_eq!(elsewhere.0.run_in(&shallow, ["config", "apply"]).code, 0);
    let refused = elsewhere.0.run_in(&shallow, ["task", "set", "7", "done"]);
    assert_eq!((refused.code, refused.stderr.contains("the clone is shallow")), (1, true), "{refused:?}");
    let outside = crate::program::Yard::new();
    fs::copy(repo.path("fencehold.toml"), outside.join("fencehold.toml")).unwrap();
    fs::write(outside.join("DONE.md"), "done\n").unwrap();
    fs::create_dir(outside.join(".fencehold")).unwrap();
    assert_eq!(outside.run(["init"]).code, 0);
    let applied = outside.run(["config", "apply"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let mut set = fencehold_in(&outside.path());
    let refused =
        said(clean(&mut set).env("GIT_CEILING_DIRECTORIES", "/").args(["task", "set", "7", "done"]));
    assert_eq!((refused.code, refused.stderr.contains("not a git repository")), (1, true), "{refused:?}");
}

/// GATE-10: A gate, and a file that it requires, is not asked for where its `when` names a path that does not exist; where
/// that cannot be told it is asked for, and the `when` is not met.
#[test]
fn what_does_not_count_is_not_asked_for() {
    let gates = "[[gates]]\nto = \"done\"\ntasks = \"phase-*\"\nrequire = [ { file = \"A\", when = \"dir/a exists\" }, { file = \"B\" } ]\n";
    let repo = Repo::with(gates);
    repo.done("7");
    assert_eq!(repo.refused("phase-7").0, ["B file"]);
    repo.write("dir/a", "");
    assert_eq!(repo.refused("phase-7").0, ["A file", "B file"]);
    fs::remove_dir_all(repo.path("dir")).unwrap();
    symlink("/etc", repo.path("dir")).unwrap();
    assert_eq!(repo.refused("phase-7").0, ["dir/a when", "A file", "B file"]);
    fs::remove_file(repo.path("dir")).unwrap();
    repo.write("B", "");
    repo.done("phase-7");
}
