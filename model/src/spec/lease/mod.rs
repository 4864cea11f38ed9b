//! Leases, as the oracle understands them: all those of an object, whose write sets may touch.
//!
//! - A grant opens a lease that is not live, under a token above all before it; a live one is `already_open`.
//! - A grant in whose way another live lease is, is refused (`overlap`) or names it, as the policy says; what has lapsed
//!   in its way it crashes, at most 64 of them.
//! - A lease lapses with its process, or by its TTL where nobody can tell of its process; never by its TTL while its
//!   process lives. It stays open until somebody ends it.
//! - Close needs the token or the holder, crash a reason, clear of an open one force and a reason; what is not open is
//!   neither closed nor crashed. Repeating a close is ok.
//!
//! Whether two write sets touch is given to it, as a relation ([`Touch`]): by [`Touch::of`], which decides it on its own
//! and naively, or by whoever knows. Names of leases are of their one form ([`canonical`]).
//!
//! Where an answer's interval of time leaves two rules possible, both pass: a lease then *may be* in several states, and
//! what later answers show is learned.

mod cell;
mod end;
mod grant;
mod names;
mod op;
mod tell;
mod touch;

pub use op::{Answer, Ask, Bind, Given, Name, Op, Proof, Reason, Rules, Seen, Set, State};
pub use touch::{NoPattern, Touch, canonical};

use alloc::collections::BTreeMap;

use super::{Breach, Spec};
use cell::Cell;

/// The most leases that one grant crashes, and the most that it names beside it.
pub const IN_THE_WAY_MAX: usize = 64;

/// The specification of leases.
#[derive(Debug, Clone)]
pub struct LeaseSpec {
    /// What the target declared.
    pub rules: Rules,
    /// Which write sets touch.
    pub touch: Touch,
}

/// All that is to be known of the leases of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Leases {
    cells: BTreeMap<Name, Cell>,
    /// Every new token is above this.
    floor: u64,
}

impl Spec for LeaseSpec {
    type State = Leases;
    type Op = Op;

    fn initial(&self) -> Leases {
        Leases::default()
    }

    fn step(&self, state: &Leases, op: &Op) -> Result<Leases, Breach> {
        let mut next = state.clone();
        match (&op.given, op.ask) {
            (Given::Refused(Reason::Own, _), _) => {}
            (Given::Ok(answer), Ask::Grant { .. }) => self.granted(&mut next, op, answer)?,
            (Given::Refused(reason, answer), Ask::Grant { .. }) => {
                self.not_granted(&mut next, op, *reason, answer)?;
            }
            (_, Ask::Show) => self.show(&mut next, op)?,
            (_, Ask::List { .. }) => self.list(&mut next, op)?,
            _ => self.end(&mut next, op)?,
        }
        Ok(next)
    }

    fn only_tells(&self, op: &Op) -> bool {
        matches!(op.ask, Ask::Show | Ask::List { .. }) || matches!(op.given, Given::Refused(..))
    }

    fn effects(&self, state: &Leases, op: &Op) -> [Option<Leases>; 2] {
        let mut next = state.clone();
        let happened = match op.ask {
            Ask::Grant { .. } => self.granted_unseen(&mut next, op),
            Ask::Show | Ask::List { .. } => false,
            _ => self.ended_unseen(&mut next, op),
        };
        [(happened && next != *state).then_some(next), None]
    }
}

impl Leases {
    /// Puts what a harness knows from elsewhere in the place of what was known of a lease: its last grant, by the
    /// operation that made it, and the state that it is in since then. Nothing is judged.
    pub fn put(&mut self, spec: &LeaseSpec, grant: &Op, is: State, since_us: u64) {
        let token = match &grant.given {
            Given::Ok(answer) => answer.token,
            _ => None,
        };
        let mut cell = Cell::granted(&spec.rules, grant, token);
        (cell.may_be, cell.ended_us) = (is.into(), if is == State::Open { 0 } else { since_us });
        self.cells.insert(grant.lease, cell);
    }

    /// Every new token has to be above this.
    pub fn raise_floor(&mut self, floor: u64) {
        self.floor = self.floor.max(floor);
    }

    /// Takes away what was known of a lease, as a rotation forgets it.
    pub fn forget(&mut self, lease: Name) {
        self.cells.remove(&lease);
    }

    /// What is known of a lease: holder, token, and its state where only one is possible.
    #[must_use]
    pub fn known(&self, lease: Name) -> Option<(Name, Option<u64>, Option<State>)> {
        let cell = self.cells.get(&lease)?;
        let mut states = cell.may_be.iter();
        let one = states.next().filter(|_| states.next().is_none());
        Some((cell.holder, cell.token, one))
    }
}
