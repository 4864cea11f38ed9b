//! `fencehold init`: creates the workspace where it is asked for, or says that it is there.

use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::json;

use super::args::{Common, Init};
use super::locks::Locks;
use super::out::{Ended, Out};
use super::session::{Session, cwd, find};
use crate::error::{Error, Result};
use crate::fs::{Fs as _, RealFs, create_synced};
use crate::locate::{self, Place};

/// What makes git pass over the folder that it stands in.
pub(super) const IGNORE: &str = ".gitignore";
/// Permission bits of a shared folder: the group may write, and what is made in it belongs to the group.
const SHARED_DIR: u32 = 0o2770;

/// `fencehold init [--in-tree|--dir PATH] [--shared]`.
pub(super) fn init(asked: &Init, common: &Common) -> Ended {
    let (fs, out) = (RealFs, Out { json: common.json });
    let found = find(fs, common)?;
    let mut place = wanted(fs, asked, &found)?;
    locate::check(&fs, &place)?;
    let (_, note) = locate::check_filesystem(fs, &place.dir)?;
    place.shared |= asked.shared;
    let session = Session::at(fs, out, place)?;
    let created = Locks::open(&session)?.is_none() && Locks::create(&session)?;
    let place = session.place;
    if !created && asked.shared {
        share(fs, &place.dir)?;
    }
    if asked.dir.is_some()
        && let Some(common_dir) = &place.common_dir
    {
        locate::keep_in_git_config(&fs, common_dir, &place.dir)?;
    }
    if asked.in_tree {
        hide(fs, &place.dir)?;
    }
    // Somebody may have begun to use another meanwhile.
    let again = find(fs, common)?;
    if again.dir != place.dir {
        return Err(locate::two(&place.dir, &again.dir).into());
    }
    locate::confirm(&fs, &again)?;
    if let Some(note) = note {
        out.say(&note);
    }
    let what = if created { "created" } else { "it was there" };
    let object = json!({ "workspace": place.dir.to_string_lossy(), "created": created, "why": place.why });
    out.done(&object, &format!("{}\n", place.dir.display()), what)?;
    out.tell_who_watches(&format!("{what}; {}", place.why));
    Ok(0)
}

/// Makes git pass over a folder in a work tree (gitignore(5)): `git add .` leaves it, and so does `git clean` without -x.
fn hide(fs: RealFs, dir: &Path) -> Result<()> {
    let path = dir.join(IGNORE);
    match create_synced(&fs, &path, 0o644, b"*\n") {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(|error| Error::environment("writing", &path, error)),
    }
}

/// The place that is asked for; refused where the workspace is already at another.
fn wanted(fs: RealFs, asked: &Init, found: &Place) -> Result<Place> {
    let place = match &asked.dir {
        Some(_) if found.common_dir.is_none() => {
            return Err(Error::usage(
                "--dir is kept in git's config, and this is no git repository; use `fencehold init`, and --root or \
                 FENCEHOLD_ROOT from elsewhere",
            ));
        }
        Some(dir) => locate::at_dir(&fs, found, &cwd()?.join(dir))?,
        None if asked.in_tree => locate::in_tree(&fs, found)?,
        None => found.clone(),
    };
    if found.exists && found.dir != place.dir {
        return Err(Error::usage(format!(
            "the workspace is {} already, and a second one would know nothing of its locks; nothing was changed. End \
             what uses it and move it away first",
            found.dir.display()
        )));
    }
    Ok(place)
}

/// Gives the group what the owner may, in the folder and all that is in it.
fn share(fs: RealFs, dir: &Path) -> Result<()> {
    let failed = |error| Error::environment("sharing", dir, error);
    fs.set_mode(dir, SHARED_DIR).or_else(gone).map_err(failed)?;
    for name in fs.list(dir).or_else(gone).map_err(failed)? {
        let path = dir.join(name);
        match fs.stat(&path).map_err(failed)?.map(|stat| (stat.kind, stat.mode)) {
            Some((crate::fs::Kind::Dir, _)) => share(fs, &path)?,
            Some((crate::fs::Kind::File, mode)) => {
                fs.set_mode(&path, mode | 0o060).or_else(gone).map_err(failed)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What went since it was listed, as the files of those who wait do, needs no mode and has nothing in it.
fn gone<T: Default>(error: io::Error) -> io::Result<T> {
    if error.kind() == ErrorKind::NotFound { Ok(T::default()) } else { Err(error) }
}
