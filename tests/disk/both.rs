//! The same calls on the simulated disk and on the kernel's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fencehold::fs::{Fs, RealFs};
use fencehold_stress::sim::disk::{Disk, Persistence, ProcessId};
use fencehold_stress::sim::world::{SimFs, World};
use tempfile::TempDir;

use super::calls::{Call, Machine, PROCESSES, answers, drawn};
use super::filesystems::{Place, places};

/// Calls in a sequence: enough to fill the names and to empty them again.
const CALLS: usize = 1000;
/// Sequences for each filesystem.
const SEEDS: u64 = 30;

/// Three processes of the kernel, as far as files can tell: each with descriptions of its own.
pub(super) struct Real {
    fs: RealFs,
    root: PathBuf,
    _dir: TempDir,
}

impl Real {
    pub(super) fn on(place: &Place) -> Self {
        let dir = tempfile::tempdir_in(&place.dir).unwrap();
        Real { fs: RealFs, root: dir.path().canonicalize().unwrap(), _dir: dir }
    }
}

impl Machine for Real {
    type Fs = RealFs;

    fn fs(&self, _: usize) -> &RealFs {
        &self.fs
    }

    fn kill(&mut self, _: usize) {}

    fn root(&self) -> &Path {
        &self.root
    }
}

/// Three processes of the simulated world.
pub(super) struct Simulated {
    world: World,
    processes: Vec<(ProcessId, SimFs)>,
}

impl Simulated {
    pub(super) fn new(model: Persistence) -> Self {
        let world = World::calm(Disk::new().persistent(model, 4096));
        let process = |_| {
            let (process, fs, _) = world.process();
            (process, fs)
        };
        let processes: Vec<(ProcessId, SimFs)> = (0..PROCESSES).map(process).collect();
        processes[0].1.make_dir(Path::new("/w"), 0o700).unwrap();
        Simulated { world, processes }
    }
}

impl Machine for Simulated {
    type Fs = SimFs;

    fn fs(&self, process: usize) -> &SimFs {
        &self.processes[process].1
    }

    fn kill(&mut self, process: usize) {
        self.world.kill(self.processes[process].0);
        let (id, fs, _) = self.world.process();
        self.processes[process] = (id, fs);
    }

    fn root(&self) -> &Path {
        Path::new("/w")
    }
}

/// The shortest part of the calls, found by leaving out one after the other, that two machines still answer differently.
fn shortest(calls: &[(usize, Call)], differ: impl Fn(&[(usize, Call)]) -> bool) -> Vec<(usize, Call)> {
    let mut shortest = calls.to_vec();
    let mut at = shortest.len();
    while at > 0 {
        at -= 1;
        let mut without = shortest.clone();
        without.remove(at);
        if differ(&without) {
            shortest = without;
        }
    }
    shortest
}

/// How often the kernel is asked before its answers count as other ones: while another test of this process starts a
/// program, the child has, from fork(2) to exec(2), every description, and with it a lock whose file was just closed.
const ASKED: usize = 4;

/// Whether the kernel answers otherwise than `simulated` did.
pub(super) fn is_no_kernel(place: &Place, calls: &[(usize, Call)], simulated: &[String]) -> bool {
    (0..ASKED).all(|_| answers(&mut Real::on(place), calls) != simulated)
}

#[test]
fn random_calls_are_answered_as_the_kernel_answers_them() {
    let places = places();
    // What was answered how, over all filesystems: to know that the interesting answers were among them.
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let mut compared = 0;
    let mut filesystems = 0;
    for (place, seed) in places.iter().flat_map(|place| (0..SEEDS).map(move |seed| (place, seed))) {
        filesystems += usize::from(seed == 0);
        let calls = drawn(seed, CALLS);
        let model =
            [Persistence::Kept, Persistence::Ext4, Persistence::Posix][usize::try_from(seed % 3).unwrap()];
        let simulated = |calls: &[(usize, Call)]| answers(&mut Simulated::new(model), calls);
        let said = simulated(&calls);
        if is_no_kernel(place, &calls, &said) {
            let calls = shortest(&calls, |calls| is_no_kernel(place, calls, &simulated(calls)));
            let (left, right) = (answers(&mut Real::on(place), &calls), simulated(&calls));
            panic!("seed {seed} on {}: of {calls:#?}\nreal {left:#?}\nsimulated {right:#?}", place.name);
        }
        compared += calls.len();
        for ((_, call), answer) in calls.iter().zip(&said) {
            let call = format!("{call:?}");
            let kind = answer.split(' ').next().unwrap();
            *met.entry(format!("{} {kind}", call.split('(').next().unwrap())).or_default() += 1;
        }
    }
    println!("{compared} calls compared, on {filesystems} filesystems");
    assert!(filesystems >= 1, "no filesystem to compare with");
    assert_eq!(compared, filesystems * usize::try_from(SEEDS).unwrap() * CALLS);
    let interesting = [
        "Open AlreadyExists",
        "Open NotFound",
        "Open NotADirectory",
        "Open IsADirectory",
        "WriteAt Uncategorized",
        "Truncate InvalidInput",
        "IsAt true",
        "IsAt false",
        "Lock locked",
        "Lock held",
        "AreOne true",
        "Rename done",
        "Rename NotFound",
        "Rename NotADirectory",
        "Rename IsADirectory",
        "Rename InvalidInput",
        "Rename DirectoryNotEmpty",
        "RenameNew done",
        "RenameNew AlreadyExists",
        "RenameNew InvalidInput",
        "Link done",
        "Link AlreadyExists",
        "Link PermissionDenied",
        "Unlink IsADirectory",
        "MakeDir AlreadyExists",
        "RemoveDir DirectoryNotEmpty",
        "RemoveDir NotADirectory",
        "List NotADirectory",
        "Kill Kill",
    ];
    let missed: Vec<&str> = interesting.into_iter().filter(|what| !met.contains_key(*what)).collect();
    assert!(missed.is_empty(), "never met: {missed:?}; met: {met:#?}");
}
