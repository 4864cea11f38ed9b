//! `docs/session-lock.md` and `docs/agents.md` work as typed: the first in a checkout that has run such a lock.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use serde_json::{Value, json};

use crate::program::{Yard, said};
use crate::readme::{Reader, page};
use crate::strangers::stranger;

const MOVING: &str = "docs/session-lock.md";
const AGENTS: &str = "docs/agents.md";

/// Settings with the old hooks, and with hooks of others beside them and alone.
fn old_settings() -> String {
    let old =
        json!({ "type": "command", "command": "node /opt/parallel-session-lock/main.mjs", "timeout": 3 });
    let beep = json!({ "type": "command", "command": "beep" });
    let settings = json!({
        "model": "x",
        "hooks": {
            "PreToolUse": [
                { "matcher": "Edit|Write|MultiEdit|NotebookEdit|Bash", "hooks": [old] },
                { "matcher": "Bash", "hooks": [beep, old] },
            ],
            "PostToolUse": [{ "matcher": "*", "hooks": [old] }],
            "Stop": [{ "hooks": [old] }],
            "Notification": [{ "hooks": [beep] }],
        },
    });
    format!("{settings:#}\n")
}

#[test]
fn a_session_lock_is_taken_out_ours_put_in_and_all_of_it_given_back() {
    let reader = Reader::new();
    let yard = &reader.repository;
    yard.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    fs::create_dir(yard.join(".claude")).unwrap();
    fs::write(yard.join(".claude/settings.json"), old_settings()).unwrap();
    let stood = yard.snapshot();
    let text = page(MOVING);
    let (moving, rest) = text.split_once("## Trying it").unwrap();
    let (trying, rest) = rest.split_once("## A day").unwrap();
    assert_eq!(reader.follows(moving), Ok(2));
    let settings: Value =
        serde_json::from_slice(&fs::read(yard.join(".claude/settings.json")).unwrap()).unwrap();
    let beep = json!([{ "type": "command", "command": "beep" }]);
    let left =
        json!({ "PreToolUse": [{ "matcher": "Bash", "hooks": beep }], "Notification": [{ "hooks": beep }] });
    assert_eq!(settings, json!({ "model": "x", "hooks": left }));
    assert_eq!(yard.run(["hook", "status"]).code, 0);

    // What is to be tried says what the page says.
    let script = trying.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0;
    let tried = reader.types(script);
    assert_eq!(tried.code, 0, "{tried:?}");
    let lines: Vec<&str> = tried.stdout.lines().collect();
    assert_eq!((lines[0], lines[2]), ("{}", "{}"), "{tried:?}");
    assert!(lines[1].contains("deny") && lines[1].contains("held by first"), "{tried:?}");
    assert!(lines[3].starts_with("workspace: held by first"), "{tried:?}");
    assert_eq!(lines[4..], ["{}", "{}", "{}"], "{tried:?}");

    assert_eq!(reader.follows(rest), Ok(2));
    assert!(yard.snapshot() == stood, "byte for byte what it was");
}

#[test]
fn the_page_for_agents_works_as_typed() {
    let reader = Reader::new();
    reader.repository.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    assert_eq!(reader.follows(&page(AGENTS)), Ok(2));
}

