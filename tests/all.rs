//! One integration binary: a line for each module says what it holds.

/// Documents: updates under lock, damage kept, the fence at the resource.
mod document;
/// Documents and the disk's failures: which of them are definite.
mod document_faults;
/// The real disk with failures and foreign writers put in, call by call.
mod hooked;
/// Logs: appends that hide nothing, tolerant readers, merges in git.
mod log;
/// Places, keys and marks: every spelling meets one lock.
mod mark;
