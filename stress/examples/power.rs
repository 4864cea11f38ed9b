use fencehold_stress::sim::disk::Persistence;
use fencehold_stress::sim::power::{self, Bounds};
use fencehold_stress::sim::scenario::Scenario as _;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let subsets = args[1].parse().unwrap();
    let again = args[2].parse().unwrap();
    let filter = args.get(3).cloned().unwrap_or_default();
    let stop = args.get(4).is_none();
    let bounds = Bounds { subsets_max: subsets, again_max: again, cuts_max: if again > 0 { 3 } else { 1 } };
    for model in Persistence::LOSING {
        for (kind, cases) in [("alone", power::alone(model)), ("pairs", power::pairs(model))] {
            let cases: Vec<_> =
                cases.into_iter().filter(|c| format!("{kind} {}", c.name()).contains(&filter)).collect();
            if cases.is_empty() {
                continue;
            }
            let begun = std::time::Instant::now();
            if stop {
                match power::stage::run(&cases, bounds, 1, &mut |_| {}) {
                    Ok(counts) => println!("{kind} {model:?}: {counts:?} {:?}", begun.elapsed()),
                    Err(found) => println!("{kind} {model:?}: {found}"),
                }
            } else {
                for case in &cases {
                    let begun = std::time::Instant::now();
                    match case.explore(bounds, 1) {
                        Ok(c) => println!(
                            "{:>6} ms {} judged {} images {} recov {} cuts {}/{}",
                            begun.elapsed().as_millis(),
                            case.name(),
                            c.judged,
                            c.images,
                            c.recoveries,
                            c.cuts_whole,
                            c.cuts
                        ),
                        Err(found) => println!("FOUND {}: {}", case.name(), found.what),
                    }
                }
            }
        }
    }
}
