//! `docs/plans.md` works as typed, in a repository that has plan files.

use super::kit::block;
use crate::program::Yard;
use crate::readme::{Reader, page};

const PAGE: &str = "docs/plans.md";
/// How many blocks of the page are run.
const BLOCKS: usize = 6;

fn reader() -> Reader {
    let reader = Reader::new();
    let yard = &reader.repository;
    yard.git(&["config", "user.name", "t"]);
    yard.git(&["config", "user.email", "t@t"]);
    std::fs::create_dir(yard.join("workplans")).unwrap();
    let text = format!("# First\n\n{}\n{}", block("T-1", "todo"), block("T-10", "in_progress"));
    std::fs::write(yard.join("workplans/first.md"), text).unwrap();
    yard.git(&["add", "."]);
    yard.git(&["commit", "-q", "-m", "plans"]);
    reader
}

fn ran(yard: &Yard, args: &[&str]) -> String {
    let said = yard.run(args);
    assert_eq!(said.code, 0, "{args:?}: {said:?}");
    said.stdout
}

#[test]
fn plans_are_taken_over_followed_and_given_back() {
    let (reader, text) = (reader(), page(PAGE));
    let yard = &reader.repository;
    let (moving, rest) = text.split_once("## A day").unwrap();
    let (day, back) = rest.split_once("## The way back").unwrap();
    assert_eq!(reader.follows(moving), Ok(2));
    assert_eq!(ran(yard, &["task", "get", "T-10"]), "in_progress\n");
    assert!(ran(yard, &["proposal", "list"]).contains("plan-protocol"));
    assert_eq!(reader.follows(day), Ok(3));
    let shown = ran(yard, &["task", "show", "T-1"]);
    assert!(
        shown.contains("task T-1: todo") && shown.contains("rolled back, the index was missing"),
        "{shown}"
    );
    assert!(yard.join("board.ndjson").exists());
    assert_eq!(reader.follows(back), Ok(BLOCKS - 5));
    assert!(!yard.join(".git/fencehold").exists() && yard.join("before.ndjson").exists());
}

/// Every code that the page names is one that there is.
#[test]
fn the_codes_of_the_page_are_those_of_the_command() {
    let text = page(PAGE);
    let table = text.split_once("| code |").unwrap().1.split_once("## The way back").unwrap().0;
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let named: Vec<&str> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(',').map(|code| code.trim().trim_matches('`')))
        .collect();
    let sources: String = crate::tidy::sources(&["impl/src/cli/plan", "impl/src/mark", "model/src/status"])
        .into_iter()
        .map(|file| file.text)
        .collect();
    assert!(named.len() > 15, "{named:?}");
    for code in named {
        assert!(sources.contains(&format!("\"{code}\"")), "{code} is no code");
    }
}
