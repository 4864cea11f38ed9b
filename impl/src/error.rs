//! Errors that answer the one question that counts: did it happen, did it not, or can we not know?

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Whether an operation that failed took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It did not, and will not.
    No,
    /// It may have.
    Unknown,
}

/// Why an operation gave no answer. A refusal by the rules is an answer, not an error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for makes no sense: a bad id, a bad flag, a bad configuration. Nothing happened.
    Usage(String),
    /// The machine did not let us: no permission, no space, not a regular file. Nothing happened.
    Environment {
        /// What was being done, as in "writing".
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The OS lock was held by another for all of the patience. Nothing happened.
    Busy {
        /// The file whose lock it is.
        path: PathBuf,
        /// How long it was waited for.
        waited_ms: u64,
        /// Who holds it, in words.
        in_the_way: String,
    },
    /// The bytes on disk are of a newer format. Nothing happened.
    Newer {
        /// Which file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The bytes on disk are damaged; they are kept as they are. Nothing happened.
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1, where it is one.
        line: Option<u64>,
        /// What is wrong.
        what: String,
        /// What to do.
        advice: String,
    },
    /// It may have happened: the system failed after the point from which others can see it.
    Indefinite {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        what: String,
    },
}

impl Error {
    /// Something about the request itself.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Error::Usage(what.into())
    }

    /// A system call that failed before anything could have happened.
    #[must_use]
    pub fn environment(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Error::Environment { doing, path: path.to_owned(), source }
    }

    /// A system call that failed after something may have happened.
    #[must_use]
    pub fn indefinite(path: &Path, what: impl Into<String>) -> Self {
        Error::Indefinite { path: path.to_owned(), what: what.into() }
    }

    /// Whether the operation took effect.
    #[must_use]
    pub fn happened(&self) -> Happened {
        match self {
            Error::Indefinite { .. } => Happened::Unknown,
            _ => Happened::No,
        }
    }

    /// Whether the system said that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Error::Environment { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// The exit code of the command line for it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Environment { .. } | Error::Busy { .. } | Error::Newer { .. } => 2,
            Error::Indefinite { .. } => 3,
            Error::Damaged { .. } => 4,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(what) => f.write_str(what),
            Error::Environment { doing, path, source } => {
                write!(f, "{doing} {}: {source}; nothing was changed", path.display())?;
                match source.kind() {
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => write!(
                        f,
                        ". Allow writing below {}, or run `fencehold init --dir PATH` once from outside the sandbox",
                        path.parent().unwrap_or(path).display()
                    ),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => write!(
                        f,
                        ". Free some space on the disk of {} and try again",
                        path.parent().unwrap_or(path).display()
                    ),
                    io::ErrorKind::FileTooLarge => write!(
                        f,
                        ". Raise the limit on the size of a file (`ulimit -f`), or move what stands below {} to another disk",
                        path.parent().unwrap_or(path).display()
                    ),
                    _ => Ok(()),
                }
            }
            Error::Busy { path, waited_ms, in_the_way } => write!(
                f,
                "waited {waited_ms} ms for {}; in the way is {in_the_way}; nothing was changed",
                path.display()
            ),
            Error::Newer { path, what } => write!(f, "{}: {what}; nothing was changed", path.display()),
            Error::Damaged { path, line, what, advice } => {
                write!(f, "{}", path.display())?;
                if let Some(line) = line {
                    write!(f, " line {line}")?;
                }
                write!(f, ": damaged: {what}. The bytes are kept as they are. {advice}")
            }
            Error::Indefinite { path, what } => {
                write!(f, "{}: {what}; it may have happened, which cannot be known from here", path.display())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Environment { source, .. } => Some(source),
            _ => None,
        }
    }
}
