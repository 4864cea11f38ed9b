//! `fencehold proposal`, as processes.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use super::yard::{add, in_doubt, lines, text, yard};
use crate::program::{Kept, Yard, said};
use crate::watch::open_terminal;

/// PROPOSAL-19: Who proposed, began, accepted, rejected and resolved what, when and why, stays in the history and in `list
/// --all`, with the sum of each content; the state keeps no content of what has ended.
#[test]
fn who_did_what_stays_and_the_content_of_what_ended_does_not() {
    let yard = yard(&["p", "q", "r"]);
    let by = |who: &str, args: &[&str]| {
        let said = said(yard.fencehold().env("FENCEHOLD_HOLDER", who).args(args));
        assert_eq!(said.code, 0, "{said:?}");
    };
    by("bob", &["proposal", "accept", "notes.md", "q"]);
    by("cyd", &["proposal", "reject", "notes.md", "r", "--reason", "it is wrong"]);
    let all = lines(&yard, &["proposal", "list", "--all"]);
    let told: Vec<(&str, &str, &Value, &Value)> = all
        .iter()
        .map(|one| {
            let (id, state) = (one["id"].as_str().unwrap(), one["state"].as_str().unwrap());
            assert!(
                one["by"] == "tester"
                    && one["sum"].as_str().unwrap().ends_with(|c: char| c.is_ascii_hexdigit())
            );
            (id, state, &one["ended"]["by"], &one["ended"]["reason"])
        })
        .collect();
    let (null, bob, cyd, why) = (Value::Null, json!("bob"), json!("cyd"), json!("it is wrong"));
    assert_eq!(
        told,
        [("p", "proposed", &null, &null), ("q", "accepted", &bob, &null), ("r", "rejected", &cyd, &why)]
    );
    let kinds: Vec<String> = lines(&yard, &["history", "notes.md"])
        .iter()
        .map(|line| {
            format!("{} {}", line["actor"].as_str().unwrap(), line["event"]["type"].as_str().unwrap())
        })
        .collect();
    let expected = [
        "tester proposal.proposed",
        "tester proposal.proposed",
        "tester proposal.proposed",
        "bob proposal.intended",
        "bob proposal.accepted",
        "cyd proposal.rejected",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(lines(&yard, &["history", "proposal/q"]).len(), 3);
    assert!(yard.run(["history", "q"]).stdout.contains("notes.md: proposal q: accepted"));
    for (id, has) in [("p", true), ("q", false), ("r", false)] {
        let shown = yard.json(0, ["proposal", "show", "notes.md", id]);
        assert_eq!(shown["content"].is_string(), has, "{shown}");
    }
    assert!(text(&yard).contains(" by tester at 20"), "{}", text(&yard));
}

/// PROPOSAL-20: A proposal has a number among those of its file, in the order in which they came, that no other ever has;
/// `--pick` takes numbers and ranges of those that wait, and where one of them is none's, nothing is done.
#[test]
fn numbers_name_what_was_listed_whatever_came_since() {
    let yard = yard(&["a", "b", "c", "d", "e"]);
    let numbers = |all: &[Value]| -> Vec<(u64, String)> {
        all.iter()
            .map(|one| (one["number"].as_u64().unwrap(), one["id"].as_str().unwrap().to_owned()))
            .collect()
    };
    let of = |pairs: &[(u64, &str)]| -> Vec<(u64, String)> {
        pairs.iter().map(|(number, id)| (*number, (*id).to_owned())).collect()
    };
    assert_eq!(yard.run(["proposal", "reject", "notes.md", "b"]).code, 0);
    add(&yard, "notes.md", "0", "came late\n");
    let listed = numbers(&lines(&yard, &["proposal", "list", "notes.md"]));
    assert_eq!(listed, of(&[(1, "a"), (3, "c"), (4, "d"), (5, "e"), (6, "0")]));
    for none in ["2", "1,7", "7-9", "x", "3-1"] {
        let refused = yard.run(["proposal", "accept", "notes.md", "--pick", none, "--yes"]);
        assert_eq!(refused.code, 2, "{none}: {refused:?}");
    }
    assert_eq!(text(&yard), "# Notes\n");
    let accepted = yard.run(["proposal", "accept", "notes.md", "--pick", "1-3,5", "--yes"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let at = |id: &str| text(&yard).find(&format!("text of {id}\n"));
    assert!(
        at("a").is_some() && at("a") < at("c") && at("c") < at("e") && at("d").is_none(),
        "{}",
        text(&yard)
    );
    assert_eq!(numbers(&lines(&yard, &["proposal", "list"])), of(&[(4, "d"), (6, "0")]));
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "--all", "--yes"]).code, 0);
    assert_eq!(yard.run(["proposal", "check"]).code, 0);
    assert_eq!(text(&yard).matches("came late").count(), 1);
}

