//! Looking again and again: what changes is told, and the ledger stays open from one look to the next.
//!
//! An open ledger reads what was appended and no more. What somebody changed in the middle is seen by one that is opened
//! anew, which is done where a file is no longer as it was, once a second at the most.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use super::super::args::Common;
use super::super::front::{Front, Page, Row, Tone};
use super::super::locks::Locks;
use super::super::session::Session;
use super::super::waiting;
use crate::error::{Error, Result};
use crate::fs::{FileId, Fs as _, RealFs, Watch};
use crate::host::Deadline;

/// How often a ledger whose files change is opened anew.
const OPEN_EVERY: Duration = Duration::from_secs(1);

/// What is kept from one look to the next.
#[derive(Debug)]
pub(super) struct Look {
    common: Common,
    opened: Option<Opened>,
    /// The workspace folder, and that of those who wait.
    watched: [Option<(FileId, Watch)>; 2],
}

/// A ledger that was opened before.
#[derive(Debug)]
struct Opened {
    locks: Locks,
    /// The folder: another one at its path is another workspace.
    id: Option<FileId>,
    /// What its files were then.
    files: Vec<File>,
    /// Until when what was appended since is all that is read.
    good_until: Deadline,
}

/// A file by name: number, length and when it was last written.
type File = (String, Option<(FileId, u64, u64)>);

impl Opened {
    fn is_still_good(&self, dir: &Path) -> bool {
        self.id == number(dir) && (!self.good_until.left().is_zero() || self.files == files(dir))
    }
}

impl Look {
    pub(super) fn new(common: Common) -> Self {
        Look { common, opened: None, watched: [None, None] }
    }

    /// What there is now.
    pub(super) fn page(&mut self) -> Page {
        match Session::begin_to_look(&self.common) {
            Ok((session, wrong)) => {
                let front = self.front(&session, wrong);
                let mut page = front.page();
                page.rows.extend(front.notes.iter().map(|note| Row::whole(Tone::Hint, note)));
                page
            }
            Err(error) => {
                self.opened = None;
                Page::of_error(&error)
            }
        }
    }

    fn front(&mut self, session: &Session, wrong: Option<Error>) -> Front {
        let dir = &session.place.dir;
        // Before it is looked at: what changes from now on is told.
        for (watched, folder) in self.watched.iter_mut().zip([dir, &dir.join(waiting::FOLDER)]) {
            watch(watched, folder);
        }
        self.opened = self.opened.take().filter(|opened| opened.is_still_good(dir));
        let (mut wrong, mut exists): (Vec<Error>, _) = (wrong.into_iter().collect(), true);
        if self.opened.is_none() {
            match Locks::open(session) {
                Ok(Some(locks)) => {
                    let (id, files, good_until) = (number(dir), files(dir), Deadline::after(OPEN_EVERY));
                    self.opened = Some(Opened { locks, id, files, good_until });
                }
                Ok(None) => exists = false,
                Err(error) => wrong.push(error),
            }
        }
        let front = Front::seen(session, exists, self.opened.as_ref().map(|opened| &opened.locks), wrong);
        if !front.wrong.is_empty() {
            // Whatever it was, it is looked at with new eyes.
            self.opened = None;
        }
        front
    }

    /// What becomes readable with a change.
    pub(super) fn changes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.watched.iter().flatten().filter_map(|(_, watch)| watch.changes())
    }
}

/// Watches what stands at `folder` now. Where nothing does, or it cannot be watched, the next look is in time.
fn watch(watched: &mut Option<(FileId, Watch)>, folder: &Path) {
    let id = number(folder);
    if watched.as_ref().map(|(of, _)| *of) != id {
        let begun: Option<Result<_>> = id.map(|_| Watch::begin(folder));
        *watched = id.zip(begun.and_then(Result::ok).map(|(watch, _)| watch));
    }
    if let Some((_, watch)) = watched {
        watch.drain();
    }
}

fn number(path: &Path) -> Option<FileId> {
    RealFs.stat(path).ok().flatten().map(|stat| stat.id)
}

/// The journal's files and the floor, as they are now.
fn files(dir: &Path) -> Vec<File> {
    let mut names = RealFs.list(dir).unwrap_or_default();
    names.retain(|name| name.starts_with("journal.") || name == "floor.json" || name == "lock");
    names.sort();
    let seen = |path: &Path| {
        let stat = RealFs.stat(path).ok()??;
        Some((stat.id, stat.len, RealFs.modified_ms(path).ok()??))
    };
    let with_what = |name: String| (name.clone(), seen(&dir.join(name)));
    names.into_iter().map(with_what).collect()
}
