//! What is shown at a resource, and what the mark there says to it. Pure.

use std::fmt;
use std::str::FromStr;

use fencehold_model::{LockName, NUMBER_BOUND, Token};

use crate::document::Version;

/// The result of what the rules may refuse: a refusal is an answer, not an [`crate::Error`].
pub type Answer<T> = std::result::Result<T, Refusal>;

/// A lock and the fencing token that a grant of it carried. Written `lock/NAME=TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The lock.
    pub lock: LockName,
    /// The token of the grant.
    pub token: Token,
}

/// Why a text is no fence, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFence(String);

impl fmt::Display for BadFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadFence {}

impl Fence {
    /// Takes a lock and a token below 2^53.
    ///
    /// # Errors
    /// Where the token is not below 2^53: no journal hands such a one out.
    pub fn new(lock: LockName, token: Token) -> Result<Self, BadFence> {
        if token < NUMBER_BOUND {
            Ok(Fence { lock, token })
        } else {
            Err(BadFence(format!("token {token} is not below 2^53")))
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lock/{}={}", self.lock, self.token)
    }
}

impl FromStr for Fence {
    type Err = BadFence;

    fn from_str(text: &str) -> Result<Self, BadFence> {
        let bad = |why: &str| BadFence(format!("fence {text:?} {why}; write lock/NAME=TOKEN"));
        // A lock name may hold `=`; a token never does.
        let (name, token) = text
            .strip_prefix("lock/")
            .ok_or_else(|| bad("does not begin with lock/"))?
            .rsplit_once('=')
            .ok_or_else(|| bad("has no token"))?;
        let lock = LockName::new(name).map_err(|error| bad(&format!("names no lock: {error}")))?;
        let token = token.parse().map_err(|_| bad("does not end with a number"))?;
        Fence::new(lock, token)
    }
}

/// What a caller shows at a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The lock it holds, if it says so.
    pub fence: Option<Fence>,
    /// The reason for writing past a guard that is not its own; a blank one is refused.
    pub force: Option<String>,
}

impl Shown {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Shown::default()
    }

    /// A fence.
    #[must_use]
    pub fn fence(fence: Fence) -> Self {
        Shown { fence: Some(fence), force: None }
    }
}

/// What is wanted of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read it; without a fence this is always allowed.
    Read,
    /// To write it.
    Write,
}

/// The highest token that a resource has seen, and of which lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The lock that guards the resource.
    pub lock: LockName,
    /// The highest token of it that was shown here.
    pub token: Token,
}

/// What passed the mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// What the mark becomes before the file is touched; none where no fence was shown.
    pub(super) mark: Option<Mark>,
    /// Whether it passed by force alone; the caller records the reason.
    pub forced: bool,
}

/// Why the rules refuse an operation on a file. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The token is below the mark: a later grant of the lock has been here.
    StaleToken(Mark),
    /// The file is guarded, and no fence, or one of another lock, was shown.
    Guarded(Mark),
    /// Force needs a reason that is not blank.
    NeedsReason,
    /// The document is not the version that was expected.
    Version {
        /// Which it is.
        found: Version,
        /// Whether it changed while the lock was held: a program that does not take the lock wrote it.
        meanwhile: bool,
    },
}

impl Refusal {
    /// Its word in answers.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Refusal::StaleToken(_) => "stale_token",
            Refusal::Guarded(_) => "guarded",
            Refusal::NeedsReason => "needs_reason",
            Refusal::Version { .. } => "version",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::StaleToken(mark) => {
                write!(
                    f,
                    "stale token: a holder of lock {} with token {} has been here",
                    mark.lock, mark.token
                )
            }
            Refusal::Guarded(mark) => write!(
                f,
                "guarded by lock {0}: acquire it and show --fence lock/{0}=TOKEN, or --force with a --reason",
                mark.lock
            ),
            Refusal::NeedsReason => f.write_str("--force needs a --reason that is not blank"),
            Refusal::Version { found, meanwhile: false } => write!(f, "the version is {found}"),
            Refusal::Version { found, meanwhile: true } => write!(
                f,
                "a program that does not take the lock wrote it meanwhile: the version is {found} now; try again"
            ),
        }
    }
}

/// What the mark says to what is shown.
///
/// An equal token passes: it is the same holder again. A read under another lock's name is refused like a write: it
/// could not raise the mark, so it could not promise what a guarded read promises. Force never helps a stale token of
/// the guarding lock itself; with a fence of another lock it hands the guard over to that one, at the higher of the two
/// tokens: handed back later, it must not let in what the first lock has passed.
///
/// # Errors
/// The refusal.
pub fn decide(mark: Option<&Mark>, shown: &Shown, access: Access) -> Answer<Pass> {
    if shown.force.as_deref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Refusal::NeedsReason);
    }
    let forced = shown.force.is_some();
    let shown = shown.fence.as_ref().map(|fence| Mark { lock: fence.lock.clone(), token: fence.token });
    match (mark, shown) {
        (None, shown) => Ok(Pass { mark: shown, forced: false }),
        (Some(_), None) if access == Access::Read => Ok(Pass { mark: None, forced: false }),
        (Some(mark), Some(shown)) if mark.lock == shown.lock => {
            if shown.token < mark.token {
                return Err(Refusal::StaleToken(mark.clone()));
            }
            Ok(Pass { mark: Some(shown), forced: false })
        }
        (Some(mark), shown) if forced => {
            let mark = shown.map(|shown| Mark { token: shown.token.max(mark.token), ..shown });
            Ok(Pass { mark, forced })
        }
        (Some(mark), _) => Err(Refusal::Guarded(mark.clone())),
    }
}

/// What a mark that another workspace wrote says: this one is a copy of it, or was restored. Its tokens compare with
/// nothing here, so nothing but force passes it; a fence shown with that makes the mark one of ours.
///
/// # Errors
/// The refusal.
pub(super) fn decide_foreign(mark: &Mark, shown: &Shown, access: Access) -> Answer<Pass> {
    match decide(None, shown, access)? {
        pass if pass.mark.is_none() && access == Access::Read => Ok(pass),
        pass if shown.force.is_some() => Ok(Pass { forced: true, ..pass }),
        _ => Err(Refusal::Guarded(mark.clone())),
    }
}
