//! What a file and its board owe each other: a decision over three values, the status last agreed on, the file's and the
//! board's.
//!
//! | | the board has not moved | the board has moved |
//! |---|---|---|
//! | **the file has not** | in step | the file follows (C-13) |
//! | **the file has** | the board follows (C-11); down, or out of a final status, by a reopen | conflict |
//!
//! Invariants:
//! - what is the same on both sides is in step, however it came to be so;
//! - without a status that was agreed on, the order of the statuses decides, a tie is a conflict, and so is whatever
//!   could undo a reopen or a final status;
//! - of two possible pasts that lead to different answers neither is taken.

use std::fmt;

use fencehold_model::status::{Value, Vocabulary};
use fencehold_model::{Revision, Status};

/// What file and board last agreed on: the board's value at that time, of one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its epoch.
    pub epoch: Revision,
    /// Its turn.
    pub turn: u64,
    /// Its status.
    pub status: Status,
}

impl Base {
    /// That of a board's value; none where that is in conflict.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let mut statuses = value.statuses.keys();
        let (status, None) = (statuses.next()?, statuses.next()) else { return None };
        Some(Base { epoch: value.epoch, turn: value.turn, status: status.clone() })
    }
}

/// How the board follows the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The task gets its first status.
    First,
    /// A step up.
    Up,
    /// A step within the rank.
    Beside,
    /// A step down, or out of a final status: a new epoch.
    Reopen,
}

/// Which side is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The plan file.
    File,
    /// The board.
    Board,
}

/// Why neither side is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Both moved since they agreed, to different statuses.
    BothMoved,
    /// Nothing is remembered, and the statuses differ within one rank.
    Tie,
    /// Nothing is remembered, the file is ahead, and the board was reopened: the file may be from before.
    Reopened,
    /// Nothing is remembered, and a final status would have to be left.
    Final(Side),
    /// Several statuses stand on the board.
    Board,
    /// What is remembered was not finished, or is not of this history, and it makes a difference.
    InDoubt,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    InStep,
    /// C-11: the board follows the file.
    Forward(Step),
    /// C-13: the file follows the board.
    Back,
    /// Neither is changed.
    Conflict(Why),
    /// The file's status is none of the vocabulary.
    Unknown,
}

/// Decides of one task. `base` is what both last agreed on, `file` what the file says, `board` what stands there.
#[must_use]
pub fn decide(vocabulary: &Vocabulary, base: Option<&Base>, file: &str, board: Option<&Value>) -> Verdict {
    let rungs = vocabulary.rungs();
    let Some(to) = rungs.iter().find(|rung| rung.status.as_str() == file) else { return Verdict::Unknown };
    let Some(board) = board else { return Verdict::Forward(Step::First) };
    let Some(stands) = Base::of(board) else { return Verdict::Conflict(Why::Board) };
    if stands.status == to.status {
        return Verdict::InStep;
    }
    let from = vocabulary.rung(&stands.status).expect("a board holds statuses of the vocabulary");
    if let Some(base) = base {
        return match (base.status != to.status, *base != stands) {
            (false, false) => unreachable!("both are what they agreed on, and differ"),
            (false, true) => Verdict::Back,
            (true, true) => Verdict::Conflict(Why::BothMoved),
            (true, false) if from.terminal || to.rank < from.rank => Verdict::Forward(Step::Reopen),
            (true, false) if to.rank == from.rank => Verdict::Forward(Step::Beside),
            (true, false) => Verdict::Forward(Step::Up),
        };
    }
    match to.rank.cmp(&from.rank) {
        std::cmp::Ordering::Equal => Verdict::Conflict(Why::Tie),
        std::cmp::Ordering::Greater if from.terminal => Verdict::Conflict(Why::Final(Side::Board)),
        std::cmp::Ordering::Greater if stands.epoch > 0 => Verdict::Conflict(Why::Reopened),
        std::cmp::Ordering::Greater => Verdict::Forward(Step::Up),
        std::cmp::Ordering::Less if to.terminal => Verdict::Conflict(Why::Final(Side::File)),
        std::cmp::Ordering::Less => Verdict::Back,
    }
}

/// Decides where one of several pasts is the true one: as [`decide`] where all come to the same.
#[must_use]
pub fn decide_any(
    vocabulary: &Vocabulary,
    bases: &[Option<Base>],
    file: &str,
    board: Option<&Value>,
) -> Verdict {
    let mut verdicts = bases.iter().map(|base| decide(vocabulary, base.as_ref(), file, board));
    let first = verdicts.next().expect("there is at least one past");
    if verdicts.all(|other| other == first) { first } else { Verdict::Conflict(Why::InDoubt) }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::BothMoved => "both moved since they agreed",
            Why::Tie => "neither is ahead of the other, and nothing is remembered that they agreed on",
            Why::Reopened => {
                "the board was reopened, and nothing is remembered that they agreed on: the file may be from before"
            }
            Why::Final(Side::File) => "the file has a final status that the board does not know of",
            Why::Final(Side::Board) => "the board has a final status that the file does not know of",
            Why::Board => "several statuses stand on the board",
            Why::InDoubt => "what they last agreed on cannot be known here",
        })
    }
}
