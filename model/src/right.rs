//! What can be granted, and shown at a resource.

use alloc::format;
use core::fmt;

use crate::id::BadId;
use crate::{LeaseId, LockName};

/// A lock or a lease, written `lock/NAME` or `lease/ID`. A lock and a lease of one name have nothing in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// A lock.
    Lock(LockName),
    /// A lease; at a resource, by its canonical id.
    Lease(LeaseId),
}

impl Right {
    /// What it is: `lock` or `lease`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Right::Lock(_) => "lock",
            Right::Lease(_) => "lease",
        }
    }

    /// The lock's name or the lease's id.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Right::Lock(name) => name.as_str(),
            Right::Lease(id) => id.as_str(),
        }
    }
}

impl From<LockName> for Right {
    fn from(name: LockName) -> Self {
        Right::Lock(name)
    }
}

impl From<LeaseId> for Right {
    fn from(id: LeaseId) -> Self {
        Right::Lease(id)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}

impl core::str::FromStr for Right {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text.split_once('/') {
            Some(("lock", name)) => LockName::new(name).map(Right::Lock),
            Some(("lease", id)) => LeaseId::new(id).map(Right::Lease),
            _ => Err(BadId::because(format!("{text:?} does not begin with lock/ or lease/"))),
        }
    }
}
