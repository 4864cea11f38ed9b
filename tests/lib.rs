//! The tests of Fencehold; they stand in `all.rs`.
