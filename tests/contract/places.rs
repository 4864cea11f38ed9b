//! Where a journal is asked to keep the contract: in files on the real disk, in files on the simulated one, and on the
//! simulated store.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold::fs::{File as _, Fs as _, How, LockMode, RealFile, RealFs};
use fencehold::host::{Clock, Host, Reading};
use fencehold::journal::{Durability, FileJournal, Journal, Modes, Options, create};
use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;
use fencehold_stress::sim::choice::Source;
use fencehold_stress::sim::disk::Disk as SimDisk;
use fencehold_stress::sim::journal::{Defect, Faults, Limits, Remote, SimJournal, SimStore, Trouble};
use fencehold_stress::sim::world::{Ended, Fault, Plan, SimFs, SimHost, World};

use crate::spec_kit::{Act, Disk, Machine};

/// One journal that is shared, and the clients of it.
pub(super) trait Place {
    /// A client's handle.
    type Journal: Journal;

    /// One more client, whose own wall clock is so far ahead.
    fn ahead(&self, ahead_ms: u64) -> Self::Journal;

    /// A client whose answers do not wait for the disk, where there are such.
    fn relaxed(&self) -> Option<Self::Journal>;

    /// Lets time pass for everybody.
    fn pass(&self, ms: u64);

    /// Does this with a client whose next event is recorded, and that is not told so: the answer is an error, or none
    /// because the client is dead.
    fn unanswered<R>(&self, ask: impl FnOnce(&Self::Journal) -> R) -> Option<R>;

    /// Does this with a client that cannot get anything recorded.
    fn cut_off<R>(&self, ask: impl FnOnce(&Self::Journal) -> R) -> R;

    /// Whether nothing goes wrong but what is asked for here.
    fn is_calm(&self) -> bool {
        true
    }

    /// One more client.
    fn client(&self) -> Self::Journal {
        self.ahead(0)
    }
}

const DURABLE: Options = Options { durability: Durability::Durable, patience: Duration::from_secs(60) };
const RELAXED: Options = Options { durability: Durability::Relaxed, ..DURABLE };
const IMPATIENT: Options = Options { patience: Duration::ZERO, ..DURABLE };
const SHORT: Options = Options { patience: Duration::from_millis(20), ..DURABLE };

/// A machine as a client with a wall clock of its own sees it.
#[derive(Debug, Clone)]
pub(super) struct Ahead<H>(H, u64);

impl<H: Host> Clock for Ahead<H> {
    fn boot(&self) -> BootId {
        self.0.boot()
    }
    fn reading(&self) -> Reading {
        let reading = self.0.reading();
        Reading { wall_ms: reading.wall_ms + self.1, ..reading }
    }
}

impl<H: Host> Host for Ahead<H> {
    fn liveness(&self, process: &Process) -> Liveness {
        self.0.liveness(process)
    }
    fn random(&self) -> u128 {
        self.0.random()
    }
}

/// Files on the real disk.
pub(super) struct RealFiles {
    dir: tempfile::TempDir,
    machine: Machine,
}

impl RealFiles {
    pub(super) fn new() -> Self {
        let place = RealFiles { dir: tempfile::tempdir().unwrap(), machine: Machine::new() };
        assert!(create(&RealFs, &place.machine, &place.ws(), Modes::Owner).unwrap());
        place
    }

    fn ws(&self) -> PathBuf {
        self.dir.path().join("ws")
    }

    fn on(&self, disk: Disk, options: Options, ahead_ms: u64) -> FileJournal<Disk, Ahead<Machine>> {
        FileJournal::new(disk, Ahead(self.machine.clone(), ahead_ms), &self.ws(), options)
    }
}

impl Place for RealFiles {
    type Journal = FileJournal<Disk, Ahead<Machine>>;

    fn ahead(&self, ahead_ms: u64) -> Self::Journal {
        // Nobody here waits for the OS lock: who has it does not go on before the other has given up.
        self.on(Disk::new(|_, _| Act::Go), IMPATIENT, ahead_ms)
    }

    fn relaxed(&self) -> Option<Self::Journal> {
        Some(self.on(Disk::new(|_, _| Act::Go), RELAXED, 0))
    }

    fn pass(&self, ms: u64) {
        self.machine.pass(ms);
    }

    fn unanswered<R>(&self, ask: impl FnOnce(&Self::Journal) -> R) -> Option<R> {
        let mut written = false;
        let disk = Disk::new(move |call, path| {
            let journal = path.to_string_lossy().ends_with(".ndjson");
            written |= call == "append" && journal;
            if written && call == "sync" && journal { Act::Fail(std::io::ErrorKind::Other) } else { Act::Go }
        });
        Some(ask(&self.on(disk, DURABLE, 0)))
    }

    fn cut_off<R>(&self, ask: impl FnOnce(&Self::Journal) -> R) -> R {
        let lock: RealFile = RealFs.open(&self.ws().join("lock"), How::Read).unwrap();
        lock.lock(LockMode::Exclusive, Duration::from_secs(60)).unwrap();
        let answer = ask(&self.on(Disk::new(|_, _| Act::Go), SHORT, 0));
        // Closing is not enough: a child that another thread forks has it open until its exec.
        lock.unlock().unwrap();
        answer
    }
}

