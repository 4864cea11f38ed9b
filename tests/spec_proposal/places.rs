//! Files by any name, files that are guarded, files of other worktrees.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::yard::{add, add_in, begun, begun_for, lines, text, yard};
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

/// A repository where an accept of `p` for `docs/a.md` is begun, `q` waits for that file, and `r` for another.
fn begun_in_a_folder() -> Yard {
    let yard = yard(&["r"]);
    fs::create_dir(yard.join("docs")).unwrap();
    fs::write(yard.join("docs/a.md"), "# A\n").unwrap();
    add(&yard, "docs/a.md", "p", "text of p\n");
    add(&yard, "docs/a.md", "q", "text of q\n");
    begun_for(&yard, &yard.path(), "docs/a.md", "p");
    yard
}

/// What stands in the place of a file, or of its folder, which is no file.
fn in_its_place(yard: &Yard, what: &str) {
    let (docs, file) = (yard.join("docs"), yard.join("docs/a.md"));
    match what {
        "a folder" => {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
        }
        "a socket" => {
            fs::remove_file(&file).unwrap();
            drop(std::os::unix::net::UnixListener::bind(&file).unwrap());
        }
        "a link" => {
            fs::rename(&file, yard.join("b.md")).unwrap();
            symlink("../b.md", &file).unwrap();
        }
        "no folder" => fs::rename(&docs, yard.join("moved")).unwrap(),
        "a linked folder" => {
            fs::rename(&docs, yard.join("moved")).unwrap();
            symlink("moved", &docs).unwrap();
        }
        "a file for its folder" => {
            fs::remove_dir_all(&docs).unwrap();
            fs::write(&docs, "text\n").unwrap();
        }
        "a loop for its folder" => {
            fs::remove_dir_all(&docs).unwrap();
            symlink("docs", &docs).unwrap();
        }
        other => panic!("{other}"),
    }
}

const NO_FILES: [&str; 7] = [
    "a folder",
    "a socket",
    "a link",
    "no folder",
    "a linked folder",
    "a file for its folder",
    "a loop for its folder",
];

/// PROPOSAL-11: What an accept that was killed has begun is recorded as accepted where the file holds the line of the proposal,
/// or the bytes that were intended; it is done where the file is as it was; and it is in doubt where the file is anything else,
/// or gone.
///
/// PROPOSAL-28: What was proposed for a file whose folder is gone, or in whose place something else stands, is listed, shown,
/// rejected and resolved by the path that it had.
#[test]
fn a_doubt_about_what_is_no_file_any_more_hides_nothing_and_can_be_ended() {
    for what in NO_FILES {
        let yard = begun_in_a_folder();
        in_its_place(&yard, what);
        let listed = lines(&yard, &["proposal", "list"]);
        let states: Vec<_> =
            listed.iter().map(|line| (line["id"].as_str(), line["state"].as_str())).collect();
        let wanted = [("p", "in_doubt"), ("q", "proposed"), ("r", "proposed")];
        assert_eq!(states, wanted.map(|(id, state)| (Some(id), Some(state))), "{what}");
        assert_eq!(yard.run(["proposal", "show", "docs/a.md", "p"]).code, 0, "{what}");
        let doctor = yard.run(["doctor"]);
        let told = doctor.stdout.clone() + &doctor.stderr;
        assert!(doctor.code == 2 && told.contains("proposal resolve docs/a.md p --as"), "{what}: {doctor:?}");
        assert_eq!(yard.run(["proposal", "accept", "notes.md", "r"]).code, 0, "{what}");
        let resolve = ["proposal", "resolve", "docs/a.md", "p", "--as", "rejected", "--reason", "gone"];
        let resolved = yard.run(resolve);
        assert_eq!(resolved.code, 0, "{what}: {resolved:?}");
        let rejected = yard.run(["proposal", "reject", "docs/a.md", "--all", "--yes"]);
        assert_eq!(rejected.code, 0, "{what}: {rejected:?}");
        assert_eq!(yard.run(["proposal", "check"]).code, 0, "{what}");
    }
}

/// The file is as it was, but led to by a link: an accept that was begun would be done outside of the tree.
#[test]
fn an_accept_that_was_begun_is_not_done_through_a_link_in_place_of_its_folder() {
    let yard = begun_in_a_folder();
    let outside = tempfile::tempdir().unwrap();
    fs::copy(yard.join("docs/a.md"), outside.path().join("a.md")).unwrap();
    fs::remove_dir_all(yard.join("docs")).unwrap();
    symlink(outside.path(), yard.join("docs")).unwrap();
    let refused = yard.json(1, ["proposal", "accept", "docs/a.md", "q"]);
    assert_eq!(refused["value"]["state"], "in_doubt", "{refused}");
    assert_eq!(fs::read_to_string(outside.path().join("a.md")).unwrap(), "# A\n");
}

/// PROPOSAL-24: What is in doubt is named by `status`, `doctor`, `proposal check` and `show`, each with the command that ends
/// it, and `doctor` ends with 2.
#[test]
fn the_command_that_ends_a_doubt_can_be_pasted_whatever_the_file_is_called() {
    let yard = yard(&[]);
    let name = "my $(touch pasted) notes.md";
    fs::write(yard.join(name), "# A\n").unwrap();
    add(&yard, name, "it's", "text of p\n");
    begun_for(&yard, &yard.path(), name, "it's");
    fs::write(yard.join(name), "# Edited\n").unwrap();
    let told = yard.run(["proposal", "check"]).stderr;
    let (_, command) = told.split_once("`fencehold ").expect("a command");
    let (command, _) = command.split_once(" --as").expect("a verdict");
    assert_eq!(command, r"proposal resolve 'my $(touch pasted) notes.md' 'it'\''s'");
}
