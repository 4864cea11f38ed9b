//! The gate's own helpers: one file of statuses as the board, plan files with one form of block, and git asked as whoever
//! writes such a helper asks it. Without a flaw it does what ours does; with all of [`PUBLISHED`] it is the algorithm that
//! such a helper was published with.

mod act;
mod gate;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::place::{PLANS, status_in};

/// The word by which the gate's binary is one of them.
pub(super) const BROKEN: &str = "broken-plan";

/// What is wrong with a helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A branch that differs from its upstream is behind it (M52).
    AheadIsBehind,
    /// It adds the file and commits the index (M55).
    IndexSweep,
    /// It goes on after a pull that failed (M58).
    PullFailContinue,
    /// It goes on after a fetch that failed.
    FetchFailContinue,
    /// Without an upstream the branch is behind (M59).
    NoUpstreamIsBehind,
    /// It fetches `origin`, whatever the branch follows (M59).
    FetchesOrigin,
    /// It waits for a remote as long as that takes (M59).
    NoTimeout,
    /// It commits in every run (M60).
    OpenLoop,
    /// It counts nothing that was not pushed.
    Unbounded,
    /// A file with changes is behind, too.
    OneCode,
    /// What was skipped is fine.
    SkippedIsFine,
    /// A file that could not be committed stays as it was written.
    NoRestore,
    /// What git is in the middle of is nothing to it.
    GoesOn,
    /// It does not look again whether the file is as it was read.
    NoRecheck,
}

/// The flaws of the algorithm as it was published.
pub const PUBLISHED: &[Flaw] = &[
    Flaw::AheadIsBehind,
    Flaw::IndexSweep,
    Flaw::PullFailContinue,
    Flaw::FetchFailContinue,
    Flaw::NoUpstreamIsBehind,
    Flaw::FetchesOrigin,
    Flaw::NoTimeout,
    Flaw::Unbounded,
    Flaw::OneCode,
    Flaw::SkippedIsFine,
    Flaw::NoRestore,
    Flaw::GoesOn,
    Flaw::NoRecheck,
];

impl Flaw {
    /// Every flaw.
    pub const ALL: [Flaw; 14] = [
        Flaw::AheadIsBehind,
        Flaw::IndexSweep,
        Flaw::PullFailContinue,
        Flaw::FetchFailContinue,
        Flaw::NoUpstreamIsBehind,
        Flaw::FetchesOrigin,
        Flaw::NoTimeout,
        Flaw::OpenLoop,
        Flaw::Unbounded,
        Flaw::OneCode,
        Flaw::SkippedIsFine,
        Flaw::NoRestore,
        Flaw::GoesOn,
        Flaw::NoRecheck,
    ];

    /// Its word on a command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Flaw::AheadIsBehind => "ahead-is-behind",
            Flaw::IndexSweep => "index-sweep",
            Flaw::PullFailContinue => "pull-fail-continue",
            Flaw::FetchFailContinue => "fetch-fail-continue",
            Flaw::NoUpstreamIsBehind => "no-upstream-is-behind",
            Flaw::FetchesOrigin => "fetches-origin",
            Flaw::NoTimeout => "no-timeout",
            Flaw::OpenLoop => "open-loop",
            Flaw::Unbounded => "unbounded",
            Flaw::OneCode => "one-code",
            Flaw::SkippedIsFine => "skipped-is-fine",
            Flaw::NoRestore => "no-restore",
            Flaw::GoesOn => "goes-on",
            Flaw::NoRecheck => "no-recheck",
        }
    }
}

/// The order of the statuses.
const RANKS: [(&str, u8); 4] = [("todo", 0), ("in_progress", 1), ("done", 2), ("cancelled", 2)];

fn rank(status: &str) -> u8 {
    RANKS.iter().find(|(name, _)| *name == status).map_or(0, |(_, rank)| *rank)
}

/// One run of a helper.
struct Run {
    flaws: Vec<Flaw>,
    clone: PathBuf,
    board: PathBuf,
    told: Vec<&'static str>,
}

