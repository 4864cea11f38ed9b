//! `fencehold log compact`, and what it and `log check` say of what stands in old files.

use std::path::Path;

use serde_json::{Value, json};

use super::super::args::Fenced;
use super::super::fence::{enter, refuse};
use super::super::out::{Ended, Out};
use super::super::session::Session;
use crate::log::{Compacted, Left, Log};
use crate::mark::Last;

/// `fencehold log compact FILE`.
pub(super) fn compact(session: &Session, file: &Path, fenced: &Fenced) -> Ended {
    let rooted = session.rooted()?;
    let path = session.file(file)?;
    // Before the first write makes a workspace for it.
    rooted.locate(&session.fs, &path, Last::Refuse)?;
    let (locks, shown) = match enter(session, fenced, None)? {
        Ok(entered) => entered,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    let log = Log::open(session.fs, locks.folder()?, &rooted, &path, None)?;
    let done = match log.with_patience(session.settings.patience).compact(&shown)? {
        Ok(done) => done,
        Err(refusal) => return refuse(session.out, &refusal),
    };
    let Compacted { folded, carried, old, left, .. } = done;
    let object = json!({
        "outcome": "ok",
        "value": { "folded": folded, "carried": carried, "old": old, "left": objects(&left) },
    });
    let what = match &old {
        Some(old) => {
            format!("{folded} lines are counted in others now; the file as it was is {}", old.display())
        }
        None => "nothing is repeated in it".to_owned(),
    };
    session.out.done(&object, "", &what)?;
    if carried > 0 {
        session.out.say(&format!(
            "{}: {carried} lines were carried over that a program without the lock appended to an older file of it; \
             restart that program, or let it open the log anew for each line",
            file.display()
        ));
    }
    tell_left(session.out, file, &left);
    Ok(0)
}

/// What stands in old files, for machines.
pub(super) fn objects(left: &[Left]) -> Vec<Value> {
    let object = |left: &Left| {
        json!({
            "path": left.path, "offset": left.offset, "lines": left.lines,
            "unterminated_bytes": left.unterminated_bytes,
        })
    };
    left.iter().map(object).collect()
}

/// Says what stands in old files of the log and not in it; whether a compaction would carry any of it over.
pub(super) fn tell_left(out: Out, file: &Path, left: &[Left]) -> bool {
    for left in left {
        let Left { path, offset, lines, unterminated_bytes } = left;
        if *lines > 0 {
            out.say(&format!(
                "{}: {lines} lines were appended to the file that it was before a compaction, {} (byte {offset}); \
                 `fencehold log compact {}` carries them over",
                file.display(),
                path.display(),
                file.display()
            ));
        }
        if *unterminated_bytes > 0 {
            out.say(&format!(
                "{}: {unterminated_bytes} bytes without a newline stand at the end of the file that it was before a \
                 compaction, {}; they are no record yet",
                file.display(),
                path.display()
            ));
        }
    }
    left.iter().any(|left| left.lines > 0)
}
