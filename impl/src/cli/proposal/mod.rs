//! `fencehold proposal add|list|show|accept|reject|resolve|check`.

pub(super) mod args;
mod choose;
mod diff;
mod look;
mod pick;
mod render;

use std::io::Read as _;
use std::path::Path;

use fencehold_model::policy::Guarded;
use fencehold_model::proposal::{CONTENT_BYTES_MAX, Refusal, Target, Told, check_content};
use fencehold_model::{Holder, LockName, ProposalId};

use self::args::Proposal;
use super::args::Common;
use super::fence::{enter, refuse};
use super::guarded::lock_of_document;
use super::identity::holder;
use super::locks::Locks;
use super::out::Ended;
use super::session::Session;
use super::whole;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs};
use crate::host::{Host as _, RealHost};
use crate::journal::FileJournal;
use crate::locate::{self, Place, Start};
use crate::mark::{Rooted, Shown};
use crate::prose::{Ground, Prose, View, target, target_as_written};

pub(super) use render::{doubt, object};

/// The prose of the real disk.
type RealProse<'a> = Prose<'a, RealFs, FileJournal<RealFs, RealHost>, RealHost, Checkout<'a>>;

/// A checkout, with what the team's policy guards there.
#[derive(Debug)]
pub(super) struct Checkout<'a> {
    pub(super) place: &'a Place,
    pub(super) guarded: Guarded,
}

impl Ground for Checkout<'_> {
    fn guard(&self, path: &Path) -> Result<Option<LockName>> {
        lock_of_document(self.place, &self.guarded, path)
    }

    fn is_ours(&self, dir: &Path) -> Result<bool> {
        if dir.starts_with(&self.place.root) {
            return Ok(true);
        }
        let there = RealFs.stat(dir).map_err(|error| Error::environment("looking at", dir, error))?;
        Ok(there.is_some()
            && locate::locate(&RealFs, Start { at: dir, git_dir: None })?.dir == self.place.dir)
    }
}

/// Enters a proposal command.
pub(super) fn proposal(command: &Proposal, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    match command {
        Proposal::Add { target, id, file, who } => {
            let (by, _) = holder(who)?;
            add(&session, &by, target, id.as_ref(), file.as_deref())
        }
        Proposal::List { target, all } => look::list(&session, target.as_deref(), *all),
        Proposal::Show { target, id } => look::show(&session, target, id),
        Proposal::Check { target } => look::check(&session, target.as_deref()),
        Proposal::Accept { chosen, fence, force, who } => {
            let (by, _) = holder(who)?;
            choose::each(&session, chosen, "accept", |locks, prose, target, id| {
                // Anew for each: a lock may be lost on the way.
                let shown = match enter(&session, fence, force.reason())? {
                    Ok((_, shown)) => shown,
                    Err(refusal) => return refuse(session.out, &refusal),
                };
                accept(&session, locks, prose, &by, target, id, &shown)
            })
        }
        Proposal::Reject { chosen, reason, who } => {
            let (by, _) = holder(who)?;
            choose::each(&session, chosen, "reject", |locks, prose, target, id| {
                let answer = prose.reject(&by, target, id, reason.as_deref())?;
                render::tell(&session, Some(locks), target, id, &answer)
            })
        }
        Proposal::Resolve { target, id, how, reason, who } => {
            let (by, _) = holder(who)?;
            with_prose(&session, |found| match found {
                Some((locks, prose)) => {
                    let target = known(&session, Some(locks), target, std::slice::from_ref(id))?;
                    let answer = prose.resolve(&by, &target, id, (*how).into(), reason)?;
                    render::tell(&session, Some(locks), &target, id, &answer)
                }
                None => {
                    let target = typed(&session, target)?;
                    let blank = reason.trim().is_empty();
                    let refusal = if blank { Refusal::NeedsReason } else { Refusal::NotFound };
                    render::refused(&session, &target, id, &refusal)
                }
            })
        }
    }
}

/// The proposals that wait for somebody, of all files.
pub(super) fn pending(session: &Session, locks: &Locks) -> Result<Vec<View>> {
    let rooted = session.rooted()?;
    let mut views = open(session, locks, &rooted)?.list(None)?.value;
    views.retain(look::is_pending);
    Ok(views)
}

/// What waits, in words; an error where something is in doubt.
pub(super) fn told(pending: &[View]) -> Result<String> {
    for view in pending {
        if let (Told::InDoubt, Some(intent)) = (view.told, &view.begun) {
            return Err(Error::usage(doubt(&view.target, &view.id, intent)));
        }
    }
    Ok(format!("{} wait for somebody, none is in doubt", pending.len()))
}

