//! The checker judges histories whose verdict is known.

mod sim;

use std::time::Duration;

use fencehold_model::history::History;
use fencehold_stress::check::{Report, Verdict, check};

use sim::Plan;

const DEADLINE: Duration = Duration::from_secs(20);

fn judge(text: &str) -> Report {
    check(&History::parse(text).expect("the history is well formed"), DEADLINE)
}

fn plans(seeds: u64) -> impl Iterator<Item = Plan> {
    (0..seeds).map(|seed| {
        let mut plan = Plan::new(seed, 400);
        plan.clients = 2 + (seed % 7) as usize;
        plan.names = 1 + seed % 4;
        plan.revisions = seed % 3 != 0;
        plan.tokens = ["ordered", "ordered", "opaque", "none"][(seed / 3 % 4) as usize];
        plan.kills = [0, 40, 12][(seed / 12 % 3) as usize];
        plan
    })
}

#[test]
fn histories_that_are_right_by_construction_are_never_flagged() {
    let (mut ops, mut takeovers, mut infos, mut witnessed, mut searched) = (0, 0, 0, 0, 0);
    for plan in plans(288) {
        let text = sim::history(plan);
        let report = judge(&text);
        assert_eq!(report.verdict, Verdict::Ok, "seed {}: {:?}", plan.seed, report.counts);
        ops += report.counts.ops;
        takeovers += report.counts.takeovers;
        infos += report.counts.infos;
        witnessed += report.counts.witnessed;
        searched += report.counts.searched;
    }
    println!(
        "{ops} operations, {takeovers} takeovers, {infos} infos, {witnessed} witnessed, {searched} searched"
    );
    assert!(takeovers > 500 && infos > 500 && witnessed > 100, "{takeovers} {infos} {witnessed}");
}
