//! How a helper of the gate's own asks git where the branch stands.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Flaw, Run};
use crate::plans::machine::ended;
use crate::plans::place;

/// How long a remote may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// As good as for ever.
const FOR_EVER: Duration = Duration::from_secs(3600);
/// How many commits may wait to be pushed.
const UNPUSHED_MAX: u64 = 50;

/// What the gate was passed with.
pub(super) struct At {
    pub(super) head: String,
    /// How many commits may still be made.
    pub(super) left: u64,
}

impl Run {
    pub(super) fn git(&self, args: &[&str]) -> Result<String, String> {
        place::git(&self.clone, args)
    }

    fn bounded(&self, args: &[&str]) -> Result<bool, &'static str> {
        let mut git: Command = place::command(&self.clone);
        git.args(args).env("GIT_TERMINAL_PROMPT", "0").stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut git, 0);
        let patience = if self.has(Flaw::NoTimeout) { FOR_EVER } else { PATIENCE };
        let ended = git.spawn().and_then(|mut git| ended(&mut git, patience));
        match ended {
            Ok(Some(code)) => Ok(code == 0),
            Ok(None) => Err("timed-out"),
            Err(_) => Err("offline"),
        }
    }

    pub(super) fn pull(&self) -> bool {
        self.bounded(&["pull", "--quiet", "--ff-only"]) == Ok(true)
    }

    /// What the gate was passed with; none where nothing is to be written, which was told.
    pub(super) fn gate(&mut self) -> Result<Option<At>, String> {
        let head = self.git(&["rev-parse", "HEAD"])?;
        let code = match self.fetched()? {
            Some(code) => Some(code),
            None => self.stands(&head),
        };
        if let Some(code) = code.or_else(|| self.in_the_way()) {
            self.tell(code);
            return Ok(None);
        }
        let waiting = self.git(&["rev-list", "--count", "--grep=^Auto: ", "@{u}..HEAD"]).unwrap_or_default();
        let waiting: u64 = waiting.parse().unwrap_or(0);
        let left = if self.has(Flaw::Unbounded) { u64::MAX } else { UNPUSHED_MAX.saturating_sub(waiting) };
        Ok(Some(At { head, left }))
    }

    /// Asks the remote; what stands in the way of it.
    fn fetched(&self) -> Result<Option<&'static str>, String> {
        if self.has(Flaw::FetchesOrigin) {
            return Ok(match self.bounded(&["fetch", "--quiet", "origin"]) {
                Ok(true) => None,
                _ if self.has(Flaw::FetchFailContinue) => None,
                Ok(false) => Some("offline"),
                Err(code) => Some(code),
            });
        }
        let no_upstream = |code| Ok(if self.has(Flaw::NoUpstreamIsBehind) { None } else { Some(code) });
        let Ok(branch) = self.git(&["symbolic-ref", "--quiet", "--short", "HEAD"]) else {
            return no_upstream("detached");
        };
        let of = |key: &str| self.git(&["config", &format!("branch.{branch}.{key}")]);
        let (Ok(remote), Ok(theirs)) = (of("remote"), of("merge")) else { return no_upstream("no-upstream") };
        Ok(match self.bounded(&["fetch", "--quiet", &remote, &theirs]) {
            Ok(true) => None,
            _ if self.has(Flaw::FetchFailContinue) => None,
            Ok(false) => Some("offline"),
            Err(code) => Some(code),
        })
    }

    fn stands(&self, head: &str) -> Option<&'static str> {
        let theirs = self.git(&["rev-parse", "--verify", "--quiet", "@{u}"]).unwrap_or_default();
        if theirs.is_empty() {
            return if self.has(Flaw::NoUpstreamIsBehind) { Some("C-14") } else { Some("no-upstream") };
        }
        if self.has(Flaw::AheadIsBehind) {
            return (theirs != head).then_some("C-14");
        }
        let count = |range: String| self.git(&["rev-list", "--count", &range]).unwrap_or_default();
        let (ahead, behind) = (count(format!("{theirs}..{head}")), count(format!("{head}..{theirs}")));
        match (ahead.as_str(), behind.as_str()) {
            (_, "0") => None,
            ("0", _) => Some("C-14"),
            _ => Some("diverged"),
        }
    }

    /// What git is in the middle of.
    fn in_the_way(&self) -> Option<&'static str> {
        if self.has(Flaw::GoesOn) {
            return None;
        }
        let git_dir: PathBuf = self.clone.join(".git");
        let is_there = |name: &str| git_dir.join(name).exists();
        if ["MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD"]
            .iter()
            .any(|name| is_there(name))
        {
            return Some("unfinished");
        }
        if is_there("index.lock") {
            return Some("index-locked");
        }
        self.git(&["var", "GIT_AUTHOR_IDENT"]).is_err().then_some("no-author")
    }
}
