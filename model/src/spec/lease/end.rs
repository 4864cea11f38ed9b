//! Closed, crashed, cleared, reaped, or refused.

use alloc::vec;
use alloc::vec::Vec;

use super::cell::{Cell, States};
use super::op::{Answer, Ask, Given, Op, Proof, Reason, State};
use super::{LeaseSpec, Leases};
use crate::spec::Breach;

/// What an operation comes to on a lease that is in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It is in this state now.
    Done(State),
    /// It was closed before.
    Already,
    /// There is nothing to reap.
    Standing,
    Refused(Reason),
}

/// Whether the proof shows the last grant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
    Maybe,
}

fn shown(cell: &Cell, ask: Ask) -> Shown {
    let token = match ask {
        Ask::Close(Proof::Holder(holder)) if holder == cell.holder => return Shown::Yes,
        Ask::Close(Proof::Holder(_)) => return Shown::No,
        Ask::Close(Proof::Token(token)) | Ask::Reap { token } => token,
        Ask::Crash { token: Some(token), .. } => token,
        _ => return Shown::Yes,
    };
    match cell.token {
        None => Shown::Maybe,
        Some(known) if known == token => Shown::Yes,
        Some(_) => Shown::No,
    }
}

/// What must come of it, by the state that the lease is in and whether its last grant is shown; of a reap, two things
/// where the time leaves both open.
fn comes_to(cell: &Cell, op: &Op, is: State, shown: bool) -> Vec<Came> {
    let open = is == State::Open;
    vec![match op.ask {
        Ask::Crash { blank: true, .. } | Ask::Clear { force: true, blank: true } => {
            Came::Refused(Reason::NeedsReason)
        }
        Ask::Close(_) if open && shown => Came::Done(State::Closed),
        Ask::Close(Proof::Token(_)) if is == State::Closed && shown => Came::Already,
        Ask::Crash { .. } if open && shown => Came::Done(State::Crashed),
        Ask::Close(_) | Ask::Crash { .. } if open => Came::Refused(Reason::NotHolder),
        Ask::Close(_) | Ask::Crash { .. } => Came::Refused(Reason::NotOpen),
        Ask::Clear { .. } if is == State::Cleared => Came::Refused(Reason::NotFound),
        Ask::Clear { force: false, .. } if open => Came::Refused(Reason::NeedsReason),
        Ask::Clear { .. } => Came::Done(State::Cleared),
        Ask::Reap { .. } if open && shown => {
            let lapsed = cell.may_have_lapsed(op).then_some(Came::Done(State::Crashed));
            let live = cell.may_be_live(op).then_some(Came::Standing);
            return lapsed.into_iter().chain(live).collect();
        }
        _ => Came::Standing,
    }]
}

/// The same of a lease that nobody knows.
fn comes_to_nothing(ask: Ask) -> Came {
    match ask {
        Ask::Crash { blank: true, .. } | Ask::Clear { force: true, blank: true } => {
            Came::Refused(Reason::NeedsReason)
        }
        Ask::Reap { .. } => Came::Standing,
        _ => Came::Refused(Reason::NotFound),
    }
}

fn fits(came: Came, given: &Given) -> bool {
    match (came, given) {
        (Came::Done(state), Given::Ok(answer)) => {
            answer.already != Some(true) && answer.state.is_none_or(|said| said == state)
        }
        (Came::Already, Given::Ok(answer)) => {
            answer.already != Some(false) && answer.state.is_none_or(|said| said == State::Closed)
        }
        (Came::Standing, Given::Ok(answer)) => answer.state.is_none(),
        (Came::Refused(reason), Given::Refused(said, _)) => reason == *said,
        _ => false,
    }
}

impl LeaseSpec {
    pub(super) fn end(&self, state: &mut Leases, op: &Op) -> Result<(), Breach> {
        let Some(cell) = state.cells.get_mut(&op.lease) else {
            return if fits(comes_to_nothing(op.ask), &op.given) { Ok(()) } else { Err(unfit(op)) };
        };
        let forgotten = cell.may_be_forgotten(&self.rules, op) && fits(comes_to_nothing(op.ask), &op.given);
        let (mut after, mut all_shown, mut ended) = (States::default(), true, false);
        for is in cell.may_be.iter() {
            for shows in [true, false] {
                if shown(cell, op.ask) == if shows { Shown::No } else { Shown::Yes } {
                    continue;
                }
                for came in comes_to(cell, op, is, shows).into_iter().filter(|came| fits(*came, &op.given)) {
                    all_shown &= shows;
                    match came {
                        Came::Done(state) => {
                            ended = true;
                            after.add(state);
                        }
                        _ => after.add(is),
                    }
                }
            }
            if forgotten && matches!(is, State::Closed | State::Cleared) {
                all_shown = false;
                after.add(is);
            }
        }
        if after.is_empty() {
            return Err(unfit(op));
        }
        if let (true, Ask::Close(Proof::Token(token)) | Ask::Reap { token }) = (all_shown, op.ask) {
            cell.learn_token(Some(token))?;
        }
        said(cell, op)?;
        if let (Ask::Reap { .. }, Given::Ok(Answer { state: None, .. }), true) =
            (op.ask, &op.given, all_shown && after == State::Open.into())
        {
            cell.seen_live(op);
        }
        if ended {
            cell.ended_us = op.start_us;
        }
        cell.may_be = after;
        Ok(())
    }

    /// What an operation whose answer was lost leads to where it did something.
    pub(super) fn ended_unseen(&self, state: &mut Leases, op: &Op) -> bool {
        let Some(cell) = state.cells.get_mut(&op.lease) else { return false };
        if shown(cell, op.ask) == Shown::No {
            return false;
        }
        let mut after = States::default();
        for is in cell.may_be.iter() {
            for came in comes_to(cell, op, is, true) {
                if let Came::Done(state) = came {
                    after.add(state);
                }
            }
        }
        if after.is_empty() {
            return false;
        }
        if let Ask::Close(Proof::Token(token)) | Ask::Reap { token } | Ask::Crash { token: Some(token), .. } =
            op.ask
        {
            cell.token = Some(token);
        }
        (cell.may_be, cell.ended_us) = (after, op.start_us);
        true
    }
}

/// The grant, the holder and the state that the answer names are those of the lease.
fn said(cell: &mut Cell, op: &Op) -> Result<(), Breach> {
    let (Given::Ok(answer) | Given::Refused(_, answer)) = &op.given else { return Ok(()) };
    cell.learn_token(answer.token)?;
    for seen in &answer.named {
        cell.learn(seen)?;
        if seen.state.is_some_and(|state| !cell.may_be.has(state)) {
            return Err(Breach::LeaseState);
        }
    }
    Ok(())
}

/// Which rule an answer breaks that fits none of the states.
fn unfit(op: &Op) -> Breach {
    match (&op.given, op.ask) {
        (Given::Ok(_), Ask::Crash { blank: true, .. } | Ask::Clear { force: true, blank: true }) => {
            Breach::InvalidOk
        }
        (Given::Ok(Answer { state: Some(State::Crashed), .. }), Ask::Reap { .. }) => Breach::LeaseCrashedLive,
        (Given::Ok(Answer { state: None, .. }), Ask::Reap { .. }) => Breach::LeaseNotReaped,
        (Given::Ok(_), _) => Breach::LeaseEndOk,
        (
            Given::Refused(Reason::NotOpen | Reason::NotHolder | Reason::NotFound | Reason::NeedsReason, _),
            _,
        ) => Breach::WronglyRefused,
        _ => Breach::WrongReason,
    }
}
