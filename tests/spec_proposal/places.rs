//! Files by any name, files that are guarded, files of other worktrees.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::yard::{add, add_in, begun, lines, text, yard};
use crate::program::{Said, Yard};

/// PROPOSAL-17: Every spelling of the path of a file, through links, through `..` and from any working directory, names one
/// target, and nothing in what is git's own is one.
#[test]
fn a_file_is_one_target_whatever_it_is_called() {
    let yard = yard(&[]);
    fs::create_dir(yard.join("docs")).unwrap();
    symlink("notes.md", yard.join("CLAUDE.md")).unwrap();
    symlink("docs", yard.join("d")).unwrap();
    let absolute = yard.join("notes.md").to_string_lossy().into_owned();
    let spellings = [".", "docs", "."];
    let spelt = ["CLAUDE.md", "../notes.md", absolute.as_str()];
    for (from, target) in spellings.into_iter().zip(spelt) {
        let again = add_in(&yard.join(from), target, "p", "text of p\n");
        assert_eq!(again.code, 0, "{target}: {again:?}");
    }
    let other = add_in(&yard.path(), "d/../notes.md", "p", "another\n");
    assert_eq!(other.code, 1, "{other:?}");
    let listed = lines(&yard, &["proposal", "list"]);
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["target"], &listed[0]["id"]), (&json!("notes.md"), &json!("p")));
    assert_eq!(yard.run_in(&yard.join("docs"), ["proposal", "accept", "../CLAUDE.md", "p"]).code, 0);
    assert!(text(&yard).ends_with("-->\ntext of p\n"), "{}", text(&yard));
    for own in [".git/hooks/pre-commit", ".git/config"] {
        let refused = add_in(&yard.path(), own, "p", "text\n");
        assert_eq!((refused.code, refused.stderr.contains("git's own")), (2, true), "{refused:?}");
    }
    for outside in ["../notes.md", ".", "no/such/folder.md"] {
        assert_eq!(add_in(&yard.path(), outside, "p", "text\n").code, 2, "{outside}");
    }
}

/// PROPOSAL-18: What guards a file against updates of documents guards it against accepts: without the fence, or behind a
/// newer grant, an accept is refused and writes nothing.
#[test]
fn a_guarded_file_wants_its_fence() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), "[[guarded]]\npaths = [\"*.md\"]\nlock = \"prose\"\n").unwrap();
    fs::write(yard.join("notes.md"), "# Notes\n").unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    add(&yard, "notes.md", "p", "text of p\n");
    add(&yard, "notes.md", "q", "text of q\n");
    let refused = yard.json(1, ["proposal", "accept", "notes.md", "p"]);
    assert_eq!((&refused["reason"], &refused["value"]["lock"]), (&json!("guarded"), &json!("prose")));
    assert_eq!(text(&yard), "# Notes\n");
    let token = |said: Said| said.stdout.trim().to_owned();
    let old = token(yard.run(["lock", "acquire", "prose"]));
    let fence = |token: &str| format!("lock/prose={token}");
    let accepted = yard.run(["proposal", "accept", "notes.md", "p", "--fence", &fence(&old)]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert_eq!(yard.run(["lock", "release", "prose", "--token", &old]).code, 0);
    token(yard.run(["lock", "acquire", "prose"]));
    let stale = yard.json(1, ["proposal", "accept", "notes.md", "q", "--fence", &fence(&old)]);
    assert_eq!(stale["reason"], "stale_token");
    assert!(!text(&yard).contains("text of q"));
    let blank = yard.json(1, ["proposal", "accept", "notes.md", "q", "--force", "--reason", " "]);
    assert_eq!(blank["reason"], "needs_reason");
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "q", "--force", "--reason", "typo"]).code, 0);
    assert!(text(&yard).contains("text of q\n"));
}

/// PROPOSAL-25: An accept that was begun in one worktree is settled there by whoever accepts the same proposal, or another of
/// its file, in any worktree; one whose worktree is gone is in doubt.
#[test]
fn worktrees_share_proposals_and_settle_each_others() {
    let yard = yard(&["p", "q"]);
    yard.git(&["add", "notes.md"]);
    yard.git(&["commit", "-q", "-m", "one"]);
    yard.git(&["worktree", "add", "-q", "tree"]);
    let tree = yard.join("tree");
    assert_eq!(yard.run_in(&tree, ["proposal", "accept", "notes.md", "p"]).code, 0);
    let there = fs::read_to_string(tree.join("notes.md")).unwrap();
    assert!(there.contains("text of p\n") && !text(&yard).contains("text of p"), "only there: {there}");
    // An accept of q is begun in the worktree, by hand.
    begun(&yard, &tree, "q");
    add(&yard, "notes.md", "r", "text of r\n");
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "r"]).code, 0);
    let there = fs::read_to_string(tree.join("notes.md")).unwrap();
    assert!(there.contains("text of q\n") && !there.contains("text of r"), "{there}");
    assert!(text(&yard).contains("text of r\n") && !text(&yard).contains("text of q"), "{}", text(&yard));
    add(&yard, "notes.md", "s", "text of s\n");
    begun(&yard, &tree, "s");
    fs::remove_dir_all(&tree).unwrap();
    let refused = yard.json(1, ["proposal", "accept", "notes.md", "s"]);
    assert_eq!(refused["value"]["state"], "in_doubt", "{refused}");
}
