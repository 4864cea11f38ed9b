//! `fencehold repair`.

use serde_json::json;

use super::args::{Common, Who};
use super::gate;
use super::identity::holder;
use super::locks::Locks;
use super::out::Ended;
use super::session::Session;

/// `fencehold repair`: goes on after damage; says what it did, and which locks that may concern.
pub(super) fn repair(common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else {
        session.out.say("there is no workspace, so there is nothing to repair");
        return Ok(0);
    };
    let report = locks.journal().repair()?;
    // What a step by force owes to the log of a worktree that is gone is never written: here that is said for good.
    let settled = holder(&Who { holder: None })
        .and_then(|(holder, _)| gate::settle(&session.place, locks.ledger(), &holder, true));
    if let Err(error) = settled {
        session.out.say(&format!("what is owed to logs cannot be settled: {error}"));
    }
    let mut text = String::new();
    for sentence in &report.done {
        text.push_str(&format!("{sentence}\n"));
    }
    for kept in &report.kept {
        text.push_str(&format!("kept: {}\n", kept.display()));
    }
    if !report.concerned.is_empty() {
        text.push_str(&format!("it may concern: {}\n", report.concerned.join(", ")));
    }
    if report.done.is_empty() {
        text.push_str("nothing was wrong\n");
    }
    let kept: Vec<String> = report.kept.iter().map(|path| path.display().to_string()).collect();
    let object = json!({ "done": report.done, "kept": kept, "concerned": report.concerned });
    session.out.done(&object, &text, "the workspace is repaired")?;
    Ok(0)
}
