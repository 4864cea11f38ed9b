//! `fencehold lock run` as real processes: what becomes of the lock and of the command when either of the two
//! processes is killed or stopped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Kept, Said, Yard, code, said};

/// A command under a lock that has said that it runs.
struct Running {
    fencehold: Kept,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Of the command.
    pid: Pid,
}

impl Running {
    /// Runs `sh -c SCRIPT` under the lock `build`; the script begins by saying its pid.
    fn start(yard: &Yard, flags: &[&str], script: &str) -> Self {
        let mut command = yard.fencehold();
        command.args(["lock", "run", "build"]).args(flags).args(["--", "sh", "-c"]);
        Running::of(command.arg(script))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut running = Running { fencehold: Kept(child), stdin, stdout, pid: Pid::INIT };
        let pid: i32 = running.line().parse().expect("the script says its pid first");
        running.pid = Pid::from_raw(pid).expect("a pid");
        running
    }

    /// The next line that the command prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe to read from");
        line.trim_end().to_owned()
    }

    /// All that it still prints, up to its end.
    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("a pipe to read from");
        rest
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.fencehold.0), signal).expect("fencehold is there");
    }

    fn signal_command(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the command is there");
    }

    fn code(&mut self) -> i32 {
        code(self.fencehold.0.wait().expect("it can be waited for"))
    }
}

/// Says its pid, then waits for a line, or for SIGTERM.
const OBEDIENT: &str = "trap 'echo term; exit 9' TERM; echo $$; read x; echo got $x";
/// As above, and does not mind SIGTERM.
const STUBBORN: &str = "trap '' TERM; echo $$; read x; echo got $x";

fn acquire(yard: &Yard, flags: &[&str]) -> Said {
    yard.run(["lock", "acquire", "build", "--holder", "other"].iter().chain(flags))
}

fn show(yard: &Yard) -> serde_json::Value {
    yard.json(0, ["lock", "show", "build"])
}

/// Lets journal time pass: takes a lock for this long, and waits until somebody else gets it.
fn let_pass(yard: &Yard, ttl: &str) {
    assert_eq!(yard.run(["lock", "acquire", "clock", "--ttl", ttl]).code, 0);
    let waited = yard.run(["lock", "acquire", "clock", "--holder", "other", "--wait", "30s", "--ttl", "1h"]);
    assert_eq!(waited.code, 0, "{waited:?}");
    assert_eq!(yard.run(["lock", "break", "clock", "--reason", "time has passed"]).code, 0);
}

/// CLI-21: `lock run NAME -- CMD` exits with the child's code, or with 128 plus the number of the signal that
/// ended it, and has released the lock by then.
///
/// CLI-24: `lock run` exits 127 where the command is not found, 126 where it cannot be executed, and 125 for
/// any failure of its own, usage included.
#[test]
fn the_code_is_the_commands() {
    let yard = Yard::with_git();
    let run = |command: &[&str]| yard.run(["lock", "run", "build", "--"].iter().chain(command)).code;
    assert_eq!(run(&["true"]), 0);
    assert_eq!(run(&["sh", "-c", "exit 3"]), 3);
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]), 143);
    assert_eq!(run(&["sh", "-c", "kill -KILL $$"]), 137);
    assert_eq!(run(&["fencehold-no-such-command"]), 127);
    assert_eq!(run(&["/"]), 126);
    assert_eq!(show(&yard)["holder"], serde_json::Value::Null, "released each time");
}

/// CLI-24: `lock run` exits 127 where the command is not found, 126 where it cannot be executed, and 125 for
/// any failure of its own, usage included.
#[test]
fn an_error_of_ours_is_125() {
    let yard = Yard::with_git();
    for args in [
        &["lock", "run", "build"][..],
        &["lock", "run", "build", "--ttl", "0s", "--", "true"],
        &["--json", "lock", "run", " ", "--", "true"],
        &["--root", "nowhere", "lock", "run", "build", "--", "true"],
    ] {
        assert_eq!(yard.run(args).code, 125, "{args:?}");
    }
}

