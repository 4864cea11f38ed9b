//! What is shown at a resource, and what the mark there says to it. Pure.

use std::fmt;
use std::str::FromStr;

use fencehold_model::{LockName, NUMBER_BOUND, Right, Token};

use crate::document::Version;

/// The result of what the rules may refuse: a refusal is an answer, not an [`crate::Error`].
pub type Answer<T> = std::result::Result<T, Refusal>;

/// A lock or a lease, and the fencing token that a grant of it carried. Written `lock/NAME=TOKEN` or `lease/ID=TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// What was granted.
    pub right: Right,
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
    /// Takes a lock or a lease, and a token below 2^53.
    ///
    /// # Errors
    /// Where the token is not below 2^53: no journal hands such a one out.
    pub fn new(right: impl Into<Right>, token: Token) -> Result<Self, BadFence> {
        if token < NUMBER_BOUND {
            Ok(Fence { right: right.into(), token })
        } else {
            Err(BadFence(format!("token {token} is not below 2^53")))
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.right, self.token)
    }
}

impl FromStr for Fence {
    type Err = BadFence;

    fn from_str(text: &str) -> Result<Self, BadFence> {
        let bad =
            |why: &str| BadFence(format!("fence {text:?} {why}; write lock/NAME=TOKEN or lease/ID=TOKEN"));
        // A name may hold `=`; a token never does.
        let (right, token) = text.rsplit_once('=').ok_or_else(|| bad("has no token"))?;
        let right: Right =
            right.parse().map_err(|error| bad(&format!("names no lock and no lease: {error}")))?;
        let token = token.parse().map_err(|_| bad("does not end with a number"))?;
        Fence::new(right, token)
    }
}

/// What a caller shows at a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The lock or the lease it holds, if it says so.
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

/// The highest token that a resource has seen, and of which lock or lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What guards the resource.
    pub right: Right,
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
    /// The token is below the mark: a later grant of the lock or lease has been here.
    StaleToken(Mark),
    /// The file is guarded, and no fence, or one of another lock or lease, was shown.
    Guarded(Mark),
    /// The team's policy guards the file, and no fence of this lock was shown.
    Ruled(LockName),
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
            Refusal::Guarded(_) | Refusal::Ruled(_) => "guarded",
            Refusal::NeedsReason => "needs_reason",
            Refusal::Version { .. } => "version",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::StaleToken(mark) => {
                let (kind, name) = (mark.right.kind(), mark.right.name());
                write!(f, "stale token: a holder of {kind} {name} with token {} has been here", mark.token)
            }
            Refusal::Guarded(mark) => {
                let (kind, name) = (mark.right.kind(), mark.right.name());
                let first = if kind == "lock" { "acquire it" } else { "have it granted" };
                write!(
                    f,
                    "guarded by {kind} {name}: {first} and show --fence {}=TOKEN, or --force with a --reason",
                    mark.right
                )
            }
            Refusal::Ruled(lock) => write!(
                f,
                "guarded by lock {lock}, as the team's policy says: acquire it and show --fence lock/{lock}=TOKEN, or \
                 --force with a --reason"
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

/// What the team's policy says to what is shown, where it guards the file under `lock`: a write needs a fence of this
/// lock, and one of a lease or of another lock is refused to a read as well, as it would raise the mark. Asked before the
/// mark, which has its own say.
///
/// # Errors
/// The refusal.
pub fn obey(lock: Option<&LockName>, shown: &Shown, access: Access) -> Answer<()> {
    let Some(lock) = lock else { return Ok(()) };
    let passes = match &shown.fence {
        None => access == Access::Read,
        Some(fence) => matches!(&fence.right, Right::Lock(name) if name == lock),
    };
    // A blank reason is the mark's to refuse.
    if passes || shown.force.is_some() { Ok(()) } else { Err(Refusal::Ruled(lock.clone())) }
}

/// What the mark says to what is shown.
///
/// An equal token passes: it is the same holder again. A read under another name is refused like a write: it
/// could not raise the mark, so it could not promise what a guarded read promises. Force never helps a stale token of
/// the guard itself; with a fence of another lock or lease it hands the guard over to that one, at the higher of the two
/// tokens: handed back later, it must not let in what the first lock has passed.
///
/// # Errors
/// The refusal.
pub fn decide(mark: Option<&Mark>, shown: &Shown, access: Access) -> Answer<Pass> {
    if shown.force.as_deref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Refusal::NeedsReason);
    }
    let forced = shown.force.is_some();
    let shown = shown.fence.as_ref().map(|fence| Mark { right: fence.right.clone(), token: fence.token });
    match (mark, shown) {
        (None, shown) => Ok(Pass { mark: shown, forced: false }),
        (Some(_), None) if access == Access::Read => Ok(Pass { mark: None, forced: false }),
        (Some(mark), Some(shown)) if mark.right == shown.right => {
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
