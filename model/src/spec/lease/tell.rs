//! What shows and lists tell.

use super::cell::{Cell, States};
use super::op::{Ask, Given, Op, Reason, Seen, State};
use super::{LeaseSpec, Leases};
use crate::spec::Breach;

impl LeaseSpec {
    pub(super) fn show(&self, state: &mut Leases, op: &Op) -> Result<(), Breach> {
        match (&op.given, state.cells.get_mut(&op.lease)) {
            (Given::Ok(answer), Some(cell)) => match answer.named.as_slice() {
                [seen] if seen.lease == op.lease => told(cell, seen),
                _ => Err(Breach::Malformed),
            },
            (Given::Ok(_), None) => Err(Breach::LeaseState),
            (Given::Refused(Reason::NotFound, _), None) => Ok(()),
            (Given::Refused(Reason::NotFound, _), Some(cell)) => self.missing(cell, op),
            _ => Err(Breach::WrongReason),
        }
    }

    pub(super) fn list(&self, state: &mut Leases, op: &Op) -> Result<(), Breach> {
        let (Ask::List { only, whole }, Given::Ok(answer)) = (op.ask, &op.given) else {
            return Err(Breach::WrongReason);
        };
        for seen in &answer.named {
            let other = only.is_some_and(|only| seen.state.is_some_and(|state| state != only));
            if other || !state.cells.contains_key(&seen.lease) {
                return Err(Breach::LeaseState);
            }
        }
        for (lease, cell) in &mut state.cells {
            match answer.named.iter().find(|seen| seen.lease == *lease) {
                Some(seen) => told(cell, &Seen { state: seen.state.or(only), ..*seen })?,
                None if !whole => {}
                None => match only {
                    None => self.missing(cell, op)?,
                    Some(only) => {
                        let mut others = States::default();
                        cell.may_be.iter().filter(|state| *state != only).for_each(|state| others.add(state));
                        if others.is_empty() {
                            self.missing(cell, op)?;
                        } else if !cell.may_be_forgotten(&self.rules, op) {
                            cell.may_be = others;
                        }
                    }
                },
            }
        }
        Ok(())
    }

    /// It is not there: then it was closed or cleared so long ago that it is forgotten.
    fn missing(&self, cell: &mut Cell, op: &Op) -> Result<(), Breach> {
        let mut ended = States::default();
        cell.may_be
            .iter()
            .filter(|state| matches!(state, State::Closed | State::Cleared))
            .for_each(|state| ended.add(state));
        if ended.is_empty() || !cell.may_be_forgotten(&self.rules, op) {
            return Err(Breach::LeaseState);
        }
        cell.may_be = ended;
        Ok(())
    }
}

/// It is told of: its grant, its holder, its state. One that has lapsed is told of as open.
fn told(cell: &mut Cell, seen: &Seen) -> Result<(), Breach> {
    cell.learn(seen)?;
    let state = seen.state.ok_or(Breach::Malformed)?;
    if !cell.may_be.has(state) {
        return Err(Breach::LeaseState);
    }
    cell.may_be = state.into();
    Ok(())
}
