//! `fencehold hook install|uninstall|status --git`: files in git's folder of hooks.
//!
//! Invariants: a hook that others wrote is never touched, renamed or called by us: where one stands, the line to add is
//! said, and nothing is installed; both are installed or none; what is removed is exactly what was installed. Renaming
//! others' hooks and calling them from ours, as some do, breaks as soon as two programs do it, and a hook that a shared
//! configuration names outside of the repository is asked in every repository of the user.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::super::git::hooks_dir;
use super::super::locks::Locks;
use super::super::out::{Ended, REFUSED};
use super::super::session::Session;
use super::backstop::{ANSWERS, WORDS};
use super::install::program;
use super::made;
use crate::document::Version;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, Kind, RealFs, create_synced, read_file};
use crate::host::{Host as _, RealHost};
use crate::mark::{sweep, temp_name};

/// The longest hook that is read.
const BYTES_MAX: usize = 1 << 20;
const BEGINS: &str = "#!/bin/sh\n# Written by `fencehold hook install --git`, removed by `fencehold hook uninstall --git`.\nexec ";

/// What stands where a hook of ours would.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stands {
    Nothing,
    /// Ours, with its program as a word of sh.
    Ours(String),
    /// Another's; whether it asks us.
    Theirs(bool),
}

fn line(program: &str, word: &str) -> String {
    format!("{program} hook {word} \"$@\"")
}

fn script(program: &str, word: &str) -> String {
    format!("{BEGINS}{}\n", line(program, word))
}

fn look(path: &Path, word: &str) -> Result<Stands> {
    let failed = |error| Error::environment("looking at", path, error);
    match RealFs.stat(path).map_err(failed)? {
        None => return Ok(Stands::Nothing),
        Some(stat) if stat.kind != Kind::File => return Ok(Stands::Theirs(false)),
        Some(_) => {}
    }
    let bytes = read_file(&RealFs, path, BYTES_MAX).map_err(failed)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let ours =
        text.strip_prefix(BEGINS).and_then(|rest| rest.strip_suffix(&format!(" hook {word} \"$@\"\n")));
    match ours.filter(|program| !program.contains('\n')) {
        Some(program) => Ok(Stands::Ours(program.to_owned())),
        None => {
            let asks = |line: &str| {
                !line.trim_start().starts_with('#')
                    && line.contains("fencehold")
                    && line.contains(&format!(" hook {word}"))
            };
            Ok(Stands::Theirs(text.lines().any(asks)))
        }
    }
}

/// Where git looks, unless that is not this repository's.
fn folder(session: &Session) -> Result<PathBuf> {
    let place = &session.place;
    let Some(common_dir) = &place.common_dir else {
        return Err(Error::usage("this is no git repository, so git has no hooks here; nothing was changed"));
    };
    let dir = hooks_dir(session)?;
    let real = resolved(&dir);
    if real.starts_with(common_dir) || real.starts_with(&place.root) {
        return Ok(real);
    }
    Err(Error::usage(format!(
        "git takes its hooks from {}, outside of this repository (core.hooksPath), so they are asked in other repositories \
         too; nothing was changed. Give this one its own, `git config core.hooksPath {}`, or add `{}` to the one there",
        dir.display(),
        common_dir.join("hooks").display(),
        line("fencehold", "pre-commit"),
    )))
}

/// Without symlinks as far as it exists, so that no link leads out of the repository unseen.
fn resolved(dir: &Path) -> PathBuf {
    match (RealFs.resolve(dir), dir.parent(), dir.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        (Err(_), ..) => dir.to_owned(),
    }
}

