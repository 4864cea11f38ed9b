//! What git has of a file is one of eight things.

use super::{World, change, repo, run, write};
use crate::cli::plan::git::FileState;

#[test]
fn each_way_in_which_a_file_is_not_as_committed_is_told_apart() {
    let world = World::new();
    let one = world.clone_to("one");
    for file in ["staged.md", "both.md", "hidden.md", "skipped.md"] {
        change(&one, file, "one\n");
    }
    write(&one, "plan.md", "two\n");
    write(&one, "staged.md", "two\n");
    write(&one, "both.md", "two\n");
    run(&one, &["add", "staged.md", "both.md"]);
    write(&one, "both.md", "three\n");
    write(&one, "new.md", "one\n");
    write(&one, "ignored.md", "one\n");
    std::fs::write(one.join(".git/info/exclude"), "ignored.md\n").unwrap();
    run(&one, &["update-index", "--assume-unchanged", "hidden.md"]);
    run(&one, &["update-index", "--skip-worktree", "skipped.md"]);
    let expected = [
        ("other.md", FileState::Clean),
        ("plan.md", FileState::Unstaged),
        ("staged.md", FileState::Staged),
        ("both.md", FileState::Staged),
        ("new.md", FileState::Untracked),
        ("ignored.md", FileState::Ignored),
        ("hidden.md", FileState::Hidden),
        ("skipped.md", FileState::Hidden),
        ("there-is-none.md", FileState::Untracked),
    ];
    let paths: Vec<_> = expected.iter().map(|(name, _)| one.join(name)).collect();
    let paths: Vec<_> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let states = repo(&one).states(&paths).unwrap();
    assert_eq!(states.len(), 9);
    for ((name, expected), state) in expected.iter().zip(states) {
        assert_eq!(state, *expected, "{name}");
    }
}

#[test]
fn a_file_in_a_merge_and_one_of_a_submodule_are_told() {
    let world = World::new();
    let one = world.clone_to("one");
    let remote = world.at("remote.git");
    run(&one, &["submodule", "--quiet", "add", remote.to_str().unwrap(), "sub"]);
    run(&one, &["commit", "--quiet", "-m", "sub"]);
    let sub = one.join("sub").canonicalize().unwrap();
    let states = repo(&one).states(&[&sub.join("plan.md"), &one.join("plan.md")]).unwrap();
    assert_eq!(states, [FileState::Elsewhere { top: sub.clone() }, FileState::Clean]);
    assert_eq!(repo(&sub).states(&[&sub.join("plan.md")]).unwrap(), [FileState::Clean]);
    run(&one, &["checkout", "--quiet", "-b", "left"]);
    change(&one, "plan.md", "left\n");
    run(&one, &["checkout", "--quiet", "-b", "right", "main"]);
    change(&one, "plan.md", "right\n");
    let merge =
        std::process::Command::new("git").args(["merge", "--quiet", "left"]).current_dir(&one).output();
    assert!(!merge.unwrap().status.success());
    assert_eq!(repo(&one).states(&[&one.join("plan.md")]).unwrap(), [FileState::Conflicted]);
}

#[test]
fn names_that_mean_something_to_git_are_taken_as_they_stand() {
    let world = World::new();
    let one = world.clone_to("one");
    let names = ["*.md", ":(exclude)a.md", "[p]lan.md", "ü b.md", "-n.md", "line\nend.md"];
    for name in names {
        change(&one, name, "one\n");
    }
    write(&one, "[p]lan.md", "two\n");
    for name in names {
        let state = repo(&one).states(&[&one.join(name)]).unwrap();
        let expected = if name == "[p]lan.md" { FileState::Unstaged } else { FileState::Clean };
        assert_eq!(state, [expected], "{name}");
        assert_eq!(
            repo(&one).last_commit_of(&one.join(name)).unwrap().subject,
            format!("change {name}").replace('\n', " ")
        );
    }
    assert_eq!(repo(&one).last_commit_of(&one.join("no.md")), None);
    assert!(repo(&one).states(&[&world.at("seed").join("plan.md")]).is_err());
}
