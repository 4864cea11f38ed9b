//! A walk, taken step by step: the machine and the oracle side by side, from end to end.

use fencehold_model::event::Process;
use fencehold_model::history::{Ask, Token};
use fencehold_model::id::BootId;
use fencehold_model::lock::{self, Command, Decision, Proof, Sighting};
use fencehold_model::spec::{self, Given, LockOp, LockSpec, Rules, Spec as _};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{Claim, Entry, Event, Holder, LockName, OpId, State, TimeMs};

use super::answer::{ask_of, id_of, op_of};
use super::subject::{Fate, Subject, decide_looking};
use super::walk::{Found, Life, NAMES, Showing, Step, Walked, What};

struct Cell {
    oracle: spec::Lock,
    /// The life of the process of the last grant, and whether that grant is bound.
    life: Option<Life>,
    /// The last grants: holder, claim, token; the latest last.
    grants: Vec<(usize, u64)>,
}

struct Walk<'a, S> {
    subject: &'a S,
    spec: LockSpec,
    state: State,
    cells: Vec<Cell>,
    recorded: u64,
}

pub(super) fn take(subject: &impl Subject, steps: &[Step]) -> Walked {
    let new = || Cell { oracle: spec::Lock::default(), life: None, grants: Vec::new() };
    let cells = (0..NAMES).map(|_| new()).collect();
    let spec = LockSpec { rules: Rules::exact() };
    let mut walk = Walk { subject, spec, state: State::default(), cells, recorded: 0 };
    for (index, step) in steps.iter().enumerate() {
        if let Err(why) = walk.step(step) {
            let path = steps[..=index].iter().map(|step| format!("{step:?}")).collect();
            let found = Some(Found { why, path });
            return Walked { steps: index as u64 + 1, recorded: walk.recorded, found };
        }
    }
    Walked { steps: steps.len() as u64, recorded: walk.recorded, found: None }
}

fn name(index: usize) -> LockName {
    LockName::new(&format!("n{index}")).expect("two letters are an id")
}

fn holder_of(index: usize) -> Holder {
    Holder::new(&format!("h{index}")).expect("two letters are an id")
}

fn claim_of(index: usize) -> Claim {
    Claim::new(&format!("c{index}")).expect("two letters are an id")
}

fn process() -> Process {
    let boot = BootId::new("b").expect("one letter is an id");
    Process { pid: 1, start_ticks: 1, boot, pid_namespace: 1, host: String::new() }
}

