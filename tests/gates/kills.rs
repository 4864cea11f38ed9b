use fencehold_stress::sim::choice::{Explorer, Reduction, Source, Touched};
use fencehold_stress::sim::disk::Persistence;
use fencehold_stress::sim::overrides::Way;
use fencehold_stress::sim::scenario::{Scenario as _, exhaust_by, search};
use fencehold_stress::sim::together::Overrides;
use fencehold_stress::sim::torn::overrides;
use fencehold_stress::sim::world::Options;

/// The smallest page that there is: more of them are lost.
const PAGE_BYTES: usize = 512;

/// How many drawn power cuts of a step by force with its entry leave what must not be.
fn wrong_after_power_cuts(way: Way, seeds: u64) -> usize {
    let models = [Persistence::Ext4, Persistence::Xfs, Persistence::Btrfs, Persistence::Posix];
    let torn = overrides(way);
    let all = models.into_iter().flat_map(|model| torn.iter().map(move |torn| (model, torn)));
    all.map(|(model, torn)| {
        let ran = |seed| torn.cut_off(Source::random(seed).quiet(), model, PAGE_BYTES).violation;
        (0..seeds).filter_map(ran).count()
    })
    .sum()
}

#[test]
fn a_power_cut_leaves_the_entry_of_a_step_once_or_owed() {
    assert_eq!(wrong_after_power_cuts(Way::Shipped, 60), 0);
    assert!(wrong_after_power_cuts(Way::NotedFirst, 60) > 0, "noted before it was written");
}

const RUNS_MAX: u64 = 400_000;

fn two_sweepers(way: Way, options: Options) -> Result<u64, String> {
    let explorer = Explorer::reduced(Reduction::Bounded, Touched::commutes);
    match exhaust_by(explorer, &Overrides::sweepers(way, options), RUNS_MAX, &mut |_| {}) {
        Ok(explored) => {
            assert!(explored.complete, "more than {RUNS_MAX} runs");
            Ok(explored.runs)
        }
        Err(found) => Err(found.what),
    }
}

/// GATE-13's half of two processes: every order of their calls up to one preemption, with a kill at any call.
#[test]
fn two_who_write_one_entry_and_a_kill_anywhere_leave_it_once() {
    let runs = two_sweepers(Way::Shipped, Options::bounded(1, 1)).unwrap();
    println!("{runs} runs");
    assert!(runs > 500, "{runs}");
}

#[test]
fn whoever_looks_and_appends_apart_is_caught_by_two_sweepers_without_a_kill() {
    for way in [Way::NoLook, Way::LookApart] {
        let found = two_sweepers(way, Options::bounded(1, 0)).unwrap_err();
        assert!(found.contains("is there 2 times"), "{way:?}: {found}");
    }
    let runs = two_sweepers(Way::Shipped, Options::bounded(1, 0)).unwrap();
    assert!(runs > 10, "the control is never flagged, in {runs} runs");
}

#[test]
fn steps_by_force_stand_drawn_schedules_with_kills_and_wrong_ones_do_not() {
    for seed in 0..2 {
        let found = search(&Overrides::new(Way::Shipped), seed, 150, &mut |_| {});
        assert!(found.is_none(), "{}", found.unwrap().counterexample);
    }
    for way in Way::WRONG {
        let scenario = Overrides::new(way);
        let found = (0..4).find_map(|seed| search(&scenario, seed, 2_000, &mut |_| {}));
        let found = found.unwrap_or_else(|| panic!("{} stands", scenario.name()));
        println!("{way:?}: {} executions; {}", found.executions, found.counterexample.what);
    }
}
