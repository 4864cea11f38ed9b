//! The harness.

pub mod check;
