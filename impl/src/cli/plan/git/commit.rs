//! The commit of exactly one file.
//!
//! Invariants:
//! - it holds that file and nothing else; what else is staged is staged after it, entry for entry as before;
//! - what is known to refuse it is told before anything is written: an operation in progress, a lock that a killed git
//!   left, nobody to be its author;
//! - where it failed it is looked whether it was made all the same, and it is never made twice.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::files::{entries, literal};
use super::process::{Failed, Use, git, words};
use super::upstream::At;
use super::{COMMIT_PATIENCE, LOCAL_PATIENCE, Repo};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, Watch};
use crate::host::{Deadline, Host as _, RealHost};

/// The line at the end of a message that marks a commit that `plan fix` made.
pub(in crate::cli::plan) const MARK: &str = "Fencehold-Writeback";
/// How many commits of `plan fix` may wait to be pushed: beyond them it makes none.
pub(in crate::cli::plan) const UNPUSHED_MAX: u64 = 50;
/// How long another git may hold the index.
const INDEX_PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) enum Committed {
    /// It is there. `also`: what a hook of the repository put into it beside the file, or where the branch had moved.
    Made { id: String, also: Option<String> },
    /// It is not, and will not be; the index is as it was.
    Not { why: String },
    /// It cannot be told.
    Unknown { why: String },
}

/// Why nothing can be committed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) enum NotReady {
    /// A merge, a rebase or the like is in progress.
    Unfinished { what: &'static str },
    /// The index has been locked for longer than a git takes.
    IndexLocked { lock: PathBuf },
    /// Git knows no author.
    NoAuthor { why: String },
}

impl NotReady {
    /// Its code: one condition, one code.
    pub(in crate::cli::plan) fn code(&self) -> &'static str {
        match self {
            NotReady::Unfinished { .. } => "unfinished",
            NotReady::IndexLocked { .. } => "index-locked",
            NotReady::NoAuthor { .. } => "no-author",
        }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotReady::Unfinished { what } => write!(f, "{what} is in progress: finish or abort it first"),
            NotReady::IndexLocked { lock } => write!(
                f,
                "another git holds the index, or one that was killed left {}: where no git runs, remove it",
                lock.display()
            ),
            NotReady::NoAuthor { why } => {
                write!(f, "git knows no author ({why}): set user.name and user.email")
            }
        }
    }
}

