//! `fencehold status`: the first screen. What stands is gathered here; `page` says it to people, `json` to machines.
//!
//! Invariants: a look takes no lock and creates nothing; what cannot be read is said and keeps nothing else from being
//! shown, and the exit code is that of the worst of it.

mod json;
mod os_lock;
mod page;
mod rows;

use std::path::Path;

use fencehold_model::lock::Grant;
use fencehold_model::{LockName, Policy, Revision, TimeMs};
use serde_json::Value;

use super::args::Common;
use super::gate;
use super::hook::{self, Asking};
use super::inspect::set_aside;
use super::locks::Locks;
use super::out::Ended;
use super::proposal;
use super::session::Session;
use super::team;
use super::waiting::{Waiter, waiters};
use crate::error::{Error, Result};
use crate::host::{Clock as _, RealHost};
use crate::ledger::{LeaseView, TaskView};
use crate::locate::Place;
use crate::prose::View;

pub(super) use page::Page;
pub(super) use rows::{Row, Tone, cut_front, fit, plain};

/// What there is to be seen of a workspace.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) place: Place,
    pub(super) relaxed: bool,
    /// Whether there is a workspace; none yet is no error.
    pub(super) exists: bool,
    /// What the ledger says; none where there is none, or where it cannot be read.
    pub(super) stands: Option<Stands>,
    /// The proposals that wait for somebody.
    pub(super) proposals: Vec<View>,
    /// Who waits, the longest first, as seen at `boot_ms` of the boot's monotonic clock.
    pub(super) waiters: Vec<Waiter>,
    pub(super) boot_ms: u64,
    /// Who keeps the OS lock that every write takes, where it is kept.
    pub(super) os_lock: Option<String>,
    /// What is kept of damaged bytes, by name.
    pub(super) aside: Vec<String>,
    /// The calls that passed undecided.
    pub(super) failed_open: Vec<Value>,
    /// Who asks the guard before a tool call or a commit.
    pub(super) asking: Vec<Asking>,
    /// What could not be read.
    pub(super) wrong: Vec<Error>,
    /// What a person should know of besides.
    pub(super) notes: Vec<String>,
}

/// What the ledger says, at journal time `now_ms`.
#[derive(Debug)]
pub(super) struct Stands {
    pub(super) now_ms: TimeMs,
    pub(super) revision: Revision,
    pub(super) locks: Vec<(LockName, Grant)>,
    /// Those that are open or crashed.
    pub(super) leases: Vec<LeaseView>,
    /// The tasks in which two statuses or more stand.
    pub(super) conflicts: Vec<TaskView>,
    pub(super) policy: Policy,
    /// The steps by force whose entries are owed to a log.
    pub(super) owes: gate::Owes,
}

/// `fencehold status`.
pub(super) fn status(common: &Common) -> Ended {
    let (session, wrong) = Session::begin_to_look(common)?;
    let mut wrong: Vec<Error> = wrong.into_iter().collect();
    let locks = kept(&mut wrong, Locks::open(&session));
    let exists = locks.as_ref().is_none_or(Option::is_some);
    let front = Front::seen(&session, exists, locks.flatten().as_ref(), wrong);
    let text = || {
        let width = session.out.width();
        fit(&front.page().with_place(), width)
            .iter()
            .map(|row| row.text(session.out.is_coloured()))
            .collect::<String>()
    };
    if session.out.json {
        session.out.answer(&json::object(&front), "")?;
        front.wrong.iter().for_each(|error| session.out.say(&error.to_string()));
    } else {
        session.out.data(&text())?;
    }
    front.notes.iter().for_each(|note| session.out.say(note));
    Ok(front.exit_code())
}

impl Front {
    /// Looks at all of it, with the ledger where that could be opened. What cannot be read joins what is `wrong` already.
    pub(super) fn seen(
        session: &Session,
        exists: bool,
        locks: Option<&Locks>,
        mut wrong: Vec<Error>,
    ) -> Self {
        let dir = &session.place.dir;
        let stands = locks.and_then(|locks| kept(&mut wrong, Stands::of(locks)));
        // Where the ledger cannot be read, that was said just now.
        let known = locks.filter(|_| stands.is_some());
        let proposals = known.and_then(|locks| kept(&mut wrong, proposal::pending(session, locks)));
        let (boot_ms, waiters) = kept(&mut wrong, waiting(dir)).unwrap_or_default();
        let aside = kept(&mut wrong, set_aside(session.fs, dir)).unwrap_or_default();
        let failed_open = kept(&mut wrong, hook::records(dir)).unwrap_or_default();
        let asking = match session.place.exists {
            true => kept(&mut wrong, hook::installed(session)).unwrap_or_default(),
            false => Vec::new(),
        };
        let mut notes: Vec<String> = locks.map(Locks::notes).unwrap_or_default();
        let applied = stands.as_ref().map(|stands| &stands.policy);
        if exists == applied.is_some() {
            // One that cannot be read stops nothing.
            let said = team::note(session, applied.unwrap_or(&Policy::default()));
            notes.extend(said.unwrap_or_else(|error| Some(error.to_string())));
        }
        Front {
            place: session.place.clone(),
            relaxed: session.settings.relaxed,
            exists,
            stands,
            proposals: proposals.unwrap_or_default(),
            waiters,
            boot_ms,
            os_lock: os_lock::kept_by(dir),
            aside,
            failed_open,
            asking,
            wrong,
            notes,
        }
    }

    fn exit_code(&self) -> u8 {
        self.wrong.iter().map(Error::exit_code).max().unwrap_or(0)
    }
}

impl Stands {
    fn of(locks: &Locks) -> Result<Self> {
        let held = locks.list()?;
        let mut leases = locks.ledger().leases()?.value;
        leases.retain(|view| matches!(view.lease.word(), "open" | "crashed"));
        let mut conflicts = locks.ledger().tasks()?.value;
        conflicts.retain(|view| view.cell.value.statuses.len() > 1);
        let policy = locks.policy()?.value;
        let owes = locks.ledger().owed()?.value;
        Ok(Stands {
            now_ms: held.now_ms,
            revision: held.revision,
            locks: held.grants,
            leases,
            conflicts,
            policy,
            owes,
        })
    }
}

/// What was read; what could not be is put to the others.
fn kept<T>(wrong: &mut Vec<Error>, read: Result<T>) -> Option<T> {
    read.map_err(|error| wrong.push(error)).ok()
}

fn waiting(dir: &Path) -> Result<(u64, Vec<Waiter>)> {
    let host = RealHost::new()?;
    let waiters = waiters(dir, &host)?;
    Ok((host.reading().monotonic_ms, waiters))
}
