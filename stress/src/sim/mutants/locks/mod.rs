//! Small lock-file protocols over `Fs`: with a defect that programs in the field have, and without.
//!
//! Each mutant has to be found, and the controls never flagged. Nothing here waits or widens a window; the interleaving
//! is chosen call by call, and what else may happen stands in the options.

mod bound;
mod careful;
mod double_takeover;
mod not_exclusive;
mod record;
mod referee;
mod release_by_path;
mod tended;
mod worlds;

use std::io;
use std::path::Path;
use std::sync::Arc;

use fencehold::fs::{File, Fs, How};
use fencehold::host::{Clock, Host};

use crate::sim::choice::Source;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Body, Ended, Plan, SimFs, SimHost, World};
pub use record::Record;
use referee::Referee;

/// The lock file.
const LOCK: &str = "/build.lock";
/// What the lock guards.
const RESOURCE: &str = "/resource";
/// How long a grant lasts.
const TTL_MS: u64 = 1_000;
/// How often a process asks for the lock.
const TRIES: usize = 3;
/// Long work is done in so many steps, each shorter than the TTL.
const STEPS: usize = 2;
const STEP_MS: u64 = 600;

/// A lock-file protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// M04: is relied upon as long as its holder lives, and taken over by age.
    AgeSteal,
    /// M05: judges the lock stale, then unlinks and creates; two takers both do.
    DoubleTakeover,
    /// M06: a release unlinks the path without looking whose lock stands there.
    ReleaseByPath,
    /// M08: the TTL goes by the wall clock; set forth, that ends the lock of a live holder.
    ClockStep,
    /// M08: the same; a dead holder's clock was an hour ahead, and its lock lasts.
    FutureClock,
    /// M27: whether the holder lives is told by a pid, which is used again.
    PidReuse,
    /// M45: nothing was there, so it writes.
    NotExclusive,
    /// M47: whatever goes wrong on the way to the lock, it counts as got.
    FailOpen,
    /// M48: long work, and nobody renews.
    NoHeartbeat,
    /// M51: what a holder writes is let in, whoever took over since.
    NoFence,
    /// A control: every look and every change of the record is made under the OS lock of a file that stays.
    Careful,
    /// A control: the same, held until the holder's process has ended.
    Bound,
    /// A control: renewed as it works, and fenced.
    Tended,
}

impl Protocol {
    /// Those with a defect.
    pub const MUTANTS: [Protocol; 10] = [
        Protocol::AgeSteal,
        Protocol::DoubleTakeover,
        Protocol::ReleaseByPath,
        Protocol::ClockStep,
        Protocol::FutureClock,
        Protocol::PidReuse,
        Protocol::NotExclusive,
        Protocol::FailOpen,
        Protocol::NoHeartbeat,
        Protocol::NoFence,
    ];
    /// Those without.
    pub const CONTROLS: [Protocol; 3] = [Protocol::Careful, Protocol::Bound, Protocol::Tended];

