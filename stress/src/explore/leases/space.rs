//! What can happen in the leases' search: the commands of a configuration, and what the world around them does.

use fencehold_model::lease::{About, Command, Proof};
use fencehold_model::spec::lease::canonical;
use fencehold_model::{LeaseId, Token};

use super::super::subject::Fate;
use super::node::{LEASES_MAX, NO_TTL, Texts, World, stale_token_of, token_of};

/// A small configuration. Ids are numbers.
#[derive(Debug, Clone)]
pub struct LeaseConfig {
    /// What it is called in figures.
    pub label: &'static str,
    /// How the ids are spelled: at most three leases.
    pub spellings: Vec<&'static str>,
    /// How many holders, up to three.
    pub holders: usize,
    /// The write sets, up to four.
    pub sets: Vec<Vec<&'static str>>,
    /// The TTL of grants that have one, in ticks; at most two.
    pub ttl_ms: u64,
    /// Whether overlaps are merely told.
    pub advises: bool,
    /// What can become of the process of a lease.
    pub fates: Vec<Fate>,
    /// Whether the boot can end.
    pub reboots: bool,
}

/// Which token a command shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownToken {
    /// Of the last grant.
    Current,
    /// Of one before.
    Stale,
    /// Of another lease's last grant.
    Foreign,
}

/// Which reason a command gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// None.
    None,
    /// A blank one.
    Blank,
    /// One that says something.
    Why,
}

/// One thing that can happen. Leases and spellings by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseAction {
    /// Spelling, holder, write set, with a TTL or not, with a process or not.
    Grant(usize, usize, usize, bool, bool),
    /// Spelling, token.
    Close(usize, ShownToken),
    /// Spelling, holder.
    CloseBy(usize, usize),
    /// Lease, token if any, reason.
    Crash(usize, Option<ShownToken>, Reason),
    /// Lease, force, reason.
    Clear(usize, bool, Reason),
    /// Lease, token.
    Reap(usize, ShownToken),
    /// One tick of journal time passes.
    Tick,
    /// As much journal time passes as a rotation needs to forget.
    Sleep,
    /// A rotation forgets.
    Forget,
    /// What became of the process of a lease.
    Become(usize, Fate),
    /// A new boot begins.
    Reboot,
}

impl LeaseConfig {
    /// Two leases, one of them spelled in two ways, four write sets (a folder and a file in it, a glob and a file that
    /// it matches), everything that can become of a process.
    #[must_use]
    pub fn two_leases(advises: bool) -> Self {
        LeaseConfig {
            label: if advises { "two leases, advised" } else { "two leases" },
            spellings: vec!["5", "05", "50"],
            holders: 2,
            sets: vec![vec!["src/"], vec!["src/a.rs"], vec!["docs/*.md"], vec!["docs/b.md", "Makefile"]],
            ttl_ms: 1,
            advises,
            fates: vec![Fate::Alive, Fate::Dead, Fate::Unknowable],
            reboots: true,
        }
    }

    /// Three leases and three holders, with fewer write sets and ways to end.
    #[must_use]
    pub fn three_leases(advises: bool) -> Self {
        LeaseConfig {
            label: if advises { "three leases, advised" } else { "three leases" },
            spellings: vec!["T1", "T10", "7"],
            holders: 1,
            sets: vec![vec!["src/"], vec!["src/*.rs"], vec!["src/a.rs"]],
            fates: vec![Fate::Alive, Fate::Dead],
            reboots: false,
            ..Self::two_leases(advises)
        }
    }

    /// The canonical ids, as the oracle knows them.
    #[must_use]
    pub fn leases(&self) -> Vec<String> {
        let mut leases = Vec::new();
        for spelling in &self.spellings {
            let id = canonical(spelling, true);
            if !leases.contains(&id) {
                leases.push(id);
            }
        }
        leases
    }

    /// Which lease a spelling names.
    #[must_use]
    pub fn lease(&self, spelling: usize) -> usize {
        let id = canonical(self.spellings[spelling], true);
        self.leases().iter().position(|lease| *lease == id).unwrap_or(usize::MAX)
    }

