//! `fencehold log import`.

use std::path::Path;

use serde_json::json;

use super::super::args::Fenced;
use super::super::fence::{enter, refuse};
use super::super::out::{Ended, REFUSED};
use super::super::session::{Session, cwd};
use super::super::union_lines;
use super::imported;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs};
use crate::log::{GitCheckout, Imported, Legacy, Log};
use crate::mark::{Answer, Last, Shown};

/// How often the old file is read again where it changed meanwhile.
const ROUNDS_MAX: u32 = 3;

/// `fencehold log import LEGACY FILE`.
pub(super) fn import(session: &Session, legacy: &Path, file: &Path, fenced: &Fenced) -> Ended {
    let rooted = session.rooted()?;
    let path = session.file(file)?;
    let at = rooted.locate(&session.fs, &path, Last::Refuse)?.path();
    let old = cwd()?.join(legacy);
    let old = session.fs.resolve(&old).map_err(|error| Error::environment("reading", legacy, error))?;
    if old == at {
        let what = "what is imported and what it is imported into are one file; name another to append to";
        return Err(Error::usage(format!("{}: {what}", file.display())).into());
    }
    // All of it is looked at before the first write makes a workspace for it.
    let (bytes, read) = imported::read(session, &old)?;
    let (locks, shown) = match enter(session, fenced, None)? {
        Ok(entered) => entered,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    let place = &session.place;
    let git = place.common_dir.clone().map(|common_dir| GitCheckout { common_dir, top: place.root.clone() });
    let log = Log::open(session.fs, locks.folder()?, &rooted, &path, git.clone())?
        .with_patience(session.settings.patience);
    imported::note(session, locks.dir(), &old, &at)?;
    if let Some(git) = &git {
        union_lines::note(session.fs, locks.dir(), git, &at);
    }
    let (done, read, is_settled) = match until_it_rests(session, &log, &old, (bytes, read), &shown)? {
        Ok(ended) => ended,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    if let Some(note) = &done.note {
        session.out.say(&note.0);
    }
    told(session, legacy, file, &read, done.appended, is_settled)
}

/// Imports until the old file is what was imported, or for as often as it may change. Whether it is at rest.
fn until_it_rests(
    session: &Session,
    log: &Log<RealFs>,
    old: &Path,
    (mut bytes, mut read): (Vec<u8>, Legacy),
    shown: &Shown,
) -> Result<Answer<(Imported, Legacy, bool)>> {
    let mut done = Imported::default();
    for _ in 0..ROUNDS_MAX {
        match log.import(&read, shown)? {
            Ok(more) => {
                let appended = done.appended + more.appended;
                done = Imported { appended, note: done.note.or(more.note), ..more };
            }
            Err(refusal) => return Ok(Err(refusal)),
        }
        match imported::read(session, old) {
            Ok((now, _)) if now == bytes => return Ok(Ok((done, read, true))),
            Ok(now) => (bytes, read) = now,
            // What is being written just now is no reason to say that nothing was imported.
            Err(error) => {
                session.out.say(&format!("{} entries were appended, and then: {error}", done.appended));
                break;
            }
        }
    }
    Ok(Ok((done, read, false)))
}

fn told(
    session: &Session,
    legacy: &Path,
    file: &Path,
    read: &Legacy,
    appended: u64,
    is_settled: bool,
) -> Ended {
    let entries = read.len();
    let mut object = json!({
        "outcome": if is_settled { "ok" } else { "refused" },
        "value": { "entries": entries, "appended": appended, "repeated": read.repeated, "other_fields": read.other_fields },
    });
    if !is_settled {
        object["reason"] = "conflict".into();
    }
    let what = format!(
        "{} of {entries} entries were appended, {} stood in {} already; {} stays as it is",
        appended,
        (entries as u64).saturating_sub(appended),
        file.display(),
        legacy.display()
    );
    session.out.done(&object, "", &what)?;
    if read.repeated > 0 {
        session.out.say(&format!(
            "{}: {} entries are equal to one before them",
            legacy.display(),
            read.repeated
        ));
    }
    for field in &read.other_fields {
        session
            .out
            .say(&format!("{}: the field {field:?} is no entry and was not imported", legacy.display()));
    }
    if is_settled {
        return Ok(0);
    }
    session.out.say(&format!(
        "{} changed each time it was read: some program writes there. Stop it, or run this again, which takes over the rest",
        legacy.display()
    ));
    Ok(REFUSED)
}
