use fencehold_model::json::Tree;
use fencehold_model::policy::IdForm;
use fencehold_model::status::{Command, DETAIL_BYTES_MAX, DETAIL_DEPTH_MAX, Detail, Vocabulary};
use fencehold_model::{Event, NUMBER_BOUND, Policy, Status, TaskId};
use serde_json::{Value as Json, json};

use super::kit::{Board, policy, task, told, value, vocabulary};
use crate::spec_kit::{asking, vandal};

/// STATUS-1: Where no policy was applied, the vocabulary is `todo` at rank 0, `in_progress` and `blocked` at rank 1, and
/// `done` and `cancelled` at rank 2, of which the last two are terminal.
#[test]
fn the_default_vocabulary_has_five_statuses() {
    let owed = "todo 0, in_progress 1, blocked 1, done 2 t, cancelled 2 t";
    assert_eq!(Board::new().party.policy().unwrap().value.vocabulary, vocabulary(owed).unwrap());
    let states = ["todo", "in_progress", "blocked", "done", "cancelled"];
    for status in states {
        assert_eq!(Board::new().does(&format!("set t {status}")), format!("ok 0.0 {status}"));
    }
    assert!(Board::new().does("set t Done").contains("todo, blocked, in_progress, cancelled, done"));
}

/// STATUS-2: A vocabulary has 1 to 32 statuses, none of them twice, at ranks from 0 to 1,000,000, and anything else
/// fails definitely.
#[test]
fn a_vocabulary_has_its_bounds() {
    let many = |count: usize| (0..count).map(|index| format!("s{index} 0")).collect::<Vec<_>>().join(", ");
    let right = ["a 0".to_owned(), "a 1000000 t".to_owned(), "a 7, b 7".to_owned(), many(32)];
    for text in &right {
        let board = Board::new();
        let policy = policy(text, IdForm::Text);
        assert!(board.party.apply_policy(&asking("a"), &policy).unwrap().verdict, "{text}");
        assert_eq!(board.lab.party().policy().unwrap().value, policy);
    }
    let wrong = [
        (String::new(), "at least one"),
        (many(33), "the most is 32"),
        ("a 0, b 1, a 2".to_owned(), "a stands twice"),
        ("a 1000001".to_owned(), "the highest is 1000000"),
    ];
    for (text, why) in &wrong {
        assert!(vocabulary(text).unwrap_err().contains(why), "{text}");
    }
    // As they come from a file: a status that is none, a rank that is none.
    let rungs =
        [json!({"name": " ", "rank": 0}), json!({"name": "a", "rank": -1}), json!({"name": "a"}), json!(7)];
    for rung in &rungs {
        assert!(Vocabulary::read(&[Tree::of(rung)]).is_err(), "{rung}");
    }
    assert!(Vocabulary::read(&[Tree::of(&json!({"name": "a", "rank": 0, "terminal": "yes"}))]).is_err());
}

/// STATUS-3: A policy under which a status that stands would be unknown, or those of one task would have different
/// ranks, fails definitely, names up to five such tasks, and changes nothing.
#[test]
fn a_policy_never_takes_the_meaning_of_what_stands() {
    let board = Board::with(&["set t1 in_progress", "set t1 blocked", "set t2 todo", "set t3 todo"]);
    board.all(&["set t4 todo", "set t5 todo", "set t6 todo", "set t7 todo"]);
    let cases = [
        ("todo 0, in_progress 1", "1 task would have no meaning (t1: status blocked is unknown"),
        ("todo 0, in_progress 1, blocked 2", "t1: blocked and in_progress have different ranks"),
        ("in_progress 1, blocked 1", "6 tasks would have no meaning (t2: status todo is unknown"),
        ("in_progress 1, blocked 1", ": t2, t3, t4, t5, t6, …"),
    ];
    let before = board.lab.snapshot();
    for (text, why) in cases {
        let error =
            board.party.apply_policy(&asking("a"), &policy(text, IdForm::Text)).unwrap_err().to_string();
        assert!(error.contains(why) && error.ends_with("nothing was changed"), "{text}: {error}");
        assert_eq!(board.lab.snapshot(), before);
    }
    // What stands may get other ranks and neighbours.
    let moved = policy("blocked 0, in_progress 0, todo 5, late 5 t", IdForm::Text);
    assert!(board.party.apply_policy(&asking("a"), &moved).unwrap().verdict);
    assert_eq!(board.does("set t1 todo"), "ok 0.0 todo");
}

