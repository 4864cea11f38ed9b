//! A state of the leases' search in one word.
//!
//! What the machine can tell apart is kept, everything else is made canonical, so that the space is finite: tokens are
//! the leases' own (the current one of each, and one that is older), times the difference to now, processes what became
//! of them. Of a lease that has ended only its state is kept, and whether that may be forgotten.

use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lease::{About, Cause, End, How, Lease};
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::state::{Boot, REMEMBER_MS};
use fencehold_model::{Holder, LeaseId, Pattern, Policy, State, TimeMs, Token};

use super::super::subject::Fate;
use super::space::LeaseConfig;

/// The instant at which every state of the search is looked at.
pub(super) const NOW_MS: TimeMs = 4 * REMEMBER_MS;
/// The most leases that a key can hold.
pub(super) const LEASES_MAX: usize = 3;
const CELL_BITS: usize = 12;
/// The cell's word for an open lease without a TTL; smaller ones are the time left.
pub(super) const NO_TTL: u64 = 3;

const FATES: [Fate; 5] = [Fate::Timed, Fate::Alive, Fate::Dead, Fate::Unknowable, Fate::BootEnded];

/// A state with what became of the processes of its leases.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) fates: [Fate; LEASES_MAX],
}

impl World {
    /// What became of the process of the grant with this token.
    pub(super) fn fate_of(&self, token: Token) -> Option<Fate> {
        let index = usize::try_from(token.checked_sub(token_of(0))?).ok()?;
        self.fates.get(index).copied().filter(|fate| *fate != Fate::Timed)
    }
}

/// The token of the last grant of a lease, in every state that is gone through.
pub(super) fn token_of(index: usize) -> Token {
    50 + index as Token
}

/// A token that a lease had before.
pub(super) fn stale_token_of(index: usize) -> Token {
    20 + index as Token
}

/// The texts of a configuration.
#[derive(Debug)]
pub(super) struct Texts {
    /// The canonical ids.
    pub(super) leases: Vec<LeaseId>,
    pub(super) holders: Vec<Holder>,
    pub(super) sets: Vec<Vec<Pattern>>,
    ttl_ms: u64,
    boot: BootId,
    ended: BootId,
    policy: Policy,
}

impl Texts {
    pub(super) fn new(config: &LeaseConfig) -> Self {
        let own = "the search's own texts are well formed";
        let set = |set: &Vec<&str>| set.iter().map(|entry| Pattern::new(entry).expect(own)).collect();
        Texts {
            leases: config.leases().iter().map(|id| LeaseId::new(id).expect(own)).collect(),
            holders: ["a", "b", "c"][..config.holders].iter().map(|it| Holder::new(it).expect(own)).collect(),
            sets: config.sets.iter().map(set).collect(),
            ttl_ms: config.ttl_ms,
            boot: BootId::new("n").expect(own),
            ended: BootId::new("e").expect(own),
            policy: Policy {
                lease_ids: IdForm::Numbers,
                overlap: if config.advises { Overlap::Advise } else { Overlap::Refuse },
                ..Policy::default()
            },
        }
    }

    /// The process of a lease. All of them have one pid: it was given again and again.
    pub(super) fn process(&self, index: usize, ended: bool) -> Process {
        let boot = if ended { &self.ended } else { &self.boot }.clone();
        Process { pid: 1, start_ticks: index as u64, boot, pid_namespace: 1, host: String::new() }
    }

    pub(super) fn decode(&self, key: u64) -> World {
        let boot = Boot { boot: self.boot.clone(), anchor_ms: 0, monotonic_ms: 0 };
        let policy = self.policy.clone();
        let mut state =
            State { revision: 100, time_ms: NOW_MS, boot: Some(boot), policy, ..State::default() };
        state.ended_boots.push(self.ended.clone());
        let mut fates = [Fate::Timed; LEASES_MAX];
        for (index, id) in self.leases.iter().enumerate() {
            let cell = key >> (CELL_BITS * index) & ((1 << CELL_BITS) - 1);
            let Some(lease) = self.decode_cell(cell, index, &mut fates[index]) else { continue };
            for pattern in lease.writes.iter().filter(|_| lease.is_open()) {
                state.writes.insert(pattern, id.clone());
            }
            state.leases.insert(id.clone(), lease);
        }
        World { state, fates }
    }