/// What git leaves in its folder while something is in progress, and what that is.
const UNFINISHED: [(&str, &str); 7] = [
    ("MERGE_HEAD", "a merge"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("sequencer", "a sequence of picks"),
    ("BISECT_LOG", "a bisection"),
];

impl Repo {
    /// Whether a commit can be made, as far as that is known before: nothing is written to find out.
    ///
    /// # Errors
    /// Where it cannot be looked at; nothing was changed.
    pub(in crate::cli::plan) fn ready(&self) -> Result<std::result::Result<(), NotReady>> {
        if let Some(not) = self.in_the_way()? {
            return Ok(Err(not));
        }
        let until = Deadline::after(LOCAL_PATIENCE);
        for who in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
            match self.look(["var", who], until) {
                Ok(_) => {}
                Err(Failed::Said { why, .. }) => return Ok(Err(NotReady::NoAuthor { why })),
                Err(failed) => return Err(self.failed("var", &failed)),
            }
        }
        Ok(Ok(()))
    }

    /// What is in progress, or holds the index.
    fn in_the_way(&self) -> Result<Option<NotReady>> {
        if let Some(not) = self.unfinished()? {
            return Ok(Some(not));
        }
        let lock = self.git_dir.join("index.lock");
        Ok(self.stays(&lock)?.then_some(NotReady::IndexLocked { lock }))
    }

    /// What is in progress, where something is.
    pub(super) fn unfinished(&self) -> Result<Option<NotReady>> {
        for (name, what) in UNFINISHED {
            if self.is_there(&self.git_dir.join(name))? {
                return Ok(Some(NotReady::Unfinished { what }));
            }
        }
        Ok(None)
    }

    /// Whether a lock of git outlives the patience with it.
    fn stays(&self, lock: &Path) -> Result<bool> {
        if !self.is_there(lock)? {
            return Ok(false);
        }
        let (patience, (watch, _)) = (Deadline::after(INDEX_PATIENCE), Watch::begin(&self.git_dir)?);
        while self.is_there(lock)? {
            if patience.left().is_zero() {
                return Ok(true);
            }
            let waited = watch.wait(patience.left(), None);
            waited.map_err(|error| Error::environment("waiting for", lock, error))?;
        }
        Ok(false)
    }

    fn is_there(&self, path: &Path) -> Result<bool> {
        let stat = RealFs.stat(path);
        stat.map(|stat| stat.is_some()).map_err(|error| Error::environment("looking at", path, error))
    }

    /// Commits one file as it stands, with this message and our mark, onto the commit of the gate, which is the new one
    /// afterwards. The hooks of the repository are obeyed, within [`COMMIT_PATIENCE`].
    ///
    /// # Errors
    /// Where nothing was begun.
    pub(in crate::cli::plan) fn commit_only(
        &self,
        file: &Path,
        message: &str,
        at: &mut At,
    ) -> Result<Committed> {
        let below = self.below(file)?;
        if let Some(why) = self.moved(at)? {
            return Ok(Committed::Not { why });
        }
        if let Some(not) = self.in_the_way()? {
            return Ok(Committed::Not { why: not.to_string() });
        }
        let mark = format!("{MARK}: {:016x}", RealHost::new()?.random() >> 64);
        let text = format!("{}\n\n{mark}\n", message.trim_end());
        let mut args = words(["commit", "--quiet", "--only", "--no-edit", "--cleanup=whitespace"]);
        args.extend(words(["--file=-", "--"]));
        args.push(literal(&below));
        let ended = git(self.top(), Use::Act, args, text.as_bytes(), Deadline::after(COMMIT_PATIENCE));
        let why = ended.err().map(|failed| failed.words("commit"));
        match self.landed(&below, at, &mark, why.is_none()) {
            Ok(Some((id, also))) => {
                at.head.clone_from(&id);
                Ok(Committed::Made { id, also: also.or(why) })
            }
            Ok(None) => Ok(Committed::Not { why: why.unwrap_or_else(|| "git made no commit".to_owned()) }),
            Err(failed) => Ok(Committed::Unknown { why: why.unwrap_or_else(|| failed.words("log")) }),
        }
    }

    /// The commit that git made before it ended, well or not, and what of it is not as it was asked for; none where it
    /// made none.
    fn landed(
        &self,
        below: &Path,
        at: &At,
        mark: &str,
        ended_well: bool,
    ) -> std::result::Result<Option<(String, Option<String>)>, Failed> {
        let until = Deadline::after(LOCAL_PATIENCE);
        let (since, grep) = (format!("{}..HEAD", at.head), format!("--grep=^{mark}$"));
        let asked = ["rev-list", "--parents", "--max-count=1", &grep, &since];
        let mut made = self.line(asked, until)?.unwrap_or_default();
        if made.is_empty() && ended_well {
            // A hook may have written the message anew.
            let asked = ["rev-list", "--parents", "--max-count=1", &since];
            made = self.line(asked, until)?.unwrap_or_default();
        }
        let mut ids = made.split(' ').map(str::to_owned);
        let Some(id) = ids.next().filter(|id| !id.is_empty()) else { return Ok(None) };
        let parent = ids.next();
        let changed = self
            .look(["diff-tree", "--no-commit-id", "--name-only", "--no-renames", "-r", "-z", &id], until)?;
        let others: Vec<String> = entries(&changed)
            .filter(|path| *path != below.as_os_str().as_bytes())
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        let also = if !others.is_empty() {
            Some(format!("a hook of the repository put {} into the commit too", others.join(", ")))
        } else if parent.as_ref() != Some(&at.head) {
            Some("the branch moved while the commit was made".to_owned())
        } else {
            None
        };
        Ok(Some((id, also)))
    }

    /// How many commits of `plan fix` the upstream has not; none are counted where there is no remote.
    ///
    /// # Errors
    /// Where git cannot say; nothing was changed.
    pub(in crate::cli::plan) fn unpushed_automatic(&self, at: &At) -> Result<u64> {
        let Some((_, theirs)) = &at.tracked else { return Ok(0) };
        let (range, grep) = (format!("{theirs}..{}", at.head), format!("--grep=^{MARK}: "));
        let until = Deadline::after(LOCAL_PATIENCE);
        let counted = self
            .line(["rev-list", "--count", &grep, &range], until)
            .map_err(|failed| self.failed("rev-list", &failed))?
            .unwrap_or_default();
        counted
            .parse()
            .map_err(|_| self.failed("rev-list", &Failed::Lost(format!("git counts commits as {counted:?}"))))
    }
}
