//! One integration binary: a line for each module says what it holds.
