//! What the commands share: where the workspace is, and what its settings say.

use std::path::{Path, PathBuf};

use super::args::Common;
use super::identity::env;
use super::out::Out;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::locate::{self, Place, Start};
use crate::mark::Rooted;

/// The folder to find the workspace from.
pub(super) const ENV_ROOT: &str = "FENCEHOLD_ROOT";

/// One command's surroundings.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) fs: RealFs,
    pub(super) out: Out,
    pub(super) place: Place,
    pub(super) settings: Settings,
}

impl Session {
    /// Finds the workspace, refuses what must not be one, reads its settings. Creates nothing.
    pub(super) fn begin(common: &Common) -> Result<Self> {
        let (fs, out) = (RealFs, Out { json: common.json });
        let place = find(fs, common)?;
        locate::check(&fs, &place)?;
        locate::check_filesystem(fs, &place.dir)?;
        Session::at(fs, out, place)
    }

    /// As [`Session::begin`], for who only looks: where the settings cannot be read it goes on with the defaults, which
    /// change nothing of what is seen, and gives the error.
    pub(super) fn begin_to_look(common: &Common) -> Result<(Self, Option<Error>)> {
        let (fs, out) = (RealFs, Out { json: common.json });
        let place = find(fs, common)?;
        locate::check(&fs, &place)?;
        locate::check_filesystem(fs, &place.dir)?;
        Ok(match Settings::of(&fs, &place.dir) {
            Ok(settings) => (Session { fs, out, place, settings }, None),
            Err(error) => (Session { fs, out, place, settings: Settings::default() }, Some(error)),
        })
    }

    /// For a place that was checked.
    pub(super) fn at(fs: RealFs, out: Out, place: Place) -> Result<Self> {
        let settings = Settings::of(&fs, &place.dir)?;
        Ok(Session { fs, out, place, settings })
    }

    /// A folder from which `--root` leads to this workspace again. The top of the tree does, unless it was GIT_DIR
    /// that led here.
    pub(super) fn root_for_others(&self) -> PathBuf {
        let from_top = locate::locate(&self.fs, Start { at: &self.place.root, git_dir: None });
        let leads_back = from_top.is_ok_and(|found| found.dir == self.place.dir);
        match &self.place.common_dir {
            Some(common_dir) if !leads_back => common_dir.clone(),
            _ => self.place.root.clone(),
        }
    }

    /// The tree that logs and documents may not leave.
    pub(super) fn rooted(&self) -> Result<Rooted> {
        Rooted::new(&self.fs, &self.place.root, &self.place.dir)
    }

    /// The path of a log or document as it was typed: relative to the current folder, or, where that is outside of
    /// the tree, to the top of the tree.
    pub(super) fn file(&self, typed: &Path) -> Result<PathBuf> {
        Ok(self.base()?.join(typed))
    }

    /// What a path as it was typed is relative to.
    pub(super) fn base(&self) -> Result<PathBuf> {
        let cwd = cwd()?;
        Ok(if cwd.starts_with(&self.place.root) { cwd } else { self.place.root.clone() })
    }
}

/// Finds the workspace: from `--root`, else FENCEHOLD_ROOT, else GIT_DIR, else the current folder.
pub(super) fn find(fs: RealFs, common: &Common) -> Result<Place> {
    let root = match &common.root {
        Some(root) => Some(root.clone()),
        None => env(ENV_ROOT)?.map(PathBuf::from),
    };
    let cwd = cwd()?;
    match root {
        Some(root) => locate::locate(&fs, Start { at: &cwd.join(root), git_dir: None }),
        None => {
            let git_dir = std::env::var_os("GIT_DIR").filter(|value| !value.is_empty());
            locate::locate(&fs, Start { at: &cwd, git_dir: git_dir.as_deref().map(Path::new) })
        }
    }
}

/// The current folder.
pub(super) fn cwd() -> Result<PathBuf> {
    std::env::current_dir()
        .map_err(|error| Error::environment("finding the current folder", Path::new("."), error))
}
