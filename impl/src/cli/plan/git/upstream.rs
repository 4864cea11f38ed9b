//! Where a branch stands against its upstream: the gate before anything is written.
//!
//! Invariants:
//! - only the upstream's own remote is asked, for the upstream's own branch, and what is fetched changes nothing but the
//!   remote-tracking branch;
//! - behind is told only where it is so: ahead, diverged and whatever cannot be told are states of their own;
//! - a gate that was passed names the commits that it was passed with, so that it can be looked at again.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use super::process::{Failed, Use, git, words};
use super::{LOCAL_PATIENCE, Repo};
use crate::error::Result;
use crate::host::Deadline;

/// Where a branch stands against its upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) enum Upstream {
    /// On the same commit.
    InStep,
    /// It has commits that the upstream has not, and lacks none.
    Ahead { commits: u64 },
    /// It lacks commits of the upstream, and has none of its own.
    Behind { commits: u64 },
    /// Each has commits that the other has not.
    Diverged { ahead: u64, behind: u64 },
    /// The repository has no remote: nobody else writes to it.
    NoRemote,
    /// There are remotes, and the branch follows none of their branches.
    FollowsNone { why: String },
    /// No branch is checked out.
    Detached { at: String },
    /// What is committed here is pushed elsewhere than where it is compared with.
    OtherRemote { upstream: String, push: String },
    /// The remote could not be asked.
    Offline { remote: String, why: String },
    /// The remote did not answer in time.
    TimedOut { remote: String },
    /// The branch has no commit yet.
    NoCommits,
    /// The history is cut short so that it does not say who is behind.
    Shallow,
}

/// The commits that a gate was passed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) struct At {
    /// The branch, as in `refs/heads/main`.
    pub(super) branch: String,
    /// The commit that is checked out.
    pub(super) head: String,
    /// The remote-tracking branch and its commit; none where there is no remote.
    pub(super) tracked: Option<(String, String)>,
    /// The remote by its name, as in `origin`.
    pub(in crate::cli::plan) remote: Option<String>,
}

/// What a look at the upstream found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) struct Gate {
    /// Where the branch stands.
    pub(in crate::cli::plan) upstream: Upstream,
    /// With which commits; there where [`Upstream::may_write`].
    pub(in crate::cli::plan) at: Option<At>,
}

/// What a pull did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::plan) enum Pulled {
    /// There was nothing to pull.
    Nothing,
    /// The branch was moved forward by so many commits.
    Forward { commits: u64 },
    /// It was not, and it is said why. Where git was ended in the middle the worktree may hold some of the newer files.
    Failed { why: String },
}

impl Upstream {
    /// Whether nobody's progress can be written over: the branch lacks nothing of its upstream.
    pub(in crate::cli::plan) fn may_write(&self) -> bool {
        matches!(self, Upstream::InStep | Upstream::Ahead { .. } | Upstream::NoRemote)
    }

