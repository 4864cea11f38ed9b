//! `docs/worktree-registry.md` works as typed, on a repository that has run such a registry in two worktrees.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Said, Yard};
use crate::readme::{Reader, page};

const PAGE: &str = "docs/worktree-registry.md";
const OLD: &str = ".planning/.local/registry.json";

/// How many blocks of the page are run.
const BLOCKS: usize = 6;

fn lease(phase: &Value, state: &str, writes: &[&str]) -> Value {
    json!({ "phase_id": phase, "worktree_path": "", "agent_id": null, "branch_name": "", "lease_state": state,
        "granted_at": "2026-05-01T10:00:00.000Z", "closed_at": null, "crashed_at": null, "crash_reason": null,
        "write_set": writes, "provenance_hash": null })
}

fn write(tree: &Path, leases: &[Value]) {
    fs::create_dir_all(tree.join(".planning/.local")).unwrap();
    let text = serde_json::to_string_pretty(&json!({ "schema_version": 1, "leases": leases })).unwrap();
    fs::write(tree.join(OLD), text).unwrap();
}

/// What is wrong with the old registries, what makes it so, and what the move says.
type Spoiled = (&'static str, fn(&Yard), &'static str);

/// A reader with a main worktree and a linked one, each with a registry that knows nothing of the other's.
fn reader() -> Reader {
    let reader = Reader::new();
    let yard = &reader.repository;
    yard.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    yard.git(&["worktree", "add", "-q", "-b", "side", "it's a tree"]);
    let mut named = lease(&json!("05"), "open", &["src/a b.rs", "docs/**/*.md"]);
    named["agent_id"] = json!("ann");
    named["branch_name"] = json!("main");
    write(&yard.path(), &[lease(&json!(3), "closed", &["src/"]), named, lease(&json!("4"), "crashed", &[])]);
    write(&yard.join("it's a tree"), &[lease(&json!(6), "open", &[])]);
    reader
}

fn open(yard: &Yard) -> Vec<Value> {
    let said = yard.run(["--json", "lease", "list", "--state", "open"]);
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_open_leases_of_every_worktree_are_taken_over_and_given_back() {
    let reader = reader();
    let (yard, tree) = (&reader.repository, reader.repository.join("it's a tree"));
    let text = page(PAGE);
    let (moving, after) = text.split_once("## A day").unwrap();
    assert_eq!(reader.follows(moving), Ok(4));
    let leases = open(yard);
    let of = |key: &str| leases.iter().map(|lease| lease[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("lease"), ["5", "6"], "{leases:?}");
    assert_eq!(of("worktree"), [yard.path().to_str().unwrap(), tree.to_str().unwrap()]);
    assert_eq!(leases[0]["write_set"], json!(["docs/**/*.md", "src/a b.rs"]));
    assert_eq!((&leases[0]["agent"], &leases[0]["holder"]), (&"ann".into(), &"ann".into()));
    assert!(!yard.join(OLD).exists() && yard.join(format!("{OLD}.before")).exists());
    // A day and the way back.
    assert_eq!(reader.follows(after), Ok(BLOCKS - 4));
    let back: Value = serde_json::from_slice(&fs::read(yard.join(OLD)).unwrap()).unwrap();
    let phases: Vec<&Value> =
        back["leases"].as_array().unwrap().iter().map(|lease| &lease["phase_id"]).collect();
    assert_eq!((phases, &back["schema_version"]), (vec![&json!("5"), &json!("6")], &json!(1)));
    assert!(!yard.join(".git/fencehold").exists(), "the workspace is gone");
    let left =
        fs::read_dir(yard.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut left: Vec<String> = left.collect();
    left.sort();
    assert_eq!(left, [".git", ".planning", "it's a tree"]);
}

/// What the old registry did not see, or cannot be read, stops the move with a reason.
#[test]
fn what_cannot_be_taken_over_stops_the_move() {
    let text = page(PAGE);
    let (moving, _) = text.split_once("## A day").unwrap();
    let spoil: [Spoiled; 3] = [
        (
            "one phase, open in two worktrees",
            |yard| write(&yard.join("it's a tree"), &[lease(&json!(5), "open", &[])]),
            "lease 5 is open already",
        ),
        (
            "two that write the same",
            |yard| write(&yard.join("it's a tree"), &[lease(&json!(6), "open", &["docs/x.md"])]),
            "lease 5",
        ),
        ("a damaged file", |yard| fs::write(yard.join(OLD), "{\"leases\":[").unwrap(), "JSONDecodeError"),
    ];
    let mut seen = 0;
    for (what, spoil, says) in spoil {
        let reader = reader();
        spoil(&reader.repository);
        let old = fs::read(reader.repository.join(OLD)).unwrap();
        let stopped = reader.follows(moving).expect_err(what);
        assert!(stopped.contains(says), "{what}: {stopped}");
        assert_eq!(
            fs::read(reader.repository.join(OLD)).unwrap(),
            old,
            "{what}: the old file is where it was"
        );
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// Every command of the tables is one that there is, and the conditions can be applied.
#[test]
fn the_tables_and_the_policy_of_the_page_are_right() {
    let (yard, text) = (Yard::with_git(), page(PAGE));
    let policy = text.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    fs::write(yard.join("fencehold.toml"), policy).unwrap();
    let applied: Said = yard.run(["config", "apply"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    fs::create_dir_all(yard.join(".planning/phases/5")).unwrap();
    let refused = yard.run(["task", "set", "05", "done"]);
    assert!(refused.code == 1 && refused.stderr.contains("phases/5/PLAN-CHECK.md"), "{refused:?}");
    let forced = yard.run(["task", "set", "05", "done", "--force", "--reason", "shown by hand"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    let left = fs::read_to_string(yard.join(".planning/overrides.ndjson")).unwrap();
    assert!(left.contains("shown by hand"), "{left}");
    assert_eq!(yard.run(["task", "set", "6", "done"]).code, 0, "it has no folder, so nothing is asked");
    let mut seen = 0;
    for typed in text.split('`').skip(1).step_by(2).filter_map(|typed| typed.strip_prefix("fencehold ")) {
        let words = typed.split_whitespace().take_while(|word| !word.chars().any(char::is_uppercase));
        let words: Vec<&str> = words.filter(|word| !word.starts_with("--") && *word != "7").collect();
        let said = yard.run(words.iter().copied().chain(["--help"]));
        assert!(said.code == 0 && said.stdout.contains("Usage:"), "{typed}: {said:?}");
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
}
