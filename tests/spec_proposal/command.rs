//! `fencehold proposal`, as processes.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Kept, Said, Yard, fencehold_in, said};

/// Proposes by stdin.
fn add_in(dir: &Path, target: &str, id: &str, content: &str) -> Said {
    let mut child = fencehold_in(dir)
        .args(["proposal", "add", target, "--id", id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that is refused for its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(content.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        code: crate::program::code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn add(yard: &Yard, target: &str, id: &str, content: &str) {
    let said = add_in(&yard.path(), target, id, content);
    assert_eq!((said.code, said.stdout), (0, format!("{id}\n")), "{}", said.stderr);
}

/// A repository with a file of prose and some proposals.
fn yard(ids: &[&str]) -> Yard {
    let yard = Yard::with_git();
    fs::write(yard.join("notes.md"), "# Notes\n").unwrap();
    for id in ids {
        add(&yard, "notes.md", id, &format!("## Of {id}\n\ntext of {id}\n"));
    }
    yard
}

fn text(yard: &Yard) -> String {
    fs::read_to_string(yard.join("notes.md")).unwrap()
}

/// What a command with `--json` prints, a line each.
fn lines(yard: &Yard, args: &[&str]) -> Vec<Value> {
    let said = said(yard.fencehold().arg("--json").args(args));
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Leaves an accept of `p` in doubt: begun, and then the file is another.
fn in_doubt(yard: &Yard) {
    begun(yard, &yard.path(), "p");
    fs::write(yard.join("notes.md"), "# Edited\n").unwrap();
}

/// PROPOSAL-17: Every spelling of the path of a file, through links, through `..` and from any working directory, names one
/// target, and nothing in what is git's own is one.
#[test]
fn a_file_is_one_target_whatever_it_is_called() {
    let yard = yard(&[]);
    fs::create_dir(yard.join("docs")).unwrap();
    symlink("notes.md", yard.join("CLAUDE.md")).unwrap();
    symlink("docs", yard.join("d")).unwrap();
    let absolute = yard.join("notes.md").to_string_lossy().into_owned();
    let spellings = [".", "docs", "."];
    let spelt = ["CLAUDE.md", "../notes.md", absolute.as_str()];
    for (from, target) in spellings.into_iter().zip(spelt) {
        let again = add_in(&yard.join(from), target, "p", "text of p\n");
        assert_eq!(again.code, 0, "{target}: {again:?}");
    }
    let other = add_in(&yard.path(), "d/../notes.md", "p", "another\n");
    assert_eq!(other.code, 1, "{other:?}");
    let listed = lines(&yard, &["proposal", "list"]);
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0]["target"], &listed[0]["id"]), (&json!("notes.md"), &json!("p")));
    assert_eq!(yard.run_in(&yard.join("docs"), ["proposal", "accept", "../CLAUDE.md", "p"]).code, 0);
    assert!(text(&yard).ends_with("-->\ntext of p\n"), "{}", text(&yard));
    for own in [".git/hooks/pre-commit", ".git/config"] {
        let refused = add_in(&yard.path(), own, "p", "text\n");
        assert_eq!((refused.code, refused.stderr.contains("git's own")), (2, true), "{refused:?}");
    }
    for outside in ["../notes.md", ".", "no/such/folder.md"] {
        assert_eq!(add_in(&yard.path(), outside, "p", "text\n").code, 2, "{outside}");
    }
}

/// PROPOSAL-18: What guards a file against updates of documents guards it against accepts: without the fence, or behind a
/// newer grant, an accept is refused and writes nothing.
#[test]
fn a_guarded_file_wants_its_fence() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), "[[guarded]]\npaths = [\"*.md\"]\nlock = \"prose\"\n").unwrap();
    fs::write(yard.join("notes.md"), "# Notes\n").unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    add(&yard, "notes.md", "p", "text of p\n");
    add(&yard, "notes.md", "q", "text of q\n");
    let refused = yard.json(1, ["proposal", "accept", "notes.md", "p"]);
    assert_eq!((&refused["reason"], &refused["value"]["lock"]), (&json!("guarded"), &json!("prose")));
    assert_eq!(text(&yard), "# Notes\n");
    let token = |said: Said| said.stdout.trim().to_owned();
    let old = token(yard.run(["lock", "acquire", "prose"]));
    let fence = |token: &str| format!("lock/prose={token}");
    let accepted = yard.run(["proposal", "accept", "notes.md", "p", "--fence", &fence(&old)]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert_eq!(yard.run(["lock", "release", "prose", "--token", &old]).code, 0);
    token(yard.run(["lock", "acquire", "prose"]));
    let stale = yard.json(1, ["proposal", "accept", "notes.md", "q", "--fence", &fence(&old)]);
    assert_eq!(stale["reason"], "stale_token");
    assert!(!text(&yard).contains("text of q"));
    let blank = yard.json(1, ["proposal", "accept", "notes.md", "q", "--force", "--reason", " "]);
    assert_eq!(blank["reason"], "needs_reason");
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "q", "--force", "--reason", "typo"]).code, 0);
    assert!(text(&yard).contains("text of q\n"));
}

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
    let other = self::yard(&["q"]);
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