/// STATUS-4: A policy under which two ids that stand would become one fails definitely and changes nothing.
#[test]
fn two_tasks_never_become_one() {
    let board = Board::with(&["set 5 done", "set 05 todo", "set 6 todo"]);
    let before = board.lab.snapshot();
    let numbers = Policy { task_ids: IdForm::Numbers, ..Policy::default() };
    let error = board.party.apply_policy(&asking("a"), &numbers).unwrap_err().to_string();
    assert!(error.contains("two tasks would become one"), "{error}");
    assert_eq!(board.lab.snapshot(), before);
    assert_eq!((board.stands("5").as_str(), board.stands("05").as_str()), ("0.0 done", "0.0 todo"));
}

/// STATUS-5: A policy that was applied is obeyed by every process from that event on, through rotations and reboots.
#[test]
fn every_process_obeys_the_policy() {
    let board = Board::new();
    let other = board.lab.party();
    assert!(other.tasks().unwrap().value.is_empty(), "it has read the journal as it was before");
    let open = policy("open 0, shut 1 t", IdForm::Text);
    assert!(board.party.apply_policy(&asking("a"), &open).unwrap().verdict);
    assert!(!other.apply_policy(&asking("b"), &open).unwrap().verdict, "it is applied already");
    let mut seen = 0;
    for round in ["at once", "after a rotation", "after a reboot"] {
        match round {
            "after a rotation" => vandal::rotate(&board.lab),
            "after a reboot" => board.lab.machine.reboot("boot-2"),
            _ => {}
        }
        let set = |to: &str| super::kit::command(&format!("set {} {to}", round.replace(' ', "-")));
        for party in [&other, &board.lab.party()] {
            let error = party.task(&asking("b"), &set("todo")).unwrap_err().to_string();
            assert!(error.contains("this workspace has open, shut"), "{round}: {error}");
        }
        other.task(&asking("b"), &set("open")).unwrap();
        seen += 1;
    }
    assert_eq!((seen, board.lab.party().tasks().unwrap().value.len()), (3, 3));
}

/// STATUS-6: Where the policy says that task ids are numbers, leading zeros of an id that is digits, or digits between
/// dots, mean nothing, and any other id, and every id elsewhere, is taken as it stands.
///
/// STATUS-7: All spellings of an id read and move one task, and events and reads name it by its canonical id.
#[test]
fn an_id_has_one_canonical_form() {
    let board = Board::new();
    board
        .party
        .apply_policy(&asking("a"), &Policy { task_ids: IdForm::Numbers, ..Policy::default() })
        .unwrap();
    let spellings =
        [("05", "5"), ("005.010", "5.10"), ("00", "0"), ("T01", "T01"), ("T1", "T1"), ("T10", "T10")];
    for (spelled, canonical) in spellings {
        assert_eq!(board.does(&format!("set {spelled} todo")), "ok 0.0 todo");
        assert_eq!(board.does(&format!("set {canonical} todo")), "already 0.0 todo");
        assert_eq!(board.does(&format!("set {canonical} blocked")), "ok 0.0 blocked");
        let seen = board.party.show_task(&task(spelled)).unwrap().value.unwrap();
        assert_eq!((seen.id.as_str(), told(&seen.cell.value).as_str()), (canonical, "0.0 blocked"));
    }
    assert_eq!(board.party.tasks().unwrap().value.len(), spellings.len(), "no two of them are one task");
    let events = board.lab.events();
    let tasks: Vec<&TaskId> = events.iter().filter_map(|entry| entry.event.task()).collect();
    assert_eq!(tasks.len(), 2 * spellings.len());
    assert!(tasks.iter().all(|id| spellings.iter().any(|(_, canonical)| id.as_str() == *canonical)));
    let text = Board::with(&["set 5 todo", "set 05 done"]);
    assert_eq!((text.stands("5").as_str(), text.stands("05").as_str()), ("0.0 todo", "0.0 done"));
}

/// STATUS-8: A task id and a status are 1 to 256 bytes of UTF-8 without control characters and without white space at
/// either end, and anything else fails definitely.
#[test]
fn task_ids_and_statuses_have_their_bounds() {
    let long = "x".repeat(256);
    for right in ["t", "ß/ 5", "\"\\", &long] {
        assert_eq!(TaskId::new(right).unwrap().as_str(), right);
        let rung =
            fencehold_model::status::Rung { status: Status::new(right).unwrap(), rank: 0, terminal: false };
        let board = Board::new();
        let policy = Policy { vocabulary: Vocabulary::new(vec![rung]).unwrap(), ..Policy::default() };
        board.party.apply_policy(&asking("a"), &policy).unwrap();
        let to = Status::new(right).unwrap();
        let set = Command::Set { task: task(right), to, from: None, epoch: 0, detail: None, resolve: false };
        assert_eq!(board.decides(&set), format!("ok 0.0 {right}"));
        vandal::rotate(&board.lab);
        assert_eq!(
            board.stands(right),
            format!("0.0 {right}"),
            "it reads back, from a line and from line one"
        );
    }
    for wrong in ["", " ", " t", "t\n", "a\u{7}b", &"x".repeat(257)] {
        assert!(TaskId::new(wrong).is_err() && Status::new(wrong).is_err(), "{wrong:?}");
    }
}