/// PROPOSAL-21: `proposal list`, `show` and `check` write nothing, and `check` ends with 1 where something is proposed or in
/// doubt, else with 0.
#[test]
fn a_look_writes_nothing_and_a_check_says_whether_something_waits() {
    let yard = Yard::with_git();
    let looks = [&["proposal", "list"][..], &["proposal", "list", "--all"], &["proposal", "check"]];
    let bare = yard.snapshot();
    for look in looks {
        assert_eq!(yard.run(look).code, 0, "{look:?}");
    }
    assert_eq!(yard.run(["proposal", "show", "notes.md", "p"]).code, 1);
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "p"]).code, 1);
    assert_eq!(yard.run(["proposal", "reject", "notes.md", "p"]).code, 1);
    assert_eq!(yard.snapshot(), bare, "nothing is there, and nothing was made");
    fs::write(yard.join("notes.md"), "# Notes\n").unwrap();
    add(&yard, "notes.md", "p", "text of p\n");
    for doubtful in [false, true] {
        if doubtful {
            in_doubt(&yard);
        }
        let before = yard.snapshot();
        for (code, look) in [
            (0, &["proposal", "list"][..]),
            (0, &["proposal", "show", "notes.md", "p"]),
            (1, &["proposal", "check"]),
            (1, &["proposal", "check", "notes.md"]),
            (0, &["proposal", "check", "other.md"]),
            (0, &["status"]),
        ] {
            let said = yard.run(look);
            assert_eq!(said.code, code, "{look:?}: {said:?}");
        }
        let checked = yard.json(1, ["proposal", "check"]);
        let (proposed, doubts) = if doubtful { (0, 1) } else { (1, 0) };
        assert_eq!(checked["value"], json!({ "proposed": proposed, "in_doubt": doubts }));
        assert_eq!(yard.snapshot(), before, "doubtful: {doubtful}");
    }
}

/// PROPOSAL-22: Where nobody can be asked, `--all` and `--pick` need `--yes`: without it nothing is done, and the exit code
/// is 2.
#[test]
fn a_script_says_yes() {
    let yard = yard(&["p"]);
    for args in [&["--all"][..], &["--pick", "1"], &[], &["--yes"]] {
        for command in ["accept", "reject"] {
            let refused = yard.run([&["proposal", command, "notes.md"][..], args].concat());
            assert_eq!(refused.code, 2, "{command} {args:?}: {refused:?}");
        }
    }
    assert_eq!(text(&yard), "# Notes\n");
    assert_eq!(yard.json(1, ["proposal", "check"])["value"]["proposed"], 1);
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "--all", "--yes"]).code, 0);
}

/// PROPOSAL-27: On a terminal `accept` and `reject` without ids show what waits and ask for numbers, show what is chosen,
/// `accept` with its diff, and do nothing unless it is confirmed.
#[test]
fn a_person_is_asked() {
    let yard = yard(&["p", "q", "r"]);
    let ask = |typed: &str, args: &[&str]| {
        let terminal = open_terminal(120, 60);
        terminal.types(typed);
        let open = || Stdio::from(terminal.slave.try_clone().unwrap());
        let mut command = yard.fencehold();
        command.args(["proposal"]).args(args).env("TERM", "dumb");
        let status = command.stdin(open()).stdout(open()).stderr(open()).status().unwrap();
        (crate::program::code(status), terminal.read())
    };
    for (typed, code) in [("q\n", 0), ("\n", 0), ("1\nn\n", 0), ("1\n\n", 0), ("9\n", 2), ("x\n", 2)] {
        let (ended, told) = ask(typed, &["accept", "notes.md"]);
        assert_eq!((ended, text(&yard).as_str()), (code, "# Notes\n"), "{typed:?}: {told}");
        assert!(told.contains("accept which") && told.contains("nothing"), "{told}");
    }
    let (ended, told) = ask("1,3\ny\n", &["accept", "notes.md"]);
    assert_eq!(ended, 0, "{told}");
    assert!(
        told.contains("+text of p") && !told.contains("+text of q") && told.contains("accept 2?"),
        "{told}"
    );
    let (ended, told) = ask("y\n", &["reject", "notes.md", "--all"]);
    assert_eq!(ended, 0, "{told}");
    let states: Vec<Value> =
        lines(&yard, &["proposal", "list", "--all"]).iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["accepted", "rejected", "accepted"]);
}

