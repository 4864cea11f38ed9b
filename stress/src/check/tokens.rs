//! Tokens and fences, judged without an order: what no order could explain.

use std::collections::BTreeMap;

use fencehold_model::history::{Ask, Call, Fence, History, Id, Right, Token, Tokens};
use fencehold_model::spec::Breach;

use super::report::Report;

/// One answered acquire.
struct Grant {
    at: usize,
    holder: Id,
    claim: Option<Id>,
    token: Token,
    start_us: u64,
    end_us: u64,
}

/// Judges the tokens of every lock, and every guarded operation.
pub(super) fn check(history: &History, report: &mut Report) {
    let mut locks: BTreeMap<Id, Vec<Grant>> = BTreeMap::new();
    for (at, op) in history.ops.iter().enumerate() {
        if let (Call::Lock(name, Ask::Acquire { holder, claim, .. }), Some(answer)) = (&op.call, op.ok()) {
            let (start_us, end_us) = (op.invoked_us, op.ended_us);
            let grant = Grant { at, holder: *holder, claim: *claim, token: answer.token, start_us, end_us };
            locks.entry(*name).or_default().push(grant);
        }
    }
    for (name, grants) in &mut locks {
        let subject = format!("lock {:?}", history.names.text(*name));
        one_owner(history, &subject, grants, report);
        if history.header.hello.tokens == Tokens::Ordered {
            growing(history, &subject, grants, report);
        }
    }
    if history.header.hello.fencing {
        fences(history, &mut locks, report);
    }
}

/// All answers with one token went to one holder and claim.
fn one_owner(history: &History, subject: &str, grants: &[Grant], report: &mut Report) {
    let mut owners: BTreeMap<Token, &Grant> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| grant.token != Token::Absent) {
        let first = owners.entry(grant.token).or_insert(grant);
        let same = first.holder == grant.holder && first.claim == grant.claim && grant.claim.is_some();
        if first.at != grant.at && !same {
            report.broken(history, Breach::TokenRepeated, subject, vec![first.at, grant.at]);
        }
    }
}

/// A grant sent after another was answered has no lower token.
fn growing(history: &History, subject: &str, grants: &[Grant], report: &mut Report) {
    let mut by_end: Vec<&Grant> = grants.iter().collect();
    by_end.sort_by_key(|grant| grant.end_us);
    let mut answered = by_end.into_iter().peekable();
    let mut highest: Option<&Grant> = None;
    let mut by_start: Vec<&Grant> = grants.iter().collect();
    by_start.sort_by_key(|grant| grant.start_us);
    for grant in by_start {
        while let Some(before) = answered.next_if(|before| before.end_us < grant.start_us) {
            if highest.is_none_or(|highest| number(highest) < number(before)) {
                highest = Some(before);
            }
        }
        if let Some(highest) = highest.filter(|highest| number(grant) < number(highest)) {
            report.broken(history, Breach::TokenBack, subject, vec![highest.at, grant.at]);
        }
    }
}

fn number(grant: &Grant) -> u64 {
    match grant.token {
        Token::Number(number) => number,
        _ => 0,
    }
}

/// A guarded operation that was sent after a newer grant of its lock had been answered was not done.
fn fences(history: &History, locks: &mut BTreeMap<Id, Vec<Grant>>, report: &mut Report) {
    let mut newest: BTreeMap<Id, Vec<(u64, u64, usize)>> = BTreeMap::new();
    for (name, grants) in locks {
        grants.sort_by_key(|grant| grant.end_us);
        let mut rising: Vec<(u64, u64, usize)> = Vec::new();
        for grant in grants.iter() {
            if rising.last().is_none_or(|(_, token, _)| *token < number(grant)) {
                rising.push((grant.end_us, number(grant), grant.at));
            }
        }
        newest.insert(*name, rising);
    }
    for (at, op) in history.ops.iter().enumerate() {
        let Some(Fence { right: Right::Lock(lock), token: Token::Number(shown) }) = fence(&op.call) else {
            continue;
        };
        let Some(rising) = newest.get(&lock).filter(|_| op.ok().is_some()) else { continue };
        let answered = rising.partition_point(|(end_us, ..)| *end_us < op.invoked_us);
        if let Some((_, _, grant)) = rising[..answered].last().filter(|(_, token, _)| *token > shown) {
            let subject = format!("fence of lock {:?}", history.names.text(lock));
            report.broken(history, Breach::StaleFence, &subject, vec![*grant, at]);
        }
    }
}

fn fence(call: &Call) -> Option<Fence> {
    match call {
        Call::Append { fence, .. }
        | Call::Increment { fence, .. }
        | Call::DocRead { fence, .. }
        | Call::Merge { fence, .. } => *fence,
        _ => None,
    }
}
