//! The simulated world: the shipped code on a simulated disk, one system call at a time.
//!
//! - [`disk`]: files, names, open descriptions and locks as pure data; its header states the fault model;
//! - [`choice`]: the one recorded source of whatever could go one way or the other; replay is another source;
//! - [`door`]: the port `Fs` over a disk behind a door;
//! - [`world`]: processes that take turns at the disk, are killed at any call, and whose writes are cut at any byte;
//! - [`journal`]: a second journal, whose store is remote, and its clients;
//! - [`loom_fs`]: the same disk behind a lock of loom, as a second opinion on the interleavings;
//! - [`torn`]: each operation killed at every call and cut at every byte;
//! - [`seam`]: the shipped code with a call left out, or two that changed places;
//! - [`mutants`]: small lock-file protocols with known defects, which the world must find.

pub mod choice;
pub mod disk;
pub mod door;
pub mod journal;
pub mod loom_fs;
pub mod loom_machines;
pub mod loom_models;
mod machines;
pub mod mutants;
pub mod overrides;
pub mod power;
pub mod prose;
pub mod scenario;
pub mod seam;
pub mod stage;
pub mod swarm;
pub mod together;
pub mod torn;
mod workspace;
pub mod world;
