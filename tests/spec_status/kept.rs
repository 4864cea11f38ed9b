use fencehold_model::policy::IdForm;
use fencehold_model::record::write_entry;
use fencehold_model::status::{How, StatusEvent};
use fencehold_model::{Entry, Event, Holder, OpId, Policy, chain};

use super::kit::{Board, policy, status, task, value};
use crate::spec_kit::{asking, is_damage, vandal};

/// STATUS-37: A read of a status changes no byte on disk, and a task without one reads as such.
#[test]
fn a_read_never_writes() {
    let board = Board::with(&["set t todo", "set t blocked", "set t in_progress"]);
    // A boot that no event has opened yet: a read has nothing to record of it.
    board.lab.machine.reboot("boot-2");
    let before = board.lab.snapshot();
    for _ in 0..3 {
        let party = board.lab.party();
        assert_eq!(board.stands("t"), "0.0 blocked+in_progress");
        assert_eq!(party.show_task(&task("new")).unwrap().value, None);
        assert_eq!(party.tasks().unwrap().value.len(), 1);
        assert_eq!(party.policy().unwrap().value, Policy::default());
    }
    assert_eq!(board.lab.snapshot(), before);
}

/// STATUS-38: A task's value is never forgotten: it survives every rotation as it is.
#[test]
fn a_status_is_never_forgotten() {
    let board = Board::with(&[r#"merge a 7.3 blocked{"q":"why?"}+in_progress"#, "set b done", "set c todo"]);
    let before = board.party.tasks().unwrap().value;
    for _ in 0..3 {
        vandal::rotate(&board.lab);
        board.lab.machine.pass(400 * 24 * 3_600_000);
    }
    assert_eq!(board.lab.party().tasks().unwrap().value, before);
    assert_eq!((before.len(), board.lab.n()), (3, 4));
}

/// Appends a line that is whole, linked and sealed, and says what no decision ever said.
fn forge(board: &Board, event: Event) {
    let last = board.lab.lines().pop().unwrap();
    let prev = chain::verify(&last).unwrap();
    let json: serde_json::Value = serde_json::from_str(&last).unwrap();
    let (revision, at_ms) = (json["rev"].as_u64().unwrap() + 1, json["t"].as_u64().unwrap());
    let entry = Entry {
        revision,
        at_ms,
        actor: Holder::new("stranger").unwrap(),
        op: OpId::new("forged").unwrap(),
        event,
    };
    board.lab.append(write_entry(&entry, revision - 1, prev).0);
}

/// STATUS-39: A line of the journal that gives a task a status outside of the vocabulary, statuses of different ranks,
/// or an id that is not canonical, is a break.
#[test]
fn what_no_decision_recorded_is_no_line() {
    let set = |id: &str, text: &str| {
        Event::Status(StatusEvent::Set { task: task(id), how: How::Set, value: value(text), forced: None })
    };
    let reopened = |id: &str, to: &str, over| {
        Event::Status(StatusEvent::Reopened {
            task: task(id),
            to: status(to),
            over,
            reason: "why".into(),
            forced: None,
        })
    };
    let applied = |text: &str| Event::PolicyApplied { policy: policy(text, IdForm::Numbers) };
    let wrong = [
        (set("7", "0.0 shipped"), "status shipped is unknown"),
        (set("7", "0.0 todo+done"), "different ranks"),
        (set("07", "0.0 todo"), "its id is written 7"),
        (reopened("5", "shipped", 0), "status shipped is unknown"),
        (reopened("05", "todo", 0), "its id is written 5"),
        (reopened("5", "todo", 3), "reopened over epoch 3"),
        (reopened("7", "todo", 0), "reopened over epoch 0"),
        (applied("shipped 0"), "a policy that cannot be applied: 1 task would have no meaning"),
    ];
    for (event, why) in &wrong {
        let board = Board::new();
        let numbers = Policy { task_ids: IdForm::Numbers, ..Policy::default() };
        board.party.apply_policy(&asking("a"), &numbers).unwrap();
        board.all(&["set 5 todo"]);
        forge(&board, event.clone());
        let before = board.lab.snapshot();
        let party = board.lab.party();
        let error = party.show_task(&task("5"));
        assert!(is_damage(&error), "{event:?}: {error:?}");
        let error = error.unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("line "), "{event:?}: {error}");
        assert!(is_damage(&party.task(&asking("a"), &super::kit::command("set 5 done"))));
        assert_eq!(board.lab.snapshot(), before);
    }
    // The same lines of what can be are read.
    let board = Board::with(&["set 5 todo"]);
    for event in [set("7", "3.1 done"), reopened("7", "todo", 3), applied("todo 3, x 4")] {
        forge(&board, event);
    }
    assert_eq!(board.stands("05"), "0.0 todo");
    assert!(board.stands("7").ends_with(".0 todo"));
}
