//! What can happen in the search: the commands of a configuration, and what the world around them does.

use fencehold_model::lock::{Command, Proof};

use super::node::{LEFT_MAX, NAMES_MAX, Texts, World};
use super::subject::Fate;

/// A small configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What it is called in figures.
    pub label: &'static str,
    /// How many names, 1 or 2.
    pub names: usize,
    /// The holders and claims (0 for none) that acquire; three holders.
    pub parties: Vec<(usize, usize)>,
    /// The TTLs asked for, in ticks.
    pub ttls: Vec<u64>,
    /// What can become of the process of a bound grant.
    pub fates: Vec<Fate>,
    /// Whether the boot can end.
    pub reboots: bool,
}

/// Which grant a renew or release shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The current one, by its token.
    Current,
    /// The last one that was released, by its token.
    Released,
    /// The current one of the other name, or where there is one name a token that was never granted.
    Foreign,
    /// By a claim.
    Claim(usize),
}

/// One thing that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A holder asks for a lock: name, party, TTL, bound or not.
    Acquire(usize, usize, u64, bool),
    /// A holder renews: name, holder, what it shows, TTL.
    Renew(usize, usize, Shown, Option<u64>),
    /// A holder releases: name, holder, what it shows.
    Release(usize, usize, Shown),
    /// Somebody breaks a lock; with a blank reason or not.
    Break(usize, bool),
    /// One tick of journal time passes.
    Tick,
    /// As much journal time passes as a rotation needs to forget.
    Sleep,
    /// A rotation forgets.
    Forget,
    /// What became of the process of a name's grant.
    Become(usize, Fate),
    /// A new boot begins.
    Reboot,
}

impl Config {
    /// One name, everything about it.
    #[must_use]
    pub fn one_name() -> Self {
        Config {
            label: "one name",
            names: 1,
            parties: vec![(0, 1), (0, 2), (0, 0), (1, 1), (2, 0)],
            ttls: vec![2, 3],
            fates: vec![Fate::Alive, Fate::Dead, Fate::Unknowable],
            reboots: true,
        }
    }

    /// Two names and three holders, each of which asks in its own way.
    #[must_use]
    pub fn two_names() -> Self {
        Config {
            label: "two names",
            names: 2,
            parties: vec![(0, 1), (1, 1), (2, 0)],
            ttls: vec![1],
            fates: vec![Fate::Alive, Fate::Dead],
            reboots: false,
        }
    }

    /// Two names with longer times, and processes that nobody can see.
    #[must_use]
    pub fn two_names_wide() -> Self {
        Config {
            label: "two names, wide",
            ttls: vec![2],
            fates: vec![Fate::Alive, Fate::Dead, Fate::Unknowable],
            ..Self::two_names()
        }
    }

    /// Everything that can happen.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        assert!(self.names <= NAMES_MAX && self.ttls.iter().all(|ttl| *ttl < LEFT_MAX), "the key has room");
        let mut actions = vec![Action::Tick, Action::Sleep, Action::Forget];
        if self.reboots {
            actions.push(Action::Reboot);
        }
        let shown = [Shown::Current, Shown::Released, Shown::Foreign, Shown::Claim(0), Shown::Claim(1)];
        let claims = self.parties.iter().map(|(_, claim)| *claim).max().unwrap_or(0);
        for name in 0..self.names {
            for party in 0..self.parties.len() {
                for ttl in &self.ttls {
                    actions.extend([false, true].map(|bound| Action::Acquire(name, party, *ttl, bound)));
                }
            }
            for (holder, shown) in
                (0..3).flat_map(|holder| shown[..3 + claims].iter().map(move |s| (holder, *s)))
            {
                let ttls = [None].into_iter().chain(self.ttls.iter().map(|ttl| Some(*ttl)));
                actions.extend(ttls.map(|ttl| Action::Renew(name, holder, shown, ttl)));
                actions.push(Action::Release(name, holder, shown));
            }
            actions.extend([false, true].map(|blank| Action::Break(name, blank)));
            actions.extend(self.fates.iter().map(|fate| Action::Become(name, *fate)));
        }
        actions
    }

    /// The command of an action; none for what the world does, and for showing a grant that is not there.
    #[must_use]
    pub(super) fn command(&self, action: Action, texts: &Texts, world: &World) -> Option<(usize, Command)> {
        let lock_of = |name: usize| world.state.locks.get(&texts.names[name]);
        let proof = |name: usize, shown: Shown| {
            let lock = lock_of(name);
            Some(match shown {
                Shown::Current => Proof::Token(lock?.grant.as_ref()?.token),
                Shown::Released => Proof::Token(lock?.released.as_ref()?.token),
                Shown::Foreign if self.names == 2 => Proof::Token(lock_of(1 - name)?.grant.as_ref()?.token),
                Shown::Foreign => Proof::Token(7),
                Shown::Claim(claim) => Proof::Claim(texts.claims[claim].clone()),
            })
        };
        Some(match action {
            Action::Acquire(index, party, ttl_ms, bound) => {
                let (holder, claim) = self.parties[party];
                let command = Command::Acquire {
                    name: texts.names[index].clone(),
                    holder: texts.holders[holder].clone(),
                    claim: claim.checked_sub(1).map(|claim| texts.claims[claim].clone()),
                    ttl_ms,
                    bound: bound.then(|| texts.process(false)),
                    asked_by: None,
                };
                (index, command)
            }
            Action::Renew(index, holder, shown, ttl_ms) => {
                let (name, holder) = (texts.names[index].clone(), texts.holders[holder].clone());
                (index, Command::Renew { name, holder, proof: proof(index, shown)?, ttl_ms })
            }
            Action::Release(index, holder, shown) => {
                let (name, holder) = (texts.names[index].clone(), texts.holders[holder].clone());
                (index, Command::Release { name, holder, proof: proof(index, shown)? })
            }
            Action::Break(index, blank) => {
                let reason = if blank { " " } else { "why" }.to_owned();
                (index, Command::Break { name: texts.names[index].clone(), reason })
            }
            Action::Tick | Action::Sleep | Action::Forget | Action::Become(..) | Action::Reboot => {
                return None;
            }
        })
    }
}
