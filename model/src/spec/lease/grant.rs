//! Granted, refused, or nobody knows.

use super::cell::{Cell, States};
use super::op::{Answer, Ask, Name, Op, Reason, State};
use super::{IN_THE_WAY_MAX, LeaseSpec, Leases};
use crate::spec::Breach;

impl LeaseSpec {
    /// Whether this lease stands in the way of the grant: its own, or one whose write set touches.
    fn in_the_way(&self, op: &Op, lease: Name, cell: &Cell) -> bool {
        let Ask::Grant { writes, .. } = op.ask else { return false };
        lease == op.lease || self.touch.touches(cell.writes, writes)
    }

    pub(super) fn granted(&self, state: &mut Leases, op: &Op, answer: &Answer) -> Result<(), Breach> {
        for (lease, cell) in &mut state.cells {
            if self.in_the_way(op, *lease, cell) {
                self.met(cell, *lease, op, answer)?;
            } else if says(answer.crashed.as_deref(), *lease) == Some(true)
                || says(answer.beside.as_deref(), *lease) == Some(true)
            {
                return Err(Breach::LeaseAdvice);
            }
        }
        if answer.crashed.as_ref().is_some_and(|crashed| crashed.len() > IN_THE_WAY_MAX) {
            return Err(Breach::LeaseCrowd);
        }
        for named in answer.crashed.iter().chain(&answer.beside).flatten() {
            if !state.cells.contains_key(named) {
                return Err(Breach::LeaseAdvice);
            }
        }
        if self.rules.tokens_grow {
            let token = answer.token.ok_or(Breach::Malformed)?;
            if token <= state.floor {
                return Err(Breach::TokenBack);
            }
            state.floor = token;
        }
        state.cells.insert(op.lease, Cell::granted(&self.rules, op, answer.token));
        Ok(())
    }

    /// A lease in the way of a grant that was made: it was not open, or had lapsed, or the policy only advises.
    fn met(&self, cell: &mut Cell, lease: Name, op: &Op, answer: &Answer) -> Result<(), Breach> {
        let crashed = says(answer.crashed.as_deref(), lease);
        let mut beside = says(answer.beside.as_deref(), lease);
        if answer.beside.as_ref().is_some_and(|beside| beside.len() >= IN_THE_WAY_MAX) {
            beside = beside.filter(|named| *named);
        }
        let may_stand = self.rules.advises && lease != op.lease;
        let mut after = States::default();
        if crashed != Some(true) && beside != Some(true) {
            cell.may_be.iter().filter(|state| *state != State::Open).for_each(|state| after.add(state));
        }
        if cell.may_have_lapsed(op) && crashed != Some(false) && beside != Some(true) {
            after.add(State::Crashed);
        }
        if cell.may_be_live(op) && may_stand && crashed != Some(true) && beside != Some(false) {
            after.add(State::Open);
        }
        if after.is_empty() {
            return Err(match lease == op.lease {
                _ if crashed == Some(true) && cell.is_surely_live(op) => Breach::LeaseCrashedLive,
                true if cell.is_surely_live(op) => Breach::LeaseOpenTwice,
                false if cell.is_surely_live(op) && !self.rules.advises => Breach::LeaseOverlap,
                _ => Breach::LeaseAdvice,
            });
        }
        if after == State::Open.into() {
            cell.seen_live(op);
        }
        if after.has(State::Crashed) && !cell.may_be.has(State::Crashed) {
            cell.ended_us = op.start_us;
        }
        cell.may_be = after;
        Ok(())
    }

    pub(super) fn not_granted(
        &self,
        state: &mut Leases,
        op: &Op,
        reason: Reason,
        answer: &Answer,
    ) -> Result<(), Breach> {
        match reason {
            Reason::AlreadyOpen => {
                let cell = state.cells.get_mut(&op.lease).ok_or(Breach::LeaseNotThere)?;
                for seen in &answer.named {
                    cell.learn(seen)?;
                }
                if !cell.may_be_live(op) {
                    return Err(Breach::LeaseNotThere);
                }
                cell.seen_live(op);
                Ok(())
            }
            Reason::Overlap => self.overlaps(state, op, answer),
            _ => Err(Breach::WrongReason),
        }
    }

    fn overlaps(&self, state: &mut Leases, op: &Op, answer: &Answer) -> Result<(), Breach> {
        let lapsed =
            |(lease, cell): &(&Name, &Cell)| self.in_the_way(op, **lease, cell) && cell.may_have_lapsed(op);
        let crowded = state.cells.iter().filter(lapsed).count() > IN_THE_WAY_MAX;
        // A live lease of its own id is `already_open`, whoever else is in the way.
        if let Some(own) = state.cells.get_mut(&op.lease) {
            if own.is_surely_live(op) {
                return Err(Breach::WrongReason);
            }
            if own.may_be == State::Open.into() {
                own.seen_lapsed(op);
            }
        }
        let live = |lease: &Name, cell: &Cell| {
            !self.rules.advises
                && *lease != op.lease
                && self.in_the_way(op, *lease, cell)
                && cell.may_be_live(op)
        };
        if answer.named.is_empty() {
            let any = crowded || state.cells.iter().any(|(lease, cell)| live(lease, cell));
            return if any { Ok(()) } else { Err(Breach::LeaseNotThere) };
        }
        for seen in &answer.named {
            let cell = state.cells.get_mut(&seen.lease).ok_or(Breach::LeaseNotThere)?;
            cell.learn(seen)?;
            let lapsed = crowded && self.in_the_way(op, seen.lease, cell) && cell.may_be.has(State::Open);
            match live(&seen.lease, cell) {
                true if lapsed => cell.may_be = State::Open.into(),
                true => cell.seen_live(op),
                false if lapsed => cell.may_be = State::Open.into(),
                false => return Err(Breach::LeaseNotThere),
            }
        }
        Ok(())
    }

    /// A grant whose answer was lost, if it can have been made; at least one number is used up by it.
    pub(super) fn granted_unseen(&self, state: &mut Leases, op: &Op) -> bool {
        let unknown = Answer::default();
        for (lease, cell) in &mut state.cells {
            if self.in_the_way(op, *lease, cell) && self.met(cell, *lease, op, &unknown).is_err() {
                return false;
            }
        }
        state.floor = state.floor.saturating_add(1);
        state.cells.insert(op.lease, Cell::granted(&self.rules, op, None));
        true
    }
}

/// Whether a list names it, where there is one.
fn says(list: Option<&[Name]>, lease: Name) -> Option<bool> {
    list.map(|list| list.contains(&lease))
}
