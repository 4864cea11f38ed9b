//! `fencehold hook`: the answers to an agent's harness, one process a call.
//!
//! Invariants: the exit code is 0 and stdout is one JSON object, whatever happens, a panic of ours included; it is given
//! within [`ANSWER_WITHIN`]; what cannot be decided follows the workspace's fail policy, and a call that this lets pass
//! leaves a record first, or does not pass.

mod answer;
mod backstop;
mod before;
mod failed_open;
mod git_hooks;
mod guard;
mod held;
mod install;
mod known;
mod made;
pub(super) mod renewer;
mod session_process;
mod try_it;
mod wired;

use std::io::Read as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::out::{Out, say};
use super::settings::OnFailure;
use crate::host::Deadline;

pub(super) use backstop::{answer_git, is_of_git};
pub(super) use failed_open::{FILE as FAILED_OPEN, records};
pub(super) use held::WORKSPACE;
pub(super) use install::{Hook, hook};
pub(super) use known::{Asking, installed, uninstall};
pub(super) use wired::quoted;

/// The events of a harness, by the words that name them here and there.
const EVENTS: [(&str, Event); 4] = [
    ("pre-tool-use", Event::PreToolUse),
    ("post-tool-use", Event::PostToolUse),
    ("stop", Event::Stop),
    ("session-end", Event::SessionEnd),
];

/// How long a harness waits for an answer of ours.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Of that, what is left for the fail policy.
const TO_FAIL: Duration = Duration::from_millis(200);
/// The longest payload that is read: a tool call may carry a whole file.
const PAYLOAD_BYTES_MAX: u64 = 64 << 20;

/// What a harness tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// A tool is about to be called; it may be blocked.
    PreToolUse,
    /// A tool was called.
    PostToolUse,
    /// A turn is over.
    Stop,
    /// The session is over.
    SessionEnd,
}

/// What an event comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// It goes on, as if nobody had asked.
    Pass,
    /// The call must not be made, because of this.
    Block(String),
}

/// What the thread that decides has found.
#[derive(Debug)]
enum Found {
    /// The workspace that it is about, and what its settings say of failures.
    Workspace(PathBuf, OnFailure),
    /// What it came to, or why it came to nothing.
    Decision(Result<Decision, String>),
}

/// The event that these words ask about, if they ask about one: no parser stands before it, as a usage error would stop
/// every call of an agent.
fn event_of(word: &str) -> Option<Event> {
    EVENTS.iter().find(|(known, _)| *known == word).map(|(_, event)| *event)
}

/// Whether a file of the workspace folder is one that an install keeps there.
pub(super) fn is_kept(name: &str) -> bool {
    before::is_name(name) || git_hooks::is_name(name)
}

/// Whether these are the words of a harness.
pub(super) fn is_event(word: &str) -> bool {
    event_of(word).is_some()
}

/// Answers a harness.
pub(super) fn enter(word: &str, rest: &[std::ffi::OsString]) -> u8 {
    let event = event_of(word).expect("the caller has looked");
    let deadline = Deadline::after(ANSWER_WITHIN - TO_FAIL);
    let (tell, told) = channel();
    let unknown = rest.first().map(|word| format!("the argument {} is unknown", word.display()));
    // Not joined: it may hang in the kernel, and ends with the process.
    thread::spawn(move || {
        let decided = std::panic::catch_unwind(AssertUnwindSafe(|| match unknown {
            Some(why) => Err(why),
            None => decide(event, &tell),
        }));
        let decided = decided.unwrap_or_else(|_| {
            Err("a bug of fencehold; what it says above would help to find it".to_owned())
        });
        let _ = tell.send(Found::Decision(decided));
    });
    let decision = wait(event, &told, deadline);
    let _ = Out { json: true }.data(&format!("{}\n", answer::of(event, &decision)));
    0
}

/// What the other thread comes to in time; else what the fail policy says.
fn wait(event: Event, told: &Receiver<Found>, deadline: Deadline) -> Decision {
    let (mut dir, mut on_failure) = (None, OnFailure::Closed);
    let why = loop {
        match told.recv_timeout(deadline.left()) {
            Ok(Found::Workspace(found, policy)) => (dir, on_failure) = (Some(found), policy),
            Ok(Found::Decision(Ok(decision))) => return decision,
            Ok(Found::Decision(Err(why))) => break why,
            Err(RecvTimeoutError::Timeout) => {
                break format!("no answer within {} ms", (ANSWER_WITHIN - TO_FAIL).as_millis());
            }
            Err(RecvTimeoutError::Disconnected) => break "the thread that decides is gone".to_owned(),
        }
    };
    say(&why);
    // What was not needed to decide is left for the record.
    failed(event, &why, dir.as_deref(), on_failure, deadline.left() + TO_FAIL / 2)
}

fn failed(
    event: Event,
    why: &str,
    dir: Option<&Path>,
    on_failure: OnFailure,
    patience: Duration,
) -> Decision {
    if event != Event::PreToolUse {
        return Decision::Pass;
    }
    let blocked = |more: &str| {
        Decision::Block(format!(
            "fencehold cannot tell whether this call is safe: {why}{more}. The calls of this session are blocked until it \
             can; `fencehold doctor` says what is wrong"
        ))
    };
    match (on_failure, dir) {
        (OnFailure::Open, Some(dir)) => match failed_open::record_within(patience, dir, why) {
            Ok(()) => Decision::Pass,
            Err(unrecorded) => blocked(&format!("; and no record of it could be left: {unrecorded}")),
        },
        _ => blocked(""),
    }
}

fn decide(event: Event, tell: &Sender<Found>) -> Result<Decision, String> {
    let mut payload = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(PAYLOAD_BYTES_MAX + 1)
        .read_to_end(&mut payload)
        .map_err(|error| format!("the payload on stdin cannot be read: {error}"))?;
    if payload.len() as u64 > PAYLOAD_BYTES_MAX {
        return Err(format!("the payload on stdin is longer than {PAYLOAD_BYTES_MAX} bytes"));
    }
    let call = crate::hook::read(&payload, event == Event::PreToolUse)?;
    drop(payload);
    let found = |dir: &Path, on_failure| _ = tell.send(Found::Workspace(dir.to_owned(), on_failure));
    let decided = match (event, &call.deed) {
        (Event::PreToolUse, Some(deed)) => guard::before(&call, deed, &found),
        (Event::SessionEnd, _) => held::end(&call),
        _ => held::renew(&call),
    };
    decided.map_err(|error| error.to_string())
}
