//! The session guard: what a tool call of an agent does to the checkout, and whether it may.

mod call;
mod git;
mod readonly;
mod words;

pub use call::{Call, Deed, read};
pub use readonly::may_write;
