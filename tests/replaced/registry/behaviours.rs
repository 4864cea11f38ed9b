//! What a registry does, done by ours.

use std::fs;

use serde_json::Value;

use crate::program::{Said, Yard};

fn ok(said: &Said) -> &str {
    assert_eq!(said.code, 0, "{said:?}");
    &said.stdout
}

/// An instant in UTC, as in RFC 3339.
fn is_instant(value: &Value) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    value.as_str().is_some_and(|text| text.chars().map(shape).eq("0000-00-00T00:00:00Z".chars()))
}

/// Behaviour C1.1: the leases stand in plain files, a JSON object a line, and none of them in the work tree.
#[test]
fn the_leases_stand_in_plain_files_inside_of_git() {
    let yard = Yard::with_git();
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/"]));
    let top: Vec<_> = fs::read_dir(yard.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(top, [".git"], "nothing beside the work");
    let journal = fs::read_to_string(yard.join(".git/fencehold/journal.1.ndjson")).unwrap();
    let lines: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let granted = lines.iter().filter(|line| line["event"]["type"] == "lease.granted");
    assert_eq!(granted.map(|line| &line["event"]["lease"]).collect::<Vec<_>>(), ["7"], "{journal}");
}

/// Behaviour C1.2: what a grant was told, where it came from, how it ended and when.
#[test]
fn a_lease_keeps_all_that_it_was_told() {
    let yard = Yard::with_git();
    let told = ["--worktree", "/w/tree", "--branch", "side", "--agent", "a7", "--holder", "ann"];
    let grant = ["lease", "grant", "7", "--writes", "src/", "docs/*.md"];
    ok(&yard.run(grant.into_iter().chain(told)));
    let open = yard.json(0, ["lease", "show", "7"]);
    for (key, value) in [
        ("lease", "7"),
        ("state", "open"),
        ("worktree", "/w/tree"),
        ("branch", "side"),
        ("agent", "a7"),
        ("holder", "ann"),
    ] {
        assert_eq!(open[key], value, "{key}: {open}");
    }
    assert_eq!(open["write_set"], serde_json::json!(["docs/*.md", "src/"]));
    assert!(open["token"].is_u64() && open["held_for_ms"].is_u64(), "{open}");
    assert!(is_instant(&open["granted_at"]) && open["ended_at"].is_null(), "{open}");
    ok(&yard.run(["lease", "crash", "7", "--reason", "the fan stopped"]));
    let crashed = yard.json(0, ["lease", "show", "7"]);
    assert_eq!((&crashed["state"], &crashed["reason"]), (&"crashed".into(), &"the fan stopped".into()));
    assert!(crashed["ended_for_ms"].is_u64() && is_instant(&crashed["ended_at"]), "{crashed}");
    assert_eq!(crashed["granted_at"], open["granted_at"], "{crashed}");
    let shown = yard.run(["lease", "show", "7"]);
    for (word, key) in [("since     ", "granted_at"), ("ended     ", "ended_at")] {
        let line = ok(&shown).lines().find_map(|line| line.strip_prefix(word)).expect(word);
        assert!(line.starts_with(crashed[key].as_str().unwrap()), "{key}: {shown:?}");
    }
    let history = yard.run(["--json", "history", "lease/7"]);
    let events: Vec<Value> = ok(&history).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() == 2 && events.iter().all(|event| event["at_ms"].is_u64()), "{history:?}");
}

/// Behaviour C1.3: grant, close, crash, clear, list, show; where it is and that it is there; and a look creates nothing.
#[test]
fn every_verb_is_there_and_a_look_creates_nothing() {
    let yard = Yard::with_git();
    let before = yard.snapshot();
    let place = yard.join(".git/fencehold");
    let mut looks = 0;
    for (args, code) in [
        (&["lease", "list"][..], 0),
        (&["lease", "list", "--all"], 0),
        (&["lease", "show", "7"], 1),
        (&["lease", "closeout"], 0),
        (&["lease", "reap"], 0),
        (&["history"], 0),
        (&["status"], 0),
        (&["where"], 0),
    ] {
        assert_eq!(yard.run(args).code, code, "{args:?}");
        assert!(yard.snapshot() == before, "{args:?} writes");
        looks += 1;
    }
    assert_eq!(looks, 8);
    ok(&yard.run(["init"]));
    assert!(place.is_dir() && ok(&yard.run(["where"])).contains(place.to_str().unwrap()));
    for (verb, state) in [("close", "closed"), ("crash", "crashed"), ("clear", "cleared")] {
        ok(&yard.run(["lease", "grant", "7"]));
        assert_eq!(yard.json(0, ["lease", "show", "7"])["state"], "open");
        let reason: &[&str] = match verb {
            "close" => &[],
            "crash" => &["--reason", "it hung"],
            _ => &["--force", "--reason", "it is gone"],
        };
        ok(&yard.run(["lease", verb, "7"].into_iter().chain(reason.iter().copied())));
        assert_eq!(yard.json(0, ["lease", "show", "7"])["state"], state);
    }
}

