//! What is deliberately broken and no code of ours: machines of the model, protocols and stores of the simulated disk,
//! processes. The matrix asks the engines for each of them as well.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::stage::Progress;
use crate::explore::{Found, Machine};
use crate::lint::{self, Standing};
use crate::sim::mutants::{EXECUTIONS_MAX, Mutant};
use crate::sim::seam::hunt::{Ground, Hunt};
use crate::soak::{self, Options};
use crate::target::Spec;
use crate::targets;

/// The engines, in the order of their columns.
pub(super) const ENGINES: [&str; 7] = ["search", "walks", "laws", "random", "pct", "processes", "lint"];

/// What says of a broken program that it is a process.
pub(super) const PROCESS: &str = "process";

/// Something broken.
pub(super) struct Broken {
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// The engines that can be asked, in the order of [`ENGINES`].
    pub(super) ways: Vec<Way>,
}

/// An engine that can be asked for it.
pub(super) struct Way {
    pub(super) engine: &'static str,
    /// Whether another seed is another hunt.
    pub(super) draws: bool,
    pub(super) ground: Ground,
}

/// All that is broken; the processes work below `dir`.
pub(super) fn all(dir: &Path) -> Vec<Broken> {
    let machines = Machine::all().into_iter().map(machine);
    // Each world twice: one for each engine.
    let simulated = Mutant::all().into_iter().zip(Mutant::all()).map(simulated);
    let processes = targets::broken().map(|name| process(name, dir));
    machines.chain(simulated).chain(processes).collect()
}

fn hunt(found: Option<(u64, String)>, otherwise: u64) -> Hunt {
    let (executions, violation) = found.map_or((otherwise, None), |(count, why)| (count, Some(why)));
    Hunt { executions, violation, cost: None }
}

fn machine(machine: Machine) -> Broken {
    let name = machine.name();
    let way = |engine, draws, find: fn(Machine, u64) -> Option<(u64, Found)>| Way {
        engine,
        draws,
        ground: Ground::new(name.clone(), move |seed| {
            hunt(find(machine, seed).map(|(looked, found)| (looked, found.why)), 0)
        }),
    };
    let mut ways = vec![way("search", false, |machine, _| machine.search())];
    match machine {
        Machine::Status(_) => ways.push(way("laws", false, |machine, _| machine.laws())),
        Machine::Lock(_) | Machine::Lease(_) => ways.push(way("walks", true, Machine::walk)),
    }
    Broken { name, kind: "machine of the model", ways }
}

fn simulated((one, other): (Mutant, Mutant)) -> Broken {
    let name = one.name;
    let way = |engine, ground| Way { engine, draws: true, ground };
    let random = Ground::drawn(one.scenario, EXECUTIONS_MAX);
    let pct = Ground::pct(other.scenario, EXECUTIONS_MAX);
    Broken {
        name: name.to_owned(),
        kind: if is_numbered(name) { "program on the simulated disk" } else { "store at the end of a wire" },
        ways: vec![way("random", random), way("pct", pct)],
    }
}

/// Whether it is one of the numbered defects.
fn is_numbered(name: &str) -> bool {
    name.strip_prefix('M').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// For how long a process is soaked on a seed at first, and how often for twice as long.
const SOAK: Duration = Duration::from_millis(400);
const DOUBLINGS: u32 = 3;
const PROCESSES: usize = 4;
const HARM_EVERY: Duration = Duration::from_millis(30);

fn process(name: &'static str, dir: &Path) -> Broken {
    let dir = dir.to_owned();
    let soaked = Ground::new(name.to_owned(), move |seed| soak_it(name, &dir, seed));
    let linted = Ground::new(name.to_owned(), move |_| lint_it(name));
    Broken {
        name: name.to_owned(),
        kind: PROCESS,
        ways: vec![
            Way { engine: "processes", draws: true, ground: soaked },
            Way { engine: "lint", draws: false, ground: linted },
        ],
    }
}

fn soak_it(name: &'static str, dir: &Path, seed: u64) -> Hunt {
    let mut before = 0;
    for doubled in 0..=DOUBLINGS {
        let dir: PathBuf = dir.join(format!("{name}-{seed}.{doubled}"));
        let options = Options {
            spec: Spec::built_in(name),
            ours: false,
            seed,
            duration: SOAK * (1 << doubled),
            processes: PROCESSES,
            harm_every: HARM_EVERY,
            shrink_within: Duration::ZERO,
        };
        let soaked = soak::soak(&dir, &options, &mut |_, _| {});
        // What stays would be a hundred disks.
        let _ = std::fs::remove_dir_all(&dir);
        match soaked {
            Ok(soak) => {
                let violations = soak.report.violations.iter();
                let first = violations.filter_map(|it| Some((*it.ops.iter().max()?, &it.why))).min();
                if let Some((op, why)) = first {
                    return hunt(Some((before + op as u64 + 1, why.clone())), 0);
                }
                before += soak.report.counts.ops as u64;
            }
            Err(why) => panic!("the harness could not soak {name}: {why}"),
        }
    }
    hunt(None, before)
}

/// The rule that it breaks first, if any: asked one after the other, a process that is only wrong among others is right.
fn lint_it(name: &'static str) -> Hunt {
    let report = lint::lint(&Spec::built_in(name), &mut Progress::none());
    let report = report.unwrap_or_else(|error| panic!("the harness could not lint {name}: {error}"));
    let broken = (1..).zip(&report.rules).find_map(|(count, (rule, standing))| match standing {
        Standing::Broken(misread) => Some((count, format!("{rule}: {misread:?}"))),
        _ => None,
    });
    hunt(broken, report.rules.len() as u64)
}
