//! The decision of one task, over every value of base, file and board.

use std::collections::BTreeMap;

use fencehold::plan::{Base, Side, Step, Verdict, Why, decide, decide_any};
use fencehold_model::Status;
use fencehold_model::status::{Value, Vocabulary};

const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];

fn status(text: &str) -> Status {
    Status::new(text).unwrap()
}

fn bases() -> Vec<Option<Base>> {
    let mut all = vec![None];
    for text in STATUSES {
        for (epoch, turn) in [(0, 0), (0, 1), (7, 0), (7, 1)] {
            all.push(Some(Base { epoch, turn, status: status(text) }));
        }
    }
    all
}

fn boards() -> Vec<Option<Value>> {
    let one = |base: Option<Base>| base.map(|base| Value::of(base.epoch, base.turn, base.status, None));
    let mut all: Vec<Option<Value>> = bases().into_iter().map(one).collect();
    for (epoch, two) in [(0, ["in_progress", "blocked"]), (7, ["done", "cancelled"])] {
        let statuses = two.into_iter().map(|text| (status(text), None)).collect::<BTreeMap<_, _>>();
        all.push(Some(Value { epoch, turn: 0, statuses }));
    }
    all
}

fn rank(text: &str) -> u64 {
    match text {
        "todo" => 0,
        "in_progress" | "blocked" => 1,
        "done" | "cancelled" => 2,
        other => panic!("{other}"),
    }
}

/// The requirements once more, in other words.
fn wanted(base: Option<&Base>, file: &str, board: Option<&Value>) -> Verdict {
    if !STATUSES.contains(&file) {
        return Verdict::Unknown;
    }
    let Some(board) = board else { return Verdict::Forward(Step::First) };
    let names: Vec<&str> = board.statuses.keys().map(Status::as_str).collect();
    let [stands] = names.as_slice() else { return Verdict::Conflict(Why::Board) };
    if *stands == file {
        return Verdict::InStep;
    }
    let (up, tie) = (rank(file) > rank(stands), rank(file) == rank(stands));
    match base {
        None if tie => Verdict::Conflict(Why::Tie),
        None if up && board.epoch > 0 => Verdict::Conflict(Why::Reopened),
        None if up => Verdict::Forward(Step::Up),
        None => Verdict::Back,
        Some(base) => {
            let board_moved =
                (base.epoch, base.turn, base.status.as_str()) != (board.epoch, board.turn, *stands);
            match (base.status.as_str() != file, board_moved) {
                (true, true) => Verdict::Conflict(Why::BothMoved),
                (false, _) => Verdict::Back,
                (true, false) if rank(stands) == 2 || (!up && !tie) => Verdict::Forward(Step::Reopen),
                (true, false) if tie => Verdict::Forward(Step::Beside),
                (true, false) => Verdict::Forward(Step::Up),
            }
        }
    }
}

/// PLAN-7: Where file and board say the same one status, a task is in step, whatever is remembered.
///
/// PLAN-8: Where only the file moved since both last agreed, the board follows it by one step: its first status, a step up,
/// a step within the rank, and out of a final status or down a reopen.
///
/// PLAN-9: Where only the board moved, in status, epoch or turn, the file follows it.
///
/// PLAN-10: Where both moved to different statuses it is a conflict, and so it is where several statuses stand on the board;
/// neither is changed.
///
/// PLAN-11: Where nothing is remembered the order of the statuses decides, and a tie is a conflict, and so is a file that is
/// ahead of a board that was reopened, and whatever would leave a final status.
#[test]
fn every_base_file_and_board_has_the_answer_of_the_table() {
    let vocabulary = Vocabulary::default();
    let (mut cases, mut seen) = (0, BTreeMap::new());
    for base in bases() {
        for file in STATUSES.into_iter().chain(["Done", "completed", "doner", "don"]) {
            for board in boards() {
                let verdict = decide(&vocabulary, base.as_ref(), file, board.as_ref());
                assert_eq!(verdict, wanted(base.as_ref(), file, board.as_ref()), "{base:?} {file} {board:?}");
                *seen.entry(format!("{verdict:?}")).or_insert(0_u64) += 1;
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 21 * 9 * 23);
    assert_eq!(seen.len(), 11, "{seen:?}");
}

/// A vocabulary in which a final status is not the highest one: none is left without a reopen that somebody meant.
#[test]
fn a_final_status_below_the_highest_is_never_left_by_order_alone() {
    use fencehold_model::status::Rung;
    let rung = |name: &str, rank, terminal| Rung { status: status(name), rank, terminal };
    let vocabulary =
        Vocabulary::new(vec![rung("todo", 0, false), rung("dropped", 1, true), rung("done", 2, true)])
            .unwrap();
    let board = |text: &str| Value::of(0, 0, status(text), None);
    let none = |file: &str, stands: &str| decide(&vocabulary, None, file, Some(&board(stands)));
    assert_eq!(none("done", "dropped"), Verdict::Conflict(Why::Final(Side::Board)));
    assert_eq!(none("dropped", "done"), Verdict::Conflict(Why::Final(Side::File)));
    assert_eq!(none("todo", "dropped"), Verdict::Back);
    let base = Base::of(&board("dropped"));
    let moved = decide(&vocabulary, base.as_ref(), "done", Some(&board("dropped")));
    assert_eq!(moved, Verdict::Forward(Step::Reopen), "a person moved it on");
}

/// PLAN-12: Where it cannot be known what both last agreed on, and the possible answers differ, it is a conflict.
#[test]
fn of_two_pasts_with_two_answers_neither_is_taken() {
    let vocabulary = Vocabulary::default();
    let (mut same, mut differ) = (0, 0);
    for one in bases() {
        for other in bases() {
            for file in STATUSES {
                for board in boards() {
                    let of = |base: &Option<Base>| decide(&vocabulary, base.as_ref(), file, board.as_ref());
                    let verdict =
                        decide_any(&vocabulary, &[one.clone(), other.clone()], file, board.as_ref());
                    if of(&one) == of(&other) {
                        assert_eq!(verdict, of(&one));
                        same += 1;
                    } else {
                        assert_eq!(verdict, Verdict::Conflict(Why::InDoubt));
                        differ += 1;
                    }
                }
            }
        }
    }
    assert!(same > 20_000 && differ > 10_000, "{same} and {differ}");
}
