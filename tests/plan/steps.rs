//! The steps of a plan: who follows whom.

use super::kit::{Plans, block};

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
