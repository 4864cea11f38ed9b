//! The mutants that nobody catches: those that harm nobody, each with the argument, and those that are still open.

/// Harmless: because.
pub(super) const HARMLESS: &[(&str, &str)] = &[];

/// Open: what is missing to catch it.
pub(super) const OPEN: &[(&str, &str)] = &[];
