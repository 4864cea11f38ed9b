//! `fencehold watch` in a terminal of its own.

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use crate::program::{Kept, Yard, code, fencehold_in, said};

/// What is waited for comes within a second or two; a machine that has none to spare gets so long.
const PATIENCE: Duration = Duration::from_secs(60);
const COLUMNS: usize = 80;
const LINES: usize = 24;

fn resize(terminal: &OwnedFd, columns: u16, lines: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// The two ends of a terminal.
pub(crate) struct Opened {
    master: OwnedFd,
    pub(crate) slave: OwnedFd,
}

impl Opened {
    /// Types before anybody asks.
    pub(crate) fn types(&self, keys: &str) {
        rustix::io::write(&self.master, keys.as_bytes()).unwrap();
    }

    /// What was written to it until now, by programs that have ended.
    pub(crate) fn read(self) -> String {
        rustix::io::write(&self.slave, b"\nTHE END").unwrap();
        let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&all).contains("THE END") {
            let count = rustix::io::read(&self.master, &mut bytes).unwrap();
            all.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8_lossy(&all).trim_end_matches("THE END").trim_end().to_owned()
    }
}

/// A terminal of this size.
pub(crate) fn open_terminal(columns: u16, lines: u16) -> Opened {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    resize(&master, columns, lines);
    // Or it would become the controlling terminal of whoever runs the tests without one.
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    Opened { master, slave }
}

/// A terminal of 80 columns and 24 lines, with a program on it.
struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    child: Kept,
    written: Receiver<Vec<u8>>,
    screen: Screen,
    /// Its modes before the program began.
    before: String,
}

impl Terminal {
    /// Starts `fencehold watch` as the one who has the terminal.
    fn watch(yard: &Yard) -> Self {
        let Opened { master, slave } = open_terminal(COLUMNS as u16, LINES as u16);
        let open = || Stdio::from(slave.try_clone().unwrap());
        let fencehold = fencehold_in(&yard.path());
        // setsid(1) makes the terminal on stdin the controlling one, as a login does, and becomes what it starts.
        let mut session = Command::new("setsid");
        session.args(["--ctty"]).arg(fencehold.get_program()).arg("watch").current_dir(yard.path());
        for (key, value) in fencehold.get_envs() {
            match value {
                Some(value) => session.env(key, value),
                None => session.env_remove(key),
            };
        }
        session.env("TERM", "xterm").env_remove("NO_COLOR");
        session.stdin(open()).stdout(open()).stderr(open());
        let before = format!("{:?}", tcgetattr(&slave).unwrap());
        let child = Kept(session.spawn().expect("setsid is installed"));
        let (tell, written) = channel();
        let mut reader = fs::File::from(master.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends with the last who has the other side open.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if tell.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { before, master, slave, child, written, screen: Screen::new() }
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    fn until(&mut self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        let begun = Instant::now();
        while !is_so(&self.screen) {
            // It writes every second.
            match self.written.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(bytes) => self.screen.obey(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{what} did not come:\n{}", self.screen.text())
                }
            }
        }
    }

    #[track_caller]
    fn shows(&mut self, text: &str) {
        self.until(text, |screen| screen.text().contains(text));
    }

    fn types(&self, keys: &str) {
        rustix::io::write(&self.master, keys.as_bytes()).unwrap();
    }

    fn modes(&self) -> String {
        format!("{:?}", tcgetattr(&self.slave).unwrap())
    }

    /// Waits for its end; what it wrote until then is on the screen.
    fn ended(&mut self) -> ExitStatus {
        let status = self.child.0.wait().unwrap();
        // Whatever it wrote is in the terminal by now, and follows what was read.
        rustix::io::write(&self.slave, b"\x1b[99;1HTHE END").unwrap();
        self.shows("THE END");
        status
    }
}

/// What a terminal makes of the few sequences that are used (ECMA-48, and the modes 25 and 1049 of xterm).
struct Screen {
    cells: Vec<Vec<char>>,
    line: usize,
    column: usize,
    /// Whether it is the screen for programs that take all of it.
    is_alternate: bool,
    is_cursor_shown: bool,
    /// The beginning of what was cut off in the middle.
    rest: Vec<u8>,
    coloured: usize,
}

impl Screen {
    fn new() -> Self {
        Screen {
            cells: vec![vec![' '; COLUMNS]; LINES],
            line: 0,
            column: 0,
            is_alternate: false,
            is_cursor_shown: true,
            rest: Vec::new(),
            coloured: 0,
        }
    }

