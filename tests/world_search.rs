//! What the searches of the simulated world leave out, and what they must not.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode};
use fencehold_stress::sim::choice::{Explorer, Random, Reduction, Relation, Source, Touched};
use fencehold_stress::sim::disk::Disk;
use fencehold_stress::sim::door::Locks;
use fencehold_stress::sim::mutants::Protocol;
use fencehold_stress::sim::scenario::{Engine, Scenario, exhaust, exhaust_by, search_by};
use fencehold_stress::sim::together::Committers;
use fencehold_stress::sim::world::{Body, Ended, Options, SimFs, World};

/// One call of a drawn program.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create(usize),
    Append(usize),
    Read(usize),
    Stat(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Unlink(usize),
    List,
    /// Takes the lock of the file, reads it and appends to it under the lock.
    Locked(usize),
    Sync(usize),
}

/// What each process writes: nothing else that is answered has these characters.
const TAGS: &[u8] = b"#%&";
const PATHS: [&str; 3] = ["/a", "/b", "/d/c"];

/// A few calls of each of a few processes.
#[derive(Debug)]
struct Program(Vec<Vec<Step>>);

/// What each process was answered and what is on the disk: two runs with the same outcome are the same to everybody.
type Outcome = (Vec<Ended<Vec<String>>>, Vec<(String, Vec<u8>)>);

impl Program {
    fn drawn(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut below = |of: usize| random.below(u32::try_from(of).unwrap()) as usize;
        let processes = 2 + below(2);
        let calls = if processes == 2 { 3 } else { 2 };
        let mut step = || {
            let (path, other) = (below(PATHS.len()), below(PATHS.len()));
            match below(11) {
                0 => Step::Create(path),
                1 | 2 => Step::Append(path),
                3 | 4 => Step::Read(path),
                5 => Step::Stat(path),
                6 => Step::Rename(path, other),
                7 => Step::Link(path, other),
                8 => Step::Unlink(path),
                9 => {
                    if other == 0 {
                        Step::List
                    } else {
                        Step::Sync(path)
                    }
                }
                _ => Step::Locked(path),
            }
        };
        Program((0..processes).map(|_| (0..calls).map(|_| step()).collect()).collect())
    }

    fn disk() -> Disk {
        let mut disk = Disk::new();
        disk.put("/a", b"a");
        disk.make_dir(Path::new("/d"), 0o700).unwrap();
        disk.put("/d/c", b"c");
        disk
    }

    fn run(&self, source: Source, options: Options) -> (Outcome, Source) {
        let world = World::new(Self::disk(), source.quiet(), options);
        let body = |steps: &[Step]| -> Body<'static, Vec<String>> {
            let steps = steps.to_vec();
            Box::new(move |fs, host| {
                let tag = [TAGS[host.number()]];
                steps.iter().map(|step| said(step.call(&fs, &tag))).collect()
            })
        };
        let ended = world.together_owned(self.0.iter().map(|steps| body(steps)).collect());
        let files = world.disk(|disk| {
            disk.files().map(|(path, bytes)| (path.display().to_string(), bytes.to_vec())).collect()
        });
        ((ended, files), world.finish().0)
    }

    /// Every outcome, and how many runs it took.
    fn outcomes(&self, mut explorer: Explorer, options: Options) -> (BTreeSet<String>, u64) {
        let mut outcomes = BTreeSet::new();
        while let Some(source) = explorer.next_run() {
            let (outcome, source) = self.run(source, options);
            if !source.is_redundant() {
                outcomes.insert(format!("{outcome:?}"));
            }
            explorer.ran(&source);
        }
        (outcomes, explorer.explored().runs)
    }
}

