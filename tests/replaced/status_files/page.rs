//! `docs/status-files.md` works as typed, in a repository that has such files.

use std::fs;

use serde_json::{Value, json};

use crate::program::Yard;
use crate::readme::{Reader, page};

const PAGE: &str = "docs/status-files.md";

/// How many blocks of the page are run.
const BLOCKS: usize = 7;

/// What is wrong with the old files, what makes it so, and what the move says.
type Spoiled = (&'static str, fn(&Yard), &'static str);

fn write(yard: &Yard, run: &str, status: &Value) {
    let folder = yard.join("runs").join(run);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("status.json"), format!("{status:#}\n")).unwrap();
}

/// A reader with runs that stand in several ways.
fn reader() -> Reader {
    let reader = Reader::new();
    let yard = &reader.repository;
    let question = json!({ "status": "blocked", "agent": "codex", "question": "it's \"which\"?", "runs": 2 });
    write(yard, "it's one", &question);
    write(yard, "c", &json!({ "status": "completed", "pr_url": "https://example.org/pull/7" }));
    write(yard, "q", &json!({ "status": "queued" }));
    reader
}

/// The page up to the moving, the moving, a day, and what follows.
fn parts() -> [String; 4] {
    let text = page(PAGE);
    let (files, rest) = text.split_once("## Moving to the board").unwrap();
    let (moving, rest) = rest.split_once("## A day").unwrap();
    let (day, back) = rest.split_once("## The way back").unwrap();
    [files, moving, day, back].map(str::to_owned)
}

#[test]
fn status_files_are_kept_taken_over_and_given_back() {
    let reader = reader();
    let yard = &reader.repository;
    let [files, moving, day, back] = parts();
    assert_eq!(reader.follows(&files), Ok(1));
    let kept: Value = serde_json::from_slice(&fs::read(yard.join("runs/a/status.json")).unwrap()).unwrap();
    assert_eq!(kept, json!({ "status": "completed", "runs": 1 }), "and no stale `failed`");
    assert_eq!(reader.follows(&moving), Ok(3));
    let got = |run: &str| yard.run(["task", "get", run]).stdout;
    assert_eq!(
        [got("a"), got("c"), got("it's one"), got("q")],
        ["completed\n", "completed\n", "blocked\n", "queued\n"]
    );
    let question = yard.json(0, ["task", "show", "it's one"]);
    assert_eq!(question["details"]["blocked"], json!({ "question": "it's \"which\"?" }));
    assert!(!yard.join("runs/c/status.json").exists() && yard.join("runs/c/status.json.before").exists());

    assert_eq!(reader.follows(&day), Ok(2));
    assert_eq!(got("b"), "failed\n");
    let died = &yard.json(0, ["task", "show", "b"])["details"]["failed"];
    assert!(died["died"].is_string(), "{died}");

    assert_eq!(reader.follows(&back), Ok(BLOCKS - 6));
    let file = |run: &str| -> Value {
        serde_json::from_slice(&fs::read(yard.join(format!("runs/{run}/status.json"))).unwrap()).unwrap()
    };
    assert_eq!(file("it's one"), json!({ "status": "blocked", "question": "it's \"which\"?" }));
    assert_eq!([&file("b")["status"], &file("q")["status"]], ["failed", "queued"]);
    assert!(!yard.join(".git/fencehold").exists(), "the workspace is gone");
    assert!(!yard.join("fencehold.toml").exists());
}

/// What cannot be taken over stops the move, and the old files are where they were.
#[test]
fn what_is_no_status_stops_the_move() {
    let [_, moving, ..] = parts();
    let spoil: [Spoiled; 3] = [
        (
            "half a file",
            |yard| fs::write(yard.join("runs/c/status.json"), "{\"status\":").unwrap(),
            "JSONDecodeError",
        ),
        ("no status", |yard| write(yard, "c", &json!({ "agent": "codex" })), "KeyError"),
        ("an unknown one", |yard| write(yard, "c", &json!({ "status": "paused" })), "paused"),
    ];
    let mut seen = 0;
    for (what, spoil, says) in spoil {
        let reader = reader();
        spoil(&reader.repository);
        let old = fs::read(reader.repository.join("runs/c/status.json")).unwrap();
        let stopped = reader.follows(&moving).expect_err(what);
        assert!(stopped.contains(says), "{what}: {stopped}");
        assert_eq!(fs::read(reader.repository.join("runs/c/status.json")).unwrap(), old, "{what}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// Every command of the table is one that there is.
#[test]
fn the_table_of_the_page_is_right() {
    let (yard, text) = (Yard::with_git(), page(PAGE));
    let mut seen = 0;
    for typed in text.split('`').skip(1).step_by(2).filter_map(|typed| typed.strip_prefix("fencehold ")) {
        let words = typed.split_whitespace().take_while(|word| !word.chars().any(char::is_uppercase));
        let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
        let said = yard.run(words.iter().copied().chain(["--help"]));
        assert!(said.code == 0 && said.stdout.contains("Usage:"), "{typed}: {said:?}");
        seen += 1;
    }
    assert!(seen > 9, "{seen}");
}
