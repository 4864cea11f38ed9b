//! As whom a command acts: its holder, its claim, and why.

use std::path::Path;

use fencehold_model::{Claim, Holder};
use serde_json::json;

use super::args::Who;
use super::out::{Ended, Out};
use crate::error::{Error, Result};
use crate::fs::read_proc;
use crate::host::{Host as _, RealHost};

/// Environment variables by which an agent's harness names its session.
const SESSIONS: [&str; 2] = ["CLAUDE_CODE_SESSION_ID", "CODEX_THREAD_ID"];
/// Holder of the commands below.
pub(super) const ENV_HOLDER: &str = "FENCEHOLD_HOLDER";
/// Claim of the commands below.
pub(super) const ENV_CLAIM: &str = "FENCEHOLD_CLAIM";

/// An environment variable that is set and not empty; one that is not UTF-8 is an error that names it.
pub(super) fn env(name: &str) -> Result<Option<String>> {
    match std::env::var_os(name) {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Error::usage(format!("the environment variable {name} is not UTF-8; unset it"))),
        },
    }
}

/// The holder to act as, and where it comes from.
pub(super) fn holder(who: &Who) -> Result<(Holder, String)> {
    if let Some(holder) = &who.holder {
        return Ok((holder.clone(), "--holder".to_owned()));
    }
    for name in [ENV_HOLDER, SESSIONS[0], SESSIONS[1]] {
        if let Some(text) = env(name)? {
            let holder = Holder::new(&text).map_err(|bad| Error::usage(format!("{name}: {bad}")))?;
            return Ok((holder, format!("the environment variable {name}")));
        }
    }
    let user = env("USER")?.or(env("LOGNAME")?);
    let user = user.unwrap_or_else(|| format!("uid{}", rustix::process::geteuid().as_raw()));
    let host = host_name();
    let (place, why) = match terminal() {
        Some(tty) => (tty, "the user, the host and the terminal"),
        // nix, not rustix: 0 is an answer (the session's leader is outside this pid namespace, as under
        // `docker exec`), and rustix has no value for it.
        None => match nix::unistd::getsid(None) {
            Ok(sid) => (sid.to_string(), "the user, the host and the session id: there is no terminal"),
            Err(error) => {
                return Err(Error::environment("asking getsid of", Path::new("/proc/self"), error.into()));
            }
        },
    };
    let holder = Holder::new(&format!("{user}@{host}:{place}"))
        .map_err(|bad| Error::usage(format!("user and host name make no holder ({bad}); give --holder")))?;
    Ok((holder, why.to_owned()))
}

/// The name of this machine.
pub(super) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The controlling terminal, wherever stdin and stdout point: `tty_nr` of proc_pid_stat(5).
fn terminal() -> Option<String> {
    let stat = read_proc(Path::new("/proc/self/stat")).ok()?;
    let number: i64 = stat[stat.rfind(") ")? + 2..].split(' ').nth(4)?.parse().ok()?;
    let number = u32::try_from(number & 0xffff_ffff).ok()?;
    let (major, minor) = ((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xf_ff00));
    match (major, minor) {
        (0, 0) => None,
        // Major numbers of the kernel's devices.txt: 136 to 143 are Unix98 terminals, 4 the consoles.
        (136..=143, _) => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        (4, 0..64) => Some(format!("tty{minor}")),
        (4, _) => Some(format!("ttyS{}", minor - 64)),
        _ => Some(format!("tty{major}.{minor}")),
    }
}

/// The claim of `--claim`, else of the environment.
pub(super) fn claim(given: Option<&Claim>) -> Result<Option<Claim>> {
    match given {
        Some(claim) => Ok(Some(claim.clone())),
        None => env(ENV_CLAIM)?
            .map(|text| Claim::new(&text).map_err(|bad| Error::usage(format!("{ENV_CLAIM}: {bad}"))))
            .transpose(),
    }
}

/// A claim that nobody else has.
pub(super) fn fresh_claim(host: &RealHost) -> Claim {
    Claim::new(&format!("{:032x}", host.random())).expect("hexadecimal digits make a claim")
}

/// `fencehold whoami`.
pub(super) fn whoami(who: &Who, out: Out) -> Ended {
    let (holder, why) = holder(who)?;
    let claim = claim(None)?;
    let mut object = json!({ "holder": holder.as_str(), "why": why });
    if let Some(claim) = claim {
        object["claim"] = claim.as_str().into();
    }
    out.answer(&object, &format!("{holder}\n"))?;
    if !out.json {
        out.tell_who_watches(&format!("from {why}"));
    }
    Ok(0)
}
