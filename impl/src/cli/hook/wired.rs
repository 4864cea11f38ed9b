//! A harness's settings: which of its events ask us, as its JSON says it.
//!
//! Claude Code and Codex share the form: `hooks`, by event a list of `{"matcher", "hooks": [{"type", "command"}]}`
//! (Claude Code, *Hooks reference*, *Configuration*; Codex, *Hooks*).

use serde_json::{Map, Value, json};

/// The events of a harness by its own names, and by ours.
const WIRED: [(&str, &str); 4] = [
    ("PreToolUse", "pre-tool-use"),
    ("PostToolUse", "post-tool-use"),
    ("Stop", "stop"),
    ("SessionEnd", "session-end"),
];

/// The same by ours alone.
pub(super) const WORDS: [&str; 4] = ["pre-tool-use", "post-tool-use", "stop", "session-end"];

/// How long a harness waits before it goes on without an answer, in seconds: several times what one may take.
const TIMEOUT_S: u64 = 10;

/// The commands that ask us, each with our name of its event.
pub(super) fn commands(settings: &Value) -> impl Iterator<Item = (&'static str, &str)> {
    WIRED.into_iter().flat_map(|(event, word)| {
        let groups = settings["hooks"][event].as_array().into_iter().flatten();
        let hooks = groups.flat_map(|group| group["hooks"].as_array().into_iter().flatten());
        let commands = hooks.filter_map(|hook| hook["command"].as_str());
        commands.filter(move |command| is_ours(command, word)).map(move |command| (word, command))
    })
}

/// Whether a command is `PROGRAM hook EVENT`, wherever the program stands.
fn is_ours(command: &str, event: &str) -> bool {
    let program = command.strip_suffix(event).and_then(|rest| rest.strip_suffix(" hook "));
    program.is_some_and(|program| {
        program.trim_end_matches('\'').rsplit('/').next().is_some_and(|name| name.starts_with("fencehold"))
    })
}

/// What is to be merged into the settings so that every event asks `program`, once. The error says what is no such
/// settings.
pub(super) fn with_ours(settings: &Value, program: &str) -> Result<Value, String> {
    let mut events = Map::new();
    for (event, word) in WIRED {
        let mut groups = others(settings, event, word)?;
        let hook =
            json!({ "type": "command", "command": format!("{program} hook {word}"), "timeout": TIMEOUT_S });
        groups.push(match word {
            "pre-tool-use" | "post-tool-use" => json!({ "matcher": "*", "hooks": [hook] }),
            _ => json!({ "hooks": [hook] }),
        });
        events.insert(event.to_owned(), groups.into());
    }
    Ok(json!({ "hooks": events }))
}

/// What is to be merged into the settings so that no event asks us: what nobody else wanted is removed.
pub(super) fn without_ours(settings: &Value) -> Result<Value, String> {
    let mut events = Map::new();
    for (event, word) in WIRED {
        if !commands(settings).any(|(asked, _)| asked == word) {
            continue;
        }
        let groups = others(settings, event, word)?;
        events.insert(event.to_owned(), if groups.is_empty() { Value::Null } else { groups.into() });
    }
    let hooks = settings["hooks"].as_object();
    let nothing_stays =
        hooks.is_some_and(|hooks| hooks.keys().all(|event| events.get(event) == Some(&Value::Null)));
    Ok(json!({ "hooks": if nothing_stays { Value::Null } else { events.into() } }))
}

/// The groups of an event without our hooks.
fn others(settings: &Value, event: &str, word: &str) -> Result<Vec<Value>, String> {
    match &settings["hooks"] {
        Value::Null | Value::Object(_) => {}
        _ => return Err("its `hooks` is no object".to_owned()),
    }
    let groups = match &settings["hooks"][event] {
        Value::Null => return Ok(Vec::new()),
        Value::Array(groups) => groups,
        _ => return Err(format!("its `hooks.{event}` is no list")),
    };
    let kept = groups.iter().filter_map(|group| {
        let Some(hooks) = group["hooks"].as_array() else { return Some(group.clone()) };
        let is_ours = |hook: &&Value| hook["command"].as_str().is_some_and(|command| is_ours(command, word));
        let theirs: Vec<Value> = hooks.iter().filter(|hook| !is_ours(hook)).cloned().collect();
        if theirs.len() == hooks.len() {
            return Some(group.clone());
        }
        let mut group = group.clone();
        group["hooks"] = theirs.into();
        (!group["hooks"].as_array().is_some_and(Vec::is_empty)).then_some(group)
    });
    Ok(kept.collect())
}

/// A path as a word of sh(1).
pub(in super::super) fn quoted(path: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'+' | b'@');
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{WIRED, commands, quoted, with_ours, without_ours};

    /// RFC 7396.
    fn merge(target: &mut Value, patch: &Value) {
        let Some(patch) = patch.as_object() else { return *target = patch.clone() };
        if !target.is_object() {
            *target = json!({});
        }
        let object = target.as_object_mut().unwrap();
        for (key, value) in patch {
            if value.is_null() {
                object.remove(key);
            } else {
                merge(object.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }

    #[test]
    fn wired_once_beside_others_and_gone_without_a_trace() {
        let theirs = json!({ "matcher": "Bash", "hooks": [{ "type": "command", "command": "/usr/bin/other hook stop" }] });
        let all = [
            json!({}),
            json!({ "model": "x", "hooks": {} }),
            json!({ "hooks": { "PreToolUse": [theirs], "Notification": [theirs] } }),
            json!({ "hooks": { "Stop": [{ "hooks": [{ "type": "command", "command": "beep" }] }] } }),
        ];
        for before in &all {
            let mut settings = before.clone();
            for _ in 0..2 {
                let patch = with_ours(&settings, "/opt/fencehold").unwrap();
                merge(&mut settings, &patch);
                let wired: Vec<&str> = commands(&settings).map(|(word, _)| word).collect();
                assert_eq!(wired, WIRED.map(|(_, word)| word), "{settings}");
            }
            let patch = without_ours(&settings).unwrap();
            merge(&mut settings, &patch);
            let empty = |value: &Value| value["hooks"].as_object().is_none_or(serde_json::Map::is_empty);
            assert!(settings == *before || (empty(&settings) && empty(before)), "{before} became {settings}");
        }
        assert_eq!(all.len(), 4);
        for bad in [json!({ "hooks": [] }), json!({ "hooks": { "Stop": {} } })] {
            assert!(with_ours(&bad, "/opt/fencehold").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_program_is_one_word_of_a_shell() {
        assert_eq!(quoted("/opt/fencehold"), "/opt/fencehold");
        assert_eq!(quoted("/a b/it's/fencehold"), r"'/a b/it'\''s/fencehold'");
        let settings =
            json!({ "hooks": { "Stop": [{ "hooks": [{ "command": "'/a b/fencehold' hook stop" }] }] } });
        assert_eq!(commands(&settings).count(), 1);
    }
}