/// What the paragraph for agents says, by a session of each harness, while another has the checkout.
#[test]
fn the_paragraph_for_agents_is_right() {
    let yard = Yard::with_git();
    let first = crate::guard::play::Session::new(&yard, "first");
    assert_eq!(first.bash("make"), json!({}));
    for (number, variable) in [(1, "CLAUDE_CODE_SESSION_ID"), (2, "CODEX_THREAD_ID")] {
        let id = format!("session-{number}");
        let session = crate::guard::play::Session::new(&yard, &id);
        let (path, lease) = (format!("part{number}/"), number.to_string());
        for typed in ["lease grant 7 --writes src/ --ttl 8h", "status", "lease close 7"] {
            assert_eq!(session.bash(&format!("fencehold {typed}")), json!({}), "{typed}");
        }
        let run = |args: &[&str]| {
            let mut command = yard.fencehold();
            command.env_remove("FENCEHOLD_HOLDER").env(variable, &id);
            let said = said(command.args(args));
            assert_eq!(said.code, 0, "{args:?}: {said:?}");
        };
        run(&["lease", "grant", &lease, "--writes", &path, "--ttl", "8h"]);
        let edit = |session: &crate::guard::play::Session| {
            session.call("pre-tool-use", "Edit", &json!({ "file_path": format!("{path}a") }))
        };
        assert_eq!(edit(&session), json!({}));
        assert!(crate::guard::play::reason(&edit(&first)).contains(&format!("held by {id}")));
        // A session's end is none of its lease's.
        assert_eq!(session.call("session-end", "", &json!(null)), json!({}));
        assert!(crate::guard::play::reason(&edit(&first)).contains(&format!("held by {id}")));
        run(&["lease", "close", &lease]);
        assert_eq!(edit(&first), json!({}));
    }
}

/// A session whose harness tells no end gives the lock up by hand, as the page says it.
#[test]
fn a_session_of_codex_gives_the_lock_up_by_hand() {
    let yard = Yard::with_git();
    let session = crate::guard::play::Session::new(&yard, "thread");
    assert_eq!(session.bash("make"), json!({}));
    let text = page(AGENTS);
    let typed = text.split('`').find(|typed| typed.starts_with("fencehold lock release")).unwrap();
    assert_eq!(session.bash(typed), json!({}));
    let mut sh = std::process::Command::new("sh");
    let program = format!("'{}'", env!("CARGO_BIN_EXE_fencehold-under-test"));
    crate::program::clean(&mut sh).env("CODEX_THREAD_ID", "thread").current_dir(yard.path());
    let released = said(sh.args(["-c", &typed.replacen("fencehold", &program, 1)]));
    assert_eq!(released.code, 0, "{released:?}");
    assert_eq!(crate::guard::play::Session::new(&yard, "other").bash("make"), json!({}));
}

/// A sandbox that does not let `.git` be written: calls are blocked and told what to do, and with the workspace in the
/// tree all goes well.
#[test]
fn where_git_may_not_be_written_the_workspace_is_in_the_tree() {
    let yard = Yard::with_git();
    yard.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    let Some(sandboxed) = stranger(&yard) else { return };
    let rooted =
        std::process::Command::new("chown").args(["-R", "0:0"]).arg(yard.join(".git")).status().unwrap();
    assert!(rooted.success());
    let hook = |yard: &Yard, id: &str| -> Value {
        let payload = json!({ "session_id": id, "cwd": yard.path(), "tool_name": "Bash",
            "tool_input": { "command": "make" } });
        fs::write(yard.join("payload"), payload.to_string()).unwrap();
        fs::set_permissions(yard.join("payload"), fs::Permissions::from_mode(0o644)).unwrap();
        let mut command = sandboxed(yard);
        command.stdin(fs::File::open(yard.join("payload")).unwrap()).args(["hook", "pre-tool-use"]);
        serde_json::from_str(&said(&mut command).stdout).unwrap()
    };
    let why = crate::guard::play::reason(&hook(&yard, "one"));
    assert!(why.contains("fencehold init --dir") && why.contains("Permission denied"), "{why}");
    let refused = said(sandboxed(&yard).args(["lease", "grant", "7", "--writes", "src/"]));
    assert_eq!(refused.code, 2, "{refused:?}");
    let made = said(sandboxed(&yard).args(["init", "--in-tree"]));
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(hook(&yard, "one"), json!({}));
    assert!(crate::guard::play::reason(&hook(&yard, "two")).contains("held by one"));
    assert_eq!(said(sandboxed(&yard).args(["lease", "grant", "7", "--writes", "src/"])).code, 0);
    let status = std::process::Command::new("git")
        .args(["-c", "safe.directory=*", "status", "--porcelain", "--untracked-files=all"])
        .current_dir(yard.path())
        .uid(0)
        .output()
        .unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(!status.contains(".fencehold/"), "{status}");
}