impl<S: Subject> Walk<'_, S> {
    fn fate(&self, index: usize, now_ms: TimeMs) -> Fate {
        match self.cells[index].life {
            None => Fate::Timed,
            Some(Life::OutOfSight) => Fate::Unknowable,
            Some(Life::Until(end_ms)) if now_ms < end_ms => Fate::Alive,
            Some(Life::Until(_)) => Fate::Dead,
        }
    }

    /// The token that a holder shows: of the latest grant but so many that it can know of.
    fn proof(&self, index: usize, shown: Showing) -> Proof {
        match shown {
            Showing::Claim(claim) => Proof::Claim(claim_of(claim)),
            Showing::Token(back) => {
                let token = self.cells[index].grants.iter().rev().nth(back).map(|(_, token)| *token);
                Proof::Token(token.unwrap_or(1))
            }
        }
    }

    fn command(&self, step: &Step) -> Option<(Command, Option<Life>)> {
        let name = name(step.name);
        let mut life = None;
        let command = match step.what {
            What::Acquire { holder, claim, ttl_ms, bound } => {
                life = bound;
                Command::Acquire {
                    name,
                    holder: holder_of(holder),
                    claim: claim.map(claim_of),
                    ttl_ms,
                    bound: bound.map(|_| process()),
                    asked_by: None,
                }
            }
            What::Renew { holder, shown, ttl_ms } => {
                let proof = self.proof(step.name, shown);
                Command::Renew { name, holder: self.whose(step.name, holder), proof, ttl_ms }
            }
            What::Release { holder, shown } => {
                let proof = self.proof(step.name, shown);
                Command::Release { name, holder: self.whose(step.name, holder), proof }
            }
            What::Break { blank } => Command::Break { name, reason: if blank { "\t" } else { "why" }.into() },
            What::Show | What::Forget => return None,
        };
        Some((command, life))
    }

    /// Half of the holders are whoever was granted the lock last: else most proofs would be wrong.
    fn whose(&self, index: usize, drawn: usize) -> Holder {
        let last = self.cells[index].grants.last().map(|(holder, _)| *holder);
        holder_of(last.filter(|_| drawn.is_multiple_of(2)).unwrap_or(drawn))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let (now_ms, index) = (step.at_ms, step.name);
        let Some((command, life)) = self.command(step) else {
            return if matches!(step.what, What::Forget) {
                self.forget(now_ms)
            } else {
                self.show(index, now_ms)
            };
        };
        let fate = self.fate(index, now_ms);
        let (decision, alive) = decide_looking(self.subject, &self.state, &command, fate, now_ms)?;
        let before = self.state.revision;
        let mut kept_life = self.cells[index].life;
        if let Decision::Record(event) = &decision {
            self.record(event.clone(), now_ms)?;
            if let Event::LockGranted { .. } = event {
                kept_life = life;
                if let What::Acquire { holder, .. } = step.what {
                    self.cells[index].grants.push((holder, self.state.revision));
                }
            }
        }
        let watched = matches!(life, Some(Life::Until(_)));
        let mut op = op_of(now_ms, ask_of(&command, watched), &decision, self.state.revision, alive);
        if let Some(Life::Until(end_ms)) = life {
            (op.alive_us, op.died_us) = (end_ms, end_ms);
        }
        let cell = &mut self.cells[index];
        cell.life = kept_life;
        cell.oracle.floor = cell.oracle.floor.max(before);
        cell.oracle = self.spec.step(&cell.oracle, &op).map_err(|breach| {
            format!("{}: {}; {command:?} was answered {decision:?}", breach.word(), breach.why())
        })?;
        Ok(())
    }

    fn record(&mut self, event: Event, now_ms: TimeMs) -> Result<(), String> {
        self.recorded += 1;
        let op = OpId::new(&format!("o{}", self.recorded)).map_err(|bad| bad.to_string())?;
        let revision = self.state.revision + 1 + self.recorded % 3;
        let entry = Entry { revision, at_ms: now_ms, actor: holder_of(0), op, event };
        self.subject.apply(&mut self.state, &entry);
        Ok(())
    }

    /// A rotation: what it forgets, the oracle forgets beside it; what is live it must keep.
    fn forget(&mut self, now_ms: TimeMs) -> Result<(), String> {
        let before = self.state.clone();
        self.subject.forget(&mut self.state, now_ms);
        for index in 0..self.cells.len() {
            let name = name(index);
            let (was, is) = (before.locks.get(&name), self.state.locks.get(&name));
            let grant = |lock: Option<&lock::Lock>| lock.and_then(|lock| lock.grant.clone());
            let old = |at_ms: TimeMs| at_ms + REMEMBER_MS <= now_ms;
            if let (Some(lost), None) = (grant(was), grant(is)) {
                if lost.bound.is_some() || !old(lost.expires_ms) {
                    return Err(format!("a rotation forgot {lost:?} at {now_ms}"));
                }
                self.cells[index].oracle.grant = None;
            }
            let release = |lock: Option<&lock::Lock>| lock.and_then(|lock| lock.released.clone());
            if let (Some(lost), None) = (release(was), release(is)) {
                if !old(lost.at_ms) {
                    return Err(format!("a rotation forgot {lost:?} at {now_ms}"));
                }
                self.cells[index].oracle.released = None;
            }
        }
        Ok(())
    }

    fn show(&mut self, index: usize, now_ms: TimeMs) -> Result<(), String> {
        let fate = self.fate(index, now_ms);
        let grant = self.state.locks.get(&name(index)).and_then(|lock| lock.grant.as_ref());
        let standing = grant.and_then(|grant| {
            let seen =
                grant.bound.as_ref().map(|_| Sighting { token: grant.token, liveness: fate.liveness() });
            lock::standing(&self.state, grant, seen, now_ms).map(|expires_ms| (grant, expires_ms))
        });
        let mut op = LockOp::at(now_ms, Ask::Show, Given::Ok);
        if let Some((grant, expires_ms)) = standing {
            (op.holder, op.token) = (Some(id_of(grant.holder.as_str())), Token::Number(grant.token));
            op.expires_in_us = expires_ms.map(|expires_ms| expires_ms - now_ms);
        }
        let cell = &mut self.cells[index];
        cell.oracle = self.spec.step(&cell.oracle, &op).map_err(|breach| {
            format!("{}: {}; shown {standing:?} at {now_ms}", breach.word(), breach.why())
        })?;
        Ok(())
    }
}
