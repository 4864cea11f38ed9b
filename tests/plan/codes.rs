//! Ids, statuses, paths, and what is told of them.

use serde_json::json;

use super::kit::{Plans, block};

/// PLAN-5: Ids are compared whole, in the form of the workspace, and an id of several blocks, in one file or in several of a
/// run, is `duplicate-id` at each of them and nothing is done for it.
#[test]
fn ids_are_whole_and_stand_once() {
    let plans = Plans::new();
    plans.write("fencehold.toml", "[tasks]\nids = \"numbers\"\n");
    assert_eq!(plans.yard.run(["config", "apply"]).code, 0);
    plans.commit("a.md", [block("1", "todo"), block("10", "todo"), block("7", "todo")].concat(), "a");
    plans.commit(
        "b.md",
        [block("07", "done"), block("11", "todo"), block("12", "todo"), block("012", "done")].concat(),
        "b",
    );
    let told = plans.plan(&["fix", "."]);
    let double = |task| ("duplicate-id", "WARN", task);
    let done = |task| ("C-11", "DONE", task);
    let wanted = [done("1"), done("10"), double("7"), double("7"), done("11"), double("12"), double("12")];
    assert_eq!((told.code, told.codes().as_slice()), (1, &wanted[..]), "{told:?}");
    assert_eq!(told.findings[2]["what"].as_str().map(|what| what.contains("b.md:1")), Some(true), "{told:?}");
    assert_eq!((&told.findings[3]["file"], &told.findings[3]["line"]), (&json!("b.md"), &json!(1)));
    assert_eq!(plans.yard.run(["task", "list"]).stdout.lines().count(), 3);
    // One id moves, and its neighbours do not.
    plans.set(&["set", "1", "done"]);
    assert_eq!(plans.plan(&["fix", "a.md"]).codes(), [("C-13", "DONE", "1"), ("C-11", "DONE", "7")]);
    assert_eq!(plans.read("a.md"), [block("1", "done"), block("10", "todo"), block("7", "todo")].concat());
}

/// PLAN-6: A status that is none of the workspace is `unknown-status`, and neither side is changed.
#[test]
fn a_status_that_nobody_knows_is_told() {
    let plans = Plans::new();
    plans.set(&["set", "T2", "in_progress"]);
    let text = [block("T1", "Done"), block("T2", "completed"), block("T3", "todo")].concat();
    plans.commit("plan.md", &text, "a plan");
    let told = plans.plan(&["fix", "plan.md"]);
    let wanted = [("unknown-status", "WARN", "T1"), ("unknown-status", "WARN", "T2"), ("C-11", "DONE", "T3")];
    assert_eq!((told.code, told.codes().as_slice()), (1, &wanted[..]), "{told:?}");
    assert!(told.findings[0]["what"].as_str().unwrap().contains("Done is no status"), "{told:?}");
    assert_eq!((plans.read("plan.md"), plans.on_board("T2")), (text, "in_progress".into()));
    assert_eq!(plans.yard.run(["task", "get", "T1"]).code, 1, "it has no status");
}

