//! A state of the search in one word.
//!
//! What the machine can tell apart is kept, everything else is made canonical, so that the space is finite: tokens
//! become their order within a name (a name's tokens are compared with no others), times the difference to now, what
//! is past an end capped at "within memory" and "old enough to be forgotten", processes what became of them. Names
//! are interchangeable: their cells stand in sorted order. Not kept, because no decision reads it: since when, the
//! last operations' ids, the texts for people.

use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::{Broken, Grant, Lock, Released};
use fencehold_model::state::{Boot, REMEMBER_MS};
use fencehold_model::{Claim, Holder, LockName, State, TimeMs};

use super::subject::Fate;

/// The instant at which every state of the search is looked at.
pub(super) const NOW_MS: TimeMs = 4 * REMEMBER_MS;
/// The longest time left that a cell can hold.
pub(super) const LEFT_MAX: u64 = 5;
/// The cell's word for a grant that lapsed so long ago that it may be forgotten.
const OLD: u64 = LEFT_MAX + 1;
const CELL_BITS: u32 = 24;
/// The most names that a key can hold.
pub(super) const NAMES_MAX: usize = 2;

const FATES: [Fate; 5] = [Fate::Timed, Fate::Alive, Fate::Dead, Fate::Unknowable, Fate::BootEnded];

/// A state in one word.
pub(super) type Key = u64;

/// A state with what became of the processes of its grants.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// The folded state.
    pub(super) state: State,
    /// What became of the process of each name's grant.
    pub(super) fates: [Fate; NAMES_MAX],
}

/// The texts of the search: one letter each.
#[derive(Debug)]
pub(super) struct Texts {
    /// Lock names.
    pub(super) names: Vec<LockName>,
    /// Holders.
    pub(super) holders: Vec<Holder>,
    /// Claims.
    pub(super) claims: Vec<Claim>,
    /// The boot that goes on.
    pub(super) boot: BootId,
    /// A boot that is over.
    pub(super) ended: BootId,
}

impl Texts {
    /// The texts of a configuration with so many names.
    ///
    /// # Panics
    /// Never: its own texts are ids.
    #[must_use]
    pub(super) fn new(names: usize) -> Self {
        let own = "one letter is an id";
        Texts {
            names: ["x", "y"][..names].iter().map(|name| LockName::new(name).expect(own)).collect(),
            holders: ["a", "b", "c"].map(|holder| Holder::new(holder).expect(own)).into(),
            claims: ["p", "q"].map(|claim| Claim::new(claim).expect(own)).into(),
            boot: BootId::new("n").expect(own),
            ended: BootId::new("e").expect(own),
        }
    }

    /// A process of the boot that goes on, or of the one that is over.
    #[must_use]
    pub(super) fn process(&self, ended: bool) -> Process {
        let boot = if ended { &self.ended } else { &self.boot }.clone();
        Process { pid: 1, start_ticks: 1, boot, pid_namespace: 1, host: String::new() }
    }

    /// The state of a key.
    #[must_use]
    pub(super) fn decode(&self, key: Key) -> World {
        let boot = Boot { boot: self.boot.clone(), anchor_ms: 0, monotonic_ms: 0 };
        let mut state = State { revision: 100, time_ms: NOW_MS, boot: Some(boot), ..State::default() };
        state.ended_boots.push(self.ended.clone());
        let mut fates = [Fate::Timed; NAMES_MAX];
        for (index, name) in self.names.iter().enumerate() {
            let mut bits = Bits(key >> (CELL_BITS * u32::from(index == 1)));
            let lock = self.decode_cell(&mut bits, index as u64, &mut fates[index]);
            if lock != Lock::default() {
                state.locks.insert(name.clone(), lock);
            }
        }
        World { state, fates }
    }

