//! `fencehold lease grant`: what is asked for, before the ledger is.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use fencehold_model::lease::{About, Command, TEXT_BYTES_MAX};
use fencehold_model::{Holder, Pattern};

use super::super::identity;
use super::super::out::Out;
use super::super::session::Session;
use super::super::whole;
use super::args::Grant;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::host::RealHost;
use crate::locate;
use crate::writes::{Tree, folds_case};

/// The most that is read of a list of paths.
const LIST_BYTES_MAX: usize = 16 << 20;

/// The command that the ledger decides.
pub(super) fn command(session: &Session, asked: &Grant, holder: Holder) -> Result<Command> {
    let bound = asked.pid.map(|pid| RealHost::new()?.process(pid)).transpose()?;
    Ok(Command::Grant {
        lease: asked.id.clone(),
        holder,
        // Its parser has held it to the model's bound.
        ttl_ms: asked.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
        writes: write_set(session, asked)?,
        about: about(session, asked)?,
        bound,
        asked_by: Some((u64::from(std::process::id()), identity::host_name())),
    })
}

/// The entries that were typed and listed, each once. The ledger holds them to the bounds of a write set.
fn write_set(session: &Session, asked: &Grant) -> Result<Vec<Pattern>> {
    let place = &session.place;
    let tree = Tree::new(&session.fs, place, folds_case(session.fs, place)?)?;
    let base = session.base()?;
    let mut writes = Vec::new();
    for text in &asked.writes {
        writes.push(tree.entry(&session.fs, &base, text).map_err(|error| said_of("--writes", error))?);
    }
    if let Some(file) = &asked.writes_from {
        for (line, bytes) in (1..).zip(listed(session.fs, file)?.split(|byte| *byte == b'\n')) {
            let text = OsStr::from_bytes(bytes.strip_suffix(b"\r").unwrap_or(bytes));
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let entry = tree.entry(&session.fs, &base, text);
            writes.push(entry.map_err(|error| said_of(&format!("{} line {line}", file.display()), error))?);
        }
    }
    writes.sort_unstable();
    writes.dedup();
    Ok(writes)
}

/// The error, and what it was given by.
fn said_of(what: &str, error: Error) -> Error {
    match error {
        Error::Usage(why) => Error::usage(format!("{what}: {why}; nothing was changed")),
        other => other,
    }
}

/// The bytes of a list of entries, one a line; blank lines are none.
fn listed(fs: RealFs, file: &Path) -> Result<Vec<u8>> {
    if file != Path::new("-") {
        return whole::read(fs, file, LIST_BYTES_MAX);
    }
    let mut bytes = Vec::new();
    let mut stdin = std::io::stdin().lock().take(LIST_BYTES_MAX as u64 + 1);
    stdin
        .read_to_end(&mut bytes)
        .map_err(|error| Error::environment("reading", Path::new("stdin"), error))?;
    if bytes.len() > LIST_BYTES_MAX {
        return Err(Error::usage(format!(
            "--writes-from: more than {LIST_BYTES_MAX} bytes on stdin; nothing was changed"
        )));
    }
    Ok(bytes)
}

/// What the lease says of itself: as asked for, else where it is asked from.
fn about(session: &Session, asked: &Grant) -> Result<About> {
    let place = &session.place;
    // A bare repository is no place where work is done.
    let is_tree = place.common_dir.as_ref() != Some(&place.root);
    let here = || place.root.to_str().filter(|text| is_tree && is_plain(text)).map(str::to_owned);
    let worktree = asked.worktree.clone().or_else(here);
    let branch = match &asked.branch {
        Some(branch) => Some(branch.clone()),
        None if is_tree => locate::branch(&session.fs, place)?.filter(|text| is_plain(text)),
        None => None,
    };
    Ok(About { worktree, branch, agent: asked.agent.clone() })
}

/// Whether what was found, not asked for, can stand in a lease; it is for people, and left out where it cannot.
fn is_plain(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

/// Says what of a write set costs more than it may seem to, or protects less.
pub(super) fn advise(out: Out, command: &Command) {
    let Command::Grant { lease, writes, .. } = command else { return };
    if writes.is_empty() {
        out.tell_who_watches(&format!("lease {lease} writes nothing, so no other is kept away by it"));
    }
    for pattern in writes.iter().filter(|pattern| pattern.is_glob() && pattern.prefix().is_empty()) {
        out.say(&format!(
            "{} begins with a wildcard, so it is compared with every lease; name the folder where you can",
            pattern.as_str()
        ));
    }
}
