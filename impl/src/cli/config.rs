//! `fencehold config apply|show`: what the team has agreed on, recorded so that every worktree obeys one.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use fencehold_model::Policy;
use serde_json::{Value, json};

use super::args::{Common, Who};
use super::identity::holder;
use super::locks::Locks;
use super::out::Ended;
use super::session::{Session, cwd};
use super::team::{self, Team};
use crate::error::{Error, Result};
use crate::fs::Fs as _;

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Make a fencehold.toml what the workspace obeys, in every worktree and on every branch
    Apply {
        /// The file; fencehold.toml at the top of this worktree where left out
        file: Option<PathBuf>,
        #[command(flatten)]
        who: Who,
    },
    /// Print what the workspace obeys, as a fencehold.toml
    Show,
}

/// Enters a config command.
pub(super) fn config(command: &Config, common: &Common) -> Ended {
    match command {
        Config::Apply { file, who } => apply(common, file.as_deref(), who),
        Config::Show => show(common),
    }
}

fn apply(common: &Common, file: Option<&Path>, who: &Who) -> Ended {
    let (holder, _) = holder(who)?;
    let session = Session::begin(common)?;
    let path = match file {
        Some(file) => cwd()?.join(file),
        None => standing(&session)?,
    };
    let team = Team::of(&session, &path)?;
    for key in &team.left_out {
        session.out.say(&format!("{key} is left out, so its default counts: {}", default_of(key)));
    }
    let locks = match Locks::open(&session)? {
        // A fresh workspace obeys it from the first.
        None if team.policy == Policy::default() => None,
        None => Some(Locks::open_or_create(&session)?),
        found => found,
    };
    let mut object =
        json!({ "outcome": "ok", "value": { "policy": object(&team.policy), "left_out": team.left_out } });
    let mut applied = false;
    if let Some(locks) = &locks {
        let before = locks.policy()?.value.gates.len();
        if before > 0 && team.policy.gates.is_empty() {
            session
                .out
                .say(&format!("the {before} gates that counted until now count no more: this file has none"));
        }
        let answer = locks.ledger().apply_policy(&locks.asking(&holder), &team.policy)?;
        applied = answer.verdict;
        object["revision"] = answer.revision.into();
        if !answer.durable {
            object["durable"] = false.into();
        }
        locks.tell_notes(session.out);
    }
    if !applied {
        object["value"]["already"] = true.into();
    }
    let what = if applied { "is applied" } else { "was applied already" };
    session.out.done(&object, "", &format!("{} {what}", path.display()))?;
    session.out.tell_who_watches(&format!("{} {what}", path.display()));
    Ok(0)
}

/// The file of this worktree.
fn standing(session: &Session) -> Result<PathBuf> {
    let path = session.place.root.join(team::FILE);
    let found = session.fs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
    if found.is_none() {
        return Err(Error::usage(format!(
            "there is no {}; nothing was applied. `fencehold config show > {}` begins one with what counts now",
            path.display(),
            team::FILE
        )));
    }
    Ok(path)
}

fn show(common: &Common) -> Ended {
    let session = Session::begin(common)?;
    let locks = Locks::open(&session)?;
    let policy = match &locks {
        Some(locks) => locks.policy()?.value,
        None => Policy::default(),
    };
    session.out.answer(&object(&policy), &team::render(&policy))?;
    if let Some(locks) = &locks {
        locks.tell_notes(session.out);
    }
    Ok(0)
}

/// A policy for machines: `statuses`, `task_ids`, `lease_ids`, `overlap`, and `guarded` where something is.
fn object(policy: &Policy) -> Value {
    let mut text = String::new();
    policy.write(&mut text);
    serde_json::from_str(&text).expect("what the model writes as JSON is JSON")
}

/// The default of a key, as a `fencehold.toml` has it.
fn default_of(key: &str) -> String {
    let policy = Policy::default();
    match key {
        "tasks.ids" => format!("{:?}", policy.task_ids.word()),
        "leases.ids" => format!("{:?}", policy.lease_ids.word()),
        "leases.overlap" => format!("{:?}", policy.overlap.word()),
        _ => {
            let rungs = policy.vocabulary.rungs().iter().map(|rung| format!("{} {}", rung.status, rung.rank));
            rungs.collect::<Vec<_>>().join(", ")
        }
    }
}