    /// Its code: one condition, one code.
    pub(in crate::cli::plan) fn code(&self) -> &'static str {
        match self {
            Upstream::InStep => "in-step",
            Upstream::Ahead { .. } => "ahead",
            Upstream::Behind { .. } => "C-14",
            Upstream::Diverged { .. } => "diverged",
            Upstream::NoRemote => "no-remote",
            Upstream::FollowsNone { .. } => "no-upstream",
            Upstream::Detached { .. } => "detached",
            Upstream::OtherRemote { .. } => "other-remote",
            Upstream::Offline { .. } => "offline",
            Upstream::TimedOut { .. } => "timed-out",
            Upstream::NoCommits => "no-commits",
            Upstream::Shallow => "shallow",
        }
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of =
            |commits: &u64| if *commits == 1 { "1 commit".to_owned() } else { format!("{commits} commits") };
        match self {
            Upstream::InStep => f.write_str("the branch is in step with its upstream"),
            Upstream::Ahead { commits } => write!(f, "the branch is {} ahead of its upstream", of(commits)),
            Upstream::Behind { commits } => write!(
                f,
                "the branch is {} behind its upstream: pull before fixing (`git pull --ff-only`, or `--pull`)",
                of(commits)
            ),
            Upstream::Diverged { ahead, behind } => write!(
                f,
                "the branch and its upstream have diverged, by {} here and {} there: rebase or merge them first",
                of(ahead),
                of(behind)
            ),
            Upstream::NoRemote => f.write_str("the repository has no remote"),
            Upstream::FollowsNone { why } => {
                write!(f, "{why}: `git push -u REMOTE BRANCH` or `git branch --set-upstream-to` gives it one")
            }
            Upstream::Detached { at } => write!(f, "no branch is checked out (HEAD is at {at})"),
            Upstream::OtherRemote { upstream, push } => write!(
                f,
                "the branch follows {upstream} and is pushed to {push}, so nothing says what others have of it"
            ),
            Upstream::Offline { remote, why } => write!(f, "the remote {remote} could not be asked: {why}"),
            Upstream::TimedOut { remote } => write!(f, "the remote {remote} did not answer in time"),
            Upstream::NoCommits => f.write_str("the branch has no commit yet"),
            Upstream::Shallow => f.write_str(
                "the clone is shallow, and its history does not say who is behind: `git fetch --unshallow`",
            ),
        }
    }
}

/// The upstream of a branch by its names.
struct Followed {
    remote: String,
    /// The branch there, as in `refs/heads/main`.
    theirs: String,
    /// The remote-tracking branch here.
    tracked: String,
}

type Told<T> = std::result::Result<T, Upstream>;

impl Repo {
    /// Where the branch stands against its upstream, which is fetched before where `fetch` says so; `until` is when the
    /// remote must have answered.
    ///
    /// # Errors
    /// Where git cannot say what only the disk holds; nothing was changed but the remote-tracking branch.
    pub(in crate::cli::plan) fn upstream(&self, fetch: bool, until: Deadline) -> Result<Gate> {
        match self.stands(fetch, until).map_err(|failed| self.failed("rev-parse", &failed))? {
            Ok((upstream, at)) => Ok(Gate { at: upstream.may_write().then_some(at), upstream }),
            Err(upstream) => Ok(Gate { upstream, at: None }),
        }
    }

    fn stands(&self, fetch: bool, until: Deadline) -> std::result::Result<Told<(Upstream, At)>, Failed> {
        let (branch, head) = match self.on()? {
            Ok(on) => on,
            Err(upstream) => return Ok(Err(upstream)),
        };
        let followed = match self.followed(&branch)? {
            Ok(Some(followed)) => followed,
            Ok(None) => {
                let at = At { branch, head, tracked: None, remote: None };
                return Ok(Ok((Upstream::NoRemote, at)));
            }
            Err(upstream) => return Ok(Err(upstream)),
        };
        if fetch && let Err(upstream) = self.fetch(&followed, until) {
            return Ok(Err(upstream));
        }
        let local = Deadline::after(LOCAL_PATIENCE);
        let Some(theirs) = self.line(["rev-parse", "--verify", "--quiet", &followed.tracked], local)? else {
            let why = format!("its upstream {} has never been fetched", short(&followed.tracked));
            return Ok(Err(Upstream::FollowsNone { why }));
        };
        let upstream = self.compared(&head, &theirs)?;
        let tracked = Some((followed.tracked, theirs));
        Ok(Ok((upstream, At { branch, head, tracked, remote: Some(followed.remote) })))
    }

