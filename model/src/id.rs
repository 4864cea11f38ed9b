//! The names that a user or a client gives: checked once, where they come in.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// The longest id in bytes; long enough for a path, short enough that a journal line stays within its bound.
pub const ID_BYTES_MAX: usize = 256;

/// Why a text is no id, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadId(String);

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for BadId {}

impl BadId {
    pub(crate) fn because(why: String) -> Self {
        BadId(why)
    }
}

fn check(what: &str, text: &str) -> Result<(), BadId> {
    if (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let bad = |why: &str| Err(BadId(format!("{what} {text:?} {why}")));
    if text.trim().is_empty() {
        return Err(BadId(format!("{what} is blank: give it at least one visible character")));
    }
    if text.len() > ID_BYTES_MAX {
        return Err(BadId(format!("{what} has {} bytes; the most is {ID_BYTES_MAX}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return bad("holds a control character; leave it out");
    }
    if text.trim() != text {
        return bad("begins or ends with white space; leave it out");
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as it stands, or says what is wrong with it.
            pub fn new(text: &str) -> Result<Self, BadId> {
                check($what, text)?;
                Ok(Self(text.to_owned()))
            }

            /// The id as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }
    };
}

id!(
    /// What a lock is on. Any text; `/` is allowed and means nothing.
    LockName,
    "lock name"
);
id!(
    /// A registered piece of work. Where the policy says that leases are numbered, `05` and `5` are one.
    LeaseId,
    "lease"
);
id!(
    /// What a status is of. Where the policy says that tasks are numbered, `05` and `5` are one.
    TaskId,
    "task"
);
id!(
    /// A proposal to change a file of prose. It is one among those of its file.
    ProposalId,
    "proposal"
);
id!(
    /// A word of the workspace's vocabulary.
    Status,
    "status"
);
id!(
    /// The party that a lock is granted to. It may outlive a process.
    Holder,
    "holder"
);
id!(
    /// The random id, made and kept by one holder, that makes its acquire idempotent.
    Claim,
    "claim"
);
id!(
    /// The id of one operation, by which its outcome can be looked up after an indefinite answer.
    OpId,
    "operation id"
);
id!(
    /// The random id of a workspace: a mark or token of another workspace is not ours.
    WorkspaceId,
    "workspace id"
);
id!(
    /// A kernel's boot, as `/proc/sys/kernel/random/boot_id` names it.
    BootId,
    "boot id"
);
