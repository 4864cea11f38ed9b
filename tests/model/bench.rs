//! A lock machine with a clock, to be asked in a line.

use fencehold_model::event::Process;
use fencehold_model::lock::{Command, Decision, Liveness, Proof, Sighting, decide};
use fencehold_model::{Entry, Event, LockName, State};

/// A lock machine with a clock, for one name at a time.
pub(super) struct Bench {
    pub(super) state: State,
    pub(super) now_ms: u64,
    pub(super) seen: Option<Liveness>,
}

pub(super) const TTL_MS: u64 = 100;

pub(super) fn bench() -> Bench {
    Bench { state: State::default(), now_ms: 1_000, seen: None }
}

pub(super) fn process(boot: &str) -> Process {
    Process { pid: 9, start_ticks: 5, boot: boot.parse().unwrap(), pid_namespace: 1, host: "h".into() }
}

impl Bench {
    pub(super) fn ask(&mut self, command: &Command) -> Decision {
        let mut decision = decide(&self.state, command, None, self.now_ms);
        if let (Decision::Probe(token, _), Some(liveness)) = (&decision, self.seen) {
            let sighting = Some(Sighting { token: *token, liveness });
            decision = decide(&self.state, command, sighting, self.now_ms);
        }
        if let Decision::Record(event) = &decision {
            self.record(event.clone());
        }
        decision
    }

    pub(super) fn record(&mut self, event: Event) {
        let (actor, op) = ("a".parse().unwrap(), "o".parse().unwrap());
        let revision = self.state.revision + 3;
        self.state.apply(&Entry { revision, at_ms: self.now_ms, actor, op, event });
    }

    pub(super) fn acquire(&mut self, holder: &str, claim: &str) -> Decision {
        self.acquire_for(holder, claim, TTL_MS, None)
    }

    pub(super) fn acquire_for(
        &mut self,
        holder: &str,
        claim: &str,
        ttl_ms: u64,
        bound: Option<Process>,
    ) -> Decision {
        let claim = (!claim.is_empty()).then(|| claim.parse().unwrap());
        self.ask(&Command::Acquire {
            name: name(),
            holder: holder.parse().unwrap(),
            claim,
            ttl_ms,
            bound,
            asked_by: None,
        })
    }

    pub(super) fn renew(&mut self, holder: &str, proof: Proof, ttl_ms: Option<u64>) -> Decision {
        self.ask(&Command::Renew { name: name(), holder: holder.parse().unwrap(), proof, ttl_ms })
    }

    pub(super) fn release(&mut self, holder: &str, proof: Proof) -> Decision {
        self.ask(&Command::Release { name: name(), holder: holder.parse().unwrap(), proof })
    }

    pub(super) fn break_it(&mut self, reason: &str) -> Decision {
        self.ask(&Command::Break { name: name(), reason: reason.into() })
    }

    pub(super) fn token(&self) -> u64 {
        self.state.locks[&name()].grant.as_ref().unwrap().token
    }

    pub(super) fn expires_ms(&self) -> u64 {
        self.state.locks[&name()].grant.as_ref().unwrap().expires_ms
    }
}

pub(super) fn name() -> LockName {
    "x".parse().unwrap()
}

pub(super) fn is_granted(decision: &Decision) -> bool {
    matches!(decision, Decision::Record(Event::LockGranted { .. }))
}