/// CLI-25: `lock run` gives its child `FENCEHOLD_ROOT`, `FENCEHOLD_HOLDER`, `FENCEHOLD_CLAIM`,
/// `FENCEHOLD_LOCK` and `FENCEHOLD_TOKEN`.
#[test]
fn the_command_knows_its_lock_and_keeps_its_stdin() {
    let yard = Yard::with_git();
    let script = "echo $$; echo $FENCEHOLD_ROOT; echo $FENCEHOLD_HOLDER; echo $FENCEHOLD_LOCK; \
                  echo $FENCEHOLD_TOKEN; test -n \"$FENCEHOLD_CLAIM\" && echo claimed; cat";
    let mut running = Running::start(&yard, &[], script);
    assert_eq!(running.line(), yard.path().to_str().unwrap());
    assert_eq!((running.line(), running.line()), ("tester".to_owned(), "build".to_owned()));
    let shown = show(&yard);
    assert_eq!(running.line(), shown["token"].to_string());
    assert_eq!(shown["bound"]["pid"], running.pid.as_raw_pid());
    assert_eq!(shown["expires_in_ms"], serde_json::Value::Null);
    assert_eq!(running.line(), "claimed");
    running.stdin.write_all(b"through\n").unwrap();
    assert_eq!(running.line(), "through");
    let group = rustix::process::getpgid(Some(running.pid)).unwrap();
    assert_eq!(group, running.pid, "a process group of its own");
    let Running { fencehold: mut kept, stdin, .. } = running;
    drop(stdin);
    assert_eq!(code(kept.0.wait().unwrap()), 0);
}

/// CLI-22: `lock run` exits 75 where the lock is held and its wait has passed, without starting the child.
#[test]
fn a_held_lock_is_75_and_the_command_does_not_run() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &[], OBEDIENT);
    let refused = yard.run(["lock", "run", "build", "--", "touch", "ran"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (75, ""));
    for word in ["build is held by tester", "until process", "token"] {
        assert!(refused.stderr.contains(word), "{word}: {refused:?}");
    }
    assert!(!yard.join("ran").exists());
    let waiting =
        yard.fencehold().args(["lock", "run", "build", "--wait", "60s", "--", "touch", "ran"]).spawn();
    let mut waiting = Kept(waiting.unwrap());
    running.stdin.write_all(b"end\n").unwrap();
    assert_eq!((running.rest().as_str(), running.code()), ("got end\n", 0));
    assert_eq!(code(waiting.0.wait().unwrap()), 0, "woken when it ended");
    assert!(yard.join("ran").exists());
}

#[test]
fn sigterm_is_passed_on() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &[], OBEDIENT);
    running.signal(Signal::TERM);
    assert_eq!((running.rest().as_str(), running.code()), ("term\n", 9));
    assert_eq!(show(&yard)["holder"], serde_json::Value::Null);
}

/// CLI-27: When `lock run` is killed its child, which runs in a process group of its own, gets SIGTERM, and the lock
/// is granted to the next acquire as soon as that child has ended, its TTL passed or not.
#[test]
fn fencehold_killed_ends_the_command_and_the_lock() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &[], OBEDIENT);
    assert_eq!(rustix::process::getpgid(Some(running.pid)).unwrap(), running.pid, "a group of its own");
    running.signal(Signal::KILL);
    assert_eq!((running.rest().as_str(), running.code()), ("term\n", 137));
    let taken = acquire(&yard, &["--wait", "30s"]);
    assert_eq!(taken.code, 0, "{taken:?}");
}

/// CLI-27: When `lock run` is killed its child, which runs in a process group of its own, gets SIGTERM, and the lock
/// is granted to the next acquire as soon as that child has ended, its TTL passed or not.
#[test]
fn fencehold_killed_leaves_the_lock_with_a_command_that_goes_on() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &["--ttl", "200ms"], STUBBORN);
    running.signal(Signal::KILL);
    assert_eq!(running.code(), 137);
    let_pass(&yard, "300ms");
    assert_eq!(acquire(&yard, &[]).code, 1, "held as long as the command lives");
    running.stdin.write_all(b"end\n").unwrap();
    assert_eq!(running.rest(), "got end\n");
    let taken = acquire(&yard, &["--wait", "30s"]);
    assert_eq!(taken.code, 0, "{taken:?}");
}

