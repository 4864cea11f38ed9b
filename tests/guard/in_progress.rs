//! A repository in the middle of a rebase, a merge or a cherry-pick.

use std::fs;

use serde_json::json;

use super::play::{Session, reason};
use crate::program::{Said, Yard, clean, said};

/// Git as a holder starts it, who has to say nothing.
fn git_as(holder: &str, yard: &Yard, args: &[&str]) -> Said {
    let mut git = std::process::Command::new("git");
    clean(&mut git).current_dir(yard.path()).env("FENCEHOLD_HOLDER", holder).env("GIT_EDITOR", "true");
    said(git.args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(args))
}

fn fencehold_as(holder: &str, yard: &Yard, args: &[&str]) -> Said {
    said(yard.fencehold().env("FENCEHOLD_HOLDER", holder).args(args))
}

/// Two branches that changed one file, with git's hooks, a lease of `mine` on it, and the checkout in the midst of
/// `words` of `mine`.
fn stopped(words: &[&str]) -> Yard {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("src")).unwrap();
    for (branch, text) in [("", "one"), ("topic", "theirs"), ("main", "ours")] {
        if branch == "topic" {
            yard.git(&["checkout", "-q", "-b", "topic"]);
        } else if branch == "main" {
            yard.git(&["checkout", "-q", "main"]);
        }
        fs::write(yard.join("src/a"), text).unwrap();
        yard.git(&["add", "."]);
        yard.git(&["commit", "-q", "-m", text]);
    }
    assert_eq!(yard.run(["hook", "install", "--git"]).code, 0);
    assert_eq!(yard.run(["lease", "grant", "7", "--writes", "src/", "--holder", "mine"]).code, 0);
    assert_eq!(Session::new(&yard, "mine").bash(&format!("git {}", words.join(" "))), json!({}));
    assert_ne!(git_as("mine", &yard, words).code, 0, "a conflict");
    yard
}

/// The session that holds the checkout ends what is in progress; nobody else does, and everybody is told how it stands.
#[test]
fn what_is_in_progress_is_ended_by_the_session_that_holds_the_checkout() {
    let mut seen = 0;
    for word in ["rebase", "merge", "cherry-pick"] {
        let yard = stopped(&[word, "topic"]);
        let (mine, other) = (Session::new(&yard, "mine"), Session::new(&yard, "other"));
        let ends =
            [format!("git {word} --continue"), format!("git {word} --abort"), "git add src/a".to_owned()];
        for command in &ends {
            let why = reason(&other.bash(command));
            assert!(why.contains("held by mine"), "{command}: {why}");
        }
        let edit = |session: &Session| session.call("pre-tool-use", "Edit", &json!({ "file_path": "src/a" }));
        assert!(reason(&edit(&other)).contains("lease 7"), "{word}");
        assert_eq!((other.bash("git status"), other.bash("git diff")), (json!({}), json!({})), "{word}");
        // What is changed is claimed: by its holder, and for everybody else.
        assert_eq!(fencehold_as("mine", &yard, &["audit"]).code, 0, "{word}");
        let audit = fencehold_as("other", &yard, &["audit"]);
        assert!(audit.code == 1 && audit.stdout.contains("in lease 7 of mine"), "{word}: {audit:?}");
        let status = fencehold_as("other", &yard, &["status"]);
        assert!(status.code == 0 && status.stdout.contains("mine (pid"), "{word}: {status:?}");
        assert_eq!(fencehold_as("other", &yard, &["doctor"]).code, 0, "{word}");

        assert_eq!(edit(&mine), json!({}));
        fs::write(yard.join("src/a"), "both").unwrap();
        assert_eq!(mine.bash(&ends[2]), json!({}), "{word}");
        yard.git(&["add", "src/a"]);
        let stopped = git_as("other", &yard, &["commit", "-q", "-m", "x"]);
        assert!(stopped.code == 1 && stopped.stderr.contains("lease 7"), "{word}: {stopped:?}");
        assert_eq!(mine.bash(&ends[0]), json!({}), "{word}");
        let ended = git_as("mine", &yard, &[word, "--continue"]);
        assert_eq!(ended.code, 0, "{word}: {ended:?}");
        assert_eq!(fs::read_to_string(yard.join("src/a")).unwrap(), "both");
        let left = git_as("mine", &yard, &["status", "--porcelain"]);
        assert_eq!((left.code, left.stdout.as_str()), (0, ""), "{word}");
        assert_eq!(fencehold_as("other", &yard, &["audit"]).code, 0, "{word}: all of it is committed");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// A session that is killed in the middle leaves the checkout as it is, and the next one may end it.
#[test]
fn what_a_killed_session_left_in_progress_is_for_the_next_one() {
    let yard = stopped(&["rebase", "topic"]);
    assert_eq!(Session::new(&yard, "mine").call("session-end", "", &json!(null)), json!({}));
    let mut killed = super::play::Alive::begin(&yard, "killed", "git add src/a");
    let next = Session::new(&yard, "next");
    assert!(reason(&next.bash("git rebase --abort")).contains("held by killed"));
    killed.kill();
    assert_eq!(next.bash("git rebase --abort"), json!({}));
    assert_eq!(git_as("next", &yard, &["rebase", "--abort"]).code, 0);
    assert_eq!(fs::read_to_string(yard.join("src/a")).unwrap(), "ours");
}