    fn decode_cell(&self, cell: u64, index: usize, fate: &mut Fate) -> Option<Lease> {
        let mut lease = Lease {
            token: token_of(index),
            holder: self.holders[0].clone(),
            since_ms: NOW_MS - REMEMBER_MS,
            ttl_ms: None,
            bound: None,
            asked_by: None,
            about: About::default(),
            writes: Vec::new(),
            end: None,
        };
        let at_ms = if cell >> 3 & 1 == 1 { NOW_MS - REMEMBER_MS } else { NOW_MS };
        lease.end = match cell & 7 {
            0 => return None,
            1 => None,
            2 => Some(End { at_ms, how: How::Closed }),
            3 => Some(End { at_ms, how: How::Crashed(Cause::TtlPassed) }),
            _ => Some(End { at_ms, how: How::Cleared(None) }),
        };
        if lease.is_open() {
            lease.holder = self.holders[(cell >> 3 & 3) as usize].clone();
            lease.writes = self.sets[(cell >> 5 & 3) as usize].clone();
            let left = cell >> 7 & 3;
            lease.ttl_ms = (left != NO_TTL).then_some(self.ttl_ms);
            lease.since_ms = if left == NO_TTL { NOW_MS } else { NOW_MS + left - self.ttl_ms };
            *fate = FATES[(cell >> 9 & 7) as usize];
            lease.bound = (*fate != Fate::Timed).then(|| self.process(index, *fate == Fate::BootEnded));
        }
        Some(lease)
    }

    /// The key of a state as it is looked at `NOW_MS + later_ms`.
    ///
    /// # Errors
    /// If the state holds something that the machine cannot have made of the configuration's commands.
    pub(super) fn encode(&self, world: &World, later_ms: u64) -> Result<u64, String> {
        let now_ms = NOW_MS + later_ms;
        let mut key = 0;
        for (index, id) in self.leases.iter().enumerate() {
            let Some(lease) = world.state.leases.get(id) else { continue };
            let cell = self.encode_cell(lease, world.fates[index], now_ms);
            key |= cell.ok_or_else(|| format!("no command makes such a lease: {lease:?}"))?
                << (CELL_BITS * index);
        }
        let known = self.leases.iter().filter(|id| world.state.leases.contains_key(*id)).count();
        if known != world.state.leases.len() {
            return Err("a lease stands under an id that is not its canonical one".into());
        }
        Ok(key)
    }

    fn encode_cell(&self, lease: &Lease, fate: Fate, now_ms: TimeMs) -> Option<u64> {
        if let Some(End { at_ms, how }) = &lease.end {
            let old = u64::from(at_ms + REMEMBER_MS <= now_ms);
            return Some(match how {
                How::Closed => 2 | old << 3,
                How::Crashed(_) => 3,
                How::Cleared(_) => 4 | old << 3,
            });
        }
        let holder = self.holders.iter().position(|holder| *holder == lease.holder)? as u64;
        let set = self.sets.iter().position(|set| *set == lease.writes)? as u64;
        let left = lease.expires_ms().map_or(NO_TTL, |expires_ms| expires_ms.saturating_sub(now_ms));
        if left >= NO_TTL && lease.ttl_ms.is_some()
            || lease.ttl_ms.is_some_and(|ttl_ms| ttl_ms != self.ttl_ms)
        {
            return None;
        }
        let fate = FATES.iter().position(|known| *known == fate)? as u64;
        Some(1 | holder << 3 | set << 5 | left << 7 | fate << 9)
    }

    /// The boot that goes on.
    pub(super) fn boot(&self) -> &BootId {
        &self.boot
    }
}
