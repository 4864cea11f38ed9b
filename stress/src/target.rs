//! A target as a process: started in a group of its own, spoken to by lines, ended for certain.
//!
//! Whoever drops a [`Child`] has killed its group and reaped it. A [`Handle`] signals from another thread and does
//! nothing once the process has been reaped, so that no foreign process can be hit by a number used again.

mod child;
mod pipe;
mod spec;

pub use child::{Child, Gone, Handle, LINE_BYTES_MAX};
pub use rustix::process::Signal;
pub use spec::{BadTarget, Spec};
