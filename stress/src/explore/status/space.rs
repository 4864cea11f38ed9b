//! How far the search goes, and what can be asked there.

use fencehold_model::spec::status::StatusAsk;
use fencehold_model::status::{Command, Detail, Value};
use fencehold_model::{Revision, Status, TaskId};

use super::lexicon::Lexicon;
use super::node::Texts;
use super::shape::{Shape, status};

/// How far apart the epochs of the search lie; the numbers between them are revisions of reopens.
pub(super) const EPOCH_STEP: u64 = 10;

/// How far the search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The fewest and the most statuses of a vocabulary.
    pub statuses: (usize, usize),
    /// The most reopens that a value can follow.
    pub epochs: u64,
    /// The highest turn.
    pub turns: u64,
    /// How many details there are, 1 or 2.
    pub details: usize,
}

/// What can be asked, and where its event would stand.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) command: Command,
    /// The same as the oracle is asked.
    pub(super) ask: StatusAsk,
    pub(super) revision: Revision,
}

pub(super) fn task() -> TaskId {
    TaskId::new("t").expect("one letter is an id")
}

/// Everything that can be asked of a task, whatever it holds.
pub(super) fn actions(shape: &Shape, texts: &Texts, lexicon: &Lexicon, bounds: &Bounds) -> Vec<Action> {
    // Past every epoch, and below all but the first: there a reopen follows the epoch and not the revision.
    let (late, early) = (1_001, 1);
    let action = |command: Command, revision| Action { ask: lexicon.ask(&command), command, revision };
    let mut actions = Vec::new();
    let unknown = status(shape.len());
    let froms = || [None].into_iter().chain(texts.statuses.iter().chain([&unknown]).cloned().map(Some));
    let details = || [None].into_iter().chain(texts.details.iter().cloned().map(Some));
    for to in texts.statuses.iter().chain([&unknown]) {
        for (from, detail) in froms().flat_map(|from| details().map(move |detail| (from.clone(), detail))) {
            for (epoch, resolve) in (0..=bounds.epochs).flat_map(|epoch| [(epoch, false), (epoch, true)]) {
                actions.push(action(set(to, &from, epoch, &detail, resolve), late));
            }
        }
        let reopen = |from: Option<Status>, epoch, reason: &str| {
            let (to, reason) = (to.clone(), reason.to_owned());
            Command::Reopen { task: task(), to, from, epoch, reason }
        };
        let epochs = || [None].into_iter().chain((0..=bounds.epochs).map(|epoch| Some(epoch * EPOCH_STEP)));
        for (from, epoch) in froms().flat_map(|from| epochs().map(move |epoch| (from.clone(), epoch))) {
            actions.push(action(reopen(from, epoch, "why"), late));
        }
        actions.push(action(reopen(None, None, "why"), early));
        actions.push(action(reopen(None, None, " \t"), late));
    }
    let merged = values(shape, texts, bounds).into_iter().chain(nonsense(shape, texts));
    actions.extend(merged.map(|value| action(Command::Merge { task: task(), value }, late)));
    actions
}

fn set(to: &Status, from: &Option<Status>, epoch: u64, detail: &Option<Detail>, resolve: bool) -> Command {
    Command::Set {
        task: task(),
        to: to.clone(),
        from: from.clone(),
        epoch: epoch * EPOCH_STEP,
        detail: detail.clone(),
        resolve,
    }
}

/// Every value within the bounds.
pub(super) fn values(shape: &Shape, texts: &Texts, bounds: &Bounds) -> Vec<Value> {
    let places = shape.places();
    let mut values = Vec::new();
    for level in 0..shape.levels.len() {
        let words: Vec<&Status> = (0..places.len())
            .filter(|index| places[*index].0 == level)
            .map(|index| &texts.statuses[index])
            .collect();
        let ways = 2 + texts.details.len();
        for code in 1..ways.pow(words.len() as u32) {
            let mut statuses = std::collections::BTreeMap::new();
            for (index, word) in words.iter().enumerate() {
                let side = code / ways.pow(index as u32) % ways;
                if side > 0 {
                    let detail = side.checked_sub(2).map(|detail| texts.details[detail].clone());
                    statuses.insert((*word).clone(), detail);
                }
            }
            for (epoch, turn) in
                (0..=bounds.epochs).flat_map(|epoch| (0..=bounds.turns).map(move |t| (epoch, t)))
            {
                values.push(Value { epoch: epoch * EPOCH_STEP, turn, statuses: statuses.clone() });
            }
        }
    }
    values
}

/// Values that are none: an unknown status, two ranks, no status, a number out of bounds.
fn nonsense(shape: &Shape, texts: &Texts) -> Vec<Value> {
    let value = |statuses: &[&Status], epoch, turn| Value {
        epoch,
        turn,
        statuses: statuses.iter().map(|status| ((*status).clone(), None)).collect(),
    };
    let (first, last) = (&texts.statuses[0], &texts.statuses[shape.len() - 1]);
    let mut values = vec![
        value(&[&status(shape.len())], 0, 0),
        value(&[first, &status(shape.len())], 0, 0),
        value(&[], 0, 0),
        value(&[first], fencehold_model::NUMBER_BOUND, 0),
        value(&[first], 0, fencehold_model::NUMBER_BOUND),
    ];
    if shape.levels.len() > 1 {
        values.push(value(&[first, last], 0, 0));
    }
    values
}
