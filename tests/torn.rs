//! Every operation, killed before each of its calls, each of its writes cut at every byte, each of its calls failed.

use fencehold_stress::sim::scenario::replay;
use fencehold_stress::sim::torn;

#[test]
fn whatever_is_cut_the_next_process_goes_on() {
    let started = std::time::Instant::now();
    let mut cases = 0;
    let mut failed = 0;
    for torn in torn::all() {
        let explored = match torn.all(&mut |_| {}) {
            Ok(explored) => explored,
            Err(found) => {
                println!("FOUND {found}");
                failed += 1;
                continue;
            }
        };
        println!("{torn:?}: {} cases", explored.runs);
        assert!(explored.complete && explored.runs > torn.calls().len() as u64);
        cases += explored.runs;
    }
    println!("{cases} cases in {:?}", started.elapsed());
    assert_eq!(failed, 0);
    assert!(cases > 1_000, "{cases} cases");
}

#[test]
fn an_update_that_overwrites_in_place_is_found_and_replays() {
    let canary = torn::canary();
    let found = canary.all(&mut |_| {}).unwrap_err();
    assert!(found.what.contains("half an update"), "{found}");
    let again = replay(&canary, &found.schedule).unwrap();
    assert_eq!(again.violation.as_ref(), Some(&found.what));
}
