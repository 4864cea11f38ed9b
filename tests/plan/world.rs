//! A file, a board, a repository and a memory in this process, that are killed between any two steps, and in which others
//! act meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use fencehold::error::{Error, Result};
use fencehold::plan::{
    Barred, Base, Change, Committed, Effects, FileMemory, Happening, Left, Moved, Options, Sight, Step, read,
    sync,
};
use fencehold_model::status::{Value, Vocabulary};
use fencehold_model::{Status, TaskId};

/// What is wrong with the steps, where something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// What is begun is not remembered.
    NotBegun,
    /// The same bytes are taken for the same file.
    SameBytes,
    /// M57: the board is moved whatever stands there.
    BlindStep,
    /// The file is written whatever stands there.
    BlindWrite,
}

/// Who does what while a run goes on, or after it was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// A person edits the file and commits it.
    Person(&'static str),
    /// An agent moves the board there.
    Agent(&'static str),
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) file: Vec<u8>,
    pub(super) committed: Vec<u8>,
    pub(super) commits: u64,
    /// How many of them were ours.
    pub(super) ours: u64,
    pub(super) board: Option<Value>,
    /// How often the board was moved by us.
    pub(super) moves: u64,
    pub(super) memory: FileMemory,
    writes: u64,
    revision: u64,
    pub(super) calls: usize,
    /// The call before which, or after which, the process is killed.
    pub(super) kill: Option<(usize, bool)>,
    pub(super) act: Option<(usize, Act)>,
    /// Whether what another did last changed anything.
    pub(super) acted: bool,
    /// Git refuses to commit.
    pub(super) refuses: bool,
    pub(super) flaw: Option<Flaw>,
}

pub(super) fn text(status: &str) -> Vec<u8> {
    format!("# Plan\n\n```task\nid: T1\nstatus: {status}\n```\n").into_bytes()
}

fn status(text: &str) -> Status {
    Status::new(text).unwrap()
}

impl World {
    /// File and board have agreed on a status.
    pub(super) fn agreed(on: &str, flaw: Option<Flaw>) -> Self {
        let mut world = World {
            file: text(on),
            committed: text(on),
            commits: 1,
            ours: 0,
            board: Some(Value::of(0, 0, status(on), None)),
            moves: 0,
            memory: FileMemory::default(),
            writes: 0,
            revision: 10,
            calls: 0,
            kill: None,
            act: None,
            acted: false,
            refuses: false,
            flaw,
        };
        world.run().unwrap();
        world.calls = 0;
        world
    }

    pub(super) fn says(&self) -> String {
        read(&self.file).tasks[0].status.clone()
    }

    pub(super) fn stands(&self) -> String {
        Base::of(self.board.as_ref().unwrap()).unwrap().status.as_str().to_owned()
    }

    pub(super) fn does(&mut self, act: &Act) {
        self.acted = match act {
            Act::Person(to) => self.says() != *to,
            Act::Agent(to) => self.stands() != *to,
        };
        match act {
            Act::Person(to) if self.says() != *to => {
                self.file = text(to);
                self.committed = text(to);
                self.commits += 1;
                self.writes += 1;
            }
            Act::Agent(to) if self.stands() != *to => {
                self.revision += 1;
                self.board = Some(Value::of(self.revision, 0, status(to), None));
            }
            Act::Person(_) | Act::Agent(_) => {}
        }
    }

    pub(super) fn run(&mut self) -> Result<Vec<Happening>> {
        self.run_with(None)
    }

    pub(super) fn run_with(&mut self, no_writeback: Option<Left>) -> Result<Vec<Happening>> {
        let options =
            Options { vocabulary: Vocabulary::default(), no_writeback, doubled: Default::default() };
        sync(self, &options, TaskId::clone)
    }

    /// A call: what others do before it, a kill before it, or after it.
    fn call<T>(&mut self, does: impl FnOnce(&mut Self) -> T) -> Result<T> {
        let killed = || Err(Error::indefinite(Path::new("plan.md"), "killed"));
        let call = self.calls;
        self.calls += 1;
        if let Some((_, act)) = self.act.take_if(|(at, _)| *at == call) {
            self.does(&act);
        }
        match self.kill {
            Some((at, true)) if at == call => killed(),
            Some((at, false)) if at == call => {
                does(self);
                killed()
            }
            _ => Ok(does(self)),
        }
    }
}

