//! A script that keeps phases in one file and overrides in another, with flaws or without.
//!
//! The published one: `phase-status N done` looks for `VERIFICATION.md` with a time of at most seven days ago, reads
//! `ROADMAP.md`, changes a line, writes it, and with `--force --reason TEXT` appends to a file of lessons in the same way.
//! No flaw in it is left out, and none is added: the arguments are what stands behind a flag, whatever that is.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use super::super::repo::{DAY_S, Repo, now_s};
use super::scenarios::{Phases, proof};
use crate::program::clean;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A proof is fresh if the time of its file is.
    TimeOfFile,
    /// A proof need not say anything.
    EmptyPasses,
    /// Two at once read before either writes.
    Unlocked,
    /// Force needs no reason.
    BlankReason,
    /// A reason is whatever stands behind the flag, nothing included.
    AnyReason,
    /// The step is written first, and why it was forced after it, elsewhere.
    RecordApart,
}

/// The published one.
pub(super) const PUBLISHED: &[Flaw] =
    &[Flaw::TimeOfFile, Flaw::EmptyPasses, Flaw::Unlocked, Flaw::AnyReason, Flaw::RecordApart];

const ROADMAP: &str = "ROADMAP.md";
const LESSONS: &str = "docs/lessons.md";

pub(super) struct Naive {
    repo: Repo,
    flaws: &'static [Flaw],
}

/// What a command has read, and is about to write.
struct Begun {
    roadmap: String,
    lessons: String,
    phase: String,
    reason: Option<String>,
}

impl Naive {
    pub(super) fn new(flaws: &'static [Flaw]) -> Self {
        Naive { repo: Repo::with(""), flaws }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.repo.path(file)).unwrap_or_default()
    }

    fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        let output = clean(git.current_dir(self.repo.0.path())).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn is_proven(&self, phase: &str) -> bool {
        let file = proof(phase);
        let Ok(meta) = fs::metadata(self.repo.path(&file)) else { return false };
        if !self.has(Flaw::EmptyPasses) && self.read(&file).trim().is_empty() {
            return false;
        }
        if self.has(Flaw::TimeOfFile) {
            let age = SystemTime::now().duration_since(meta.modified().unwrap());
            // A time in the future is no age at all.
            return age.map_or(true, |age| age.as_secs() <= 7 * DAY_S);
        }
        let last = |path: &str| self.git(&["log", "-1", "--format=%ct %H", "--", path]);
        let (file, work) = (last(&file), last("src"));
        let Some((seconds, commit)) = file.split_once(' ') else { return false };
        let seconds: u64 = seconds.parse().unwrap();
        let work = work.split_once(' ').unwrap().1;
        let is_after = self.git(&["rev-list", "-1", work, "--not", commit]).is_empty();
        is_after && seconds <= now_s() && now_s() - seconds <= 7 * DAY_S
    }

    /// Why it is forced, if it is; none where it must be refused.
    fn forced(&self, args: &[&str]) -> Option<Option<String>> {
        if !args.contains(&"--force") {
            return Some(None);
        }
        let behind = args.iter().position(|arg| *arg == "--reason").and_then(|at| args.get(at + 1));
        let reason = behind.map(|reason| (*reason).to_owned());
        let is_good = |reason: &String| !reason.starts_with("--") && reason.contains(char::is_alphanumeric);
        if self.has(Flaw::BlankReason) {
            return Some(Some(reason.unwrap_or_default()));
        }
        if self.has(Flaw::AnyReason) {
            return reason.map(Some);
        }
        reason.filter(is_good).map(Some)
    }

    fn begin(&self, phase: &str, args: &[&str]) -> Option<Begun> {
        let reason = self.forced(args)?;
        if reason.is_none() && !self.is_proven(phase) {
            return None;
        }
        Some(Begun {
            roadmap: self.read(ROADMAP),
            lessons: self.read(LESSONS),
            phase: phase.to_owned(),
            reason,
        })
    }

    /// Writes what it has read with its own line behind.
    fn end(&self, begun: Begun) -> bool {
        let Begun { roadmap, lessons, phase, reason } = begun;
        let step = || fs::write(self.repo.path(ROADMAP), format!("{roadmap}{phase}\n")).is_ok();
        let record = || match &reason {
            None => true,
            Some(reason) => {
                fs::write(self.repo.path(LESSONS), format!("{lessons}{phase}: {reason}\n")).is_ok()
            }
        };
        // The record first, or nothing says why once the step stands.
        (self.has(Flaw::RecordApart) || record()) && step() && (!self.has(Flaw::RecordApart) || record())
    }
}

impl Phases for Naive {
    fn repo(&self) -> &Repo {
        &self.repo
    }

    fn done(&mut self, phase: &str, args: &[&str]) -> bool {
        self.begin(phase, args).is_some_and(|begun| self.end(begun))
    }

    fn both_done(&mut self, phases: [&str; 2], args: &[&str]) -> usize {
        if !self.has(Flaw::Unlocked) {
            return phases.into_iter().filter(|phase| self.done(phase, args)).count();
        }
        let both = phases.map(|phase| self.begin(phase, args));
        both.into_iter().flatten().filter_map(|begun| self.end(begun).then_some(())).count()
    }

    fn are_done(&mut self) -> Vec<String> {
        self.read(ROADMAP).lines().map(str::to_owned).collect()
    }

    fn reasons(&mut self, phase: &str) -> Vec<String> {
        let lessons = self.read(LESSONS);
        let reason = |line: &str| Some(line.strip_prefix(phase)?.strip_prefix(": ")?.to_owned());
        lessons.lines().filter_map(reason).collect()
    }
}
