//! The chapter LOCK of the specification: grants and refusals through the journal, bound locks, waiting.

mod bound;
mod ends;
mod rules;
mod waits;
