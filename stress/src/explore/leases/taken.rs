//! A walk of the lease machine, taken step by step.

use std::collections::BTreeMap;

use fencehold_model::event::{Evidence, Process};
use fencehold_model::id::BootId;
use fencehold_model::lease::{About, Command, Decision, LeaseEvent, Proof};
use fencehold_model::lock::{Liveness, Sighting};
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::spec::Spec as _;
use fencehold_model::spec::lease::{
    Answer, Ask, Given, LeaseSpec, Leases, Op, Reason, Rules, Seen, Touch, canonical,
};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{Entry, Event, Holder, LeaseId, OpId, Pattern, Policy, State, TimeMs, Token};

use super::super::walk::{Found, Walked};
use super::answer::{ask_of, holder_of, name_of, op_of, state_of};
use super::judge;
use super::subject::LeaseSubject;
use super::walk::{JITTER, Life, SETS, SPELLINGS, Step, What};

struct Walk<'a, S> {
    subject: &'a S,
    spec: LeaseSpec,
    told: bool,
    sets: Vec<Vec<Pattern>>,
    state: State,
    oracle: Leases,
    /// The lives of the processes, by the token of their grant.
    lives: BTreeMap<Token, Life>,
    /// The tokens of each lease, by its one form.
    tokens: BTreeMap<String, Vec<Token>>,
    recorded: u64,
}

pub(super) fn take(subject: &impl LeaseSubject, steps: &[Step], advises: bool, told: bool) -> Walked {
    let own = "the walk's own texts are well formed";
    let overlap = if advises { Overlap::Advise } else { Overlap::Refuse };
    let policy = Policy { lease_ids: IdForm::Numbers, overlap, ..Policy::default() };
    let set = |set: &&[&str]| set.iter().map(|entry| Pattern::new(entry).expect(own)).collect();
    let mut rules = Rules::exact(advises);
    if told {
        (rules.slack_us, rules.grain_us, rules.memory_us) = (JITTER, 1, REMEMBER_MS);
    }
    let mut walk = Walk {
        subject,
        spec: LeaseSpec { rules, touch: Touch::of(&SETS.map(<[&str]>::to_vec)).expect(own) },
        told,
        sets: SETS.iter().map(set).collect(),
        state: State { policy, ..State::default() },
        oracle: Leases::default(),
        lives: BTreeMap::new(),
        tokens: BTreeMap::new(),
        recorded: 0,
    };
    for (index, step) in steps.iter().enumerate() {
        if let Err(why) = walk.step(step) {
            let path = steps[..=index].iter().map(|step| format!("{step:?}")).collect();
            let found = Some(Found { why, path });
            return Walked { steps: index as u64 + 1, recorded: walk.recorded, found };
        }
    }
    Walked { steps: steps.len() as u64, recorded: walk.recorded, found: None }
}

fn id(spelling: usize) -> LeaseId {
    LeaseId::new(SPELLINGS[spelling]).expect("it is an id")
}

fn holder(index: usize) -> Holder {
    Holder::new(&format!("h{index}")).expect("two letters are an id")
}

