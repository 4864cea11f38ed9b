use std::time::{Duration, Instant};

use fencehold_stress::explore::Shipped;
use fencehold_stress::explore::status::{
    Bounds, Explored, GateMutant, Mutant, Shape, Subject, check_gates, check_ids, check_laws, explore, shapes,
};

const SMALL: Bounds = Bounds { statuses: (1, 3), epochs: 2, turns: 2, details: 2 };
const FOUR: Bounds = Bounds { statuses: (1, 4), epochs: 1, turns: 1, details: 1 };

fn look(subject: &impl Subject, shape: &Shape, bounds: &Bounds) -> Explored {
    explore(subject, shape, bounds, Instant::now() + Duration::from_secs(600))
}

/// Renaming statuses changes nothing, so a vocabulary is known by how many of either kind stand at each rank.
#[test]
fn the_vocabularies_are_counted() {
    let count = |most| shapes(most, most).len();
    assert_eq!([1, 2, 3, 4, 5].map(count), [2, 7, 24, 66, 152]);
    let all = shapes(1, 5);
    for (index, shape) in all.iter().enumerate() {
        assert!(!all[..index].contains(shape), "{shape} stands twice");
        assert_eq!(shape.vocabulary().rungs().len(), shape.len());
    }
    let default = Shape { levels: vec![(1, 0), (2, 0), (0, 2)] };
    assert!(all.contains(&default), "the default vocabulary is one of them");
    assert_eq!(default.to_string(), "1 < 2 < 2t");
}

/// STATUS-35: No set, reopen or merge moves a task to a lower value.
///
/// STATUS-20: A set to any other status while a terminal one stands is refused as `regression`, whatever the ranks.
#[test]
fn the_whole_space_of_small_vocabularies_holds() {
    let (mut total, mut vocabularies) = (Explored::default(), 0);
    for shape in shapes(1, 2).into_iter().chain([Shape { levels: vec![(1, 0), (2, 0), (0, 2)] }]) {
        let bounds = if shape.len() > 2 { FOUR } else { SMALL };
        let explored = look(&Shipped, &shape, &bounds);
        assert!(explored.found.is_none() && !explored.cut, "{shape}: {explored:?}");
        total.add(explored);
        vocabularies += 1;
    }
    println!("{vocabularies} vocabularies: {total:?}");
    assert_eq!(vocabularies, 10);
    assert!(total.states > 500 && total.transitions > 100_000, "{total:?}");
    assert!(total.recorded > 10_000 && total.beyond > 1_000, "{total:?}");
}

/// STATUS-33: Boards that merge each other's values, in any order, in any groups and any number of times, come to the
/// same values.
#[test]
fn the_laws_of_the_join_hold_for_all_small_values() {
    let laws = check_laws(&Shipped, &Bounds { statuses: (1, 3), epochs: 1, turns: 1, details: 2 });
    println!("{laws:?}");
    assert!(laws.found.is_none(), "{laws:?}");
    assert_eq!(laws.orders, 7, "orders of up to three statuses");
    assert!(laws.values > 500 && laws.triples > 10_000_000, "{laws:?}");
}

/// STATUS-6: Where the policy says that task ids are numbers, leading zeros of an id that is digits, or digits between
/// dots, mean nothing, and any other id, and every id elsewhere, is taken as it stands.
#[test]
fn spellings_of_ids_mean_what_the_oracle_says() {
    let ids = check_ids(&Shipped);
    assert!(ids.found.is_none(), "{ids:?}");
    assert_eq!(ids.pairs, 2 * 22 * 22);
    assert!(ids.same > 44, "some spellings are one task: {ids:?}");
}

/// The laws alone see the joins that break them; the others are joins, only of another order.
#[test]
fn wrong_joins_break_the_laws() {
    let bounds = Bounds { statuses: (1, 2), epochs: 1, turns: 1, details: 2 };
    let lawless = [Mutant::MergeOverwrites, Mutant::MergeTieKept, Mutant::MergeTheirDetail];
    let mut broken = 0;
    for mutant in Mutant::ALL {
        let found = check_laws(mutant, &bounds).found;
        assert_eq!(found.is_some(), lawless.contains(mutant), "{mutant:?}: {found:?}");
        broken += usize::from(found.is_some());
    }
    assert_eq!(broken, lawless.len());
}

const AT_GATES: Bounds = Bounds { statuses: (1, 2), epochs: 1, turns: 1, details: 1 };

/// GATE-2: No set, reopen, merge or choice between two sides brings a task into a status that a gate stands before, unless
/// all that it requires was found met, as the gate stands at that event, or the step is forced with a reason.
#[test]
fn nothing_goes_round_a_gate_in_small_vocabularies() {
    let checked = check_gates(&Shipped, &AT_GATES);
    println!("{checked:?}");
    assert_eq!(checked.found, None);
    assert!(checked.decisions > 100_000 && checked.passed > 1_000, "{checked:?}");
    assert!(checked.forced > 1_000 && checked.refused > 10_000, "{checked:?}");
}

/// Shown on M43: force without a reason, or one that is not recorded with its step, is caught.
#[test]
fn every_wrong_keeper_of_gates_is_caught() {
    let mut caught = 0;
    for mutant in GateMutant::ALL {
        let checked = check_gates(mutant, &AT_GATES);
        println!("{mutant:?}: after {} decisions: {:?}", checked.decisions, checked.found);
        assert!(checked.found.is_some(), "{mutant:?} is not caught: {checked:?}");
        caught += 1;
    }
    assert_eq!(caught, 12);
}
