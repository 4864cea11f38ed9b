//! The lines of a journal file: line one (the folded state) and one event a line.
//!
//! Invariants: a line is exactly one `write`; its checksum is right and its `prev` is the checksum of the line before,
//! or it is no line; revisions strictly grow and times never go back along a file.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::chain::{self, Checksum};
use crate::json::{Fields, Malformed, Tree, Writer};
use crate::sift::sift;
use crate::{Entry, Event, NUMBER_BOUND, Revision, State, WorkspaceId};

/// The format of journal files that this crate writes. It reads 1 too, whose line one knows locks only: who reads just
/// that would drop leases and tasks at the next rotation.
pub const FORMAT: u64 = 2;
/// The longest event line, in bytes without its newline: the largest write set fits, whatever its characters.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// The longest line one: a folded state of some hundred thousand locks.
pub const LINE_ONE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Line one of a journal file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The workspace it belongs to.
    pub workspace: WorkspaceId,
    /// The number of the file.
    pub n: u64,
    /// Everything before this file, folded.
    pub state: State,
}

/// A whole line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<T> {
    /// What it says.
    pub content: T,
    /// The highest revision that its writer knew to be durable.
    pub durable: Revision,
    /// The checksum that the next line continues from.
    pub checksum: Checksum,
}

/// Why a line is not the next line of this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The checksum is missing or wrong.
    Checksum,
    /// The line is whole, but not the successor of the line before it.
    Chain,
    /// The line is whole and linked, and of a format newer than this program.
    Newer(String),
    /// The line is whole and linked, and says something that cannot be.
    Content(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Checksum => f.write_str("its checksum is missing or wrong"),
            Broken::Chain => f.write_str("it does not continue the line before it"),
            Broken::Newer(what) => write!(f, "{what}: written by a newer fencehold, use that one"),
            Broken::Content(what) => f.write_str(what),
        }
    }
}

/// Writes line one, newline included.
#[must_use]
pub fn write_head(head: &Head, durable: Revision) -> (String, Checksum) {
    let mut line = String::new();
    let mut to = begin_head(&mut line, &head.workspace, head.n, &head.state);
    to.value("state", |out| head.state.write(out));
    to.number("durable", durable).text("prev", &chain::seed(head.workspace.as_str(), head.n).hex());
    let checksum = chain::seal(&mut line);
    (line, checksum)
}

/// The beginning of line one, which names what it is of.
fn begin_head<'a>(line: &'a mut String, workspace: &WorkspaceId, n: u64, state: &State) -> Writer<'a> {
    let mut to = Writer::new(line);
    to.number("fencehold", FORMAT).text("workspace", workspace.as_str()).number("n", n);
    to.number("revision", state.revision).number("t", state.time_ms);
    to
}

/// Reads line one (without its newline) of file `n`.
pub fn read_head(line: &str, n: u64) -> Result<Line<Head>, Broken> {
    let checksum = chain::verify(line).ok_or(Broken::Checksum)?;
    let mut bulk = State::default();
    let sifted = sift(line, "state", &State::LISTS, &mut |list, element| bulk.take(list, &element));
    let value = match sifted {
        Ok(object) => object,
        // A newer format may have another state: it is newer all the same.
        Err(why) => {
            return Err(parse(line)
                .and_then(|head| newer_format(&head))
                .err()
                .unwrap_or(Broken::Content(why)));
        }
    };
    let read = || -> Result<(Head, u64, &str), Malformed> {
        let fields = Fields::of(&value)?;
        let (revision, time_ms) = (fields.number("revision")?, fields.number("t")?);
        let state = bulk.read_rest(fields.object("state")?, revision, time_ms)?;
        let head = Head { workspace: fields.id("workspace")?, n: fields.number("n")?, state };
        Ok((head, fields.number("durable")?, fields.text("prev")?))
    };
    newer_format(&value)?;
    let (head, durable, prev) = read().map_err(|bad| Broken::Content(bad.0))?;
    if head.n != n || Checksum::from_hex(prev) != Some(chain::seed(head.workspace.as_str(), n)) {
        return Err(Broken::Chain);
    }
    Ok(Line { content: head, durable, checksum })
}

