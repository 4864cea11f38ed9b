//! Boards that are exchanged through a file.

use super::kit::{Plans, block};
use crate::program::Yard;

/// PLAN-24: With `--board FILE` the board in the file is joined before anything is judged, in memory alone by `plan check`, and
/// written by `plan fix` at the end, unless it says the same already; a board that cannot be read whole is an error, and
/// nothing is done.
#[test]
fn two_clones_exchange_a_board_through_a_file() {
    let (one, shared) = (Plans::new(), Yard::new());
    let board = shared.join("board.ndjson");
    let board_arg = board.to_str().unwrap();
    one.commit("plan.md", [block("T1", "todo"), block("T2", "todo")].concat(), "a plan");
    let two = Plans::new();
    two.commit("plan.md", [block("T1", "todo"), block("T2", "todo")].concat(), "a plan");
    let told = one.plan(&["check", "plan.md", "--board", board_arg]);
    assert_eq!((told.code, told.codes()[0]), (1, ("no-board", "INFO", "")), "{told:?}");
    assert_eq!((one.plan(&["fix", "plan.md", "--board", board_arg]).code, board.exists()), (0, true));
    one.set(&["set", "T1", "done"]);
    assert_eq!(one.plan(&["fix", "plan.md", "--board", board_arg]).codes(), [("C-13", "DONE", "T1")]);

    let before = (two.yard.snapshot(), shared.snapshot());
    let told = two.plan(&["check", "plan.md", "--board", board_arg]);
    assert_eq!((told.code, told.codes()), (1, vec![("C-13", "WARN", "T1")]), "{told:?}");
    assert_eq!((two.yard.snapshot(), shared.snapshot()), before, "a check joins in memory alone");
    assert_eq!(two.plan(&["fix", "plan.md", "--board", board_arg]).codes(), [("C-13", "DONE", "T1")]);
    assert_eq!(two.on_board("T1"), "done");
    let before = shared.snapshot();
    for plans in [&one, &two, &one] {
        let told = plans.plan(&["fix", "plan.md", "--board", board_arg]);
        assert_eq!((told.code, told.codes()), (0, vec![]), "{told:?}");
    }
    assert_eq!(shared.snapshot(), before, "whose board it is changes nothing");

    let whole = std::fs::read_to_string(&board).unwrap();
    two.set(&["set", "T2", "done"]);
    let mut seen = 0;
    for bad in ["", "{}\n", &whole[..whole.len() - 4], &whole.replace("done", "done2"), "# a plan\n"] {
        std::fs::write(&board, bad).unwrap();
        for command in ["check", "fix"] {
            let before = (two.yard.snapshot(), shared.snapshot());
            let said = two.yard.run(["plan", command, "plan.md", "--board", board_arg]);
            assert_eq!((said.code, said.stderr.contains("board.ndjson")), (2, true), "{bad:?}: {said:?}");
            assert_eq!((two.yard.snapshot(), shared.snapshot()), before, "{bad:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}
