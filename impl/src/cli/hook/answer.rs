//! What a harness is answered (Claude Code, *Hooks reference*, *PreToolUse decision control*; Codex, *Hooks*).

use serde_json::{Value, json};

use super::{Decision, Event};

/// One object: nothing in it lets everything go on as it would have.
pub(super) fn of(event: Event, decision: &Decision) -> Value {
    match (event, decision) {
        (Event::PreToolUse, Decision::Block(why)) => json!({
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": why,
            },
        }),
        _ => json!({}),
    }
}
