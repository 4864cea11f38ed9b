//! `fencehold log append|read|search|compact|import|check`.

mod compact;
mod import;
pub(super) mod imported;
mod search;

use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::args::{Common, Fenced, Log as Asked};
use super::fence::{enter, refuse};
use super::locks::Locks;
use super::out::{DAMAGED, Ended, Out, REFUSED};
use super::session::Session;
use super::union_lines;
use crate::error::{Error, Result};
use crate::log::{Damaged, GitCheckout, Log, Page, check, check_record, read};
use crate::mark::Last;

/// The most that is read from stdin: 64 MiB.
const STDIN_BYTES_MAX: u64 = 64 << 20;

/// Enters a log command.
pub(super) fn log(command: &Asked, common: &Common) -> Ended {
    let session = Session::begin(common)?;
    match command {
        Asked::Append { file, record, fence } => append(&session, file, record.as_deref(), fence),
        Asked::Read { file } => print(&session, file),
        Asked::Search(asked) => search::search(&session, asked),
        Asked::Compact { file, fence } => compact::compact(&session, file, fence),
        Asked::Import { legacy, file, fence } => import::import(&session, legacy, file, fence),
        Asked::Check { file } => report(&session, file),
    }
}

fn append(session: &Session, file: &Path, record: Option<&str>, fenced: &Fenced) -> Ended {
    let records = match record {
        Some(text) => vec![object(text, "the record")?],
        None => from_stdin()?,
    };
    let rooted = session.rooted()?;
    let file = session.file(file)?;
    // Before the first write makes a workspace for it.
    rooted.locate(&session.fs, &file, Last::Refuse)?;
    let (locks, shown) = match enter(session, fenced, None)? {
        Ok(entered) => entered,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    let place = &session.place;
    let git = place.common_dir.clone().map(|common_dir| GitCheckout { common_dir, top: place.root.clone() });
    let folder = locks.folder()?;
    let log =
        Log::open(session.fs, folder, &rooted, &file, git.clone())?.with_patience(session.settings.patience);
    if let Some(git) = &git {
        union_lines::note(session.fs, locks.dir(), git, &log.place().path());
    }
    for (done, record) in records.iter().enumerate() {
        let appended = log.append(record, &shown).inspect_err(|_| {
            if records.len() > 1 {
                session.out.say(&format!("{done} of {} records were appended", records.len()));
            }
        })?;
        match appended {
            Ok(appended) => {
                if let Some(note) = &appended.note {
                    session.out.say(&note.0);
                }
                let object =
                    json!({ "outcome": "ok", "value": { "appended": true, "offset": appended.offset } });
                session.out.done(&object, "", "the record is appended")?;
            }
            Err(refusal) => return refuse(session.out, &refusal),
        }
    }
    Ok(0)
}

/// All records are read before the first is appended: a bad one among them leaves the file as it was.
fn from_stdin() -> Result<Vec<Map<String, Value>>> {
    let mut text = String::new();
    let failed = |error| Error::environment("reading", Path::new("/dev/stdin"), error);
    std::io::stdin().lock().take(STDIN_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > STDIN_BYTES_MAX {
        return Err(Error::usage("more than 64 MiB on stdin; append in smaller portions"));
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| object(line, &format!("line {} of stdin", index + 1))).collect()
}

fn object(text: &str, what: &str) -> Result<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) if object.get("id").is_some_and(Value::is_string) => {
            match check_record(&object) {
                Err(Error::Usage(why)) => Err(Error::usage(format!("{what}: {why}"))),
                other => other.map(|()| object),
            }
        }
        Ok(_) => {
            Err(Error::usage(format!("{what} must be a JSON object with a string `id`; nothing was changed")))
        }
        Err(error) => Err(Error::usage(format!("{what} is no JSON ({error}); nothing was changed"))),
    }
}

fn print(session: &Session, file: &Path) -> Ended {
    let place = session.rooted()?.locate(&session.fs, &session.file(file)?, Last::Refuse)?;
    let page = Page::default();
    let records = match Locks::open(session)? {
        Some(locks) => {
            let rooted = session.rooted()?;
            Log::open(session.fs, locks.folder()?, &rooted, &session.file(file)?, None)?.read(&page)?
        }
        None => read(&session.fs, &place, &page)?,
    };
    let duplicates: Vec<&String> = records.duplicates.iter().collect();
    let object = json!({
        "outcome": "ok",
        "value": { "records": records.records, "damaged": records.damaged.len(), "duplicates": duplicates },
    });
    let text: String =
        records.records.iter().map(|record| format!("{}\n", Value::Object(record.clone()))).collect();
    session.out.answer(&object, &text)?;
    Ok(tell(session.out, file, &records.damaged, records.damaged.len() as u64))
}

fn report(session: &Session, file: &Path) -> Ended {
    let place = session.rooted()?.locate(&session.fs, &session.file(file)?, Last::Refuse)?;
    let (checked, left, lacking) = match Locks::open(session)? {
        Some(locks) => {
            let rooted = session.rooted()?;
            let log = Log::open(session.fs, locks.folder()?, &rooted, &session.file(file)?, None)?;
            (log.check()?, log.left()?, imported::lacking(session, &log)?)
        }
        None => (check(&session.fs, &place)?, Vec::new(), Vec::new()),
    };
    let duplicates: Vec<&String> = checked.duplicates.iter().collect();
    let object = json!({
        "records": checked.records,
        "damaged": checked.damaged_count,
        "duplicates": duplicates,
        "unterminated_bytes": checked.unterminated_bytes,
        "left": compact::objects(&left),
        "not_imported": imported::objects(&lacking),
    });
    let mut text = format!("{} records, {} damaged lines\n", checked.records, checked.damaged_count);
    for id in &duplicates {
        text.push_str(&format!("the id {id:?} occurs more than once\n"));
    }
    if checked.unterminated_bytes > 0 {
        text.push_str(&format!(
            "{} bytes after the last newline are no record yet\n",
            checked.unterminated_bytes
        ));
    }
    session.out.answer(&object, &text)?;
    if !duplicates.is_empty() {
        session.out.say(&format!("{}: {} ids occur more than once", file.display(), duplicates.len()));
    }
    let is_owed = compact::tell_left(session.out, file, &left) | imported::tell(session.out, file, &lacking);
    let code = tell(session.out, file, &checked.damaged, checked.damaged_count);
    Ok(if code == 0 && (!duplicates.is_empty() || is_owed) { REFUSED } else { code })
}

/// Names the lines that are no records; a log is never cut, so they stay where they are.
fn tell(out: Out, file: &Path, named: &[Damaged], count: u64) -> u8 {
    for line in named {
        out.say(&format!("{} line {} (byte {}): {}", file.display(), line.line, line.offset, line.why));
    }
    if count > named.len() as u64 {
        out.say(&format!("and {} more damaged lines", count - named.len() as u64));
    }
    if count == 0 { 0 } else { DAMAGED }
}
