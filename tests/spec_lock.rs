//! The chapter LOCK of the specification: grants and refusals through the journal, bound locks, waiting.

mod bound;
mod rules;
mod waits;
