//! Plays the harness: one hook process a call, with a payload as it would send it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Kept, Said, Yard, clean, code, fencehold_in};

/// A session whose process is this one.
pub(crate) struct Session {
    id: String,
    cwd: PathBuf,
}

impl Session {
    pub(crate) fn new(yard: &Yard, id: &str) -> Self {
        Session { id: id.to_owned(), cwd: yard.path() }
    }

    fn payload(&self, tool: &str, input: &Value) -> Value {
        json!({
            "session_id": self.id,
            "transcript_path": "/nowhere/transcript.jsonl",
            "cwd": self.cwd,
            "permission_mode": "default",
            "hook_event_name": "ignored",
            "tool_name": tool,
            "tool_input": input,
            "tool_use_id": "toolu_01",
        })
    }

    /// What the hook decides of this.
    pub(crate) fn call(&self, event: &str, tool: &str, input: &Value) -> Value {
        decided(&hook(&self.cwd, event, self.payload(tool, input).to_string().as_bytes()))
    }

    /// The same of a shell command that is about to be run.
    pub(crate) fn bash(&self, command: &str) -> Value {
        self.call("pre-tool-use", "Bash", &json!({ "command": command }))
    }
}

/// Runs a hook on these bytes.
pub(crate) fn hook(cwd: &Path, event: &str, payload: &[u8]) -> Said {
    let mut command = fencehold_in(cwd);
    command.args(["hook", event]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // One that has seen enough closes its end.
    let _ = child.stdin.take().expect("piped").write_all(payload);
    let output = child.wait_with_output().expect("it ends");
    Said {
        code: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Its decision: one JSON object, and nothing else.
#[track_caller]
pub(crate) fn decided(said: &Said) -> Value {
    assert_eq!((said.code, said.stdout.lines().count()), (0, 1), "{said:?}");
    let decision: Value =
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    assert!(decision.is_object(), "{said:?}");
    decision
}

/// Why a call is blocked; it must be.
#[track_caller]
pub(crate) fn reason(decision: &Value) -> String {
    let output = &decision["hookSpecificOutput"];
    assert_eq!(
        (&output["hookEventName"], &output["permissionDecision"]),
        (&json!("PreToolUse"), &json!("deny")),
        "{decision}"
    );
    output["permissionDecisionReason"].as_str().expect("a reason").to_owned()
}

/// What a hook decides that is asked once its parents are gone, in a session of its own of the kernel's.
pub(super) fn orphaned(yard: &Yard, id: &str, command: &str) -> Value {
    let payload = Session::new(yard, id).payload("Bash", &json!({ "command": command }));
    // The inner shell ends at once; the hook waits for its input, which comes when that shell is reaped.
    let shell = "exec 3<&0; \"$1\" hook pre-tool-use <&3 & exit 0";
    let mut setsid = Command::new("setsid");
    clean(&mut setsid).current_dir(yard.path()).args(["sh", "-c", shell, "sh"]);
    setsid.arg(env!("CARGO_BIN_EXE_fencehold-under-test")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = setsid.spawn().expect("setsid is installed");
    let mut stdin = process.stdin.take().expect("piped");
    let status = process.wait().expect("it is ours");
    assert!(status.success(), "{status}");
    stdin.write_all(payload.to_string().as_bytes()).expect("the hook reads");
    drop(stdin);
    let mut answer = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut answer).expect("an answer");
    serde_json::from_str(&answer).expect("a decision")
}

/// A session with a process of its own, which has called a hook and lives on.
pub(crate) struct Alive {
    process: Kept,
}

impl Alive {
    /// One that has called the shell.
    pub(crate) fn begin(yard: &Yard, id: &str, command: &str) -> Self {
        Alive::after(yard, id, &[("Bash", json!({ "command": command }))])
    }

    /// One that has made these calls, all of which passed.
    pub(crate) fn after(yard: &Yard, id: &str, calls: &[(&str, Value)]) -> Self {
        let session = Session::new(yard, id);
        let payload = yard.join("payload-of-a-session");
        // A payload a line; the session's process starts a hook on each.
        let payloads: Vec<String> =
            calls.iter().map(|(tool, input)| format!("{}\n", session.payload(tool, input))).collect();
        std::fs::write(&payload, payloads.concat()).unwrap();
        let shell = "while read -r call; do printf %s \"$call\" | \"$1\" hook pre-tool-use; done < \"$2\"; \
                     read -r forever";
        // `find` is a process that starts commands and is no shell.
        let mut find = Command::new("find");
        clean(&mut find).current_dir(yard.path());
        find.args([
            ".",
            "-maxdepth",
            "0",
            "-exec",
            "sh",
            "-c",
            shell,
            "sh",
            env!("CARGO_BIN_EXE_fencehold-under-test"),
        ]);
        find.arg(&payload).arg(";").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Kept(find.spawn().expect("find is installed"));
        let mut stdout = BufReader::new(process.0.stdout.take().expect("piped"));
        for _ in calls {
            let mut answer = String::new();
            stdout.read_line(&mut answer).expect("an answer");
            assert_eq!(answer, "{}\n");
        }
        std::fs::remove_file(payload).unwrap();
        Alive { process }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    pub(crate) fn kill(&mut self) {
        self.process.0.kill().expect("it lives");
        self.process.0.wait().expect("it is ours");
    }
}

/// The processes that keep the lock of a session in this yard.
pub(super) fn renewers(yard: &Yard) -> Vec<String> {
    let place = yard.path().to_string_lossy().into_owned();
    let pids = std::fs::read_dir("/proc").expect("there is a /proc").filter_map(Result::ok);
    // One that has ended meanwhile has no words.
    let words = pids.filter_map(|pid| std::fs::read_to_string(pid.path().join("cmdline")).ok());
    words.filter(|words| words.contains("hook-renewer") && words.contains(&place)).collect()
}
