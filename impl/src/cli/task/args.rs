//! `fencehold task`, as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fencehold_model::status::Detail;
use fencehold_model::{NUMBER_BOUND, Revision, Status, TaskId};

use super::super::args::Who;

const MERGE: &str = "\
Nothing is merged unless the whole file is good. Each task that changes is one commit: killed anywhere and run
again, it comes to the same. A board of another workspace is what this is for; its id is told. Ends with 1 while
a task of the board is in conflict here, and names it; all of the board is merged then too. A task that a gate
stands before stays as it is, is named, and ends it with 1; all others are merged.";

#[derive(Debug, Subcommand)]
pub(in super::super) enum Task {
    /// Move a task to a status
    Set(Set),
    /// Print the status of a task; ends with 1 where several stand in conflict, one a line
    Get {
        /// The task's id
        task: TaskId,
    },
    /// List the tasks that have a status
    List,
    /// Print all that is known of a task, and its history
    Show {
        /// The task's id
        task: TaskId,
    },
    /// Begin a task anew, from a final status too, and print its new epoch
    Reopen {
        /// The task's id
        task: TaskId,
        /// Where it begins
        status: Status,
        /// The status that it is seen to be; refused where it is another by now
        #[arg(long, value_name = "STATUS")]
        from: Option<Status>,
        /// The epoch that was seen; refused where it was reopened since
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..NUMBER_BOUND))]
        epoch: Option<Revision>,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// Pass the gates of the status for this reason, whatever is not met
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        who: Who,
    },
    /// Write what every task is to a file, for another clone to merge
    Export {
        /// The file, replaced whole; stdout where it is - or left out
        file: Option<PathBuf>,
    },
    /// Join what another clone exported with what stands here
    #[command(after_help = MERGE)]
    Merge {
        /// The file; stdin where it is -
        file: PathBuf,
        #[command(flatten)]
        force: Force,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Args)]
pub(in super::super) struct Set {
    /// The task's id
    pub(super) task: TaskId,
    /// The status that it moves to
    pub(super) status: Status,
    /// The status that it is seen to be; needed for a step within a rank
    #[arg(long, value_name = "STATUS")]
    pub(super) from: Option<Status>,
    /// The epoch that was seen, where it was reopened
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..NUMBER_BOUND), default_value_t = 0)]
    pub(super) epoch: Revision,
    /// End a conflict by choosing this status
    #[arg(long)]
    pub(super) resolve: bool,
    /// A small JSON object that goes with the status: a question, a URL
    #[arg(long, value_name = "JSON", value_parser = detail)]
    pub(super) detail: Option<Detail>,
    #[command(flatten)]
    pub(super) force: Force,
    #[command(flatten)]
    pub(super) who: Who,
}

/// The way round a gate.
#[derive(Debug, Args)]
pub(in super::super) struct Force {
    /// Pass the gates of the status, whatever is not met; needs --reason, and both are recorded
    #[arg(long)]
    force: bool,
    /// Why it is forced
    #[arg(long, requires = "force", value_name = "TEXT")]
    reason: Option<String>,
}

impl Force {
    /// Why it is forced, if it is; blank where no reason was given, which is refused like any other blank one.
    pub(super) fn reason(&self) -> Option<&str> {
        self.force.then(|| self.reason.as_deref().unwrap_or_default())
    }
}

fn detail(text: &str) -> Result<Detail, String> {
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    Detail::new(&json).map_err(|bad| bad.to_string())
}
