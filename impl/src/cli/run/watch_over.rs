//! What `lock run` does while its command runs: it renews, passes signals on, and stops the command if the lock is lost.

use std::os::fd::OwnedFd;
use std::time::Duration;

use fencehold_model::lock::{Command, Proof};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};

use super::child::Waiting;
use super::signals::Signals;
use super::terminal::Terminal;
use super::{Held, args, lost_child};
use crate::cli::locks::{Locks, What};
use crate::cli::out::Out;
use crate::error::Result;
use crate::fs::Watch;
use crate::host::Deadline;

/// The shortest pause between two renewals: a TTL of a few milliseconds is not worth a busy loop, the lock is bound.
const RENEW_EVERY_MIN: Duration = Duration::from_millis(20);

/// How often to look at the lock at the most, while the workspace is busy with others.
const LOOK_EVERY_MIN: Duration = Duration::from_secs(1);
/// Signals by which a terminal stops a job: SIGTSTP, SIGTTIN, SIGTTOU.
const JOB_CONTROL: [i32; 3] = [Signal::TSTP.as_raw(), Signal::TTIN.as_raw(), Signal::TTOU.as_raw()];

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finished {
    /// The command ended by itself, with this code.
    Code(u8),
    /// The lock was lost, and the command was ended for it.
    Lost,
}

/// One run while its command lives.
struct Watcher<'a> {
    locks: &'a Locks,
    held: &'a Held,
    run: &'a args::Run,
    out: Out,
    signals: Signals,
    terminal: Terminal,
    pid: Pid,
    pidfd: OwnedFd,
    watch: Option<Watch>,
    /// The workspace changed since the lock was looked at.
    changed: bool,
    look_at: Deadline,
    renew_at: Deadline,
    /// Up to when the last renewal is good even where nobody can see the command's process.
    good_until: Deadline,
    complained: bool,
    /// Set when the lock was lost: when to stop being polite.
    kill_at: Option<Deadline>,
}

/// Lets the command begin, and stays with it until it has ended.
pub(super) fn watch_over(
    waiting: Waiting,
    locks: &Locks,
    held: &Held,
    run: &args::Run,
    out: Out,
) -> Result<Finished> {
    let pid = Pid::from_child(&waiting.child);
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(lost_child)?;
    let signals = Signals::take()?;
    let terminal = Terminal::lend(pid);
    waiting.go(held.token)?;
    let ttl = ttl(run);
    // Without notification a loss is seen at the next renewal.
    let watch = if held.ours { Watch::begin(locks.dir()).ok().map(|(watch, _)| watch) } else { None };
    Watcher {
        locks,
        held,
        run,
        out,
        signals,
        terminal,
        pid,
        pidfd,
        watch,
        changed: false,
        look_at: Deadline::after(Duration::ZERO),
        renew_at: Deadline::after(pause(ttl)),
        good_until: Deadline::after(ttl),
        complained: false,
        kill_at: None,
    }
    .stay()
}

fn ttl(run: &args::Run) -> Duration {
    run.grant.ttl.unwrap_or(Duration::from_millis(fencehold_model::lock::TTL_MS_DEFAULT))
}

fn pause(ttl: Duration) -> Duration {
    (ttl / 3).max(RENEW_EVERY_MIN)
}

