//! `fencehold lease grant`: what is asked for, before the ledger is.

use std::io::Read as _;
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

/// The most that is read of a list of paths.
const LIST_BYTES_MAX: usize = 16 << 20;

/// The command that the ledger decides.
pub(super) fn command(session: &Session, asked: &Grant, holder: Holder) -> Result<Command> {
    let mut typed = asked.writes.clone();
    if let Some(file) = &asked.writes_from {
        typed.extend(listed(session.fs, file)?);
    }
    let writes = write_set(session, &typed)?;
    let bound = asked.pid.map(|pid| RealHost::new()?.process(pid)).transpose()?;
    Ok(Command::Grant {
        lease: asked.id.clone(),
        holder,
        // Its parser has held it to the model's bound.
        ttl_ms: asked.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
        writes,
        about: about(session, asked)?,
        bound,
        asked_by: Some((u64::from(std::process::id()), identity::host_name())),
    })
}

/// The entries in their one spelling, each once.
fn write_set(session: &Session, typed: &[String]) -> Result<Vec<Pattern>> {
    let patterns = typed.iter().map(|text| {
        let rooted = from_the_top(session, text)?;
        Pattern::new(&rooted).map_err(|bad| Error::usage(format!("--writes: {bad}; nothing was changed")))
    });
    let mut writes: Vec<Pattern> = patterns.collect::<Result<_>>()?;
    writes.sort();
    writes.dedup();
    Ok(writes)
}

/// What was typed, relative to the top of the worktree.
fn from_the_top(session: &Session, typed: &str) -> Result<String> {
    let leaves = || Error::usage(format!("--writes: {typed} leaves the worktree; nothing was changed"));
    let path = session.file(Path::new(typed))?;
    let below = path.strip_prefix(&session.place.root).map_err(|_| leaves())?;
    let mut names: Vec<&str> = Vec::new();
    for name in below.to_str().ok_or_else(leaves)?.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop().ok_or_else(leaves)?),
            name => names.push(name),
        }
    }
    Ok(if names.is_empty() { ".".to_owned() } else { names.join("/") })
}

/// The lines of a list; blank ones are none.
fn listed(fs: RealFs, file: &Path) -> Result<Vec<String>> {
    let failed = |error| Error::environment("reading", file, error);
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let mut stdin = std::io::stdin().lock().take(LIST_BYTES_MAX as u64 + 1);
        stdin.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > LIST_BYTES_MAX {
            return Err(Error::usage(format!("--writes-from: more than {LIST_BYTES_MAX} bytes on stdin")));
        }
        bytes
    } else {
        whole::read(fs, file, LIST_BYTES_MAX)?
    };
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).map(|(line, bytes)| {
        let text = std::str::from_utf8(bytes.strip_suffix(b"\r").unwrap_or(bytes));
        text.map(str::to_owned).map_err(|_| {
            Error::usage(format!("{} line {line} is not UTF-8; nothing was changed", file.display()))
        })
    });
    let lines = lines.collect::<Result<Vec<String>>>()?;
    Ok(lines.into_iter().filter(|line| !line.trim().is_empty()).collect())
}

/// What the lease says of itself: as asked for, else where it is asked from.
fn about(session: &Session, asked: &Grant) -> Result<About> {
    let place = &session.place;
    let here = || {
        let is_tree = place.common_dir.as_ref() != Some(&place.root);
        is_tree.then(|| place.root.to_str().map(str::to_owned)).flatten().filter(|text| is_plain(text))
    };
    let worktree = asked.worktree.clone().or_else(here);
    let branch = match &asked.branch {
        Some(branch) => Some(branch.clone()),
        None => locate::branch(&session.fs, place)?.filter(|text| is_plain(text)),
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
