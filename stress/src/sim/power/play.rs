//! One boot, played: who runs, what goes wrong before the power fails, and every moment at which it could.

use std::sync::Arc;

use fencehold::journal::Durability;
use fencehold_model::Entry;
use rustix::io::Errno;

use super::door::{Boot, Moment, changes};
use super::operations::Operation;
use super::told::Told;
use super::user::{User, events, witnessed};
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::world::{Ended, Fault, Options, Plan, Step, World};

/// When the second process runs, and what happens to the first one until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// After the first has its answer.
    After,
    /// Between two calls of the first: before this one.
    At(u64),
    /// After the first was killed before this call.
    Killed(u64),
    /// After a call of the first failed or was cut short.
    Failed(u64, Wrong),
}

/// What is wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// `EIO` of a directory's sync.
    Io,
    /// A sync meets a writeback error: what it was to write is clean and not on the platter.
    Sync {
        /// Whether the process is killed before it can say so.
        killed: bool,
        /// Whether memory pressure then takes the clean pages.
        evicted: bool,
    },
    /// `ENOSPC`.
    NoSpace,
    /// Only so many bytes are written.
    Short(usize),
}

/// What one boot begins with.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) disk: Disk,
    pub(super) boot: u64,
    /// What was told in the boots before.
    pub(super) told: Vec<Told>,
    /// What stood on the disk when each of them ended.
    pub(super) visible: Vec<Arc<Vec<Entry>>>,
}

/// What one boot came to.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) moments: Vec<Moment>,
    pub(super) told: Vec<Told>,
    pub(super) trace: Vec<Step>,
    /// What was wrong before the power failed.
    pub(super) wrong: Option<String>,
}

/// A process of a play.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) operation: Operation,
    pub(super) op: &'static str,
    pub(super) durability: Durability,
}

/// How long after the preparation a boot goes on: some leases have lapsed then.
const LATER_MS: u64 = 5_000;

impl Scene {
    fn world(&self) -> World {
        let world = World::new(self.disk.clone(), Source::first(), Options::default());
        for _ in 0..self.boot {
            world.reboot();
        }
        world.advance(LATER_MS);
        world
    }

    /// The calls that `part` makes here where nothing goes wrong.
    pub(super) fn calls(&self, part: Part) -> Vec<Step> {
        let world = self.world();
        let boot = Boot::blind();
        // Whether it ends by itself is found out when it is played.
        let _ = world.alone(Plan::NONE, |fs, host| {
            let user = User::new(boot.files(&fs), host, part.op, part.durability);
            (part.operation.act)(&user)
        });
        world.trace()
    }

    /// Every turn that the second process, if there is one, can take in `calls` of the first.
    pub(super) fn turns(calls: &[Step], alone: bool) -> Vec<Turn> {
        let mut turns = vec![Turn::After];
        let numbered = || (0_u64..).zip(calls);
        if !alone {
            for (at, step) in numbered() {
                // A call that only looks can wait: before it is as good as before the next.
                if changes(step.call) || matches!(step.call, "lock" | "unlock") {
                    turns.extend([Turn::At(at), Turn::Killed(at)]);
                }
            }
        }
        for (at, step) in numbered() {
            match step.call {
                "sync_dir" => turns.push(Turn::Failed(at, Wrong::Io)),
                "sync" => {
                    for killed in [false, true] {
                        for evicted in [false, true] {
                            turns.push(Turn::Failed(at, Wrong::Sync { killed, evicted }));
                        }
                    }
                }
                "append" | "write_at" => {
                    turns.push(Turn::Failed(at, Wrong::NoSpace));
                    turns.push(Turn::Failed(at, Wrong::Short(step.bytes / 2)));
                    turns.push(Turn::Failed(at, Wrong::Short(step.bytes - 1)));
                }
                "create" | "rename" | "rename_new" | "truncate" => {
                    turns.push(Turn::Failed(at, Wrong::NoSpace));
                }
                _ => {}
            }
        }
        turns
    }

    /// Plays it.
    pub(super) fn play(&self, first: Part, second: Option<Part>, turn: Turn) -> Played {
        let world = self.world();
        let boot = Boot::new(self.told.clone());
        let guest = second.map(|part| guest(&world, &boot, self.boot, part));
        let plan = match turn {
            Turn::After | Turn::At(_) | Turn::Failed(_, Wrong::Sync { killed: false, .. }) => Plan::NONE,
            Turn::Failed(at, Wrong::Sync { killed: true, .. }) => Plan::at(at + 1, Fault::Kill),
            Turn::Killed(at) => Plan::at(at, Fault::Kill),
            Turn::Failed(at, Wrong::Io) => Plan::at(at, Fault::Fail(Errno::IO)),
            Turn::Failed(at, Wrong::NoSpace) => Plan::at(at, Fault::Fail(Errno::NOSPC)),
            Turn::Failed(at, Wrong::Short(bytes)) => Plan::at(at, Fault::Short(bytes)),
        };
        let mut guest = guest;
        let ended = world.alone(plan, |fs, host| {
            if let Turn::At(at) = turn
                && let Some(guest) = guest.take()
            {
                boot.invite(host.number(), at, guest);
            }
            if let Turn::Failed(at, Wrong::Sync { .. }) = turn {
                boot.fail(host.number(), at);
            }
            let user = User::new(boot.files(&fs), host, first.op, first.durability);
            take_part(&world, &boot, self.boot, &user, first);
        });
        if let Turn::Failed(_, Wrong::Sync { evicted: true, .. }) = turn {
            world.disk(crate::sim::disk::Disk::evict);
        }
        if let Ended::Panicked(text) = ended {
            boot.wrong(format!("{} panicked: {text}", first.operation.name));
        }
        if let Some(guest) = guest {
            guest();
        }
        world.disk(|disk| boot.look(disk));
        let (moments, told, wrong) = boot.close();
        Played { moments, told, trace: world.trace(), wrong }
    }
}

fn take_part(world: &World, boot: &Boot, number: u64, user: &User, part: Part) {
    let heard = (part.operation.act)(user);
    match witnessed(world, number, user, part.operation.name, heard) {
        Ok(told) => boot.tell(told),
        Err(why) => boot.wrong(why),
    }
}

/// The second process, that begins when it is called.
fn guest(world: &World, boot: &Arc<Boot>, number: u64, part: Part) -> Box<dyn FnOnce() + Send> {
    let (world, boot) = (world.clone(), Arc::clone(boot));
    Box::new(move || {
        let ended = world.alone(Plan::NONE, |fs, host| {
            let user = User::new(boot.files(&fs), host, part.op, part.durability);
            take_part(&world, &boot, number, &user, part);
        });
        if let Ended::Panicked(text) = ended {
            boot.wrong(format!("{} panicked: {text}", part.operation.name));
        }
    })
}

/// The events that stand on a disk before the power fails: what anybody could have seen.
pub(super) fn visible(moment: &Moment, boot: u64) -> Arc<Vec<Entry>> {
    // What cannot be read was handed out to nobody.
    Arc::new(events(&moment.disk, boot).unwrap_or_default())
}