impl Sight for World {
    fn memory(&mut self) -> Result<FileMemory> {
        self.call(|world| world.memory.clone())
    }

    fn identity(&mut self) -> Result<String> {
        self.call(|world| match world.flaw {
            Some(Flaw::SameBytes) => String::new(),
            _ => world.writes.to_string(),
        })
    }

    fn board(&mut self, tasks: &[TaskId]) -> Result<Vec<Option<Value>>> {
        self.call(|world| tasks.iter().map(|_| world.board.clone()).collect())
    }

    fn descends(&mut self, commit: &str) -> Result<bool> {
        self.call(|world| commit.parse::<u64>().unwrap() <= world.commits)
    }

    fn is_of_here(&mut self, commit: Option<&str>) -> Result<bool> {
        self.call(|_| commit.is_some())
    }
}

impl Effects for World {
    fn remember(&mut self, memory: &FileMemory) -> Result<()> {
        // It goes by its text, as on a disk.
        let kept = FileMemory::read(memory.write("tree", "plan.md").as_bytes(), "tree", "plan.md").unwrap();
        assert_eq!(&kept, memory);
        self.call(|world| {
            world.memory = kept;
            if world.flaw == Some(Flaw::NotBegun) {
                world.memory.writing = None;
                world.memory.tasks.values_mut().for_each(|task| task.moving = None);
            }
        })
    }

    fn file(&mut self) -> Result<Vec<u8>> {
        self.call(|world| world.file.clone())
    }

    fn step(&mut self, _: &TaskId, seen: Option<&Value>, step: Step, to: &Status) -> Result<Moved> {
        self.call(|world| {
            if world.board.as_ref() != seen && world.flaw != Some(Flaw::BlindStep) {
                return Moved::Meanwhile;
            }
            world.revision += 1;
            world.moves += 1;
            let stands = world.board.as_ref().map_or((0, 0), |board| (board.epoch, board.turn));
            let value = match step {
                Step::First | Step::Up => Value::of(stands.0, 0, to.clone(), None),
                Step::Beside => Value::of(stands.0, stands.1 + 1, to.clone(), None),
                Step::Reopen => Value::of(world.revision, 0, to.clone(), None),
            };
            world.board = Some(value.clone());
            Moved::Stands(value)
        })
    }

    fn barred(&mut self) -> Result<Option<Barred>> {
        self.call(|world| {
            let dirty = Barred { code: "dirty", why: String::new() };
            (world.file != world.committed).then_some(dirty)
        })
    }

    fn is_committed(&mut self) -> Result<bool> {
        self.call(|world| world.file == world.committed)
    }

    fn head(&mut self) -> Result<Option<String>> {
        self.call(|world| Some(world.commits.to_string()))
    }

    fn replace(&mut self, was: &[u8], new: &[u8]) -> Result<bool> {
        self.call(|world| {
            if world.file != was && world.flaw != Some(Flaw::BlindWrite) {
                return false;
            }
            world.file = new.to_vec();
            world.writes += 1;
            true
        })
    }

    fn commit(&mut self, new: &[u8], changes: &[Change]) -> Result<Committed> {
        self.call(|world| {
            if world.refuses || world.file != new {
                return Committed::Failed("no".to_owned());
            }
            let is_one = !changes.is_empty() && world.file != world.committed;
            assert!(is_one || world.flaw.is_some(), "a commit of nothing");
            world.committed = new.to_vec();
            world.commits += 1;
            world.ours += 1;
            Committed::Done
        })
    }
}

/// All that two runs are compared by.
pub(super) fn outcome(world: &World) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("file", String::from_utf8(world.file.clone()).unwrap()),
        ("committed", String::from_utf8(world.committed.clone()).unwrap()),
        ("board", world.stands()),
        ("moves", world.moves.to_string()),
        ("commits", world.ours.to_string()),
    ])
}