/// Behaviour C1.5: what is damaged is told, with its file and line, and is neither moved nor taken for empty until
/// somebody asks for that; what is set aside then is kept.
#[test]
fn damage_is_told_and_waits_for_a_repair() {
    let yard = Yard::with_git();
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/"]));
    let journal = yard.join(".git/fencehold/journal.1.ndjson");
    let whole = fs::read_to_string(&journal).unwrap();
    let line = whole.lines().count() + 1;
    fs::write(&journal, format!("{whole}{{\"leases\":[\n")).unwrap();
    let before = yard.snapshot();
    for args in
        [&["lease", "list"][..], &["lease", "show", "7"], &["lease", "grant", "8"], &["lease", "closeout"]]
    {
        let said = yard.run(args);
        assert_eq!((said.code, said.stdout.as_str()), (4, ""), "{args:?}: {said:?}");
        let named = format!("{} line {line}: damaged", journal.display());
        assert!(said.stderr.contains(&named) && said.stderr.contains("fencehold repair"), "{said:?}");
        assert!(yard.snapshot() == before, "{args:?} writes");
    }
    let repaired = yard.run(["repair"]);
    let kept = ok(&repaired).lines().find_map(|line| line.strip_prefix("kept: ")).unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "{\"leases\":[\n");
    assert_eq!(yard.json(0, ["lease", "show", "7"])["state"], "open", "what stood before it is as it was");
}

/// Behaviour C1.8: listing, showing and clearing for people and as JSON, with exit codes that say which of done, refused
/// and mistyped it was; and a root by option, by variable, or by the nearest place above.
#[test]
fn lists_and_looks_end_with_a_code_that_says_how() {
    let yard = Yard::with_git();
    assert_eq!(
        (yard.run(["lease", "list"]).stdout.as_str(), yard.run(["--json", "lease", "list"]).stdout.as_str()),
        ("", "")
    );
    let unknown = yard.run(["lease", "show", "99"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (1, ""), "{unknown:?}");
    assert!(unknown.stderr.contains("there is no lease 99"), "{unknown:?}");
    let mistyped = yard.run(["lease", "show"]);
    assert!(mistyped.code == 2 && mistyped.stderr.contains("Usage:"), "{mistyped:?}");
    ok(&yard.run(["lease", "grant", "7", "--branch", "side"]));
    let line = yard.run(["lease", "list"]);
    assert!(ok(&line).starts_with("lease 7: open, held by tester on side, since "), "{line:?}");
    assert_eq!(yard.json(0, ["lease", "list"])["lease"], "7");
    let cleared = yard.run(["lease", "clear", "7"]);
    assert!(cleared.code == 1 && cleared.stderr.contains("--force"), "{cleared:?}");
    ok(&yard.run(["lease", "clear", "7", "--force", "--reason", "it is gone"]));
    // One that stopped, which a person says.
    ok(&yard.run(["lease", "grant", "8"]));
    ok(&yard.run(["lease", "crash", "8", "--reason", "it hung"]));
    let (elsewhere, deep) = (Yard::new(), yard.join("a/b"));
    fs::create_dir_all(&deep).unwrap();
    let listed = |said: Said| ok(&said).lines().count();
    assert_eq!(listed(yard.run_in(&deep, ["lease", "list"])), 1, "the nearest above");
    let root = yard.path();
    assert_eq!(listed(elsewhere.run(["--root", root.to_str().unwrap(), "lease", "list"])), 1);
    let by_variable =
        crate::program::said(elsewhere.fencehold().env("FENCEHOLD_ROOT", &root).args(["lease", "list"]));
    assert_eq!(listed(by_variable), 1);
    let nowhere = yard.run(["--root", "/no/such/folder", "lease", "list"]);
    assert!(nowhere.code == 2 && nowhere.stderr.contains("/no/such/folder"), "{nowhere:?}");
}
