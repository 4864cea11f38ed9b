//! One machine: a clone, its helper, and what a person does there.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::naive::{BROKEN, Flaw};
use super::place::{self, PLANS, clean, status_in};

/// What keeps plan files and a board in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helper {
    /// The shipped command.
    Shipped,
    /// One of the gate's own, with these flaws.
    Own(&'static [Flaw]),
}

/// How long a helper may take at the most before it counts as hung.
pub(super) const AT_MOST: Duration = Duration::from_secs(120);

/// A clone and its helper.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The top of the clone.
    pub clone: PathBuf,
    pub(super) helper: Helper,
    /// The file through which boards are exchanged.
    pub(super) board: PathBuf,
    pub(super) program: PathBuf,
}

/// How a helper ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code; none where it was ended because it took too long.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it said beside.
    pub err: String,
}

impl Ended {
    /// Whether it told of a condition by this code.
    #[must_use]
    pub fn says(&self, code: &str) -> bool {
        self.codes().iter().any(|said| said == code)
    }

    /// The codes of all that it told.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        fn collect(value: &Value, codes: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    codes.extend(object.get("code").and_then(Value::as_str).map(str::to_owned));
                    object.values().for_each(|value| collect(value, codes));
                }
                Value::Array(values) => values.iter().for_each(|value| collect(value, codes)),
                _ => {}
            }
        }
        let mut codes = Vec::new();
        let lines = self.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.for_each(|line| collect(&line, &mut codes));
        codes
    }
}

impl Machine {
    /// What git prints in the clone.
    ///
    /// # Errors
    /// What it says where it refuses.
    pub fn git(&self, args: &[&str]) -> Result<String, String> {
        place::git(&self.clone, args)
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// As [`Machine::git`].
    pub fn head(&self) -> Result<String, String> {
        self.git(&["rev-parse", "HEAD"])
    }

    /// The path of a plan file.
    #[must_use]
    pub fn plan(&self, name: &str) -> PathBuf {
        self.clone.join(PLANS).join(name)
    }

    /// The text of a plan file.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn text(&self, name: &str) -> Result<String, String> {
        let path = self.plan(name);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The status of a task in a plan file.
    ///
    /// # Errors
    /// Where there is none.
    pub fn status(&self, name: &str, task: &str) -> Result<String, String> {
        status_in(&self.text(name)?, task).ok_or_else(|| format!("{task} is not in {name} any more"))
    }

    /// Writes a status into a plan file as a person does.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn edit(&self, name: &str, task: &str, status: &str) -> Result<(), String> {
        let (text, old) = (self.text(name)?, self.status(name, task)?);
        let was = format!("id: {task}\nstatus: {old}\n");
        place::write(&self.plan(name), &text.replace(&was, &format!("id: {task}\nstatus: {status}\n")))
    }

    /// Changes a file that is no plan, and commits it.
    ///
    /// # Errors
    /// As [`Machine::git`].
    pub fn note(&self, text: &str) -> Result<(), String> {
        place::write(&self.clone.join("notes.md"), text)?;
        self.git(&["commit", "--quiet", "-m", text, "--", "notes.md"]).map(drop)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        clean(&mut command).current_dir(&self.clone).stdin(Stdio::null()).process_group(0);
        match self.helper {
            Helper::Shipped => command.arg0("fencehold"),
            Helper::Own(flaws) => {
                let words: Vec<&str> = flaws.iter().map(|flaw| flaw.word()).collect();
                let words = format!("={}", words.join(","));
                command.arg0("fencehold-gate").args([BROKEN, &words]).arg("--board").arg(&self.board)
            }
        };
        command
    }

    /// Moves the board, as an agent does.
    ///
    /// # Errors
    /// Where that is refused.
    pub fn set(&self, task: &str, status: &str) -> Result<(), String> {
        let mut command = self.command();
        match self.helper {
            Helper::Shipped => command.args(["task", "set", task, status]),
            Helper::Own(_) => command.args(["set", task, status]),
        };
        let ended = within(command, AT_MOST)?;
        if ended.code == Some(0) { Ok(()) } else { Err(format!("set {task} {status}: {ended:?}")) }
    }

