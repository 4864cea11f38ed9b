//! A hook's payload: which session calls which tool, and what that does to the checkout.
//!
//! Claude Code and Codex send one JSON object on stdin, with `session_id`, `cwd`, `hook_event_name` and, of a tool,
//! `tool_name` and `tool_input` (Claude Code, *Hooks reference*; Codex, *Hooks*).

use std::path::PathBuf;

use fencehold_model::Holder;
use serde_json::{Map, Value};

use super::readonly::may_write;

/// What a harness said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The session, as which it acts.
    pub session: Holder,
    /// Where the session works.
    pub cwd: PathBuf,
    /// What its tool does; none where no tool is called.
    pub deed: Option<Deed>,
}

/// What a tool call does to the checkout, as far as its input shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Nothing.
    Reads,
    /// It writes these files, as they were named.
    Writes(Vec<String>),
    /// It may write anything and move HEAD, the index and every ref, because of this.
    MayMove(String),
}

/// Where a tool's input says what it touches.
#[derive(Debug, Clone, Copy)]
enum Touches {
    Nothing,
    /// The file that this field names.
    File(&'static str),
    /// What the command line in this field does.
    Command(&'static str),
    /// The files that the patch in this field names.
    Patch(&'static str),
}

/// What is known of the harnesses' tools. One that is not listed, and that is every tool of an MCP server, may write
/// anything.
const TOOLS: &[(&str, Touches)] = &[
    ("Agent", Touches::Nothing),
    ("AskUserQuestion", Touches::Nothing),
    ("Bash", Touches::Command("command")),
    ("BashOutput", Touches::Nothing),
    ("Edit", Touches::File("file_path")),
    ("EnterPlanMode", Touches::Nothing),
    ("ExitPlanMode", Touches::Nothing),
    ("Glob", Touches::Nothing),
    ("Grep", Touches::Nothing),
    ("KillBash", Touches::Nothing),
    ("KillShell", Touches::Nothing),
    ("LS", Touches::Nothing),
    ("ListMcpResourcesTool", Touches::Nothing),
    ("MultiEdit", Touches::File("file_path")),
    ("NotebookEdit", Touches::File("notebook_path")),
    ("NotebookRead", Touches::Nothing),
    ("Read", Touches::Nothing),
    ("ReadMcpResourceTool", Touches::Nothing),
    ("Skill", Touches::Nothing),
    ("SlashCommand", Touches::Nothing),
    // What a subagent does comes as calls of its own.
    ("Task", Touches::Nothing),
    ("TaskOutput", Touches::Nothing),
    ("TaskStop", Touches::Nothing),
    ("TodoRead", Touches::Nothing),
    ("TodoWrite", Touches::Nothing),
    ("ToolSearch", Touches::Nothing),
    ("WebFetch", Touches::Nothing),
    ("WebSearch", Touches::Nothing),
    ("Write", Touches::File("file_path")),
    ("apply_patch", Touches::Patch("command")),
    ("update_plan", Touches::Nothing),
    ("view_image", Touches::Nothing),
];

/// Reads a payload; `tool` where a tool call is expected. The error is a sentence for the one who reads the harness's
/// answer.
///
/// # Errors
/// Where it is no JSON object, or a field is missing, blank or of another type.
pub fn read(payload: &[u8], tool: bool) -> Result<Call, String> {
    if payload.trim_ascii().is_empty() {
        return Err("the payload on stdin is empty".to_owned());
    }
    let payload: Value = serde_json::from_slice(payload)
        .map_err(|error| format!("the payload on stdin is no JSON: {error}"))?;
    let Some(payload) = payload.as_object() else {
        return Err("the payload on stdin is no JSON object".to_owned());
    };
    let session = text(payload, "session_id")?;
    let session =
        Holder::new(session).map_err(|bad| format!("`session_id` of the payload names nobody: {bad}"))?;
    let cwd = PathBuf::from(text(payload, "cwd")?);
    if !cwd.is_absolute() {
        return Err(format!("`cwd` of the payload is not absolute: {}", cwd.display()));
    }
    let deed = if tool { Some(deed(payload)?) } else { None };
    Ok(Call { session, cwd, deed })
}

fn deed(payload: &Map<String, Value>) -> Result<Deed, String> {
    let tool = text(payload, "tool_name")?;
    let Some((_, touches)) = TOOLS.iter().find(|(known, _)| *known == tool) else {
        return Ok(Deed::MayMove(format!("the tool {tool} is not known to read only")));
    };
    let field = |field| {
        let input = payload.get("tool_input").and_then(Value::as_object);
        text(input.ok_or("`tool_input` of the payload is no object")?, field)
    };
    Ok(match touches {
        Touches::Nothing => Deed::Reads,
        Touches::File(name) => Deed::Writes(vec![field(name)?.to_owned()]),
        Touches::Command(name) => may_write(field(name)?).map_or(Deed::Reads, Deed::MayMove),
        Touches::Patch(name) => {
            let files = patched(field(name)?);
            if files.is_empty() {
                Deed::MayMove("a patch that names no file".to_owned())
            } else {
                Deed::Writes(files)
            }
        }
    })
}

/// The files that a patch of Codex adds, updates, deletes or moves. Codex takes a head with blanks before it for one too,
/// so what only looks like one, in a line of context, counts.
fn patched(patch: &str) -> Vec<String> {
    const HEADS: [&str; 4] = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];
    let named = |line: &str| {
        HEADS
            .iter()
            .find_map(|head| line.trim_start().strip_prefix(head).map(|path| path.trim_end().to_owned()))
    };
    patch.lines().filter_map(named).filter(|path| !path.is_empty()).collect()
}

fn text<'a>(object: &'a Map<String, Value>, field: &str) -> Result<&'a str, String> {
    match object.get(field) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(Value::String(_)) => Err(format!("`{field}` of the payload is blank")),
        Some(_) => Err(format!("`{field}` of the payload is no string")),
        None => Err(format!("`{field}` is missing from the payload")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Deed, read};

