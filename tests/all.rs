//! One integration binary: a line for each module says what it holds.

/// The shipped code under loom on the simulated disk.
mod loom;
/// The two lock-file mutants on the simulated disk, and their control.
mod mutants_sim;
/// The simulated disk against the real one; the world's own promises.
mod sim;
