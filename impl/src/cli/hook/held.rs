//! The locks of a session: those that its calls need, taken for it, kept, and given up.
//!
//! Invariants: a lock that the guard takes is the session's by its id as holder and as claim, and bound to the session's
//! process; what a session took by hand, under a claim of its own, is left to it; a call that is blocked leaves no lock
//! behind that it alone took, and neither does one whose answer nobody can read.

use fencehold_model::lock::{Command, Grant, Proof, Refusal};
use fencehold_model::{Claim, LockName, Token};

use super::super::acquire::{Ask, acquire};
use super::super::locks::{Held, Locks, What};
use super::super::render::who;
use super::super::session::Session;
use super::guard::begin;
use super::{Decision, renewer, session_process};
use crate::error::{Error, Result};
use crate::hook::Call;

/// The lock of whatever may change the whole checkout.
pub(in super::super) const WORKSPACE: &str = "workspace";
/// Of the TTL, so much may pass before it is renewed.
const RENEW_AFTER_THIRDS: u64 = 1;

/// What is said to nobody: whoever asked has ended meanwhile.
const UNHEARD: &str = "fencehold: nobody reads this answer, so the call is not made";

/// The locks that a call needs in one workspace, and why.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) session: Session,
    pub(super) locks: Vec<(LockName, String)>,
}

/// A lock that was granted for this call, and was nobody's before.
struct Fresh {
    locks: usize,
    name: LockName,
    token: Token,
}

pub(super) fn workspace() -> LockName {
    LockName::new(WORKSPACE).expect("a plain word")
}

/// The claim of a session: its id, so that asking again is the same grant.
fn claim(call: &Call) -> Result<Claim> {
    Claim::new(call.session.as_str())
        .map_err(|bad| Error::usage(format!("`session_id` makes no claim: {bad}")))
}

/// Takes all these locks for the session, or none, and says who is in the way.
pub(super) fn take(call: &Call, needs: &[Needs]) -> Result<Decision> {
    let (mut opened, mut fresh) = (Vec::new(), Vec::new());
    let mut taken = take_each(call, needs, &mut opened, &mut fresh);
    if matches!(taken, Ok(Decision::Pass)) && !session_process::is_heard() {
        taken = Ok(Decision::Block(UNHEARD.to_owned()));
    }
    if !matches!(taken, Ok(Decision::Pass)) {
        for Fresh { locks, name, token } in fresh {
            give_up(&opened[locks], call, name, token)?;
        }
    }
    taken
}

fn take_each(
    call: &Call,
    needs: &[Needs],
    opened: &mut Vec<Locks>,
    fresh: &mut Vec<Fresh>,
) -> Result<Decision> {
    for Needs { session, locks: wanted } in needs {
        let at = opened.len();
        opened.push(Locks::open_or_create(session)?);
        let locks = &opened[at];
        for (name, why) in wanted {
            let ask = Ask {
                name: name.clone(),
                holder: call.session.clone(),
                claim: claim(call)?,
                ttl: session.settings.hook_ttl,
                bound: session_process::find(locks.host()),
                wait: None,
            };
            // Where the harness was killed, this is who adopted the hook, and may live for ever.
            if !session_process::is_heard() {
                return Ok(Decision::Block(UNHEARD.to_owned()));
            }
            let is_bound = ask.bound.is_some();
            let told = acquire(locks, &ask, session.out)?;
            match told.what {
                What::Refused(Refusal::Held(grant)) if grant.holder == call.session => {}
                What::Refused(Refusal::Held(grant)) => {
                    return Ok(Decision::Block(format!(
                        "fencehold: {why}, so it needs the lock `{name}`, which is {}. Read, or edit files that are \
                         nobody's, until then; if that session is over, a person can end it with `fencehold lock break \
                         {name} --reason TEXT`",
                        who(&grant, told.now_ms)
                    )));
                }
                What::Refused(refusal) => {
                    return Err(Error::usage(format!("the lock `{name}`: {}", refusal.word())));
                }
                // A token is the revision of its grant: this one was made just now, and nobody keeps it yet.
                What::Granted { token, .. } if token == told.revision => {
                    fresh.push(Fresh { locks: at, name: name.clone(), token });
                    if is_bound {
                        renewer::start(session, token);
                    }
                }
                What::Granted { .. } => {}
                What::Ended { .. } => unreachable!("an acquire is granted or refused"),
            }
        }
    }
    Ok(Decision::Pass)
}

fn give_up(locks: &Locks, call: &Call, name: LockName, token: Token) -> Result<()> {
    let (holder, proof) = (call.session.clone(), Proof::Token(token));
    locks.submit(&call.session, &Command::Release { name, holder, proof }).map(drop)
}

/// Locks of a session, and the ledger that has them.
type Own = (Locks, Held<Vec<(LockName, Grant)>>);

/// What the guard took for the session and it still has.
fn own(call: &Call) -> Result<Option<Own>> {
    let Some(session) = begin(&call.cwd)? else { return Ok(None) };
    let Some(locks) = Locks::open(&session)? else { return Ok(None) };
    let mut held = locks.list()?;
    let claim = claim(call)?;
    held.grants.retain(|(_, grant)| grant.holder == call.session && grant.claim.as_ref() == Some(&claim));
    Ok(Some((locks, held)))
}

/// After a call, and after a turn: each lock is kept of whose time a third has passed.
pub(super) fn renew(call: &Call) -> Result<Decision> {
    let Some((locks, held)) = own(call)? else { return Ok(Decision::Pass) };
    for (name, grant) in held.grants {
        if grant.expires_ms.saturating_sub(held.now_ms)
            <= grant.ttl_ms - grant.ttl_ms * RENEW_AFTER_THIRDS / 3
        {
            let proof = Proof::Token(grant.token);
            let command = Command::Renew { name, holder: grant.holder.clone(), proof, ttl_ms: None };
            locks.submit(&grant.holder, &command)?;
        }
    }
    Ok(Decision::Pass)
}

/// After the session: its locks are given up.
pub(super) fn end(call: &Call) -> Result<Decision> {
    let Some((locks, held)) = own(call)? else { return Ok(Decision::Pass) };
    for (name, grant) in held.grants {
        give_up(&locks, call, name, grant.token)?;
    }
    Ok(Decision::Pass)
}
