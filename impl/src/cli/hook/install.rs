//! `fencehold hook install|uninstall|status`: a harness's settings, edited as a document.
//!
//! Invariants: one update wires every event or none, so that nothing is ever acquired that is not released; what others
//! wrote stays; after an uninstall the file is byte for byte what it was before the install, unless it was edited in
//! between.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::args::Common;
use super::super::locks::Locks;
use super::super::out::Ended;
use super::super::session::Session;
use super::before::Before;
use super::git_hooks;
use super::known::{CLAUDE, CODEX};
use super::made;
use super::try_it;
use super::wired::{commands, quoted, with_ours, without_ours};
use crate::document::{Document, merged};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs};
use crate::host::RealHost;
use crate::mark::{Answer, Shown};

#[derive(Debug, Subcommand)]
pub(in super::super) enum Hook {
    /// Make an agent's harness ask before each tool call, or git before each commit and push
    Install(Where),
    /// Make it ask no more; the settings are what they were
    Uninstall(Where),
    /// Say whether it asks, and try it
    Status(Where),
}

#[derive(Debug, Args)]
pub(in super::super) struct Where {
    /// Whose settings
    #[arg(long, value_enum, default_value = "claude")]
    harness: Harness,
    /// Another file than the harness's own one that is not committed
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Git's hooks pre-commit and pre-push instead, which ask whoever commits and pushes
    #[arg(long, conflicts_with_all = ["harness", "settings"])]
    git: bool,
}

/// A program that runs agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Harness {
    /// Claude Code: .claude/settings.local.json
    Claude,
    /// Codex: .codex/hooks.json
    Codex,
}

impl Where {
    /// The settings file, and the folder that may have to be made for it.
    fn file(&self, session: &Session) -> Result<PathBuf> {
        let root = &session.place.root;
        match (&self.settings, self.harness) {
            (Some(typed), _) => session.file(typed),
            (None, Harness::Claude) => Ok(root.join(CLAUDE)),
            (None, Harness::Codex) => Ok(root.join(CODEX)),
        }
    }
}

/// Enters `hook install|uninstall|status`.
pub(in super::super) fn hook(command: &Hook, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    // Apart from the harness's: git's hooks bind everybody who works in the repository, and that is asked for by name.
    match command {
        Hook::Install(Where { git: true, .. }) => git_hooks::install(&session),
        Hook::Uninstall(Where { git: true, .. }) => git_hooks::uninstall(&session),
        Hook::Status(Where { git: true, .. }) => git_hooks::status(&session),
        Hook::Install(at) => install(&session, &at.file(&session)?),
        Hook::Uninstall(at) => uninstall(&session, &at.file(&session)?),
        Hook::Status(at) => status(&session, &at.file(&session)?),
    }
}

/// This program, as a word of a shell.
pub(super) fn program() -> Result<String> {
    let path = std::env::current_exe()
        .map_err(|error| Error::environment("finding the program", Path::new("/proc/self/exe"), error))?;
    match path.to_str() {
        Some(path) => Ok(quoted(path)),
        None => Err(Error::usage(format!("{} is not UTF-8, so no settings can name it", path.display()))),
    }
}

fn document(session: &Session, locks: &Locks, file: &Path) -> Result<Document<RealFs, RealHost>> {
    let document =
        Document::open(session.fs, locks.host().clone(), locks.folder()?, &session.rooted()?, file)?;
    Ok(document.with_patience(session.settings.patience))
}

/// The settings that these bytes are.
fn parse(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| Error::usage(error.to_string()))
}

fn unshaped(why: impl std::fmt::Display) -> Error {
    Error::usage(format!("{why}; nothing was changed"))
}

/// What came of an update; nobody guards a harness's settings by a token.
fn done<T>(file: &Path, answer: Result<Answer<T>>) -> Result<T> {
    let answer = answer.map_err(|error| match error {
        Error::Usage(why) => Error::usage(format!("{}: {why}", file.display())),
        other => other,
    })?;
    answer.map_err(|refusal| Error::usage(format!("{}: {refusal}; nothing was changed", file.display())))
}

fn install(session: &Session, file: &Path) -> Ended {
    let program = program()?;
    let locks = Locks::open_or_create(session)?;
    let made_dir = file.parent().map_or(Ok(false), made::folder)?;
    let document = document(session, &locks, file)?;
    let update = document.update_bytes(None, &Shown::nothing(), |old| {
        let settings = parse(old)?;
        if commands(&settings).next().is_none() {
            let stood = session.fs.stat(file).is_ok_and(|stat| stat.is_some());
            let before =
                Before { settings: stood.then(|| old.to_owned()), made_dir, program: program.clone() };
            before.keep(locks.dir(), file)?;
        }
        merged(Some(old), &with_ours(&settings, &program).map_err(unshaped)?)
    });
    done(file, update)?;
    let object = json!({ "outcome": "ok", "value": { "settings": file.to_string_lossy() } });
    session.out.done(&object, "", "the hooks are installed")?;
    let shown = file.display();
    session.out.say(&format!("{shown} asks before each tool call, from the next session on"));
    Ok(0)
}

fn uninstall(session: &Session, file: &Path) -> Ended {
    let removed = remove_from(session, file)?;
    let object =
        json!({ "outcome": "ok", "value": { "settings": file.to_string_lossy(), "already": !removed } });
    session.out.done(&object, "", "the hooks are uninstalled")?;
    let word = if removed { "asks no more" } else { "did not ask" };
    session.out.say(&format!("{} {word}", file.display()));
    Ok(0)
}

/// Whether anything had to be removed.
pub(super) fn remove_from(session: &Session, file: &Path) -> Result<bool> {
    match Locks::open(session)? {
        Some(locks) if session.fs.stat(file).is_ok_and(|stat| stat.is_some()) => {
            remove(session, &locks, file)
        }
        _ => Ok(false),
    }
}

fn remove(session: &Session, locks: &Locks, file: &Path) -> Result<bool> {
    let before = Before::of(locks.dir(), file)?;
    let document = document(session, locks, file)?;
    let (mut removed, mut whole) = (false, None);
    let update = document.update_bytes(None, &Shown::nothing(), |old| {
        let settings = parse(old)?;
        removed = commands(&settings).next().is_some();
        if let Some(before) = before.as_ref().filter(|before| before.became(old)) {
            whole = Some(before);
            return Ok(before.settings.clone().unwrap_or_else(|| old.to_owned()));
        }
        if removed {
            merged(Some(old), &without_ours(&settings).map_err(unshaped)?)
        } else {
            Ok(old.to_owned())
        }
    });
    let version = done(file, update)?;
    if let Some(Before { settings: None, made_dir, .. }) = whole {
        // There was none; one that was edited just now stays.
        if document.remove(&version, &Shown::nothing())?.is_ok() && *made_dir {
            // Not empty: others use it.
            let _ = file.parent().map(|dir| session.fs.remove_dir(dir));
        }
    }
    Before::forget(locks.dir(), file)?;
    Ok(removed)
}

fn status(session: &Session, file: &Path) -> Ended {
    let settings = match crate::fs::read_file(&session.fs, file, crate::document::DOCUMENT_BYTES_MAX) {
        Ok(bytes) => bytes.map_or(Ok(Value::Null), |bytes| parse(&bytes)),
        Err(error) => Err(Error::environment("reading", file, error)),
    };
    try_it::status(session, file, &settings?)
}
