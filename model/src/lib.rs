//! The decisions of Fencehold, and nothing else.
#![no_std]

extern crate alloc;

pub mod history;
pub mod spec;
