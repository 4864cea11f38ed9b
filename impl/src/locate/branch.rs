//! The branch that a worktree is on, read as git reads it; no process is started.

use super::Place;
use super::git::read_small;
use crate::error::Result;
use crate::fs::Fs;

/// What HEAD says where the branch is kept in a reftable instead (gitrepository-layout(5)).
const ELSEWHERE: &str = ".invalid";

/// The branch that HEAD names; none where it is detached, kept elsewhere, or this is no git repository.
///
/// # Errors
/// Where HEAD cannot be read.
pub fn branch<F: Fs>(fs: &F, place: &Place) -> Result<Option<String>> {
    let Some(git_dir) = &place.git_dir else { return Ok(None) };
    let head = read_small(fs, &git_dir.join("HEAD"))?.unwrap_or_default();
    let named = head.trim_end().strip_prefix("ref:").map(str::trim_start);
    let named = named.and_then(|name| name.strip_prefix("refs/heads/"));
    Ok(named.filter(|name| *name != ELSEWHERE).map(str::to_owned))
}
