//! The chapter JOURNAL of the specification, on the real disk.

mod attacks;
mod commits;
mod lines;
mod proving;
mod readers;
mod rotation;
mod synced;
mod time;
mod together;
