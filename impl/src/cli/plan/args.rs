//! `fencehold plan`, as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::args::Who;
use super::super::span;

const CHECK: &str = "\
Ends with 0 where every task block is in step with the board, with 1 where one is not, or cannot be read. Nothing is
written. What is told beside, as that the branch is behind its upstream (C-14), changes no exit code.";
const FIX: &str = "\
Where only the file moved since both last agreed, the board follows it (C-11), downwards by a reopen whose reason is
the commit; where only the board moved, the file follows it (C-13) and is committed, that file alone; where both
moved, neither is changed. Ends with 0 where all is in step then, or where only what --no-writeback leaves is not;
with 1 where anything else was left undone. Nothing is changed at all while the branch is behind its upstream (C-14),
or while that cannot be told; of a file with uncommitted changes nothing is taken over.";

#[derive(Debug, Subcommand)]
pub(in super::super) enum Plan {
    /// Compare the task blocks of markdown files with the board
    #[command(after_help = CHECK)]
    Check(Check),
    /// Bring task blocks and board in step
    #[command(after_help = FIX)]
    Fix(Fix),
    /// Propose the protocol of plan files for AGENTS.md, or CLAUDE.md where there is that alone; a person accepts it
    Init {
        /// Another file to propose it for
        file: Option<PathBuf>,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Args)]
pub(in super::super) struct Which {
    /// Files, folders (their *.md files, and those below) and globs
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// A board that is exchanged through this file, as `task export` writes it: joined before, written after by fix
    #[arg(long, value_name = "FILE")]
    pub(super) board: Option<PathBuf>,
    /// How long the remote of the branch may take to answer
    #[arg(long, value_name = "DURATION", value_parser = span::parse, default_value = "30s")]
    pub(super) fetch_timeout: Duration,
}

#[derive(Debug, Args)]
pub(in super::super) struct Check {
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Debug, Args)]
pub(in super::super) struct Fix {
    #[command(flatten)]
    pub(super) which: Which,
    /// Write no plan file; what the board is ahead by is told
    #[arg(long)]
    pub(super) no_writeback: bool,
    /// Pull first, forward only; where that fails nothing is done
    #[arg(long)]
    pub(super) pull: bool,
    #[command(flatten)]
    pub(super) who: Who,
}
