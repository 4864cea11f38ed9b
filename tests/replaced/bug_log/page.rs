//! `docs/openwolf.md` works as typed, on a checkout in which such a system has run.

use std::fs;

use serde_json::{Value, json};

use crate::program::Yard;
use crate::readme::{Reader, page};

const PAGE: &str = "docs/openwolf.md";
/// How many blocks of the page are run.
const BLOCKS: usize = 6;
const LOG: &str = ".wolf/buglog.ndjson";

const LEARNING: &str = "Run one test at a time.\n\n## Why\n\nThe port is one.\n";

/// A reader whose sessions have written bugs, a ledger and learnings.
fn reader() -> Reader {
    let reader = Reader::new();
    let yard = &reader.repository;
    fs::create_dir_all(yard.join(".wolf/sessions/s1")).unwrap();
    let bug = |n: u32| json!({ "id": format!("bug-{n:03}"), "error_message": format!("old {n}"), "occurrences": n, "last_seen": "2026-05-01" });
    let bugs: Vec<Value> = (1..=203).map(bug).collect();
    let write = |name: &str, text: String| fs::write(yard.join(name), text).unwrap();
    write(".wolf/buglog.json", serde_json::to_string_pretty(&json!({ "version": 1, "bugs": bugs })).unwrap());
    write(
        ".wolf/token-ledger.json",
        "{\"version\":1,\"lifetime\":{\"total_sessions\":60},\"sessions\":[]}\n".to_owned(),
    );
    write(".wolf/cerebrum.md", "# Cerebrum\n".to_owned());
    let staged = |when: &str, text: &str| format!("\n## {when} → cerebrum\n\n{text}");
    let staged =
        staged("2026-05-01T10:00:00.000Z", LEARNING) + &staged("2026-05-01T10:00:00.000Z", "Second.\n");
    write(".wolf/sessions/s1/proposed-learnings.md", staged);
    reader
}

/// Behaviour A1.3: the ledger stays a JSON file, and an increment is none that is lost.
/// Behaviour A1.28: 203 entries, ids and counts kept, twice.
#[test]
fn the_page_for_those_who_move_works_as_typed() {
    let reader = reader();
    let yard = &reader.repository;
    let text = page(PAGE);
    let (moving, after) = text.split_once("## A day").unwrap();
    assert_eq!(reader.follows(moving), Ok(4));
    let read = yard.run(["log", "read", LOG]);
    let records: Vec<Value> = read.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (records.len(), &records[202]["id"], &records[202]["occurrences"]),
        (203, &json!("bug-203"), &json!(203))
    );
    assert!(yard.join(".wolf/buglog.json.before").exists() && !yard.join(".wolf/buglog.json").exists());
    let ledger: Value =
        serde_json::from_slice(&fs::read(yard.join(".wolf/token-ledger.json")).unwrap()).unwrap();
    assert_eq!(ledger["lifetime"]["total_sessions"], 61);
    assert_eq!(reader.follows(after), Ok(BLOCKS - 4));
    let prose = fs::read_to_string(yard.join(".wolf/cerebrum.md")).unwrap();
    assert!(
        prose.starts_with("# Cerebrum\n") && prose.contains(LEARNING) && prose.contains("Second.\n"),
        "{prose}"
    );
    let back: Value = serde_json::from_slice(&fs::read(yard.join(".wolf/buglog.json")).unwrap()).unwrap();
    let bugs = back["bugs"].as_array().unwrap();
    assert_eq!((bugs.len(), &bugs[203]["occurrences"]), (204, &json!(2)), "{:?}", bugs.last());
    assert!(!yard.join(".git/fencehold").exists(), "the workspace is gone");
}

/// What cannot be taken over stops the move with a reason, and stays.
#[test]
fn a_bug_log_that_cannot_be_taken_over_stops_the_move() {
    let text = page(PAGE);
    let (moving, _) = text.split_once("## A day").unwrap();
    let mut seen = 0;
    for (bytes, why) in [
        ("{\"version\":1,\"bugs\":[{\"id\":\"a\"},", "ends in the middle"),
        ("{\"version\":1,\"bugs\":{}}", "no array"),
        ("{\"version\":1,\"bugs\":[{\"id\":\"a\"},{\"id\":\"a\",\"n\":1}]}", "stands on line 1 already"),
    ] {
        let reader = reader();
        let old = reader.repository.join(".wolf/buglog.json");
        fs::write(&old, bytes).unwrap();
        let stopped = reader.follows(moving).unwrap_err();
        assert!(stopped.contains(why), "{stopped}");
        assert_eq!(fs::read_to_string(&old).unwrap(), bytes);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// Every command of the table is one that there is.
#[test]
fn the_table_of_the_page_is_right() {
    let (yard, text) = (Yard::with_git(), page(PAGE));
    let mut seen = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        for quoted in row.split('`').skip(1).step_by(2).filter(|quoted| quoted.starts_with("fencehold ")) {
            let words: Vec<&str> = quoted.split(' ').skip(1).take(2).chain(["--help"]).collect();
            let said = yard.run(&words);
            assert_eq!(said.code, 0, "{quoted}: {said:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}
