//! One step of the search: an action taken in a state, judged.

use fencehold_model::lock::{Command, Decision};
use fencehold_model::spec::{self, LockSpec, Rules};
use fencehold_model::state::REMEMBER_MS;
use fencehold_model::{Entry, Event, Holder, OpId};

use super::judge::{self, Decided};
use super::node::{Key, NAMES_MAX, NOW_MS, Texts, World};
use super::relation::oracle_of;
use super::space::{Action, Config};
use super::subject::{Fate, Subject, decide_looking};

/// Takes steps, and counts the events.
pub(super) struct Search<'a, S> {
    subject: &'a S,
    texts: Texts,
    spec: LockSpec,
    actor: Holder,
    op: OpId,
    pub(super) recorded: u64,
}

/// A state that is being gone through.
pub(super) struct From {
    key: Key,
    world: World,
    oracles: [spec::Lock; NAMES_MAX],
}

impl<'a, S: Subject> Search<'a, S> {
    pub(super) fn new(subject: &'a S, names: usize) -> Self {
        let own = "one letter is an id";
        let spec = LockSpec { rules: Rules::exact() };
        let (actor, op) = (Holder::new("a").expect(own), OpId::new("o").expect(own));
        Search { subject, texts: Texts::new(names), spec, actor, op, recorded: 0 }
    }

    pub(super) fn enter(&self, key: Key) -> Result<From, String> {
        let world = self.texts.decode(key);
        let mut oracles = [spec::Lock::default(); NAMES_MAX];
        for (index, name) in self.texts.names.iter().enumerate() {
            oracles[index] = oracle_of(&self.spec, world.state.locks.get(name), world.fates[index])?;
        }
        Ok(From { key, world, oracles })
    }

    /// Takes one action; none if it cannot happen here.
    pub(super) fn step(
        &mut self,
        config: &Config,
        from: &From,
        action: Action,
    ) -> Result<Option<Key>, String> {
        if let Some((index, command)) = config.command(action, &self.texts, &from.world) {
            return self.command(from, index, &command).map(Some);
        }
        match action {
            Action::Tick => self.texts.encode(&from.world, 1).map(Some),
            Action::Sleep => self.texts.encode(&from.world, REMEMBER_MS).map(Some),
            Action::Forget => {
                let mut world = from.world.clone();
                self.subject.forget(&mut world.state, NOW_MS);
                for (index, name) in self.texts.names.iter().enumerate() {
                    judge::forgetting(&from.world, &world, index, name)?;
                }
                self.texts.encode(&world, 0).map(Some)
            }
            Action::Become(index, fate) => {
                let now = from.world.fates[index];
                if matches!(now, Fate::Timed | Fate::Dead | Fate::BootEnded) || now == fate {
                    return Ok(None);
                }
                let mut world = from.world.clone();
                world.fates[index] = fate;
                self.texts.encode(&world, 0).map(Some)
            }
            Action::Reboot => self.reboot(from).map(Some),
            _ => Ok(None),
        }
    }

    fn reboot(&self, from: &From) -> Result<Key, String> {
        let mut world = from.world.clone();
        let boot = fencehold_model::id::BootId::new("m").map_err(|bad| bad.to_string())?;
        let event = Event::Boot { boot, anchor_ms: NOW_MS, monotonic_ms: 0 };
        self.subject.apply(&mut world.state, &self.entry(&from.world, event));
        if !world.state.ended_boots.contains(&self.texts.boot) {
            return Err("a boot ended, and the state does not say so".into());
        }
        if world.state.locks != from.world.state.locks {
            return Err("a boot event changed a lock".into());
        }
        for fate in &mut world.fates {
            *fate = if *fate == Fate::Timed { Fate::Timed } else { Fate::BootEnded };
        }
        self.texts.encode(&world, 0)
    }

    fn entry(&self, world: &World, event: Event) -> Entry {
        let revision = world.state.revision + 1;
        Entry { revision, at_ms: NOW_MS, actor: self.actor.clone(), op: self.op.clone(), event }
    }

    fn command(&mut self, from: &From, index: usize, command: &Command) -> Result<Key, String> {
        let fate = from.world.fates[index];
        let (decision, seen_alive) = decide_looking(self.subject, &from.world.state, command, fate, NOW_MS)?;
        let name = &self.texts.names[index];
        let decided = Decided { command, decision, seen_alive, fate };
        judge::decision(from.world.state.locks.get(name), &decided)?;
        let revision = from.world.state.revision;
        let oracle = &from.oracles[index];
        let Decision::Record(event) = &decided.decision else {
            let after = (from.world.state.locks.get(name), fate, revision);
            judge::by_oracle(&self.spec, oracle, revision, &decided, after)?;
            return Ok(from.key);
        };
        self.recorded += 1;
        let entry = self.entry(&from.world, event.clone());
        let mut next = from.world.clone();
        self.subject.apply(&mut next.state, &entry);
        if let Event::LockGranted { bound, .. } = event {
            next.fates[index] = if bound.is_some() { Fate::Alive } else { Fate::Timed };
        }
        self.judge_recorded(from, &next, index, &decided)?;
        self.texts.encode(&next, 0)
    }

    /// The event was applied: judges what it came to.
    fn judge_recorded(
        &self,
        from: &From,
        next: &World,
        index: usize,
        decided: &Decided<'_>,
    ) -> Result<(), String> {
        let name = &self.texts.names[index];
        let (was, is) = (&from.world.state, &next.state);
        let (lock, fate) = (is.locks.get(name), next.fates[index]);
        judge::change(was.locks.get(name), lock, was.revision)?;
        judge::memory(was, is, name)?;
        let after = (lock, fate, is.revision);
        judge::by_oracle(&self.spec, &from.oracles[index], was.revision, decided, after)?;
        judge::again(self.subject, next, decided, fate)?;
        let others = self.texts.names.iter().filter(|other| *other != name);
        for other in others {
            if was.locks.get(other) != is.locks.get(other) {
                return Err("a command changed another name".into());
            }
        }
        Ok(())
    }
}