    /// What the board of this machine says of a task; nothing where it does not know it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn board(&self, task: &str) -> Result<String, String> {
        Ok(self.boards()?.remove(task).unwrap_or_default())
    }

    /// What the board of this machine says of every task; several statuses with `|` between them.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn boards(&self) -> Result<BTreeMap<String, String>, String> {
        let mut command = self.command();
        match self.helper {
            Helper::Shipped => command.args(["task", "list", "--json"]),
            Helper::Own(_) => command.arg("list"),
        };
        let ended = within(command, AT_MOST)?;
        let mut boards = BTreeMap::new();
        for line in ended.out.lines() {
            let value: Value = serde_json::from_str(line).map_err(|_| format!("the board: {ended:?}"))?;
            let (Some(task), Some(statuses)) = (value["task"].as_str(), value["statuses"].as_array()) else {
                return Err(format!("the board: {ended:?}"));
            };
            let statuses: Vec<&str> = statuses.iter().filter_map(Value::as_str).collect();
            boards.insert(task.to_owned(), statuses.join("|"));
        }
        if ended.code == Some(0) { Ok(boards) } else { Err(format!("the board: {ended:?}")) }
    }

    /// Runs the shipped command with these words.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub fn fencehold(&self, args: &[&str]) -> Result<Ended, String> {
        let mut command = Machine { helper: Helper::Shipped, ..self.clone() }.command();
        command.args(args);
        within(command, AT_MOST)
    }

    fn fixing(&self, flags: &[&str]) -> Command {
        let mut command = self.command();
        match self.helper {
            Helper::Shipped => command.args(["plan", "fix", "--json", PLANS, "--board"]).arg(&self.board),
            Helper::Own(_) => command.arg("fix"),
        };
        command.args(flags);
        command
    }

    /// Runs the helper.
    ///
    /// # Errors
    /// Where it cannot be run, or hangs.
    pub fn fix(&self, flags: &[&str]) -> Result<Ended, String> {
        let ended = self.fix_within(flags, AT_MOST)?;
        if ended.code.is_none() { Err(format!("the helper hangs: {ended:?}")) } else { Ok(ended) }
    }

    /// Runs the helper, for so long at the most.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub fn fix_within(&self, flags: &[&str], at_most: Duration) -> Result<Ended, String> {
        within(self.fixing(flags), at_most)
    }

    /// Starts the helper and leaves it alone.
    pub(super) fn begin_fix(&self, flags: &[&str]) -> Result<Child, String> {
        let mut command = self.fixing(flags);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|error| format!("{}: {error}", self.program.display()))
    }
}

/// Runs a command to its end, or ends its group when its time is up.
fn within(mut command: Command, at_most: Duration) -> Result<Ended, String> {
    let failed = |error: std::io::Error| format!("running a helper: {error}");
    // Files, not pipes: what a helper leaves behind would keep a pipe open.
    let (mut out, mut err) = (tempfile::tempfile().map_err(failed)?, tempfile::tempfile().map_err(failed)?);
    command.stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    let code = ended(&mut child, at_most).map_err(failed)?;
    let read = |file: &mut std::fs::File| -> Result<String, String> {
        let mut bytes = Vec::new();
        std::io::Seek::rewind(file).and_then(|()| file.read_to_end(&mut bytes)).map_err(failed)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Ended { code, out: read(&mut out)?, err: read(&mut err)? })
}

/// The exit code of a process, 128 and its number where a signal ended it; none where it had to be ended.
pub(super) fn ended(child: &mut Child, at_most: Duration) -> std::io::Result<Option<i32>> {
    let begun = Instant::now();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(std::io::ErrorKind::NotFound)?;
    let process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
    loop {
        let left = at_most.saturating_sub(begun.elapsed());
        let mut fds = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
        let timeout = rustix::event::Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(0) if left.is_zero() => {
                let _ = kill_process_group(pid, Signal::KILL);
                child.wait()?;
                return Ok(None);
            }
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    let status = child.wait()?;
    Ok(Some(
        status
            .code()
            .unwrap_or_else(|| 128 + std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)),
    ))
}

/// Whether a process works in a folder, or below it.
pub(super) fn works_in(pid: &str, folder: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
}

/// The processes that work in a folder, or below it.
pub(super) fn at_work(folder: &Path) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let pids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    pids.filter(|pid| works_in(pid, folder)).filter_map(|pid| pid.parse().ok()).collect()
}
