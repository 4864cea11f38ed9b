//! The chapter FENCE of the specification: tokens, and what a file that remembers them refuses.

mod leases;
mod ledger;
mod marks;
mod policy;
mod tokens;
