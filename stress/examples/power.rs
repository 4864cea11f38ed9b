//! Runs parts of the crash explorer by hand: SUBSETS AGAIN FILTER [each].
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
        if format!("files {model:?}").contains(&filter) || filter.is_empty() {
            for files in power::Files::all(model) {
                match fencehold_stress::sim::scenario::exhaust(&files, 2000, &mut |_| {}) {
                    Ok(explored) => println!("{}: {explored:?}", files.name()),
                    Err(found) => println!("FOUND {found}"),
                }
            }
        }
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
                        (c, None) => println!(
                            "{:>6} ms {} judged {} images {} recov {} cuts {}/{}",
                            begun.elapsed().as_millis(),
                            case.name(),
                            c.judged,
                            c.images,
                            c.recoveries,
                            c.cuts_whole,
                            c.cuts
                        ),
                        (_, Some(found)) => println!("FOUND {}: {}", case.name(), found.what),
                    }
                }
            }
        }
    }
}