    fn decode_cell(&self, bits: &mut Bits, index: u64, fate: &mut Fate) -> Lock {
        let mut lock = Lock::default();
        if bits.take(1) == 1 {
            let (holder, claim) = self.party(bits);
            let left = bits.take(3);
            let ttl_ms = bits.take(3);
            *fate = FATES[bits.take(3) as usize];
            let expires_ms = if left == OLD { NOW_MS - REMEMBER_MS } else { NOW_MS + left };
            let bound = (*fate != Fate::Timed).then(|| self.process(*fate == Fate::BootEnded));
            let since_ms = expires_ms - ttl_ms;
            lock.grant = Some(Grant {
                token: 50 + index,
                holder,
                claim,
                since_ms,
                ttl_ms,
                expires_ms,
                bound,
                asked_by: None,
            });
        } else {
            bits.take(13);
        }
        let at = |old: u64| if old == 1 { NOW_MS - REMEMBER_MS } else { NOW_MS };
        if bits.take(1) == 1 {
            let (holder, claim) = self.party(bits);
            lock.released = Some(Released { holder, claim, token: 20 + index, at_ms: at(bits.take(1)) });
        } else {
            bits.take(5);
        }
        if bits.take(1) == 1 {
            let (at_ms, newer) = (at(bits.take(1)), bits.take(1));
            lock.broken = Some(Broken { token: 10 + 20 * newer + index, at_ms });
        }
        lock
    }

    fn party(&self, bits: &mut Bits) -> (Holder, Option<Claim>) {
        let holder = self.holders[bits.take(2) as usize].clone();
        let claim = bits.take(2).checked_sub(1).map(|claim| self.claims[claim as usize].clone());
        (holder, claim)
    }

    /// The key of a state as it is looked at `NOW_MS + later_ms`.
    ///
    /// # Errors
    /// If the state holds something that the machine cannot have made of the configuration's commands.
    pub(super) fn encode(&self, world: &World, later_ms: u64) -> Result<Key, String> {
        let mut cells = [0; NAMES_MAX];
        for (index, name) in self.names.iter().enumerate() {
            if let Some(lock) = world.state.locks.get(name) {
                cells[index] = encode_cell(lock, world.fates[index], NOW_MS + later_ms)
                    .ok_or_else(|| format!("a lock that no command can have made: {lock:?}"))?;
            }
        }
        // Names are interchangeable.
        if self.names.len() == 2 && cells[0] < cells[1] {
            cells.swap(0, 1);
        }
        Ok(cells[0] | cells[1] << CELL_BITS)
    }
}

fn encode_cell(lock: &Lock, fate: Fate, now_ms: TimeMs) -> Option<u64> {
    let mut bits = Packed(0, 0);
    let age = |at_ms: TimeMs| u64::from(at_ms + REMEMBER_MS <= now_ms);
    if let Some(grant) = &lock.grant {
        let old = age(grant.expires_ms) == 1;
        let left = if old { OLD } else { grant.expires_ms.saturating_sub(now_ms) };
        if left > OLD || (left == OLD && !old) || grant.ttl_ms > 7 {
            return None;
        }
        let fate = FATES.iter().position(|known| *known == fate)? as u64;
        bits.put(1, 1).put(letter(grant.holder.as_str(), b'a'), 2).put(claim_bits(grant.claim.as_ref()), 2);
        bits.put(left, 3).put(grant.ttl_ms, 3).put(fate, 3);
    } else {
        bits.put(0, 14);
    }
    if let Some(last) = &lock.released {
        bits.put(1, 1).put(letter(last.holder.as_str(), b'a'), 2).put(claim_bits(last.claim.as_ref()), 2);
        bits.put(age(last.at_ms), 1);
    } else {
        bits.put(0, 6);
    }
    if let Some(broken) = lock.broken {
        let newer = lock.released.as_ref().is_some_and(|last| last.token < broken.token);
        bits.put(1, 1).put(age(broken.at_ms), 1).put(u64::from(newer), 1);
    }
    Some(bits.0)
}

fn letter(text: &str, first: u8) -> u64 {
    text.bytes().next().map_or(0, |byte| u64::from(byte.wrapping_sub(first)))
}

fn claim_bits(claim: Option<&Claim>) -> u64 {
    claim.map_or(0, |claim| letter(claim.as_str(), b'p') + 1)
}

struct Bits(u64);

impl Bits {
    fn take(&mut self, count: u32) -> u64 {
        let taken = self.0 & ((1 << count) - 1);
        self.0 >>= count;
        taken
    }
}

struct Packed(u64, u32);

impl Packed {
    fn put(&mut self, value: u64, count: u32) -> &mut Self {
        self.0 |= value << self.1;
        self.1 += count;
        self
    }
}
