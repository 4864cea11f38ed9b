use fencehold_model::status::{Command, Value};
use fencehold_stress::rng::Rng;

use super::kit::{Board, command, task, told};

/// STATUS-31: A merge of a value whose statuses are none, unknown or of different ranks fails definitely and changes
/// nothing.
#[test]
fn a_value_that_is_none_is_not_merged() {
    for begin in [&[][..], &["set t blocked"], &["merge t 9.9 done"]] {
        let cases = [
            ("merge t 3.0 ", "fails"),
            ("merge t 3.0 shipped", "fails"),
            ("merge t 3.0 blocked+shipped", "fails"),
            ("merge t 3.0 todo+done", "fails"),
        ];
        Board::table(begin, &cases);
    }
}

/// STATUS-32: A merge leaves the higher of two values, and where neither is higher the statuses of both, each with the
/// greater of its details by their bytes.
///
/// STATUS-34: A merge that brings nothing changes nothing and is answered as done already.
#[test]
fn the_higher_of_two_values_stands() {
    let ours = r#"5.2 blocked{"q":"m"}"#;
    let cases = [
        ("6.0 todo", "ok 6.0 todo"),
        ("5.0 done", "ok 5.0 done"),
        ("5.3 in_progress", "ok 5.3 in_progress"),
        ("4.9 done", "already"),
        ("5.9 todo", "already"),
        ("5.1 in_progress", "already"),
        ("5.2 in_progress", r#"ok 5.2 blocked{"q":"m"}+in_progress"#),
        (r#"5.2 blocked{"q":"z"}"#, r#"ok 5.2 blocked{"q":"z"}"#),
        (r#"5.2 blocked{"q":"a"}"#, "already"),
        (r#"5.2 blocked{"q":"Z"}"#, "already"),
        ("5.2 blocked", "already"),
        (r#"5.2 blocked{"p":"z"}+in_progress{"q":1}"#, r#"ok 5.2 blocked{"q":"m"}+in_progress{"q":1}"#),
    ];
    for (theirs, owed) in cases {
        let owed = if owed == "already" { format!("already {ours}") } else { owed.to_owned() };
        Board::table(&[&format!("merge t {ours}")], &[(&format!("merge t {theirs}"), &owed)]);
        // The other way round it comes to the same.
        let other = Board::with(&[&format!("merge t {theirs}")]);
        other.does(&format!("merge t {ours}"));
        assert_eq!(other.stands("t"), owed.split_once(' ').unwrap().1, "{theirs}");
    }
    assert_eq!(Board::new().does("merge t 3.1 done"), "ok 3.1 done");
}

/// One clone tells another what it holds.
fn tell(from: &Board, to: &Board) {
    for view in from.party.tasks().unwrap().value {
        let merge = Command::Merge { task: view.id, value: view.cell.value };
        let said = to.decides(&merge);
        assert!(said.starts_with("ok ") || said.starts_with("already "), "{said}");
    }
}

fn all(board: &Board) -> Vec<(String, String)> {
    let views = board.party.tasks().unwrap().value;
    views.into_iter().map(|view| (view.id.to_string(), told(&view.cell.value))).collect()
}

/// STATUS-33: Boards that merge each other's values, in any order, in any groups and any number of times, come to the
/// same values.
///
/// STATUS-35: No set, reopen or merge moves a task to a lower value.
#[test]
fn three_clones_that_were_apart_meet_again() {
    let words = ["todo", "in_progress", "blocked", "done", "cancelled"];
    let (mut conflicts, mut recorded, mut reopened) = (0, 0, 0);
    for seed in 0..12 {
        let mut rng = Rng::new(seed);
        let clones = [Board::new(), Board::new(), Board::new()];
        for _ in 0..40 {
            let at = rng.below(3) as usize;
            let (clone, id) = (&clones[at], format!("t{}", rng.below(3)));
            if rng.one_in(5) {
                // Who can reach whom changes all the time.
                tell(clone, &clones[(at + 1 + rng.below(2) as usize) % 3]);
                continue;
            }
            let stands = clone.party.show_task(&task(&id)).unwrap().value.map(|view| view.cell.value);
            let (epoch, to) = (stands.as_ref().map_or(0, |value| value.epoch), rng.pick(&words));
            let detail =
                if rng.one_in(3) { format!(r#" detail={{"q":{}}}"#, rng.below(3)) } else { String::new() };
            let from = match &stands {
                Some(value) if rng.one_in(2) => format!(" from={}", value.statuses.keys().next().unwrap()),
                _ => String::new(),
            };
            let said = if rng.one_in(8) {
                clone.does(&format!("reopen {id} {to} why"))
            } else {
                clone.does(&format!("set {id} {to} epoch={epoch}{from}{detail}"))
            };
            recorded += usize::from(said.starts_with("ok "));
            let after = clone.party.show_task(&task(&id)).unwrap().value.map(|view| view.cell.value);
            reopened += usize::from(after.as_ref().is_some_and(|value| value.epoch > epoch));
            assert!(is_above(after.as_ref(), stands.as_ref()), "{stands:?} was moved down to {after:?}");
        }
        // All hear of each other, in an order and with repetitions that are drawn, until all have heard of all.
        let mut heard = [[true, false, false], [false, true, false], [false, false, true]];
        while heard.as_flattened().contains(&false) {
            let (from, to) = (rng.below(3) as usize, rng.below(3) as usize);
            if from != to {
                tell(&clones[from], &clones[to]);
                let news = heard[from];
                heard[to].iter_mut().zip(news).for_each(|(known, new)| *known |= new);
            }
        }
        let one = all(&clones[0]);
        assert!(one == all(&clones[1]) && one == all(&clones[2]), "seed {seed}: {one:?}");
        conflicts += one.iter().filter(|(_, value)| value.contains('+')).count();
    }
    println!("{recorded} recorded, {reopened} reopened, {conflicts} conflicts met");
    assert!(recorded > 100 && reopened > 10 && conflicts >= 1, "{recorded} {reopened} {conflicts}");
}

/// Whether one value is at or above another, under the default vocabulary.
fn is_above(after: Option<&Value>, before: Option<&Value>) -> bool {
    let rank = |value: &Value| match value.statuses.keys().next().unwrap().as_str() {
        "todo" => 0,
        "in_progress" | "blocked" => 1,
        _ => 2,
    };
    let height = |value: &Value| (value.epoch, rank(value), value.turn);
    match (after, before) {
        (after, None) => after.is_none_or(|value| !value.statuses.is_empty()),
        (None, Some(_)) => false,
        (Some(after), Some(before)) => height(after) >= height(before),
    }
}

#[test]
fn the_largest_value_is_one_line() {
    let board = Board::new();
    let rungs = |index: usize| format!("{index:02}{} 0", "\"\\".repeat(127));
    let text = (0..32).map(rungs).collect::<Vec<_>>().join(", ");
    let policy = super::kit::policy(&text, fencehold_model::policy::IdForm::Text);
    assert!(board.party.apply_policy(&crate::spec_kit::asking("a"), &policy).unwrap().verdict);
    let detail = super::kit::detail(&format!(r#"{{"q":"{}"}}"#, "x".repeat(4096 - 8)));
    let statuses = policy.vocabulary.rungs().iter().map(|rung| (rung.status.clone(), Some(detail.clone())));
    let value = Value { epoch: 1, turn: 1, statuses: statuses.collect() };
    let merge = Command::Merge { task: task(&"t".repeat(256)), value: value.clone() };
    assert!(board.decides(&merge).starts_with("ok "));
    assert_eq!(
        board.lab.party().show_task(&task(&"t".repeat(256))).unwrap().value.unwrap().cell.value,
        value
    );
    assert_eq!(command("merge t 1.0 todo").task(), &task("t"));
}
