//! `fencehold audit`: what is changed in the work tree, compared with the leases and with the locks of guarded globs.
//!
//! What it cannot know: who wrote a file; what was written and committed, or put back, since; a file's time that was set
//! by hand, as by a checkout of what others wrote; what git ignores.

mod guarded;

use fencehold_model::Holder;
use fencehold_model::lease::Standing;
use serde_json::{Value, json};

use super::args::{Common, Who};
use super::git;
use super::identity::holder;
use super::locks::Locks;
use super::out::{DAMAGED, Ended, REFUSED};
use super::session::Session;
use super::span;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::host::{Clock as _, RealHost};
use crate::ledger::LeaseView;

/// A file's time is that of the kernel's last tick, and may be this much before the write (`CONFIG_HZ` is 100 or more).
const GRAIN_MS: u64 = 20;

/// How a changed path stands with one lease, or with the lock of one guarded glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The lease is live, and another's.
    Anothers,
    /// The lock is held, by another, and was when it was written.
    LockOfAnother,
    /// It was written after the lease had ended, or while nobody had the lock.
    Unclaimed,
    /// When it was removed, or when the lease or the lock ended, cannot be told.
    CannotTell,
}

impl Found {
    fn word(self) -> &'static str {
        match self {
            Found::Anothers => "in_lease_of_another",
            Found::LockOfAnother => "in_lock_of_another",
            Found::Unclaimed => "without_claim",
            Found::CannotTell => "cannot_tell",
        }
    }
}

/// `fencehold audit`.
pub(super) fn audit(who: &Who, common: &Common) -> Ended {
    let (me, _) = holder(who)?;
    let session = Session::begin(common)?;
    if session.place.common_dir.is_none() || session.place.common_dir.as_ref() == Some(&session.place.root) {
        return Err(
            Error::usage("there is no work tree of git here, so git cannot say what is changed").into()
        );
    }
    let changed = changed(&session)?;
    let (mut text, mut objects, mut notes) = (String::new(), Vec::new(), Vec::new());
    if let Some(locks) = Locks::open(&session)? {
        let seen = locks.ledger().leases()?;
        let mut leases = seen.value;
        let (ended, unread) = locks.journal().ended_leases()?;
        notes = unread;
        leases.extend(ended.into_iter().map(|(id, lease)| LeaseView { id, lease, standing: None }));
        let clock = Times { journal_ms: seen.at_ms, wall_ms: RealHost::new()?.reading().wall_ms };
        let tree = git::tree(&session)?;
        let mut past = guarded::Past::of(&locks)?;
        notes.append(&mut past.notes);
        for path in &changed {
            let Some(entry) = git::entry(&session, &tree, path)? else { continue };
            let over: Vec<&LeaseView> = leases
                .iter()
                .filter(|view| view.lease.writes.iter().any(|pattern| pattern.overlaps(&entry)))
                .collect();
            let written_ms = clock.written_ms(&session, path)?;
            let shown = String::from_utf8_lossy(path);
            for judged in past.judge(&tree, &entry, &me, &clock, written_ms)? {
                text.push_str(&format!("{shown:?}: {}\n", judged.text));
                let mut object = judged.fields;
                object["path"] = shown.as_ref().into();
                objects.push(object);
            }
            if let Some((found, view)) = judge(&over, &me, written_ms) {
                text.push_str(&sentence(&shown, found, view, written_ms, clock.journal_ms));
                objects.push(object(&shown, found, view, written_ms, clock.journal_ms));
            }
        }
        locks.tell_notes(session.out);
    }
    let is_clean = objects.is_empty();
    let mut answer = json!({ "outcome": "ok", "value": { "changed": changed.len(), "found": objects } });
    if !is_clean {
        answer["outcome"] = "refused".into();
        answer["reason"] = "unclaimed".into();
    }
    session.out.answer(&answer, &text)?;
    notes.iter().for_each(|note| session.out.say(note));
    if !is_clean {
        session.out.say(
            "who wrote a file cannot be told, nor what was committed or put back since, nor what git ignores; the times \
             are the files' own",
        );
    }
    Ok(if !notes.is_empty() {
        DAMAGED
    } else if is_clean {
        0
    } else {
        REFUSED
    })
}

/// The paths that git calls changed, staged or not, and those it does not know, from the top of the worktree.
fn changed(session: &Session) -> Result<Vec<Vec<u8>>> {
    let printed = git::output(
        &session.place.root,
        &[
            // It writes nothing, the index's cache of file times included.
            "--no-optional-locks",
            "status",
            "--porcelain=v2",
            "-z",
            "--untracked-files=all",
            "--no-renames",
            "--ignore-submodules=none",
        ],
    )?;
    parse(&printed).ok_or_else(|| Error::usage("`git status --porcelain=v2` printed what is no such thing"))
}

