//! What goes to stdout (data, or JSON for machines) and to stderr (prose), and how a command ends.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::error::Error;

/// Refused by the rules.
pub(super) const REFUSED: u8 = 1;
/// Usage, configuration or environment: nothing happened.
pub(super) const USAGE: u8 = 2;
/// It may have happened.
pub(super) const INDEFINITE: u8 = 3;
/// Damaged data.
pub(super) const DAMAGED: u8 = 4;
/// A bug of ours.
pub(super) const BUG: u8 = 70;

/// Why a command ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// No answer could be given.
    Error(Error),
    /// All has been said; end with this code.
    Code(u8),
}

/// What a command comes to: an exit code.
pub(super) type Ended = Result<u8, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

/// Where the answers of a command go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Out {
    /// For machines.
    pub(super) json: bool,
}

impl Out {
    /// How many columns there are for people; none where stdout is no terminal.
    pub(super) fn width(self) -> Option<usize> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let columns = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col);
        // A terminal that does not know says 0.
        Some(if columns == 0 { 80 } else { columns.into() })
    }

    /// Whether to colour: on a terminal, unless NO_COLOR is set and not empty (no-color.org) or it can show none.
    pub(super) fn is_coloured(self) -> bool {
        let is = |name: &str, wanted: fn(&std::ffi::OsStr) -> bool| {
            std::env::var_os(name).is_some_and(|v| wanted(&v))
        };
        io::stdout().is_terminal()
            && !is("NO_COLOR", |value| !value.is_empty())
            && !is("TERM", |value| value == "dumb")
    }

    /// Writes `text` (lines that end with a newline) to stdout.
    pub(super) fn data(self, text: &str) -> Result<(), Stop> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes to stdout. A reader that went away is no error: the command ends with the code that it earned.
    pub(super) fn bytes(self, bytes: &[u8]) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Stop::Error(Error::environment("writing", Path::new("/dev/stdout"), error)))
            }
            _ => Ok(()),
        }
    }

    /// The answer of a reading command: `object` for machines, `text` for people.
    pub(super) fn answer(self, object: &Value, text: &str) -> Result<(), Stop> {
        if self.json { self.data(&format!("{object}\n")) } else { self.data(text) }
    }

    /// The answer of a command that changed something: when it cannot be written, that still happened.
    pub(super) fn done(self, object: &Value, text: &str, what: &str) -> Result<(), Stop> {
        let line = format!("{object}\n");
        self.printed(if self.json { &line } else { text }, what)
    }

    /// As [`Out::done`], for lines that are the same for people and for machines, or chosen already.
    pub(super) fn printed(self, lines: &str, what: &str) -> Result<(), Stop> {
        self.data(lines).map_err(|stop| match stop {
            Stop::Error(Error::Environment { source, .. }) => {
                say(&format!("the answer could not be written ({source}), but it happened: {what}"));
                Stop::Code(INDEFINITE)
            }
            other => other,
        })
    }

    /// A line of prose on stderr. Where nobody can read it, it is lost.
    pub(super) fn say(self, text: &str) {
        say(text);
    }

    /// As [`Out::say`], for what only a person who watches needs.
    pub(super) fn tell_who_watches(self, text: &str) {
        if io::stderr().is_terminal() {
            say(text);
        }
    }
}

/// A line of prose on stderr.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "fencehold: {text}");
}

/// A definite failure, for machines.
pub(super) fn fail(why: &str) -> Value {
    serde_json::json!({ "outcome": "fail", "error": why })
}

/// Says why a command ended and gives its code.
pub(super) fn code_of(ended: Ended, out: Out) -> u8 {
    match ended {
        Ok(code) | Err(Stop::Code(code)) => code,
        Err(Stop::Error(error)) => {
            say(&error.to_string());
            if out.json {
                let mut object = fail(&error.to_string());
                if error.happened() == crate::Happened::Unknown {
                    object["outcome"] = "info".into();
                }
                // The code says it too; a stdout that fails has nothing to add.
                let _ = out.data(&format!("{object}\n"));
            }
            error.exit_code()
        }
    }
}
