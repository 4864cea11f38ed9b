//! Journal time.
//!
//! Within a boot, time = anchor + (CLOCK_MONOTONIC − reading), with the anchor and reading of the `boot` event that
//! opened it: the same for every process; suspend and wall-clock steps do not move it.

use fencehold_model::id::BootId;
use fencehold_model::{Event, State, TimeMs};

use crate::error::{Error, Result};
use crate::host::{Clock, Reading};

/// How far the last event may lie ahead of the clock that made it before that is impossible: two readings of one clock
/// differ by their order only.
const AHEAD_MS_MAX: u64 = 1_000;

/// What the clock says to a journal.
#[derive(Debug)]
pub(super) enum Now {
    /// The time, in the boot that the journal is in.
    At(TimeMs),
    /// This boot has no event yet; this one opens it.
    NewBoot(Event),
}

/// Reads the time for `state`.
pub(super) fn now(clock: &impl Clock, state: &State) -> Result<Now> {
    let reading = clock.reading();
    at(state, &clock.boot(), reading, reading)
}

/// The time for a `state` that was read after the clock was: at that reading, or at its last event if that is later.
pub(super) fn seen(clock: &impl Clock, state: &State, reading: Reading) -> Result<Now> {
    at(state, &clock.boot(), reading, clock.reading())
}

/// The time at `reading`; at the `latest` one the state was there.
fn at(state: &State, boot: &BootId, reading: Reading, latest: Reading) -> Result<Now> {
    if let Some(current) = &state.boot
        && current.boot == *boot
    {
        let at = |reading: Reading| {
            let elapsed_ms = reading.monotonic_ms.saturating_sub(current.monotonic_ms);
            current.anchor_ms.saturating_add(elapsed_ms)
        };
        if state.time_ms > at(latest) + AHEAD_MS_MAX {
            return Err(Error::usage(format!(
                "the last event lies {} ms ahead of this machine's clock, which is impossible within one boot: two \
                 kernels, or two time namespaces, share this workspace; nothing was changed",
                state.time_ms - at(latest)
            )));
        }
        return Ok(Now::At(at(reading).max(state.time_ms)));
    }
    if state.ended_boots.contains(boot) {
        return Err(Error::usage(format!(
            "boot {boot} had ended and is back: two kernels share this workspace, whose locks cannot work between \
             them; use it from one machine only; nothing was changed"
        )));
    }
    Ok(Now::NewBoot(Event::Boot {
        boot: boot.clone(),
        anchor_ms: reading.wall_ms.max(state.time_ms),
        monotonic_ms: reading.monotonic_ms,
    }))
}

/// The state as it would be after `boot_event`, and the time then: what a reader sees who comes first in a boot.
pub(super) fn in_new_boot(state: &State, boot_event: &Event) -> (State, TimeMs) {
    let Event::Boot { anchor_ms, .. } = boot_event else {
        unreachable!("a new boot begins with a boot event")
    };
    let mut state = state.clone();
    state.begin(boot_event);
    (state, *anchor_ms)
}
