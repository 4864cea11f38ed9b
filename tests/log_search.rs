//! `fencehold log search` as processes.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::program::Yard;

fn found(yard: &Yard, args: &[&str]) -> Vec<String> {
    let said = yard.run([&["log", "search", "l"], args].concat());
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{args:?}: {said:?}");
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    said.stdout.lines().map(id).collect()
}

/// A text as JSON, all but the plainest letters escaped, as some programs write it.
fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            Ok(b'/') => out.push_str("\\/"),
            _ => write!(out, "\\u{unit:04x}").unwrap(),
        }
    }
    out + "\""
}

/// LOG-16: `log search` prints, in the order of the file, every whole record in whose texts or numbers each of the terms
/// stands, upper and lower case being one and however the line escapes its letters; with `--field` in those fields alone.
///
/// Behaviour A1.22: the log is searched as it stands.
#[test]
fn a_search_finds_what_reading_every_record_finds() {
    let text = "[abAB \"\\\\/éÉ\n\u{1f600}]{0,6}";
    let record = (text, text, any::<bool>());
    let case = (prop::collection::vec(record, 1..12), "[abAB\"\\\\/éÉ\u{1f600}]{1,2}", any::<bool>());
    let (hits, misses) = (Cell::new(0), Cell::new(0));
    let yard = Yard::with_git();
    let mut runner = TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&case, |(records, term, in_one_field)| {
        let mut lines = String::new();
        for (n, (one, other, escape)) in records.iter().enumerate() {
            let write = |text: &str| if *escape { escaped(text) } else { Value::from(text).to_string() };
            let line = format!(
                "{{\"id\":\"{n}\",\"one\":{},\"more\":[{{\"other\":{}}}]}}",
                write(one),
                write(other)
            );
            lines.push_str(&line);
            lines.push('\n');
        }
        fs::write(yard.join("l"), lines).unwrap();
        let says = |text: &str| text.to_lowercase().contains(&term.to_lowercase());
        let expected = records
            .iter()
            .enumerate()
            .filter(|(_, (one, other, _))| says(one) || (!in_one_field && says(other)));
        let expected: Vec<String> = expected.map(|(n, _)| n.to_string()).collect();
        let fields: &[&str] = if in_one_field { &["--field", "one"] } else { &[] };
        prop_assert_eq!(&found(&yard, &[fields, &["--", &term]].concat()), &expected, "{:?}", term);
        let count = if expected.is_empty() { &misses } else { &hits };
        count.set(count.get() + 1);
        Ok(())
    });
    ran.unwrap();
    assert!(hits.get() > 5 && misses.get() > 5, "{hits:?} {misses:?}");
    fs::write(yard.join("l"), "{\"id\":\"x\",\"n\":417}\n{\"id\":\"y\"}\n").unwrap();
    assert_eq!((found(&yard, &["17"]), found(&yard, &["Y"])), (vec!["x".to_owned()], vec!["y".to_owned()]));
    assert!(!yard.join(".git/fencehold").exists(), "a search makes no workspace");
}

/// LOG-17: `log search --recurring NAME` prints each value of that field that stands in two records or more, with their
/// count and the ids of the first and the last, the most frequent first.
#[test]
fn what_recurs_is_counted() {
    let yard = Yard::with_git();
    let lines = ["a x", "b y", "c x", "d z", "e y", "f x"].map(|line| {
        let (id, file) = line.split_once(' ').unwrap();
        format!("{}\n", json!({ "id": id, "file": file, "line": 7 }))
    });
    fs::write(yard.join("l"), lines.concat() + "{\"id\":\"g\"}\n").unwrap();
    let groups = |args: &[&str]| {
        let said = yard.json(0, [&["log", "search", "l", "--recurring", "file"], args].concat());
        said["value"]["found"].clone()
    };
    let three = json!({ "count": 3, "value": "x", "first": "a", "last": "f" });
    let two = json!({ "count": 2, "value": "y", "first": "b", "last": "e" });
    assert_eq!(groups(&[]), json!([three, two]));
    assert_eq!(groups(&["Y"]), json!([two]));
    assert_eq!(groups(&["absent"]), json!([]));
}

/// LOG-18: `log search --related ID` prints at most 20 other records: those that name the id or are named by its record,
/// then those that share a quarter of their words with it or more, the likest first; it exits 1 where no record has the id.
///
/// Behaviour A1.21: what is like a record, or named by it.
#[test]
fn what_is_related_comes_with_the_likest_first() {
    let yard = Yard::with_git();
    let records = [
        json!({ "id": "far", "error": "a wholly other matter" }),
        json!({ "id": "near", "error": "the parser lost its last token today" }),
        json!({ "id": "named", "error": "disk full" }),
        json!({ "id": "nearer", "error": "The parser lost the last Token again" }),
        json!({ "id": "this", "error": "the parser lost the last token", "related": ["named"] }),
        json!({ "id": "naming", "error": "no room", "related": ["this"] }),
    ];
    fs::write(yard.join("l"), records.map(|record| format!("{record}\n")).concat()).unwrap();
    assert_eq!(found(&yard, &["--related", "this"]), ["naming", "named", "nearer", "near"]);
    assert_eq!(found(&yard, &["--related", "this", "again"]), ["nearer"]);
    assert_eq!(found(&yard, &["--related", "far"]), Vec::<String>::new());
    assert_eq!(yard.json(1, ["log", "search", "l", "--related", "gone"])["reason"], "not_found");
}

/// LOG-19: What is damaged among the lines that a search had to look at is named as by `log check`, exits 4, and hides no
/// record.
#[test]
fn a_damaged_line_hides_nothing_from_a_search() {
    let yard = Yard::with_git();
    fs::write(
        yard.join("l"),
        b"{\"id\":\"a\",\"t\":\"door\"}\n{\"door\n\xff\n{\"id\":\"b\",\"t\":\"Door\"}\n{\"id\":\"c\",\"door",
    )
    .unwrap();
    let said = yard.run(["log", "search", "l", "door"]);
    assert_eq!((said.code, said.stdout.lines().count()), (4, 2), "{said:?}");
    assert!(said.stderr.contains("l line 2 ") && said.stderr.contains("l line 3 "), "{said:?}");
    for (args, why) in
        [(&["l"][..], "TERM"), (&["l", " "], "a blank term"), (&["../l", "x"], "leaves the root")]
    {
        let said = yard.run([&["log", "search"], args].concat());
        assert!(said.code == 2 && said.stderr.contains(why), "{args:?}: {said:?}");
    }
    assert_eq!(yard.json(0, ["log", "search", "absent", "x"])["value"]["found"], json!([]));
}
