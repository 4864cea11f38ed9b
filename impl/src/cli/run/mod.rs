//! `fencehold lock run NAME -- CMD…`: a command that runs while a lock is held.
//!
//! Invariants:
//! - the lock is bound to the command's process, so it is held while that lives, whatever becomes of us: killed, or
//!   stopped past the TTL;
//! - the command begins after the grant is durable, and knows its token;
//! - who runs inside the same claim (a nested run) neither renews nor releases it;
//! - our own lines go to stderr; stdin, stdout and the exit code are the command's.

mod child;
mod signals;
mod terminal;
mod watch_over;

pub(super) use child::{CHILD_COMMAND, be_child};

use std::ffi::OsString;

use fencehold_model::lock::{Command, Proof, Refusal};
use fencehold_model::{Claim, Holder, Token};

use super::acquire::{Ask, acquire};
use super::args::{self, Common};
use super::identity::{self, ENV_CLAIM, ENV_HOLDER, env, holder};
use super::locks::{Locks, What};
use super::out::{Ended, Out, Stop};
use super::render::refused;
use super::session::{ENV_ROOT, Session};
use crate::error::{Error, Result};
use watch_over::{Finished, watch_over};

/// Name of the lock that the command runs under.
const ENV_LOCK: &str = "FENCEHOLD_LOCK";
/// Token of the lock that the command runs under.
const ENV_TOKEN: &str = "FENCEHOLD_TOKEN";
/// The lock is held by another (EX_TEMPFAIL of sysexits.h: try again later).
const HELD: u8 = 75;
/// The lock was lost while the command ran.
const LOST: u8 = 76;
/// An error of ours, as env(1) has it.
pub(super) const OURS: u8 = 125;

/// A lock that a command runs under.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) holder: Holder,
    pub(super) token: Token,
    /// Whether it is ours to renew and release; in a nested run it is the outer one's.
    pub(super) ours: bool,
}

/// Runs the command; gives its exit code, or one of the above.
pub(super) fn run(run: &args::Run, common: &Common) -> Ended {
    let (holder, _) = holder(&run.who)?;
    let session = Session::begin(common)?;
    let locks = Locks::open_or_create(&session)?;
    let inherited = inherited(run, &holder, &locks)?;
    let claim = match &inherited {
        Some((claim, _)) => claim.clone(),
        None => identity::fresh_claim(locks.host()),
    };
    let env: [(&str, OsString); 4] = [
        (ENV_ROOT, session.root_for_others().into()),
        (ENV_HOLDER, holder.as_str().into()),
        (ENV_CLAIM, claim.as_str().into()),
        (ENV_LOCK, run.name.as_str().into()),
    ];
    let waiting = child::start(&run.command, &env)?;
    let held = match inherited {
        Some((_, token)) => Held { holder, token, ours: false },
        None => {
            let bound = Some(locks.host().process(u64::from(waiting.child.id()))?);
            let name = run.name.clone();
            let ask = Ask { name, holder, claim, ttl: run.grant.ttl, bound, wait: run.grant.wait };
            let told = acquire(&locks, &ask, session.out)?;
            locks.tell_notes(session.out);
            match told.what {
                What::Granted { token, .. } => Held { holder: ask.holder, token, ours: true },
                What::Refused(refusal) => {
                    session.out.say(&refused(&run.name, &refusal, told.now_ms));
                    return Err(Stop::Code(HELD));
                }
                What::Ended { .. } => unreachable!("an acquire is granted or refused"),
            }
        }
    };
    let finished = watch_over(waiting, &locks, &held, run, session.out)?;
    if held.ours && finished != Finished::Lost {
        release(&locks, &held, run, session.out);
    }
    Ok(match finished {
        Finished::Code(code) => code,
        Finished::Lost => LOST,
    })
}

/// The claim and token of a run that this one is nested in: the same lock, in the same workspace, and still held.
fn inherited(run: &args::Run, holder: &Holder, locks: &Locks) -> Result<Option<(Claim, Token)>> {
    if env(ENV_LOCK)?.as_deref() != Some(run.name.as_str()) {
        return Ok(None);
    }
    let Some(claim) = identity::claim(None)? else { return Ok(None) };
    let proof = Proof::Claim(claim.clone());
    let command = Command::Renew { name: run.name.clone(), holder: holder.clone(), proof, ttl_ms: None };
    match locks.submit(holder, &command)?.what {
        What::Granted { token, .. } => Ok(Some((claim, token))),
        // An environment that outlived its run: what it names is over, so this run stands on its own.
        _ => Ok(None),
    }
}

/// Gives the lock up. Whoever took it over after the command ended was right to: that is not reported.
fn release(locks: &Locks, held: &Held, run: &args::Run, out: Out) {
    let proof = Proof::Token(held.token);
    let command = Command::Release { name: run.name.clone(), holder: held.holder.clone(), proof };
    match locks.submit(&held.holder, &command).map(|told| told.what) {
        Ok(What::Refused(Refusal::Expired | Refusal::NotHolder) | What::Ended { .. }) => {}
        Ok(other) => out.say(&format!("{} could not be released: {other:?}", run.name)),
        Err(error) => out.say(&format!(
            "{} could not be released ({error}); its process has ended, so whoever asks for it next gets it",
            run.name
        )),
    }
}

/// The exit code of a run; an error of ours is none of the command's.
pub(super) fn code_of(ended: Ended, out: Out) -> u8 {
    match ended {
        Err(Stop::Error(error)) => {
            out.say(&error.to_string());
            OURS
        }
        Ok(code) | Err(Stop::Code(code)) => code,
    }
}

/// The error where the command's process can no longer be waited for.
fn lost_child(errno: rustix::io::Errno) -> Error {
    Error::environment("waiting for the command of", std::path::Path::new("/proc/self"), errno.into())
}
