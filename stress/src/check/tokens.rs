//! Tokens and fences, judged without an order: what no order could explain.

use std::collections::BTreeMap;

use fencehold_model::history::{Ask, Call, Fence, History, Id, LeaseAsk, Right, Token, Tokens};
use fencehold_model::spec::Breach;

use super::report::Report;

/// One answered acquire of a lock, or grant of a lease.
struct Grant {
    at: usize,
    holder: Id,
    claim: Option<Id>,
    token: Token,
    start_us: u64,
    end_us: u64,
}

/// Judges the tokens of every lock and lease, and every guarded operation.
pub(super) fn check(history: &History, report: &mut Report) {
    let mut rights: BTreeMap<Right, Vec<Grant>> = BTreeMap::new();
    for (at, op) in history.ops.iter().enumerate() {
        let (right, holder, claim) = match &op.call {
            Call::Lock(name, Ask::Acquire { holder, claim, .. }) => (Right::Lock(*name), *holder, *claim),
            // A lease is never granted twice under one token.
            Call::Lease(lease, LeaseAsk::Grant { holder, .. }) => (Right::Lease(*lease), *holder, None),
            _ => continue,
        };
        if let Some(answer) = op.ok() {
            let (start_us, end_us) = (op.invoked_us, op.ended_us);
            let grant = Grant { at, holder, claim, token: answer.token, start_us, end_us };
            rights.entry(right).or_default().push(grant);
        }
    }
    for (right, grants) in &mut rights {
        let subject = subject(history, *right);
        one_owner(history, &subject, grants, report);
        if history.header.hello.tokens == Tokens::Ordered {
            growing(history, &subject, grants, report);
        }
    }
    if history.header.hello.fencing {
        fences(history, &mut rights, report);
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

/// A guarded operation that was sent after a newer grant of what it shows had been answered was not done.
fn fences(history: &History, rights: &mut BTreeMap<Right, Vec<Grant>>, report: &mut Report) {
    let mut newest: BTreeMap<Right, Vec<(u64, u64, usize)>> = BTreeMap::new();
    for (right, grants) in rights {
        grants.sort_by_key(|grant| grant.end_us);
        let mut rising: Vec<(u64, u64, usize)> = Vec::new();
        for grant in grants.iter() {
            if rising.last().is_none_or(|(_, token, _)| *token < number(grant)) {
                rising.push((grant.end_us, number(grant), grant.at));
            }
        }
        newest.insert(*right, rising);
    }
    for (at, op) in history.ops.iter().enumerate() {
        let Some(Fence { right, token: Token::Number(shown) }) = fence(&op.call) else { continue };
        let Some(rising) = newest.get(&right).filter(|_| op.ok().is_some()) else { continue };
        let answered = rising.partition_point(|(end_us, ..)| *end_us < op.invoked_us);
        if let Some((_, _, grant)) = rising[..answered].last().filter(|(_, token, _)| *token > shown) {
            let subject = format!("fence of {}", subject(history, right));
            report.broken(history, Breach::StaleFence, &subject, vec![*grant, at]);
        }
    }
}

fn subject(history: &History, right: Right) -> String {
    let word = if matches!(right, Right::Lock(_)) { "lock" } else { "lease" };
    format!("{word} {:?}", history.names.text(right.id()))
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
