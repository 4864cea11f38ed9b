//! A decision about a lease as the oracle sees it: an operation that was asked and answered at one instant.

use fencehold_model::lease::{Already, Command, Decision, How, LeaseEvent, Party, Proof, Refusal};
use fencehold_model::spec::lease::{self, Answer, Ask, Bind, Given, Name, Op, Seen, Set, canonical};
use fencehold_model::{Event, LeaseId, Pattern, Revision, TimeMs};

use super::super::answer::id_of;

/// The number of a lease by its one form, as the oracle knows it; of a holder alike.
pub(super) fn name_of(text: &str) -> Name {
    Name(id_of(&canonical(text, true)).0)
}

pub(super) fn holder_of(text: &str) -> Name {
    Name(id_of(text).0)
}

pub(super) fn state_of(how: Option<&How>) -> lease::State {
    match how {
        None => lease::State::Open,
        Some(How::Closed) => lease::State::Closed,
        Some(How::Crashed(_)) => lease::State::Crashed,
        Some(How::Cleared(_)) => lease::State::Cleared,
    }
}

/// The oracle's form of a command. `watched` says whether the process it would be bound to can be seen.
pub(super) fn ask_of(command: &Command, sets: &[Vec<Pattern>], watched: bool) -> Ask {
    let blank = |reason: &str| reason.trim().is_empty();
    match command {
        Command::Grant { holder, ttl_ms, writes, bound, .. } => Ask::Grant {
            holder: holder_of(holder.as_str()),
            ttl_us: *ttl_ms,
            writes: set_of(writes, sets),
            bind: match bound {
                None => Bind::No,
                Some(_) if watched => Bind::Process,
                Some(_) => Bind::Unseen,
            },
        },
        Command::Close { proof, .. } => Ask::Close(match proof {
            Proof::Token(token) => lease::Proof::Token(*token),
            Proof::Holder(holder) => lease::Proof::Holder(holder_of(holder.as_str())),
        }),
        Command::Crash { token, reason, .. } => Ask::Crash { token: *token, blank: blank(reason) },
        Command::Clear { force, reason, .. } => {
            Ask::Clear { force: *force, blank: reason.as_deref().is_none_or(blank) }
        }
        Command::Reap { token, .. } => Ask::Reap { token: *token },
    }
}

pub(super) fn set_of(writes: &[Pattern], sets: &[Vec<Pattern>]) -> Set {
    let place = sets.iter().position(|set| set == writes).unwrap_or(sets.len());
    Set(u32::try_from(place).unwrap_or(u32::MAX))
}

/// The operation: a command, decided at `now_ms`, its event (if any) recorded at `revision`. One microsecond of the
/// oracle stands for one millisecond here.
pub(super) fn op_of(
    now_ms: TimeMs,
    command: &Command,
    ask: Ask,
    decision: &Decision,
    revision: Revision,
) -> Op {
    Op::at(now_ms, name_of(command.lease().as_str()), ask, given(decision, revision))
}

fn given(decision: &Decision, revision: Revision) -> Given {
    let mut answer = Answer::default();
    match decision {
        Decision::Record(Event::Lease(LeaseEvent::Granted(granted))) => {
            let names = |leases: &mut dyn Iterator<Item = &LeaseId>| {
                Some(leases.map(|lease| name_of(lease.as_str())).collect())
            };
            answer.token = Some(revision);
            answer.crashed = names(&mut granted.over.iter().map(|crash| &crash.lease));
            answer.beside = names(&mut granted.beside.iter());
        }
        Decision::Record(Event::Lease(LeaseEvent::Closed { token, .. })) => {
            (answer.token, answer.already) = (Some(*token), Some(false));
            answer.state = Some(lease::State::Closed);
        }
        Decision::Record(Event::Lease(LeaseEvent::Crashed(crash))) => {
            (answer.token, answer.state) = (Some(crash.token), Some(lease::State::Crashed));
        }
        Decision::Record(Event::Lease(LeaseEvent::Cleared { token, .. })) => {
            (answer.token, answer.state) = (Some(*token), Some(lease::State::Cleared));
        }
        Decision::Already(Already::Closed { token }) => {
            (answer.token, answer.already) = (Some(*token), Some(true));
        }
        Decision::Already(Already::Standing) => {}
        Decision::Refuse(refusal) => return refused(refusal),
        Decision::Record(_) | Decision::Probe(_) => return Given::Refused(lease::Reason::Other, answer),
    }
    Given::Ok(answer)
}

fn refused(refusal: &Refusal) -> Given {
    let seen = |party: &Party, how: Option<&How>| Seen {
        lease: name_of(party.lease.as_str()),
        state: Some(state_of(how)),
        token: Some(party.token),
        holder: Some(holder_of(party.holder.as_str())),
    };
    let (reason, named) = match refusal {
        Refusal::AlreadyOpen(party) => (lease::Reason::AlreadyOpen, vec![seen(party, None)]),
        Refusal::Overlap(parties) => {
            (lease::Reason::Overlap, parties.iter().map(|party| seen(party, None)).collect())
        }
        Refusal::NotOpen(party, how) => (lease::Reason::NotOpen, vec![seen(party, Some(how))]),
        Refusal::NotHolder(party) => (lease::Reason::NotHolder, vec![seen(party, None)]),
        Refusal::NotFound => (lease::Reason::NotFound, Vec::new()),
        Refusal::NeedsReason => (lease::Reason::NeedsReason, Vec::new()),
    };
    Given::Refused(reason, Answer { named, ..Answer::default() })
}
