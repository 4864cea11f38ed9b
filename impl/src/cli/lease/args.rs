//! `fencehold lease`, as it is typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use fencehold_model::{LeaseId, Token};

use super::super::args::Who;
use super::super::fence::token;
use super::super::span;

const GRANT: &str = "\
A path covers itself and all below it. Globs are * and ? within a name, [a-z], and ** for any number of folders; what
exists under the very name that was typed is that file. The same path in another worktree is the same entry.

With --pid the lease may be reaped once that process is dead, with --ttl once that has passed and nobody can tell
whether its process lives. With neither it is open until somebody closes, crashes or clears it.";

#[derive(Debug, Subcommand)]
pub(in super::super) enum Lease {
    /// Register a piece of work and print its token; refused while an open lease writes what it writes
    Grant(Grant),
    /// Say that its work is done
    Close {
        /// The lease's id
        id: LeaseId,
        /// The token that grant printed; without it, the open grant of this holder
        #[arg(long, value_parser = token)]
        token: Option<Token>,
        #[command(flatten)]
        who: Who,
    },
    /// Say that its work stopped
    Crash {
        /// The lease's id
        id: LeaseId,
        /// Why
        #[arg(long)]
        reason: String,
        /// Only the grant of this token
        #[arg(long, value_parser = token)]
        token: Option<Token>,
        #[command(flatten)]
        who: Who,
    },
    /// Put a lease that has ended aside; an open one only by force and with a reason
    Clear {
        /// The lease's id
        id: LeaseId,
        /// Even an open one
        #[arg(long)]
        force: bool,
        /// Why; it is recorded
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Print all that is known of a lease
    Show {
        /// The lease's id
        id: LeaseId,
    },
    /// List the leases that are open or crashed
    List {
        /// Those in this state instead
        #[arg(long, value_enum, conflicts_with = "all")]
        state: Option<State>,
        /// Those in every state, also what ended long ago
        #[arg(long)]
        all: bool,
    },
    /// Say whether the work can be called finished: [BLOCK] while another's lease is open, which exits 1
    Closeout {
        /// The lease that is about to be closed; without it, those of this holder are
        id: Option<LeaseId>,
        #[command(flatten)]
        who: Who,
    },
    /// Make the open leases crashed whose process is dead or whose TTL has passed, and say on what evidence
    Reap {
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Args)]
#[command(after_help = GRANT)]
pub(in super::super) struct Grant {
    /// The lease's id
    pub(super) id: LeaseId,
    /// What it writes: files, folders with all below them, globs; relative to the current folder. A folder is one that
    /// stands, or is written with a / at its end
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(super) writes: Vec<OsString>,
    /// The same from a file, one a line; from stdin where it is -
    #[arg(long, value_name = "FILE")]
    pub(super) writes_from: Option<PathBuf>,
    #[command(flatten)]
    pub(super) who: Who,
    /// Which agent does the work
    #[arg(long)]
    pub(super) agent: Option<String>,
    /// The process that does the work: once it is dead the lease may be reaped
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) pid: Option<u64>,
    /// After how long it may be reaped where nobody can tell whether its process lives
    #[arg(long, value_name = "DURATION", value_parser = span::ttl)]
    pub(super) ttl: Option<Duration>,
    /// Where the work is done; this worktree where left out
    #[arg(long, value_name = "PATH")]
    pub(super) worktree: Option<String>,
    /// On which branch; that of this worktree where left out
    #[arg(long)]
    pub(super) branch: Option<String>,
}

/// Where a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum State {
    Open,
    Closed,
    Crashed,
    Cleared,
}

impl State {
    /// Its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Closed => "closed",
            State::Crashed => "crashed",
            State::Cleared => "cleared",
        }
    }
}
