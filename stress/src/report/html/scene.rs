//! What a drawing of a history shows: lanes, and the items in them. Of a large history, only what is around the
//! violation.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{Ask, Bind, Call, History, NEVER, Operation, Outcome};
use serde_json::Value;

use super::label;

/// The most operations that are drawn.
pub(super) const OPS_MAX: usize = 30;
/// The most marks of the nemesis that are drawn.
const MARKS_MAX: usize = 40;

/// What is drawn.
pub(super) struct Scene {
    /// Their labels, from the top.
    pub(super) lanes: Vec<Lane>,
    /// In the order of their beginnings.
    pub(super) items: Vec<Item>,
    /// Operations that are not drawn.
    pub(super) left_out: usize,
    /// Marks of the nemesis within the window that are not drawn.
    pub(super) marks_left_out: usize,
}

pub(super) struct Lane {
    pub(super) label: String,
    pub(super) died_us: u64,
}

pub(super) struct Item {
    pub(super) lane: usize,
    pub(super) kind: Kind,
    pub(super) from_us: u64,
    /// [`NEVER`]: it has an open end.
    pub(super) to_us: u64,
    /// Until when the grant that it brought is promised, or [`NEVER`].
    pub(super) granted_us: Option<u64>,
    pub(super) asked: String,
    pub(super) answered: String,
    /// Its line in the history; 0 for marks.
    pub(super) line: u32,
    pub(super) role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Ok,
    Refused,
    Fail,
    Info,
    Died,
    Nemesis,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It cannot be explained.
    Culprit,
    /// The violation names it.
    Named,
    Other,
}

/// Lines that the parsed history does not carry.
struct Extra {
    /// Instant, process, word, detail.
    nemesis: Vec<(u64, Option<u64>, String, String)>,
    /// Reasons of the target's own, by process and id.
    reasons: BTreeMap<(u64, u64), String>,
}

/// Chooses what to draw: all of a small history; of a large one the operations that `named` gives (the one that
/// cannot be explained last) and the nearest around that one.
pub(super) fn scene(history: &History, named: &[usize]) -> Scene {
    let chosen = choose(history, named);
    let extra = extra(history);
    let (mut lanes, mut lane_of) = (Vec::new(), BTreeMap::new());
    for process in chosen.iter().map(|op| history.ops[*op].process).collect::<BTreeSet<_>>() {
        let life = history.processes[process];
        lane_of.insert(life.number, lanes.len());
        lanes.push(Lane { label: format!("process {}", life.number), died_us: life.died_us });
    }
    let culprit = named.last();
    let mut items: Vec<Item> = Vec::new();
    for index in &chosen {
        let op = &history.ops[*index];
        let number = history.processes[op.process].number;
        let role = if culprit == Some(index) {
            Role::Culprit
        } else if named.contains(index) {
            Role::Named
        } else {
            Role::Other
        };
        items.push(Item {
            lane: lane_of[&number],
            kind: kind(op),
            from_us: op.invoked_us,
            to_us: op.ended_us,
            granted_us: granted(history, op),
            asked: label::asked(history, op),
            answered: label::answered(history, op, extra.reasons.get(&(number, op.id)).map(String::as_str)),
            line: op.line,
            role,
        });
    }
    let marks_left_out = marks(&extra, &lane_of, &mut lanes, &mut items);
    items.sort_by_key(|item| (item.from_us, item.line));
    Scene { lanes, items, left_out: history.ops.len() - chosen.len(), marks_left_out }
}

fn choose(history: &History, named: &[usize]) -> BTreeSet<usize> {
    let count = history.ops.len();
    if count <= OPS_MAX {
        return (0..count).collect();
    }
    let centre = named.last().copied().unwrap_or(count - 1);
    let mut chosen: BTreeSet<usize> = named.iter().rev().take(OPS_MAX).copied().collect();
    // What came before tells more than what came after.
    let back = |away: usize| centre.checked_sub(away);
    let near = (0..count)
        .flat_map(|away| [back(3 * away), back(3 * away + 1), back(3 * away + 2), Some(centre + away)]);
    for index in near.flatten().filter(|index| *index < count) {
        if chosen.len() >= OPS_MAX {
            break;
        }
        chosen.insert(index);
    }
    chosen
}

