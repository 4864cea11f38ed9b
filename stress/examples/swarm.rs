//! Runs drawn swarm plans by hand: FROM COUNT OPS.
use fencehold_stress::sim::swarm::{Plan, Reached, minimize};
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|arg| arg.parse().unwrap()).collect();
    let mut all = Reached::default();
    let begun = std::time::Instant::now();
    for seed in args[0]..args[0] + args[1] {
        let plan = Plan::drawn(seed, args[2] as u32);
        let outcome = plan.run();
        if let Some(what) = &outcome.found {
            println!("FOUND {} {what}", plan.to_json());
            if args.len() > 3 {
                let m = minimize(&plan, args[3]).unwrap();
                println!("MIN {} ops {} runs {}: {}", m.plan.to_json(), m.plan.operations(), m.runs, m.what);
                println!("{}", m.plan.run().history);
            }
        }
        all.add(outcome.reached);
    }
    println!(
        "{all:?} {:?}, {} calls/s",
        begun.elapsed(),
        all.calls * 1000 / begun.elapsed().as_millis().max(1) as u64
    );
}
