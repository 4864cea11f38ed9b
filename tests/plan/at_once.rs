//! Two fixes of one worktree at once, and fixes that are killed as processes.

use std::process::Stdio;

use super::kit::{Plans, block};
use crate::program::Yard;

const ROUNDS: usize = 6;

#[test]
fn two_fixes_at_once_do_each_thing_once() {
    let plans = Plans::new();
    let text = |one: &str, two: &str| [block("T1", one), block("T2", two)].concat();
    plans.commit("plan.md", text("todo", "todo"), "a plan");
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    let mut commits = 1;
    for round in 0..ROUNDS {
        let to = ["in_progress", "blocked"][round % 2];
        let on = if round == 0 { "todo" } else { ["blocked", "in_progress"][round % 2] };
        plans.commit("plan.md", text(to, on), "T1 is moved in the file");
        plans.set(&["set", "T2", to, "--from", on]);
        let children: Vec<_> = (0..2)
            .map(|_| {
                let mut command = plans.yard.fencehold();
                command
                    .args(["plan", "fix", "plan.md"])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut child in children {
            let code = child.wait().unwrap().code();
            assert!(matches!(code, Some(0 | 1)), "{code:?}");
        }
        assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
        assert_eq!((plans.read("plan.md"), plans.on_board("T1")), (text(to, to), to.to_owned()));
        commits += 2;
        assert_eq!(
            plans.git(&["rev-list", "--count", "HEAD"]),
            commits.to_string(),
            "one commit for one fact"
        );
        assert_eq!(plans.git(&["status", "--porcelain"]), "");
        // One step for each round, and not two.
        let events = plans.yard.run(["history", "task/T1"]).stdout.lines().count();
        assert_eq!(events, round + 2);
    }
}

/// The process, not the machine in memory: killed just before and just after git was called.
#[test]
fn a_fix_that_is_killed_around_a_call_of_git_is_finished_by_the_next() {
    let mut seen = 0;
    for word in ["status", "commit", "rev-parse"] {
        for after in [false, true] {
            let plans = Plans::new();
            let text = |one: &str, two: &str| [block("T1", one), block("T2", two)].concat();
            plans.commit("plan.md", text("todo", "done"), "a plan");
            assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
            plans.set(&["set", "T1", "done"]);
            plans.commit("plan.md", text("todo", "todo"), "T2 is taken up again");
            let (tools, kill) = (Yard::new(), "kill -9 $PPID");
            let (before, behind) = if after { ("", kill) } else { ("kill -9 $PPID; exit 1", "") };
            let said = plans.with_git(&tools, word, before, behind, &["fix", "plan.md"]);
            assert_eq!(said.code, 128 + 9, "{word}: {said:?}");
            // What a killed git leaves behind is told, and is a person's to remove; here it was not killed.
            let told = (0..3).map(|_| plans.plan(&["fix", "plan.md"])).find(|told| told.code == 0);
            assert!(told.is_some(), "{word} after={after}: {:?}", plans.plan(&["fix", "plan.md"]));
            assert_eq!(
                (plans.read("plan.md"), plans.on_board("T2")),
                (text("done", "todo"), "todo".into()),
                "{word}"
            );
            assert_eq!(plans.git(&["rev-list", "--count", "HEAD"]), "3", "{word}: one commit for one fact");
            let reopens = plans.yard.run(["history", "task/T2"]).stdout.matches("reopened").count();
            assert_eq!((reopens, plans.git(&["status", "--porcelain"])), (1, String::new()), "{word}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}