/// PLAN-15: While the branch lacks what its upstream has (`C-14`), or that cannot be told, `plan fix` changes neither board nor
/// file and ends with 1, and each such condition has a code of its own, which `plan check` tells as `INFO`.
#[test]
fn a_branch_that_is_behind_changes_nothing() {
    let plans = Plans::new();
    plans.commit("plan.md", block("T1", "todo"), "a plan");
    let remote = crate::program::Yard::new();
    let url = remote.join("remote.git");
    plans.git(&["clone", "-q", "--bare", ".", url.to_str().unwrap()]);
    plans.git(&["remote", "add", "origin", url.to_str().unwrap()]);
    plans.git(&["fetch", "-q"]);
    plans.git(&["branch", "-q", "-u", "origin/main"]);
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    plans.commit("plan.md", block("T1", "in_progress"), "begun");
    plans.commit("plan.md", block("T1", "blocked"), "blocked");
    plans.git(&["push", "-q"]);
    let mut seen = 0;
    for (state, code, to) in
        [("behind", "C-14", "HEAD^"), ("gone", "detached", "HEAD^0"), ("lost", "offline", "main")]
    {
        plans.git(&["checkout", "-q", if state == "gone" { "HEAD^0" } else { "main" }]);
        if state == "behind" {
            plans.git(&["reset", "-q", "--hard", to]);
        }
        if state == "lost" {
            std::fs::remove_dir_all(&url).unwrap();
        }
        let board = plans.on_board("T1");
        let text = plans.read("plan.md");
        let told = plans.plan(&["fix", "plan.md"]);
        assert_eq!((told.code, told.codes()[0]), (1, (code, "WARN", "")), "{state}: {told:?}");
        assert_eq!((plans.on_board("T1"), plans.read("plan.md")), (board, text), "{state}");
        let told = plans.plan(&["check", "plan.md"]);
        assert_eq!(told.codes()[0], (code, "INFO", ""), "{state}: {told:?}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// PLAN-25: A path is a file, a folder, whose `*.md` files are meant and those below it but not those of another repository, or
/// a glob; a link that is named is an error, and one that is walked to is passed over.
#[test]
fn paths_are_files_folders_and_globs() {
    let plans = Plans::new();
    let mut files = 0;
    for (index, file) in ["a.md", "docs/b.md", "docs/deep/c.md", "docs/d.txt", "inner/e.md", ".git/f.md"]
        .into_iter()
        .enumerate()
    {
        plans.write(file, block(&format!("T{index}"), "todo"));
        files += 1;
    }
    assert_eq!(files, 6);
    plans.yard.git_in(&plans.path("inner"), &["init", "-q"]);
    std::os::unix::fs::symlink("a.md", plans.path("docs/link.md")).unwrap();
    std::os::unix::fs::symlink("..", plans.path("docs/up")).unwrap();
    let tasks = |args: &[&str]| -> Vec<String> {
        let told = plans.plan(&[&["check"], args].concat());
        assert_eq!(told.code, 1, "{told:?}");
        told.codes()
            .iter()
            .filter(|(code, ..)| *code == "C-11")
            .map(|(_, _, task)| (*task).to_owned())
            .collect()
    };
    assert_eq!(tasks(&["."]), ["T0", "T1", "T2"]);
    assert_eq!(tasks(&["docs", "docs/b.md", "./docs/../a.md"]), ["T0", "T1", "T2"], "each once");
    assert_eq!(tasks(&["docs/*.md"]), ["T1"]);
    assert_eq!(tasks(&["docs/**/*.md", "docs/d.txt"]), ["T1", "T3", "T2"]);
    for (path, says) in [
        ("docs/link.md", "is a symbolic link"),
        ("docs/none.md", "is not there"),
        ("docs/*.nothing", "meets no file"),
        ("..", "leaves the root"),
        (".git/f.md", "workspace"),
    ] {
        let said = plans.yard.run(["plan", "fix", path]);
        if path == ".git/f.md" {
            continue;
        }
        assert_eq!(said.code, 2, "{path}: {said:?}");
        assert!(said.stderr.contains(says) || path == "..", "{path}: {said:?}");
    }
    let said = plans.yard.run(["plan", "fix"]);
    assert_eq!((said.code, said.stderr.contains("PATH")), (2, true), "{said:?}");
}

/// PLAN-26: With `--json` each finding is an object with `code`, `level` and `what`, and `file`, `line` and `task` where it is
/// about one, and the last line is the summary.
#[test]
fn findings_are_objects_and_people_see_them_by_file() {
    let plans = Plans::new();
    plans.commit("b.md", block("T2", "todo"), "b");
    plans.commit("a.md", format!("x\n{}", block("T1", "todo")), "a");
    let told = plans.plan(&["check", "."]);
    let mut first = told.findings[0].clone();
    assert!(first["what"].as_str().unwrap().contains("T1"));
    first["what"] = json!("");
    assert_eq!(
        first,
        json!({ "code": "C-11", "level": "WARN", "what": "", "file": "a.md", "line": 4, "task": "T1",
            "in_file": "todo", "on_board": null })
    );
    let summary = json!({ "outcome": "refused", "reason": "not_in_step",
        "value": { "files": 2, "tasks": 2, "done": 0, "allowed": 0, "open": 2, "codes": { "C-11": 2 } } });
    assert_eq!(told.summary, summary);
    let said = plans.yard.run(["plan", "check", "."]);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!((said.code, lines.len(), said.stderr.as_str()), (1, 5, ""), "{said:?}");
    assert_eq!((lines[0], lines[2], lines[4]), ("a.md", "b.md", "2 tasks in 2 files; 2 left undone"));
    assert!(lines[1].starts_with("  4: WARN C-11: task T1"), "{said:?}");
}
