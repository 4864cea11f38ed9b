//! `fencehold history` and `fencehold repair`.

use fencehold_model::event::{Entry, Event};
use fencehold_model::{LockName, TimeMs};
use serde_json::{Value, json};

use super::args::Common;
use super::locks::Locks;
use super::out::{DAMAGED, Ended};
use super::session::Session;
use super::span;

/// `fencehold history [NAME]`: every event that is still kept, the oldest first.
pub(super) fn history(name: Option<&LockName>, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else { return Ok(0) };
    let mut text = String::new();
    let notes = locks.journal().history(|entry| {
        if name.is_none() || name == entry.event.lock() {
            text.push_str(&if session.out.json { object(entry) } else { line(entry) });
            text.push('\n');
        }
    })?;
    session.out.data(&text)?;
    for note in &notes {
        session.out.say(note);
    }
    // What could be read is shown; where the journal is damaged, this says so and ends with its code.
    locks.check()?;
    locks.tell_notes(session.out);
    Ok(if notes.is_empty() { 0 } else { DAMAGED })
}

/// As the journal has it, without its checksums.
fn object(entry: &Entry) -> String {
    let mut event = String::new();
    entry.event.write(&mut event);
    let event: Value = serde_json::from_str(&event).expect("what the model writes as JSON is JSON");
    json!({
        "revision": entry.revision,
        "at_ms": entry.at_ms,
        "actor": entry.actor.as_str(),
        "op": entry.op.as_str(),
        "event": event,
    })
    .to_string()
}

fn line(entry: &Entry) -> String {
    let what = match &entry.event {
        Event::Boot { boot, .. } => format!("a boot began: {boot}"),
        Event::LockGranted { name, holder, ttl_ms, bound, over, .. } => {
            let until = match bound {
                Some(process) => format!("until process {} on {} ends", process.pid, process.host),
                None => format!("for {}", span::show(*ttl_ms)),
            };
            let over =
                over.map_or_else(String::new, |proof| format!(", over a dead process ({})", proof.word()));
            format!("{name}: granted to {holder} {until}{over}")
        }
        Event::LockRenewed { name, token, ttl_ms, .. } => {
            format!("{name}: token {token} renewed for {}", span::show(*ttl_ms))
        }
        Event::LockReleased { name, token, .. } => format!("{name}: token {token} released"),
        Event::LockBroken { name, token, reason, .. } => {
            format!("{name}: token {token} broken by {}: {reason}", entry.actor)
        }
        Event::Repaired { reason, .. } => format!("repaired: {reason}"),
    };
    format!("{:>8}  {}  {what}", entry.revision, utc(entry.at_ms))
}

/// Journal time as a date: it begins each boot at the wall time of then, and never goes back.
fn utc(at_ms: TimeMs) -> String {
    let (days, seconds) = (at_ms / 86_400_000, at_ms / 1000 % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The Gregorian date of a day since 1970-01-01 (Hinnant, *chrono-compatible low-level date algorithms*).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// `fencehold repair`: goes on after damage; says what it did, and which locks that may concern.
pub(super) fn repair(common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let Some(locks) = Locks::open(&session)? else {
        session.out.say("there is no workspace, so there is nothing to repair");
        return Ok(0);
    };
    let report = locks.journal().repair()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (at_ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(at_ms), text);
        }
    }
}
