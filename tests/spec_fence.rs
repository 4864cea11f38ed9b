//! The chapter FENCE of the specification: tokens, and what a file that remembers them refuses.

mod ledger;
mod marks;
mod tokens;
