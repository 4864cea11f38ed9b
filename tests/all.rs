//! The tests of Fencehold in one binary: a line for each module says what it holds.

/// The checker: the corpus of judged histories, random histories and single corruptions of them.
mod checker;