    /// The name that reports print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::AgeSteal => "M04 age-steal-live",
            Protocol::DoubleTakeover => "M05 double-takeover",
            Protocol::ReleaseByPath => "M06 release-by-path",
            Protocol::ClockStep => "M08 clock-step",
            Protocol::FutureClock => "M08 future-clock",
            Protocol::PidReuse => "M27 pid-reuse",
            Protocol::NotExclusive => "M45 acquire-not-exclusive",
            Protocol::FailOpen => "M47 fail-open",
            Protocol::NoHeartbeat => "M48 no-heartbeat",
            Protocol::NoFence => "M51 no-fence",
            Protocol::Careful => "control careful lock file",
            Protocol::Bound => "control bound lock file",
            Protocol::Tended => "control tended lock file",
        }
    }

    /// Asks for the lock once; the record that now stands in the lock file, where it was granted.
    ///
    /// # Errors
    /// Those of the calls that it makes.
    pub fn acquire<F: Fs>(self, fs: &F, host: &impl Host, me: &str) -> io::Result<Option<Record>> {
        let monotonic = || host.reading().monotonic_ms;
        let wall = || host.reading().wall_ms;
        let lapsed = Record::lapsed;
        match self {
            Protocol::DoubleTakeover => double_takeover::acquire(fs, host, me),
            Protocol::ReleaseByPath => release_by_path::acquire(fs, host, me),
            Protocol::NotExclusive => not_exclusive::acquire(fs, host, me),
            Protocol::Careful | Protocol::AgeSteal => careful::acquire(fs, me, monotonic, lapsed),
            Protocol::ClockStep | Protocol::FutureClock => careful::acquire(fs, me, wall, lapsed),
            Protocol::Bound => {
                careful::acquire(fs, me, monotonic, |held, _| bound::is_dead(host, &held.holder))
            }
            Protocol::PidReuse => {
                careful::acquire(fs, me, monotonic, |held, _| bound::has_no_pid(host, &held.holder))
            }
            Protocol::FailOpen => match careful::acquire(fs, me, monotonic, lapsed) {
                Err(_) => Ok(Some(Record::new(me, monotonic()))),
                granted => granted,
            },
            Protocol::NoHeartbeat | Protocol::NoFence | Protocol::Tended => tended::acquire(fs, host, me),
        }
    }

    /// Gives the lock up.
    ///
    /// # Errors
    /// Those of the calls that it makes.
    pub fn release<F: Fs>(self, fs: &F, mine: &Record) -> io::Result<()> {
        match self {
            Protocol::DoubleTakeover | Protocol::NotExclusive => double_takeover::release(fs, &mine.holder),
            Protocol::ReleaseByPath => release_by_path::release(fs),
            Protocol::NoHeartbeat | Protocol::NoFence | Protocol::Tended => tended::release(fs, mine),
            _ => careful::release(fs, &mine.holder),
        }
    }

    /// Until when a grant that was asked for at `asked_ms` may be relied upon.
    fn until_ms(self, record: &Record, asked_ms: u64) -> u64 {
        match self {
            bound if bound.until_death() => u64::MAX,
            // Its expiry is of another clock.
            Protocol::ClockStep | Protocol::FutureClock => asked_ms + TTL_MS,
            _ => record.expires_ms,
        }
    }

    /// One process: asks for the lock, uses it, gives it up.
    fn process(self, fs: &SimFs, host: &SimHost, referee: &Referee) -> io::Result<()> {
        let me = self.holder(host);
        let resource = fs.open(Path::new(RESOURCE), How::Append)?;
        for _ in 0..TRIES {
            let asked_ms = host.reading().monotonic_ms;
            let Some(record) = self.acquire(fs, host, &me)? else { continue };
            referee.entered(host, &record, self.until_ms(&record, asked_ms));
            if self.works_long() {
                return self.long_work(fs, host, referee, record);
            }
            resource.append(me.as_bytes())?;
            resource.append(b"\n")?;
            referee.leaves(host);
            return self.release(fs, &record);
        }
        Ok(())
    }

    fn holder(self, host: &SimHost) -> String {
        match self.until_death() {
            true => bound::name(&host.identity()),
            false => format!("process-{}", host.number()),
        }
    }

    /// Work of several steps, after each of which something is written, and the lock renewed.
    fn long_work(self, fs: &SimFs, host: &SimHost, referee: &Referee, mut mine: Record) -> io::Result<()> {
        for _ in 0..STEPS {
            host.pass(STEP_MS);
            if self == Protocol::NoFence {
                tended::write_blindly(fs, &mine)?;
            } else if !tended::write_fenced(fs, &mine)? {
                return Ok(());
            }
            if self == Protocol::NoHeartbeat {
                // It takes its being at work for its hold.
                referee.works(host, &mine, host.reading().monotonic_ms + TTL_MS);
            } else {
                let Some(renewed) = tended::renew(fs, host, &mine)? else { return Ok(()) };
                referee.works(host, &renewed, renewed.expires_ms);
                mine = renewed;
            }
        }
        referee.leaves(host);
        tended::release(fs, &mine)
    }

    /// Whoever comes once everybody has ended and every TTL is over is granted the lock.
    fn next_is_granted(self, world: &World) -> Result<(), String> {
        world.advance(2 * TTL_MS);
        let asked = world.alone(Plan::NONE, |fs, host| self.acquire(&fs, &host, &self.holder(&host)));
        match asked {
            Ended::Returned(Ok(Some(_))) => Ok(()),
            Ended::Returned(Ok(None)) => Err("everybody has ended, and the lock is held for ever".to_owned()),
            Ended::Returned(Err(error)) => Err(format!("who comes next is told: {error}")),
            Ended::Killed | Ended::Panicked(_) => Err("who comes next does not end by itself".to_owned()),
        }
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
        let violation = violation.or_else(|| match self.may_be_left_held() {
            true => self.next_is_granted(&world).err(),
            false => None,
        });
        // What came after the violation explains nothing.
        let mut ran = Ran::of(&world, violation);
        ran.trace.truncate(calls.unwrap_or(usize::MAX));
        ran
    }
}
