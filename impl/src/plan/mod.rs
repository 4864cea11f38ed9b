//! Plan files: markdown in which a fenced block ```` ```task ```` names a task and its status, and a board of statuses.
//!
//! Invariants:
//! - what a block is, CommonMark says ([`read`]); an id is compared whole; what cannot be read for certain is told with
//!   file and line and never guessed;
//! - of a file, its board and what both last agreed on, one answer follows ([`decide`]): where only one moved, the other
//!   follows it; where both moved, or nobody can tell, neither is changed;
//! - an edit changes the bytes of a status and no other ([`edit`]);
//! - what both last agreed on is remembered after both sides have it, and what is about to be done before either is
//!   touched ([`sync`]): killed anywhere and run again it loses no step, undoes none and does none twice.
//!
//! Nothing here touches a disk, a git repository or a journal: [`sync`] asks for each such step by [`Effects`].

mod block;
mod decide;
mod edit;
mod effects;
mod field;
mod judge;
mod memory;
mod read;
mod sync;

pub use block::{Task, Trouble, TroubleKind};
pub use decide::{Base, Side, Step, Verdict, Why, decide, decide_any};
pub use edit::{Edited, edit};
pub use effects::{Barred, Change, Committed, Effects, Moved, Sight};
pub use judge::{Happening, Left, Options, is_settled, look};
pub use memory::{FileMemory, Pending, PendingFile, Remembered, candidates};
pub use read::{PLAN_BYTES_MAX, Read, read};
pub use sync::sync;
