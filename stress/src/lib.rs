//! The harness of Fencehold: it checks the implementation against the model, kills it mid-write, tears its lines, and
//! does the same to anyone else's implementation.

pub mod check;
pub mod explore;
pub mod fold;
pub mod gate;
pub mod guard;
pub mod lint;
pub mod plans;
pub mod report;
pub mod rng;
pub mod sim;
pub mod soak;
pub mod target;
pub mod targets;