/// PROPOSAL-23: `show` prints what an accept would change in the file, in the unified form of diff, which `patch` applies.
#[test]
fn a_diff_is_shown_before() {
    let yard = yard(&["p"]);
    fs::write(yard.join("notes.md"), "1\n2\n3\n4\n5").unwrap();
    let shown = yard.json(0, ["proposal", "show", "notes.md", "p"]);
    let diff = shown["diff"].as_str().unwrap();
    assert!(diff.starts_with("--- notes.md\n+++ notes.md\n@@ -3,3 +3,"), "{diff}");
    assert!(diff.contains("\n+text of p\n"), "{diff}");
    assert!(yard.run(["proposal", "show", "notes.md", "p"]).stdout.ends_with(diff));
    fs::write(yard.join("a.diff"), diff).unwrap();
    yard.git(&["apply", "-p0", "a.diff"]);
    let applied = text(&yard);
    fs::write(yard.join("notes.md"), "1\n2\n3\n4\n5").unwrap();
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "p"]).code, 0);
    assert_eq!(text(&yard), applied);
    // Where it could not be applied it says why.
    let other = super::yard::yard(&["q"]);
    fs::write(other.join("notes.md"), "```\n").unwrap();
    let shown = other.run(["proposal", "show", "notes.md", "q"]);
    assert!(shown.stdout.ends_with("text of q\n") && shown.stderr.contains("line 1 opens a code fence"));
}

/// PROPOSAL-24: What is in doubt is named by `status`, `doctor`, `proposal check` and `show`, each with the command that ends
/// it, and `doctor` ends with 2.
#[test]
fn a_doubt_is_shown_wherever_somebody_looks() {
    let yard = yard(&["p"]);
    in_doubt(&yard);
    for (code, look) in [
        (0, &["status"][..]),
        (2, &["doctor"]),
        (1, &["proposal", "check"]),
        (0, &["proposal", "show", "notes.md", "p"]),
        (1, &["proposal", "accept", "notes.md", "p"]),
        (1, &["proposal", "reject", "notes.md", "p"]),
    ] {
        let said = yard.run(look);
        let all = format!("{}{}", said.stdout, said.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.code, code, "{look:?}: {said:?}");
        assert!(
            all.contains("fencehold proposal resolve notes.md p --as accepted|rejected"),
            "{look:?}: {all}"
        );
    }
    assert_eq!(yard.json(0, ["status"])["proposals"][0]["state"], "in_doubt");
    let refused = yard.json(1, ["proposal", "accept", "notes.md", "p"]);
    assert_eq!((&refused["reason"], &refused["value"]["state"]), (&json!("conflict"), &json!("in_doubt")));
    let resolve = ["proposal", "resolve", "notes.md", "p", "--as", "rejected", "--reason", "it is not there"];
    assert_eq!(yard.run(resolve).code, 0);
    assert_eq!(yard.run(["doctor"]).code, 0);
    assert!(yard.run(["history", "p"]).stdout.contains("in doubt, resolved as rejected: it is not there"));
}

/// PROPOSAL-26: `deinit` exits 1 and removes nothing while a proposal is open or in doubt, unless it is forced.
#[test]
fn a_workspace_does_not_go_while_something_is_proposed() {
    let yard = yard(&["p"]);
    let refused = yard.run(["deinit"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        format!("{}{}", refused.stdout, refused.stderr).contains("notes.md: proposal p waits"),
        "{refused:?}"
    );
    assert_eq!(yard.run(["proposal", "reject", "notes.md", "p"]).code, 0);
    assert_eq!(yard.run(["deinit"]).code, 0);
}

/// However many accept and are killed: each content stands there once.
#[test]
fn many_who_accept_and_are_killed_apply_each_once() {
    let yard = yard(&[]);
    for round in 0..5 {
        for number in 0..3 {
            add(&yard, "notes.md", &format!("{round}-{number}"), &format!("text of {round}-{number}\n"));
        }
        let accept = || {
            let all = ["proposal", "accept", "notes.md", "--all", "--yes"];
            Kept(yard.fencehold().args(all).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        };
        let mut started: Vec<Kept> = (0..3).map(|_| accept()).collect();
        // One of three is killed, wherever it is by now.
        started[round % 3].0.kill().unwrap();
        for child in &mut started {
            child.0.wait().unwrap();
        }
    }
    let said = yard.run(["proposal", "accept", "notes.md", "--all", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    let text = text(&yard);
    for round in 0..5 {
        for number in 0..3 {
            assert_eq!(text.matches(&format!("text of {round}-{number}\n")).count(), 1, "{text}");
        }
    }
    assert_eq!(yard.run(["proposal", "check"]).code, 0);
}
