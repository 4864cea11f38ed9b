//! The one definition of the command line: the parser, the completions and the man pages come from it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use fencehold_model::{Claim, Holder, LockName, Token};

use super::config::Config;
use super::fence::token;
use super::hook::Hook;
use super::lease::args::Lease;
use super::plan::args::Plan;
use super::proposal::args::Proposal;
use super::span;
use super::task::args::Task;
use crate::mark::Fence;

const AFTER: &str = "\
Exit codes: 0 done; 1 refused by the rules, or a conflict stands; 2 usage, configuration or environment,
nothing happened; 3 it may have happened; 4 damaged data, kept and reported; 70 a bug of fencehold.
`lock run` gives the code of its command, or 128+signal; 75 the lock is held; 76 the lock was lost
while the command ran; 125 an error of fencehold; 126 and 127 as env(1).

Durations are written 500ms, 30s, 5m, 1h30m or 2d.";

/// Many processes write safely in one shared checkout: locks with fencing tokens, logs and documents.
#[derive(Debug, Parser)]
#[command(name = "fencehold", bin_name = "fencehold", version, after_help = AFTER, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// Find the workspace from this folder instead of the current one [env: FENCEHOLD_ROOT]
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) root: Option<PathBuf>,
    /// For machines: one JSON object a line on stdout, all prose on stderr
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create the workspace, or say that it is there
    Init(Init),
    /// Take the workspace away again, and what it left in git's files
    Deinit(Deinit),
    /// Say which folder the workspace is, and why
    Where,
    /// Say as which holder you would act, and why
    Whoami(Who),
    /// Say who holds what, until when, who waits, and what is damaged
    Status,
    /// Show what `status` says, live, in a terminal
    Watch,
    /// Compare what is changed in the work tree with the leases: what was written without a claim
    Audit(Who),
    /// Look for what is wrong with the workspace and say what to do
    Doctor,
    /// Exclusive locks on names
    #[command(subcommand)]
    Lock(Lock),
    /// Pieces of work, and what each of them writes
    #[command(subcommand)]
    Lease(Lease),
    /// What every task is: todo, in progress, done
    #[command(subcommand)]
    Task(Task),
    /// Task blocks in markdown files, and the board
    #[command(subcommand)]
    Plan(Plan),
    /// What the team has agreed on: statuses, ids, overlaps
    #[command(subcommand)]
    Config(Config),
    /// What asks before each tool call of an agent, installed into its harness's settings
    #[command(subcommand)]
    Hook(Hook),
    /// NDJSON files that many processes append to
    #[command(subcommand)]
    Log(Log),
    /// JSON files under read-modify-write
    #[command(subcommand)]
    Doc(Doc),
    /// Sections for shared prose: proposed by anyone, accepted once
    #[command(subcommand)]
    Proposal(Proposal),
    /// Print what happened, the oldest first
    History {
        /// Only what concerns the lock, lease, task, proposal or file of this name; lock/NAME, lease/ID, task/ID, proposal/ID
        /// say which
        name: Option<String>,
    },
    /// Go on after damage: what is valid stays, what is not is kept aside
    Repair,
    /// Speak the target protocol on stdin and stdout
    Serve,
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print a man page: `fencehold man`, `fencehold man lock run`
    Man {
        /// The command that the page is about
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").multiple(false))]
pub(super) struct Init {
    /// Into .fencehold of the main working tree, for sandboxes whose .git is read-only
    #[arg(long, group = "place")]
    pub(super) in_tree: bool,
    /// Into this folder, for all worktrees; kept in git's config
    #[arg(long, group = "place", value_name = "PATH")]
    pub(super) dir: Option<PathBuf>,
    /// For a group: group-writable, whatever the umask
    #[arg(long)]
    pub(super) shared: bool,
}

#[derive(Debug, Args)]
pub(super) struct Deinit {
    /// Whoever holds something, whatever is not known there, and with the hooks that are installed
    #[arg(long, requires = "reason")]
    pub(super) force: bool,
    /// Why it is forced; it is told with what was removed
    #[arg(long)]
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Who {
    /// The holder [env: FENCEHOLD_HOLDER; else the agent session's id, else user, host and terminal]
    #[arg(long)]
    pub(super) holder: Option<Holder>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Grant {
    /// Until when it is yours unless renewed; 5m where left out
    #[arg(long, value_name = "DURATION", value_parser = span::ttl)]
    pub(super) ttl: Option<Duration>,
    /// How long to wait while another holds it; not at all where left out
    #[arg(long, value_name = "DURATION", value_parser = span::parse)]
    pub(super) wait: Option<Duration>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Shown {
    #[command(flatten)]
    pub(super) who: Who,
    /// The token that acquire printed
    #[arg(long, value_parser = token)]
    pub(super) token: Option<Token>,
    /// The claim that it was acquired with [env: FENCEHOLD_CLAIM]
    #[arg(long)]
    pub(super) claim: Option<Claim>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Lock {
    /// Take a lock and print its token
    Acquire {
        /// The lock's name
        name: LockName,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        grant: Grant,
        /// The id that makes asking again idempotent [env: FENCEHOLD_CLAIM; else random]
        #[arg(long)]
        claim: Option<Claim>,
        /// Bind it to this process: it ends with it, and does not lapse while it lives
        #[arg(long, value_name = "PID", value_parser = clap::value_parser!(u64).range(1..))]
        pid: Option<u64>,
    },
    /// Move the expiry of a lock that you hold
    Renew {
        /// The lock's name
        name: LockName,
        #[command(flatten)]
        shown: Shown,
        /// For how long from now; as before where left out
        #[arg(long, value_name = "DURATION", value_parser = span::ttl)]
        ttl: Option<Duration>,
    },
    /// Give up a lock that you hold
    Release {
        /// The lock's name
        name: LockName,
        #[command(flatten)]
        shown: Shown,
    },
    /// End another's lock by hand; it is recorded
    Break {
        /// The lock's name
        name: LockName,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
    /// Say who holds a lock
    Show {
        /// The lock's name
        name: LockName,
    },
    /// List the locks that are held
    List,
    /// Run a command while holding a lock
    Run(Run),
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The lock's name
    pub(super) name: LockName,
    #[command(flatten)]
    pub(super) who: Who,
    #[command(flatten)]
    pub(super) grant: Grant,
    /// How long the command may take to end after SIGTERM, when the lock was lost
    #[arg(long, value_name = "DURATION", value_parser = span::parse, default_value = "10s")]
    pub(super) grace: Duration,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(super) command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// Append a record
    Append {
        /// The file
        file: PathBuf,
        /// The record, a JSON object with a string `id`; from stdin, one a line, where left out
        record: Option<String>,
        #[command(flatten)]
        fence: Fenced,
    },
    /// Print the records
    Read {
        /// The file
        file: PathBuf,
    },
    /// Print the records in which all of the terms stand, whatever their case
    Search(Search),
    /// Fold records that differ in nothing but id, times and counts into one that counts them; the old file is kept
    Compact {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        fence: Fenced,
    },
    /// Take over a log that is one JSON array, or an object with an array `bugs`; it is read, and stays
    Import {
        /// The file to read
        legacy: PathBuf,
        /// The file to append to
        file: PathBuf,
        #[command(flatten)]
        fence: Fenced,
    },
    /// Say what is damaged and which ids stand there twice
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Search {
    /// The file
    pub(super) file: PathBuf,
    /// A text that stands in one of a record's texts
    #[arg(value_name = "TERM", required_unless_present_any = ["related", "recurring"])]
    pub(super) terms: Vec<String>,
    /// Look at this field of a record alone; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) field: Vec<String>,
    /// The records that are like this one or name it, the likest first
    #[arg(long, value_name = "ID", conflicts_with = "recurring")]
    pub(super) related: Option<String>,
    /// What stands in this field of two records or more, the most frequent first
    #[arg(long, value_name = "NAME")]
    pub(super) recurring: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Fenced {
    /// The lock or lease behind which this stands: refused when something newer was seen
    #[arg(long, value_name = "lock/NAME=TOKEN|lease/ID=TOKEN")]
    pub(super) fence: Option<Fence>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Doc {
    /// Print the document
    Read {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        fence: Fenced,
    },
    /// Change the document
    Update(Update),
    /// Put a valid document in the place of a damaged one, which is kept aside
    Repair {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        fence: Fenced,
        #[command(flatten)]
        force: Force,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct Force {
    /// Write past the fence of a guarded document
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why it is forced
    #[arg(long)]
    reason: Option<String>,
}

impl Force {
    /// The reason, where it is forced.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref().filter(|_| self.force)
    }
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(false))]
pub(super) struct Update {
    /// The file
    pub(super) file: PathBuf,
    /// A merge patch (RFC 7396): null removes a key
    #[arg(long, group = "change", value_name = "JSON")]
    pub(super) merge: Option<String>,
    /// A command run by sh that reads the document on stdin and prints the new one
    #[arg(long, group = "change", value_name = "FILTER")]
    pub(super) exec: Option<String>,
    /// How long that command may take; then it is killed, and nothing is changed
    #[arg(long, value_name = "DURATION", value_parser = span::parse, default_value = "30s", conflicts_with = "merge")]
    pub(super) within: Duration,
    /// Only where the document is at this version
    #[arg(long, value_name = "VERSION")]
    pub(super) expect: Option<String>,
    #[command(flatten)]
    pub(super) fence: Fenced,
    #[command(flatten)]
    pub(super) force: Force,
}
