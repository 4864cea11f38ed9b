//! A small filesystem that only the tests' own processes see; holds no test.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{Kept, Said, fencehold_in, said};

/// A tmpfs in a mount namespace of its own; gone when this is dropped.
pub(crate) struct Mounted {
    /// Keeps the namespace alive.
    keeper: Kept,
    dir: PathBuf,
}

impl Mounted {
    /// Mounts a tmpfs of this size over `dir`; none where that may not be done here, said aloud.
    pub(crate) fn over(dir: &Path, size: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped, because only root can mount a filesystem here");
            return None;
        }
        let script = format!("mount -t tmpfs -o size={size} none \"$0\" && echo mounted && exec cat");
        let keeper = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = keeper else {
            println!("skipped, because unshare(1) is not here");
            return None;
        };
        let mut keeper = Kept(child);
        let mut line = String::new();
        let stdout = keeper.0.stdout.take().expect("a pipe");
        let _ = BufReader::new(stdout).read_line(&mut line);
        if line != "mounted\n" {
            println!("skipped, because a filesystem cannot be mounted in a namespace of its own here");
            return None;
        }
        Some(Mounted { keeper, dir: dir.to_owned() })
    }

    /// A program on it, not yet started; it sees what a `fencehold` elsewhere sees.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = fencehold_in(Path::new("/"));
        // What was prepared is the environment; what runs is nsenter(1), which leads into the namespace.
        let env: Vec<_> =
            command.get_envs().map(|(name, value)| (name.to_owned(), value.map(OsStr::to_owned))).collect();
        command = Command::new("nsenter");
        for (name, value) in env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let pid = self.keeper.0.id().to_string();
        command.args(["--target", &pid, "--mount", "sh", "-c", "cd \"$0\" && exec \"$@\""]);
        command.arg(&self.dir).arg(program).stdin(Stdio::null());
        command
    }

    /// Where this process, outside of the namespace, sees it.
    pub(crate) fn seen_from_here(&self) -> PathBuf {
        let inside = self.dir.strip_prefix("/").expect("an absolute path");
        PathBuf::from(format!("/proc/{}/root", self.keeper.0.id())).join(inside)
    }

    /// `fencehold` on it, not yet started.
    pub(crate) fn fencehold(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_fencehold-under-test"))
    }

    /// Runs `fencehold` on it to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Said {
        said(self.fencehold().args(args))
    }

    /// Runs a shell script on it, which must succeed.
    pub(crate) fn sh(&self, script: &str) -> String {
        let said = said(self.program("sh").args(["-c", script]));
        assert_eq!(said.code, 0, "{script}: {said:?}");
        said.stdout
    }
}
