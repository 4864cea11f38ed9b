//! What only git can say, asked of git: nothing but its own hooks, their installation, `audit` and done-gates does this.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use fencehold_model::Pattern;

use super::guarded::nameable;
use super::session::Session;
use crate::error::{Error, Result};
use crate::fs::RealFs;
use crate::host::Deadline;
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

/// How long git may take for one answer at a gate.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that git may print at a gate.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// Settings under which git runs nothing of others, and takes nobody's word for what is changed.
const SETTINGS: [&str; 6] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.untrackedCache=false",
    "gc.auto=0",
];

/// What git says of the worktree at `root` and of no other: no variable leads it elsewhere, it starts no pager, no hook and
/// no connection, follows no graft and no replacement, writes nothing, and has only so long, and none beyond `until`.
///
/// # Errors
/// Why it cannot be told, in words.
pub(super) fn told(root: &Path, until: Deadline, args: &[&str]) -> std::result::Result<Vec<u8>, String> {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let is_setting = matches!(&*name, "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_SYSTEM" | "GIT_CONFIG_NOSYSTEM");
        if name.starts_with("GIT_") && !is_setting {
            git.env_remove(&*name);
        }
    }
    for key in ["GIT_NO_REPLACE_OBJECTS", "GIT_NO_LAZY_FETCH"] {
        git.env(key, "1");
    }
    git.env("GIT_GRAFT_FILE", "/dev/null");
    git.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    git.args(["--no-pager", "--no-optional-locks"])
        .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        .args(args);
    git.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut git = git.spawn().map_err(|error| format!("git cannot be started: {error}"))?;
    let answer = within(&mut git, PATIENCE.min(until.left()));
    if answer.is_err() {
        let _ = git.kill();
    }
    let status = git.wait().map_err(|error| format!("git was lost: {error}"))?;
    let (printed, said) = answer?;
    if printed.len() as u64 > ANSWER_BYTES_MAX {
        return Err("git says too much of it".to_owned());
    }
    if status.success() {
        return Ok(printed);
    }
    let said = String::from_utf8_lossy(&said);
    let what = args.iter().find(|arg| !arg.starts_with('-')).unwrap_or(&"");
    Err(format!("git {what}: {}", said.trim().lines().next().unwrap_or("it failed and said nothing")))
}

/// Both outputs of a child, read to their ends.
fn within(child: &mut Child, patience: Duration) -> std::result::Result<(Vec<u8>, Vec<u8>), String> {
    let (send, answers) = mpsc::channel();
    let mut outputs: Vec<Box<dyn Read + Send>> = Vec::new();
    outputs.extend(child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>));
    outputs.extend(child.stderr.take().map(|out| Box::new(out) as Box<dyn Read + Send>));
    let count = outputs.len();
    for (index, output) in outputs.into_iter().enumerate() {
        let send = send.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut bytes);
            // Nobody listens any more where the time has passed.
            let _ = send.send((index, read.map(|_| bytes)));
        });
    }
    let deadline = Deadline::after(patience);
    let mut read = [Vec::new(), Vec::new()];
    for _ in 0..count {
        let (index, bytes) = answers
            .recv_timeout(deadline.left())
            .map_err(|_| format!("git did not answer within {} s", patience.as_secs()))?;
        read[index] = bytes.map_err(|error| format!("git cannot be heard: {error}"))?;
    }
    let [out, err] = read;
    Ok((out, err))
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
