//! The simulated disk is one that the kernel could have: the same answers, and after a power cut what its models say.

mod both;
mod calls;
mod contents;
mod errors;
mod filesystems;
mod image;
mod lost_power;
mod names;
mod outcomes;
mod real_errors;
mod settled;
mod wrong;
