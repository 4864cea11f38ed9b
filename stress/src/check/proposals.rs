//! Proposals: each id of each file on its own, with what every list tells of it.

use std::collections::BTreeMap;

use fencehold_model::history::{
    Call, History, Id, NEVER, Operation, Outcome, ProposalAsk as Asked, ProposalState, Reason, Told,
};
use fencehold_model::spec::Breach;
use fencehold_model::spec::proposal::{
    End, ProposalAsk, ProposalGiven, ProposalOp, ProposalReason, ProposalSpec, ProposalTold,
};

use super::limit::Limit;
use super::object::{Judge, Object, last_before};
use super::points::Point;
use super::report::Report;

/// All proposals of a history.
pub(super) struct Proposals {
    /// Each with whether its file was changed by the nemesis.
    objects: Vec<(Object<ProposalOp>, bool)>,
}

impl Proposals {
    /// Reads the operations on proposals; what a list has that nobody made is reported at once.
    pub(super) fn of(history: &History, report: &mut Report) -> Self {
        let mut all = Proposals { objects: Vec::new() };
        // By file, then by id.
        let mut places: BTreeMap<Id, BTreeMap<Id, usize>> = BTreeMap::new();
        for (at, op) in history.ops.iter().enumerate() {
            let Call::Proposal(target, id, ask) = op.call else { continue };
            let Some(read) = read(op, ask) else { continue };
            let place = *places.entry(target).or_default().entry(id).or_insert_with(|| {
                let subject =
                    format!("proposal {:?} for {:?}", history.names.text(id), history.names.text(target));
                all.objects.push((Object::new(subject), history.edits.contains(&target)));
                all.objects.len() - 1
            });
            // What a killed accept began another process finishes, at any time.
            let ended_us = if ask == Asked::Accept { NEVER } else { op.ended_us };
            all.objects[place].0.push_until(at, op, ended_us, read);
        }
        for (at, op) in history.ops.iter().enumerate() {
            if let (Call::ProposalList { target, after }, Outcome::Ok(answer)) = (&op.call, &op.outcome) {
                let subject = format!("proposals for {:?}", history.names.text(*target));
                let Told::Proposals { proposals, next } = &answer.told else {
                    report.broken(history, Breach::Malformed, &subject, vec![at]);
                    continue;
                };
                let whole = after.is_none() && next.is_none();
                let made = places.get(target);
                all.list(at, op, proposals, made, whole);
                let known = |id: &Id| made.is_some_and(|made| made.contains_key(id));
                if proposals.iter().any(|(id, _)| !known(id)) {
                    report.broken(history, Breach::ProposalAlien, &subject, vec![at]);
                }
            }
        }
        all
    }

    /// What a list tells of each proposal that was ever asked for.
    fn list(
        &mut self,
        at: usize,
        op: &Operation,
        listed: &[(Id, ProposalState)],
        made: Option<&BTreeMap<Id, usize>>,
        whole: bool,
    ) {
        let listed: BTreeMap<Id, ProposalState> = listed.iter().copied().collect();
        for (id, place) in made.into_iter().flatten() {
            let state = listed.get(id);
            if state.is_none() && !whole {
                continue;
            }
            let told = state.map(|state| told(*state));
            let seen = ProposalOp { ask: ProposalAsk::List, given: ProposalGiven::Ok, told, already: None };
            self.objects[*place].0.push(at, op, seen);
        }
    }

    /// Where each answer says that it was decided.
    pub(super) fn points<'a>(&'a self, points: &mut Vec<Point<'a>>) {
        for (object, _) in &self.objects {
            Point::of(object, points, |op, _| (if moves(op) { 0 } else { 2 }, false));
        }
    }

    /// Judges every proposal.
    pub(super) fn check(&self, history: &History, ranks: &[u32], limit: &mut Limit, report: &mut Report) {
        let related = |object: &Object<ProposalOp>, culprit: usize| last_before(object, culprit, moves);
        for (place, (object, edited)) in self.objects.iter().enumerate() {
            count(object, report);
            let judge = Judge { history, spec: &ProposalSpec { edited: *edited }, ranks, related };
            judge.judge(object, &mut limit.share(self.objects.len() - place), report);
        }
    }
}

/// The operation as the oracle sees it, if it may have happened.
fn read(op: &Operation, ask: Asked) -> Option<ProposalOp> {
    let (given, answer) = match &op.outcome {
        Outcome::Ok(answer) => (ProposalGiven::Ok, Some(answer)),
        Outcome::Refused(reason, answer) => (ProposalGiven::Refused(reason_of(*reason)), Some(answer)),
        Outcome::Info => (ProposalGiven::Info, None),
        Outcome::Fail => return None,
    };
    let state = answer.and_then(|answer| match answer.told {
        Told::Proposal(state) => Some(state),
        _ => None,
    });
    let ask = match ask {
        Asked::Add { content } => ProposalAsk::Add(content.0),
        Asked::Accept => ProposalAsk::End(End::Accepted),
        Asked::Reject => ProposalAsk::End(End::Rejected),
    };
    Some(ProposalOp { ask, given, told: state.map(told), already: answer.and_then(|answer| answer.already) })
}

fn told(state: ProposalState) -> ProposalTold {
    match state {
        ProposalState::Proposed => ProposalTold::Proposed,
        ProposalState::Accepted => ProposalTold::Ended(End::Accepted),
        ProposalState::Rejected => ProposalTold::Ended(End::Rejected),
        ProposalState::InDoubt => ProposalTold::InDoubt,
        ProposalState::Unknown => ProposalTold::Unknown,
    }
}

fn reason_of(reason: Reason) -> ProposalReason {
    match reason {
        Reason::NotFound => ProposalReason::NotFound,
        Reason::NotOpen => ProposalReason::NotOpen,
        Reason::Conflict => ProposalReason::Conflict,
        // What guards the file refused it: that is no matter of the proposal.
        Reason::Own | Reason::Guarded | Reason::StaleToken => ProposalReason::Own,
        _ => ProposalReason::Other,
    }
}

/// Whether it was answered as having changed the proposal.
fn moves(op: &ProposalOp) -> bool {
    op.ask != ProposalAsk::List && op.given == ProposalGiven::Ok && op.already != Some(true)
}

/// Counts what was reached.
fn count(object: &Object<ProposalOp>, report: &mut Report) {
    let counts = &mut report.counts;
    for timed in &object.ops {
        match (timed.op.ask, timed.op.given) {
            (ProposalAsk::Add(_), ProposalGiven::Ok) if moves(&timed.op) => counts.proposed += 1,
            (ProposalAsk::End(End::Accepted), ProposalGiven::Ok) if moves(&timed.op) => counts.accepted += 1,
            (ProposalAsk::End(End::Accepted), ProposalGiven::Ok) => counts.accepted_again += 1,
            (ProposalAsk::End(End::Rejected), ProposalGiven::Ok) if moves(&timed.op) => counts.rejected += 1,
            (ProposalAsk::End(_), ProposalGiven::Refused(ProposalReason::NotOpen)) => {
                counts.ended_otherwise += 1;
            }
            _ => {}
        }
    }
}
