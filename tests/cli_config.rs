//! `fencehold config` as processes: the policy of a team, and what is wrong with one.

use std::fs;

use crate::program::Yard;

const OTHER: &str = "[tasks]\nids = \"numbers\"\nstatuses = [ { name = \"queued\", rank = 0 }, { name = \"running\", \
                     rank = 1 }, { name = \"completed\", rank = 2, terminal = true } ]\n";

/// CLI-47: `config apply` makes a `fencehold.toml` what every worktree obeys, says the default of each key that is left
/// out, and exits 2 with file, line and key where one is unknown or malformed.
#[test]
fn one_policy_for_every_worktree() {
    let yard = Yard::with_git();
    yard.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    yard.git(&["worktree", "add", "-q", "-b", "side", "tree"]);
    fs::write(yard.join("fencehold.toml"), OTHER).unwrap();
    let said = yard.run(["config", "apply"]);
    assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{said:?}");
    for told in ["leases.ids is left out", "leases.overlap is left out", "\"refuse\""] {
        assert!(said.stderr.contains(told), "{told}: {said:?}");
    }
    assert!(!said.stderr.contains("tasks."), "{said:?}");
    let tree = yard.join("tree");
    assert_eq!(yard.run_in(&tree, ["task", "set", "07", "queued"]).code, 0);
    assert_eq!(yard.run_in(&tree, ["task", "get", "7"]).stdout, "queued\n");
    let unknown = yard.run_in(&tree, ["task", "set", "7", "todo"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.stderr.contains("this workspace has queued, running, completed"), "{unknown:?}");
    let shown = yard.run_in(&tree, ["config", "show"]);
    fs::write(yard.join("again.toml"), &shown.stdout).unwrap();
    let again = yard.json(0, ["config", "apply", "again.toml"]);
    assert_eq!(
        (&again["value"]["already"], &again["value"]["left_out"]),
        (&true.into(), &serde_json::json!([]))
    );
    assert_eq!(yard.json(0, ["config", "show"])["task_ids"], "numbers");
    assert!(yard.run(["history"]).stdout.contains("policy applied by tester"));
}

#[test]
fn what_a_policy_gets_wrong_is_named_with_its_line() {
    let yard = Yard::with_git();
    let file = yard.join("team.toml");
    let before = {
        fs::write(&file, "").unwrap();
        yard.snapshot().len()
    };
    let cases = [
        (
            "\n[taks]\n",
            "line 2: the key `taks` is unknown; known are `tasks`, `leases`, `guarded` and `gates`",
        ),
        ("[tasks]\nid = 1\n", "line 2: the key `tasks.id` is unknown; known are `tasks.ids` and"),
        ("[leases]\nrun = \"make\"\n", "line 2: the key `leases.run` is unknown"),
        (
            "[tasks]\nids = \"roman\"\n",
            "line 2: `tasks.ids` is \"roman\"; it must be \"text\" or \"numbers\"",
        ),
        ("[leases]\noverlap = true\n", "line 2: `leases.overlap` is of type boolean"),
        ("tasks = 3\n", "line 1: `tasks` is of type integer; it must be a table"),
        ("[tasks]\nstatuses = []\n", "line 2: `tasks.statuses`: a vocabulary needs at least one"),
        ("[tasks]\nstatuses = [\n  3 ]\n", "line 3: `tasks.statuses` is of type integer"),
        (
            "[tasks]\nstatuses = [\n  { name = \"a\" } ]\n",
            "line 3: a status of `tasks.statuses` has no `rank`",
        ),
        ("[tasks]\nstatuses = [\n  { rank = 1 } ]\n", "has no `name`"),
        ("[tasks]\nstatuses = [ { name = \" \", rank = 1 } ]\n", "status is blank"),
        ("[tasks]\nstatuses = [ { name = \"a\", rank = -1 } ]\n", "a whole number from 0"),
        ("[tasks]\nstatuses = [ { name = \"a\", rank = 1000001 } ]\n", "the highest is 1000000"),
        ("[tasks]\nstatuses = [ { name = \"a\", rank = 1, final = true } ]\n", "the key `final` is unknown"),
        ("[tasks]\nstatuses = [ { name = \"a\", rank = 1, terminal = 1 } ]\n", "true or false"),
        ("[tasks]\nstatuses = [ { name = \"a\", rank = 1 }, { name = \"a\", rank = 2 } ]\n", "stands twice"),
        ("[tasks]\nids = \"text\"\n[tasks]\n", "line 3: duplicate key"),
        ("[tasks\n", "line 1: "),
        ("guarded = 3\n", "line 1: `guarded` is of type integer; it must be a list of tables"),
        ("[guarded]\nlock = \"l\"\n", "line 1: `guarded` is of type table"),
        ("guarded = [\n 3 ]\n", "line 2: `guarded` is of type integer"),
        ("[[guarded]]\nlock = \"l\"\n", "line 1: a table `guarded` has no `paths`"),
        ("\n[[guarded]]\npaths = [\"a\"]\n", "line 2: a table `guarded` has no `lock`"),
        ("[[guarded]]\npaths = []\nlock = \"l\"\n", "line 1: `guarded`: lock l guards no path"),
        (
            "[[guarded]]\npaths = \"a\"\nlock = \"l\"\n",
            "line 2: `paths` is \"a\"; it must be a list of paths",
        ),
        ("[[guarded]]\npaths = [\"a\",\n  \"../b\"]\nlock = \"l\"\n", "line 3: `paths`: \"../b\""),
        ("[[guarded]]\npaths = [\"a\"]\nlock = \" \"\n", "line 3: lock name is blank"),
        ("[[guarded]]\npaths = [\"a\"]\nlocks = \"l\"\n", "line 3: the key `guarded.locks` is unknown"),
    ];
    let mut seen = 0;
    for (text, named) in cases {
        fs::write(&file, text).unwrap();
        let said = yard.run(["config", "apply", "team.toml"]);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{text}: {said:?}");
        for word in [named, "team.toml", "nothing was applied"] {
            assert!(said.stderr.contains(word), "{text}: {word:?} is missing: {said:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 28);
    fs::write(&file, b"[tasks]\n\xff").unwrap();
    assert!(yard.run(["config", "apply", "team.toml"]).stderr.contains("is not UTF-8"));
    let none = yard.run(["config", "apply"]);
    assert_eq!(
        (none.code, none.stderr.contains("fencehold config show > fencehold.toml")),
        (2, true),
        "{none:?}"
    );
    assert_eq!(yard.snapshot().len(), before, "no workspace was made");
}

const GUARDED: &str = "[[guarded]]\npaths = [\"deploy/**\", \"Cargo.lock\"]\nlock = \"deploy\"\n\n[[guarded]]\npaths = [\"db/\"]\nlock = \"db\"\n";

#[test]
fn what_is_guarded_is_shown_as_it_was_applied() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), GUARDED).unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    let shown = yard.run(["config", "show"]).stdout;
    assert!(shown.ends_with(&format!("\n{GUARDED}")), "{shown}");
    fs::write(yard.join("fencehold.toml"), &shown).unwrap();
    assert_eq!(yard.json(0, ["config", "apply"])["value"]["already"], true);
    assert_eq!(
        yard.json(0, ["config", "show"])["guarded"][1],
        serde_json::json!({ "paths": ["db/"], "lock": "db" })
    );
    fs::write(yard.join("fencehold.toml"), shown.replace("db/", "other/")).unwrap();
    let status = yard.run(["status"]);
    assert!(status.stderr.contains("says otherwise than what is applied (guarded)"), "{status:?}");
}

/// GUARD-24: A policy that puts one path under two locks, on a filesystem with or without case, is refused by `config
/// apply` with exit 2 and the names of both, and nothing is changed.
#[test]
fn no_path_is_put_under_two_locks() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), GUARDED).unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    let mut seen = 0;
    for other in ["deploy/prod.yaml", "Cargo.lock/", "*/prod.yaml", "DEPLOY/"] {
        let more = format!("{GUARDED}\n[[guarded]]\npaths = [\"{other}\"]\nlock = \"ops\"\n");
        fs::write(yard.join("fencehold.toml"), more).unwrap();
        let before = yard.snapshot();
        let said = yard.run(["config", "apply"]);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{other}: {said:?}");
        for word in [other, "under lock ops", "under lock d", "line 1", "nothing was applied"] {
            assert!(said.stderr.contains(word), "{other}: {word:?} is missing: {said:?}");
        }
        assert_eq!(yard.snapshot(), before);
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// CLI-48: A policy under which a task would have no meaning exits 2 with the names of the tasks, and changes nothing.
#[test]
fn a_policy_never_takes_the_meaning_of_a_task() {
    let yard = Yard::with_git();
    for task in ["8", "9"] {
        assert_eq!(yard.run(["task", "set", task, "blocked"]).code, 0);
    }
    fs::write(yard.join("fencehold.toml"), OTHER).unwrap();
    let before = yard.snapshot();
    let said = yard.run(["config", "apply"]);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for word in ["2 tasks", "8, 9", "status blocked is unknown", "nothing was changed"] {
        assert!(said.stderr.contains(word), "{word}: {said:?}");
    }
    assert_eq!(yard.snapshot(), before);
    // Two tasks that are one under numbers.
    assert_eq!(yard.run(["task", "set", "08", "todo"]).code, 0);
    fs::write(yard.join("fencehold.toml"), "[tasks]\nids = \"numbers\"\n").unwrap();
    let said = yard.run(["config", "apply"]);
    assert_eq!((said.code, said.stderr.contains("two tasks would become one")), (2, true), "{said:?}");
}

/// CLI-49: `status` and `doctor` say where the `fencehold.toml` of this worktree is not what is applied, and `status`
/// shows the leases that are open or crashed and the tasks that are in conflict.
#[test]
fn status_shows_what_stands_and_what_is_not_applied() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), OTHER).unwrap();
    for made in [false, true] {
        if made {
            assert_eq!(yard.run(["init"]).code, 0);
        }
        let status = yard.run(["status"]);
        assert_eq!(status.code, 0, "{status:?}");
        for word in ["fencehold.toml says otherwise", "tasks.ids, tasks.statuses", "fencehold config apply"] {
            assert!(status.stderr.contains(word), "{word}: {status:?}");
        }
        let doctor = yard.run(["doctor"]);
        assert_eq!((doctor.code, doctor.stdout.contains("says otherwise")), (0, true), "{doctor:?}");
    }
    fs::write(yard.join("fencehold.toml"), "[taks]\n").unwrap();
    let status = yard.run(["status"]);
    assert_eq!(
        (status.code, status.stderr.contains("`taks`")),
        (0, true),
        "a bad file stops no look: {status:?}"
    );
    assert_eq!(yard.run(["doctor"]).code, 2);
    fs::write(yard.join("fencehold.toml"), OTHER.replace("text", "numbers")).unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    assert_eq!(yard.run(["status"]).stderr, "");
    assert_eq!(yard.run(["lease", "grant", "1", "--writes", "a"]).code, 0);
    assert_eq!(yard.run(["lease", "grant", "2", "--writes", "b"]).code, 0);
    assert_eq!(yard.run(["lease", "crash", "2", "--reason", "r"]).code, 0);
    assert_eq!(yard.run(["lease", "grant", "3"]).code, 0);
    assert_eq!(yard.run(["lease", "close", "3"]).code, 0);
    let object = yard.json(0, ["status"]);
    let leases = object["leases"].as_array().unwrap();
    assert_eq!((leases.len(), &leases[1]["state"]), (2, &"crashed".into()));
    assert_eq!(object["tasks_in_conflict"], serde_json::json!([]));
    fs::write(yard.join("fencehold.toml"), "").unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    assert_eq!(yard.run(["task", "set", "5", "blocked"]).code, 0);
    assert_eq!(yard.run(["task", "set", "5", "in_progress"]).code, 1);
    let status = yard.run(["status"]);
    for word in ["1  open; tester", "2  crashed", "5  blocked and in_progress in conflict"] {
        assert!(status.stdout.contains(word), "{word}: {status:?}");
    }
    assert!(!status.stdout.contains("\n  3 "), "{status:?}");
}
