//! The files of a run. Each appears whole or not at all: a reader of `results.json` never meets half of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::junit::junit;
use super::{Results, html};

/// Writes `results.json`, `junit.xml` and `report.html` into `run_dir`, a copy of the second to `junit`, and lets
/// `latest` beside `run_dir` point at it. Gives the path of `report.html`.
///
/// # Errors
/// If a file cannot be written, naming it. `latest` comes last: where it alone fails, the files are there.
pub fn write_all(results: &Results, run_dir: &Path, junit_copy: Option<&Path>) -> io::Result<PathBuf> {
    fs::create_dir_all(run_dir).map_err(|error| named(&error, run_dir))?;
    replace(&run_dir.join("results.json"), &format!("{:#}\n", results.json()))?;
    let xml = junit(results)?;
    replace(&run_dir.join("junit.xml"), &xml)?;
    if let Some(copy) = junit_copy {
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder).map_err(|error| named(&error, folder))?;
        }
        // Written in place: it may be a pipe or /dev/stdout.
        fs::write(copy, &xml).map_err(|error| named(&error, copy))?;
    }
    let page = run_dir.join("report.html");
    replace(&page, &html::page(results, run_dir))?;
    point_latest(run_dir)?;
    Ok(page)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temp = beside(path);
    let done = fs::write(&temp, text).and_then(|()| fs::rename(&temp, path));
    done.map_err(|error| {
        let _ = fs::remove_file(&temp);
        named(&error, path)
    })
}

/// Lets `latest` beside the run's folder point at it. What is no symlink in its place is not ours and stays.
fn point_latest(run_dir: &Path) -> io::Result<()> {
    let run_dir = run_dir.canonicalize().map_err(|error| named(&error, run_dir))?;
    let (Some(runs), Some(name)) = (run_dir.parent(), run_dir.file_name()) else { return Ok(()) };
    let latest = runs.join("latest");
    match fs::symlink_metadata(&latest) {
        Ok(found) if !found.is_symlink() => {
            return Err(io::Error::other(format!("{} is no symlink: move it away", latest.display())));
        }
        _ => {}
    }
    let temp = beside(&latest);
    let done = std::os::unix::fs::symlink(name, &temp).and_then(|()| fs::rename(&temp, &latest));
    done.map_err(|error| {
        let _ = fs::remove_file(&temp);
        named(&error, &latest)
    })
}

/// A name in the same folder that no other process takes.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
