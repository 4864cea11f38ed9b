//! Commands that only look: `where` and `doctor`.

use std::path::Path;

use fencehold_model::Policy;
use serde_json::{Value, json};

use super::args::Common;
use super::locks::Locks;
use super::out::{Ended, Out};
use super::proposal;
use super::session::{Session, find};
use super::settings::Settings;
use super::team;
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, Watch};
use crate::locate::{self, Place};

/// The folder of damaged bytes that were set aside.
const QUARANTINE: &str = "quarantine";

/// `fencehold where`: the folder on stdout; a folder that would be refused is printed too, with the refusal.
pub(super) fn place(common: &Common) -> Ended {
    let (fs, out) = (RealFs, Out { json: common.json });
    let place = find(fs, common)?;
    locate::check(&fs, &place)?;
    let (_, note) = locate::check_filesystem(fs, &place.dir)?;
    out.answer(&object(&place), &format!("{}\n", place.dir.display()))?;
    if !out.json {
        let not_yet = if place.exists { "" } else { "; it is not there yet, the first write creates it" };
        out.tell_who_watches(&format!("{}{not_yet}", place.why));
    }
    if let Some(note) = note {
        out.say(&note);
    }
    Ok(0)
}

/// A place for machines.
pub(super) fn object(place: &Place) -> Value {
    json!({
        "workspace": place.dir.to_string_lossy(),
        "root": place.root.to_string_lossy(),
        "why": place.why,
        "exists": place.exists,
        "common_dir": place.common_dir.as_ref().map(|dir| dir.to_string_lossy()),
    })
}

/// What stands in quarantine, by name.
pub(super) fn set_aside(fs: RealFs, dir: &Path) -> Result<Vec<String>> {
    let dir = dir.join(QUARANTINE);
    let mut names = match fs.list(&dir) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::environment("listing", &dir, error)),
    };
    names.sort();
    Ok(names)
}

/// `fencehold doctor`: each thing that can be wrong, one line each; ends with the code of the worst.
pub(super) fn doctor(common: &Common) -> Ended {
    let (fs, out) = (RealFs, Out { json: common.json });
    let place = find(fs, common)?;
    let mut findings = Findings { out, code: 0 };
    findings.note("workspace", &format!("{}: {}", place.dir.display(), place.why))?;
    findings.of(
        "folder",
        locate::check(&fs, &place).map(|()| "a folder of its own, not tracked by git".to_owned()),
    )?;
    let filesystem = locate::check_filesystem(fs, &place.dir);
    findings.of("filesystem", filesystem.map(|(name, note)| note.unwrap_or_else(|| name.to_owned())))?;
    let settings = Settings::of(&fs, &place.dir);
    findings.of(
        "settings",
        settings.map(|settings| match settings.relaxed {
            true => "relaxed: answers outlive a kill, not a power cut".to_owned(),
            false => "durable: answers wait for the disk".to_owned(),
        }),
    )?;
    if findings.code != 0 {
        return Ok(findings.code);
    }
    let session = Session::at(fs, out, place)?;
    let journal = Locks::open(&session).and_then(|locks| locks.map(|locks| locks.list()).transpose());
    findings.of(
        "journal",
        journal.map(|held| match held {
            None => "not there yet; the first write creates it".to_owned(),
            Some(held) => {
                format!("whole up to revision {}; {} locks are held", held.revision, held.grants.len())
            }
        }),
    )?;
    let policy = Locks::open(&session).and_then(|locks| match locks {
        Some(locks) => Ok(locks.policy()?.value),
        None => Ok(Policy::default()),
    });
    if let Ok(policy) = policy {
        let note = team::note(&session, &policy);
        findings.of(
            "policy",
            note.map(|note| note.unwrap_or_else(|| "no fencehold.toml says otherwise".to_owned())),
        )?;
    }
    let pending = Locks::open(&session)
        .and_then(|locks| locks.map_or(Ok(Vec::new()), |locks| proposal::pending(&session, &locks)));
    findings.of("proposals", pending.and_then(|views| proposal::told(&views)))?;
    if session.place.exists {
        let aside = set_aside(fs, &session.place.dir);
        findings.of(
            "quarantine",
            aside.map(|names| match names.as_slice() {
                [] => "empty".to_owned(),
                some => format!("{} pieces of damaged bytes are kept: {}", some.len(), some.join(", ")),
            }),
        )?;
        let watch = Watch::begin(&session.place.dir);
        findings
            .of("notification", watch.map(|(_, note)| note.unwrap_or_else(|| "inotify works".to_owned())))?;
    }
    Ok(findings.code)
}

/// What `doctor` has found so far.
struct Findings {
    out: Out,
    code: u8,
}

impl Findings {
    fn of(&mut self, what: &str, found: Result<String>) -> std::result::Result<(), super::out::Stop> {
        match found {
            Ok(text) => self.note(what, &text),
            Err(error) => {
                self.code = self.code.max(error.exit_code());
                let object = json!({ "check": what, "ok": false, "what": error.to_string() });
                self.out.answer(&object, &format!("WRONG {what}: {error}\n"))
            }
        }
    }

    fn note(&self, what: &str, text: &str) -> std::result::Result<(), super::out::Stop> {
        self.out
            .answer(&json!({ "check": what, "ok": true, "what": text }), &format!("ok    {what}: {text}\n"))
    }
}
