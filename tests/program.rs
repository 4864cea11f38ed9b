//! Starts the command line as real processes, in a folder of its own and an environment without surprises.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

/// A fresh folder.
pub(crate) struct Yard {
    dir: TempDir,
}

/// What a finished program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Yard {
    pub(crate) fn new() -> Self {
        Yard {
            dir: tempfile::Builder::new().prefix("fencehold-test-").tempdir().expect("a temporary folder"),
        }
    }

    /// A fresh folder that is a git repository.
    pub(crate) fn with_git() -> Self {
        let yard = Yard::new();
        yard.git(&["init", "-q", "-b", "main"]);
        yard
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("the folder is there")
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path().join(path)
    }

    /// Every path below the folder, with its kind, mode and bytes; symlinks are not followed.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, u32, Vec<u8>)> {
        let mut found = Vec::new();
        let mut left = vec![self.path()];
        while let Some(path) = left.pop() {
            let meta = std::fs::symlink_metadata(&path).expect("it was listed");
            let bytes = match meta.file_type() {
                kind if kind.is_file() => std::fs::read(&path).expect("a readable file"),
                kind if kind.is_dir() => {
                    let entries = std::fs::read_dir(&path).expect("a readable folder");
                    left.extend(entries.map(|entry| entry.expect("an entry").path()));
                    Vec::new()
                }
                _ => Vec::new(),
            };
            found.push((path, std::os::unix::fs::MetadataExt::mode(&meta), bytes));
        }
        found.sort();
        found
    }

    /// Runs git in the folder.
    pub(crate) fn git(&self, args: &[&str]) {
        self.git_in(&self.path(), args);
    }

    pub(crate) fn git_in(&self, dir: &Path, args: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(dir).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "protocol.file.allow=always",
        ]);
        let output = clean(&mut git).args(args).output().expect("git is installed");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// `fencehold` in the folder, not yet started.
    pub(crate) fn fencehold(&self) -> Command {
        fencehold_in(&self.path())
    }

    /// Runs `fencehold` in the folder to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Said {
        self.run_in(&self.path(), args)
    }

    pub(crate) fn run_in<S: AsRef<OsStr>>(&self, dir: &Path, args: impl IntoIterator<Item = S>) -> Said {
        said(fencehold_in(dir).args(args))
    }

    /// Runs `fencehold --json`, which must end with `code`, and reads its one line.
    pub(crate) fn json<S: AsRef<OsStr>>(
        &self,
        code: i32,
        args: impl IntoIterator<Item = S>,
    ) -> serde_json::Value {
        let said = said(self.fencehold().arg("--json").args(args));
        assert_eq!(said.code, code, "{said:?}");
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
    }
}

/// `fencehold` in a folder, not yet started; no variable that it looks at is inherited.
pub(crate) fn fencehold_in(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fencehold-under-test"));
    clean(&mut command).current_dir(dir).env("FENCEHOLD_HOLDER", "tester").stdin(Stdio::null());
    command
}

/// Takes away every variable that `fencehold` or git looks at.
pub(crate) fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("FENCEHOLD_") || name.starts_with("GIT_") || name.ends_with("_SESSION_ID") {
            command.env_remove(name.as_ref());
        }
    }
    command
        .env_remove("CODEX_THREAD_ID")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
}

/// Runs a command to its end.
pub(crate) fn said(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    Said {
        code: code(status),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// An exit code, or 128 and the signal.
pub(crate) fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A process that is killed and reaped when it is dropped.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
