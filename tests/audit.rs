//! `fencehold audit` as processes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::program::{Said, Yard, clean, said};

#[track_caller]
fn ok(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

fn committed() -> Yard {
    let yard = Yard::with_git();
    for dir in ["src", "other"] {
        fs::create_dir(yard.join(dir)).unwrap();
        fs::write(yard.join(dir).join("a"), dir).unwrap();
        fs::write(yard.join(dir).join("b"), dir).unwrap();
    }
    yard.git(&["add", "."]);
    yard.git(&["commit", "-q", "-m", "one"]);
    yard
}

fn later(path: &Path, seconds: u64) {
    let time = SystemTime::now() + Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// What is found, as path and word.
#[track_caller]
fn found(yard: &Yard, code: i32) -> Vec<(String, String)> {
    let object = yard.json(code, ["audit"]);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let found = object["value"]["found"].as_array().unwrap();
    assert_eq!(object["outcome"] == json!("ok"), found.is_empty(), "{object}");
    found.iter().map(|one| (word(&one["path"]), word(&one["found"]))).collect()
}

fn one(path: &str, word: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), word.to_owned())]
}

/// CLI-63: `audit` names each path that is changed in the work tree and lies in another's live lease, or was written
/// after the last lease over it had ended, with the lease, its holder and how long ago, and exits 1 where there is one.
///
/// CLI-64: `audit` passes over what lies in one's own live lease and what was written while a lease over it lasted, and
/// counts as found, and says so, what it cannot tell: when a file was removed that an ended lease wrote.
#[test]
fn what_is_changed_without_a_claim_is_named() {
    let yard = committed();
    // Nobody ever claimed anything.
    fs::write(yard.join("other/a"), "changed").unwrap();
    assert_eq!(found(&yard, 0), []);
    assert!(!yard.join(".git/fencehold").exists(), "a look makes no workspace");
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/", "--holder", "mine"]));
    assert_eq!(found(&yard, 0), []);
    fs::write(yard.join("src/a"), "changed").unwrap();
    assert_eq!(found(&yard, 1), one("src/a", "in_lease_of_another"));
    let told = yard.run(["audit"]);
    assert!(
        told.stdout.contains("\"src/a\": written") && told.stdout.contains("lease 7 of mine"),
        "{told:?}"
    );
    assert!(told.stderr.contains("who wrote a file cannot be told"), "{told:?}");
    ok(&yard.run(["audit", "--holder", "mine"]));
    // Written while the lease lasted, and it is closed since.
    ok(&yard.run(["lease", "close", "7", "--holder", "mine"]));
    assert_eq!(found(&yard, 0), []);
    // Written after it.
    later(&yard.join("src/a"), 5);
    assert_eq!(found(&yard, 1), one("src/a", "without_claim"));
    let told = yard.run(["audit"]);
    assert!(told.stdout.contains("without a claim: lease 7 of mine ended"), "{told:?}");
    // Its holder is asked as anybody else.
    assert_eq!(yard.run(["audit", "--holder", "mine"]).code, 1);
    // Claimed again, by oneself.
    ok(&yard.run(["lease", "grant", "8", "--writes", "src/a"]));
    assert_eq!(found(&yard, 0), []);
    ok(&yard.run(["lease", "close", "8"]));
    yard.git(&["checkout", "-q", "src/a"]);
    fs::remove_file(yard.join("src/b")).unwrap();
    assert_eq!(found(&yard, 1), one("src/b", "cannot_tell"));
    assert!(yard.run(["audit"]).stdout.contains("cannot be told"));
}

/// Paths of any bytes, staged or not, known or not, from below and from another worktree.
#[test]
fn whatever_a_path_is_called_it_is_found() {
    let mut seen = 0;
    for name in [&b"src/two\nlines"[..], b"src/ a b ", b"src/\xff\xfe", b"src/new/deep/x"] {
        for staged in [false, true] {
            let yard = committed();
            ok(&yard.run(["lease", "grant", "7", "--writes", "src/", "--holder", "mine"]));
            let path = yard.join(Path::new(OsStr::from_bytes(name)));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "x").unwrap();
            if staged {
                yard.git(&["add", "."]);
            }
            let shown = String::from_utf8_lossy(name).into_owned();
            assert_eq!(found(&yard, 1), one(&shown, "in_lease_of_another"));
            assert_eq!(yard.run_in(&yard.join("other"), ["audit"]).code, 1, "from below");
            seen += 1;
        }
    }
    assert_eq!(seen, 8);
    let yard = committed();
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/b", "--holder", "mine"]));
    yard.git(&["mv", "src/b", "other/c"]);
    assert_eq!(found(&yard, 1), one("src/b", "in_lease_of_another"), "what it was called");
}

/// CLI-65: `audit` changes no byte of the repository, and exits 2 where git cannot be asked or there is no work tree.
#[test]
fn it_only_looks() {
    let yard = committed();
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/", "--holder", "mine"]));
    fs::write(yard.join("src/a"), "changed").unwrap();
    // Git would note the file's new time in its index.
    later(&yard.join("src/b"), 5);
    let stood = yard.snapshot();
    assert_eq!(yard.run(["audit"]).code, 1);
    assert!(yard.snapshot() == stood);
    let without_git = said(yard.fencehold().env("PATH", "/nowhere").arg("audit"));
    assert!(without_git.code == 2 && without_git.stderr.contains("git is not installed"), "{without_git:?}");
    let bare = Yard::new();
    bare.git(&["init", "-q", "--bare"]);
    for place in [&bare, &Yard::new()] {
        let refused = place.run(["audit"]);
        assert!(refused.code == 2 && refused.stderr.contains("no work tree"), "{refused:?}");
    }
    // A damaged index is git's to say.
    fs::write(yard.join(".git/index"), "x").unwrap();
    let mut audit = yard.fencehold();
    assert_eq!(said(clean(&mut audit).env("FENCEHOLD_HOLDER", "tester").arg("audit")).code, 2);
}