/// `fencehold hook install --git`.
pub(super) fn install(session: &Session) -> Ended {
    let (dir, program) = (folder(session)?, program()?);
    let stands: Vec<Stands> = WORDS.iter().map(|word| look(&dir.join(word), word)).collect::<Result<_>>()?;
    let missing = WORDS.iter().zip(&stands).filter(|(_, stands)| **stands == Stands::Theirs(false));
    let to_add: Vec<String> = missing
        .map(|(word, _)| format!("{}: {} || exit 1", dir.join(word).display(), line(&program, word)))
        .collect();
    if !to_add.is_empty() {
        let object =
            json!({ "outcome": "refused", "reason": "hooks_of_others", "value": { "to_add": to_add } });
        session.out.answer(&object, "")?;
        session.out.say(&format!(
            "a hook of others stands there and stays as it is; nothing was changed. Add this line to it, or to what it \
             runs, then install again: {}",
            to_add.join("; ")
        ));
        return Ok(REFUSED);
    }
    let locks = Locks::open_or_create(session)?;
    let made_dir = made::folder(&dir)?;
    keep(locks.dir(), &dir, made_dir)?;
    let mut made: Vec<PathBuf> = Vec::new();
    for (word, stands) in WORDS.iter().zip(&stands) {
        let path = dir.join(word);
        let put = match stands {
            Stands::Ours(known) if *known == program => Ok(()),
            Stands::Ours(_) => put(&path, &script(&program, word), true),
            Stands::Nothing => {
                put(&path, &script(&program, word), false).inspect(|()| made.push(path.clone()))
            }
            Stands::Theirs(_) => Ok(()),
        };
        put.inspect_err(|_| {
            // Both or none.
            for path in &made {
                let _ = RealFs.unlink(path);
            }
        })?;
    }
    let object = json!({ "outcome": "ok", "value": { "hooks": dir.to_string_lossy() } });
    session.out.done(&object, "", "the hooks are installed")?;
    session.out.say(&format!("git asks before each commit and push: {}", dir.display()));
    Ok(0)
}

/// Writes a hook under another name first; over one of ours, or not at all where something stands.
fn put(path: &Path, script: &str, over: bool) -> Result<()> {
    let failed = |error| Error::environment("writing", path, error);
    let (dir, name) = (path.parent().unwrap_or(path), path.file_name().unwrap_or_default().to_string_lossy());
    sweep(&RealFs, dir, &name).map_err(failed)?;
    let temp = dir.join(temp_name(&name, RealHost::new()?.random()));
    create_synced(&RealFs, &temp, 0o755, script.as_bytes()).map_err(failed)?;
    let named = if over { RealFs.rename(&temp, path) } else { RealFs.rename_new(&temp, path) };
    named.inspect_err(|_| drop(RealFs.unlink(&temp))).and_then(|()| RealFs.sync_dir(dir)).map_err(failed)
}

/// `fencehold hook uninstall --git`.
pub(super) fn uninstall(session: &Session) -> Ended {
    let dir = folder(session)?;
    let (removed, stays) = remove(session, &dir)?;
    let object = json!({ "outcome": "ok",
        "value": { "hooks": dir.to_string_lossy(), "already": !removed, "stays": stays } });
    session.out.done(&object, "", "the hooks are uninstalled")?;
    let word = if removed { "asks no more" } else { "did not ask" };
    session.out.say(&format!("git {word}: {}", dir.display()));
    for path in stays {
        session.out.say(&format!(
            "{path} is another's and asks all the same: take the line with `fencehold` out of it"
        ));
    }
    Ok(0)
}

/// Takes our hooks out of a folder; whether there was one, and those of others that ask.
pub(super) fn remove(session: &Session, dir: &Path) -> Result<(bool, Vec<String>)> {
    let (mut removed, mut stays) = (false, Vec::new());
    for word in WORDS {
        let path = dir.join(word);
        match look(&path, word)? {
            Stands::Ours(_) => {
                RealFs.unlink(&path).map_err(|error| Error::environment("removing", &path, error))?;
                removed = true;
            }
            Stands::Theirs(true) => stays.push(path.display().to_string()),
            Stands::Theirs(false) | Stands::Nothing => {}
        }
    }
    let kept = session.place.dir.join(name(dir));
    let word =
        read_file(&RealFs, &kept, BYTES_MAX).map_err(|error| Error::environment("reading", &kept, error))?;
    if let Some(word) = word {
        let made_dir = serde_json::from_slice::<Value>(&word).is_ok_and(|kept| kept["made_dir"] == true);
        if made_dir {
            // Not empty: others use it.
            let _ = RealFs.remove_dir(dir);
        }
        RealFs.unlink(&kept).map_err(|error| Error::environment("removing", &kept, error))?;
    }
    Ok((removed, stays))
}

