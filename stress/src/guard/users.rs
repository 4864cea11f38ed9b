//! Two users in one checkout: sessions of both, each with its own home and umask, ask the hook; one of them is killed.
//!
//! The users share one group, as a team on one machine does. They are two numbers that need no name. It takes root to
//! become them.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::checkout::clean;
use super::harness::STAND_IN;
use crate::target::{Child, Spec};

/// The users, and the group that they share.
const USERS: [u32; 2] = [65_533, 65_534];
pub(super) const GROUP: u32 = 65_533;
/// A stand-in that says nothing for so long is hung.
pub(super) const HUNG_AFTER: Duration = Duration::from_secs(60);
/// How often a call is repeated that could not be decided in time.
const REPEATS: usize = 10;

/// What a run with two users came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Users {
    /// It was not made, because of this.
    Skipped(String),
    /// So many hooks and commands did what they have to.
    Right(u64),
    /// What must not be.
    Wrong(String),
}

/// Why a run stops.
pub(super) enum Stop {
    Wrong(String),
    /// The harness could not do its part.
    Failed(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Stop::Failed(why)
    }
}

/// A session of one of the users.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: usize,
    pub(super) process: Child,
}

/// A checkout of two users.
pub(super) struct Team<'a> {
    dir: &'a Path,
    pub(super) root: PathBuf,
    program: &'a Path,
    pub(super) hook: &'a str,
    pub(super) umask: &'a str,
    done: u64,
}

/// Two users at work below `dir`, which others must be able to reach, with `program` (`fencehold` when it is called so)
/// and the hook of this word.
///
/// # Errors
/// Where the harness could not do its part.
pub fn two_users(dir: &Path, program: &Path, hook: &str) -> Result<Users, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Users::Skipped("not root".to_owned()));
    }
    open_to_others(dir)?;
    // Where the program lies others may not be let in. What it is, it is by its name.
    let copy = dir.join("fencehold-gate");
    std::fs::copy(program, &copy).map_err(failed(program))?;
    open_to_others(&copy)?;
    std::fs::hard_link(&copy, dir.join("fencehold")).map_err(failed(&copy))?;
    let (mut done, mut seen) = (0, 0);
    for umask in ["077", "022"] {
        for owner in [0, 1] {
            let dir = dir.join(format!("{umask}-{owner}"));
            let mut team = match Team::make(&dir, &copy, hook, umask, owner) {
                Ok(team) => team,
                Err(why) => return Ok(Users::Skipped(why)),
            };
            match team.works(owner) {
                Ok(()) => {}
                Err(Stop::Wrong(why)) => return Ok(Users::Wrong(format!("umask {umask}, {why}"))),
                Err(Stop::Failed(why)) => return Err(why),
            }
            done += team.done;
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "each umask, each owner");
    Ok(Users::Right(done))
}

impl<'a> Team<'a> {
    /// A checkout of `owner`, as `git init --shared` makes one. The error says why two users cannot be had here.
    fn make(
        dir: &'a Path,
        program: &'a Path,
        hook: &'a str,
        umask: &'a str,
        owner: usize,
    ) -> Result<Self, String> {
        std::fs::create_dir_all(dir).map_err(failed(dir))?;
        open_to_others(dir)?;
        let root = dir.join("checkout");
        let homes = USERS.map(|user| (dir.join(format!("home-{user}")), user));
        for (made, user) in homes.iter().chain([&(root.clone(), USERS[owner])]) {
            std::fs::create_dir_all(made).map_err(failed(made))?;
            chown(made, Some(*user), Some(GROUP)).map_err(failed(made))?;
        }
        let root_mode = std::fs::Permissions::from_mode(0o2770);
        std::fs::set_permissions(&root, root_mode).map_err(failed(&root))?;
        let team = Team { dir, root, program, hook, umask, done: 0 };
        for user in [owner, 1 - owner] {
            let shown = team.root.to_string_lossy().into_owned();
            // As everybody has to who works in a repository of another (git-config(1), safe.directory).
            let trust = ["config", "--global", "--add", "safe.directory", &shown];
            let ours = team.program.with_file_name("fencehold").to_string_lossy().into_owned();
            for (program, args) in [("git", &trust[..]), (&ours, &["--version"])] {
                let probed = team.run(user, program, args)?;
                if !probed.status.success() {
                    return Err(format!("{program} cannot be run as another user here: {}", said(&probed)));
                }
            }
            let name = format!("user-{user}");
            team.must(user, "git", &["config", "--global", "user.name", &name])?;
            team.must(user, "git", &["config", "--global", "user.email", &format!("{name}@team")])?;
        }
        team.must(owner, "git", &["init", "-q", "-b", "main", "--shared=group"])?;
        team.must(owner, "git", &["commit", "-q", "--allow-empty", "-m", "one"])?;
        Ok(team)
    }

