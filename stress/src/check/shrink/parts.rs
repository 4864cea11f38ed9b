//! What can be left out of a history without making right answers wrong.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{
    Ask, Call, Fence, History, Id, LeaseAsk, Operation, Outcome, Right, StatusAsk, Token, Told,
};
use serde_json::Value;

/// Stands for every lease: which of them are one object is not for the shrinker to say.
const LEASES: Id = Id(u32::MAX);

/// The lock, task or file that an operation is about, and the lock that guards it; leases stand for each other.
pub(super) fn objects(op: &Operation) -> impl Iterator<Item = Id> + use<> {
    let (object, fence) = match &op.call {
        Call::Lock(name, _) => (Some(*name), &None),
        Call::Append { file, fence, .. }
        | Call::Increment { file, fence, .. }
        | Call::DocRead { file, fence }
        | Call::Merge { file, fence, .. } => (Some(*file), fence),
        Call::LogRead { file, .. } | Call::HarnessRead { file } => (Some(*file), &None),
        Call::Proposal(target, ..) | Call::ProposalList { target, .. } => (Some(*target), &None),
        Call::Status(task, _) => (Some(*task), &None),
        Call::Lease(..) | Call::LeaseList { .. } => (Some(LEASES), &None),
        Call::Invalid(_) | Call::Other(_) => (None, &None),
    };
    object.into_iter().chain(fence.map(|fence: Fence| match fence.right {
        Right::Lock(lock) => lock,
        Right::Lease(_) => LEASES,
    }))
}

/// What is left out together.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// These operations, by process and id.
    Ops(Vec<(u64, u64)>),
    /// This record, with its appends and its place in every read.
    Record(String),
    /// The proposals of this id, with their places in every list.
    Proposal(String),
}

/// Single operations that changed nothing or are not known to have changed anything, and all that mentions a token;
/// those of one process stand together.
pub(super) fn units(history: &History) -> Vec<Part> {
    let mut eras: BTreeMap<(Id, Token), Vec<usize>> = BTreeMap::new();
    let mut single = Vec::new();
    for (index, op) in history.ops.iter().enumerate() {
        let tokens = mentioned(op);
        for token in &tokens {
            eras.entry(*token).or_default().push(index);
        }
        let changes = op.ok().is_some_and(|_| match &op.call {
            Call::Lock(_, ask) => !matches!(ask, Ask::Show),
            Call::Lease(_, ask) => !matches!(ask, LeaseAsk::Show),
            Call::Status(_, ask) => !matches!(ask, StatusAsk::Get),
            Call::Append { .. } | Call::Increment { .. } | Call::Merge { .. } | Call::Proposal(..) => true,
            _ => false,
        });
        if !changes {
            single.push(index);
        }
    }
    let key = |index: &usize| (history.processes[history.ops[*index].process].number, history.ops[*index].id);
    single.sort_by_key(key);
    let eras = eras.into_values().map(|ops| Part::Ops(ops.iter().map(key).collect()));
    eras.chain(single.iter().map(|index| Part::Ops(vec![key(index)]))).collect()
}

/// The tokens that an operation's request or answer names.
fn mentioned(op: &Operation) -> Vec<(Id, Token)> {
    let mut tokens = Vec::new();
    if let Call::Lock(name, ask) = &op.call {
        if let Ask::Renew { token, .. } | Ask::Release { token, .. } = ask {
            tokens.push((*name, *token));
        }
        if let Outcome::Ok(answer) | Outcome::Refused(_, answer) = &op.outcome {
            tokens.push((*name, answer.token));
        }
    }
    if let Call::Lease(lease, ask) = &op.call {
        if let LeaseAsk::Close { token } | LeaseAsk::Crash { token, .. } = ask {
            tokens.push((*lease, *token));
        }
        if let Outcome::Ok(answer) | Outcome::Refused(_, answer) = &op.outcome {
            tokens.push((*lease, answer.token));
            if let Told::Leases { leases, .. } = &answer.told {
                tokens.extend(leases.iter().filter_map(|seen| Some((seen.lease?, seen.token))));
            }
        }
    }
    tokens.retain(|(_, token)| *token != Token::Absent);
    tokens
}

pub(super) fn records(history: &History) -> Vec<Part> {
    let ids = history.ops.iter().filter_map(|op| match &op.call {
        Call::Append { id, .. } => Some(*id),
        _ => None,
    });
    let ids: BTreeSet<Id> = ids.collect();
    ids.into_iter().map(|id| Part::Record(history.names.text(id).to_owned())).collect()
}

pub(super) fn proposals(history: &History) -> Vec<Part> {
    let ids = history.ops.iter().filter_map(|op| match &op.call {
        Call::Proposal(_, id, _) => Some(*id),
        _ => None,
    });
    let ids: BTreeSet<Id> = ids.collect();
    ids.into_iter().map(|id| Part::Proposal(history.names.text(id).to_owned())).collect()
}

pub(super) fn without(history: &History, parts: &[Part]) -> String {
    let (mut ops, mut gone, mut ended) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for part in parts {
        match part {
            Part::Ops(keys) => ops.extend(keys.iter().copied()),
            Part::Record(id) => {
                gone.insert(id.as_str());
            }
            Part::Proposal(id) => {
                ended.insert(id.as_str());
            }
        }
    }
    let keep = |index: usize| {
        let op = &history.ops[index];
        let record = match &op.call {
            Call::Append { id, .. } => gone.contains(history.names.text(*id)),
            Call::Proposal(_, id, _) => ended.contains(history.names.text(*id)),
            _ => false,
        };
        !record && !ops.contains(&(history.processes[op.process].number, op.id))
    };
    let text = history.select(keep, true);
    if gone.is_empty() && ended.is_empty() {
        return text;
    }
    text.lines().map(|line| read_without(line, &gone, &ended)).collect()
}

/// A line of a history without these records, and without these proposals, in what was read.
fn read_without(line: &str, gone: &BTreeSet<&str>, ended: &BTreeSet<&str>) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap_or_default();
    if let Some(proposals) = value["value"]["proposals"].as_array_mut() {
        proposals.retain(|one| !one["proposal"].as_str().is_some_and(|id| ended.contains(id)));
        return format!("{value}\n");
    }
    let is_gone = |id: &Value| id.as_str().is_some_and(|id| gone.contains(id));
    let Some(records) = value["value"]["records"].as_array_mut() else { return format!("{line}\n") };
    records.retain(|record| !is_gone(&record["id"]));
    if let Some(duplicates) = value["value"]["duplicates"].as_array_mut() {
        duplicates.retain(|id| !is_gone(id));
    }
    format!("{value}\n")
}