impl Watcher<'_> {
    fn stay(mut self) -> Result<Finished> {
        loop {
            if let Some(code) = self.look()? {
                self.terminal.take_back();
                return Ok(if self.kill_at.is_some() { Finished::Lost } else { Finished::Code(code) });
            }
            if let Some(why) = self.tend() {
                // It may have ended meanwhile; whoever took the lock over then was right to.
                if let Some(code) = self.look()? {
                    return Ok(Finished::Code(code));
                }
                self.lose(&why);
            }
            self.wait()?;
            while let Some(signal) = self.signals.next() {
                Signals::pass_on(self.pid.as_raw_pid(), signal);
            }
        }
    }

    /// Does what is due. Where the lock turns out to be lost, says why.
    fn tend(&mut self) -> Option<String> {
        if let Some(kill_at) = self.kill_at {
            if kill_at.left().is_zero() {
                Signals::pass_on(self.pid.as_raw_pid(), Signal::KILL.as_raw());
                self.kill_at = Some(Deadline::after(Duration::MAX));
            }
            return None;
        }
        if !self.held.ours {
            return None;
        }
        if self.renew_at.left().is_zero() {
            return self.renew();
        }
        if self.changed && self.look_at.left().is_zero() {
            self.changed = false;
            self.look_at = Deadline::after(LOOK_EVERY_MIN);
            // What cannot be read now is left to the next renewal.
            let seen = self.locks.show(&self.run.name).ok()?;
            let ours = seen.grants.is_some_and(|grant| grant.token == self.held.token);
            return (!ours).then(|| "it was broken, or another holds it".to_owned());
        }
        None
    }

    /// Sleeps until a signal comes, the command ends, the workspace changes, or something is due.
    fn wait(&mut self) -> Result<()> {
        let left = match self.kill_at {
            Some(kill_at) => Some(kill_at.left()),
            None if !self.held.ours => None,
            None if self.changed => Some(self.renew_at.left().min(self.look_at.left())),
            None => Some(self.renew_at.left()),
        };
        let timeout = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX).min(i64::from(i32::MAX)),
            tv_nsec: left.subsec_nanos().into(),
        });
        let watched = self.watch.as_ref().filter(|_| !self.changed && self.kill_at.is_none());
        let changes = watched.and_then(Watch::changes);
        let mut fds =
            vec![PollFd::new(&self.signals, PollFlags::IN), PollFd::new(&self.pidfd, PollFlags::IN)];
        fds.extend(changes.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(lost_child(errno)),
        }
        let told = fds.get(2).is_some_and(|fd| !fd.revents().is_empty());
        if let Some(watch) = watched.filter(|_| told) {
            watch.drain();
            self.changed = true;
        }
        Ok(())
    }

    /// Looks at the command: its exit code once it has ended. While a terminal has stopped it (Ctrl-Z), so are we.
    fn look(&mut self) -> Result<Option<u8>> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        match rustix::process::waitpid(Some(self.pid), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => Ok(None),
            Ok(Some((_, status))) if status.stopped() => {
                match status.stopping_signal() {
                    Some(signal) if self.kill_at.is_none() && JOB_CONTROL.contains(&signal) => {
                        self.stop_with_it();
                    }
                    // Somebody stopped just the command: it is for them to continue it.
                    _ => {}
                }
                Ok(None)
            }
            Ok(Some((_, status))) => Ok(Some(code(status))),
            Err(errno) => Err(lost_child(errno)),
        }
    }

    fn stop_with_it(&mut self) {
        self.terminal.take_back();
        // Stops here until someone continues us; the lock stays held, for its process lives.
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
        self.terminal.lend_again();
        Signals::pass_on(self.pid.as_raw_pid(), Signal::CONT.as_raw());
    }

    /// Renews the lock; where it is lost, says why.
    fn renew(&mut self) -> Option<String> {
        let ttl = ttl(self.run);
        self.renew_at = Deadline::after(pause(ttl));
        let asked = Deadline::after(ttl);
        let command = Command::Renew {
            name: self.run.name.clone(),
            holder: self.held.holder.clone(),
            proof: Proof::Token(self.held.token),
            ttl_ms: None,
        };
        match self.locks.submit(&self.held.holder, &command).map(|told| told.what) {
            Ok(What::Granted { .. }) => {
                self.good_until = asked;
                self.complained = false;
                None
            }
            Ok(_) => Some("it was broken, or another holds it".to_owned()),
            Err(error) if self.good_until.left().is_zero() => {
                Some(format!("it could not be renewed for all of its TTL: {error}"))
            }
            Err(error) => {
                if !std::mem::replace(&mut self.complained, true) {
                    self.out.say(&format!("{} could not be renewed, trying again: {error}", self.run.name));
                }
                None
            }
        }
    }

    /// Ends the command: SIGTERM now, SIGKILL when the grace is over.
    fn lose(&mut self, why: &str) {
        self.out.say(&format!("{} is lost while the command runs: {why}; ending the command", self.run.name));
        self.kill_at = Some(Deadline::after(self.run.grace));
        Signals::pass_on(self.pid.as_raw_pid(), Signal::TERM.as_raw());
        // A stopped process sees SIGTERM only when it goes on.
        Signals::pass_on(self.pid.as_raw_pid(), Signal::CONT.as_raw());
    }
}

/// A command's exit code, or 128 and the signal that ended it.
fn code(status: WaitStatus) -> u8 {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or(signal).unwrap_or(i32::from(super::OURS));
    u8::try_from(code & 0xff).unwrap_or(super::OURS)
}
