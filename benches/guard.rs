//! One hook call by a process of its own, as a harness makes it before each tool call.
//!
//! *Ours*: `fencehold hook pre-tool-use` with a payload on stdin, from `fork` to its end: for a call that reads, for an
//! edit of a file in nobody's lease, and for one that moves the checkout, which takes the lock `workspace` durably.
//!
//! *Theirs*: `fencehold lock acquire NAME`, in the same workspace.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold::journal::Durability;
use fencehold_benches::{CLAIM, Checkout, Goal, HOLDER, Locks, figure, pairs, timed};
use fencehold_model::LockName;
use serde_json::json;

const SUBJECT: &str = env!("CARGO_BIN_EXE_fencehold-bench-subject");
const PAIRS: usize = 300;
const NAME: &str = "build";
/// Of a hook's call, at the most, over an acquire.
const GOAL: f64 = 1.5;
/// What is asked about: what the call does, its tool, and its input.
const CALLS: [(&str, &str, &str, &str); 3] = [
    ("reads", "Bash", "command", "git status"),
    ("edits", "Edit", "file_path", "src/a.rs"),
    ("moves", "Bash", "command", "git push"),
];

/// A workspace, and a handle that lets go again what the processes took.
struct Place {
    checkout: Checkout,
    locks: Locks,
}

impl Place {
    /// Its journal is in its second file: in the first one who comes owes the sync of the parent folder as well.
    fn new() -> Self {
        let checkout = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
            .expect("a workspace can be made in the target folder");
        let locks = checkout.locks(Durability::Durable).expect("a handle");
        let place = Place { checkout, locks };
        while place.checkout.workspace().join("journal.1.ndjson").exists() {
            place.locks.acquire(&name(NAME)).expect("granted");
            place.locks.release(&name(NAME)).expect("released");
        }
        place
    }

    /// `fencehold lock acquire`; the time of the process alone.
    fn acquire(&self) -> Duration {
        let took = timed(1, || {
            let status = Command::new(SUBJECT)
                .args(["lock", "acquire", NAME, "--holder", HOLDER, "--claim", CLAIM])
                .current_dir(self.checkout.root())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status();
            assert!(status.expect("it starts").success());
        });
        self.locks.release(&name(NAME)).expect("released");
        took
    }

    /// A hook on this payload, which has to pass; the time of the process alone.
    fn hook(&self, payload: &str, moves: bool) -> Duration {
        let mut answer = Vec::new();
        let took = timed(1, || {
            let mut command = Command::new(SUBJECT);
            command.args(["hook", "pre-tool-use"]).current_dir(self.checkout.root());
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
            let written = child.stdin.take().expect("piped").write_all(payload.as_bytes());
            written.expect("it reads");
            answer = child.wait_with_output().expect("it ends").stdout;
        });
        assert_eq!(answer, b"{}\n");
        if moves {
            self.give_up();
        }
        took
    }

    fn give_up(&self) {
        let mut command = Command::new(SUBJECT);
        command
            .args(["lock", "break", "workspace", "--reason", "measured"])
            .current_dir(self.checkout.root());
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("it starts").success());
    }
}

fn name(text: &str) -> LockName {
    LockName::new(text).expect("a word")
}

fn guard(_: &mut Criterion) {
    let place = Place::new();
    for (call, tool, field, input) in CALLS {
        let payload = json!({ "session_id": HOLDER,
            "cwd": place.checkout.root(), "hook_event_name": "PreToolUse", "tool_name": tool,
            "tool_input": { field: input } });
        let payload = payload.to_string();
        let measured = pairs(PAIRS, || place.hook(&payload, call == "moves"), || place.acquire());
        let (ours, theirs) = measured.micros();
        let what = format!(
            "the time of the process `fencehold hook pre-tool-use` for a call that {call} over that of `fencehold lock \
             acquire`; {:.0} and {:.0} us; on {}",
            ours.median,
            theirs.median,
            place.checkout.filesystem().expect("a known filesystem")
        );
        figure(&format!("guard, {call}"), &what, measured.times(), Goal::AtMost(GOAL));
    }
}

criterion_group!(benches, guard);
criterion_main!(benches);