    /// The branch that is checked out, and its commit.
    fn on(&self) -> std::result::Result<Told<(String, String)>, Failed> {
        let asked = ["rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD"];
        let printed = match self.look(asked, Deadline::after(LOCAL_PATIENCE)) {
            Ok(printed) => printed,
            Err(Failed::Said { .. }) => return Ok(Err(Upstream::NoCommits)),
            Err(failed) => return Err(failed),
        };
        let printed = String::from_utf8_lossy(&printed);
        let mut lines = printed.lines();
        Ok(match (lines.next(), lines.next()) {
            (Some(head), Some(branch)) if branch.starts_with("refs/") => {
                Ok((branch.to_owned(), head.to_owned()))
            }
            (Some(head), _) => Err(Upstream::Detached { at: head.chars().take(10).collect() }),
            (None, _) => Err(Upstream::NoCommits),
        })
    }

    /// What is configured of branches and of where they are pushed to.
    fn settings(&self) -> std::result::Result<BTreeMap<String, String>, Failed> {
        let asked = ["config", "--null", "--get-regexp", "^(branch\\.|remote\\.pushdefault$)"];
        let printed = match self.look(asked, Deadline::after(LOCAL_PATIENCE)) {
            Ok(printed) => printed,
            Err(Failed::Said { code: Some(1), .. }) => Vec::new(),
            Err(failed) => return Err(failed),
        };
        let printed = String::from_utf8_lossy(&printed);
        let pairs = printed.split('\0').filter_map(|pair| pair.split_once('\n'));
        // Of several the last counts (git-config(1)).
        Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// What the branch follows; none where there is no remote at all.
    fn followed(&self, branch: &str) -> std::result::Result<Told<Option<Followed>>, Failed> {
        let local = Deadline::after(LOCAL_PATIENCE);
        let name = short(branch);
        let settings = self.settings()?;
        let of = |key: &str| settings.get(&format!("branch.{name}.{key}")).cloned();
        let no = |why: String| Ok(Err(Upstream::FollowsNone { why }));
        let (Some(remote), Some(theirs)) = (of("remote"), of("merge")) else {
            let remotes = self.line(["remote"], local)?.unwrap_or_default();
            return match remotes.is_empty() {
                true => Ok(Ok(None)),
                false => no(format!("the branch {name} follows no branch of a remote")),
            };
        };
        if remote == "." {
            return no(format!("the branch {name} follows {}, a branch of this repository", short(&theirs)));
        }
        let push = of("pushremote").or_else(|| settings.get("remote.pushdefault").cloned());
        if let Some(push) = push.filter(|push| *push != remote) {
            let upstream = format!("{remote}/{}", short(&theirs));
            return Ok(Err(Upstream::OtherRemote { upstream, push }));
        }
        let asked = format!("{name}@{{upstream}}");
        let tracked = match self.look(["rev-parse", "--symbolic-full-name", &asked], local) {
            Ok(printed) => String::from_utf8_lossy(&printed).trim_end().to_owned(),
            Err(Failed::Said { .. }) => String::new(),
            Err(failed) => return Err(failed),
        };
        if tracked.is_empty() {
            return no(format!("the branch {name} follows {remote}/{}, which is not there", short(&theirs)));
        }
        Ok(Ok(Some(Followed { remote, theirs, tracked })))
    }

    fn fetch(&self, followed: &Followed, until: Deadline) -> Told<()> {
        let remote = followed.remote.clone();
        let refspec = format!("+{}:{}", followed.theirs, followed.tracked);
        let mut args = words(["-c", "fetch.writeCommitGraph=false", "-c", "fetch.recurseSubmodules=false"]);
        args.extend(words(["fetch", "--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules", "--"]));
        args.extend([OsString::from(&remote), OsString::from(refspec)]);
        match git(self.top(), Use::Act, args, &[], until) {
            Ok(_) => Ok(()),
            Err(Failed::TimedOut) => Err(Upstream::TimedOut { remote }),
            Err(Failed::Said { why, .. }) if why.contains("couldn't find remote ref") => {
                let why = format!("the upstream {remote}/{} is gone", short(&followed.theirs));
                Err(Upstream::FollowsNone { why })
            }
            Err(failed) => Err(Upstream::Offline { remote, why: failed.words("fetch") }),
        }
    }

    fn compared(&self, head: &str, theirs: &str) -> std::result::Result<Upstream, Failed> {
        if head == theirs {
            return Ok(Upstream::InStep);
        }
        let local = Deadline::after(LOCAL_PATIENCE);
        let range = format!("{head}...{theirs}");
        let counted = self.line(["rev-list", "--left-right", "--count", &range], local)?.unwrap_or_default();
        let count = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        let mut counts = counted.split_whitespace();
        Ok(match (count(counts.next()), count(counts.next())) {
            (Some(ahead), Some(0)) => Upstream::Ahead { commits: ahead },
            (Some(0), Some(behind)) => Upstream::Behind { commits: behind },
            // A cut history shows what is reached, and never what is not.
            (Some(_), Some(_)) if self.is_shallow()? => Upstream::Shallow,
            (Some(ahead), Some(behind)) => Upstream::Diverged { ahead, behind },
            _ => return Err(Failed::Lost(format!("git counts commits as {counted:?}"))),
        })
    }

    fn is_shallow(&self) -> std::result::Result<bool, Failed> {
        let local = Deadline::after(LOCAL_PATIENCE);
        let said = self.line(["rev-parse", "--is-shallow-repository"], local)?;
        // Before git 2.15 it prints the question.
        Ok(said.is_none_or(|said| said != "false"))
    }

    /// Whether the branch, its commit and its upstream are what they were at the gate: none, or what has moved.
    ///
    /// # Errors
    /// Where git cannot say; nothing was changed.
    pub(in crate::cli::plan) fn moved(&self, at: &At) -> Result<Option<String>> {
        let failed = |failed| self.failed("rev-parse", &failed);
        let now = match self.on().map_err(failed)? {
            Ok(now) => now,
            Err(upstream) => return Ok(Some(upstream.to_string())),
        };
        if now.0 != at.branch {
            return Ok(Some(format!("{} was checked out meanwhile", short(&now.0))));
        }
        if now.1 != at.head {
            return Ok(Some(format!("the branch {} moved meanwhile", short(&at.branch))));
        }
        if let Some((tracked, theirs)) = &at.tracked {
            let local = Deadline::after(LOCAL_PATIENCE);
            let now = self.line(["rev-parse", "--verify", "--quiet", tracked], local).map_err(failed)?;
            if now.as_ref() != Some(theirs) {
                return Ok(Some(format!("the upstream {} moved meanwhile", short(tracked))));
            }
        }
        Ok(None)
    }

    /// Fetches the upstream and moves the branch forward to it, where it has nothing of its own.
    ///
    /// # Errors
    /// As [`Repo::upstream`].
    pub(in crate::cli::plan) fn pull_ff(&self, until: Deadline) -> Result<Pulled> {
        let stands = self.stands(true, until).map_err(|failed| self.failed("rev-parse", &failed))?;
        let (commits, at) = match stands {
            Ok((Upstream::Behind { commits }, at)) => (commits, at),
            Ok((Upstream::InStep | Upstream::Ahead { .. }, _)) => return Ok(Pulled::Nothing),
            Ok((upstream, _)) | Err(upstream) => return Ok(Pulled::Failed { why: upstream.to_string() }),
        };
        if let Some(not) = self.unfinished()? {
            return Ok(Pulled::Failed { why: not.to_string() });
        }
        let theirs = at.tracked.map_or(String::new(), |(_, theirs)| theirs);
        let args = [
            "-c",
            "merge.autoStash=false",
            "-c",
            "merge.verifySignatures=false",
            "merge",
            "--quiet",
            "--ff-only",
        ];
        let mut args = words(args);
        args.push(theirs.into());
        match git(self.top(), Use::Act, args, &[], until) {
            Ok(_) => Ok(Pulled::Forward { commits }),
            Err(failed) => Ok(Pulled::Failed { why: failed.words("merge --ff-only") }),
        }
    }
}

/// A ref as people write it.
pub(super) fn short(name: &str) -> &str {
    ["refs/heads/", "refs/remotes/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}
