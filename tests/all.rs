//! One integration binary: a line for each module says what it holds.

/// The simulated disk against the real one; the world's own promises.
mod sim;
