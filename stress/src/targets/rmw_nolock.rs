//! M01 rmw-nolock: reads, changes, renames into place, and takes no lock.
//!
//! The author has read that a rename is atomic. No reader ever sees half a document; of two writers that read the same
//! one, the first is lost.

use std::path::Path;

use serde_json::{Value, json};

use super::documents;
use super::wire::{Outcome, Target};

/// The target.
pub(super) struct RmwNolock;

impl Target for RmwNolock {
    fn hello(&self) -> Value {
        json!({ "target": "M01 rmw-nolock", "offers": ["doc"], "survives": ["kill"], "locks_end": [],
            "fencing": false, "tokens": "none", "revisions": false })
    }

    fn perform(&mut self, root: &Path, op: &str, request: &Value) -> Outcome {
        documents::perform(root, op, request, &mut |_, body| body())
    }
}
