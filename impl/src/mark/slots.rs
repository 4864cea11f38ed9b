//! The bytes of a mark: two slots of 1024 bytes, each a JSON line padded with spaces.
//!
//! Invariants: the valid slot with the highest `seq` is the mark; a write goes to the other one, so that a write cut at
//! any byte leaves the mark that stood; the first mark is written to both before it counts as durable, so that one
//! damaged slot beside an empty one was never vouched for. Two damaged slots are damage: a mark that cannot be read is
//! never taken for none.

use std::path::Path;

use fencehold_model::json::{Fields, Malformed, Tree, Writer};
use fencehold_model::{Right, WorkspaceId, chain};

use super::fence::Mark;
use crate::error::{Error, Result};

pub(super) const SLOT_BYTES: usize = 1024;
/// The version of this format; a higher one is refused. One from before leases knows `lock/` only, and refuses another
/// word in its place as of a newer program: no new version is needed to keep it out.
const FORMAT: u64 = 1;
const ADVICE: &str = "Nothing older must be let in: end every program that may still write the file, then delete \
                      this mark; the next guarded operation makes a new one";

/// A mark and the slot it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) seq: u64,
    pub(super) mark: Mark,
}

#[derive(Debug)]
enum Read {
    Empty,
    Damaged,
    Whole(Slot),
}

/// Where in the file the slot `seq` is written.
pub(super) fn offset(seq: u64) -> u64 {
    (seq % 2) * SLOT_BYTES as u64
}

/// The bytes of a slot.
pub(super) fn encode(workspace: &WorkspaceId, slot: &Slot) -> Result<Vec<u8>> {
    let mut line = String::new();
    Writer::new(&mut line)
        .number("fencehold", FORMAT)
        .text("workspace", workspace.as_str())
        .number("seq", slot.seq)
        .text("fence", &slot.mark.right.to_string())
        .number("token", slot.mark.token);
    chain::seal(&mut line);
    let mut bytes = line.trim_end().as_bytes().to_vec();
    if bytes.len() >= SLOT_BYTES {
        return Err(Error::usage(format!("the name {} does not fit into a mark", slot.mark.right)));
    }
    bytes.resize(SLOT_BYTES - 1, b' ');
    bytes.push(b'\n');
    Ok(bytes)
}

/// The mark in the bytes of a whole file, or none.
pub(super) fn decode(path: &Path, workspace: &WorkspaceId, bytes: &[u8]) -> Result<Option<Slot>> {
    let damaged =
        |what: String| Error::Damaged { path: path.to_owned(), line: None, what, advice: ADVICE.to_owned() };
    let (first, second) = bytes.split_at(bytes.len().min(SLOT_BYTES));
    match (slot(path, workspace, first)?, slot(path, workspace, second)?) {
        (Read::Whole(a), Read::Whole(b)) => Ok(Some(if a.seq > b.seq { a } else { b })),
        (Read::Whole(slot), _) | (_, Read::Whole(slot)) => Ok(Some(slot)),
        (Read::Damaged, Read::Damaged) => Err(damaged("neither slot of the mark can be read".to_owned())),
        (Read::Empty, _) | (_, Read::Empty) => Ok(None),
    }
}

fn slot(path: &Path, workspace: &WorkspaceId, bytes: &[u8]) -> Result<Read> {
    if bytes.iter().all(|&byte| byte == 0) {
        return Ok(Read::Empty);
    }
    let Some(line) = std::str::from_utf8(bytes).ok().map(str::trim_end) else { return Ok(Read::Damaged) };
    let (Some(_), Ok(value)) = (chain::verify(line), serde_json::from_str::<Tree<'_>>(line)) else {
        return Ok(Read::Damaged);
    };
    let newer = |what: String| Error::Newer { path: path.to_owned(), what };
    let malformed = |error: Malformed| newer(format!("its mark is of another version of fencehold: {error}"));
    let fields = Fields::of(&value).map_err(malformed)?;
    match fields.number("fencehold").map_err(malformed)? {
        FORMAT => {}
        other => return Err(newer(format!("its mark is of format {other}, this program knows {FORMAT}"))),
    }
    let theirs = fields.text("workspace").map_err(malformed)?;
    if theirs != workspace.as_str() {
        return Err(Error::Damaged {
            path: path.to_owned(),
            line: None,
            what: format!("the mark is of workspace {theirs}, this one is {workspace}: a copy, or restored"),
            advice: ADVICE.to_owned(),
        });
    }
    let fence = fields.text("fence").map_err(malformed)?;
    let right: Right = fence
        .parse()
        .map_err(|_| newer(format!("it is guarded by {fence:?}, which this program does not know")))?;
    let token = fields.number("token").map_err(malformed)?;
    Ok(Read::Whole(Slot { seq: fields.number("seq").map_err(malformed)?, mark: Mark { right, token } }))
}