    fn text(&self) -> String {
        let lines = self.cells.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }

    fn obey(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.rest);
        let mut text = match std::str::from_utf8(&all) {
            Ok(text) => text,
            Err(error) => {
                self.rest = all[error.valid_up_to()..].to_vec();
                std::str::from_utf8(&all[..error.valid_up_to()]).unwrap()
            }
        };
        while let Some(first) = text.chars().next() {
            let rest = &text[first.len_utf8()..];
            text = match (first, rest.strip_prefix('[')) {
                ('\x1b', Some(sequence)) => {
                    let Some(end) = sequence.find(|c: char| ('@'..='~').contains(&c)) else { break };
                    self.sequence(&sequence[..end], &sequence[end..=end]);
                    &sequence[end + 1..]
                }
                ('\x1b', None) if rest.is_empty() => break,
                ('\x1b', None) => panic!("a sequence that is not known: {rest:?}"),
                (letter, _) => {
                    self.put(letter);
                    rest
                }
            };
        }
        let kept = [text.as_bytes(), &self.rest].concat();
        self.rest = kept;
    }

    fn put(&mut self, letter: char) {
        match letter {
            '\r' => self.column = 0,
            '\n' => self.line = (self.line + 1).min(LINES - 1),
            _ => {
                self.cells[self.line][self.column.min(COLUMNS - 1)] = letter;
                self.column += 1;
            }
        }
    }

