use super::kit::Board;

const CONFLICT: &[&str] = &[r#"set t blocked detail={"q":1}"#, "set t in_progress"];

/// STATUS-12: A set that names no epoch names 0, the one before any reopen.
///
/// STATUS-13: The first set of a task is recorded in epoch 0 at turn 0, whatever its status, unless it names another
/// epoch, which fails definitely, or a `from`, which is refused as `conflict`.
#[test]
fn the_first_set_of_a_task() {
    let cases = [
        ("set t todo", "ok 0.0 todo"),
        ("set t done epoch=0", "ok 0.0 done"),
        (r#"set t blocked detail={"q":1} resolve"#, r#"ok 0.0 blocked{"q":1}"#),
        ("set t todo from=todo", "conflict"),
        ("set t in_progress from=todo resolve", "conflict"),
        ("set t todo epoch=1", "fails"),
        ("set t todo epoch=1 from=todo", "fails"),
    ];
    Board::table(&[], &cases);
}

/// STATUS-15: A set that names an epoch after the task's fails definitely.
///
/// STATUS-36: A refused set or reopen changes nothing, and a refusal as `conflict`, `regression` or `stale_epoch` names
/// what stands.
#[test]
fn a_set_of_an_epoch_that_nobody_knows() {
    // That nothing is changed is looked at in every case of every table.
    let cases = [
        ("set t done epoch=8", "fails"),
        ("set t todo epoch=8", "fails"),
        ("set t done epoch=6", "stale_epoch 7.1 in_progress"),
        ("set t todo epoch=7", "regression 7.1 in_progress"),
        ("set t blocked epoch=7 from=todo", "conflict 7.1 in_progress"),
        ("set t done epoch=7", "ok 7.0 done"),
    ];
    Board::table(&["merge t 7.1 in_progress"], &cases);
}

/// STATUS-16: A set with `resolve` to one side of a conflict leaves that side alone, at the next turn, with the detail
/// that is given, or else the one that it had.
#[test]
fn a_conflict_is_ended_by_a_choice() {
    let cases = [
        ("set t blocked resolve", r#"ok 0.1 blocked{"q":1}"#),
        (r#"set t blocked resolve detail={"q":2}"#, r#"ok 0.1 blocked{"q":2}"#),
        ("set t in_progress resolve", "ok 0.1 in_progress"),
        ("set t in_progress resolve from=blocked", "ok 0.1 in_progress"),
        ("set t done resolve", "ok 0.0 done"),
        ("set t todo resolve", r#"regression 0.0 blocked{"q":1}+in_progress"#),
    ];
    Board::table(CONFLICT, &cases);
    // Two terminal statuses stand side by side where two boards ended a task differently.
    let both = &["set t done", "merge t 0.0 cancelled"];
    Board::table(
        both,
        &[("set t cancelled resolve", "ok 0.1 cancelled"), ("set t done", "already 0.0 cancelled+done")],
    );
}

/// STATUS-17: A set to a status that stands, with no detail or with the one that it has, changes nothing and is answered
/// as done already.
#[test]
fn what_is_so_already_is_not_done_again() {
    let cases = [
        ("set t blocked", r#"already 0.0 blocked{"q":1}"#),
        (r#"set t blocked detail={"q":1}"#, r#"already 0.0 blocked{"q":1}"#),
        (r#"set t blocked detail={"q":1} from=todo resolve"#, r#"already 0.0 blocked{"q":1}"#),
    ];
    Board::table(&[r#"set t blocked detail={"q":1}"#], &cases);
    let both = r#"already 0.0 blocked{"q":1}+in_progress"#;
    let cases = [
        ("set t blocked", both),
        ("set t in_progress", both),
        (r#"set t blocked detail={"q":1}"#, both),
        ("set t in_progress from=blocked", both),
    ];
    Board::table(CONFLICT, &cases);
    Board::table(&["set t done"], &[("set t done", "already 0.0 done")]);
}

/// STATUS-18: A set of another detail to the one status that stands is recorded at the next turn where no detail stands,
/// or where `from` names that status.
///
/// STATUS-19: Any other set of a detail to a status that stands is refused as `conflict`, so that no detail is lost
/// unseen.
#[test]
fn a_question_is_never_overwritten_unseen() {
    let asked = r#"0.0 blocked{"q":1}"#;
    let cases = [
        (r#"set t blocked detail={"q":2} from=blocked"#, r#"ok 0.1 blocked{"q":2}"#),
        (r#"set t blocked detail={"q":2}"#, &format!("conflict {asked}")),
        (r#"set t blocked detail={"q":2} from=in_progress"#, &format!("conflict {asked}")),
        (r#"set t blocked detail={"q":2} resolve"#, &format!("conflict {asked}")),
    ];
    Board::table(&[r#"set t blocked detail={"q":1}"#], &cases);
    let cases = [
        (r#"set t done detail={"pr":7}"#, r#"ok 0.1 done{"pr":7}"#),
        (r#"set t done detail={"pr":7} from=todo"#, r#"ok 0.1 done{"pr":7}"#),
    ];
    Board::table(&["set t done"], &cases);
    let both = r#"conflict 0.0 blocked{"q":1}+in_progress"#;
    let cases = [
        (r#"set t blocked detail={"q":2}"#, both),
        (r#"set t in_progress detail={"q":2}"#, both),
        (r#"set t blocked detail={"q":2} from=blocked"#, both),
    ];
    Board::table(CONFLICT, &cases);
}

/// STATUS-20: A set to any other status while a terminal one stands is refused as `regression`, whatever the ranks.
///
/// STATUS-21: A set to a lower rank is refused as `regression`.
#[test]
fn nothing_is_moved_down_or_out_of_an_end() {
    let done = "regression 0.0 done";
    let cases = [
        ("set t in_progress", done),
        ("set t in_progress from=done", done),
        ("set t cancelled", done),
        ("set t cancelled from=done", done),
        ("set t cancelled from=done resolve", done),
        ("set t todo from=todo", done),
    ];
    Board::table(&["set t done"], &cases);
    let cases = [
        ("set t todo", "regression 0.0 blocked"),
        ("set t todo from=blocked resolve", "regression 0.0 blocked"),
    ];
    Board::table(&["set t blocked"], &cases);
    Board::table(&["merge t 0.0 cancelled+done"], &[("set t todo", "regression 0.0 cancelled+done")]);
}

/// STATUS-20's other half: an end below the highest rank is an end too.
#[test]
fn an_end_may_stand_below_other_statuses() {
    let board = Board::new();
    let policy = super::kit::policy("open 0, dropped 1 t, merged 2", fencehold_model::policy::IdForm::Text);
    board.party.apply_policy(&crate::spec_kit::asking("a"), &policy).unwrap();
    board.all(&["set t open", "set t dropped"]);
    assert_eq!(board.does("set t merged from=dropped"), "regression 0.0 dropped");
    assert_eq!(board.does("merge t 0.0 merged"), "ok 0.0 merged", "a board that went further is joined");
}

/// STATUS-22: A set to a higher rank is recorded at turn 0 in place of all that stands, whatever its `from` says.
///
/// STATUS-27: A status that takes the place of another keeps no detail of it.
#[test]
fn a_step_up_takes_the_place_of_all() {
    for from in ["", " from=blocked", " from=todo", " resolve"] {
        Board::table(CONFLICT, &[(&format!("set t done{from}"), "ok 0.0 done")]);
    }
    Board::table(&["merge t 0.9 todo"], &[(r#"set t blocked detail={"q":1}"#, r#"ok 0.0 blocked{"q":1}"#)]);
    let cases = [("set t in_progress from=blocked", "ok 0.1 in_progress"), ("set t done", "ok 0.0 done")];
    Board::table(&[r#"set t blocked detail={"q":1}"#], &cases);
}

/// STATUS-23: A set within the rank whose `from` names the one status that stands takes its place at the next turn.
///
/// STATUS-24: A set within the rank whose `from` names anything else is refused as `conflict`.
#[test]
fn a_step_within_the_rank_names_what_it_leaves() {
    let cases = [
        ("set t blocked from=in_progress", "ok 0.4 blocked"),
        ("set t blocked from=in_progress resolve", "ok 0.4 blocked"),
        (r#"set t blocked from=in_progress detail={"q":1}"#, r#"ok 0.4 blocked{"q":1}"#),
        ("set t blocked from=todo", "conflict 0.3 in_progress"),
        ("set t blocked from=blocked", "conflict 0.3 in_progress"),
        ("set t blocked from=done resolve", "conflict 0.3 in_progress"),
    ];
    Board::table(&["merge t 0.3 in_progress"], &cases);
    // A side of a conflict is not the one status that stands.
    let board = Board::new();
    let policy = super::kit::policy("a 0, b 0, c 0", fencehold_model::policy::IdForm::Text);
    board.party.apply_policy(&crate::spec_kit::asking("a"), &policy).unwrap();
    board.all(&["set t a", "set t b"]);
    assert_eq!(board.does("set t c from=a"), "conflict 0.0 a+b");
    assert_eq!(board.does("set t c"), "ok 0.0 a+b+c");
}

/// STATUS-25: A set within the rank that has `resolve` and names no `from` is refused as `conflict`, so that none that is
/// repeated ends a conflict which it began.
///
/// STATUS-26: Any other set within the rank that names no `from` overwrites nothing: its status is recorded beside what
/// stands, at the same turn.
#[test]
fn an_uninformed_step_overwrites_nothing() {
    let cases = [
        ("set t blocked", "ok 0.3 blocked+in_progress"),
        (r#"set t blocked detail={"q":1}"#, r#"ok 0.3 blocked{"q":1}+in_progress"#),
        ("set t blocked resolve", "conflict 0.3 in_progress"),
    ];
    Board::table(&["merge t 0.3 in_progress"], &cases);
}
