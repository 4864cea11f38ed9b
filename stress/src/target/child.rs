//! One running process of a target.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, test_kill_process_group,
};
use serde_json::{Value, json};

use super::pipe::{wait, without_waiting};

/// The longest line of the protocol, its newline not counted.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// How long the rest of a killed group may take to end. Where nobody reaps orphans it never seems to.
const GROUP_GONE: Duration = Duration::from_millis(250);
/// How long the rest of a killed group may keep its output open.
const DRAIN: Duration = Duration::from_secs(2);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// It closed its output, or its input: it has ended.
    Eof,
    /// What it wrote is no answer, and why.
    BadLine(String),
    /// It did not answer in time. It still may: the next line read would then be the late one.
    TimedOut,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gone::Eof => f.write_str("it ended"),
            Gone::BadLine(why) => write!(f, "it wrote what is no answer: {why}"),
            Gone::TimedOut => f.write_str("it did not answer in time"),
        }
    }
}

impl std::error::Error for Gone {}

/// Signals a process and its group, from any thread, until it has been reaped.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Mutex<Option<Pid>>>);

impl Handle {
    /// Sends a signal to the group. False where the process has been reaped.
    pub fn signal(&self, signal: Signal) -> bool {
        let pid = self.lock();
        // A leader that is a zombie keeps the number of its group from being used again.
        pid.is_some_and(|group| kill_process_group(group, signal).is_ok())
    }

    /// Sends a signal to the process alone. False where it has been reaped.
    pub fn signal_leader(&self, signal: Signal) -> bool {
        let pid = self.lock();
        pid.is_some_and(|leader| kill_process(leader, signal).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process of a target; killed and reaped when it is dropped.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    handle: Handle,
    input: Option<File>,
    output: File,
    buffer: VecDeque<u8>,
    /// How many bytes of the buffer are known to hold no newline.
    seen: usize,
    root: PathBuf,
}

impl Child {
    pub(super) fn of(mut process: std::process::Child, root: &Path) -> io::Result<Self> {
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        let handle = Handle(Arc::new(Mutex::new(pid)));
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("it was started without pipes"))?;
        let (input, output) = (OwnedFd::from(input), OwnedFd::from(output));
        let child = Child {
            process,
            handle,
            input: Some(File::from(input)),
            output: File::from(output),
            buffer: VecDeque::new(),
            seen: 0,
            root: root.to_owned(),
        };
        // Only our ends: a stopped process must not stop us.
        if let Some(input) = &child.input {
            without_waiting(input)?;
        }
        without_waiting(&child.output)?;
        Ok(child)
    }

    /// The number of the process, and of its group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What signals it from another thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Sends a signal to its group. False where it has been reaped.
    pub fn signal(&self, signal: Signal) -> bool {
        self.handle.signal(signal)
    }

    /// Greets it with the root that it was started on; gives its whole answer.
    ///
    /// # Errors
    /// As of [`Child::request`].
    pub fn hello(&mut self, within: Duration) -> Result<Value, Gone> {
        let root = self.root.to_string_lossy().into_owned();
        self.request(&json!({ "id": 0, "op": "hello", "protocol": 1, "root": root }), within)
    }

    /// Sends a request and reads its answer, whose `id` has to be the request's.
    ///
    /// # Errors
    /// [`Gone`]; after it the process is good for nothing but its end, unless it only was late.
    pub fn request(&mut self, request: &Value, within: Duration) -> Result<Value, Gone> {
        let deadline = Instant::now() + within;
        self.send(format!("{request}\n").as_bytes(), within)?;
        let answer = self.receive(deadline.saturating_duration_since(Instant::now()))?;
        if answer["id"] == request["id"] {
            Ok(answer)
        } else {
            let why = format!("an answer with the id {}, the request's is {}", answer["id"], request["id"]);
            Err(Gone::BadLine(why))
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Where it does not take them.
    pub fn send(&mut self, mut bytes: &[u8], within: Duration) -> Result<(), Gone> {
        let deadline = Instant::now() + within;
        let Some(input) = &mut self.input else { return Err(Gone::Eof) };
        while !bytes.is_empty() {
            match input.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(input, PollFlags::OUT, deadline)?;
                }
                Err(_) => return Err(Gone::Eof),
            }
        }
        Ok(())
    }

    /// Reads the next line as an answer.
    ///
    /// # Errors
    /// Where there is none.
    pub fn receive(&mut self, within: Duration) -> Result<Value, Gone> {
        let line = self.line(Instant::now() + within)?;
        let text = std::str::from_utf8(&line).map_err(|error| Gone::BadLine(error.to_string()))?;
        let answer: Value =
            serde_json::from_str(text).map_err(|error| Gone::BadLine(format!("{error}: {}", short(text))))?;
        if answer.is_object() { Ok(answer) } else { Err(Gone::BadLine(short(text).to_owned())) }
    }

    fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, Gone> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if let Some(at) = self.buffer.iter().skip(self.seen).position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=self.seen + at).collect();
                line.pop();
                self.seen = 0;
                return Ok(line);
            }
            self.seen = self.buffer.len();
            if self.seen > LINE_BYTES_MAX {
                return Err(Gone::BadLine(format!("a line of more than {LINE_BYTES_MAX} bytes")));
            }
            match self.output.read(&mut chunk) {
                Ok(0) => return Err(Gone::Eof),
                Ok(count) => self.buffer.extend(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(&self.output, PollFlags::IN, deadline)?;
                }
                Err(_) => return Err(Gone::Eof),
            }
        }
    }

    /// Closes its input, and waits for it to end by itself: none where it did not within that time.
    pub fn close(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        self.input = None;
        let pidfd = (*self.handle.lock()).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        if let Some(pidfd) = pidfd {
            // What it still writes must not hold it up.
            self.drain(within);
            wait(&pidfd.ok()?, PollFlags::IN, deadline).ok()?;
        }
        self.reap()
    }

    /// Kills its group and reaps it; nothing of it runs on after this. Gives how it ended.
    pub fn kill_and_reap(&mut self) -> Option<ExitStatus> {
        let group = *self.handle.lock();
        self.handle.signal(Signal::KILL);
        let status = self.reap();
        // Whom it had started dies with it, and may take an instant longer.
        let deadline = Instant::now() + GROUP_GONE;
        while group.is_some_and(|group| test_kill_process_group(group).is_ok()) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        // Others of the group may have the output open: it closes when they have ended.
        self.drain(DRAIN);
        status
    }

    fn reap(&mut self) -> Option<ExitStatus> {
        let handle = self.handle.clone();
        let mut pid = handle.lock();
        let status = self.process.wait().ok();
        *pid = None;
        status
    }

    /// Reads its output to the end. False where that did not come in time.
    fn drain(&mut self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match self.output.read(&mut chunk) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if wait(&self.output, PollFlags::IN, deadline).is_err() {
                        return false;
                    }
                }
                Err(_) => return true,
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill_and_reap();
    }
}

fn short(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(at, _)| &text[..at])
}
