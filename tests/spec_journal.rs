//! The chapter JOURNAL of the specification, on the real disk.

mod attacks;
mod commits;
mod lines;
mod readers;
mod rotation;
mod time;
mod together;
