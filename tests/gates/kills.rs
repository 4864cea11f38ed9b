use fencehold_stress::sim::choice::{Explorer, Reduction, Touched};
use fencehold_stress::sim::overrides::Way;
use fencehold_stress::sim::scenario::{Scenario as _, exhaust_by, search};
use fencehold_stress::sim::together::Overrides;
use fencehold_stress::sim::world::Options;

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
