use fencehold::ledger::TaskVerdict;
use fencehold_model::Event;
use fencehold_model::status::{Command, How, StatusEvent};

use super::kit::{Board, command, task, told};
use crate::spec_kit::asking;

/// What a party, which is a process of its own, is told.
#[track_caller]
fn says(board: &Board, who: &str, text: &str) -> String {
    let answer = board.lab.party().task(&asking(who), &command(text)).unwrap();
    match answer.verdict {
        TaskVerdict::Stands { value, already, .. } => {
            format!("{}{}", if already { "already " } else { "" }, told(&value))
        }
        TaskVerdict::Refused(refusal) => refusal.word().to_owned(),
    }
}

/// A day of one task, by a planner, two agents and a person.
///
/// STATUS-14: A set that names an epoch before the task's is refused as `stale_epoch`, so a late step never undoes a
/// reopen.
#[test]
fn a_task_goes_through_its_day() {
    let board = Board::new();
    let told = |who: &str, text: &str, owed: &str| assert_eq!(says(&board, who, text), owed, "{who}: {text}");
    told("planner", "set login todo", "0.0 todo");
    told("agent-1", "set login in_progress from=todo", "0.0 in_progress");
    // A second agent sets off from the same plan: it is so already.
    told("agent-2", "set login in_progress from=todo", "already 0.0 in_progress");
    let question = r#"{"question":"which-provider?"}"#;
    told(
        "agent-1",
        &format!("set login blocked from=in_progress detail={question}"),
        &format!("0.1 blocked{question}"),
    );
    // The second agent has not seen that, and neither its step nor its question overwrites the first one's.
    told("agent-2", "set login in_progress from=in_progress", "conflict");
    told("agent-2", r#"set login blocked detail={"question":"mine"}"#, "conflict");
    told(
        "person",
        r#"set login in_progress from=blocked detail={"answer":"ours"}"#,
        r#"0.2 in_progress{"answer":"ours"}"#,
    );
    // A script that knows nothing of the day says blocked: both stand, for everybody to see, until somebody chooses.
    let both = r#"0.2 blocked+in_progress{"answer":"ours"}"#;
    told("script", "set login blocked", both);
    told("agent-1", "set login blocked from=in_progress", &format!("already {both}"));
    told("person", "set login in_progress resolve", r#"0.3 in_progress{"answer":"ours"}"#);
    told("agent-1", r#"set login done detail={"pr":12}"#, r#"0.0 done{"pr":12}"#);
    // A late writer does not turn done back.
    told("agent-2", "set login in_progress", "regression");
    told("script", "set login cancelled", "regression");
    told("person", "reopen login todo", "needs_reason");
    let again = says(&board, "person", "reopen login todo the callback is wrong");
    let epoch = again.strip_suffix(".0 todo").unwrap().to_owned();
    told("agent-2", "set login done", "stale_epoch");
    told("agent-1", &format!("set login in_progress epoch={epoch}"), &format!("{epoch}.0 in_progress"));
    told("agent-1", &format!("set login done epoch={epoch}"), &format!("{epoch}.0 done"));
    history(&board);
}

/// The history tells the day: what, how and by whom.
fn history(board: &Board) {
    let mut days = Vec::new();
    for entry in board.lab.events() {
        let Event::Status(event) = &entry.event else { continue };
        let how = match event {
            StatusEvent::Set { how: How::Set, .. } => "set",
            StatusEvent::Set { how: How::Resolved, .. } => "resolved",
            StatusEvent::Set { how: How::Merged, .. } => "merged",
            StatusEvent::Reopened { .. } => "reopened",
        };
        days.push(format!("{} {how}", entry.actor));
    }
    let owed = [
        "planner set",
        "agent-1 set",
        "agent-1 set",
        "person set",
        "script set",
        "person resolved",
        "agent-1 set",
        "person reopened",
        "agent-1 set",
        "agent-1 set",
    ];
    assert_eq!(days, owed);
}

#[test]
fn the_actor_and_the_instant_stand_in_the_cell() {
    let board = Board::new();
    board.lab.machine.pass(50);
    let set: Command = command("set t todo");
    let answer = board.party.task(&asking("ann"), &set).unwrap();
    board.lab.machine.pass(50);
    // What changes nothing leaves who did it.
    board.party.task(&asking("bob"), &set).unwrap();
    let cell = board.party.show_task(&task("t")).unwrap().value.unwrap().cell;
    assert_eq!((cell.actor.as_str(), cell.revision, cell.at_ms), ("ann", answer.revision, answer.at_ms));
}