/// STATUS-9: A detail is a JSON object of at most 4,096 bytes, without white space and with its keys in order, whose
/// objects and arrays stand at most 32 deep in each other, and anything else fails definitely.
#[test]
fn a_detail_has_its_bounds() {
    let deep = |levels: usize| (1..levels).fold(json!({}), |inside, _| json!({ "a": inside }));
    let wide = |bytes: usize| json!({ "q": "x".repeat(bytes - 8) });
    for right in
        [json!({}), json!({"b": [1.5, null], "a": "\n\"ß"}), wide(DETAIL_BYTES_MAX), deep(DETAIL_DEPTH_MAX)]
    {
        let detail = Detail::new(&right).unwrap();
        let board = Board::new();
        let set = |detail: &Detail| Command::Set {
            task: task("t"),
            to: Status::new("todo").unwrap(),
            from: None,
            epoch: 0,
            detail: Some(detail.clone()),
            resolve: false,
        };
        assert_eq!(board.decides(&set(&detail)), format!("ok 0.0 todo{}", detail.as_str()));
        vandal::rotate(&board.lab);
        let stands = board.lab.party().show_task(&task("t")).unwrap().value.unwrap().cell.value;
        assert_eq!(stands.statuses.into_values().next(), Some(Some(detail)));
    }
    assert_eq!(
        Detail::new(&json!({"b": 1, "a": {"d": 2, "c": 3}})).unwrap().as_str(),
        r#"{"a":{"c":3,"d":2},"b":1}"#
    );
    let arrays = (0..DETAIL_DEPTH_MAX).fold(json!(0), |inside, _| json!([inside]));
    for (wrong, why) in [
        (Json::Null, "object"),
        (json!([]), "object"),
        (json!("{}"), "object"),
        (wide(DETAIL_BYTES_MAX + 1), "4097 bytes"),
        (deep(DETAIL_DEPTH_MAX + 1), "in each other"),
        (json!({ "a": arrays }), "in each other"),
    ] {
        assert!(Detail::new(&wrong).unwrap_err().to_string().contains(why), "{why}");
    }
}

/// STATUS-10: A set, reopen or merge that names a status outside of the vocabulary fails definitely, and the error names
/// those that there are.
#[test]
fn an_unknown_status_is_no_command() {
    let named = "status completed is unknown; this workspace has todo, blocked, in_progress, cancelled, done";
    let cases = [
        "set t completed",
        "set t completed from=todo epoch=9",
        "set t done from=completed",
        "set new completed",
        "set new todo from=completed",
        "reopen t completed why",
        "reopen new completed",
        "merge t 0.0 completed",
        "merge new 0.0 completed",
        "merge t 9.0 blocked+completed",
    ];
    let board = Board::with(&["set t todo"]);
    for case in cases {
        let said = board.does(case);
        assert!(said.starts_with("fails: ") && said.contains(named), "{case}: {said}");
    }
}

/// STATUS-11: Epochs and turns stay below 2^53, and a command that needs a higher one fails definitely.
#[test]
fn the_last_epoch_and_the_last_turn_are_the_end() {
    let last = NUMBER_BOUND - 1;
    let board = Board::with(&[&format!("merge t 0.{last} blocked"), &format!("merge e {last}.{last} todo")]);
    for case in [
        "set t in_progress from=blocked".to_owned(),
        r#"set t blocked detail={"q":1}"#.to_owned(),
        "reopen e todo why".to_owned(),
        format!("merge new {NUMBER_BOUND}.0 todo"),
        format!("merge new 0.{NUMBER_BOUND} todo"),
        format!("merge t 0.{} done", u64::MAX),
    ] {
        let said = board.does(&case);
        assert!(said.starts_with("fails: "), "{case}: {said}");
    }
    // Elsewhere they go on; what is at the end reads back.
    assert_eq!(board.does(&format!("set e done epoch={last}")), format!("ok {last}.0 done"));
    assert_eq!(board.does("set t done"), "ok 0.0 done");
    vandal::rotate(&board.lab);
    assert_eq!(board.stands("e"), format!("{last}.0 done"));
    let reopened =
        board.lab.events().into_iter().filter(|entry| matches!(entry.event, Event::Status(_))).count();
    assert_eq!(reopened, 4);
    assert_eq!(value(&format!("{last}.0 done")).epoch, last);
}