impl<S: LeaseSubject> Walk<'_, S> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.what {
            What::Forget => self.forget(step.at_ms),
            What::Show => self.show(step),
            What::List => self.list(step),
            what => {
                let command = self.command(step, what);
                self.command_taken(step, &command)
            }
        }
    }

    fn token(&self, spelling: usize, back: usize) -> Token {
        let tokens = self.tokens.get(&canonical(SPELLINGS[spelling], true));
        tokens.and_then(|tokens| tokens.iter().rev().nth(back)).copied().unwrap_or(0)
    }

    fn command(&self, step: &Step, what: &What) -> Command {
        let lease = id(step.spelling);
        let token = |back| self.token(step.spelling, back);
        let reason = |blank: bool| if blank { "\t" } else { "why" }.to_owned();
        match *what {
            What::Grant { holder: who, set, ttl_ms, life } => Command::Grant {
                lease,
                holder: holder(who),
                ttl_ms,
                writes: self.sets[set].clone(),
                about: About::default(),
                bound: life.map(|_| Process {
                    pid: 1,
                    start_ticks: 1,
                    boot: BootId::new("b").expect("one letter is an id"),
                    pid_namespace: 1,
                    host: String::new(),
                }),
                asked_by: None,
            },
            What::Close(back) => Command::Close { lease, proof: Proof::Token(token(back)) },
            What::CloseBy(who) => Command::Close { lease, proof: Proof::Holder(holder(who)) },
            What::Crash { back, blank } => {
                Command::Crash { lease, token: back.map(token), reason: reason(blank) }
            }
            What::Clear { force, blank } => Command::Clear { lease, force, reason: Some(reason(blank)) },
            What::Reap(back) => Command::Reap { lease, token: token(back) },
            What::Show | What::List | What::Forget => unreachable!("these are no commands"),
        }
    }

    fn decide(&self, command: &Command, now_ms: TimeMs) -> Result<Decision, String> {
        let mut seen: Vec<Sighting> = Vec::new();
        for _ in 0..3 {
            let processes = match self.subject.decide(&self.state, command, &seen, now_ms) {
                Decision::Probe(processes) => processes,
                decision => return Ok(decision),
            };
            seen.extend(processes.iter().map(|(token, _)| {
                let liveness = match self.lives.get(token) {
                    Some(Life::Until(end_ms)) if now_ms < *end_ms => Liveness::Alive,
                    Some(Life::Until(_)) => Liveness::Dead(Evidence::OtherStartTime),
                    _ => Liveness::Unknowable,
                };
                Sighting { token: *token, liveness }
            }));
        }
        Err("the processes in the way are asked for one after the other".into())
    }

    fn command_taken(&mut self, step: &Step, command: &Command) -> Result<(), String> {
        let decision = self.decide(command, step.at_ms)?;
        let life = match step.what {
            What::Grant { life, .. } => life,
            _ => None,
        };
        let event = match &decision {
            Decision::Record(event) => Some(event.clone()),
            _ => None,
        };
        if let Some(event) = &event {
            self.record(event, step.at_ms)?;
        }
        let ask = ask_of(command, &self.sets, matches!(life, Some(Life::Until(_))));
        let mut op = op_of(step.at_ms, command, ask, &decision, self.state.revision);
        if let (Some(Event::Lease(LeaseEvent::Granted(_))), Ask::Grant { .. }) = (&event, ask) {
            let of = canonical(command.lease().as_str(), true);
            self.tokens.entry(of).or_default().push(self.state.revision);
            self.lives.extend(life.map(|life| (self.state.revision, life)));
        }
        if let Some(Life::Until(end_ms)) = life {
            (op.alive_us, op.died_us) = (end_ms, end_ms);
            if self.told && end_ms != u64::MAX {
                (op.alive_us, op.died_us) = (end_ms - step.jitter.0, end_ms + step.jitter.1);
            }
        }
        self.tell(step, op, event.is_some())
            .map_err(|why| format!("{why}; {command:?} was answered {decision:?}"))
    }

    /// Tells the oracle: the answer, or that it was lost.
    fn tell(&mut self, step: &Step, mut op: Op, happened: bool) -> Result<(), String> {
        (op.start_us, op.end_us) = (step.at_ms - step.jitter.0, step.at_ms + step.jitter.1);
        if step.lost {
            op.given = Given::Info;
            if happened {
                let [next, _] = self.spec.effects(&self.oracle, &op);
                self.oracle = next.ok_or("what happened is no effect of it, says the oracle")?;
            }
        } else {
            let next = self.spec.step(&self.oracle, &op);
            self.oracle = next.map_err(|breach| format!("{}: {}", breach.word(), breach.why()))?;
        }
        for (id, lease) in &self.state.leases {
            let ours = (holder_of(lease.holder.as_str()), Some(lease.token));
            let is = state_of(lease.end.as_ref().map(|end| &end.how));
            match self.oracle.known(name_of(id.as_str())) {
                Some((holder, token, state))
                    if (holder, token.or(ours.1)) == ours && state.is_none_or(|state| state == is) => {}
                other => return Err(format!("of lease {id} the oracle knows {other:?}: {lease:?}")),
            }
        }
        Ok(())
    }

    fn record(&mut self, event: &Event, now_ms: TimeMs) -> Result<(), String> {
        self.recorded += 1;
        let op = OpId::new(&format!("o{}", self.recorded)).map_err(|bad| bad.to_string())?;
        let revision = self.state.revision + 1 + self.recorded % 3;
        let entry = Entry { revision, at_ms: now_ms, actor: holder(0), op, event: event.clone() };
        self.subject.apply(&mut self.state, &entry);
        judge::ids_and_index(&self.state)
    }

    /// A rotation: what it forgets, the oracle forgets beside it, where it is not told of it as in a history.
    fn forget(&mut self, now_ms: TimeMs) -> Result<(), String> {
        let before = self.state.clone();
        let gone = self.subject.forget(&mut self.state, now_ms);
        judge::forgetting(&before, &self.state, &gone, now_ms)?;
        judge::ids_and_index(&self.state)?;
        for (id, _) in gone.iter().filter(|_| !self.told) {
            self.oracle.forget(name_of(id.as_str()));
        }
        Ok(())
    }

    fn seen(&self) -> Vec<Seen> {
        let seen = self.state.leases.iter().map(|(id, lease)| Seen {
            lease: name_of(id.as_str()),
            state: Some(state_of(lease.end.as_ref().map(|end| &end.how))),
            token: Some(lease.token),
            holder: Some(holder_of(lease.holder.as_str())),
        });
        seen.collect()
    }

    fn show(&mut self, step: &Step) -> Result<(), String> {
        let lease = name_of(SPELLINGS[step.spelling]);
        let named: Vec<Seen> = self.seen().into_iter().filter(|seen| seen.lease == lease).collect();
        let given = if named.is_empty() {
            Given::Refused(Reason::NotFound, Answer::default())
        } else {
            Given::Ok(Answer { named, ..Answer::default() })
        };
        self.tell(step, Op::at(step.at_ms, lease, Ask::Show, given), false)
    }

    fn list(&mut self, step: &Step) -> Result<(), String> {
        let given = Given::Ok(Answer { named: self.seen(), ..Answer::default() });
        let ask = Ask::List { only: None, whole: true };
        self.tell(step, Op::at(step.at_ms, name_of("any"), ask, given), false)
    }
}
