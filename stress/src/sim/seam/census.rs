//! Which places there are: found by running everything that the shipped code does to a workspace, whole and failing.

use super::deeds::DEEDS;
use super::{Record, recording};
use crate::sim::choice::Source;
use crate::sim::scenario::Scenario as _;
use crate::sim::torn;

/// The places of the shipped code and their order, as every torn operation and every judge calls them: whole, killed at
/// each call, and with each call failing.
#[must_use]
pub fn census() -> Record {
    let run = || {
        for torn in torn::all() {
            let calls = u32::try_from(torn.calls().len()).expect("an operation makes few calls");
            for call in 0..=calls {
                // Killed after a byte of a write; failed; a short write.
                for fault in 0..3 {
                    torn.run(Source::lenient(vec![call, fault, 1]));
                }
            }
        }
        for deed in DEEDS {
            deed.run();
        }
    };
    recording(run).1.shipped()
}
