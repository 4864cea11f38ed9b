//! `fencehold proposal`, as it is typed.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use fencehold_model::ProposalId;
use fencehold_model::proposal::Verdict;

use super::super::args::{Fenced, Force, Who};
use super::pick::Numbers;

const ADD: &str = "\
The content becomes a section at the end of the file when it is accepted, byte for byte as given. It may have 32 KiB.
The same id with the same content is no second proposal; with another content it is refused.";

const ACCEPT: &str = "\
Each is one step: killed anywhere and run again, its content stands in the file once. An accept that another process
left behind is ended first; where the file does not tell how it ended it is in doubt, and nothing else of this file is
accepted until `fencehold proposal resolve` says what it was.";

#[derive(Debug, Subcommand)]
pub(in super::super) enum Proposal {
    /// Propose a section for the end of a file, and print its id
    #[command(after_help = ADD)]
    Add {
        /// The file
        target: PathBuf,
        /// The proposal's id among those of the file; a random one where left out
        #[arg(long)]
        id: Option<ProposalId>,
        /// The file that holds the content; stdin where it is - or left out
        #[arg(long, value_name = "PATH")]
        file: Option<PathBuf>,
        #[command(flatten)]
        who: Who,
    },
    /// List what is proposed, each with its number
    List {
        /// Of this file alone
        target: Option<PathBuf>,
        /// Those too that were accepted or rejected
        #[arg(long)]
        all: bool,
    },
    /// Print a proposal, and what it would change in the file
    Show {
        /// The file
        target: PathBuf,
        /// The proposal
        id: ProposalId,
    },
    /// Append the content of proposals to their file
    #[command(after_help = ACCEPT)]
    Accept {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        fence: Fenced,
        #[command(flatten)]
        force: Force,
        #[command(flatten)]
        who: Who,
    },
    /// Put proposals aside for good; no file is touched
    Reject {
        #[command(flatten)]
        chosen: Chosen,
        /// Why; it is recorded
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Say what became of an accept where the file does not tell; no file is touched
    Resolve {
        /// The file
        target: PathBuf,
        /// The proposal
        id: ProposalId,
        /// What it was
        #[arg(long = "as", value_name = "HOW")]
        how: How,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        who: Who,
    },
    /// End with 1 where something is proposed or in doubt; writes nothing
    Check {
        /// Of this file alone
        target: Option<PathBuf>,
    },
}

/// Which proposals.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").multiple(false))]
pub(in super::super) struct Chosen {
    /// The file
    pub(super) target: PathBuf,
    /// The proposals, by their ids
    #[arg(group = "which", value_name = "ID")]
    pub(super) ids: Vec<ProposalId>,
    /// By the numbers that `list` shows, as in 1-3,5
    #[arg(long, group = "which", value_name = "NUMBERS")]
    pub(super) pick: Option<Numbers>,
    /// All that are proposed
    #[arg(long, group = "which")]
    pub(super) all: bool,
    /// Do not ask before it is done
    #[arg(long)]
    pub(super) yes: bool,
}

/// What a doubt turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum How {
    /// The content stands in the file, or did
    Accepted,
    /// It does not
    Rejected,
}

impl From<How> for Verdict {
    fn from(how: How) -> Self {
        match how {
            How::Accepted => Verdict::Accepted,
            How::Rejected => Verdict::Rejected,
        }
    }
}