/// Be a helper with the flaws that `words` names: `=` and the words, with commas between them.
#[must_use]
pub fn broken_plan(words: &str, args: &[String]) -> ExitCode {
    let flaws = words.trim_start_matches('=').split(',').filter(|word| !word.is_empty());
    let flaws: Option<Vec<Flaw>> =
        flaws.map(|word| Flaw::ALL.into_iter().find(|flaw| flaw.word() == word)).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (Some(flaws), ["--board", board, rest @ ..], Ok(clone)) =
        (flaws, args.as_slice(), std::env::current_dir())
    else {
        eprintln!("fencehold-gate: there is no helper {words:?}");
        return ExitCode::from(2);
    };
    let mut run = Run { flaws, clone, board: board.into(), told: Vec::new() };
    let code = match rest {
        ["set", task, status] => run.set(task, status).map(|()| 0),
        ["list"] => run.read().map(|board| {
            for (task, status) in board {
                println!("{}", json!({ "task": task, "statuses": [status] }));
            }
            0
        }),
        ["fix", flags @ ..] => run.fix(flags.contains(&"--pull")),
        _ => Err(format!("what is {rest:?}?")),
    };
    for code in &run.told {
        println!("{}", json!({ "code": code }));
    }
    match code {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            eprintln!("fencehold-gate: {why}");
            ExitCode::from(2)
        }
    }
}

impl Run {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn tell(&mut self, code: &'static str) {
        self.told.push(code);
    }

    fn read(&self) -> Result<BTreeMap<String, String>, String> {
        self.changed(|board| board.clone())
    }

    /// A status goes up, or stays.
    fn set(&self, task: &str, status: &str) -> Result<(), String> {
        self.changed(|board| {
            let stands = board.entry(task.to_owned()).or_insert_with(|| status.to_owned());
            if rank(status) > rank(stands) {
                status.clone_into(stands);
            }
        })
    }

    fn changed<T>(&self, change: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> Result<T, String> {
        let changed = || -> std::io::Result<T> {
            let lock = File::create(self.board.with_extension("lock"))?;
            lock.lock()?;
            let text = match std::fs::read_to_string(&self.board) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                read => read?,
            };
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let mut board: BTreeMap<String, String> =
                lines.map(|(task, status)| (task.to_owned(), status.to_owned())).collect();
            let before = board.clone();
            let answer = change(&mut board);
            if board != before {
                let text: String = board.iter().map(|(task, status)| format!("{task} {status}\n")).collect();
                let temp = self.board.with_extension("tmp");
                std::fs::write(&temp, text)?;
                std::fs::rename(&temp, &self.board)?;
            }
            Ok(answer)
        };
        changed().map_err(|error| format!("{}: {error}", self.board.display()))
    }

    /// Brings all plan files in step; gives the exit code.
    fn fix(&mut self, pull: bool) -> Result<u8, String> {
        let left = if self.has(Flaw::SkippedIsFine) { 0 } else { 1 };
        if pull && !self.pull() && !self.has(Flaw::PullFailContinue) {
            self.tell("pull-failed");
            return Ok(left);
        }
        let Some(at) = self.gate()? else { return Ok(left) };
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.clone.join(PLANS))
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
            .map_err(|error| error.to_string())?;
        files.sort();
        let mut at = at;
        for file in files {
            self.one(&file, &mut at)?;
        }
        if self.has(Flaw::OpenLoop) {
            let tree =
                ["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "chore: sync [auto]", "-m", "Auto: yes"];
            let commit = self.git(&tree)?;
            self.git(&["update-ref", "HEAD", &commit])?;
        }
        Ok(if self.told.is_empty() { 0 } else { left })
    }

    fn one(&mut self, file: &Path, at: &mut gate::At) -> Result<(), String> {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        let board = self.read()?;
        let mut new = text.clone();
        let ids = text.split("```task\nid: ").skip(1).filter_map(|block| block.lines().next());
        for id in ids {
            let Some(status) = status_in(&text, id) else { continue };
            match board.get(id) {
                Some(stands) if rank(stands) > rank(&status) => {
                    let was = format!("id: {id}\nstatus: {status}\n");
                    new = new.replace(&was, &format!("id: {id}\nstatus: {stands}\n"));
                }
                Some(_) => self.set(id, &status)?,
                None => self.set(id, &status)?,
            }
        }
        if new == text { Ok(()) } else { self.write_back(file, &text, &new, at) }
    }
}