    /// A program of a user, as a shell with the umask starts it.
    fn command(&self, user: usize, words: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        clean(&mut command).env_remove("GIT_CONFIG_GLOBAL").env("HOME", self.home(user));
        command.arg("-c").arg(format!("umask {}; exec \"$@\"", self.umask)).arg("sh").args(words);
        command.uid(USERS[user]).gid(GROUP).current_dir(&self.root).stdin(Stdio::null());
        command
    }

    fn home(&self, user: usize) -> PathBuf {
        self.dir.join(format!("home-{}", USERS[user]))
    }

    pub(super) fn run(&self, user: usize, program: &str, args: &[&str]) -> Result<Output, String> {
        let words: Vec<&str> = [program].into_iter().chain(args.iter().copied()).collect();
        self.command(user, &words).output().map_err(|error| format!("{program}: {error}"))
    }

    pub(super) fn must(&self, user: usize, program: &str, args: &[&str]) -> Result<(), String> {
        let output = self.run(user, program, args)?;
        if output.status.success() { Ok(()) } else { Err(format!("{program} {args:?}: {}", said(&output))) }
    }

    /// `fencehold` of a user, who names himself; its code has to be this.
    pub(super) fn fencehold(&mut self, user: usize, code: i32, args: &[&str]) -> Result<String, Stop> {
        let holder = format!("user-{user}");
        let program = self.program.with_file_name("fencehold").to_string_lossy().into_owned();
        let mut command = self.command(user, &[&[program.as_str()], args].concat());
        let output = command.env("FENCEHOLD_HOLDER", holder).output();
        let output = output.map_err(|error| format!("fencehold {args:?}: {error}"))?;
        self.done += 1;
        if output.status.code() == Some(code) {
            return Ok(said(&output));
        }
        let what = format!("`fencehold {}` of user {user} ended with {}", args.join(" "), output.status);
        Err(Stop::Wrong(format!("{what}: {}", said(&output))))
    }

    pub(super) fn begin(&self, user: usize, id: &str) -> Result<Session, String> {
        let program = self.program.to_string_lossy().into_owned();
        let words =
            ["sh", "-c", &format!("umask {}; exec \"$@\"", self.umask), "sh", &program, STAND_IN, self.hook];
        let spec = Spec::command(&words.map(str::to_owned)).map_err(|bad| bad.to_string())?;
        let spec = spec.by_user(USERS[user], GROUP, &self.home(user));
        let spawned = spec.spawn(&self.root, &self.dir.join("stderr.txt"));
        let process = spawned.map_err(|error| format!("starting {}: {error}", spec.text()))?;
        Ok(Session { id: id.to_owned(), user, process })
    }

    /// Why a call is blocked; none where it passes.
    pub(super) fn asks(
        &mut self,
        session: &mut Session,
        event: &str,
        tool: &str,
        input: &Value,
    ) -> Result<Option<String>, Stop> {
        for _ in 0..REPEATS {
            self.done += 1;
            let payload = super::draw::payload(&session.id, &self.root, tool, input).to_string();
            let request = json!({ "id": self.done, "event": event, "payload": payload });
            let answer = session.process.request(&request, HUNG_AFTER);
            let answer = answer.map_err(|gone| Stop::Wrong(format!("{event} of {}: {gone}", session.id)))?;
            let out = answer["out"].as_str().unwrap_or_default();
            let decision: Value = serde_json::from_str(out)
                .map_err(|_| Stop::Wrong(format!("{event} of {} was answered {answer}", session.id)))?;
            match decision["hookSpecificOutput"]["permissionDecisionReason"].as_str() {
                None => return Ok(None),
                Some(why) if why.contains("no answer within") => {}
                Some(why) => return Ok(Some(why.to_owned())),
            }
        }
        Err(Stop::Failed(format!("{event} of {} was never answered in time", session.id)))
    }

    pub(super) fn moves(&mut self, session: &mut Session) -> Result<Option<String>, Stop> {
        self.asks(session, "pre-tool-use", "Bash", &json!({ "command": "git checkout topic" }))
    }

    pub(super) fn edits(&mut self, session: &mut Session, file: &str) -> Result<Option<String>, Stop> {
        self.asks(session, "pre-tool-use", "Edit", &json!({ "file_path": file }))
    }
}

/// Lets everybody read, execute and enter it.
fn open_to_others(path: &Path) -> Result<(), String> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).map_err(failed(path))
}

fn failed(what: &Path) -> impl FnOnce(std::io::Error) -> String {
    move |error| format!("{}: {error}", what.display())
}

pub(super) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    [text(&output.stderr), text(&output.stdout)].join(" ").trim().to_owned()
}
