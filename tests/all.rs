//! One integration binary: a line for each module says what it holds.

/// Documents: updates under lock, damage kept, the fence at the resource.
mod document;
/// Documents and the disk's failures: which of them are definite.
mod document_faults;
/// The real disk with failures and foreign writers put in, call by call.
mod hooked;
/// Logs: appends that hide nothing, tolerant readers, merges in git.
mod log;
/// The shipped code under loom on the simulated disk.
mod loom;
/// Places, keys and marks: every spelling meets one lock.
mod mark;
/// The two lock-file mutants on the simulated disk, and their control.
mod mutants_sim;
/// The simulated disk against the real one; the world's own promises.
mod sim;
/// Every operation killed at every call and cut at every byte.
mod torn;
