//! What the ledger says of a call.

use std::path::{Path, PathBuf};

use fencehold_model::lease::Standing;
use fencehold_model::lock::{Command, Grant, Proof, Refusal};
use fencehold_model::{Claim, LockName, Pattern};

use super::super::acquire::{Ask, acquire};
use super::super::lease;
use super::super::locks::{Locks, What};
use super::super::out::Out;
use super::super::render::who;
use super::super::session::Session;
use super::super::settings::OnFailure;
use super::{Decision, renewer, session_process};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, Kind, RealFs};
use crate::hook::{Call, Deed};
use crate::locate::{self, Start};
use crate::writes::{Target, Tree, folds_case, plain_path};

/// The lock of whatever may change the whole checkout.
pub(in super::super) const WORKSPACE: &str = "workspace";
/// Of the TTL, so much may pass before it is renewed.
const RENEW_AFTER_THIRDS: u64 = 1;

/// Where the settings say what a failure means.
type Found<'a> = &'a dyn Fn(&Path, OnFailure);

/// Before a tool is called.
pub(super) fn before(call: &Call, deed: &Deed, found: Found<'_>) -> Result<Decision> {
    match deed {
        Deed::Reads => Ok(Decision::Pass),
        Deed::MayMove(why) => {
            let Some(session) = begin(&call.cwd)? else { return Ok(Decision::Pass) };
            found(&session.place.dir, session.settings.on_failure);
            take(&session, call, why)
        }
        Deed::Writes(files) => {
            for file in files {
                let decision = write(call, file, found)?;
                if decision != Decision::Pass {
                    return Ok(decision);
                }
            }
            Ok(Decision::Pass)
        }
    }
}

/// The surroundings of a folder; none where nothing is shared there.
fn begin(at: &Path) -> Result<Option<Session>> {
    let place = locate::locate(&RealFs, Start { at, git_dir: None })?;
    if place.common_dir.is_none() && !place.exists {
        return Ok(None);
    }
    locate::check(&RealFs, &place)?;
    locate::check_filesystem(RealFs, &place.dir)?;
    Session::at(RealFs, Out { json: true }, place).map(Some)
}

/// A file that is about to be written: whose write set it lies in, if anybody's.
fn write(call: &Call, file: &str, found: Found<'_>) -> Result<Decision> {
    let path = plain_path(&RealFs, &call.cwd, file)?;
    let Some(session) = begin(&folder_above(&path)?)? else { return Ok(Decision::Pass) };
    found(&session.place.dir, session.settings.on_failure);
    let tree = Tree::new(&RealFs, &session.place, folds_case(RealFs, &session.place)?)?;
    match tree.target(&RealFs, &path)? {
        Target::Outside => Ok(Decision::Pass),
        Target::Closed => take(&session, call, &format!("{file} is git's or fencehold's own")),
        Target::Entry(entry) => match Locks::open(&session)? {
            None => Ok(Decision::Pass),
            Some(locks) => Ok(in_the_way(&locks, call, &entry)?.map_or(Decision::Pass, Decision::Block)),
        },
    }
}

/// The nearest folder above that is there.
fn folder_above(path: &Path) -> Result<PathBuf> {
    for above in path.ancestors().skip(1) {
        let stat = match RealFs.stat(above) {
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => None,
            looked => looked.map_err(|error| Error::environment("looking at", above, error))?,
        };
        if stat.is_some_and(|stat| stat.kind == Kind::Dir) {
            return Ok(above.to_owned());
        }
    }
    Err(Error::usage(format!("{} lies in no folder", path.display())))
}

/// The live leases of others that write this file.
fn in_the_way(locks: &Locks, call: &Call, entry: &Pattern) -> Result<Option<String>> {
    let seen = locks.ledger().leases()?;
    let theirs = seen.value.iter().filter(|view| {
        view.lease.holder != call.session
            && view.standing == Some(Standing::Live)
            && view.lease.writes.iter().any(|pattern| pattern.overlaps(entry))
    });
    let told: Vec<String> =
        theirs.map(|view| lease::one_line(view, seen.at_ms).trim_end().to_owned()).collect();
    Ok((!told.is_empty()).then(|| {
        format!(
            "fencehold: {} is in the write set of another. {}. Work elsewhere, or wait until it is closed; a person can end \
             it with `fencehold lease crash ID --reason TEXT`",
            entry.as_str(),
            told.join("; ")
        )
    }))
}

pub(super) fn workspace() -> LockName {
    LockName::new(WORKSPACE).expect("a plain word")
}

/// The claim of a session: its id, so that asking again is the same grant.
fn claim(call: &Call) -> Result<Claim> {
    Claim::new(call.session.as_str())
        .map_err(|bad| Error::usage(format!("`session_id` makes no claim: {bad}")))
}

/// Takes the lock of the whole checkout for the session, or says who has it.
fn take(session: &Session, call: &Call, why: &str) -> Result<Decision> {
    let locks = Locks::open_or_create(session)?;
    let ask = Ask {
        name: workspace(),
        holder: call.session.clone(),
        claim: claim(call)?,
        ttl: session.settings.hook_ttl,
        bound: session_process::find(locks.host()),
        wait: None,
    };
    let is_bound = ask.bound.is_some();
    let told = acquire(&locks, &ask, session.out)?;
    match told.what {
        What::Refused(Refusal::Held(grant)) => Ok(Decision::Block(format!(
            "fencehold: {why}, so it needs the lock `{WORKSPACE}`, which is {}. Read, or edit files that are nobody's, until \
             then; if that session is over, a person can end it with `fencehold lock break {WORKSPACE} --reason TEXT`",
            who(&grant, told.now_ms)
        ))),
        What::Refused(refusal) => Err(Error::usage(format!("the lock `{WORKSPACE}`: {}", refusal.word()))),
        What::Granted { token, .. } => {
            // A token is the revision of its grant: this one was made just now, and nobody keeps it yet.
            if token == told.revision && is_bound {
                renewer::start(session, token);
            }
            Ok(Decision::Pass)
        }
        What::Ended { .. } => unreachable!("an acquire is granted or refused"),
    }
}

/// The session's own grant of the lock, if it has one.
fn own(call: &Call) -> Result<Option<(Locks, Grant, u64)>> {
    let Some(session) = begin(&call.cwd)? else { return Ok(None) };
    let Some(locks) = Locks::open(&session)? else { return Ok(None) };
    let held = locks.show(&workspace())?;
    let now_ms = held.now_ms;
    Ok(held.grants.filter(|grant| grant.holder == call.session).map(|grant| (locks, grant, now_ms)))
}

/// After a call, and after a turn: the lock is kept where a third of its time has passed.
pub(super) fn renew(call: &Call) -> Result<Decision> {
    let Some((locks, grant, now_ms)) = own(call)? else { return Ok(Decision::Pass) };
    if grant.expires_ms.saturating_sub(now_ms) <= grant.ttl_ms - grant.ttl_ms * RENEW_AFTER_THIRDS / 3 {
        let proof = Proof::Token(grant.token);
        let command = Command::Renew { name: workspace(), holder: grant.holder.clone(), proof, ttl_ms: None };
        locks.submit(&grant.holder, &command)?;
    }
    Ok(Decision::Pass)
}

/// After the session: the lock is given up.
pub(super) fn end(call: &Call) -> Result<Decision> {
    let Some((locks, grant, _)) = own(call)? else { return Ok(Decision::Pass) };
    let proof = Proof::Token(grant.token);
    locks.submit(
        &grant.holder,
        &Command::Release { name: workspace(), holder: grant.holder.clone(), proof },
    )?;
    Ok(Decision::Pass)
}
