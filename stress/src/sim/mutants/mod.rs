//! Small lock-file protocols over `Fs`: two with a defect that programs in the field have, and one without.
//!
//! The world must find the first two and never flag the third. Nothing here waits or widens a window; the interleaving
//! is chosen call by call.

mod careful;
mod double_takeover;
mod referee;
mod release_by_path;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fencehold::fs::{File, Fs, How, read_file};
use fencehold::host::Clock;

use super::choice::Source;
use super::disk::Disk;
use super::journal::Defect;
use super::scenario::{Found, Ran, Scenario, search};
use super::world::{Body, Options, SimFs, SimHost, World};
use referee::Referee;

/// The lock file.
const LOCK: &str = "/build.lock";
/// What the lock guards.
const RESOURCE: &str = "/resource";
/// How long a grant lasts.
const TTL_MS: u64 = 1_000;
/// A stall is longer.
const STALL_MS: u64 = 5_000;
/// How often a process asks for the lock.
const TRIES: usize = 3;

/// A lock-file protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// M05: judges the lock stale, then unlinks and creates; two takers both do.
    DoubleTakeover,
    /// M06: a release unlinks the path without looking whose lock stands there.
    ReleaseByPath,
    /// The control: every look and every change of the record is made under the OS lock of a file that stays.
    Careful,
}

/// What stands in a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds it.
    pub holder: String,
    /// The monotonic clock at which it lapses.
    pub expires_ms: u64,
}

impl Record {
    fn new(holder: &str, now_ms: u64) -> Self {
        Record { holder: holder.to_owned(), expires_ms: now_ms + TTL_MS }
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{} {}\n", self.holder, self.expires_ms).into_bytes()
    }

    /// A record exists when its newline does.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (holder, expires_ms) = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split_once(' ')?;
        Some(Record { holder: holder.to_owned(), expires_ms: expires_ms.parse().ok()? })
    }
}

