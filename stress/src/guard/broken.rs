//! Guards with a known defect, as a naive author ships them, and the same guard without one: a file that names the session
//! inside and its process, changed under flock(2). What lies in a lease they leave to the shipped hook.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use fencehold::fs::RealFs;
use fencehold::hook::{Call, Deed, read};
use fencehold::locate::{self, Start};
use serde_json::{Value, json};

use super::globs::{self, GLOBS, glob};

/// What is wrong with a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Nothing.
    None,
    /// The lock is one for each folder that is worked in (M39).
    PerFolder,
    /// What cannot be decided passes, and nothing says so (M47).
    FailsOpen,
    /// It answers, and guards nothing (M50).
    Inert,
    /// It knows no guarded globs.
    PastGlobs,
    /// The lock lies in the home of the user; where everybody is one user nothing is wrong with it.
    PerHome,
}

impl Defect {
    /// Every one that is wrong, or right, among the sessions of one user.
    pub const ALL: [Defect; 5] =
        [Defect::None, Defect::PerFolder, Defect::FailsOpen, Defect::Inert, Defect::PastGlobs];

    /// The word by which a stand-in asks this guard.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Defect::None => "right",
            Defect::PerFolder => "M39",
            Defect::FailsOpen => "M47",
            Defect::Inert => "M50",
            Defect::PastGlobs => "past-globs",
            Defect::PerHome => "per-home",
        }
    }
}

/// Answers a stand-in on stdout, as the guard with the defect of this word; 2 where there is no such guard.
#[must_use]
pub fn answer(word: &str, event: &str) -> ExitCode {
    let Some(defect) = Defect::ALL.into_iter().chain([Defect::PerHome]).find(|defect| defect.word() == word)
    else {
        eprintln!("fencehold-gate: there is no broken hook {word:?}");
        return ExitCode::from(2);
    };
    let decision = decide(defect, event).unwrap_or_else(|why| match (defect, event) {
        (Defect::FailsOpen, _) => json!({}),
        (_, "pre-tool-use") => deny(&format!("cannot tell: {why}")),
        _ => json!({}),
    });
    println!("{decision}");
    ExitCode::SUCCESS
}

fn deny(why: &str) -> Value {
    json!({ "hookSpecificOutput": { "hookEventName": "PreToolUse", "permissionDecision": "deny",
        "permissionDecisionReason": why } })
}

fn decide(defect: Defect, event: &str) -> Result<Value, String> {
    let mut payload = Vec::new();
    std::io::stdin().lock().read_to_end(&mut payload).map_err(|error| error.to_string())?;
    if defect == Defect::Inert {
        return Ok(json!({}));
    }
    let call = read(&payload, event == "pre-tool-use")?;
    match (event, &call.deed) {
        ("pre-tool-use", Some(Deed::Writes(_))) => match globs::of_call(&call)? {
            Some(_) if defect == Defect::PastGlobs => Ok(json!({})),
            Some(glob) => enter(&file(defect, &call, &glob)?, &call),
            None => shipped(&payload),
        },
        ("pre-tool-use", Some(Deed::MayMove(_))) => enter(&file(defect, &call, WORKSPACE)?, &call),
        ("session-end", _) => {
            for lock in (0..GLOBS).map(glob).chain([WORKSPACE.to_owned()]) {
                leave(&file(defect, &call, &lock)?, &call)?;
            }
            Ok(json!({}))
        }
        _ => Ok(json!({})),
    }
}

/// What a session is inside of that may change anything.
const WORKSPACE: &str = "workspace";

/// Where it is noted who is inside of a lock.
fn file(defect: Defect, call: &Call, lock: &str) -> Result<PathBuf, String> {
    if defect == Defect::PerFolder {
        return Ok(call.cwd.join(format!(".{lock}-guarded-by")));
    }
    if defect == Defect::PerHome {
        let home = std::env::var_os("HOME").ok_or("no home")?;
        return Ok(PathBuf::from(home).join(format!("{lock}-guarded-by")));
    }
    let start = Start { at: &call.cwd, git_dir: None };
    let place = locate::locate(&RealFs, start).map_err(|error| error.to_string())?;
    Ok(place.common_dir.ok_or("no git repository")?.join(format!("{lock}-guarded-by")))
}

fn changed<T>(path: &Path, change: impl FnOnce(Value) -> (T, Option<Value>)) -> Result<T, String> {
    let changed = || -> io::Result<T> {
        let mut file: File =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // Half a record says that somebody is inside, and not who.
        let there = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
        let (answer, write) = change(there);
        if let Some(write) = write {
            file.rewind()?;
            file.set_len(0)?;
            file.write_all(write.to_string().as_bytes())?;
        }
        Ok(answer)
    };
    changed().map_err(|error| format!("{}: {error}", path.display()))
}

fn enter(path: &Path, call: &Call) -> Result<Value, String> {
    let me = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if !is_harness(me) {
        // Killed meanwhile: nobody hears this answer, and who adopts the orphans holds nothing.
        return Ok(deny("its harness is gone"));
    }
    let since = begun(i64::from(me));
    changed(path, |inside| {
        let is_mine = inside["session"] == call.session.as_str();
        let pid = inside["pid"].as_i64().unwrap_or(0);
        let lives = begun(pid).is_some_and(|begun| inside["begun"] == begun);
        if lives && !is_mine {
            let holder = inside["session"].as_str().unwrap_or_default();
            return (deny(&format!("held by {holder} (pid {pid})")), None);
        }
        (json!({}), Some(json!({ "session": call.session.as_str(), "pid": me, "begun": since })))
    })
}

/// Whether the process is a harness of the stage: the same program as this one.
fn is_harness(pid: i32) -> bool {
    let program = |of: &str| std::fs::read_link(format!("/proc/{of}/exe")).ok();
    program("self").is_some_and(|ours| program(&pid.to_string()) == Some(ours))
}

fn leave(path: &Path, call: &Call) -> Result<Value, String> {
    changed(path, |inside| {
        let is_mine = inside["session"] == call.session.as_str();
        (json!({}), is_mine.then_some(Value::Null))
    })
}

/// The start time of a process that lives, in ticks: field 22 of proc_pid_stat(5).
fn begun(pid: i64) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18))?.and_then(|ticks| ticks.parse().ok())
}

fn shipped(payload: &[u8]) -> Result<Value, String> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("fencehold").args(["hook", "pre-tool-use"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(payload));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
