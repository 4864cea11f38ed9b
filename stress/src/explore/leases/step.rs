//! One step of the leases' search: an action taken in a state, judged.

use fencehold_model::lease::{Command, Decision, LeaseEvent};
use fencehold_model::spec::Spec as _;
use fencehold_model::spec::lease::{LeaseSpec, Leases, Rules, Touch};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{Entry, Event, Holder, LeaseId, OpId};

use super::super::search::Space;
use super::super::subject::Fate;
use super::answer::{ask_of, op_of};
use super::judge;
use super::node::{NOW_MS, Texts, World};
use super::space::{LeaseAction, LeaseConfig};
use super::subject::{LeaseSubject, decide_looking};

/// Takes steps, and counts the events.
pub(super) struct Search<'a, S> {
    subject: &'a S,
    config: &'a LeaseConfig,
    texts: Texts,
    /// Each spelling, and the lease that it names.
    spelled: Vec<(LeaseId, usize)>,
    spec: LeaseSpec,
    actor: Holder,
    op: OpId,
    recorded: u64,
}

/// A state that is being gone through.
pub(super) struct From {
    key: u64,
    world: World,
    oracle: Leases,
}

impl<'a, S: LeaseSubject> Search<'a, S> {
    pub(super) fn new(subject: &'a S, config: &'a LeaseConfig) -> Self {
        let own = "the search's own texts are well formed";
        let spell = |at: usize| (LeaseId::new(config.spellings[at]).expect(own), config.lease(at));
        let touch = Touch::of(&config.sets).expect(own);
        Search {
            subject,
            config,
            texts: Texts::new(config),
            spelled: (0..config.spellings.len()).map(spell).collect(),
            spec: LeaseSpec { rules: Rules::exact(config.advises), touch },
            actor: Holder::new("a").expect(own),
            op: OpId::new("o").expect(own),
            recorded: 0,
        }
    }

    fn entry(&self, world: &World, event: Event) -> Entry {
        let revision = world.state.revision + 1;
        Entry { revision, at_ms: NOW_MS, actor: self.actor.clone(), op: self.op.clone(), event }
    }

    fn command(&mut self, from: &From, index: usize, command: &Command) -> Result<u64, String> {
        let decision = decide_looking(self.subject, &from.world, command, NOW_MS)?;
        let mut next = from.world.clone();
        let recorded = matches!(decision, Decision::Record(_));
        if let Decision::Record(event) = &decision {
            self.recorded += 1;
            let entry = self.entry(&from.world, event.clone());
            self.subject.apply(&mut next.state, &entry);
            if let Event::Lease(LeaseEvent::Granted(granted)) = event {
                next.fates[index] = if granted.bound.is_some() { Fate::Alive } else { Fate::Timed };
            }
            judge::change(&from.world, &next, &self.texts)?;
        }
        let ask = ask_of(command, &self.texts.sets, true);
        let op = op_of(NOW_MS, command, ask, &decision, next.state.revision);
        let oracle = self
            .spec
            .step(&from.oracle, &op)
            .map_err(|breach| format!("{}: {}; it was answered {decision:?}", breach.word(), breach.why()))?;
        judge::agree(&oracle, &next, &self.texts)?;
        if !recorded {
            return Ok(from.key);
        }
        judge::state(&self.spec, &next, &self.texts)?;
        let key = self.texts.encode(&next, 0)?;
        // As it is gone through: under the tokens that the next state has.
        judge::again(self.subject, &self.texts.decode(key), command)?;
        Ok(key)
    }

    fn reboot(&self, from: &From) -> Result<u64, String> {
        let mut world = from.world.clone();
        let boot = fencehold_model::id::BootId::new("m").map_err(|bad| bad.to_string())?;
        let event = Event::Boot { boot, anchor_ms: NOW_MS, monotonic_ms: 0 };
        self.subject.apply(&mut world.state, &self.entry(&from.world, event));
        if !world.state.ended_boots.contains(self.texts.boot())
            || world.state.leases != from.world.state.leases
        {
            return Err("a boot event changed a lease, or did not end the boot before".into());
        }
        world.fates = judge::booted(world.fates);
        self.texts.encode(&world, 0)
    }

    fn forget(&self, from: &From) -> Result<u64, String> {
        let mut world = from.world.clone();
        let gone = self.subject.forget(&mut world.state, NOW_MS);
        judge::forgetting(&from.world.state, &world.state, &gone, NOW_MS)?;
        judge::state(&self.spec, &world, &self.texts)?;
        self.texts.encode(&world, 0)
    }
}

impl<S: LeaseSubject> Space for Search<'_, S> {
    type Action = LeaseAction;
    type From = From;

    fn actions(&self) -> Vec<LeaseAction> {
        self.config.actions()
    }

    fn enter(&mut self, key: u64) -> Result<From, String> {
        let world = self.texts.decode(key);
        let oracle = judge::oracle_of(&self.spec, &world, &self.texts);
        Ok(From { key, world, oracle })
    }

    fn step(&mut self, from: &From, action: LeaseAction) -> Result<Option<u64>, String> {
        let command = self.config.command(action, &self.texts, &from.world, &self.spelled);
        if let Some((index, command)) = command {
            return self.command(from, index, &command).map(Some);
        }
        match action {
            LeaseAction::Tick => self.texts.encode(&from.world, 1).map(Some),
            LeaseAction::Sleep => self.texts.encode(&from.world, REMEMBER_MS).map(Some),
            LeaseAction::Forget => self.forget(from).map(Some),
            LeaseAction::Reboot => self.reboot(from).map(Some),
            LeaseAction::Become(index, fate) => {
                let now = from.world.fates[index];
                if matches!(now, Fate::Timed | Fate::Dead | Fate::BootEnded) || now == fate {
                    return Ok(None);
                }
                let mut world = from.world.clone();
                world.fates[index] = fate;
                self.texts.encode(&world, 0).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn recorded(&self) -> u64 {
        self.recorded
    }
}
