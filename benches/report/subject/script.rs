//! Workers in other languages: whether they can run here, and how they are started.

use std::path::{Path, PathBuf};
use std::process::Command;

use fencehold_benches::results::Subject;

use crate::task::Task;

const NODE: &str = include_str!("../peers/worker.js");
const PYTHON: &str = include_str!("../peers/worker.py");
const ASK_NODE: &str = "console.log(process.version.slice(1), require('proper-lockfile/package.json').version); \
                        require('proper-lockfile')";
const ASK_PYTHON: &str = "import platform, filelock; print(platform.python_version(), filelock.__version__)";

/// The packages of other languages, as far as they are there.
pub(crate) struct Peers {
    /// Where they were looked for, beside where the languages look by themselves.
    dir: Option<PathBuf>,
    /// The versions of language and package, or why there is none.
    node: Result<(String, String), String>,
    python: Result<(String, String), String>,
}

impl Peers {
    /// Asks node and python3 for the packages. `dir` holds `node_modules/` and `python/`.
    pub(crate) fn look(dir: &Path) -> Self {
        let dir = dir.canonicalize().ok();
        let mut peers = Peers { dir, node: Err(String::new()), python: Err(String::new()) };
        peers.node = asked(peers.runs("node", "node_modules", "NODE_PATH").args(["-e", ASK_NODE]));
        peers.python = asked(peers.runs("python3", "python", "PYTHONPATH").args(["-c", ASK_PYTHON]));
        peers
    }

    pub(super) fn missing(&self, subject: Subject) -> Option<String> {
        match subject {
            Subject::ProperLockfile => self.node.as_ref().err().cloned(),
            _ => self.python.as_ref().err().cloned(),
        }
    }

    pub(super) fn versions(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Ok((language, package)) = &self.node {
            found.extend([("node", language), ("proper-lockfile", package)]);
        }
        if let Ok((language, package)) = &self.python {
            found.extend([("Python", language), ("filelock", package)]);
        }
        found.into_iter().map(|(name, version)| (name.to_owned(), version.clone())).collect()
    }

    /// A language that also looks into our folder for packages.
    fn runs(&self, program: &str, folder: &str, variable: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(dir) = &self.dir {
            let known = std::env::var_os(variable);
            let paths = std::iter::once(dir.join(folder))
                .chain(known.iter().flat_map(std::env::split_paths).collect::<Vec<_>>());
            // A folder with a colon in its name cannot stand in a list of paths; then it is not looked into.
            if let Ok(list) = std::env::join_paths(paths) {
                command.env(variable, list);
            }
        }
        command
    }
}

/// Two words of what a program prints, or what it complains of.
fn asked(command: &mut Command) -> Result<(String, String), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} cannot be started: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let why = stderr.lines().find(|line| line.contains("Error")).unwrap_or("it ended with an error");
        return Err(format!("{program} does not find the package: {}", why.trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace().map(str::to_owned);
    words.next().zip(words.next()).ok_or_else(|| format!("{program} said nothing"))
}

/// How a worker is started: ourselves once more, or a language with its script.
pub(crate) fn command(task: &Task, peers: &Peers) -> fencehold_benches::Result<Command> {
    let mut command = match task.subject {
        Subject::ProperLockfile => {
            let mut command = peers.runs("node", "node_modules", "NODE_PATH");
            command.arg(script(task, "worker.js", NODE)?);
            command
        }
        Subject::Filelock => {
            let mut command = peers.runs("python3", "python", "PYTHONPATH");
            command.arg(script(task, "worker.py", PYTHON)?);
            command
        }
        _ => {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("worker");
            command
        }
    };
    command.arg(task.to_json().to_string());
    Ok(command)
}

/// The script, beside what it works on. The first worker's start writes it: written once more, the one before could be
/// reading half of it just then.
fn script(task: &Task, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let path = task.dir.join(name);
    if task.index == 0 {
        std::fs::write(&path, text)?;
    }
    Ok(path)
}