#[test]
fn the_command_killed_ends_fencehold_and_the_lock() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &[], OBEDIENT);
    running.signal_command(Signal::KILL);
    assert_eq!(running.code(), 137);
    assert_eq!(acquire(&yard, &[]).code, 0);
}

#[test]
fn both_killed_leave_a_lock_that_the_next_one_takes_over() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &[], STUBBORN);
    running.signal(Signal::STOP);
    running.signal_command(Signal::KILL);
    running.signal(Signal::KILL);
    assert_eq!(running.code(), 137);
    let taken = acquire(&yard, &["--wait", "30s"]);
    assert_eq!(taken.code, 0, "{taken:?}");
}

/// CLI-28: A `lock run` that is stopped past the TTL while its child runs keeps the lock.
#[test]
fn fencehold_stopped_past_the_ttl_keeps_the_lock_while_the_command_lives() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &["--ttl", "200ms"], OBEDIENT);
    running.signal(Signal::STOP);
    let_pass(&yard, "400ms");
    let refused = acquire(&yard, &[]);
    assert_eq!(refused.code, 1, "{refused:?}");
    running.signal_command(Signal::KILL);
    let taken = acquire(&yard, &["--wait", "30s"]);
    assert_eq!(taken.code, 0, "taken over from a dead command: {taken:?}");
    running.signal(Signal::CONT);
    assert_eq!(running.code(), 137);
    assert_eq!(show(&yard)["holder"], "other", "what is another's was not released");
}

#[test]
fn fencehold_stopped_past_the_ttl_goes_on_when_it_is_continued() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &["--ttl", "200ms"], OBEDIENT);
    let token = show(&yard)["token"].clone();
    running.signal(Signal::STOP);
    let_pass(&yard, "400ms");
    running.signal(Signal::CONT);
    let_pass(&yard, "400ms");
    assert_eq!(show(&yard)["token"], token);
    running.stdin.write_all(b"end\n").unwrap();
    assert_eq!((running.rest().as_str(), running.code()), ("got end\n", 0));
}

/// CLI-23: `lock run` whose lock is broken while the child runs ends the child and exits 76.
#[test]
fn a_lock_that_is_lost_ends_the_command_with_76() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &["--ttl", "300ms"], OBEDIENT);
    assert_eq!(yard.run(["lock", "break", "build", "--reason", "a test"]).code, 0);
    assert_eq!((running.rest().as_str(), running.code()), ("term\n", 76));
}

/// RECOVER-14: A workspace that a running process saw vanish is never made anew by that process.
#[test]
fn a_workspace_that_vanishes_ends_the_command_when_the_ttl_is_over() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &["--ttl", "300ms"], OBEDIENT);
    std::fs::remove_dir_all(yard.join(".git/fencehold")).unwrap();
    assert_eq!((running.rest().as_str(), running.code()), ("term\n", 76));
    assert!(!yard.join(".git/fencehold").exists());
}

#[test]
fn a_command_that_does_not_mind_sigterm_is_killed_after_the_grace() {
    let yard = Yard::with_git();
    let mut running = Running::start(&yard, &["--ttl", "300ms", "--grace", "100ms"], STUBBORN);
    assert_eq!(yard.run(["lock", "break", "build", "--reason", "a test"]).code, 0);
    assert_eq!((running.rest().as_str(), running.code()), ("", 76));
}

/// CLI-26: A `lock run` of the same name inside its own child runs under the inherited claim and does not
/// release the lock.
#[test]
fn a_nested_run_of_the_same_claim_runs_and_does_not_release() {
    let yard = Yard::with_git();
    let program = env!("CARGO_BIN_EXE_fencehold-under-test");
    let script = format!(
        "echo $$; echo $FENCEHOLD_TOKEN; {program} lock run build -- sh -c 'echo $FENCEHOLD_TOKEN'; \
         {program} lock run other -- sh -c 'echo $FENCEHOLD_LOCK'; read x"
    );
    let mut running = Running::start(&yard, &[], &script);
    let token = running.line();
    assert_eq!(running.line(), token, "the same grant");
    assert_eq!(running.line(), "other", "another lock is taken on its own");
    assert_eq!(show(&yard)["token"].to_string(), token, "still held");
    running.stdin.write_all(b"end\n").unwrap();
    assert_eq!(running.code(), 0);
}

