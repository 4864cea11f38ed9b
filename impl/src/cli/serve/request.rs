//! One request, its fields checked.

use std::path::PathBuf;
use std::time::Duration;

use fencehold_model::json::{Fields, Tree};
use fencehold_model::lock::Proof;
use fencehold_model::{Claim, Holder, LeaseId, LockName, Right, TaskId};

use super::Failure;
use crate::mark::{Fence, Shown};

/// The longest wait that can be asked for, in milliseconds: an hour.
const WAIT_MS_MAX: u64 = 60 * 60 * 1000;

/// A request: its operation's name and its fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) op: &'a str,
    pub(super) fields: Fields<'a>,
}

/// What a lock is to be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bind {
    Nothing,
    ThisProcess,
    Pid(u64),
}

impl<'a> Request<'a> {
    pub(super) fn parse(value: &'a Tree<'a>) -> Result<Self, Failure> {
        let fields = Fields::of(value)?;
        Ok(Request { op: fields.text("op")?, fields })
    }

    pub(super) fn name(&self) -> Result<LockName, Failure> {
        Ok(self.fields.id("name")?)
    }

    pub(super) fn lease(&self) -> Result<LeaseId, Failure> {
        Ok(self.fields.id("lease")?)
    }

    pub(super) fn task(&self) -> Result<TaskId, Failure> {
        Ok(self.fields.id("task")?)
    }

    pub(super) fn holder(&self) -> Result<Holder, Failure> {
        Ok(self.fields.id("holder")?)
    }

    pub(super) fn claim(&self) -> Result<Option<Claim>, Failure> {
        Ok(self.fields.id_or_none("claim")?)
    }

    /// Which grant is meant: by token, else by claim.
    pub(super) fn proof(&self) -> Result<Proof, Failure> {
        match (self.fields.number_or_none("token")?, self.claim()?) {
            (Some(token), _) => Ok(Proof::Token(token)),
            (None, Some(claim)) => Ok(Proof::Claim(claim)),
            (None, None) => {
                Err(Failure::Definite("give `token` or `claim`: which grant is meant?".to_owned()))
            }
        }
    }

    pub(super) fn wait(&self) -> Result<Duration, Failure> {
        match self.fields.number_or_none("wait_ms")?.unwrap_or(0) {
            wait_ms if wait_ms <= WAIT_MS_MAX => Ok(Duration::from_millis(wait_ms)),
            wait_ms => Err(Failure::Definite(format!("`wait_ms` is {wait_ms}; the most is {WAIT_MS_MAX}"))),
        }
    }

    pub(super) fn bind(&self) -> Result<Bind, Failure> {
        match self.fields.get("bind") {
            None => Ok(Bind::Nothing),
            Some(Tree::Text(word)) if word == "process" => Ok(Bind::ThisProcess),
            Some(value @ Tree::Object(_)) => Ok(Bind::Pid(Fields::of(value)?.number("pid")?)),
            Some(_) => Err(Failure::Definite("`bind` is neither \"process\" nor {\"pid\": N}".to_owned())),
        }
    }

    /// A flag; one that is absent is not set.
    pub(super) fn flag(&self, key: &str) -> Result<bool, Failure> {
        match self.fields.get(key) {
            None => Ok(false),
            Some(Tree::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Failure::Definite(format!("`{key}` is not true or false"))),
        }
    }

    /// What a lease writes: paths and globs, as they were asked for.
    pub(super) fn write_set(&self) -> Result<Vec<&'a str>, Failure> {
        let entries = self.fields.array_or_empty("write_set")?.iter().map(|entry| {
            entry
                .as_str()
                .ok_or_else(|| Failure::Definite(format!("`write_set` holds {entry}, which is not a string")))
        });
        entries.collect()
    }

    /// A path relative to the root; whether it stays inside is checked where it is resolved.
    pub(super) fn file(&self) -> Result<PathBuf, Failure> {
        let file = self.fields.text("file")?;
        if file.is_empty() || file.starts_with('/') || file.contains('\0') {
            return Err(Failure::Definite(format!("`file` {file:?} is not a path relative to the root")));
        }
        Ok(PathBuf::from(file))
    }

    pub(super) fn fence(&self) -> Result<Option<Fence>, Failure> {
        let Some(fence) = self.fields.object_or_none("fence")? else { return Ok(None) };
        let right = match (fence.id_or_none("lock")?, fence.id_or_none("lease")?) {
            (Some(name), None) => Right::Lock(name),
            (None, Some(id)) => Right::Lease(id),
            _ => return Err(Failure::Definite("`fence` needs one of `lock` and `lease`".to_owned())),
        };
        let fence = Fence::new(right, fence.number("token")?);
        fence.map(Some).map_err(|bad| Failure::Definite(bad.to_string()))
    }

    pub(super) fn shown(&self) -> Result<Shown, Failure> {
        Ok(self.fence()?.map_or_else(Shown::nothing, Shown::fence))
    }
}
