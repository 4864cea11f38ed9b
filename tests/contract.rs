//! The contract of `Journal`, and the fault suite of the simulated one.

mod faults;
