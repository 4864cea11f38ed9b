//! The measurements of Fencehold; see `commit.rs` and its siblings.
