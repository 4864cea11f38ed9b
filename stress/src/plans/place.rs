//! A bare remote, and the clones beside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::machine::{Helper, Machine};

/// A folder with a bare remote, and what its clones share.
#[derive(Debug)]
pub struct World {
    dir: PathBuf,
    program: PathBuf,
}

/// The branch of the remote.
pub(super) const BRANCH: &str = "main";
/// The folder of the plan files.
pub(super) const PLANS: &str = "plans";

/// The text of a plan file with these tasks.
pub(super) fn plan(tasks: &[(&str, &str)]) -> String {
    let blocks = tasks
        .iter()
        .map(|(id, status)| format!("```task\nid: {id}\nstatus: {status}\n```\n\nProse of {id}.\n\n"));
    format!("# A plan\n\n{}", blocks.collect::<String>())
}

/// The status of a task in the text of a plan file.
pub(super) fn status_in(text: &str, task: &str) -> Option<String> {
    let block = text.split("```task\n").find(|block| block.starts_with(&format!("id: {task}\n")))?;
    let status = block.lines().find_map(|line| line.strip_prefix("status: "))?;
    Some(status.trim_end().to_owned())
}

/// Git without a variable or a setting of whoever runs the harness.
pub(super) fn command(dir: &Path) -> Command {
    let mut git = Command::new("git");
    clean(&mut git).current_dir(dir).stdin(Stdio::null());
    git.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false"]);
    git
}

/// Takes away every variable that `fencehold` or git looks at.
pub(super) fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["FENCEHOLD_", "GIT_", "EMAIL"].iter().any(|prefix| text.starts_with(prefix));
        if ours || text.ends_with("_SESSION_ID") || text == "CODEX_THREAD_ID" {
            command.env_remove(&name);
        }
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C")
}

/// What git prints, without the last line end.
///
/// # Errors
/// What it says where it refuses.
pub(super) fn git(dir: &Path, args: &[&str]) -> Result<String, String> {
    let output = command(dir).args(args).output().map_err(|error| format!("git: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("git {} in {}: {}", args.join(" "), dir.display(), said.trim()))
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

impl World {
    /// Makes one below `dir`, with these plan files on the branch of the remote. `program` is the gate's own binary.
    ///
    /// # Errors
    /// Where the harness could not do its part.
    pub fn new(dir: &Path, program: &Path, plans: &[(&str, &[(&str, &str)])]) -> Result<Self, String> {
        let dir = dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?;
        let world = World { dir, program: program.to_owned() };
        git(&world.dir, &["init", "--quiet", "--bare", "remote.git"])?;
        let head = format!("refs/heads/{BRANCH}");
        git(&world.at("remote.git"), &["symbolic-ref", "HEAD", &head])?;
        let seed = world.clone_to("seed")?;
        git(&seed, &["symbolic-ref", "HEAD", &head])?;
        std::fs::create_dir_all(seed.join(PLANS)).map_err(|error| error.to_string())?;
        for (name, tasks) in plans {
            write(&seed.join(PLANS).join(name), &plan(tasks))?;
        }
        write(&seed.join("notes.md"), "notes\n")?;
        git(&seed, &["add", "."])?;
        git(&seed, &["commit", "--quiet", "-m", "begin"])?;
        git(&seed, &["push", "--quiet", "-u", "origin", BRANCH])?;
        Ok(world)
    }

    /// A path in the folder.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn clone_to(&self, name: &str) -> Result<PathBuf, String> {
        git(&self.dir, &["clone", "--quiet", "remote.git", name])?;
        let clone = self.at(name);
        git(&clone, &["config", "user.name", name])?;
        git(&clone, &["config", "user.email", &format!("{name}@example.org")])?;
        Ok(clone)
    }

    /// A clone of the remote with a helper.
    ///
    /// # Errors
    /// Where the harness could not do its part.
    pub fn machine(&self, name: &str, helper: Helper) -> Result<Machine, String> {
        let clone = self.clone_to(name)?;
        let extension = if helper == Helper::Shipped { "json" } else { "txt" };
        let board = self.at(&format!("board.{extension}"));
        Ok(Machine { clone, helper, board, program: self.program.clone() })
    }
}
