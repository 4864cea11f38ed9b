//! The JSON form of a lease, in line one of a journal file, in events, and in the index of ended leases.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{About, Cause, End, How, Lease};
use crate::event::{Evidence, Process, read_party};
use crate::json::{Fields, Malformed, Writer, write_list, write_text};
use crate::{LeaseId, Pattern};

/// The word that stands for a TTL where else the proof of a death stands.
const TTL_PASSED: &str = "ttl-passed";

/// Writes a lease as a JSON object.
pub(crate) fn write_lease(out: &mut String, id: &LeaseId, lease: &Lease) {
    let mut to = Writer::new(out);
    to.text("lease", id.as_str()).number("token", lease.token).text("holder", lease.holder.as_str());
    to.number("since_ms", lease.since_ms).number_if("ttl_ms", lease.ttl_ms);
    write_writes(&mut to, &lease.writes);
    write_about(&mut to, &lease.about);
    if let Some(process) = &lease.bound {
        to.value("bound", |out| process.write(out));
    }
    if let Some((pid, host)) = &lease.asked_by {
        to.number("pid", *pid).text("host", host);
    }
    if let Some(End { at_ms, how }) = &lease.end {
        to.text("state", how.word()).number("ended_ms", *at_ms);
        match how {
            How::Closed => {}
            How::Crashed(cause) => write_cause(&mut to, cause),
            How::Cleared(reason) => {
                to.text_if("reason", reason.as_deref());
            }
        }
    }
    to.end();
}

/// Writes a lease that left the state as a line of the index of ended leases, newline included.
#[must_use]
pub fn ended_line(id: &LeaseId, lease: &Lease) -> String {
    let mut line = String::new();
    write_lease(&mut line, id, lease);
    line.push('\n');
    line
}

/// Reads what [`ended_line`] wrote, without its newline.
pub fn read_ended_line(line: &str) -> Result<(LeaseId, Lease), Malformed> {
    let value = serde_json::from_str(line).map_err(|error| Malformed(format!("not JSON: {error}")))?;
    let (id, lease) = read_lease(Fields::of(&value)?)?;
    if lease.is_open() {
        return Err(Malformed(format!("lease {id} has not ended: field `state` is missing")));
    }
    Ok((id, lease))
}

/// Reads what [`write_lease`] wrote.
pub(crate) fn read_lease(fields: Fields<'_>) -> Result<(LeaseId, Lease), Malformed> {
    let how = match fields.text_or_none("state")? {
        None => None,
        Some("closed") => Some(How::Closed),
        Some("crashed") => Some(How::Crashed(read_cause(fields)?)),
        Some("cleared") => Some(How::Cleared(fields.text_or_none("reason")?.map(ToOwned::to_owned))),
        Some(other) => return Err(Malformed(format!("field `state`: `{other}` is no end of a lease"))),
    };
    let end =
        how.map(|how| Ok::<_, Malformed>(End { at_ms: fields.number("ended_ms")?, how })).transpose()?;
    let lease = Lease {
        token: fields.number("token")?,
        holder: fields.id("holder")?,
        since_ms: fields.number("since_ms")?,
        ttl_ms: fields.number_or_none("ttl_ms")?,
        bound: fields.object_or_none("bound")?.map(Process::read).transpose()?,
        asked_by: read_party(fields)?,
        about: read_about(fields)?,
        writes: read_writes(fields)?,
        end,
    };
    Ok((fields.id("lease")?, lease))
}

pub(super) fn write_writes(to: &mut Writer<'_>, writes: &[Pattern]) {
    if !writes.is_empty() {
        to.value("writes", |out| write_list(out, writes, |out, pattern| write_text(out, pattern.as_str())));
    }
}

pub(super) fn read_writes(fields: Fields<'_>) -> Result<Vec<Pattern>, Malformed> {
    let writes = fields.array_or_empty("writes")?.iter().map(|pattern| {
        let text =
            pattern.as_str().ok_or_else(|| Malformed("field `writes` holds what is no text".to_owned()))?;
        Pattern::new(text).map_err(|bad| Malformed(format!("field `writes`: {bad}")))
    });
    writes.collect()
}

pub(super) fn write_about(to: &mut Writer<'_>, about: &About) {
    to.text_if("worktree", about.worktree.as_deref());
    to.text_if("branch", about.branch.as_deref());
    to.text_if("agent", about.agent.as_deref());
}

pub(super) fn read_about(fields: Fields<'_>) -> Result<About, Malformed> {
    let text = |key| Ok(fields.text_or_none(key)?.map(ToOwned::to_owned));
    Ok(About { worktree: text("worktree")?, branch: text("branch")?, agent: text("agent")? })
}

pub(super) fn write_cause(to: &mut Writer<'_>, cause: &Cause) {
    match cause {
        Cause::Reason(reason) => to.text("reason", reason),
        Cause::Dead(evidence) => to.text("evidence", evidence.word()),
        Cause::TtlPassed => to.text("evidence", TTL_PASSED),
    };
}

pub(super) fn read_cause(fields: Fields<'_>) -> Result<Cause, Malformed> {
    match fields.text_or_none("evidence")? {
        Some(TTL_PASSED) => Ok(Cause::TtlPassed),
        Some(word) => Evidence::parse(word).map(Cause::Dead),
        None => Ok(Cause::Reason(fields.text("reason")?.to_owned())),
    }
}
