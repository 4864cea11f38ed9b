//! What to start.

use std::ffi::OsString;
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Child;

/// The program that runs, whatever it is called.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// A target that can be started any number of times.
#[derive(Debug, Clone)]
pub struct Spec {
    program: PathBuf,
    arg0: Option<&'static str>,
    args: Vec<OsString>,
    text: String,
    by: Option<By>,
}

/// By whom a program is started who is not who starts it.
#[derive(Debug, Clone)]
struct By {
    user: u32,
    group: u32,
    home: PathBuf,
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTarget(String);

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadTarget {}

impl Spec {
    /// Our own implementation: this program, executed anew as `fencehold serve`.
    #[must_use]
    pub fn own() -> Self {
        Self::own_at(Path::new(THIS_PROGRAM))
    }

    /// Our own implementation by the program at `path`, which is `fencehold` when it is called so.
    #[must_use]
    pub fn own_at(path: &Path) -> Self {
        Spec {
            program: path.to_owned(),
            arg0: Some("fencehold"),
            args: vec!["serve".into()],
            text: "fencehold serve".to_owned(),
            by: None,
        }
    }

    /// One of the gate's own targets, by name: this program, executed anew as `fencehold-gate target NAME`.
    #[must_use]
    pub fn built_in(name: &str) -> Self {
        Self::built_in_at(Path::new(THIS_PROGRAM), name)
    }

    /// The same by the program at `path`.
    #[must_use]
    pub fn built_in_at(path: &Path, name: &str) -> Self {
        Spec {
            program: path.to_owned(),
            arg0: Some("fencehold-gate"),
            args: vec!["target".into(), name.into()],
            text: format!("fencehold-gate target {name}"),
            by: None,
        }
    }

    /// A program and its arguments, started without a shell.
    ///
    /// # Errors
    /// Where there is no word.
    pub fn command(words: &[String]) -> Result<Self, BadTarget> {
        let (program, args) =
            words.split_first().ok_or_else(|| BadTarget("the target names no program".to_owned()))?;
        Ok(Spec {
            program: PathBuf::from(program),
            arg0: None,
            args: args.iter().map(OsString::from).collect(),
            text: shell_words::join(words),
            by: None,
        })
    }

    /// A command as it is typed, split as a shell would split it.
    ///
    /// # Errors
    /// Where a quote is left open, or nothing is there.
    pub fn parse(text: &str) -> Result<Self, BadTarget> {
        let words = shell_words::split(text).map_err(|error| BadTarget(format!("{text:?}: {error}")))?;
        Self::command(&words)
    }

    /// The same, started as another user, which takes root.
    #[must_use]
    pub fn by_user(mut self, user: u32, group: u32, home: &Path) -> Self {
        self.by = Some(By { user, group, home: home.to_owned() });
        self
    }

    /// The command, as it could be typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Starts a process on `root`, which is told to it by [`Child::hello`]; what it says on stderr is appended to the
    /// file `stderr`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn spawn(&self, root: &Path, stderr: &Path) -> io::Result<Child> {
        let stderr = OpenOptions::new().create(true).append(true).open(stderr)?;
        let mut command = Command::new(&self.program);
        if let Some(arg0) = self.arg0 {
            command.arg0(arg0);
        }
        command.args(&self.args).process_group(0);
        if let Some(by) = &self.by {
            command.uid(by.user).gid(by.group).env("HOME", &by.home);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        Child::of(command.spawn()?, root)
    }
}
