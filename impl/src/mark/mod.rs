//! The fence at the resource: one OS lock and one durable mark for each guarded file.
//!
//! Invariants:
//! - one file, one key: the key is the device and inode of the resolved parent directory and the file's name, so every
//!   spelling of a path meets the same lock and the same mark;
//! - a mark never goes down under one name, and a lock and a lease of one name are two: a token
//!   below it is refused, one above it raises it;
//! - the mark is durable before the file is touched, and before any answer that rests on it, refusals included;
//! - a guarded read raises the mark as a write does: from then on nothing older can land;
//! - a lock file is never renamed and never unlinked by us; who holds the OS lock of a file that no longer stands at
//!   its path holds nothing, and starts over.
//!
//! What the mark does not know: whether a token was ever granted. A token from nowhere raises it like any other; the
//! caller asks the ledger first.

mod fence;
mod lock;
mod name;
mod place;
mod slots;

pub use fence::{Access, Answer, BadFence, Fence, Mark, Pass, Refusal, Shown, decide, obey};
pub(crate) use lock::missing;
pub use lock::{Folder, Held, PATIENCE, ResourceLock};
#[cfg(feature = "cli")]
pub(crate) use name::escape;
pub(crate) use name::{sweep, temp_name};
pub use place::{Last, Place, Rooted};
