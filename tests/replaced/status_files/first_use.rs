//! The first use of what nobody has set up, by several at once.

use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Barrier};
use std::thread;

use fencehold::fs::RealFs;
use fencehold::journal::{Modes, create};
use fencehold_model::TaskId;
use fencehold_model::status::Command;

use super::scenarios::{Outcome, need};
use crate::program::{Kept, Yard, clean};
use crate::spec_kit::{Lab, asking};

/// How many begin at once.
const USERS: usize = 4;

/// Something that keeps what it is given, and that nobody has set up.
pub(super) trait Unset {
    /// How often it is tried: once where the order of the steps is fixed.
    fn rounds(&self) -> usize;
    /// Each of so many gives it something of its own, all at once and none before; how many were told that it is kept.
    fn used_at_once(&mut self, users: usize) -> usize;
    /// How much it keeps, and in how many places.
    fn kept(&mut self) -> (usize, usize);
}

/// What the first users give is kept, all of it in one place.
pub(super) fn several_use_it_first(anew: &dyn Fn() -> Box<dyn Unset>) -> Outcome {
    let mut seen = 0;
    for _ in 0..anew().rounds() {
        let mut it = anew();
        let told = it.used_at_once(USERS);
        let (kept, places) = it.kept();
        need(told == USERS, || format!("{told} of {USERS} could use it"))?;
        need(kept == told && places == 1, || {
            format!("{told} were told that theirs is kept; {kept} are, in {places}")
        })?;
        seen += 1;
    }
    need(seen > 0, || "nobody used it".to_owned())
}

/// Ours, by processes: each sets the status of a task in a repository without a workspace.
pub(super) struct ByProcesses(Yard);

impl ByProcesses {
    pub(super) fn new() -> Self {
        ByProcesses(Yard::with_git())
    }
}

impl Unset for ByProcesses {
    fn rounds(&self) -> usize {
        6
    }

    fn used_at_once(&mut self, users: usize) -> usize {
        // All stand at one pipe, which is closed when all have said that they are there.
        let (reader, barrier) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let begin = |number: usize| {
            let mut sh = std::process::Command::new("sh");
            clean(&mut sh).current_dir(self.0.path()).env("FENCEHOLD_HOLDER", "tester");
            sh.args([
                "-c",
                "echo ready; read go; exec \"$@\"",
                "sh",
                env!("CARGO_BIN_EXE_fencehold-under-test"),
            ]);
            sh.args(["task", "set", &format!("t{number}"), "todo"]);
            sh.stdin(reader.try_clone().unwrap()).stdout(Stdio::piped()).stderr(Stdio::null());
            Kept(sh.spawn().unwrap())
        };
        let mut begun: Vec<Kept> = (0..users).map(begin).collect();
        for user in &mut begun {
            user.0.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        }
        drop(barrier);
        begun.into_iter().filter_map(|mut user| user.0.wait().unwrap().success().then_some(())).count()
    }

    fn kept(&mut self) -> (usize, usize) {
        let names = std::fs::read_dir(self.0.join(".git")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let places = names.filter(|name| name.contains("fencehold")).count();
        (self.0.run(["task", "list"]).stdout.lines().count(), places)
    }
}

/// Ours, by threads of this process, each with a handle of its own or all with one.
pub(super) struct ByThreads {
    lab: Lab,
    one_handle: bool,
}

impl ByThreads {
    pub(super) fn new(one_handle: bool) -> Self {
        ByThreads { lab: Lab::empty(), one_handle }
    }
}

impl Unset for ByThreads {
    fn rounds(&self) -> usize {
        20
    }

    fn used_at_once(&mut self, users: usize) -> usize {
        let barrier = Arc::new(Barrier::new(users));
        let shared = Arc::new(self.lab.party());
        let users: Vec<_> = (0..users)
            .map(|number| {
                let (barrier, machine, dir) = (Arc::clone(&barrier), self.lab.machine.clone(), self.lab.ws());
                let party = if self.one_handle { Arc::clone(&shared) } else { Arc::new(self.lab.party()) };
                let set = Command::Set {
                    task: TaskId::new(&format!("t{number}")).unwrap(),
                    to: fencehold_model::Status::new("todo").unwrap(),
                    from: None,
                    epoch: 0,
                    detail: None,
                    resolve: false,
                };
                thread::spawn(move || {
                    barrier.wait();
                    let made = create(&RealFs, &machine, &dir, Modes::Owner).unwrap();
                    party.task(&asking("ann"), &set).unwrap();
                    made
                })
            })
            .collect();
        let made: Vec<bool> = users.into_iter().map(|user| user.join().unwrap()).collect();
        assert_eq!(made.iter().filter(|made| **made).count(), 1, "one of them made it");
        made.len()
    }

    fn kept(&mut self) -> (usize, usize) {
        let places = std::fs::read_dir(self.lab.root()).unwrap().count();
        (self.lab.party().tasks().unwrap().value.len(), places)
    }
}

/// What a use finds that comes before any setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Default {
    /// One default, made once.
    Once,
    /// M29: nothing, which ends the user.
    Nothing,
    /// M29: a new default for each call.
    Fresh,
}

/// A store in memory.
pub(super) struct InMemory {
    default: Default,
    stores: Vec<usize>,
}

impl InMemory {
    pub(super) fn new(default: Default) -> Self {
        InMemory { default, stores: Vec::new() }
    }
}

impl Unset for InMemory {
    fn rounds(&self) -> usize {
        1
    }

    fn used_at_once(&mut self, users: usize) -> usize {
        if self.default == Default::Nothing {
            return 0;
        }
        for _ in 0..users {
            if self.stores.is_empty() || self.default == Default::Fresh {
                self.stores.push(0);
            }
            *self.stores.last_mut().expect("one was made") += 1;
        }
        users
    }

    /// What the last that was made keeps.
    fn kept(&mut self) -> (usize, usize) {
        (self.stores.last().copied().unwrap_or(0), self.stores.len())
    }
}
