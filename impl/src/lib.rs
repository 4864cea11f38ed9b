//! Many processes write safely in one shared checkout: locks with fencing tokens, logs and documents on the plain
//! filesystem.
//!
//! - [`ledger`]: exclusive locks on names, leases of work, statuses of tasks, over a [`journal`] in files;
//! - [`document`]: JSON files under read-modify-write;
//! - [`log`]: NDJSON files that many programs append to;
//! - [`board`]: the statuses of a workspace as a file, to be joined in another clone;
//! - `plan` (feature `cli`): the task blocks of markdown files, and what they and the statuses owe each other;
//! - [`mark`]: the fence at the file, that documents and logs obey;
//! - [`writes`]: the write set of a piece of work, from what a user types.
//!
//! # The duties of a lock holder
//!
//! A lock that lapses cannot exclude a holder that was merely slow. What protects then is the token, and it protects
//! only if the holder does its part, in this order:
//!
//! 1. **Be somebody.** Choose a [`Holder`](fencehold_model::Holder) and, for each grant that you want, one random
//!    [`Claim`](fencehold_model::Claim). Keep the claim: with it asking again is harmless, without it you are refused by
//!    your own name.
//! 2. **Note the time, then acquire.** Your time runs from when you *sent* the request, not from when it was answered.
//! 3. **Keep the token** that the grant gives you, and show it with everything that you do under the lock: as a
//!    [`Fence`](mark::Fence) at a document or a log, as a number to whatever else you talk to, which must refuse one
//!    that is lower than the highest it has seen.
//! 4. **Read behind the fence too.** A guarded read raises the mark: from then on nothing older can land between what
//!    you read and what you write.
//! 5. **Renew in time**, at a third of the TTL, say. Or bind the lock to a process that lives as long as the work does:
//!    then it has no expiry while that process can be watched.
//! 6. **Stop on a refusal.** `expired`, `not_holder` and `stale_token` mean that the lock is nobody's or another's. Do
//!    not write past it; acquire anew, read anew, and decide anew.
//! 7. **Ask again after an indefinite answer.** [`Error::happened`] says [`Happened::Unknown`] where the operation may
//!    have taken effect. An acquire with the same claim, a renew, a release and a merge may be repeated as they are; an
//!    append or an increment may not, so look first.
//! 8. **Release.** It is idempotent; a second one is ok and says so.
//!
//! ```
//! use std::path::Path;
//!
//! use fencehold::document::Document;
//! use fencehold::fs::RealFs;
//! use fencehold::host::RealHost;
//! use fencehold::journal::{Asking, FileJournal, Modes, Options, create};
//! use fencehold::ledger::{Ledger, Verdict};
//! use fencehold::mark::{Fence, Folder, Rooted, Shown};
//! use fencehold_model::lock::{Command, Proof, TTL_MS_DEFAULT};
//! use fencehold_model::{Claim, Holder, LockName};
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir_of_the_example = tempfile::tempdir()?;
//! # let root = dir_of_the_example.path().canonicalize()?;
//! // The workspace: a folder in the tree that it guards.
//! let (host, dir) = (RealHost::new()?, root.join(".fencehold"));
//! create(&RealFs, &host, &dir, Modes::Owner)?;
//! let journal = FileJournal::new(RealFs, host.clone(), &dir, Options::default());
//! let ledger = Ledger::new(journal, host.clone());
//!
//! // 1 and 2: a holder, a claim, the grant.
//! let (name, holder) = (LockName::new("plan")?, Holder::new("ann")?);
//! let asking = |ledger: &Ledger<_, _>| Asking { actor: holder.clone(), op: ledger.new_op() };
//! let acquire = Command::Acquire {
//!     name: name.clone(),
//!     holder: holder.clone(),
//!     claim: Some(Claim::new("9f0c6a51")?),
//!     ttl_ms: TTL_MS_DEFAULT,
//!     bound: None,
//!     asked_by: None,
//! };
//! let Verdict::Granted { token, .. } = ledger.submit(&asking(&ledger), &acquire)?.verdict else {
//!     panic!("somebody else holds it");
//! };
//!
//! // 3 and 4: read and write behind the fence.
//! let fence = Shown::fence(Fence::new(name.clone(), token)?);
//! let folder = Folder { dir: dir.clone(), id: ledger.workspace()? };
//! let rooted = Rooted::new(&RealFs, &root, &dir)?;
//! let plan = Document::open(RealFs, host, folder, &rooted, Path::new("plan.json"))?;
//! let written = plan.merge(&json!({ "step": 1 }), None, &fence)?;
//! assert!(written.is_ok());
//!
//! // 8: done. And the fence stands: an older token never lands again.
//! let proof = Proof::Token(token);
//! ledger.submit(&asking(&ledger), &Command::Release { name: name.clone(), holder: holder.clone(), proof })?;
//! let older = Shown::fence(Fence::new(name, token - 1)?);
//! assert!(plan.merge(&json!({ "step": 0 }), None, &older)?.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Answers and errors
//!
//! A refusal by the rules is an answer; nothing changed. An [`Error`] is no answer, and [`Error::happened`] says the one
//! thing that counts: whether it happened. The caller of [`document`] and [`log`] asks
//! [`Ledger::fence_standing`](ledger::Ledger::fence_standing) first where a newer token may never have been shown at the
//! file; the command line does.
//!
//! What is promised stands in SPEC.md, how it is built in ARCHITECTURE.md.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!(
    "fencehold runs on Linux 5.10 or later, x86-64 and aarch64 (fencehold-model compiles everywhere)"
);

pub mod board;
#[cfg(feature = "cli")]
pub mod cli;
pub mod document;
pub mod error;
pub mod fs;
pub mod hook;
pub mod host;
pub mod journal;
pub mod ledger;
pub mod locate;
pub mod log;
pub mod mark;
pub mod outbox;
#[cfg(feature = "cli")]
pub mod plan;
pub mod prose;
mod quarantine;
pub mod writes;

pub use error::{Error, Happened, Result};