fn kind(op: &Operation) -> Kind {
    match op.outcome {
        Outcome::Ok(_) => Kind::Ok,
        Outcome::Refused(..) => Kind::Refused,
        Outcome::Fail => Kind::Fail,
        Outcome::Info => Kind::Info,
    }
}

/// Until when the grant that an operation brought is promised: its expiry, a release or break of it, or, where it is
/// bound to the process that answered, that one's death.
fn granted(history: &History, op: &Operation) -> Option<u64> {
    let (Call::Lock(name, ask), Some(answer)) = (&op.call, op.ok()) else { return None };
    let (bound, ttl_us) = match ask {
        Ask::Acquire { ttl_us, bind, .. } => (*bind == Bind::Process, Some(*ttl_us)),
        Ask::Renew { ttl_us, .. } => (false, *ttl_us),
        _ => return None,
    };
    let lapses = match answer.expires_in_us.or(ttl_us) {
        _ if bound && answer.expires_in_us.is_none() => history.processes[op.process].died_us,
        Some(us) => op.invoked_us.saturating_add(us),
        None => return None,
    };
    let ends = |later: &&Operation| match &later.call {
        Call::Lock(other, Ask::Release { holder, token, .. }) => {
            let same = matches!(ask, Ask::Acquire { holder: taken, .. } | Ask::Renew { holder: taken, .. } if taken == holder);
            other == name && (*token == answer.token || same)
        }
        Call::Lock(other, Ask::Break { .. }) => other == name,
        _ => false,
    };
    let after = history.ops.iter().filter(|later| later.invoked_us >= op.ended_us && later.ok().is_some());
    let released = after.filter(ends).map(|later| later.invoked_us).min();
    Some(lapses.min(released.unwrap_or(NEVER)))
}

/// Adds deaths and what the nemesis did within the time of the operations; says how many did not fit.
fn marks(
    extra: &Extra,
    lane_of: &BTreeMap<u64, usize>,
    lanes: &mut Vec<Lane>,
    items: &mut Vec<Item>,
) -> usize {
    let begin = items.iter().map(|item| item.from_us).min().unwrap_or(0);
    let end = |item: &Item| if item.to_us == NEVER { item.from_us } else { item.to_us };
    let end = items.iter().map(end).max().unwrap_or(0);
    let mark = |lane, kind, at_us, asked: &str, answered: &str| Item {
        lane,
        kind,
        from_us: at_us,
        to_us: at_us,
        granted_us: None,
        asked: asked.to_owned(),
        answered: answered.to_owned(),
        line: 0,
        role: Role::Other,
    };
    for (lane, died_us) in lanes.iter().map(|lane| lane.died_us).enumerate() {
        if (begin..=end).contains(&died_us) {
            items.push(mark(lane, Kind::Died, died_us, "died", ""));
        }
    }
    let centre = items.iter().find(|item| item.role == Role::Culprit).map_or(end, |item| item.from_us);
    let mut within: Vec<_> =
        extra.nemesis.iter().filter(|(at_us, ..)| (begin..=end).contains(at_us)).collect();
    within.sort_by_key(|(at_us, ..)| at_us.abs_diff(centre));
    let mut nobody = None;
    for (at_us, process, word, detail) in within.iter().take(MARKS_MAX) {
        let lane = process.and_then(|number| lane_of.get(&number).copied()).unwrap_or_else(|| {
            *nobody.get_or_insert_with(|| {
                lanes.push(Lane { label: "nemesis".to_owned(), died_us: NEVER });
                lanes.len() - 1
            })
        });
        items.push(mark(lane, Kind::Nemesis, *at_us, word, detail));
    }
    within.len().saturating_sub(MARKS_MAX)
}

fn extra(history: &History) -> Extra {
    let mut extra = Extra { nemesis: Vec::new(), reasons: BTreeMap::new() };
    let wanted = |line: &&str| line.contains("nemesis") || line.contains("\"x-");
    for line in history.text().lines().skip(1).filter(wanted) {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let word = |key: &str| line[key].as_str().unwrap_or("").to_owned();
        if line["type"] == "nemesis" {
            let detail = match &line["detail"] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let at_us = line["at_us"].as_u64().unwrap_or(0);
            extra.nemesis.push((at_us, line["process"].as_u64(), word("what"), detail));
        } else if let (Some(process), Some(id)) = (line["process"].as_u64(), line["id"].as_u64()) {
            extra.reasons.insert((process, id), word("reason"));
        }
    }
    extra
}