/// As [`read_head`], for who has folded all that came before the file: a line one that stands just as it would be
/// written of that state, every byte of it, is not read once more. None where it stands otherwise.
#[must_use]
pub fn expect_head(line: &str, n: u64, workspace: &WorkspaceId, mut before: State) -> Option<Line<Head>> {
    let mut beginning = String::new();
    begin_head(&mut beginning, workspace, n, &before);
    if !line.starts_with(&beginning) {
        return None;
    }
    let (_, known) = line.rsplit_once(",\"durable\":")?;
    let durable = known.split_once(',')?.0.parse().ok().filter(|durable| *durable < NUMBER_BOUND)?;
    // Whoever began the file had forgotten what was old; nobody decided anything since the last event.
    before.forget(before.time_ms);
    let head = Head { workspace: workspace.clone(), n, state: before };
    let (written, checksum) = write_head(&head, durable);
    if written.strip_suffix('\n') != Some(line) {
        return None;
    }
    let expected = Line { content: head, durable, checksum };
    debug_assert_eq!(
        read_head(line, n).as_ref(),
        Ok(&expected),
        "line one of file {n} says what it was written of"
    );
    Some(expected)
}

fn newer_format(head: &Tree<'_>) -> Result<(), Broken> {
    match Fields::of(head).and_then(|fields| fields.number("fencehold")) {
        Ok(1..=FORMAT) => Ok(()),
        Ok(format) if format > FORMAT => Err(Broken::Newer(format!("journal format {format}"))),
        Ok(format) => Err(Broken::Content(format!("journal format {format} is unknown"))),
        Err(bad) => Err(Broken::Content(bad.0)),
    }
}

/// Writes one event line, newline included.
#[must_use]
pub fn write_entry(entry: &Entry, durable: Revision, prev: Checksum) -> (String, Checksum) {
    let mut line = String::with_capacity(320);
    let mut to = Writer::new(&mut line);
    to.number("rev", entry.revision).number("t", entry.at_ms).text("actor", entry.actor.as_str());
    to.text("op", entry.op.as_str()).value("event", |out| entry.event.write(out));
    to.number("durable", durable).text("prev", &prev.hex());
    let checksum = chain::seal(&mut line);
    (line, checksum)
}

/// Reads one event line (without its newline) that follows a line of checksum `prev` and the given state.
pub fn read_entry(line: &str, prev: Checksum, after: &State) -> Result<Line<Entry>, Broken> {
    let checksum = chain::verify(line).ok_or(Broken::Checksum)?;
    let value = parse(line)?;
    let (entry, durable, claimed) = entry_of(&value).map_err(|bad| Broken::Content(bad.0))?;
    if Checksum::from_hex(claimed) != Some(prev) {
        return Err(Broken::Chain);
    }
    let event = value.get("event").map_or(Err(Malformed("field `event` is missing".to_owned())), Fields::of);
    let event = event.and_then(Event::read).map_err(|bad| newer_or_content(&value, bad))?;
    if entry.revision <= after.revision || entry.at_ms < after.time_ms {
        let (was, now) = (after.revision, entry.revision);
        return Err(Broken::Content(format!("its revision or time goes back (revision {now} after {was})")));
    }
    after.admits(&event).map_err(|bad| Broken::Content(bad.0))?;
    Ok(Line { content: Entry { event, ..entry }, durable, checksum })
}

/// The entry without its event, `durable` and `prev`.
fn entry_of<'t>(value: &'t Tree<'t>) -> Result<(Entry, Revision, &'t str), Malformed> {
    let fields = Fields::of(value)?;
    let entry = Entry {
        revision: fields.number("rev")?,
        at_ms: fields.number("t")?,
        actor: fields.id("actor")?,
        op: fields.id("op")?,
        event: Event::Repaired { reason: String::new() },
    };
    Ok((entry, fields.number("durable")?, fields.text("prev")?))
}

/// A sealed, linked line whose event cannot be read was written by a newer program, or by nobody we know.
fn newer_or_content(line: &Tree<'_>, bad: Malformed) -> Broken {
    let of_event = |key: &str| line.get("event").and_then(|event| event.get(key));
    let newer = of_event("v").and_then(Tree::as_u64).is_some_and(|v| v > crate::event::EVENT_VERSION)
        || of_event("type").and_then(Tree::as_str).is_some_and(|word| !Event::is_known(word));
    if newer { Broken::Newer(bad.0) } else { Broken::Content(bad.0) }
}

fn parse(line: &str) -> Result<Tree<'_>, Broken> {
    serde_json::from_str(line).map_err(|error| Broken::Content(format!("not JSON: {error}")))
}
