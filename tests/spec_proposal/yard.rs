//! A repository with proposals, for processes.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::{Asking, FileJournal, Options};
use fencehold::ledger::Ledger;
use fencehold_model::proposal::{Command, Sum, Target, applied, marker};
use fencehold_model::{Holder, ProposalId};
use serde_json::Value;

use crate::program::{Said, Yard, fencehold_in, said};

/// Proposes by stdin.
pub(super) fn add_in(dir: &Path, target: &str, id: &str, content: &str) -> Said {
    let mut child = fencehold_in(dir)
        .args(["proposal", "add", target, "--id", id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that is refused for its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(content.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        code: crate::program::code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(super) fn add(yard: &Yard, target: &str, id: &str, content: &str) {
    let said = add_in(&yard.path(), target, id, content);
    assert_eq!((said.code, said.stdout), (0, format!("{id}\n")), "{}", said.stderr);
}

/// A repository with a file of prose and some proposals.
pub(super) fn yard(ids: &[&str]) -> Yard {
    let yard = Yard::with_git();
    fs::write(yard.join("notes.md"), "# Notes\n").unwrap();
    for id in ids {
        add(&yard, "notes.md", id, &format!("## Of {id}\n\ntext of {id}\n"));
    }
    yard
}

pub(super) fn text(yard: &Yard) -> String {
    fs::read_to_string(yard.join("notes.md")).unwrap()
}

/// What a command with `--json` prints, a line each.
pub(super) fn lines(yard: &Yard, args: &[&str]) -> Vec<Value> {
    let said = said(yard.fencehold().arg("--json").args(args));
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Leaves an accept of `p` in doubt: begun, and then the file is another.
pub(super) fn in_doubt(yard: &Yard) {
    begun(yard, &yard.path(), "p");
    fs::write(yard.join("notes.md"), "# Edited\n").unwrap();
}

/// Begins an accept in a worktree, and does not go on.
pub(super) fn begun(yard: &Yard, tree: &Path, id: &str) {
    begun_for(yard, tree, "notes.md", id);
}

/// The same, for a file of another name.
pub(super) fn begun_for(yard: &Yard, tree: &Path, name: &str, id: &str) {
    let host = RealHost::new().unwrap();
    let journal = FileJournal::new(RealFs, host.clone(), &yard.join(".git/fencehold"), Options::default());
    let (ledger, target) = (Ledger::new(journal, host), Target::new(name).unwrap());
    let id = ProposalId::new(id).unwrap();
    let proposal = ledger.prose_of(&target).unwrap().value.proposals[&id].clone();
    let before = fs::read(tree.join(name)).unwrap();
    let after = applied(&before, &marker(&id, &proposal), proposal.content().unwrap()).unwrap();
    let file = tree.canonicalize().unwrap().join(name).to_string_lossy().into_owned();
    let (before, after) = (Sum::of(&before), Sum::of(&after));
    let asking = Asking { actor: Holder::new("killed").unwrap(), op: ledger.new_op() };
    ledger.proposal(&asking, &Command::Intend { target, id, file, before, after }).unwrap();
}
