//! The chapter RECOVER of the specification, on the real disk: what is left behind, and who goes on how.

mod breaks;
mod copies;
mod kills;
mod repair;
