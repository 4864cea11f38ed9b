use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use fencehold::mark::{Refusal, Shown};
use serde_json::{Value, json};

use super::play::{Session, reason};
use crate::program::{Said, Yard, said};
use crate::site::Site;
use crate::strangers::anybody;

const CLAUDE: &str = ".claude/settings.local.json";

/// Everything but the workspace folder.
fn tree(yard: &Yard) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let workspace = yard.join(".git/fencehold");
    let mut all = yard.snapshot();
    all.retain(|(path, ..)| !path.starts_with(&workspace));
    all
}

fn settings(yard: &Yard, file: &str) -> Value {
    serde_json::from_slice(&fs::read(yard.join(file)).unwrap()).unwrap()
}

#[track_caller]
fn ok(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// Behaviour D1.5: all events are wired in one update, or none is.
///
/// GUARD-14: `hook install` makes every event of the harness's settings ask, in one update or none, by the absolute path
/// of the program, and leaves what others wrote there.
///
/// GUARD-17: `hook status` runs what the settings name, and exits 1 where an event does not ask, asks twice, or what is
/// asked does not answer.
#[test]
fn every_event_asks_once_it_is_installed_and_status_tries_it() {
    let yard = Yard::with_git();
    for (harness, file) in [("claude", CLAUDE), ("codex", ".codex/hooks.json")] {
        assert_eq!(yard.run(["hook", "status", "--harness", harness]).code, 1);
        for _ in 0..2 {
            ok(&yard.run(["hook", "install", "--harness", harness]));
            let settings = settings(&yard, file);
            let mut asking = 0;
            for (event, word) in [
                ("PreToolUse", "pre-tool-use"),
                ("PostToolUse", "post-tool-use"),
                ("Stop", "stop"),
                ("SessionEnd", "session-end"),
            ] {
                let command = &settings["hooks"][event][0]["hooks"][0]["command"];
                let command = command.as_str().unwrap_or_else(|| panic!("{event}: {settings}"));
                assert!(command.starts_with('/') && command.ends_with(&format!(" hook {word}")), "{command}");
                assert_eq!(settings["hooks"][event].as_array().unwrap().len(), 1);
                asking += 1;
            }
            assert_eq!(asking, 4);
        }
        let status = yard.json(0, ["hook", "status", "--harness", harness]);
        assert_eq!(
            (&status["ok"], &status["events"]["stop"]["ok"]),
            (&json!(true), &json!(true)),
            "{status}"
        );
    }
    // A binary that is not there any more, or that answers nothing, is told.
    let whole = fs::read_to_string(yard.join(CLAUDE)).unwrap();
    let gone = whole.replace("fencehold-under-test hook stop", "fencehold-that-is-gone hook stop");
    fs::write(yard.join(CLAUDE), &gone).unwrap();
    let status = yard.json(1, ["hook", "status"]);
    assert_eq!(
        (&status["events"]["stop"]["ok"], &status["events"]["pre-tool-use"]["ok"]),
        (&json!(false), &json!(true))
    );
    let mut twice: Value = serde_json::from_str(&whole).unwrap();
    let stop = twice["hooks"]["Stop"][0].clone();
    twice["hooks"]["Stop"].as_array_mut().unwrap().push(stop);
    fs::write(yard.join(CLAUDE), twice.to_string()).unwrap();
    assert!(yard.run(["hook", "status"]).stdout.contains("stop: installed 2 times"));
}

/// GUARD-15: `hook uninstall` leaves the settings byte for byte as they were before the install, a missing file missing;
/// where they were edited in between, it takes out what was installed and nothing else.
#[test]
fn an_uninstall_leaves_the_settings_as_they_were() {
    let theirs = "{\n    \"model\": \"x\",\n\t\"hooks\": { \"Stop\": [ {\"hooks\":[{\"type\":\"command\",\"command\":\"beep\"}]} ] }  }";
    let mut seen = 0;
    for before in [None, Some("{}"), Some("{ \"hooks\" : {} }\n"), Some(theirs)] {
        let yard = Yard::with_git();
        if let Some(before) = before {
            fs::create_dir(yard.join(".claude")).unwrap();
            fs::write(yard.join(CLAUDE), before).unwrap();
        }
        let stood = tree(&yard);
        ok(&yard.run(["hook", "install"]));
        assert_ne!(tree(&yard), stood);
        // A day of sessions.
        for id in ["one", "two"] {
            let session = Session::new(&yard, id);
            assert_eq!(session.bash("make"), json!({}));
            assert_eq!(session.call("session-end", "", &json!(null)), json!({}));
        }
        ok(&yard.run(["hook", "install"]));
        ok(&yard.run(["hook", "uninstall"]));
        assert!(tree(&yard) == stood, "{before:?}: {:?}", fs::read_to_string(yard.join(CLAUDE)));
        ok(&yard.run(["hook", "uninstall"]));
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn what_was_edited_meanwhile_stays() {
    let yard = Yard::with_git();
    fs::create_dir(yard.join(".claude")).unwrap();
    fs::write(yard.join(CLAUDE), "{\"model\":\"x\"}\n").unwrap();
    ok(&yard.run(["hook", "install"]));
    let mut edited = settings(&yard, CLAUDE);
    edited["model"] = json!("y");
    edited["hooks"]["Notification"] = json!([{ "hooks": [{ "type": "command", "command": "beep" }] }]);
    fs::write(yard.join(CLAUDE), edited.to_string()).unwrap();
    ok(&yard.run(["hook", "uninstall"]));
    let beep = json!([{ "hooks": [{ "type": "command", "command": "beep" }] }]);
    assert_eq!(settings(&yard, CLAUDE), json!({ "model": "y", "hooks": { "Notification": beep } }));
}

/// GUARD-16: Settings that are damaged, of another shape or not writable are refused by `hook install` and `hook
/// uninstall` with exit 2 or 4, and stay as they are.
#[test]
fn settings_that_cannot_be_edited_stay_as_they_are() {
    let yard = Yard::with_git();
    fs::create_dir(yard.join(".claude")).unwrap();
    let mut seen = 0;
    for (bad, code) in
        [("{\"hooks\":", 4), ("", 4), ("[]", 2), ("{\"hooks\":[]}", 2), ("{\"hooks\":{\"Stop\":7}}", 2)]
    {
        fs::write(yard.join(CLAUDE), bad).unwrap();
        let said = yard.run(["hook", "install"]);
        assert_eq!(said.code, code, "{bad}: {said:?}");
        assert!(said.stderr.contains("settings.local.json"), "{said:?}");
        assert_eq!(fs::read_to_string(yard.join(CLAUDE)).unwrap(), bad);
        seen += 1;
    }
    assert_eq!(seen, 5);
    fs::write(yard.join(CLAUDE), "{}\n").unwrap();
    // Whoever is root writes where he may not.
    let Some(anybody) = anybody(&yard) else { return };
    fs::set_permissions(yard.join(".claude"), fs::Permissions::from_mode(0o500)).unwrap();
    for word in ["install", "uninstall"] {
        let refused = said(anybody(&yard).args(["hook", word]));
        let stands = fs::read_to_string(yard.join(CLAUDE)).unwrap();
        match word {
            "install" => assert!(refused.code == 2 && refused.stderr.contains(".claude"), "{refused:?}"),
            // There is nothing to take out.
            _ => assert!(refused.code == 0 || refused.code == 2, "{refused:?}"),
        }
        assert_eq!(stands, "{}\n");
    }
    fs::set_permissions(yard.join(".claude"), fs::Permissions::from_mode(0o700)).unwrap();
    ok(&said(anybody(&yard).args(["hook", "install"])));
    let installed = fs::read(yard.join(CLAUDE)).unwrap();
    fs::set_permissions(yard.join(".claude"), fs::Permissions::from_mode(0o500)).unwrap();
    let refused = said(anybody(&yard).args(["hook", "uninstall"]));
    assert!(refused.code == 2 && refused.stderr.contains(".claude"), "{refused:?}");
    assert!(fs::read(yard.join(CLAUDE)).unwrap() == installed, "all of it, or nothing");
    fs::set_permissions(yard.join(".claude"), fs::Permissions::from_mode(0o700)).unwrap();
    ok(&said(anybody(&yard).args(["hook", "uninstall"])));
    assert_eq!(fs::read_to_string(yard.join(CLAUDE)).unwrap(), "{}\n");
}

/// Others change the settings at the same time: whoever takes part in the lock is kept apart, and what somebody else
/// wrote between the read and the write stays, and the install says that it did nothing.
#[test]
fn settings_that_are_edited_meanwhile_lose_nothing() {
    let yard = Yard::with_git();
    fs::create_dir(yard.join(".claude")).unwrap();
    fs::write(yard.join(CLAUDE), "{}\n").unwrap();
    ok(&yard.run(["init"]));
    let mut writers: Vec<_> = (0..6)
        .map(|number| {
            let mut update = yard.fencehold();
            update.args(["doc", "update", CLAUDE, "--merge", &format!("{{\"k{number}\":{number}}}")]);
            update.spawn().unwrap()
        })
        .collect();
    writers.push(yard.fencehold().args(["hook", "install"]).spawn().unwrap());
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let whole = settings(&yard, CLAUDE);
    assert_eq!(whole.as_object().unwrap().len(), 7, "{whole}");
    assert_eq!(yard.run(["hook", "status"]).code, 0);
    ok(&yard.run(["hook", "uninstall"]));
    assert_eq!(settings(&yard, CLAUDE).as_object().unwrap().len(), 6, "{whole}");

    // One that takes no part writes between the read and the write of the same update as an install makes.
    let site = Site::new();
    site.write("settings.json", "{}\n");
    let path = site.path("settings.json");
    let document = site.document("settings.json");
    let answer = document.update_bytes(None, &Shown::nothing(), |_| {
        fs::write(&path, "{\"granted\":true}\n").unwrap();
        Ok(b"{\"hooks\":{}}\n".to_vec())
    });
    assert!(matches!(answer, Ok(Err(Refusal::Version { meanwhile: true, .. }))), "{answer:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"granted\":true}\n");
}

/// What is installed is what blocks: the settings' own command, run as the harness runs it.
///
/// Defect GUARD-14: a guard that is installed and does nothing.
#[test]
fn the_installed_command_is_no_dead_guard() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let yard = Yard::with_git();
    ok(&yard.run(["hook", "install"]));
    ok(&yard.run(["lease", "grant", "l", "--writes", "a", "--holder", "other"]));
    let settings = settings(&yard, CLAUDE);
    let command = settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"].as_str().unwrap().to_owned();
    let mut sh = Command::new("sh");
    crate::program::clean(&mut sh)
        .args(["-c", &command])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = sh.spawn().unwrap();
    let payload = json!({ "session_id": "s", "cwd": yard.path(), "tool_name": "Write", "tool_input": { "file_path": "a" } });
    child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let decision: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(reason(&decision).contains("lease l"), "{decision}");
}
