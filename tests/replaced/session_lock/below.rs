//! What the hook asks of the ledger, on a machine whose clock and processes a scenario sets: the shipped journal and
//! decisions, below the command.

use fencehold::ledger::Verdict;
use fencehold_model::event::Evidence;
use fencehold_model::lock::{Liveness, Refusal};

use super::guard::{Answer, At, Call, Guard, Timed, Who};
use crate::spec_kit::{Does as _, Lab, acquire_bound};

const TTL_MS: u64 = 300_000;

struct Session {
    id: String,
    pid: u64,
    ahead_ms: u64,
}

/// A workspace and its machine.
pub(super) struct Below {
    lab: Lab,
    sessions: Vec<Session>,
}

impl Below {
    pub(super) fn new() -> Self {
        Below { lab: Lab::new(), sessions: Vec::new() }
    }
}

impl Guard for Below {
    fn begin(&mut self, id: &str, _: At, _: &str) -> Who {
        let pid = 500 + self.sessions.len() as u64;
        self.lab.machine.process(pid);
        self.sessions.push(Session { id: id.to_owned(), pid, ahead_ms: 0 });
        self.sessions.len() - 1
    }

    fn asks(&mut self, who: Who, _: Call) -> Answer {
        let Session { id, pid, ahead_ms } = &self.sessions[who];
        let mut bound = self.lab.machine.process(*pid);
        bound.pid = *pid;
        let wall_ms = self.lab.machine.wall_ms();
        self.lab.machine.wall(wall_ms + ahead_ms);
        let verdict =
            self.lab.party().verdict(&acquire_bound("workspace", &format!("{id}#{id}"), TTL_MS, &bound));
        self.lab.machine.wall(wall_ms);
        match verdict {
            Verdict::Granted { .. } => Answer::Passes,
            Verdict::Refused(Refusal::Held(grant)) => Answer::Blocked(format!("held by {}", grant.holder)),
            other => panic!("an acquire came to {other:?}"),
        }
    }

    fn dies(&mut self, who: Who) {
        self.lab.machine.becomes(self.sessions[who].pid, Liveness::Dead(Evidence::Exited));
    }

    fn lapses(&mut self, who: Who) {
        self.dies(who);
    }

    /// Of a process that is stopped the machine says that it lives.
    fn sleeps(&mut self, _: Who) {}

    fn wakes(&mut self, _: Who) {}
}

impl Timed for Below {
    fn pass(&mut self, ms: u64) {
        self.lab.machine.pass(ms);
    }

    fn clock_is_ahead(&mut self, who: Who, ms: u64) {
        self.sessions[who].ahead_ms = ms;
    }
}