#[test]
fn an_environment_that_outlived_its_run_takes_the_lock_anew() {
    let yard = Yard::with_git();
    let mut stale = yard.fencehold();
    stale.env("FENCEHOLD_LOCK", "build").env("FENCEHOLD_CLAIM", "long gone").env("FENCEHOLD_TOKEN", "3");
    let said = said(stale.args(["lock", "run", "build", "--", "sh", "-c", "echo $FENCEHOLD_CLAIM"]));
    assert_eq!(said.code, 0, "{said:?}");
    assert_ne!(said.stdout, "long gone\n");
}

#[test]
fn two_runs_of_one_holder_exclude_each_other() {
    let yard = Yard::with_git();
    let _running: Running = Running::start(&yard, &[], OBEDIENT);
    let refused = yard.run(["lock", "run", "build", "--", "true"]);
    assert_eq!(refused.code, 75, "held, by your own name: {refused:?}");
}

/// CLI-20: The holder is `--holder`, else `FENCEHOLD_HOLDER`, else `CLAUDE_CODE_SESSION_ID`, else `CODEX_THREAD_ID`,
/// else user, host and terminal, or without a terminal user, host and session id; `whoami` prints it.
#[test]
fn in_a_terminal_the_command_is_in_the_foreground() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let yard = Yard::with_git();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let typed = std::fs::OpenOptions::new().read(true).write(true).open(&name).unwrap();
    let program = env!("CARGO_BIN_EXE_fencehold-under-test");
    // setsid(1) makes the terminal on stdin the controlling one, as a login does. Whoever was started in the background
    // has SIGINT ignored, and a shell cannot trap what was ignored when it began.
    let mut session = Command::new("setsid");
    session.args(["--ctty", "--wait", "env", "--default-signal=INT"]);
    session.args([program, "lock", "run", "build", "--", "sh", "-c"]);
    session.arg("trap 'echo interrupted; exit 5' INT; echo $$; read x < /dev/tty; echo got $x; read x");
    session.current_dir(yard.path()).stdin(typed).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Kept(session.spawn().expect("setsid is installed"));
    let mut stdout = BufReader::new(child.0.stdout.take().expect("a pipe"));
    let mut line = || {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a pipe to read from");
        line.trim_end().to_owned()
    };
    assert!(line().parse::<i32>().is_ok(), "the command says its pid first");
    rustix::io::write(&terminal, b"hello\n").unwrap();
    assert_eq!(line(), "got hello", "who is not in the foreground may not read the terminal");
    let holder = show(&yard)["holder"].as_str().unwrap_or_default().to_owned();
    assert!(holder.ends_with(name.trim_start_matches("/dev/")), "{holder} on {name}");
    rustix::io::write(&terminal, b"\x03").unwrap();
    assert_eq!(line(), "interrupted");
    assert_eq!(code(child.0.wait().unwrap()), 5);
}

#[test]
fn the_command_finds_the_workspace_that_only_git_dir_led_to() {
    let yard = Yard::new();
    yard.git(&["init", "-q", "--bare", "dots"]);
    yard.git(&["--git-dir=dots", "config", "core.bare", "false"]);
    std::fs::create_dir(yard.join("home")).unwrap();
    let program = env!("CARGO_BIN_EXE_fencehold-under-test");
    let mut run = yard.fencehold();
    run.current_dir(yard.join("home")).env("GIT_DIR", "../dots");
    let said = said(run.args(["lock", "run", "build", "--", program, "where"]));
    assert_eq!((said.code, said.stdout), (0, format!("{}\n", yard.join("dots/fencehold").display())));
}
