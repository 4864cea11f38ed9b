//! Entries of steps by force, as the commands write and show them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fencehold_model::status::Owed;
use fencehold_model::{Holder, Revision};
use serde_json::{Value, json};

use crate::cli::out::say;
use crate::cli::union_lines;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs};
use crate::host::RealHost;
use crate::journal::FileJournal;
use crate::ledger::Ledger;
use crate::locate::{self, Place, Start};
use crate::log::GitCheckout;
use crate::mark::Folder;
use crate::outbox::{Became, Outbox, Root, Settled};

/// The steps by force whose entries are owed, by their revisions.
pub(in super::super) type Owes = BTreeMap<Revision, Owed>;
/// The ledger of the real disk.
type RealLedger = Ledger<FileJournal<RealFs, RealHost>, RealHost>;

/// Writes what is owed, and says of each entry what became of it. What cannot be written fails no command.
pub(in super::super) fn settle(
    place: &Place,
    ledger: &RealLedger,
    actor: &Holder,
    give_up: bool,
) -> Result<()> {
    let owes = ledger.owed()?.value;
    if owes.is_empty() {
        return Ok(());
    }
    for (_, owed, file) in each(&owes) {
        if let Some(common_dir) = &place.common_dir {
            let git = GitCheckout { common_dir: common_dir.clone(), top: PathBuf::from(&owed.forced.root) };
            union_lines::note(RealFs, &place.dir, &git, &git.top.join(file));
        }
    }
    let outbox = Outbox {
        fs: &RealFs,
        ledger,
        folder: Folder { dir: place.dir.clone(), id: ledger.workspace()? },
        common_dir: place.common_dir.clone(),
    };
    for settled in outbox.settle(&owes, actor, give_up, |path| root(place, path)) {
        tell(&settled);
    }
    Ok(())
}

/// As [`settle`], behind a command that is done: what fails here is said, and changes nothing of its answer.
pub(in super::super) fn settle_after(place: &Place, ledger: &RealLedger, actor: &Holder) {
    if let Err(error) = settle(place, ledger, actor, false) {
        say(&format!("what is owed to logs cannot be written: {error}"));
    }
}

fn tell(Settled { step, file, root, became }: &Settled) {
    let path = Path::new(root).join(file);
    match became {
        Became::Written(note) => note.iter().for_each(|note| say(&note.0)),
        Became::GivenUp => say(&format!(
            "the entry of override {step} in {} is given up: its worktree is gone; the history keeps the override",
            path.display()
        )),
        Became::Owed(error) => say(&format!(
            "the override {step} is recorded, but its entry in {} is still owed: {error}. The next `fencehold task` that \
             writes tries again, and so does `fencehold repair`",
            path.display()
        )),
    }
}

/// What a folder is that a step looked into.
fn root(place: &Place, path: &Path) -> Result<Root> {
    let there = RealFs.stat(path).map_err(|error| Error::environment("looking at", path, error))?;
    if there.is_none() {
        return Ok(Root::Gone);
    }
    if path == place.root {
        return Ok(Root::Ours);
    }
    let found = locate::locate(&RealFs, Start { at: path, git_dir: None })?;
    Ok(if found.dir == place.dir { Root::Ours } else { Root::Foreign })
}

/// What is owed, a line each.
pub(in super::super) fn owed_lines(owes: &Owes) -> String {
    let line = |(step, owed, file): (Revision, &Owed, &String)| {
        format!("owed: the entry of override {step} of task {} in {}/{file}\n", owed.task, owed.forced.root)
    };
    each(owes).map(line).collect()
}

/// What is owed, for machines.
pub(in super::super) fn owed_objects(owes: &Owes) -> Value {
    let object = |(step, owed, file): (Revision, &Owed, &String)| json!({ "revision": step, "task": owed.task.as_str(), "root": owed.forced.root, "file": file });
    each(owes).map(object).collect()
}

/// Every entry that is owed: its step, what is known of that, its log.
pub(in super::super) fn each(owes: &Owes) -> impl Iterator<Item = (Revision, &Owed, &String)> {
    owes.iter().flat_map(|(step, owed)| owed.forced.owes.iter().map(move |file| (*step, owed, file)))
}
