//! The harness of Fencehold: the simulated world and what runs in it.

pub mod sim;
