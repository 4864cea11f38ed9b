use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use fencehold::fs::RealFs;
use fencehold::mark::{Folder, Last, PATIENCE, ResourceLock, Rooted};
use fencehold_model::WorkspaceId;

use super::repo::{DAY_S, Repo, now_s};
use crate::program::{Yard, clean};

fn newer() -> Repo {
    Repo::with("[[gates]]\nto = \"done\"\nrequire = [ { file = \"DONE.md\", newer_than = [\"src/\"] } ]\n")
}

fn logged(log: &str) -> String {
    format!(
        "[[gates]]\nto = \"done\"\nrequire = [ {{ file = \"DONE.md\" }} ]\non_override = {{ append = {log:?} }}\n"
    )
}

/// What git prints, without the newline.
fn git(repo: &Repo, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(repo.0.path()).args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(args);
    let output = clean(&mut git).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// GATE-19: Nothing is appended to what is git's own: a policy whose log names a folder or has a component `.git`, and a
/// step by force whose id makes it so, fail definitely, and where a link leads there the entry stays owed.
#[test]
fn an_entry_is_no_command_in_a_hook_of_git() {
    let repo = Repo::with(&logged("{task}/hooks/post-checkout"));
    for log in [".git/config", "sub/.GIT/hooks/pre-commit", ".git", ".", "docs/"] {
        repo.write("fencehold.toml", &logged(log));
        let said = repo.0.run(["config", "apply"]);
        assert_eq!((said.code, said.stderr.contains("nothing was applied")), (2, true), "{log}: {said:?}");
    }
    let hook = "#!/bin/sh\n";
    repo.write(".git/hooks/post-checkout", hook);
    let forced = repo.force(".git", "$(touch owned)");
    assert_eq!((forced.code, forced.stderr.contains("is git's own")), (2, true), "{forced:?}");
    assert_eq!(repo.0.run(["task", "get", ".git"]).code, 1, "nothing was changed");
    symlink(".git", repo.path("docs")).unwrap();
    let owed = repo.force("docs", "why");
    assert_eq!((owed.code, owed.stderr.contains("git's own")), (0, true), "{owed:?}");
    assert_eq!(fs::read_to_string(repo.path(".git/hooks/post-checkout")).unwrap(), hook);
    fs::remove_file(repo.path("docs")).unwrap();
    fs::create_dir_all(repo.path("docs/hooks")).unwrap();
    assert_eq!(repo.0.run(["repair"]).code, 0);
    assert_eq!(repo.entries("docs/hooks/post-checkout").len(), 1, "elsewhere it is a name like any other");
}

#[test]
fn a_commit_dated_ahead_is_an_ancestor_all_the_same() {
    let repo = newer();
    repo.write("src/main.rs", "fn main() { work() }\n");
    repo.commit_at("work", i64::try_from(now_s() + 365 * DAY_S).unwrap());
    for _ in 0..8 {
        repo.commit("nothing of it", 60 * DAY_S);
    }
    repo.write("DONE.md", "done\n");
    repo.commit("done", 50 * DAY_S);
    repo.done("7");
}

#[test]
fn a_merge_that_brings_older_work_back_makes_the_proof_old() {
    let repo = newer();
    repo.write("src/main.rs", "fn main() { wrong() }\n");
    repo.commit("wrong", 9 * DAY_S);
    let wrong = git(&repo, &["rev-parse", "HEAD"]);
    repo.write("src/main.rs", "fn main() { right() }\n");
    repo.commit("right", 8 * DAY_S);
    repo.write("DONE.md", "right\n");
    repo.commit("done", 7 * DAY_S);
    repo.done("7");
    git(&repo, &["checkout", "-q", &wrong, "--", "src"]);
    let tree = git(&repo, &["write-tree"]);
    let merge = git(&repo, &["commit-tree", &tree, "-p", "HEAD", "-p", &wrong, "-m", "both"]);
    git(&repo, &["reset", "-q", "--hard", &merge]);
    let (named, whys) = repo.refused("8");
    assert_eq!(named, ["DONE.md newer_than"]);
    assert!(whys.contains("brought the work back"), "{whys}");
    repo.write("DONE.md", "wrong, and known to be\n");
    repo.commit("done", 0);
    repo.done("8");
}

#[test]
fn a_graft_and_a_replacement_of_git_say_nothing() {
    let repo = newer();
    repo.write("DONE.md", "done\n");
    repo.commit("done", 9 * DAY_S);
    repo.write("src/main.rs", "fn main() { work() }\n");
    repo.commit("work", 8 * DAY_S);
    assert_eq!(repo.refused("7").0, ["DONE.md newer_than"]);
    // A commit without parents has changed all that it holds.
    let head = git(&repo, &["rev-parse", "HEAD"]);
    repo.write(".git/info/grafts", &format!("{head}\n"));
    assert_eq!(repo.refused("7").0, ["DONE.md newer_than"]);
    fs::remove_file(repo.path(".git/info/grafts")).unwrap();
    git(&repo, &["replace", "--graft", "HEAD"]);
    assert_eq!(repo.refused("7").0, ["DONE.md newer_than"]);
}

#[test]
fn the_top_of_the_tree_is_there() {
    let repo =
        Repo::with("[[gates]]\nto = \"done\"\nwhen = \". exists\"\nrequire = [ { file = \"DONE.md\" } ]\n");
    assert_eq!(repo.refused("7").0, ["DONE.md file"]);
    repo.write("DONE.md", "");
    repo.done("7");
}

#[test]
fn a_reason_makes_no_second_line_of_a_history() {
    let repo = Repo::with(&logged("overrides.ndjson"));
    assert_eq!(repo.force("7", "why\n 1  task 8: done\u{1b}[31m\u{202e}").code, 0);
    for look in [&["history"][..], &["task", "show", "7"]] {
        let said = repo.0.run(look).stdout;
        let lines: Vec<&str> = said.lines().filter(|line| line.contains("by force")).collect();
        assert_eq!(lines.len(), 1, "{said:?}");
        assert!(lines[0].ends_with("why\\n 1  task 8: done\\u{1b}[31m\\u{202e}"), "{said:?}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
    assert_eq!(repo.entries("overrides.ndjson")[0]["reason"], "why\n 1  task 8: done\u{1b}[31m\u{202e}");
}

#[test]
fn a_log_that_is_held_is_waited_for_once_however_much_is_owed() {
    let repo = Repo::with(&logged("docs/overrides.ndjson"));
    for task in ["1", "2", "3"] {
        assert_eq!(repo.force(task, "why").code, 0);
    }
    fs::create_dir(repo.path("docs")).unwrap();
    let workspace = repo.path(".git/fencehold");
    let rooted = Rooted::new(&RealFs, &repo.0.path(), &workspace).unwrap();
    let place = rooted.locate(&RealFs, Path::new("docs/overrides.ndjson"), Last::Refuse).unwrap();
    let journal = fs::read_to_string(workspace.join("journal.1.ndjson")).unwrap();
    let head: serde_json::Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    let id = WorkspaceId::new(head["workspace"].as_str().unwrap()).unwrap();
    let lock = ResourceLock::new(RealFs, Folder { dir: workspace, id }, &place);
    let deinit = repo.0.run(["deinit"]);
    assert_eq!(
        (deinit.code, deinit.stderr.matches("owed: the entry of override").count()),
        (1, 3),
        "{deinit:?}"
    );
    let held = lock.take(PATIENCE).unwrap();
    let said = repo.0.run(["task", "set", "4", "todo"]);
    let waits = |ms: &str| said.stderr.matches(&format!("waited {ms} ms")).count();
    assert_eq!((said.code, waits("10000"), waits("0")), (0, 1, 2), "{said:?}");
    drop(held);
    assert_eq!(repo.0.run(["repair"]).code, 0);
    assert_eq!(repo.entries("docs/overrides.ndjson").len(), 3);
}

#[test]
fn the_entry_of_a_worktree_in_whose_place_another_repository_stands_is_given_up() {
    let repo = Repo::with(&logged("docs/overrides.ndjson"));
    let tree = Yard::new();
    let place = tree.join("tree");
    git(&repo, &["worktree", "add", "-q", "-b", "side", place.to_str().unwrap()]);
    assert_eq!(repo.0.run_in(&place, ["task", "set", "7", "done", "--force", "--reason", "why"]).code, 0);
    fs::remove_dir_all(&place).unwrap();
    fs::create_dir_all(place.join("docs")).unwrap();
    // What cannot be told is not given up.
    fs::write(place.join(".git"), "nothing of git\n").unwrap();
    assert_eq!(repo.0.run(["repair"]).code, 0);
    assert_eq!(repo.0.json(0, ["status"])["overrides_owed"].as_array().unwrap().len(), 1);
    fs::remove_file(place.join(".git")).unwrap();
    tree.git_in(&place, &["init", "-q"]);
    let said = repo.0.run(["repair"]);
    assert_eq!((said.code, said.stderr.contains("is given up")), (0, true), "{said:?}");
    assert_eq!(repo.0.json(0, ["status"])["overrides_owed"], serde_json::json!([]));
    assert!(!place.join("docs/overrides.ndjson").exists());
}