/// The same outcome whatever the processes are called: of all ways to number them, the one that comes first.
fn unnumbered((ended, files): &Outcome) -> String {
    let renamings: &[&[usize]] = match ended.len() {
        2 => &[&[0, 1], &[1, 0]],
        _ => &[&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]],
    };
    let told = |renaming: &&[usize]| {
        let tag = |byte: char| match TAGS.iter().position(|tag| char::from(*tag) == byte) {
            Some(process) => char::from(TAGS[renaming[process]]),
            None => byte,
        };
        let mut processes: Vec<(usize, String)> = renaming
            .iter()
            .zip(ended)
            .map(|(now, ended)| (*now, format!("{ended:?}").chars().map(tag).collect()))
            .collect();
        processes.sort();
        let bytes = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().map(tag).collect::<String>();
        let files: Vec<(&str, String)> = files.iter().map(|(path, is)| (path.as_str(), bytes(is))).collect();
        format!("{processes:?} {files:?}")
    };
    renamings.iter().map(told).min().expect("there is a way to number them")
}

/// The steps of processes that are one program: what they answer names no number but a process's.
fn alike(seed: u64) -> Program {
    let mut random = Random::new(seed);
    let processes = 2 + random.below(2) as usize;
    let calls = if processes == 2 { 3 } else { 2 };
    let steps: Vec<Step> = (0..calls)
        .map(|_| {
            let (path, other) = (random.below(3) as usize, random.below(3) as usize);
            match random.below(6) {
                0 => Step::Append(path),
                1 | 2 => Step::Read(path),
                3 => Step::Rename(path, other),
                4 => Step::Unlink(path),
                _ => Step::Locked(path),
            }
        })
        .collect();
    Program(vec![steps; processes])
}

/// Every outcome up to the names of the processes, and how many runs it took.
fn unnumbered_outcomes(
    program: &Program,
    mut explorer: Explorer,
    options: Options,
) -> (BTreeSet<String>, u64) {
    let mut outcomes = BTreeSet::new();
    while let Some(source) = explorer.next_run() {
        let (outcome, source) = program.run(source, options);
        if !source.is_redundant() {
            outcomes.insert(unnumbered(&outcome));
        }
        explorer.ran(&source);
    }
    (outcomes, explorer.explored().runs)
}

/// How many programs lost an outcome where it is said that their processes are alike.
fn compare_alike(programs: &[Program], options: Options) -> Compared {
    let mut compared = Compared::default();
    for program in programs {
        let reduced = || Explorer::reduced(Reduction::Bounded, Touched::commutes);
        let (all, all_runs) = unnumbered_outcomes(program, Explorer::new(), options);
        let said = Options { alike: true, ..options };
        let (fewer, _) = unnumbered_outcomes(program, Explorer::new(), said);
        let (fewest, reduced_runs) = unnumbered_outcomes(program, reduced(), said);
        assert!(fewer.is_subset(&all) && fewest.is_subset(&all), "{program:?} sees what there is not");
        compared.lost += u64::from(fewer != all || fewest != all);
        compared.programs += 1;
        compared.all_runs += all_runs;
        compared.reduced_runs += reduced_runs;
    }
    compared
}

#[test]
fn of_processes_that_are_one_program_the_first_to_begin_may_be_any() {
    let programs: Vec<Program> = (0..60).map(alike).collect();
    assert!(programs.iter().any(|program| program.0.len() == 3));
    for (preemptions, kills) in [(0, 0), (1, 0), (2, 0), (1, 1)] {
        let compared = compare_alike(&programs, Options::bounded(preemptions, kills));
        println!("bound {preemptions}, {kills} kills: {compared:?}");
        assert_eq!((compared.lost, compared.programs), (0, 60), "bound {preemptions}, {kills} kills");
        assert!(compared.reduced_runs * 2 <= compared.all_runs, "{compared:?}");
    }
}