/// Files on the simulated disk.
pub(super) struct SimFiles {
    world: World,
    passed_ms: Cell<u64>,
}

const DIR: &str = "/w/fencehold";

impl SimFiles {
    pub(super) fn new() -> Self {
        let place = SimFiles { world: World::calm(SimDisk::new()), passed_ms: Cell::new(0) };
        let made = place.world.alone(Plan::NONE, |fs, host| {
            fs.make_dir(Path::new("/w"), 0o755).unwrap();
            create(&fs, &host, Path::new(DIR), Modes::Owner).unwrap()
        });
        assert_eq!(made, Ended::Returned(true));
        place
    }

    fn on(fs: SimFs, host: SimHost, options: Options, ahead_ms: u64) -> FileJournal<SimFs, Ahead<SimHost>> {
        FileJournal::new(fs, Ahead(host, ahead_ms), Path::new(DIR), options)
    }
}

impl Place for SimFiles {
    type Journal = FileJournal<SimFs, Ahead<SimHost>>;

    fn ahead(&self, ahead_ms: u64) -> Self::Journal {
        let (_, fs, host) = self.world.process();
        Self::on(fs, host, IMPATIENT, ahead_ms)
    }

    fn relaxed(&self) -> Option<Self::Journal> {
        let (_, fs, host) = self.world.process();
        Some(Self::on(fs, host, RELAXED, 0))
    }

    fn pass(&self, ms: u64) {
        self.world.advance(ms);
        self.passed_ms.set(self.passed_ms.get() + ms);
    }

    fn unanswered<R>(&self, ask: impl FnOnce(&Self::Journal) -> R) -> Option<R> {
        // Where the event is written is found out on a copy of the disk: the commit of a new client there.
        let copy = World::calm(self.world.disk(|disk| disk.clone()));
        copy.advance(self.passed_ms.get());
        let _ = copy.alone(Plan::NONE, |fs, host| {
            let journal = Self::on(fs, host, DURABLE, 0);
            super::clauses::record(&journal)
        });
        let written = copy.trace().iter().rposition(|step| step.call == "append").unwrap();
        let plan = Plan::at(written as u64 + 1, Fault::Kill);
        match self.world.alone(plan, |fs, host| ask(&Self::on(fs, host, DURABLE, 0))) {
            Ended::Returned(answer) => Some(answer),
            Ended::Killed => None,
            Ended::Panicked(text) => panic!("{text}"),
        }
    }

    fn cut_off<R>(&self, ask: impl FnOnce(&Self::Journal) -> R) -> R {
        let (holder, fs, _) = self.world.process();
        let lock = fs.open(&Path::new(DIR).join("lock"), How::Read).unwrap();
        lock.lock(LockMode::Exclusive, Duration::ZERO).unwrap();
        let (_, fs, host) = self.world.process();
        let answer = ask(&Self::on(fs, host, SHORT, 0));
        // The wait passed in simulated time.
        self.passed_ms.set(self.passed_ms.get() + 20);
        self.world.kill(holder);
        answer
    }
}

/// The simulated store.
pub(super) struct Store {
    store: SimStore,
    calm: bool,
}

impl Store {
    /// Where nothing goes wrong by itself.
    pub(super) fn calm() -> Self {
        Self::with(None)
    }

    /// The same with a defect.
    pub(super) fn with(defect: Option<Defect>) -> Self {
        let limits = Limits { trim_after: 1, ..Limits::default() };
        let store = SimStore::new(Remote::new(Source::first(), limits, Faults::default(), defect));
        Store { store, calm: true }
    }

    /// Where messages are delayed, doubled and lost, less often than a client asks again.
    pub(super) fn troubled(seed: u64) -> Self {
        let faults = Faults { lost_max: 1, twice_max: 4, late_max: 1, ..Faults::default() };
        let limits = Limits { trim_after: 1, ..Limits::default() };
        Store { store: SimStore::new(Remote::new(Source::random(seed), limits, faults, None)), calm: false }
    }

    /// A client that hears no answer to what it records, or that reaches nobody.
    pub(super) fn troubled_client(&self, arrives: bool) -> SimJournal {
        self.store.client(1, if arrives { Trouble::Unanswered } else { Trouble::CutOff }, 0)
    }
}

impl Place for Store {
    type Journal = SimJournal;

    fn ahead(&self, ahead_ms: u64) -> SimJournal {
        self.store.client(0, Trouble::Chosen, ahead_ms)
    }

    fn is_calm(&self) -> bool {
        self.calm
    }

    fn relaxed(&self) -> Option<SimJournal> {
        Some(self.store.relaxed(3))
    }

    fn pass(&self, ms: u64) {
        self.store.pass(ms);
    }

    fn unanswered<R>(&self, ask: impl FnOnce(&SimJournal) -> R) -> Option<R> {
        Some(ask(&self.troubled_client(true)))
    }

    fn cut_off<R>(&self, ask: impl FnOnce(&SimJournal) -> R) -> R {
        ask(&self.troubled_client(false))
    }
}
