//! A registry in one JSON file, in memory: without a flaw, with one, or with all that the published one has.
//!
//! A call goes in five steps: it reads and judges, decides, writes a temp, renames it, and reads once more. With a lock
//! nothing comes between them; without one a scenario says what does.

mod call;
mod decide;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::asked::{Act, From, Registry, Spoil};
use crate::program::Said;
use call::Call;

/// What is wrong with it. A number is that of the mutant which it is, alone or with what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing is locked from the read to the rename. Alone: M33.
    Unlocked,
    /// M31: a lost update is looked for by counting the leases.
    Count,
    /// M32: a lost update is seen, and worth a warning.
    WarnOnly,
    /// M37: the exit code of a closeout does not know its labels.
    LabelOnly,
    /// M38: what goes wrong in a closeout leaves the leases out of it.
    SectionNull,
    /// M10: what cannot be parsed is an empty registry.
    CorruptIsEmpty,
    /// M26: whoever reads moves a damaged file aside.
    ReaderMoves,
    /// M34: it moves whatever stands at the path, after a verdict on what stood there.
    MovesByPath,
    /// M35: any failure to read is damage.
    FailureIsDamage,
    /// What is moved aside is named by the millisecond.
    NamedByTime,
    /// A temp is named by the pid.
    TempByPid,
    /// M13: what killed processes left is never swept.
    NeverSweeps,
    /// M39: each worktree has a file of its own.
    PerWorktree,
    /// M40: an id is stored as it was typed, and compared so, except where a closeout takes its zeros away.
    RawIds,
    /// M41: whatever has ended may crash, and a clear takes the last of several away.
    AnyTransition,
    /// Nobody looks whether a process lives.
    NoLiveness,
    /// M43: force needs no reason and keeps none.
    ForceUnrecorded,
    /// M42: write sets are stored.
    WritesIgnored,
    /// Neither the version nor the entries are looked at.
    ShapeUnchecked,
}

/// All that is wrong with the published registry: it warns where the count of leases is another.
pub(super) const PUBLISHED: &[Flaw] = &[
    Flaw::Unlocked,
    Flaw::Count,
    Flaw::LabelOnly,
    Flaw::SectionNull,
    Flaw::CorruptIsEmpty,
    Flaw::ReaderMoves,
    Flaw::MovesByPath,
    Flaw::FailureIsDamage,
    Flaw::NamedByTime,
    Flaw::TempByPid,
    Flaw::NeverSweeps,
    Flaw::PerWorktree,
    Flaw::RawIds,
    Flaw::AnyTransition,
    Flaw::NoLiveness,
    Flaw::ForceUnrecorded,
    Flaw::WritesIgnored,
    Flaw::ShapeUnchecked,
];

#[derive(Debug, Clone)]
pub(super) enum File {
    Text(String),
    Folder,
}

/// The disk, and who lives.
pub(super) struct Naive {
    flaws: &'static [Flaw],
    files: BTreeMap<String, File>,
    /// What [`Spoil::Folder`] took away.
    aside: BTreeMap<String, File>,
    no_descriptors: bool,
    disk_is_full: bool,
    alive: BTreeSet<u64>,
    /// For names that are not used again.
    drawn: u64,
}

/// The file that a call looks at.
const FILE: &str = "registry.json";
/// The instant of everything, for names that are made of it.
const NOW_MS: u64 = 1_700_000_000_000;
/// The pid of a process, where nothing else is said.
const PID: u64 = 7;

impl Naive {
    pub(super) fn new(flaws: &'static [Flaw]) -> Self {
        Naive {
            flaws,
            files: BTreeMap::new(),
            aside: BTreeMap::new(),
            no_descriptors: false,
            disk_is_full: false,
            alive: BTreeSet::new(),
            drawn: 0,
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn path(&self, from: From) -> String {
        let own = self.has(Flaw::PerWorktree) && from == From::LinkedWorktree;
        if own { format!("tree/{FILE}") } else { FILE.to_owned() }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    /// Takes calls to their end, a step of each in turn where nothing is locked.
    fn run<const N: usize>(&mut self, mut calls: [Call; N]) -> [Said; N] {
        if self.has(Flaw::Unlocked) {
            for _ in 0..call::STEPS {
                calls.iter_mut().for_each(|call| call.step(self));
            }
        } else {
            calls.iter_mut().for_each(|call| call.finish(self));
        }
        calls.map(Call::said)
    }

    fn spoil_file(&mut self, path: String, how: Spoil) {
        let File::Text(text) = &self.files[&path] else { return };
        let mut value: Value = serde_json::from_str(text).unwrap_or_default();
        let spoiled = match how {
            Spoil::Garbage(rubbish) => File::Text(rubbish.to_owned()),
            Spoil::Empty => File::Text(String::new()),
            Spoil::NoDescriptors => return self.no_descriptors = true,
            Spoil::Folder => {
                self.aside.insert(path.clone(), self.files[&path].clone());
                File::Folder
            }
            Spoil::Newer => {
                value["schema_version"] = json!(7);
                File::Text(value.to_string())
            }
            Spoil::NullEntry => {
                value["leases"].as_array_mut().expect("leases").push(Value::Null);
                File::Text(value.to_string())
            }
        };
        self.files.insert(path, spoiled);
    }
}

impl Registry for Naive {
    fn anew(&self) -> Box<dyn Registry> {
        Box::new(Naive::new(self.flaws))
    }

    fn rounds(&self) -> usize {
        1
    }

    fn does(&mut self, from: From, act: &Act) -> Said {
        let [said] = self.run([Call::new(from, act)]);
        said
    }

    fn two_at_once(&mut self, one: &Act, other: &Act) -> [Said; 2] {
        let mut calls = [Call::new(From::Main, one), Call::new(From::Main, other)];
        calls[1].pid += 1;
        self.run(calls)
    }

    fn in_two_containers(&mut self, one: &Act, other: &Act) -> [Said; 2] {
        self.run([Call::new(From::Main, one), Call::new(From::Main, other)])
    }

    fn held_up(&mut self, first: &Act, others: &[Act]) -> Vec<Said> {
        let mut first = Call::new(From::Main, first);
        if self.has(Flaw::Unlocked) || self.has(Flaw::MovesByPath) {
            first.step(self);
        } else {
            first.finish(self);
        }
        let others: Vec<Said> = others.iter().map(|act| self.does(From::Main, act)).collect();
        first.finish(self);
        [first.said()].into_iter().chain(others).collect()
    }

    fn killed_writing(&mut self, act: &Act) {
        let mut call = Call::new(From::Main, act);
        call.pid += 100 + self.draw();
        for _ in 0..call::WRITTEN {
            call.step(self);
        }
    }

    fn on_a_full_disk(&mut self, act: &Act) -> Said {
        self.disk_is_full = true;
        let said = self.does(From::Main, act);
        self.disk_is_full = false;
        said
    }

    fn spoil(&mut self, how: Spoil) {
        self.spoil_file(FILE.to_owned(), how);
    }

    fn mend(&mut self) {
        self.no_descriptors = false;
        self.files.append(&mut self.aside);
    }

    fn ids_are_numbers(&mut self) {}

    fn worker(&mut self) -> u64 {
        let pid = 100 + self.draw();
        self.alive.insert(pid);
        pid
    }

    fn kill(&mut self, pid: u64) {
        self.alive.remove(&pid);
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |file: &File| match file {
            File::Text(text) => text.clone().into_bytes(),
            File::Folder => Vec::new(),
        };
        self.files.iter().map(|(path, file)| (path.clone(), bytes(file))).collect()
    }
}
