//! The workers of one measurement: started, gathered at a barrier, let go together, heard, ended.
//!
//! Whatever happens, none of them outlives this: each is ended by its own process handle, and waited for.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fencehold_benches::Result;

use crate::subject::{Peers, command};
use crate::task::{Said, Task};

/// How long all of them may take to be ready, and to finish once their time is over.
const PATIENCE: Duration = Duration::from_secs(20);

/// A worker that was started.
struct Worker {
    child: Child,
    lines: Receiver<String>,
    stderr: PathBuf,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one worker for each task, and gives what they said, in the order of the tasks.
pub(crate) fn run(tasks: &[Task], peers: &Peers) -> Result<Vec<Said>> {
    let mut workers = Vec::new();
    for task in tasks {
        workers.push(Worker::start(task, peers)?);
    }
    let ready_by = Instant::now() + PATIENCE;
    for worker in &mut workers {
        let line = worker.hear(ready_by, "be ready")?;
        if line != "ready" {
            return Err(format!("a worker began with {line:?}").into());
        }
    }
    for worker in &mut workers {
        let stdin = worker.child.stdin.as_mut().ok_or("a worker has no stdin")?;
        stdin.write_all(b"go\n")?;
    }
    let window = tasks.iter().map(|task| task.window_ms).max().unwrap_or(0);
    let done_by = Instant::now() + Duration::from_millis(window) + PATIENCE;
    workers.iter_mut().map(|worker| Said::parse(&worker.hear(done_by, "finish")?)).collect()
}

impl Worker {
    fn start(task: &Task, peers: &Peers) -> Result<Self> {
        let stderr = task.dir.join(format!("stderr-{}", task.index));
        let mut child = command(task, peers)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr)?)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("a worker has no stdout")?;
        let (send, lines) = channel();
        // Ends with the worker's stdout.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::io::Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Worker { child, lines, stderr })
    }

    /// Its next line.
    fn hear(&mut self, until: Instant, what: &str) -> Result<String> {
        match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("a worker did not {what} within {} s", PATIENCE.as_secs()).into())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait()?;
                Err(format!("a worker did not {what}, it ended with {status}: {}", last_line(&self.stderr))
                    .into())
            }
        }
    }
}

fn last_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}
