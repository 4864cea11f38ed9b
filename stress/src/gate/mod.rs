//! The gate: its stages, its command line, its run folder.

pub mod stage;
