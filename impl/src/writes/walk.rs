//! A typed path, followed name by name as the kernel follows it, as far as it exists.

use std::io;
use std::path::{Path, PathBuf};

use fencehold_model::pattern::Pattern;

use crate::error::{Error, Result};
use crate::fs::{Fs, Kind};

/// The longest name of a directory entry: NAME_MAX.
const NAME_BYTES_MAX: usize = 255;

/// Where a typed path leads.
#[derive(Debug)]
pub(super) struct Walked<'a> {
    /// Absolute, its existing part without symlinks; up to the first wildcard.
    pub(super) path: PathBuf,
    /// The components from the first wildcard on, as they were typed.
    pub(super) rest: Vec<&'a str>,
    /// What stands at `path`.
    pub(super) at: At,
}

/// What stands where the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Dir,
    NoDir,
    Nothing,
}

/// What a component says.
enum Said {
    Name(String),
    Glob,
}

/// Follows what a user typed, up to its first wildcard.
pub(super) fn walk<'a, F: Fs>(fs: &F, cwd: &Path, typed: &'a str) -> Result<Walked<'a>> {
    follow(fs, cwd, typed, &|path, at, component| said(fs, typed, path, at, component), &mut Vec::new())
}

/// Follows the path of a file, in which a wildcard is a character as any other; with the other names that it has on the
/// way, through each symlink that is followed.
pub(super) fn walk_plain<F: Fs>(fs: &F, cwd: &Path, path: &str) -> Result<(PathBuf, Vec<PathBuf>)> {
    let mut names = Vec::new();
    let walked = follow(fs, cwd, path, &|_, _, component| Ok(Said::Name(component.to_owned())), &mut names)?;
    Ok((walked.path, names))
}

fn follow<'a, F: Fs>(
    fs: &F,
    cwd: &Path,
    typed: &'a str,
    said: &dyn Fn(&Path, At, &str) -> Result<Said>,
    names: &mut Vec<PathBuf>,
) -> Result<Walked<'a>> {
    if typed.is_empty() || typed.contains('\0') {
        return Err(Error::usage(format!("{typed:?} names nothing; the whole tree is its top folder")));
    }
    let mut path = if typed.starts_with('/') {
        PathBuf::from("/")
    } else {
        fs.resolve(cwd).map_err(|error| Error::environment("resolving", cwd, error))?
    };
    let mut at = At::Dir;
    let mut components = typed.split('/').filter(|component| !matches!(*component, "" | "."));
    while let Some(component) = components.next() {
        if at == At::NoDir {
            return Err(Error::usage(format!(
                "{typed:?} goes through {}, which is no folder; name that itself",
                path.display()
            )));
        }
        if component == ".." {
            path.pop();
            // What is missing was typed and holds no symlink; what is above it may be there.
            if at == At::Nothing {
                (path, at) = look(fs, typed, path)?;
            }
            continue;
        }
        match said(&path, at, component)? {
            Said::Glob => {
                let rest: Vec<&str> = [component].into_iter().chain(components).collect();
                if rest.contains(&"..") {
                    return Err(Error::usage(format!(
                        "{typed:?} has `..` after a wildcard, which leads to no one place; give it without"
                    )));
                }
                return Ok(Walked { path, rest, at });
            }
            Said::Name(name) => {
                path.push(name);
                if at == At::Dir {
                    let link = path.clone();
                    (path, at) = look(fs, typed, path)?;
                    // After `..` it is no name of the same file.
                    if path != link && components.clone().all(|component| component != "..") {
                        names.push(components.clone().fold(link, |name, component| name.join(component)));
                    }
                }
            }
        }
    }
    Ok(Walked { path, rest: Vec::new(), at })
}

/// What stands at `path`, whose folder has no symlink in it; a symlink is followed.
fn look<F: Fs>(fs: &F, typed: &str, path: PathBuf) -> Result<(PathBuf, At)> {
    let stat = |path: &Path| fs.stat(path).map_err(|error| Error::environment("looking at", path, error));
    let (path, stat) = match stat(&path)? {
        Some(found) if found.kind == Kind::Symlink => {
            let target = fs.resolve(&path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::usage(format!(
                    "{typed:?} goes through the symbolic link {}, whose target is not there; name the target",
                    path.display()
                )),
                _ => Error::environment("following", &path, error),
            })?;
            let found = stat(&target)?;
            (target, found)
        }
        found => (path, found),
    };
    let at = match stat.map(|stat| stat.kind) {
        Some(Kind::Dir) => At::Dir,
        Some(_) => At::NoDir,
        None => At::Nothing,
    };
    Ok((path, at))
}

/// Whether a component is a name or a glob; what exists under exactly this name is asked first.
fn said<F: Fs>(fs: &F, typed: &str, dir: &Path, at: At, component: &str) -> Result<Said> {
    if !component.contains(['*', '?', '[', '\\', '{']) {
        return Ok(Said::Name(component.to_owned()));
    }
    if component == "**" {
        return Ok(Said::Glob);
    }
    // With a letter before it a component of wildcards alone is a pattern too.
    let glob = Pattern::new(&format!("x{component}"));
    if glob.as_ref().is_ok_and(|glob| glob.is_glob() && glob.covers(&format!("x{component}"))) {
        return Ok(Said::Glob);
    }
    if at == At::Dir && component.len() <= NAME_BYTES_MAX {
        let path = dir.join(component);
        let stat = fs.stat(&path).map_err(|error| Error::environment("looking at", &path, error))?;
        if stat.is_some() {
            return Ok(Said::Name(component.to_owned()));
        }
    }
    match glob {
        Ok(glob) if glob.is_glob() => Ok(Said::Glob),
        Ok(name) => match &name.prefix()[1..] {
            "." | ".." => {
                Err(Error::usage(format!("{typed:?} has an escaped `.`; give the path without it")))
            }
            name => Ok(Said::Name(name.to_owned())),
        },
        // The component alone, so that the text is the one that was typed.
        Err(why) => {
            let why = Pattern::new(component).err().unwrap_or(why);
            Err(Error::usage(format!("{typed} cannot stand in a write set: {why}")))
        }
    }
}
