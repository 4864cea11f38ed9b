//! Many processes write safely in one shared checkout.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!(
    "fencehold runs on Linux 5.10 or later, x86-64 and aarch64 (fencehold-model compiles everywhere)"
);

#[cfg(feature = "cli")]
pub mod cli;
pub mod document;
pub mod error;
pub mod fs;
pub mod host;
pub mod journal;
pub mod ledger;
pub mod locate;
pub mod log;
pub mod mark;
mod quarantine;

pub use error::{Error, Happened, Result};