/// The paths of git-status(1), *Porcelain Format Version 2*, with `-z`.
fn parse(printed: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut paths, mut entries) = (Vec::new(), git::paths(printed));
    while let Some(entry) = entries.next() {
        // How many fields stand before the path.
        let fields = match entry.first()? {
            b'1' => 8,
            b'2' => 9,
            b'u' => 10,
            b'?' | b'!' => 1,
            b'#' => continue,
            _ => return None,
        };
        paths.push(entry.splitn(fields + 1, |byte| *byte == b' ').nth(fields)?.to_owned());
        if entry.starts_with(b"2") {
            // The name that it had before.
            paths.push(entries.next()?.to_owned());
        }
    }
    paths.sort();
    paths.dedup();
    Some(paths)
}

/// One moment by two clocks.
struct Times {
    journal_ms: u64,
    wall_ms: u64,
}

impl Times {
    /// When a path was written, in journal time; none where nothing stands there.
    fn written_ms(&self, session: &Session, path: &[u8]) -> Result<Option<u64>> {
        use std::os::unix::ffi::OsStrExt as _;
        let path = session.place.root.join(std::ffi::OsStr::from_bytes(path));
        let modified =
            RealFs.modified_ms(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        Ok(modified.map(|at_ms| self.journal_ms.saturating_add(at_ms).saturating_sub(self.wall_ms)))
    }
}

/// What is to be said of a path that these leases write, and of which of them.
fn judge<'a>(over: &[&'a LeaseView], me: &Holder, written_ms: Option<u64>) -> Option<(Found, &'a LeaseView)> {
    let live = |view: &&&LeaseView| view.standing == Some(Standing::Live);
    if over.iter().filter(live).any(|view| view.lease.holder == *me) {
        return None;
    }
    if let Some(view) = over.iter().find(live) {
        return Some((Found::Anothers, view));
    }
    let last = over.iter().max_by_key(|view| ended_ms(view))?;
    match (written_ms, ended_ms(last)) {
        (Some(written_ms), Some(ended_ms)) => {
            (written_ms > ended_ms.saturating_add(GRAIN_MS)).then_some((Found::Unclaimed, *last))
        }
        _ => Some((Found::CannotTell, *last)),
    }
}

/// When a lease that is not live ended: by its end, else by its TTL; none where its process died at a time unknown.
fn ended_ms(view: &LeaseView) -> Option<u64> {
    match &view.lease.end {
        Some(end) => Some(end.at_ms),
        None => view.lease.expires_ms(),
    }
}

fn ago(at_ms: u64, now_ms: u64) -> String {
    format!("{} ago", span::show(now_ms.saturating_sub(at_ms)))
}

fn sentence(path: &str, found: Found, view: &LeaseView, written_ms: Option<u64>, now_ms: u64) -> String {
    let lease = format!("lease {} of {}", view.id, view.lease.holder);
    let written =
        written_ms.map_or_else(|| "removed".to_owned(), |at_ms| format!("written {}", ago(at_ms, now_ms)));
    let ended =
        ended_ms(view).map_or_else(|| "ended".to_owned(), |at_ms| format!("ended {}", ago(at_ms, now_ms)));
    let told = match found {
        Found::Anothers => {
            let before = written_ms.is_some_and(|at_ms| at_ms.saturating_add(GRAIN_MS) < view.lease.since_ms);
            let when = if before { "before it was granted" } else { "by its holder or without a claim" };
            format!("{written}, {when}: in {lease}, granted {}", ago(view.lease.since_ms, now_ms))
        }
        Found::Unclaimed => format!("{written} without a claim: {lease} {ended}"),
        Found::CannotTell | Found::LockOfAnother => {
            format!("{written}, and whether before {lease} {ended} cannot be told")
        }
    };
    format!("{path:?}: {told}\n")
}

fn object(path: &str, found: Found, view: &LeaseView, written_ms: Option<u64>, now_ms: u64) -> Value {
    let since = |at_ms: u64| now_ms.saturating_sub(at_ms);
    json!({
        "path": path,
        "found": found.word(),
        "lease": view.id.as_str(),
        "holder": view.lease.holder.as_str(),
        "written_for_ms": written_ms.map(since),
        "granted_for_ms": since(view.lease.since_ms),
        "ended_for_ms": if found == Found::Anothers { None } else { ended_ms(view).map(since) },
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_kind_of_entry_has_its_path() {
        let zeros = "0000000000000000000000000000000000000000";
        let printed = format!(
            "# branch.head main\01 .M N... 100644 100644 100644 {zeros} {zeros} a b\0\
             2 R. N... 100644 100644 100644 {zeros} {zeros} R100 new\0old\0\
             u UU N... 100644 100644 100644 100644 {zeros} {zeros} {zeros} both\nlines\0? un known\0! ignored\0"
        );
        let paths = parse(printed.as_bytes()).unwrap();
        let names: Vec<&str> = paths.iter().map(|path| std::str::from_utf8(path).unwrap()).collect();
        assert_eq!(names, ["a b", "both\nlines", "ignored", "new", "old", "un known"]);
        assert!(parse(b"what is this\0").is_none() && parse(b"1 .M\0").is_none());
    }
}