/// PROPOSAL-25: An accept that was begun in one worktree is settled there by whoever accepts the same proposal, or another of
/// its file, in any worktree; one whose worktree is gone is in doubt.
#[test]
fn worktrees_share_proposals_and_settle_each_others() {
    let yard = yard(&["p", "q"]);
    yard.git(&["add", "notes.md"]);
    yard.git(&["commit", "-q", "-m", "one"]);
    yard.git(&["worktree", "add", "-q", "tree"]);
    let tree = yard.join("tree");
    assert_eq!(yard.run_in(&tree, ["proposal", "accept", "notes.md", "p"]).code, 0);
    let there = fs::read_to_string(tree.join("notes.md")).unwrap();
    assert!(there.contains("text of p\n") && !text(&yard).contains("text of p"), "only there: {there}");
    // An accept of q is begun in the worktree, by hand.
    begun(&yard, &tree, "q");
    add(&yard, "notes.md", "r", "text of r\n");
    assert_eq!(yard.run(["proposal", "accept", "notes.md", "r"]).code, 0);
    let there = fs::read_to_string(tree.join("notes.md")).unwrap();
    assert!(there.contains("text of q\n") && !there.contains("text of r"), "{there}");
    assert!(text(&yard).contains("text of r\n") && !text(&yard).contains("text of q"), "{}", text(&yard));
    add(&yard, "notes.md", "s", "text of s\n");
    begun(&yard, &tree, "s");
    fs::remove_dir_all(&tree).unwrap();
    let refused = yard.json(1, ["proposal", "accept", "notes.md", "s"]);
    assert_eq!(refused["value"]["state"], "in_doubt", "{refused}");
}

/// Begins an accept in a worktree, and does not go on.
fn begun(yard: &Yard, tree: &Path, id: &str) {
    use fencehold::fs::RealFs;
    use fencehold::host::RealHost;
    use fencehold::journal::{Asking, FileJournal, Options};
    use fencehold::ledger::Ledger;
    use fencehold_model::proposal::{Command, Sum, Target, applied, marker};
    use fencehold_model::{Holder, ProposalId};
    let host = RealHost::new().unwrap();
    let journal = FileJournal::new(RealFs, host.clone(), &yard.join(".git/fencehold"), Options::default());
    let (ledger, target) = (Ledger::new(journal, host), Target::new("notes.md").unwrap());
    let id = ProposalId::new(id).unwrap();
    let proposal = ledger.prose_of(&target).unwrap().value.proposals[&id].clone();
    let before = fs::read(tree.join("notes.md")).unwrap();
    let after = applied(&before, &marker(&id, &proposal), proposal.content().unwrap()).unwrap();
    let file = tree.canonicalize().unwrap().join("notes.md").to_string_lossy().into_owned();
    let (before, after) = (Sum::of(&before), Sum::of(&after));
    let asking = Asking { actor: Holder::new("killed").unwrap(), op: ledger.new_op() };
    ledger.proposal(&asking, &Command::Intend { target, id, file, before, after }).unwrap();
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
