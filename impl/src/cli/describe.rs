//! Events for people.

use fencehold_model::event::{Entry, Event};
use fencehold_model::lease::{Cause, Crash, Granted, LeaseEvent};
use fencehold_model::status::{How, Noted, StatusEvent};
use fencehold_model::{Revision, Status, TimeMs};

use super::front::plain;
use super::span;

/// One event as a line for people.
pub(super) fn line(entry: &Entry) -> String {
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
        Event::Lease(event) => lease(event),
        Event::Status(event) => status(event, entry.revision),
        Event::OverrideNoted(Noted { step, file, given_up }) => match given_up {
            None => format!("override {step}: its entry stands in {file}"),
            Some(why) => format!("override {step}: its entry in {file} was given up: {why}"),
        },
        Event::PolicyApplied { .. } => format!("policy applied by {}", entry.actor),
        Event::Repaired { reason, .. } => format!("repaired: {reason}"),
    };
    // What anybody wrote into a reason moves no cursor, and makes no second line.
    format!("{:>8}  {}  {}", entry.revision, utc(entry.at_ms), plain(&what))
}

fn lease(event: &LeaseEvent) -> String {
    match event {
        LeaseEvent::Granted(granted) => {
            let Granted { lease, holder, over, .. } = &**granted;
            let over = over.iter().map(|crash| format!("; {}", crashed(crash))).collect::<String>();
            format!("lease {lease}: granted to {holder}{over}")
        }
        LeaseEvent::Closed { lease, token } => format!("lease {lease}: token {token} closed"),
        LeaseEvent::Crashed(crash) => crashed(crash),
        LeaseEvent::Cleared { lease, token, reason } => match reason {
            Some(reason) => format!("lease {lease}: token {token} cleared: {reason}"),
            None => format!("lease {lease}: token {token} cleared"),
        },
    }
}

/// A crash of a lease, with its evidence.
pub(super) fn crashed(crash: &Crash) -> String {
    format!("lease {}: token {} crashed ({})", crash.lease, crash.token, cause(&crash.cause))
}

/// Why a lease counts as crashed, for people.
pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Reason(reason) => reason.clone(),
        Cause::Dead(evidence) => format!("its process is dead: {}", evidence.word()),
        Cause::TtlPassed => "its TTL has passed".to_owned(),
    }
}

fn status(event: &StatusEvent, revision: Revision) -> String {
    let (task, value) = (event.task(), event.value(revision));
    let statuses = value.statuses.keys().map(Status::as_str).collect::<Vec<_>>().join(", ");
    let what = match event {
        StatusEvent::Set { how: How::Set, .. } => format!("task {task}: {statuses}"),
        StatusEvent::Set { how: How::Resolved, .. } => format!("task {task}: resolved to {statuses}"),
        StatusEvent::Set { how: How::Merged, .. } => format!("task {task}: {statuses}, from another board"),
        StatusEvent::Reopened { reason, .. } => format!("task {task}: reopened to {statuses}: {reason}"),
    };
    match event.by_force() {
        None => what,
        Some(forced) => {
            let unmet = forced.unmet.len() as u64 + forced.more;
            format!("{what}, by force past {unmet} unmet conditions: {}", forced.reason)
        }
    }
}

/// Journal time as a date: it begins each boot at the wall time of then, and never goes back.
pub(super) fn utc(at_ms: TimeMs) -> String {
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
