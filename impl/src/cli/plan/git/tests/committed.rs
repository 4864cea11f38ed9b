//! The commit of one file, and what refuses it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{World, change, gate, repo, run, write};
use crate::cli::plan::git::Committed;
use crate::cli::plan::git::commit::NotReady;

fn staged_but(dir: &Path, file: &str) -> Vec<String> {
    let all = run(dir, &["ls-files", "--stage"]);
    all.lines().filter(|line| !line.ends_with(&format!("\t{file}"))).map(str::to_owned).collect()
}

fn hook(dir: &Path, name: &str, script: &str) {
    let path = dir.join(".git/hooks").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_commit_holds_one_file_and_what_was_staged_stays_staged() {
    let world = World::new();
    let one = world.clone_to("one");
    write(&one, "secret.md", "s\n");
    write(&one, "other.md", "staged\n");
    run(&one, &["add", "secret.md", "other.md"]);
    write(&one, "other.md", "and changed again\n");
    let before = staged_but(&one, "plan.md");
    let mut at = gate(&one).at.unwrap();
    for (round, text) in ["two\n", "three\n"].into_iter().enumerate() {
        write(&one, "plan.md", text);
        let made = repo(&one).commit_only(&one.join("plan.md"), "sync", &mut at).unwrap();
        assert!(matches!(&made, Committed::Made { also: None, .. }), "{made:?}");
        assert_eq!(repo(&one).unpushed_automatic(&at).unwrap(), round as u64 + 1);
    }
    assert_eq!(run(&one, &["diff", "--name-only", "HEAD~2", "HEAD"]), "plan.md\n");
    assert_eq!(staged_but(&one, "plan.md"), before);
    assert_eq!(run(&one, &["status", "--porcelain"]), "MM other.md\nA  secret.md\n");
    run(&one, &["push", "--quiet"]);
    let at = gate(&one).at.unwrap();
    assert_eq!(repo(&one).unpushed_automatic(&at).unwrap(), 0);
}

#[test]
fn hooks_are_obeyed_and_what_they_add_is_told() {
    let world = World::new();
    let one = world.clone_to("one");
    let mut at = gate(&one).at.unwrap();
    write(&one, "plan.md", "two\n");
    hook(&one, "pre-commit", "echo no such thing >&2; exit 1");
    let not = repo(&one).commit_only(&one.join("plan.md"), "sync", &mut at).unwrap();
    assert!(matches!(&not, Committed::Not { why } if why.contains("no such thing")), "{not:?}");
    assert_eq!(run(&one, &["status", "--porcelain"]), " M plan.md\n");
    hook(&one, "pre-commit", "echo more > more.md; git add more.md");
    let made = repo(&one).commit_only(&one.join("plan.md"), "sync", &mut at).unwrap();
    assert!(
        matches!(&made, Committed::Made { also: Some(also), .. } if also.contains("more.md")),
        "{made:?}"
    );
    assert_eq!(repo(&one).moved(&at).unwrap(), None);
    // A hook may write the message as it likes, and refuse after the fact.
    std::fs::remove_file(one.join(".git/hooks/pre-commit")).unwrap();
    hook(&one, "commit-msg", "echo mine > \"$1\"");
    hook(&one, "post-commit", "exit 1");
    write(&one, "plan.md", "three\n");
    let made = repo(&one).commit_only(&one.join("plan.md"), "sync", &mut at).unwrap();
    assert!(matches!(&made, Committed::Made { .. }), "{made:?}");
    assert_eq!(run(&one, &["log", "-1", "--format=%s"]), "mine\n");
}

#[test]
fn what_is_in_the_way_is_named_before_anything_is_done() {
    let world = World::new();
    let one = world.clone_to("one");
    assert_eq!(repo(&one).ready().unwrap(), Ok(()));
    let lock = one.canonicalize().unwrap().join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    assert_eq!(repo(&one).ready().unwrap(), Err(NotReady::IndexLocked { lock: lock.clone() }));
    let mut at = gate(&one).at.unwrap();
    write(&one, "plan.md", "two\n");
    let not = repo(&one).commit_only(&one.join("plan.md"), "sync", &mut at).unwrap();
    assert!(matches!(&not, Committed::Not { why } if why.contains("index.lock")), "{not:?}");
    std::fs::remove_file(&lock).unwrap();
    run(&one, &["checkout", "--quiet", "--", "plan.md"]);
    change(&one, "plan.md", "two\n");
    run(&one, &["revert", "--no-commit", "HEAD"]);
    let not = repo(&one).ready().unwrap();
    assert_eq!(not, Err(NotReady::Unfinished { what: "a revert" }));
    run(&one, &["revert", "--abort"]);
    for key in ["user.name", "user.email"] {
        run(&one, &["config", key, ""]);
    }
    let not = repo(&one).ready().unwrap();
    assert!(matches!(&not, Err(NotReady::NoAuthor { .. })), "{not:?}");
}

#[test]
fn a_commit_onto_a_branch_that_moved_is_not_begun() {
    let world = World::new();
    let one = world.clone_to("one");
    let mut at = gate(&one).at.unwrap();
    change(&one, "other.md", "two\n");
    write(&one, "plan.md", "two\n");
    let not = repo(&one).commit_only(&one.join("plan.md"), "sync", &mut at).unwrap();
    assert!(matches!(&not, Committed::Not { why } if why.contains("moved")), "{not:?}");
    let nothing = gate(&one).at.map(|mut at| repo(&one).commit_only(&one.join("other.md"), "sync", &mut at));
    assert!(matches!(nothing.unwrap().unwrap(), Committed::Not { .. }));
}
