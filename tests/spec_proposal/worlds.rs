//! Accepts in the simulated world: as they ship, and wrongly.

use fencehold_stress::sim::choice::{Explorer, Reduction, Source, Touched};
use fencehold_stress::sim::disk::Persistence;
use fencehold_stress::sim::prose::Way;
use fencehold_stress::sim::scenario::{Scenario as _, exhaust_by, search};
use fencehold_stress::sim::together::Accepts;
use fencehold_stress::sim::torn::accepts;
use fencehold_stress::sim::world::Options;

/// The smallest page that there is: more of them are lost.
const PAGE_BYTES: usize = 512;
const RUNS_MAX: u64 = 400_000;

#[test]
fn an_accept_torn_at_every_call_and_byte_is_carried_out_once() {
    for torn in accepts(Way::Shipped) {
        let explored = torn.all(&mut |_| {}).unwrap_or_else(|found| panic!("{found}"));
        println!("{}: {} runs, {} calls", torn.name(), explored.runs, torn.calls().len());
        assert!(explored.runs > 1_000, "{}: {}", torn.name(), explored.runs);
    }
}

/// How many drawn power cuts of an accept leave what must not be.
fn wrong_after_power_cuts(way: Way, seeds: u64) -> usize {
    let models = [Persistence::Ext4, Persistence::Xfs, Persistence::Btrfs, Persistence::Posix];
    let torn = accepts(way);
    let all = models.into_iter().flat_map(|model| torn.iter().map(move |torn| (model, torn)));
    all.map(|(model, torn)| {
        let ran = |seed| torn.cut_off(Source::random(seed).quiet(), model, PAGE_BYTES).violation;
        (0..seeds).filter_map(ran).count()
    })
    .sum()
}

#[test]
fn a_power_cut_leaves_an_accept_to_be_carried_out_once() {
    assert_eq!(wrong_after_power_cuts(Way::Shipped, 60), 0);
    assert!(wrong_after_power_cuts(Way::NoIntent, 60) > 0, "the file before the intent");
}

fn two(way: Way, options: Options) -> Result<u64, String> {
    let explorer = Explorer::reduced(Reduction::Bounded, Touched::commutes);
    match exhaust_by(explorer, &Accepts::two(way, options), RUNS_MAX, &mut |_| {}) {
        Ok(explored) => {
            assert!(explored.complete, "more than {RUNS_MAX} runs");
            Ok(explored.runs)
        }
        Err(found) => Err(found.what),
    }
}

#[test]
fn two_who_accept_one_proposal_and_a_kill_anywhere_apply_it_once() {
    let runs = two(Way::Shipped, Options::bounded(1, 1)).unwrap();
    println!("{runs} runs");
    assert!(runs > 500, "{runs}");
}

#[test]
fn accepts_stand_drawn_schedules_with_kills_and_a_person_and_wrong_ones_do_not() {
    for seed in 0..2 {
        let found = search(&Accepts::new(Way::Shipped), seed, 150, &mut |_| {});
        assert!(found.is_none(), "{}", found.unwrap().counterexample);
    }
    for way in Way::WRONG {
        let scenario = Accepts::new(way);
        let found = (0..4).find_map(|seed| search(&scenario, seed, 2_000, &mut |_| {}));
        let found = found.unwrap_or_else(|| panic!("{} stands", scenario.name()));
        println!("{way:?}: {} executions; {}", found.executions, found.counterexample.what);
    }
}
