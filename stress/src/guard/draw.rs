//! What a session does next, drawn from a seed.

use std::path::Path;

use serde_json::{Value, json};

use super::checkout::{AREAS, area};
use super::globs::{GLOBS, glob};
use crate::rng::Rng;

const READS: [(&str, &str); 6] = [
    ("Bash", "git status"),
    ("Bash", "git log --oneline | head -3"),
    ("Bash", "rg -n guard ; ls -la"),
    ("Read", "README.md"),
    ("Grep", "x"),
    ("Task", "x"),
];
const MOVES: [(&str, &str); 8] = [
    ("Bash", "git checkout -b topic"),
    ("Bash", "git push origin HEAD"),
    ("Bash", "git   stash ; git pull --rebase"),
    ("Bash", "make test"),
    ("Bash", "echo x > notes"),
    ("Bash", "cargo build 2>&1 | tail"),
    ("mcp__db__write", "x"),
    ("SomethingNew", "x"),
];

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// A tool call that only reads.
    Reads(String),
    /// A tool call that may move the checkout.
    Moves(String),
    /// An edit of a file in an area; none: in nobody's.
    Edit(Option<u64>, String),
    /// An edit of a file in a guarded glob.
    Guarded(u64, String),
    /// A call that nobody can decide, because its payload says too little.
    Bad(String),
    /// The end of a turn.
    Stop(String),
    /// A lease on an area.
    Grant(u64),
    /// The end of a lease.
    Close,
    /// The end of the session, told to the hook, in the same process or with it.
    End { goes_on: bool },
    /// Another id in the same process, and nobody is told.
    Renamed,
}

/// A call as a harness would send it.
pub(super) fn payload(session: &str, cwd: &Path, tool: &str, input: &Value) -> Value {
    json!({
        "session_id": session,
        "transcript_path": "/nowhere/transcript.jsonl",
        "cwd": cwd,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": tool,
        "tool_input": input,
        "tool_use_id": "toolu_01",
    })
}

fn call(session: &str, cwd: &Path, (tool, input): (&str, &str)) -> String {
    let input = if tool == "Bash" { json!({ "command": input }) } else { json!({ "file_path": input }) };
    payload(session, cwd, tool, &input).to_string()
}

/// The next deed of a session that has leases on these areas.
pub(super) fn next(rng: &mut Rng, session: &str, cwd: &Path, root: &Path, own: &[u64]) -> Deed {
    match rng.below(100) {
        0..16 => Deed::Reads(call(session, cwd, *rng.pick(&READS))),
        16..50 => Deed::Moves(call(session, cwd, *rng.pick(&MOVES))),
        50..54 => Deed::Bad(bad(rng, session, cwd)),
        54..58 => Deed::Stop(payload(session, cwd, "x", &json!({})).to_string()),
        58..66 => Deed::Grant(rng.below(AREAS)),
        66..70 => Deed::Close,
        70..75 => Deed::End { goes_on: rng.one_in(2) },
        75 => Deed::Renamed,
        76..86 => {
            let number = rng.below(GLOBS);
            Deed::Guarded(number, edit(rng, session, cwd, root, &glob(number)))
        }
        _ => {
            let number = match own {
                [_, ..] if rng.one_in(3) => Some(*rng.pick(own)),
                _ => Some(rng.below(AREAS + 1)).filter(|number| *number < AREAS),
            };
            let folder = number.map_or("free".to_owned(), area);
            Deed::Edit(number, edit(rng, session, cwd, root, &folder))
        }
    }
}

fn edit(rng: &mut Rng, session: &str, cwd: &Path, root: &Path, folder: &str) -> String {
    let root = root.display();
    let path = match rng.below(4) {
        0 if folder == area(0) => format!("{root}/link/new.rs"),
        1 => format!("{root}/./area2/../{folder}/deep/new.rs"),
        2 => format!("{root}/{folder}/[id].tsx"),
        _ => format!("{root}/{folder}/a.rs"),
    };
    if rng.one_in(5) {
        let patch = format!("*** Begin Patch\n*** Update File: {path}\n@@\n-x\n+y\n*** End Patch\n");
        return payload(session, cwd, "apply_patch", &json!({ "command": patch })).to_string();
    }
    let tool = *rng.pick(&["Edit", "Write", "MultiEdit"]);
    payload(session, cwd, tool, &json!({ "file_path": path })).to_string()
}

fn bad(rng: &mut Rng, session: &str, cwd: &Path) -> String {
    let mut whole = payload(session, cwd, "Bash", &json!({ "command": "git push" }));
    match rng.below(5) {
        0 => String::new(),
        1 => whole.to_string().split_at(40).0.to_owned(),
        2 => {
            whole["session_id"] = json!(" ");
            whole.to_string()
        }
        3 => {
            whole["tool_input"] = json!({});
            whole.to_string()
        }
        _ => {
            whole["cwd"] = json!("nowhere");
            whole.to_string()
        }
    }
}
