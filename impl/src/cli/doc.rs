//! `fencehold doc read|update|repair`.

mod filter;

use std::path::Path;

use serde_json::{Value, json};

use super::args::{Common, Doc, Fenced, Force, Update};
use super::fence::{enter, refuse};
use super::guarded::lock_of_document;
use super::locks::Locks;
use super::out::{Ended, REFUSED};
use super::session::Session;
use crate::document::{Content, Document, Repaired, Version, check_patch, look};
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::host::RealHost;
use crate::mark::{Last, Place, Shown};

/// Enters a document command.
pub(super) fn doc(command: &Doc, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    match command {
        Doc::Read { file, fence } => read(&session, file, fence),
        Doc::Update(asked) => update(&session, asked),
        Doc::Repair { file, fence, force } => repair(&session, file, fence, force),
    }
}

fn open(session: &Session, locks: &Locks, file: &Path) -> Result<Document<RealFs, RealHost>> {
    let (rooted, file) = (session.rooted()?, session.file(file)?);
    let document = Document::open(session.fs, locks.host().clone(), locks.folder()?, &rooted, &file)?;
    let guarded = locks.policy()?.value.guarded;
    let lock = lock_of_document(&session.place, &guarded, &document.place().path())?;
    Ok(document.guarded_by(lock).with_patience(session.settings.patience))
}

/// Where the file is: refused before anything is created for it.
fn place(session: &Session, file: &Path) -> Result<Place> {
    session.rooted()?.locate(&session.fs, &session.file(file)?, Last::Follow)
}

fn read(session: &Session, file: &Path, fenced: &Fenced) -> Ended {
    let place = place(session, file)?;
    let entered = match (&fenced.fence, Locks::open(session)?) {
        (None, None) => None,
        (None, Some(locks)) => Some((locks, Shown::nothing())),
        (Some(_), _) => match enter(session, fenced, None)? {
            Ok(entered) => Some(entered),
            Err(refusal) => return refuse(session.out, &refusal),
        },
    };
    let content = match entered {
        Some((locks, shown)) => match open(session, &locks, file)?.read(&shown)? {
            Ok(content) => content,
            Err(refusal) => return refuse(session.out, &refusal),
        },
        None => look(&session.fs, &place)?,
    };
    let Content { value, version } = content;
    if version == Version::absent() {
        session.out.say(&format!("{} does not exist; the first update creates it", file.display()));
        session.out.answer(&json!({ "outcome": "refused", "reason": "not_found" }), "")?;
        return Ok(REFUSED);
    }
    let object = json!({ "outcome": "ok", "value": { "document": value, "version": version.as_str() } });
    session.out.answer(&object, &format!("{value:#}\n"))?;
    Ok(0)
}

fn update(session: &Session, asked: &Update) -> Ended {
    let patch: Option<Value> = asked
        .merge
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| Error::usage(format!("--merge is no JSON ({error}); nothing was changed")))?;
    patch.as_ref().map(check_patch).transpose()?;
    place(session, &asked.file)?;
    let (locks, shown) = match enter(session, &asked.fence, asked.force.reason())? {
        Ok(entered) => entered,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    let document = open(session, &locks, &asked.file)?;
    let expect = asked.expect.as_deref().map(Version::new);
    let answer = match (&patch, &asked.exec) {
        (Some(patch), _) => document.merge(patch, expect.as_ref(), &shown)?,
        (None, Some(command)) => document
            .update_bytes(expect.as_ref(), &shown, |old| filter::filtered(command, old, asked.within))?,
        (None, None) => unreachable!("the parser asks for one of the two"),
    };
    match answer {
        Ok(version) => changed(session, &version),
        Err(refusal) => refuse(session.out, &refusal),
    }
}

fn changed(session: &Session, version: &Version) -> Ended {
    let object = json!({ "outcome": "ok", "value": { "version": version.as_str() } });
    session.out.done(&object, &format!("{version}\n"), &format!("the document is at version {version}"))?;
    Ok(0)
}

fn repair(session: &Session, file: &Path, fenced: &Fenced, force: &Force) -> Ended {
    if Locks::open(session)?.is_none()
        && let Ok(Content { version, .. }) = look(&session.fs, &place(session, file)?)
    {
        return healthy(session, file, &version);
    }
    let (locks, shown) = match enter(session, fenced, force.reason())? {
        Ok(entered) => entered,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    match open(session, &locks, file)?.repair(None, &shown)? {
        Ok(Repaired::Healthy(version)) => healthy(session, file, &version),
        Ok(Repaired::Anew { kept, version }) => {
            session.out.say(&format!(
                "{} begins anew; its bytes are kept in {}",
                file.display(),
                kept.display()
            ));
            changed(session, &version)
        }
        Err(refusal) => refuse(session.out, &refusal),
    }
}

fn healthy(session: &Session, file: &Path, version: &Version) -> Ended {
    session.out.say(&format!("{} is healthy; nothing was changed", file.display()));
    changed(session, version)
}
