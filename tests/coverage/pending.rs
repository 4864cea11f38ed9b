//! What is not shown yet.

/// Tags that are not in order yet. One that has come to be in order has to leave the list, so that it only shrinks.
// A line each, so that two who each take one away do not meet.
#[rustfmt::skip]
pub(super) const PENDING: &[&str] = &[
];