    fn of(tool: &str, input: &serde_json::Value) -> Result<Deed, String> {
        let payload = json!({ "session_id": "s", "cwd": "/c", "tool_name": tool, "tool_input": input });
        read(payload.to_string().as_bytes(), true).map(|call| call.deed.unwrap())
    }

    #[test]
    fn a_tool_call_says_what_it_touches() {
        let writes = |files: &[&str]| Ok(Deed::Writes(files.iter().map(|file| (*file).to_owned()).collect()));
        assert_eq!(of("Read", &json!({ "file_path": "/c/a" })), Ok(Deed::Reads));
        assert_eq!(of("Edit", &json!({ "file_path": "/c/a" })), writes(&["/c/a"]));
        assert_eq!(of("NotebookEdit", &json!({ "notebook_path": "n" })), writes(&["n"]));
        assert_eq!(of("Bash", &json!({ "command": "git status" })), Ok(Deed::Reads));
        assert!(matches!(of("Bash", &json!({ "command": "git push" })), Ok(Deed::MayMove(_))));
        assert!(matches!(of("mcp__files__write", &json!({})), Ok(Deed::MayMove(_))));
        let patch = "*** Begin Patch\n*** Update File: a.rs\n@@\n-x\n+y\n*** Move to: b.rs\n*** End Patch\n";
        assert_eq!(of("apply_patch", &json!({ "command": patch })), writes(&["a.rs", "b.rs"]));
        assert!(matches!(of("apply_patch", &json!({ "command": "?" })), Ok(Deed::MayMove(_))));
    }

    #[test]
    fn a_head_of_a_patch_that_is_indented_names_its_file_too() {
        let mut seen = 0;
        for head in ["Add File", "Update File", "Delete File", "Move to"] {
            for blanks in [" ", "\t", "  \t "] {
                let patch =
                    format!("*** Begin Patch\n*** Add File: a\n+x\n{blanks}*** {head}: b \n*** End Patch\n");
                let wanted = Deed::Writes(vec!["a".to_owned(), "b".to_owned()]);
                assert_eq!(
                    of("apply_patch", &json!({ "command": patch })),
                    Ok(wanted),
                    "{head:?} {blanks:?}"
                );
                seen += 1;
            }
        }
        assert_eq!(seen, 12);
        let added = "*** Begin Patch\n*** Add File: a\n+*** Add File: b\n*** End Patch\n";
        let wanted = Deed::Writes(vec!["a".to_owned()]);
        assert_eq!(of("apply_patch", &json!({ "command": added })), Ok(wanted), "what is added is no head");
    }

    #[test]
    fn a_payload_that_says_too_little_is_told_so() {
        let whole = json!({ "session_id": "s", "cwd": "/c", "tool_name": "Edit", "tool_input": { "file_path": "a" } });
        let mut seen = 0;
        for (at, value) in [
            ("/session_id", json!("")),
            ("/session_id", json!(" \t")),
            ("/session_id", json!(7)),
            ("/session_id", json!("a\nb")),
            ("/cwd", json!("c")),
            ("/cwd", json!(null)),
            ("/tool_name", json!("")),
            ("/tool_input", json!([])),
            ("/tool_input/file_path", json!("")),
            ("/tool_input/file_path", json!(1)),
        ] {
            let mut payload = whole.clone();
            *payload.pointer_mut(at).unwrap() = value.clone();
            assert!(read(payload.to_string().as_bytes(), true).is_err(), "{at}: {value}");
            seen += 1;
        }
        assert_eq!(seen, 10);
        for text in ["", " \n", "{", "[]", "\u{0}", "null"] {
            assert!(read(text.as_bytes(), true).is_err(), "{text:?}");
        }
        assert!(read(b"\xff", false).is_err());
        assert!(read(whole.to_string().as_bytes(), true).is_ok());
    }
}