/// The target that a typed path comes to.
fn typed(session: &Session, path: &Path) -> Result<Target> {
    target(&session.fs, &session.rooted()?, &session.file(path)?)
}

/// The target that a typed path comes to, or, where that has none of these proposals, the one that is written so: nobody
/// could end what was proposed for a file whose folder is gone, or in whose place a link stands.
fn known(session: &Session, locks: Option<&Locks>, path: &Path, ids: &[ProposalId]) -> Result<Target> {
    let here = typed(session, path);
    let (Some(locks), Ok(written)) = (locks, target_as_written(&session.rooted()?, &session.file(path)?))
    else {
        return here;
    };
    let has = |target: &Target| -> Result<bool> {
        let known = locks.ledger().prose_of(target)?.value.proposals;
        Ok(known
            .iter()
            .any(|(id, it)| if ids.is_empty() { it.content().is_some() } else { ids.contains(id) }))
    };
    match here {
        Ok(here) if here == written || has(&here)? || !has(&written)? => Ok(here),
        Err(error) if !has(&written)? => Err(error),
        _ => Ok(written),
    }
}

/// Opens the prose of the workspace, where there is one.
fn with_prose(session: &Session, then: impl FnOnce(Option<(&Locks, &RealProse<'_>)>) -> Ended) -> Ended {
    match Locks::open(session)? {
        None => then(None),
        Some(locks) => {
            let rooted = session.rooted()?;
            let prose = open(session, &locks, &rooted)?;
            then(Some((&locks, &prose)))
        }
    }
}

fn open<'a>(session: &'a Session, locks: &'a Locks, rooted: &'a Rooted) -> Result<RealProse<'a>> {
    let ground = Checkout { place: &session.place, guarded: locks.policy()?.value.guarded };
    let prose = Prose::new(&session.fs, locks.ledger(), rooted, locks.folder()?, ground);
    Ok(prose.with_patience(session.settings.patience))
}

/// Proposes a content that we made ourselves, and tells what came of it.
pub(super) fn propose(session: &Session, by: &Holder, path: &Path, id: &ProposalId, content: &str) -> Ended {
    let target = typed(session, path)?;
    let locks = Locks::open_or_create(session)?;
    let rooted = session.rooted()?;
    let answer = open(session, &locks, &rooted)?.add(by, &target, id, content)?;
    render::tell(session, Some(&locks), &target, id, &answer)
}

fn add(session: &Session, by: &Holder, path: &Path, id: Option<&ProposalId>, file: Option<&Path>) -> Ended {
    let target = typed(session, path)?;
    let content = content(session, file)?;
    check_content(&content)
        .map_err(|why| Error::usage(format!("the content {why}; nothing was proposed")))?;
    let locks = Locks::open_or_create(session)?;
    let id = match id {
        Some(id) => id.clone(),
        None => ProposalId::new(&format!("{:016x}", locks.host().random() >> 64))
            .expect("hexadecimal digits are an id"),
    };
    let rooted = session.rooted()?;
    let answer = open(session, &locks, &rooted)?.add(by, &target, &id, &content)?;
    let ended = render::tell(session, Some(&locks), &target, &id, &answer)?;
    if ended == 0 && !session.out.json {
        session.out.printed(&format!("{id}\n"), &format!("{id} is proposed"))?;
    }
    Ok(ended)
}

/// The content: of a file, or of stdin.
fn content(session: &Session, file: Option<&Path>) -> Result<String> {
    let bytes = match file.filter(|file| *file != Path::new("-")) {
        None => {
            let (mut bytes, stdin) = (Vec::new(), Path::new("/dev/stdin"));
            let read = std::io::stdin().lock().take(CONTENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
            read.map_err(|error| Error::environment("reading", stdin, error))?;
            bytes
        }
        Some(file) => whole::read(session.fs, &session.base()?.join(file), CONTENT_BYTES_MAX)?,
    };
    if bytes.len() > CONTENT_BYTES_MAX {
        return Err(Error::usage(format!(
            "the content has more than {CONTENT_BYTES_MAX} bytes; nothing was proposed. Propose it in several pieces"
        )));
    }
    String::from_utf8(bytes).map_err(|bad| {
        let at = bad.utf8_error().valid_up_to();
        Error::usage(format!("the content is not UTF-8 after {at} bytes; nothing was proposed"))
    })
}

fn accept(
    session: &Session,
    locks: &Locks,
    prose: &RealProse<'_>,
    by: &Holder,
    target: &Target,
    id: &ProposalId,
    shown: &Shown,
) -> Ended {
    match prose.accept(by, target, id, shown)? {
        Ok(answer) => render::tell(session, Some(locks), target, id, &answer),
        Err(refusal) => refuse(session.out, &refusal),
    }
}
