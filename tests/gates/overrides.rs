use std::fs;

use super::repo::Repo;
use crate::program::{Kept, fencehold_in, said};

const LOG: &str = "docs/overrides.ndjson";

fn gated() -> Repo {
    let repo = Repo::with(
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"{task}.md\" }, { file = \"B.md\", committed = true } ]\n\
         on_override = { append = \"docs/overrides.ndjson\" }\n",
    );
    fs::create_dir(repo.path("docs")).unwrap();
    repo
}

/// GATE-11: `--force` with a reason that has a letter or a digit passes gates that are not met, and the event of the step
/// itself says why, by whom, and what was not met; with any other reason, or none, it is refused as `needs_reason`.
#[test]
fn a_step_by_force_is_recorded_with_all_that_was_not_met() {
    let repo = gated();
    let said = repo.force("7", " the customer cannot wait ");
    assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{said:?}");
    let history = said_lines(&repo, "task/7");
    assert_eq!(history.len(), 1, "one event: {history:?}");
    let forced = &history[0]["event"]["forced"];
    assert_eq!(
        (&history[0]["actor"], &forced["reason"]),
        (&"tester".into(), &"the customer cannot wait".into())
    );
    let unmet: Vec<&str> =
        forced["unmet"].as_array().unwrap().iter().map(|one| one["file"].as_str().unwrap()).collect();
    assert_eq!(unmet, ["7.md", "B.md"], "{history:?}");
    let told = repo.0.run(["task", "show", "7"]).stdout;
    assert!(told.contains("by force past 2 unmet conditions: the customer cannot wait"), "{told}");
    let entries = repo.entries(LOG);
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["by"], &entries[0]["reason"]),
        (&"tester".into(), &"the customer cannot wait".into())
    );
    assert!(
        repo.0.json(0, ["task", "set", "8", "done", "--force", "--reason", "why"])["value"]["forced"] == true
    );
}

/// The events of something, as objects.
fn said_lines(repo: &Repo, name: &str) -> Vec<serde_json::Value> {
    let said = said(fencehold_in(&repo.0.path()).args(["--json", "history", name]));
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// GATE-12: Where all is met, force leaves nothing behind.
#[test]
fn force_that_nothing_needs_is_none() {
    let repo = gated();
    repo.write("7.md", "");
    repo.write("B.md", "");
    repo.commit("both", 0);
    let answer = repo.0.json(0, ["task", "set", "7", "done", "--force", "--reason", "to be sure"]);
    assert_eq!(answer["value"]["forced"], serde_json::Value::Null);
    assert!(repo.entries(LOG).is_empty());
    assert!(!repo.0.run(["history"]).stdout.contains("by force"));
}

/// GATE-14: An entry that cannot be written takes nothing from its step: the command says that it is owed and why, `status`
/// and `task show` show it, and the next `task` that writes, and `repair`, write it.
#[test]
fn what_cannot_be_written_is_owed() {
    for sweep in [
        &["task", "set", "8", "todo"][..],
        &["repair"],
        &["task", "reopen", "7", "todo", "--reason", "again"],
    ] {
        let repo = gated();
        fs::remove_dir(repo.path("docs")).unwrap();
        let forced = repo.force("7", "why");
        assert_eq!(forced.code, 0, "{forced:?}");
        for word in
            ["is recorded, but its entry in", "docs/overrides.ndjson is still owed", "fencehold repair"]
        {
            assert!(forced.stderr.contains(word), "{word}: {forced:?}");
        }
        assert_eq!(repo.0.run(["task", "get", "7"]).stdout, "done\n");
        for look in [&["status"][..], &["task", "show", "7"]] {
            assert!(repo.0.run(look).stdout.contains("the entry of override"), "{look:?}");
        }
        assert_eq!(repo.0.json(0, ["status"])["overrides_owed"][0]["file"], LOG);
        fs::create_dir(repo.path("docs")).unwrap();
        repo.0.run(["status"]);
        assert!(repo.entries(LOG).is_empty(), "a look writes nothing");
        assert_eq!(repo.0.run(sweep).code, 0);
        assert_eq!(repo.entries(LOG).len(), 1, "{sweep:?}");
        assert_eq!(repo.0.json(0, ["status"])["overrides_owed"], serde_json::json!([]));
        assert_eq!(repo.0.run(["repair"]).code, 0);
        assert_eq!(repo.entries(LOG).len(), 1, "{sweep:?}");
    }
}

/// GATE-15: The entry of a step whose worktree is gone, or belongs to the workspace no more, stays owed until `repair`,
/// which records that it is given up; the history keeps the step with all that the entry would say.
#[test]
fn the_entry_of_a_worktree_that_is_gone_is_given_up_by_repair_alone() {
    let repo = gated();
    repo.commit("first", 0);
    repo.0.git(&["worktree", "add", "-q", "-b", "side", "tree"]);
    let tree = repo.path("tree");
    let forced = repo.0.run_in(&tree, ["task", "set", "7", "done", "--force", "--reason", "why"]);
    assert_eq!((forced.code, forced.stderr.contains("still owed")), (0, true), "{forced:?}");
    fs::remove_dir_all(&tree).unwrap();
    let next = repo.0.run(["task", "set", "8", "todo"]);
    assert_eq!(
        (next.code, next.stderr.contains("is gone; `fencehold repair` gives the entry up")),
        (0, true),
        "{next:?}"
    );
    let repaired = repo.0.run(["repair"]);
    assert_eq!((repaired.code, repaired.stderr.contains("is given up")), (0, true), "{repaired:?}");
    assert!(repo.entries(LOG).is_empty(), "no entry in another worktree");
    let history = repo.0.run(["history"]).stdout;
    for word in ["by force past 2 unmet conditions: why", "was given up: its worktree is gone"] {
        assert!(history.contains(word), "{word}: {history}");
    }
    assert_eq!(repo.0.json(0, ["status"])["overrides_owed"], serde_json::json!([]));
}

/// GATE-13: A step by force leaves one entry in the log of each gate that it passes, whatever was killed when, and however
/// many processes write what is owed.
#[test]
fn many_who_force_and_are_killed_leave_one_entry_each() {
    let repo = gated();
    for round in 0..6 {
        let mut started: Vec<Kept> = (0..3)
            .map(|process| {
                let task = format!("t{round}-{process}");
                let mut command = fencehold_in(&repo.0.path());
                Kept(
                    command
                        .args(["task", "set", &task, "done", "--force", "--reason", "why"])
                        .spawn()
                        .unwrap(),
                )
            })
            .collect();
        // One of three is killed, wherever it is by now.
        started[round % 3].0.kill().unwrap();
        for child in &mut started {
            child.0.wait().unwrap();
        }
    }
    assert_eq!(repo.0.run(["repair"]).code, 0);
    let forced = repo.0.run(["history"]).stdout.matches("by force").count();
    let entries = repo.entries(LOG);
    let mut ids: Vec<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), entries.len()), (forced, forced), "{entries:?}");
    assert!(forced >= 12, "those that were not killed: {forced}");
    let checked = repo.0.run(["log", "check", LOG]);
    assert_eq!(checked.code, 0, "{checked:?}");
}
