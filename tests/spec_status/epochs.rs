use fencehold_model::Event;
use fencehold_model::status::StatusEvent;

use super::kit::{Board, command, task, told};
use crate::spec_kit::asking;

/// The epoch that a task stands in.
fn epoch(board: &Board, id: &str) -> u64 {
    board.party.show_task(&task(id)).unwrap().value.unwrap().cell.value.epoch
}

/// STATUS-14: A set that names an epoch before the task's is refused as `stale_epoch`, so a late step never undoes a
/// reopen.
#[test]
fn a_late_done_after_a_reopen_is_refused() {
    let board = Board::with(&["set t todo", "set t in_progress"]);
    // One agent is at work when another closes the task and a person reopens it.
    board.all(&["set t done", "reopen t todo tests-fail"]);
    let again = epoch(&board, "t");
    let stands = format!("{again}.0 todo");
    for late in [
        "set t done",
        "set t done epoch=0",
        "set t in_progress from=todo",
        "set t todo",
        "set t blocked resolve",
    ] {
        assert_eq!(board.does(late), format!("stale_epoch {stands}"), "{late}");
    }
    board.all(&["reopen t blocked waits"]);
    let third = epoch(&board, "t");
    assert_eq!(board.does(&format!("set t done epoch={again}")), format!("stale_epoch {third}.0 blocked"));
    assert_eq!(board.does(&format!("set t done epoch={third}")), format!("ok {third}.0 done"));
}

/// STATUS-28: A reopen with a blank reason is refused as `needs_reason`, and one of a task without a status as
/// `not_found`.
#[test]
fn a_reopen_needs_a_reason_and_a_status() {
    let cases = [
        ("reopen t todo", "needs_reason"),
        ("reopen t todo  \t", "needs_reason"),
        ("reopen new todo", "needs_reason"),
        ("reopen new todo why", "not_found"),
    ];
    Board::table(&["set t done"], &cases);
}

/// STATUS-29: A reopen that nothing below refuses leads from any status to any status of the vocabulary, alone, at turn 0
/// and without a detail, in a new epoch, and the history keeps its reason.
#[test]
fn a_reopen_leads_anywhere_and_is_recorded() {
    let froms = ["0.0 todo", r#"0.4 blocked{"q":1}+in_progress"#, "0.0 done", "7.3 cancelled+done"];
    let mut seen = 0;
    for (from, to) in froms.iter().flat_map(|from| ["todo", "blocked", "done"].map(|to| (from, to))) {
        let board = Board::with(&[&format!("merge t {from}")]);
        let answer =
            board.party.task(&asking("ann"), &command(&format!("reopen t {to} it broke again"))).unwrap();
        assert_eq!(board.stands("t"), format!("{}.0 {to}", answer.revision), "{from} to {to}");
        let entry = board.lab.events().pop().unwrap();
        let Event::Status(StatusEvent::Reopened { reason, over, .. }) = &entry.event else {
            panic!("{entry:?}")
        };
        assert_eq!((reason.as_str(), entry.actor.as_str()), ("it broke again", "ann"));
        assert_eq!(*over, super::kit::value(from).epoch);
        seen += 1;
    }
    assert_eq!(seen, 12);
}

/// STATUS-40: A reopen that names an epoch before the task's is refused as `stale_epoch`, one that names an epoch after it
/// fails definitely, and one that names none looks at none.
///
/// STATUS-41: A reopen whose `from` names anything but the one status that stands is refused as `conflict`.
#[test]
fn a_reopen_that_says_what_it_saw_undoes_nothing_else() {
    let board = Board::with(&["set t done"]);
    // Two see it done in epoch 0, and both begin it anew: the second is told.
    board.all(&["reopen t in_progress epoch=0 from=done tests-fail"]);
    let again = epoch(&board, "t");
    let stands = format!("{again}.0 in_progress");
    for late in ["reopen t todo epoch=0 why", "reopen t todo epoch=0 from=done why"] {
        assert_eq!(board.does(late), format!("stale_epoch {stands}"), "{late}");
    }
    for other in ["from=done", "from=todo", &format!("epoch={again} from=done")] {
        let late = format!("reopen t todo {other} why");
        assert_eq!(board.does(&late), format!("conflict {stands}"), "{late}");
    }
    let ahead = board.does(&format!("reopen t todo epoch={} why", again + 1));
    assert!(ahead.contains("is unknown"), "{ahead}");
    assert!(board.does("reopen t todo from=lost why").contains("lost"), "no such status");
    board.all(&[&format!("reopen t todo epoch={again} from=in_progress why")]);
    assert_ne!(epoch(&board, "t"), again);
    // Of two that stand none is the one.
    board.all(&["merge s 0.0 blocked+in_progress"]);
    assert_eq!(board.does("reopen s todo from=blocked why"), "conflict 0.0 blocked+in_progress");
    board.all(&["reopen s todo why"]);
}

/// STATUS-30: The epoch that a reopen begins is the revision of its event, or one more than the epoch that it ends where
/// a merged board brought that from further on.
#[test]
fn an_epoch_is_above_every_one_before() {
    let board = Board::with(&["set t todo"]);
    let answer = board.party.task(&asking("a"), &command("reopen t todo why")).unwrap();
    assert_eq!(epoch(&board, "t"), answer.revision);
    let second = board.party.task(&asking("a"), &command("reopen t todo why")).unwrap();
    assert_eq!(epoch(&board, "t"), second.revision);
    let ahead = second.revision + (1 << 40);
    board.all(&[&format!("merge t {ahead}.2 done"), "reopen t in_progress why"]);
    assert_eq!(board.stands("t"), format!("{}.0 in_progress", ahead + 1));
    // It is the same for whoever reads the journal anew.
    let seen = board.lab.party().show_task(&task("t")).unwrap().value.unwrap();
    assert_eq!(told(&seen.cell.value), format!("{}.0 in_progress", ahead + 1));
}