/// The comparison must be able to fail: where bodies that differ are said to be alike, outcomes are lost.
#[test]
fn bodies_that_differ_and_are_said_to_be_alike_lose_outcomes() {
    let differ: Vec<Program> = (0..60)
        .map(|seed| {
            let (mut one, other) = (alike(seed), alike(seed + 1_000));
            let last = one.0.len() - 1;
            one.0[last].clone_from(&other.0[0]);
            one
        })
        .collect();
    for (preemptions, kills) in [(0, 0), (1, 0), (1, 1)] {
        let compared = compare_alike(&differ, Options::bounded(preemptions, kills));
        println!("bound {preemptions}, {kills} kills: {compared:?}");
        assert!(compared.lost > 10, "bound {preemptions}, {kills} kills: {compared:?}");
    }
    let read_and_append = Program(vec![vec![Step::Read(0)], vec![Step::Append(0)]]);
    let compared = compare_alike(&[read_and_append], Options::bounded(0, 0));
    assert_eq!(compared.lost, 1, "nobody reads what the second one wrote: {compared:?}");
}

fn said<T: std::fmt::Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

impl Step {
    fn call(self, fs: &SimFs, tag: &[u8]) -> io::Result<String> {
        let at = |path: usize| Path::new(PATHS[path]);
        let read = |file: &<SimFs as Fs>::File| {
            let mut into = [0; 16];
            let count = file.read_at(0, &mut into)?;
            Ok::<_, io::Error>(String::from_utf8_lossy(&into[..count]).into_owned())
        };
        match self {
            Step::Create(path) => {
                let file = fs.open(at(path), How::CreateNew { mode: 0o600 })?;
                Ok(format!("{:?}", file.stat()?.id))
            }
            Step::Append(path) => Ok(fs.open(at(path), How::Append)?.append(tag)?.to_string()),
            Step::Read(path) => read(&fs.open(at(path), How::Read)?),
            Step::Stat(path) => Ok(format!("{:?}", fs.stat(at(path))?.map(|stat| (stat.id, stat.len)))),
            Step::Rename(from, to) => fs.rename(at(from), at(to)).map(|()| String::new()),
            Step::Link(from, to) => fs.link(at(from), at(to)).map(|()| String::new()),
            Step::Unlink(path) => fs.unlink(at(path)).map(|()| String::new()),
            Step::List => Ok(fs.list(Path::new("/"))?.join(" ")),
            Step::Sync(path) => fs.open(at(path), How::Read)?.sync().map(|()| String::new()),
            Step::Locked(path) => {
                let file = fs.open(at(path), How::Append)?;
                match file.lock(LockMode::Exclusive, Duration::from_secs(1)) {
                    Ok(()) => {}
                    Err(LockError::TimedOut) => return Ok("held".to_owned()),
                    Err(LockError::Io(error)) => return Err(error),
                }
                let was = read(&file)?;
                file.append(tag)?;
                Ok(was)
            }
        }
    }
}

/// How many programs `lost` an outcome, of how many; and how many runs there were without and with the reduction.
#[derive(Debug, Default)]
struct Compared {
    lost: u64,
    programs: u64,
    all_runs: u64,
    reduced_runs: u64,
}

fn compare(programs: u64, options: Options, reduction: Reduction, commutes: Relation) -> Compared {
    let mut compared = Compared::default();
    for seed in 0..programs {
        let program = Program::drawn(seed);
        let (all, all_runs) = program.outcomes(Explorer::new(), options);
        let (reduced, reduced_runs) = program.outcomes(Explorer::reduced(reduction, commutes), options);
        assert!(reduced.is_subset(&all), "{program:?}: the reduced search sees what there is not");
        compared.lost += u64::from(reduced != all);
        compared.programs += 1;
        compared.all_runs += all_runs;
        compared.reduced_runs += reduced_runs;
    }
    compared
}

#[test]
fn a_search_without_the_order_of_what_commutes_sees_every_outcome() {
    let compared = compare(60, Options::default(), Reduction::Unbounded, Touched::commutes);
    assert_eq!((compared.lost, compared.programs), (0, 60), "{compared:?}");
    assert!(compared.reduced_runs * 4 < compared.all_runs, "{compared:?}");
}

