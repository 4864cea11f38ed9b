//! The guarded globs of the stage's checkout, each under a lock of its own name.

use std::path::Path;

use fencehold::fs::RealFs;
use fencehold::hook::{Call, Deed};
use fencehold::writes::plain_path;

/// How many folders are guarded.
pub(super) const GLOBS: u64 = 2;

/// The folder of a glob, relative to the root, and its lock.
pub(super) fn glob(number: u64) -> String {
    format!("glob{number}")
}

/// What a `fencehold.toml` says of them.
pub(super) fn policy() -> String {
    let table = |number| format!("[[guarded]]\npaths = [\"{0}/**\"]\nlock = \"{0}\"\n", glob(number));
    (0..GLOBS).map(table).collect()
}

/// The lock of the glob in which the first target of a call lies.
pub(super) fn of_call(call: &Call) -> Result<Option<String>, String> {
    let Some(Deed::Writes(files)) = &call.deed else { return Ok(None) };
    let Some(file) = files.first() else { return Ok(None) };
    let (path, _) = plain_path(&RealFs, &call.cwd, file).map_err(|error| error.to_string())?;
    let is_in = |lock: &String| path.iter().any(|name| Path::new(name) == Path::new(lock));
    Ok((0..GLOBS).map(glob).find(is_in))
}
