//! The programs that this one takes the place of: what each of them does, done by ours, and each of their defects as a
//! scenario that ours passes, and that the published algorithm, or a program with that defect alone, does not.

/// A log of bugs in JSON, which became a line for each.
mod bug_log;
/// A helper that keeps plan files and a database of statuses in step: what it does to both; its git is asked elsewhere.
mod plans;
/// A registry of worktrees and what each is working on.
mod registry;
/// A lock of one session on the whole checkout, asked for by the hooks of an agent's harness.
mod session_lock;
/// Proposals of sessions for shared prose, and the merges that put them there.
mod shared_prose;
/// Totals in a JSON file that the hooks of several sessions add to, under a lock file.
mod shared_totals;
/// The status of an agent's run in a JSON file, which five kinds of processes write.
mod status_files;
