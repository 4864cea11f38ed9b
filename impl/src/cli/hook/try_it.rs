//! `fencehold hook status`: what the settings say, and whether what they name answers.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::out::{Ended, REFUSED};
use super::super::session::Session;
use super::wired::{WORDS, commands};

/// How long a hook is waited for: it answers within one second, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says of each event whether it asks us, and what it answers; 1 where one does not.
pub(super) fn status(session: &Session, file: &Path, settings: &Value) -> Ended {
    let (mut text, mut events, mut all) = (format!("settings: {}\n", file.display()), json!({}), true);
    for word in WORDS {
        let asking: Vec<&str> =
            commands(settings).filter(|(asked, _)| *asked == word).map(|(_, command)| command).collect();
        let standing = match asking[..] {
            [] => Err("not installed".to_owned()),
            [command] => try_one(command, word, &session.place.root).map(|()| command.to_owned()),
            _ => Err(format!("installed {} times", asking.len())),
        };
        all &= standing.is_ok();
        let (Ok(said) | Err(said)) = &standing;
        text.push_str(&format!("{word}: {said}\n"));
        events[word] = json!({ "ok": standing.is_ok(), "what": said });
    }
    session.out.answer(&json!({ "settings": file.to_string_lossy(), "events": events, "ok": all }), &text)?;
    Ok(if all { 0 } else { REFUSED })
}

/// Runs it as a harness would, on a call that only reads.
fn try_one(command: &str, word: &str, root: &Path) -> Result<(), String> {
    let payload = json!({ "session_id": "fencehold-hook-status", "cwd": root, "hook_event_name": word,
        "tool_name": "Read", "tool_input": { "file_path": root } });
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("sh: {error}"))?;
    // One that does not read it says so by its answer.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(payload.to_string().as_bytes()));
    let mut stdout = child.stdout.take().expect("it was asked for");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        // What is no text is no answer.
        let _ = stdout.read_to_string(&mut answer);
        let _ = tell.send(answer);
    });
    let Ok(answer) = told.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{command}: no answer within {} s", PATIENCE.as_secs()));
    };
    let status = child.wait().map_err(|error| format!("{command}: {error}"))?;
    if status.success() && answer == "{}\n" {
        Ok(())
    } else {
        Err(format!("{command}: {}, answered {:?}", status, answer.chars().take(200).collect::<String>()))
    }
}