#[test]
fn nor_does_it_lose_one_under_a_preemption_bound_or_with_a_kill_anywhere() {
    for (preemptions, kills) in [(0, 0), (1, 0), (2, 0), (1, 1)] {
        let options = Options::bounded(preemptions, kills);
        let compared = compare(60, options, Reduction::Bounded, Touched::commutes);
        assert_eq!(
            (compared.lost, compared.programs),
            (0, 60),
            "bound {preemptions}, {kills} kills: {compared:?}"
        );
        if preemptions > 0 {
            assert!(compared.reduced_runs < compared.all_runs, "bound {preemptions}: {compared:?}");
        }
    }
}

/// The comparison itself must be able to fail: relations and bounds that are wrong lose outcomes.
#[test]
fn a_wrong_relation_and_a_wrong_use_of_a_right_one_lose_outcomes() {
    let everything = compare(60, Options::default(), Reduction::Unbounded, |_, _| true);
    assert!(everything.lost > 30, "everything commutes: {everything:?}");
    let bounded = compare(60, Options::bounded(1, 0), Reduction::Bounded, |_, _| true);
    assert!(bounded.lost > 10, "everything commutes, bound 1: {bounded:?}");
    // Who was chosen by preempting another must not sleep under a bound.
    let all_sleep = compare(60, Options::bounded(1, 0), Reduction::Unbounded, Touched::commutes);
    assert!(all_sleep.lost > 0, "all sleep under a bound: {all_sleep:?}");
}

#[test]
fn a_bug_is_found_at_the_same_bound_with_fewer_runs() {
    for bound in [1, 2] {
        let options = Options { locks: Locks::Ignored, ..Options::bounded(bound, 0) };
        let scenario = Committers::new(2, options);
        let count = |explorer: Explorer| {
            let mut runs = 0;
            let found = exhaust_by(explorer, &scenario, 1_000_000, &mut |seen| runs = seen);
            assert!(found.is_err(), "two commits without the OS lock, bound {bound}");
            runs
        };
        let (all, reduced) =
            (count(Explorer::new()), count(Explorer::reduced(Reduction::Bounded, Touched::commutes)));
        assert!(reduced <= all, "bound {bound}: {reduced} runs with, {all} without reduction");
    }
    let sound = Committers::new(2, Options::bounded(1, 1));
    let (all, reduced) = (
        exhaust(&sound, 1_000_000, &mut |_| {}).unwrap(),
        exhaust_by(Explorer::reduced(Reduction::Bounded, Touched::commutes), &sound, 1_000_000, &mut |_| {})
            .unwrap(),
    );
    assert!(all.complete && reduced.complete);
    assert!(reduced.runs < all.runs, "{reduced:?} of {all:?}");
}

#[test]
fn priorities_find_both_lock_file_mutants_at_depth_two_and_three_and_never_the_control() {
    // M06 needs two switches: away from the holder after its stall, and back to it before the other is done.
    for (depth, mutants) in
        [(2, &[Protocol::DoubleTakeover][..]), (3, &[Protocol::DoubleTakeover, Protocol::ReleaseByPath])]
    {
        for protocol in mutants {
            let found = search_by(Engine::Pct { depth }, protocol, 7, 20_000, &mut |_| {});
            let found = found.unwrap_or_else(|| panic!("{} at depth {depth}", Scenario::name(protocol)));
            let again = protocol.run(Source::replay(&found.counterexample.schedule));
            assert_eq!(again.violation.as_ref(), Some(&found.counterexample.what));
        }
        let mut runs = 0;
        let flagged = search_by(Engine::Pct { depth }, &Protocol::Careful, 7, 2_000, &mut |seen| runs = seen);
        assert!(flagged.is_none() && runs == 2_000);
    }
}