/// `fencehold hook status --git`: what stands there, and whether it answers.
pub(super) fn status(session: &Session) -> Ended {
    let dir = folder(session)?;
    let (mut text, mut hooks, mut all) = (format!("hooks: {}\n", dir.display()), json!({}), true);
    for word in WORDS {
        let path = dir.join(word);
        let standing = match look(&path, word)? {
            Stands::Ours(program) => answers(&path, &program, word),
            Stands::Theirs(true) => executable(&path).map(|()| "a hook of others, which asks".to_owned()),
            Stands::Theirs(false) => Err("a hook of others, which does not ask".to_owned()),
            Stands::Nothing => Err("not installed".to_owned()),
        };
        all &= standing.is_ok();
        let (Ok(said) | Err(said)) = &standing;
        text.push_str(&format!("{word}: {said}\n"));
        hooks[word] = json!({ "ok": standing.is_ok(), "what": said });
    }
    session.out.answer(&json!({ "hooks": dir.to_string_lossy(), "events": hooks, "ok": all }), &text)?;
    Ok(if all { 0 } else { REFUSED })
}

fn executable(path: &Path) -> std::result::Result<(), String> {
    let mode = RealFs.stat(path).ok().flatten().map_or(0, |stat| stat.mode);
    if mode & 0o111 == 0 { Err("not executable, so git passes over it".to_owned()) } else { Ok(()) }
}

fn answers(path: &Path, program: &str, word: &str) -> std::result::Result<String, String> {
    executable(path)?;
    let command = format!("{program} hook {word} {ANSWERS}");
    let ended = Command::new("sh")
        .args(["-c", &command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("sh: {error}"))?;
    if ended.success() { Ok(format!("{program} hook {word}")) } else { Err(format!("{command}: {ended}")) }
}

/// What is kept of a folder of hooks in the workspace folder, so that it is found again without git.
fn name(dir: &Path) -> String {
    format!("git-hooks.{}.json", Version::of(dir.as_os_str().as_bytes()))
}

/// Whether a file of the workspace folder is one of these.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with("git-hooks.") && name.ends_with(".json")
}

fn keep(workspace: &Path, dir: &Path, made_dir: bool) -> Result<()> {
    let path = workspace.join(name(dir));
    if RealFs.stat(&path).map_err(|error| Error::environment("writing", &path, error))?.is_some() {
        return Ok(());
    }
    let word = json!({ "dir": dir.to_string_lossy(), "made_dir": made_dir }).to_string();
    made::keep(workspace, &name(dir), 0o666, word.as_bytes())
}

/// The folders of hooks that an install has left word of and that ask.
pub(super) fn installed(workspace: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::environment("reading", workspace, error);
    let mut found = Vec::new();
    for name in RealFs.list(workspace).map_err(failed)?.into_iter().filter(|name| is_name(name)) {
        let bytes = read_file(&RealFs, &workspace.join(name), BYTES_MAX).map_err(failed)?.unwrap_or_default();
        let word = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        let Some(dir) = word["dir"].as_str().map(PathBuf::from) else { continue };
        let mut asks = false;
        for word in WORDS {
            asks |= matches!(look(&dir.join(word), word)?, Stands::Ours(_) | Stands::Theirs(true));
        }
        if asks {
            found.push(dir);
        }
    }
    Ok(found)
}