/// Creates the lock file with a record; whether it was this call that created it.
fn create<F: Fs>(fs: &F, record: &Record) -> io::Result<bool> {
    match fs.open(Path::new(LOCK), How::CreateNew { mode: 0o600 }) {
        Ok(file) => file.append(&record.bytes()).map(|_| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn read<F: Fs>(fs: &F) -> io::Result<Option<Record>> {
    Ok(read_file(fs, Path::new(LOCK), 4096)?.as_deref().and_then(Record::parse))
}

fn unlink_if_there<F: Fs>(fs: &F) -> io::Result<()> {
    match fs.unlink(Path::new(LOCK)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Protocol {
    /// The name that reports print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::DoubleTakeover => "M05 double-takeover",
            Protocol::ReleaseByPath => "M06 release-by-path",
            Protocol::Careful => "control careful lock file",
        }
    }

    /// Asks for the lock once; the record that now stands in the lock file, where it was granted.
    ///
    /// # Errors
    /// Those of the calls that it makes.
    pub fn acquire<F: Fs>(self, fs: &F, host: &impl Clock, me: &str) -> io::Result<Option<Record>> {
        match self {
            Protocol::DoubleTakeover => double_takeover::acquire(fs, host, me),
            Protocol::ReleaseByPath => release_by_path::acquire(fs, host, me),
            Protocol::Careful => careful::acquire(fs, host, me),
        }
    }

    /// Gives the lock up.
    ///
    /// # Errors
    /// Those of the calls that it makes.
    pub fn release<F: Fs>(self, fs: &F, me: &str) -> io::Result<()> {
        match self {
            Protocol::DoubleTakeover => double_takeover::release(fs, me),
            Protocol::ReleaseByPath => release_by_path::release(fs),
            Protocol::Careful => careful::release(fs, me),
        }
    }

    /// M05 needs two takers of a dead process's lock and no time that passes; M06 needs a holder that is stalled past
    /// its TTL. The control stands all of it, and kills.
    fn options(self) -> Options {
        let stalls = |stalls_max, kills_max| Options {
            stalls_max,
            kills_max,
            stall_ms: STALL_MS,
            ..Options::default()
        };
        match self {
            Protocol::DoubleTakeover => Options::default(),
            Protocol::ReleaseByPath => stalls(1, 0),
            Protocol::Careful => stalls(2, 1),
        }
    }

    fn processes(self) -> usize {
        if self == Protocol::DoubleTakeover { 2 } else { 3 }
    }

    /// What a process that is long dead has left.
    #[must_use]
    pub fn disk(self) -> Disk {
        let mut disk = Disk::new();
        disk.put(RESOURCE, b"");
        match self {
            Protocol::DoubleTakeover => disk.put(LOCK, b"gone 1\n"),
            Protocol::ReleaseByPath => disk.put(release_by_path::GUARD, b""),
            Protocol::Careful => disk.put(LOCK, b"gone 1\n"),
        }
        disk
    }

    /// One process: asks for the lock, uses it, gives it up.
    fn process(self, fs: &SimFs, host: &SimHost, referee: &Referee) -> io::Result<()> {
        let me = format!("process-{}", host.number());
        let resource = fs.open(&PathBuf::from(RESOURCE), How::Append)?;
        for _ in 0..TRIES {
            let Some(record) = self.acquire(fs, host, &me)? else { continue };
            referee.entered(host, &record);
            resource.append(me.as_bytes())?;
            resource.append(b"\n")?;
            referee.leaves(host, &record);
            return self.release(fs, &me);
        }
        Ok(())
    }
}

impl Scenario for Protocol {
    fn name(&self) -> String {
        format!("mutant/{}", Protocol::name(*self))
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk(), source, self.options());
        let referee = Arc::new(Referee::new(&world));
        let body = || -> Body<'static, io::Result<()>> {
            let (protocol, referee) = (*self, Arc::clone(&referee));
            Box::new(move |fs, host| protocol.process(&fs, &host, &referee))
        };
        let ended = world.together_owned((0..self.processes()).map(|_| body()).collect());
        let (violation, calls) = referee.verdict(&ended).unzip();
        // What came after the violation explains nothing.
        let mut ran = Ran::of(&world, violation);
        ran.trace.truncate(calls.unwrap_or(usize::MAX));
        ran
    }
}

/// How many executions it takes to find the defect of `protocol`, and how to make that run again.
#[must_use]
pub fn executions_to_violation(protocol: Protocol, seed: u64, executions_max: u64) -> Option<Found> {
    search(&protocol, seed, executions_max, &mut |_| {})
}

/// How many executions a mutant may take.
pub const EXECUTIONS_MAX: u64 = 20_000;

/// What became of one mutant over several seeds.
#[derive(Debug, Clone)]
pub struct MutantResult {
    /// Its name.
    pub name: &'static str,
    /// Executions to the first violation by seed; none where it was not found within [`EXECUTIONS_MAX`].
    pub per_seed: Vec<Option<u64>>,
    /// The median; none where half of the seeds found nothing.
    pub median: Option<u64>,
    /// The most; none where a seed found nothing.
    pub worst: Option<u64>,
    /// The counterexample of the first seed that found one.
    pub example: Option<Found>,
}

impl MutantResult {
    fn of(name: &'static str, scenario: &dyn Scenario, seeds: &[u64]) -> Self {
        let found: Vec<Option<Found>> =
            seeds.iter().map(|seed| search(scenario, *seed, EXECUTIONS_MAX, &mut |_| {})).collect();
        let per_seed: Vec<Option<u64>> =
            found.iter().map(|found| found.as_ref().map(|it| it.executions)).collect();
        let mut sorted: Vec<u64> = per_seed.iter().map(|executions| executions.unwrap_or(u64::MAX)).collect();
        sorted.sort_unstable();
        let known = |executions: Option<&u64>| executions.copied().filter(|count| *count != u64::MAX);
        MutantResult {
            name,
            median: known(sorted.get(sorted.len() / 2)),
            worst: known(sorted.last()),
            per_seed,
            example: found.into_iter().flatten().next(),
        }
    }
}

/// Runs both mutants, and the defects of the simulated journal, on each seed.
#[must_use]
pub fn run_mutants(seeds: &[u64]) -> Vec<MutantResult> {
    let protocols = [Protocol::DoubleTakeover, Protocol::ReleaseByPath];
    let protocols = protocols.map(|protocol| MutantResult::of(protocol.name(), &protocol, seeds));
    let defects = Defect::ALL.map(|defect| MutantResult::of(defect.name(), &defect.shown(), seeds));
    protocols.into_iter().chain(defects).collect()
}

/// Runs the control; it must not be flagged.
#[must_use]
pub fn run_control(seed: u64, executions: u64, progress: &mut dyn FnMut(u64)) -> Option<Found> {
    search(&Protocol::Careful, seed, executions, progress)
}
