//! What git's history says of a file and of the work.
//!
//! Invariants: nothing here reads the time of a file. A repository whose history is cut short, or in which a file is hidden
//! from `git status`, tells nothing.

use std::path::Path;
use std::time::Duration;

use fencehold_model::Pattern;

use super::Found;
use crate::cli::git::{paths, told};
use crate::fs::{Fs as _, RealFs};
use crate::host::{Clock as _, Deadline, RealHost};

/// How long git may take for all that one step asks of it, whatever the number of files.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last commit that changed something.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) commit: String,
    /// Its committer's date, since 1970.
    pub(super) at_ms: u64,
}

/// The history of a worktree, looked into when it is first asked for.
pub(super) struct History<'a> {
    root: &'a Path,
    /// When all that is asked of git must have been answered.
    until: Deadline,
    is_whole: Option<Found<()>>,
}

/// The pathspec of exactly this path, and of all below it (gitglossary(7), *pathspec*).
pub(super) fn literal(path: &str) -> String {
    format!(":(top,literal){}", if path == "." { "" } else { path })
}

/// The pathspecs of an entry of a write set.
pub(super) fn pattern(entry: &Pattern) -> Vec<String> {
    match entry.is_glob() {
        true => vec![format!(":(top,glob){entry}"), format!(":(top,glob){entry}/**")],
        false => vec![literal(&entry.prefix())],
    }
}

/// The wall clock.
pub(super) fn now_ms() -> Found<u64> {
    Ok(RealHost::new().map_err(|error| error.to_string())?.reading().wall_ms)
}

impl<'a> History<'a> {
    pub(super) fn of(root: &'a Path) -> Self {
        History { root, until: Deadline::after(PATIENCE), is_whole: None }
    }

    fn ask(&mut self, args: &[&str]) -> Found<Vec<u8>> {
        let (root, until) = (self.root, self.until);
        self.is_whole.get_or_insert_with(|| whole(root, until)).clone()?;
        told(root, until, args)
    }

    fn ask_of(&mut self, args: &[&str], specs: &[String]) -> Found<Vec<u8>> {
        let specs = specs.iter().map(String::as_str);
        let args: Vec<&str> = args.iter().copied().chain(["--"]).chain(specs).collect();
        self.ask(&args)
    }

    /// Whether the last commit has a file as it stands in the worktree.
    pub(super) fn is_committed(&mut self, file: &str) -> Found<()> {
        let listed =
            self.ask(&["--literal-pathspecs", "ls-tree", "-z", "--full-tree", "HEAD", "--", file])?;
        let listed = String::from_utf8_lossy(&listed);
        let entry = listed.strip_suffix('\0').and_then(|line| line.split_once('\t'));
        let Some((entry, _)) = entry.filter(|(_, path)| *path == file) else {
            return Err("it is not committed".to_owned());
        };
        let mut words = entry.split(' ');
        let (mode, kind, id) = (words.next(), words.next(), words.next());
        if kind != Some("blob") || mode == Some("120000") {
            return Err("what is committed there is no file".to_owned());
        }
        let stands = self.ask(&["hash-object", "--", file])?;
        match id {
            Some(id) if String::from_utf8_lossy(&stands).trim_end() == id => Ok(()),
            _ => Err("it is not as it was committed".to_owned()),
        }
    }

    /// The last commit that changed any of these.
    pub(super) fn last(&mut self, specs: &[String]) -> Found<Last> {
        let printed = self.ask_of(&["rev-list", "--max-count=1", "--timestamp", "HEAD"], specs)?;
        let printed = String::from_utf8_lossy(&printed);
        let Some((seconds, commit)) = printed.trim_end().split_once(' ') else {
            return Err("no commit has changed the work; is it spelled right?".to_owned());
        };
        let seconds: u64 = seconds.parse().map_err(|_| format!("git dates its last commit {seconds:?}"))?;
        Ok(Last { commit: commit.to_owned(), at_ms: seconds.saturating_mul(1000) })
    }

    /// Whether nothing of these is changed, new or hidden in the worktree.
    pub(super) fn is_unchanged(&mut self, specs: &[String]) -> Found<()> {
        let status = [
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=none",
        ];
        let changed = self.ask_of(&status, specs)?;
        if let Some(first) = paths(&changed).next() {
            let path = String::from_utf8_lossy(first.get(3..).unwrap_or(first)).into_owned();
            return Err(format!("{path:?} of the work is changed and not committed"));
        }
        let known = self.ask_of(&["ls-files", "-v", "-z", "--full-name"], specs)?;
        for entry in paths(&known) {
            let (tag, path) =
                (entry[0], String::from_utf8_lossy(entry.get(2..).unwrap_or(entry)).into_owned());
            let is_there = || !matches!(RealFs.stat(&self.root.join(&path)), Ok(None));
            if tag.is_ascii_lowercase() || (tag == b'S' && is_there()) {
                return Err(format!("{path:?} of the work is hidden from git (git update-index(1))"));
            }
        }
        Ok(())
    }

    /// Whether `commit` is `other` or one of its descendants. Not asked of `rev-list`, which stops where the dates of
    /// commits say that nothing more can come.
    pub(super) fn is_at_or_after(&mut self, commit: &str, other: &str) -> Found<bool> {
        let base = self.ask(&["merge-base", other, commit])?;
        Ok(String::from_utf8_lossy(&base).trim_end() == other)
    }

    /// Whether these stood at `commit` as they stand at the last one: a merge may have brought back what was older.
    pub(super) fn stood_alike(&mut self, commit: &str, specs: &[String]) -> Found<bool> {
        let changed = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=none"];
        let args: Vec<&str> = changed.into_iter().chain([commit, "HEAD"]).collect();
        Ok(self.ask_of(&args, specs)?.is_empty())
    }
}

/// Whether the folder is the top of a worktree with its whole history.
fn whole(root: &Path, until: Deadline) -> Found<()> {
    let asked = ["rev-parse", "--is-inside-work-tree", "--is-shallow-repository", "--show-prefix"];
    let printed = told(root, until, &asked)?;
    match &*String::from_utf8_lossy(&printed) {
        "true\nfalse\n\n" => told(root, until, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .map(|_| ())
            .map_err(|_| "there is no commit yet".to_owned()),
        "true\ntrue\n\n" => Err("the clone is shallow, so its history tells nothing".to_owned()),
        _ => Err("the top of the tree is not that of a worktree of git".to_owned()),
    }
}
