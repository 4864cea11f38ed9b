//! The steps of a plan: who follows whom.

use super::kit::{Plans, block};

/// PLAN-13: `plan check` writes nothing and ends with 0 where every task block of the files is in step and can be read, and
/// with 1 where one is not.
///
/// PLAN-14: `plan fix` ends with 0 where all is in step when it ends, or where only what `--no-writeback` leaves is not, which
/// it names, and with 1 where anything else is left undone.
///
/// PLAN-18: A `plan fix` that follows another, with nothing moved between, changes no byte of any file and makes no commit.
///
/// PLAN-23: A reopen that follows a file has the commit that last changed the file as its reason.
#[test]
fn the_side_that_moved_is_followed_and_a_second_run_changes_nothing() {
    let plans = Plans::new();
    plans.commit(
        "docs/plan.md",
        format!("{}\n{}", block("T1", "todo"), block("T10", "in_progress")),
        "a plan",
    );
    let told = plans.plan(&["check", "docs"]);
    assert_eq!(
        (told.code, told.codes()),
        (1, vec![("C-11", "WARN", "T1"), ("C-11", "WARN", "T10")]),
        "{told:?}"
    );
    let told = plans.plan(&["fix", "docs"]);
    assert_eq!(
        (told.code, told.codes()),
        (0, vec![("C-11", "DONE", "T1"), ("C-11", "DONE", "T10")]),
        "{told:?}"
    );
    assert_eq!((plans.on_board("T1"), plans.on_board("T10")), ("todo".into(), "in_progress".into()));

    plans.set(&["set", "T1", "done"]);
    let told = plans.plan(&["check", "docs"]);
    assert_eq!((told.code, told.codes()), (1, vec![("C-13", "WARN", "T1")]), "{told:?}");
    let told = plans.plan(&["fix", "docs", "--no-writeback"]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-13", "WARN", "T1")]), "{told:?}");
    let told = plans.plan(&["fix", "docs"]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-13", "DONE", "T1")]), "{told:?}");
    assert_eq!(
        plans.read("docs/plan.md"),
        format!("{}\n{}", block("T1", "done"), block("T10", "in_progress"))
    );
    assert_eq!(plans.git(&["status", "--porcelain"]), "");

    assert_eq!((&told.summary["value"]["tasks"], told.stderr.as_str()), (&2.into(), ""), "{told:?}");

    let before = plans.yard.snapshot();
    let told = plans.plan(&["fix", "docs"]);
    assert_eq!((told.code, told.codes()), (0, vec![]), "{told:?}");
    assert_eq!(plans.git(&["log", "--format=%s"]).lines().count(), 2);
    let kept = |snapshot: Vec<(std::path::PathBuf, u32, Vec<u8>)>| -> Vec<_> {
        snapshot.into_iter().filter(|(path, ..)| !path.ends_with(".git/index")).collect()
    };
    assert_eq!(kept(plans.yard.snapshot()), kept(before), "a second run changes no byte");

    plans.commit(
        "docs/plan.md",
        format!("{}\n{}", block("T1", "todo"), block("T10", "in_progress")),
        "it broke again",
    );
    let told = plans.plan(&["fix", "docs"]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-11", "DONE", "T1")]), "{told:?}");
    assert_eq!(plans.on_board("T1"), "todo");
    let shown = plans.yard.run(["task", "show", "T1"]).stdout;
    assert!(
        shown.contains("reopened to todo: docs/plan.md says todo since commit")
            && shown.contains("it broke again"),
        "{shown}"
    );
}

/// PLAN-16: Of a file with uncommitted changes nothing is taken over and nothing is written, and it is told as `dirty`.
#[test]
fn what_is_not_committed_is_not_taken_over_and_not_written_over() {
    let plans = Plans::new();
    plans.commit("plan.md", format!("{}{}", block("T1", "todo"), block("T2", "todo")), "a plan");
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    plans.set(&["set", "T2", "done"]);
    let edited = format!("{}{}", block("T1", "in_progress"), block("T2", "todo"));
    plans.write("plan.md", &edited);
    let (commits, board) =
        (plans.git(&["rev-list", "--count", "HEAD"]), plans.yard.run(["task", "get", "T1"]).stdout);
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!(
        (told.code, told.codes()),
        (1, vec![("dirty", "WARN", "T1"), ("dirty", "WARN", "T2")]),
        "{told:?}"
    );
    assert_eq!(plans.read("plan.md"), edited);
    assert_eq!(
        (plans.git(&["rev-list", "--count", "HEAD"]), plans.yard.run(["task", "get", "T1"]).stdout),
        (commits, board)
    );
    plans.commit("plan.md", &edited, "T1 is begun");
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!(
        (told.code, told.codes()),
        (0, vec![("C-11", "DONE", "T1"), ("C-13", "DONE", "T2")]),
        "{told:?}"
    );
    assert_eq!(
        (plans.on_board("T1"), plans.read("plan.md").matches("status: done").count()),
        ("in_progress".into(), 1)
    );
}

/// PLAN-17: A writeback is one commit that holds the one file, and where git refuses it the file is put back.
#[test]
fn a_writeback_is_a_commit_of_one_file_or_nothing() {
    let plans = Plans::new();
    plans.commit("plan.md", block("T1", "todo"), "a plan");
    plans.commit("other", "x", "another file");
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    plans.set(&["set", "T1", "done"]);
    plans.write("other", "staged");
    plans.git(&["add", "other"]);
    let hook = plans.path(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!((told.code, told.codes()), (1, vec![("not-committed", "WARN", "T1")]), "{told:?}");
    assert_eq!(plans.read("plan.md"), block("T1", "todo"));
    assert_eq!(plans.git(&["status", "--porcelain"]), "M  other");
    std::fs::remove_file(&hook).unwrap();
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-13", "DONE", "T1")]), "{told:?}");
    assert_eq!(plans.git(&["show", "--format=", "--name-only", "HEAD"]), "plan.md");
    assert_eq!(plans.git(&["status", "--porcelain"]), "M  other");
}

/// PLAN-19: The board is moved only from the very value that was judged; where it moved meanwhile the task is judged anew.
#[test]
fn a_board_that_moves_between_the_look_and_the_step_is_not_moved_back() {
    let plans = Plans::new();
    plans.commit("plan.md", block("T1", "todo"), "a plan");
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    plans.commit("plan.md", block("T1", "in_progress"), "begun");
    let told = plans.meanwhile(&["task", "set", "T1", "done"], &["fix", "plan.md"]);
    assert_eq!((told.code, told.codes()), (1, vec![("conflict", "WARN", "T1")]), "{told:?}");
    assert_eq!((plans.on_board("T1"), plans.read("plan.md")), ("done".into(), block("T1", "in_progress")));
}

/// PLAN-22: What was agreed on belongs to the commit that was checked out, and where that is not in the history of what is
/// checked out now, nothing is done that rests on it alone.
#[test]
fn an_older_branch_reopens_nothing() {
    let plans = Plans::new();
    plans.commit("plan.md", format!("{}{}", block("T1", "todo"), block("T2", "todo")), "a plan");
    plans.git(&["branch", "old"]);
    plans.set(&["set", "T1", "done"]);
    plans.commit("plan.md", format!("{}{}", block("T1", "done"), block("T2", "in_progress")), "done");
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    plans.git(&["checkout", "-q", "old"]);
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!(
        (told.code, told.codes()),
        (1, vec![("conflict", "WARN", "T1"), ("conflict", "WARN", "T2")]),
        "{told:?}"
    );
    assert_eq!((plans.on_board("T1"), plans.on_board("T2")), ("done".into(), "in_progress".into()));
    // A branch from there on: a person takes it up again.
    plans.git(&["checkout", "-q", "-b", "new", "main"]);
    plans.commit("plan.md", format!("{}{}", block("T1", "todo"), block("T2", "in_progress")), "again");
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-11", "DONE", "T1")]), "{told:?}");
    assert_eq!(plans.on_board("T1"), "todo");
}