    fn sequence(&mut self, parameters: &str, last: &str) {
        let number = |at: usize| parameters.split(';').nth(at).and_then(|text| text.parse::<usize>().ok());
        match last {
            "H" => {
                let place = |at: usize, count: usize| (number(at).unwrap_or(1) - 1).min(count - 1);
                (self.line, self.column) = (place(0, LINES), place(1, COLUMNS));
            }
            "J" => {
                assert_eq!(parameters, "2", "only all of it is erased");
                self.cells = vec![vec![' '; COLUMNS]; LINES];
            }
            "m" => self.coloured += usize::from(parameters.contains("38;5;") || parameters.starts_with('3')),
            "h" | "l" if parameters == "?25" => self.is_cursor_shown = last == "h",
            "h" | "l" if parameters == "?1049" => self.is_alternate = last == "h",
            _ => panic!("a sequence that is not known: {parameters}{last}"),
        }
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

/// CLI-71: `watch` shows in a terminal what `status` says, as it changes and without a key, until `q`, Esc or Ctrl-C.
///
/// CLI-72: However `watch` ends, by a key or by a signal, the terminal is as it was before.
#[test]
fn a_release_is_seen_without_a_key_and_the_terminal_is_given_back() {
    for (how, wanted) in [("q", 0), ("\x1b", 0), ("\x03", 0), ("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let yard = Yard::with_git();
        let token = yard.json(0, ["lock", "acquire", "build", "--ttl", "1h"])["value"]["token"].to_string();
        let mut terminal = Terminal::watch(&yard);
        terminal.shows("build  tester (asked by pid ");
        terminal.shows("lapses in 59m");
        terminal.shows("1 held");
        let screen = &terminal.screen;
        assert!(screen.is_alternate && !screen.is_cursor_shown && screen.coloured > 0);
        assert_ne!(terminal.modes(), terminal.before, "the terminal is taken");
        assert_eq!(yard.run(["lock", "release", "build", "--token", &token]).code, 0);
        terminal.shows("no lock is held");
        match how {
            "TERM" => signal(&terminal.child.0, rustix::process::Signal::TERM),
            "INT" => signal(&terminal.child.0, rustix::process::Signal::INT),
            "HUP" => signal(&terminal.child.0, rustix::process::Signal::HUP),
            key => terminal.types(key),
        }
        let status = terminal.ended();
        assert_eq!(code(status), wanted, "{how:?}");
        let screen = &terminal.screen;
        assert!(!screen.is_alternate && screen.is_cursor_shown, "{how:?}");
        assert_eq!(terminal.modes(), terminal.before, "{how:?}");
    }
}

#[test]
fn a_terminal_that_is_gone_is_no_bug_of_ours() {
    let yard = Yard::with_git();
    let Opened { master, slave } = open_terminal(COLUMNS as u16, LINES as u16);
    let mut command = yard.fencehold();
    command.arg("watch").env("TERM", "xterm");
    let open = || Stdio::from(slave.try_clone().unwrap());
    let mut child = Kept(command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap());
    drop((command, slave));
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    // Of a line only the words are written: what is blank is blank already.
    while !String::from_utf8_lossy(&seen).contains("nobody") {
        let count = rustix::io::read(&master, &mut bytes).unwrap();
        seen.extend_from_slice(&bytes[..count]);
    }
    drop(master);
    let ended = code(child.0.wait().unwrap());
    assert!(matches!(ended, 0 | 2), "70 is a bug of fencehold: {ended}");
}

/// CLI-73: `watch` takes no lock, creates nothing and goes on whatever becomes of the workspace: one that is not there
/// yet, is damaged, or is taken away is shown as such.
#[test]
fn whatever_becomes_of_the_workspace_is_shown() {
    let yard = Yard::with_git();
    let mut terminal = Terminal::watch(&yard);
    terminal.shows("it is not there yet");
    assert!(!yard.join(".git/fencehold").exists(), "who only looks makes none");
    assert_eq!(yard.run(["lock", "acquire", "build"]).code, 0);
    terminal.shows("build  tester");
    let mut waits = yard.fencehold();
    waits.args(["lock", "acquire", "build", "--wait", "10m"]).env("FENCEHOLD_HOLDER", "second");
    let waits = Kept(waits.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    terminal.shows("1 held, 1 waiting");
    terminal.shows("second (pid ");
    drop(waits);
    terminal.until("the end of the wait", |screen| !screen.text().contains("waiting"));
    let path = yard.join(".git/fencehold/journal.1.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"build\"", "\"bUild\"", 1)).unwrap();
    terminal.shows("1 damaged");
    terminal.shows("fencehold repair");
    fs::write(&path, text).unwrap();
    terminal.shows("build  tester");
    assert_eq!(yard.run(["deinit", "--force", "--reason", "over"]).code, 0);
    terminal.shows("it is not there yet");
    assert_eq!(yard.run(["lock", "acquire", "again"]).code, 0);
    terminal.shows("again  tester");
    let before = yard.snapshot();
    terminal.types("?");
    terminal.shows("this page, and back");
    terminal.types("\x1b");
    terminal.shows("again  tester");
    terminal.types("q");
    assert_eq!(code(terminal.ended()), 0);
    assert!(yard.snapshot() == before, "what was looked at is as it was");
}

/// CLI-71: `watch` shows in a terminal what `status` says, as it changes and without a key, until `q`, Esc or Ctrl-C.
#[test]
fn a_terminal_of_another_size_is_filled_again() {
    let yard = Yard::with_git();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        assert_eq!(yard.run(["lock", "acquire", name, "--ttl", "1h"]).code, 0);
    }
    let mut terminal = Terminal::watch(&yard);
    terminal.shows("8 held");
    assert!(!terminal.screen.text().contains("lines 1-"), "there is room for all of it");
    resize(&terminal.master, 60, 12);
    terminal.shows("lines 1-10 of ");
    terminal.types("G");
    terminal.shows("fencehold lock break NAME");
    resize(&terminal.master, 25, 5);
    terminal.shows("fencehold watch needs 30");
    resize(&terminal.master, 80, 24);
    terminal.until("all of it", |screen| {
        screen.text().contains("h  tester") && screen.text().contains("a  tester")
    });
    terminal.types("q");
    assert_eq!(code(terminal.ended()), 0);
}

/// CLI-74: `watch` without a terminal exits 2 and says what to run instead.
#[test]
fn without_a_terminal_it_says_what_to_run_instead() {
    let yard = Yard::with_git();
    for (args, hint) in
        [(&["watch"][..], "`fencehold status`"), (&["--json", "watch"], "`fencehold --json status`")]
    {
        let said = said(yard.fencehold().args(args));
        assert!(said.code == 2 && said.stderr.contains(hint), "{said:?}");
        assert!(!said.stdout.contains('\x1b'), "{said:?}");
    }
}
