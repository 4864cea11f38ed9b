//! What the ledger says of a call: in whose write set a file lies, and which locks the call needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fencehold_model::lease::Standing;
use fencehold_model::{LockName, Pattern};

use super::super::lease;
use super::super::locks::Locks;
use super::super::out::Out;
use super::super::session::Session;
use super::super::settings::OnFailure;
use super::Decision;
use super::held::{Needs, take, workspace};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, Kind, RealFs};
use crate::hook::{Call, Deed};
use crate::locate::{self, Start};
use crate::writes::{Target, Tree, folds_case, plain_path};

/// Where the settings say what a failure means.
type Found<'a> = &'a dyn Fn(&Path, OnFailure);

/// What a write comes to.
enum Wants {
    /// Nothing is in its way.
    Nothing,
    /// It lies in the write set of another.
    Blocked(String),
    /// It needs these locks of a workspace, because of this.
    Locks(Box<Session>, BTreeSet<LockName>, String),
}

/// Before a tool is called.
pub(super) fn before(call: &Call, deed: &Deed, found: Found<'_>) -> Result<Decision> {
    match deed {
        Deed::Reads => Ok(Decision::Pass),
        Deed::MayMove(why) => {
            let Some(session) = begin(&call.cwd)? else { return Ok(Decision::Pass) };
            found(&session.place.dir, session.settings.on_failure);
            take(call, &[Needs { session, locks: vec![(workspace(), why.clone())] }])
        }
        Deed::Writes(files) => {
            // No lock is taken for a call that a lease blocks.
            let mut needs: Vec<Needs> = Vec::new();
            for file in files {
                for wants in write(call, file, found)? {
                    match wants {
                        Wants::Nothing => {}
                        Wants::Blocked(why) => return Ok(Decision::Block(why)),
                        Wants::Locks(session, locks, why) => add(&mut needs, *session, locks, &why),
                    }
                }
            }
            take(call, &needs)
        }
    }
}

/// Each lock of a workspace once, for the first file that needs it.
fn add(needs: &mut Vec<Needs>, session: Session, locks: BTreeSet<LockName>, why: &str) {
    let at = needs.iter().position(|known| known.session.place.dir == session.place.dir);
    let at = at.unwrap_or_else(|| {
        needs.push(Needs { session, locks: Vec::new() });
        needs.len() - 1
    });
    let known = &mut needs[at].locks;
    for lock in locks {
        if known.iter().all(|(name, _)| *name != lock) {
            known.push((lock, why.to_owned()));
        }
    }
}

/// The surroundings of a folder; none where nothing is shared there.
pub(super) fn begin(at: &Path) -> Result<Option<Session>> {
    let place = locate::locate(&RealFs, Start { at, git_dir: None })?;
    if place.common_dir.is_none() && !place.exists {
        return Ok(None);
    }
    locate::check(&RealFs, &place)?;
    locate::check_filesystem(RealFs, &place.dir)?;
    Session::at(RealFs, Out { json: true }, place).map(Some)
}

/// A file that is about to be written, under each of its names: in whose write sets it lies, and which locks it needs. A
/// repository inside of another one is in the other's tree as well.
fn write(call: &Call, file: &str, found: Found<'_>) -> Result<Vec<Wants>> {
    let (path, names) = plain_path(&RealFs, &call.cwd, file)?;
    let mut wants = Vec::new();
    for path in [path].iter().chain(&names) {
        let Some(session) = begin(&folder_above(path)?)? else { continue };
        let (mut top, mut seen) = (session.place.root.clone(), vec![session.place.dir.clone()]);
        wants.push(write_in(session, call, file, path, found)?);
        while let Some(above) = top.parent().map(Path::to_owned) {
            let place = locate::locate(&RealFs, Start { at: &above, git_dir: None })?;
            let is_above = place.root != top && top.starts_with(&place.root);
            if !is_above || (place.common_dir.is_none() && !place.exists) {
                break;
            }
            top.clone_from(&place.root);
            if !place.exists || seen.contains(&place.dir) {
                continue;
            }
            seen.push(place.dir.clone());
            if let Some(session) = begin(&above)? {
                wants.push(write_in(session, call, file, path, found)?);
            }
        }
    }
    Ok(wants)
}

/// The same, as one workspace sees it.
fn write_in(session: Session, call: &Call, file: &str, path: &Path, found: Found<'_>) -> Result<Wants> {
    found(&session.place.dir, session.settings.on_failure);
    let tree = Tree::new(&RealFs, &session.place, folds_case(RealFs, &session.place)?)?;
    let entry = match tree.target(&RealFs, path)? {
        Target::Outside => return Ok(Wants::Nothing),
        Target::Closed => {
            let why = format!("{file} is git's or fencehold's own");
            return Ok(Wants::Locks(Box::new(session), BTreeSet::from([workspace()]), why));
        }
        Target::Entry(entry) => entry,
    };
    let Some(locks) = Locks::open(&session)? else { return Ok(Wants::Nothing) };
    if let Some(why) = in_the_way(&locks, call, &entry)? {
        return Ok(Wants::Blocked(why));
    }
    let needed = tree.locks_over(&RealFs, &locks.policy()?.value.guarded, &entry)?;
    let why = format!("{} is guarded", entry.as_str());
    Ok(if needed.is_empty() { Wants::Nothing } else { Wants::Locks(Box::new(session), needed, why) })
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
