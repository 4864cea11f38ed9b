//! What only git can say, asked of git: nothing but its own hooks, their installation and `audit` does this.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fencehold_model::Pattern;

use super::guarded::nameable;
use super::session::Session;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::writes::{Target, Tree, folds_case};

/// What git prints, started in `dir` with the variables that this process was started with.
pub(super) fn output(dir: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let mut git = Command::new("git");
    git.args(args).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = git.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::usage("git is not installed, or not on PATH, and this needs it; nothing was changed")
        }
        _ => Error::environment("starting", Path::new("git"), error),
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Error::usage(format!(
        "`git {}` in {}: {}",
        args.join(" "),
        dir.display(),
        why.trim().replace('\n', "; ")
    )))
}

/// The folder that git takes its hooks from; it need not exist.
pub(super) fn hooks_dir(session: &Session) -> Result<PathBuf> {
    let root = &session.place.root;
    let mut printed = output(root, &["rev-parse", "--git-path", "hooks"])?;
    if printed.last() == Some(&b'\n') {
        printed.pop();
    }
    match String::from_utf8(printed) {
        // Git takes a relative one from where it starts hooks: the top of the worktree.
        Ok(dir) => Ok(root.join(dir)),
        Err(bad) => Err(Error::usage(format!(
            "git's hooks are in {}, which is not UTF-8; nothing was changed",
            String::from_utf8_lossy(bad.as_bytes())
        ))),
    }
}

/// The paths in what git printed with `-z`.
pub(super) fn paths(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed.split(|byte| *byte == 0).filter(|path| !path.is_empty())
}

/// The tree whose entries git's paths are compared with.
pub(super) fn tree(session: &Session) -> Result<Tree> {
    Tree::new(&RealFs, &session.place, folds_case(RealFs, &session.place)?)
}

/// The entry of a path as git has it, from the top of the worktree; none where no work writes it.
pub(super) fn entry(session: &Session, tree: &Tree, path: &[u8]) -> Result<Option<Pattern>> {
    let path = session.place.root.join(clean(path));
    match tree.target(&RealFs, &path)? {
        Target::Entry(entry) => Ok(Some(entry)),
        Target::Closed | Target::Outside => Ok(None),
    }
}

fn clean(path: &[u8]) -> String {
    nameable(&String::from_utf8_lossy(path))
}

#[cfg(test)]
mod tests {
    use super::{clean, paths};

    #[test]
    fn a_path_is_whatever_stands_between_two_nuls() {
        let printed = b"a b\0new\nline\0\xff/x\0";
        let names: Vec<String> = paths(printed).map(clean).collect();
        assert_eq!(names, ["a b", "new\u{fffd}line", "\u{fffd}/x"]);
        assert_eq!(paths(b"").count(), 0);
    }
}
