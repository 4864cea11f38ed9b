//! The checkout that the sessions share: a repository of git with a second worktree, a folder that is worked in and a
//! link to another.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::globs::{GLOBS, glob, policy};

/// A checkout, and the program that is asked in it.
#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) root: PathBuf,
    /// The folders that sessions work in: the root, one below it, a second worktree.
    pub(super) places: Vec<PathBuf>,
    pub(super) stderr: PathBuf,
    program: PathBuf,
}

/// How many folders there are that leases are granted on.
pub(super) const AREAS: u64 = 6;

/// The folder of an area, relative to the root.
pub(super) fn area(number: u64) -> String {
    format!("area{number}")
}

/// Takes away every variable that `fencehold` or git looks at.
pub(super) fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["FENCEHOLD_", "GIT_"].iter().any(|prefix| text.starts_with(prefix));
        if ours || text.ends_with("_SESSION_ID") || text == "CODEX_THREAD_ID" {
            command.env_remove(&name);
        }
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1")
}

/// Why git cannot be asked, if it cannot.
pub(crate) fn no_git() -> Option<&'static str> {
    let asked = Command::new("git")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    (!asked.is_ok_and(|status| status.success())).then_some("git is not installed")
}

impl Checkout {
    /// Makes one below `dir`, its workspace included.
    pub(super) fn make(dir: &Path, program: &Path) -> Result<Self, String> {
        let failed = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
        let root = dir.join("checkout");
        std::fs::create_dir_all(&root).map_err(|error| failed(&root, error))?;
        let root = root.canonicalize().map_err(|error| failed(&root, error))?;
        let tree = root.with_file_name("tree");
        for folder in (0..AREAS).map(area).chain((0..GLOBS).map(glob)) {
            let folder = root.join(folder);
            std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        }
        let link = root.join("link");
        std::os::unix::fs::symlink(root.join(area(0)), &link).map_err(|error| failed(&link, error))?;
        let team = root.join("fencehold.toml");
        std::fs::write(&team, policy()).map_err(|error| failed(&team, error))?;
        let checkout = Checkout {
            places: vec![root.clone(), root.join(area(1)), tree.clone()],
            stderr: dir.join("guard-stderr.txt"),
            program: program.to_owned(),
            root,
        };
        checkout.git(&["init", "-q", "-b", "main"])?;
        checkout.git(&["commit", "-q", "--allow-empty", "-m", "one"])?;
        checkout.git(&["worktree", "add", "-q", &tree.to_string_lossy()])?;
        checkout.fencehold(&["init"])?;
        checkout.fencehold(&["config", "apply"])?;
        Ok(checkout)
    }

    fn git(&self, args: &[&str]) -> Result<(), String> {
        let mut git = Command::new("git");
        git.current_dir(&self.root).args(["-c", "user.name=gate", "-c", "user.email=gate@gate"]).args(args);
        let output =
            clean(&mut git).stdin(Stdio::null()).output().map_err(|error| format!("git: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("git {args:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs `fencehold` at the root; true where it ended with 0, false where it was refused.
    pub(super) fn fencehold(&self, args: &[&str]) -> Result<bool, String> {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(&self.program);
        clean(&mut command).arg0("fencehold").args(args).current_dir(&self.root);
        let output =
            command.stdin(Stdio::null()).output().map_err(|error| format!("fencehold {args:?}: {error}"))?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(format!(
                "fencehold {args:?}: {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}