    /// Everything that can happen.
    #[must_use]
    pub fn actions(&self) -> Vec<LeaseAction> {
        let leases = self.leases().len();
        assert!(leases <= LEASES_MAX && self.ttl_ms < NO_TTL && self.sets.len() <= 4, "the key has room");
        let mut actions = vec![LeaseAction::Tick, LeaseAction::Sleep, LeaseAction::Forget];
        if self.reboots {
            actions.push(LeaseAction::Reboot);
        }
        let all_shown = [ShownToken::Current, ShownToken::Stale, ShownToken::Foreign];
        for spelling in 0..self.spellings.len() {
            for (holder, set) in
                (0..self.holders).flat_map(|holder| (0..self.sets.len()).map(move |set| (holder, set)))
            {
                for (timed, bound) in [(false, false), (false, true), (true, false), (true, true)] {
                    actions.push(LeaseAction::Grant(spelling, holder, set, timed, bound));
                }
            }
            actions.extend(all_shown.map(|shown| LeaseAction::Close(spelling, shown)));
            actions.extend((0..self.holders).map(|holder| LeaseAction::CloseBy(spelling, holder)));
        }
        for lease in 0..leases {
            for reason in [Reason::Blank, Reason::Why] {
                let tokens = [None, Some(ShownToken::Current), Some(ShownToken::Stale)];
                actions.extend(tokens.map(|token| LeaseAction::Crash(lease, token, reason)));
            }
            for reason in [Reason::None, Reason::Blank, Reason::Why] {
                actions.extend([false, true].map(|force| LeaseAction::Clear(lease, force, reason)));
            }
            actions.extend(all_shown.map(|shown| LeaseAction::Reap(lease, shown)));
            actions.extend(self.fates.iter().map(|fate| LeaseAction::Become(lease, *fate)));
        }
        actions
    }

    /// The command of an action, and the lease that it names; none for what the world does, and for showing a token that
    /// is not there.
    pub(super) fn command(
        &self,
        action: LeaseAction,
        texts: &Texts,
        world: &World,
        spelled: &[(LeaseId, usize)],
    ) -> Option<(usize, Command)> {
        let token = |index: usize, shown: ShownToken| -> Option<Token> {
            let at = match shown {
                ShownToken::Stale => return Some(stale_token_of(index)),
                ShownToken::Current => index,
                ShownToken::Foreign => (index + 1) % texts.leases.len(),
            };
            world.state.leases.contains_key(&texts.leases[at]).then(|| token_of(at))
        };
        let said = |reason: Reason| match reason {
            Reason::None => None,
            Reason::Blank => Some(" \t".to_owned()),
            Reason::Why => Some("why".to_owned()),
        };
        Some(match action {
            LeaseAction::Grant(spelling, holder, set, timed, bound) => {
                let (lease, index) = spelled[spelling].clone();
                let command = Command::Grant {
                    lease,
                    holder: texts.holders[holder].clone(),
                    ttl_ms: timed.then_some(self.ttl_ms),
                    writes: texts.sets[set].clone(),
                    about: About::default(),
                    bound: bound.then(|| texts.process(index, false)),
                    asked_by: None,
                };
                (index, command)
            }
            LeaseAction::Close(spelling, shown) => {
                let (lease, index) = spelled[spelling].clone();
                (index, Command::Close { lease, proof: Proof::Token(token(index, shown)?) })
            }
            LeaseAction::CloseBy(spelling, holder) => {
                let (lease, index) = spelled[spelling].clone();
                (index, Command::Close { lease, proof: Proof::Holder(texts.holders[holder].clone()) })
            }
            LeaseAction::Crash(index, shown, reason) => {
                let token = match shown {
                    None => None,
                    Some(shown) => Some(token(index, shown)?),
                };
                let reason = said(reason).unwrap_or_default();
                (index, Command::Crash { lease: texts.leases[index].clone(), token, reason })
            }
            LeaseAction::Clear(index, force, reason) => {
                (index, Command::Clear { lease: texts.leases[index].clone(), force, reason: said(reason) })
            }
            LeaseAction::Reap(index, shown) => {
                (index, Command::Reap { lease: texts.leases[index].clone(), token: token(index, shown)? })
            }
            _ => return None,
        })
    }
}
