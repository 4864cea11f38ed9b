//! "Only proven death" (M5): the four false proofs, each with a process that lives.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use fencehold::host::{Host as _, RealHost};
use fencehold_model::event::Evidence;
use fencehold_model::lock::Liveness;

use crate::program::{Kept, Said, Yard, said};
use crate::strangers;

/// A process that lives until it is dropped.
fn living() -> Kept {
    let mut cat = Command::new("cat");
    Kept(cat.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat is installed"))
}

/// Takes the lock `build` for this process, with a TTL that has passed by the time anybody asks again.
fn bind(yard: &Yard, pid: u32) {
    let pid = pid.to_string();
    let taken = yard.run(["lock", "acquire", "build", "--holder", "it", "--pid", &pid, "--ttl", "1ms"]);
    assert_eq!(taken.code, 0, "{taken:?}");
}

/// The command under a wrapper; none where the wrapper does not work here, said aloud.
fn wrapped(wrapper: &[&str], yard: &Yard, args: &[&str]) -> Option<Said> {
    let works = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        println!("skipped, because `{}` does not work here", wrapper.join(" "));
        return None;
    }
    let plain = yard.fencehold();
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(plain.get_program()).args(args).current_dir(yard.path());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(said(command.stdin(Stdio::null())))
}

const ACQUIRE: [&str; 5] = ["lock", "acquire", "build", "--holder", "other"];

/// (1) The start time in /proc is shifted by the *reader's* time namespace. The wrong variant compares what is read
/// there with what was recorded: here the two differ, and the process lives.
#[test]
fn review_M5_a_start_time_read_in_another_time_namespace_proves_no_death() {
    let (yard, process) = (Yard::with_git(), living());
    let namespace = ["unshare", "--time", "--boottime", "100000", "--monotonic", "0", "--"];
    bind(&yard, process.0.id());
    let Some(answer) = wrapped(&namespace, &yard, &ACQUIRE) else { return };
    assert_eq!(answer.code, 1, "held: {answer:?}");
    // What the wrong variant compares.
    let raw = |wrapper: &[&str]| -> u64 {
        let script = format!("cat /proc/{}/stat", process.0.id());
        let told = said(Command::new(wrapper[0]).args(&wrapper[1..]).args(["sh", "-c", &script]));
        let after_name = told.stdout[told.stdout.rfind(") ").unwrap() + 2..].to_owned();
        after_name.split(' ').nth(19).unwrap().parse().unwrap()
    };
    assert!(raw(&namespace) > raw(&["env"]) + 1_000_000, "the two readings differ by the offset");
    // One that was bound from within is the same process seen from without.
    yard.json(0, ["lock", "break", "build", "--reason", "again"]);
    let pid = process.0.id().to_string();
    let from_within = ["lock", "acquire", "build", "--holder", "it", "--pid", &pid, "--ttl", "1ms"];
    assert_eq!(wrapped(&namespace, &yard, &from_within).expect("it worked before").code, 0);
    let answer = yard.run(ACQUIRE);
    assert_eq!(answer.code, 1, "held: {answer:?}");
    drop(process);
    assert_eq!(yard.run(ACQUIRE).code, 0, "and its death is seen");
}

/// (2) With `hidepid=2` another user's process has no entry in /proc, and a signal to it is not permitted. The wrong
/// variant takes the missing entry for a death: it is missing here.
#[test]
fn review_M5_a_process_that_proc_hides_lives() {
    let yard = Yard::with_git();
    let Some(nobody) = strangers::stranger(&yard) else { return };
    // A process of ours, which is root.
    let process = living();
    let pid = process.0.id().to_string();
    let mut bind = nobody(&yard);
    bind.args(["lock", "acquire", "build", "--holder", "it", "--pid", &pid, "--ttl", "1ms"]);
    assert_eq!(said(&mut bind).code, 0);
    let hide = "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"";
    let hidden = ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh"];
    let Some(answer) = wrapped(&hidden, &yard, &ACQUIRE) else { return };
    assert_eq!(answer.code, 1, "held: {answer:?}");
    let mut look = Command::new(hidden[0]);
    let entry = said(look.args(&hidden[1..]).args(["ls", "-d", &format!("/proc/{pid}")]));
    assert_ne!(entry.code, 0, "the entry is hidden: {entry:?}");
    drop(process);
    assert_eq!(wrapped(&hidden, &yard, &ACQUIRE).expect("it worked before").code, 0, "its death is seen");
}

/// (3) State `Z` of a process whose first thread has exited, while another goes on. The wrong variant reads the state:
/// it is the same before and after the death.
#[test]
fn review_M5_a_state_of_z_proves_no_death() {
    let program = "import ctypes, platform, sys, threading\n\
        exit_thread = {'x86_64': 60, 'aarch64': 93}[platform.machine()]\n\
        threading.Thread(target=sys.stdin.read).start()\n\
        ctypes.CDLL(None).syscall(exit_thread, 0)\n";
    let python = Command::new("python3").args(["-c", program]).stdin(Stdio::piped()).spawn();
    let mut python = Kept(python.expect("python3 is installed, as for the control target"));
    let yard = Yard::with_git();
    bind(&yard, python.0.id());
    let state = format!("/proc/{}/stat", python.0.id());
    let is_z = || {
        let stat = std::fs::read_to_string(&state).unwrap();
        stat[stat.rfind(") ").unwrap() + 2..].starts_with('Z')
    };
    while !is_z() {
        std::thread::yield_now();
    }
    let answer = yard.run(ACQUIRE);
    assert_eq!(answer.code, 1, "held: {answer:?}");
    python.0.kill().unwrap();
    // Dead and not reaped: a real zombie, which its pidfd tells apart. The kill itself takes a moment.
    while yard.run(ACQUIRE).code == 1 {
        std::thread::yield_now();
    }
    assert!(is_z(), "the state alone is the same");
    python.0.wait().unwrap();
}

/// (4) In another pid namespace the pid means somebody else, or nobody: nothing is concluded, and the TTL counts. The
/// wrong variant asks for the pid, of which there is none in the namespace.
#[test]
fn review_M5_another_pid_namespace_proves_no_death() {
    let (yard, process) = (Yard::with_git(), living());
    let inside = ["unshare", "--pid", "--fork", "--mount-proc", "--"];
    let pid = process.0.id().to_string();
    let hour = ["lock", "acquire", "build", "--holder", "it", "--pid", &pid, "--ttl", "1h"];
    assert_eq!(yard.run(hour).code, 0);
    let Some(answer) = wrapped(&inside, &yard, &ACQUIRE) else { return };
    assert_eq!(answer.code, 1, "held: {answer:?}");
    let entry = said(Command::new(inside[0]).args(&inside[1..]).args(["ls", "-d", &format!("/proc/{pid}")]));
    assert_ne!(entry.code, 0, "by the pid alone it would be dead: {entry:?}");
    yard.json(0, ["lock", "break", "build", "--reason", "the other way round"]);
    // Bound to pid 1 of a namespace that is over; pid 1 of ours lives, and is somebody else.
    let first = ["lock", "acquire", "build", "--holder", "it", "--pid", "1", "--ttl", "1h"];
    assert_eq!(wrapped(&inside, &yard, &first).expect("it worked before").code, 0);
    assert_eq!(yard.run(ACQUIRE).code, 1, "not proven dead, so the TTL counts");
    // Past its TTL it lapses.
    yard.json(0, ["lock", "break", "build", "--reason", "shorter"]);
    let short = ["lock", "acquire", "build", "--holder", "it", "--pid", "1", "--ttl", "1ms"];
    assert_eq!(wrapped(&inside, &yard, &short).expect("it worked before").code, 0);
    assert_eq!(yard.run(ACQUIRE).code, 0);
}

/// What does prove a death: the pid is nobody's, its pidfd is readable, or it was started at another time. Another
/// boot, another namespace and another host prove nothing here.
#[test]
fn review_M5_what_proves_a_death_and_what_does_not() {
    let host = RealHost::new().unwrap();
    let mut process = living();
    let it = host.process(process.0.id().into()).unwrap();
    assert_eq!(host.liveness(&it), Liveness::Alive);
    let other = |change: fn(&mut fencehold_model::event::Process)| {
        let mut other = it.clone();
        change(&mut other);
        host.liveness(&other)
    };
    assert_eq!(other(|it| it.start_ticks += 1), Liveness::Dead(Evidence::OtherStartTime));
    assert_eq!(other(|it| it.pid_namespace += 1), Liveness::Unknowable);
    assert_eq!(
        other(|it| it.boot = fencehold_model::id::BootId::new("another").unwrap()),
        Liveness::Unknowable
    );
    process.0.kill().unwrap();
    while host.liveness(&it) == Liveness::Alive {
        std::thread::yield_now();
    }
    assert_eq!(host.liveness(&it), Liveness::Dead(Evidence::Exited), "not reaped yet");
    process.0.wait().unwrap();
    assert_eq!(host.liveness(&it), Liveness::Dead(Evidence::NoSuchProcess));
}

/// Nobody but root may signal a process of root's: EPERM is no proof of death.
#[test]
fn review_M5_a_process_that_may_not_be_signalled_lives() {
    let yard = Yard::with_git();
    let Some(nobody) = strangers::stranger(&yard) else { return };
    let process = living();
    let pid = process.0.id().to_string();
    let signal = Command::new("kill").args(["-0", &pid]).uid(65534).stderr(Stdio::null()).status();
    assert!(!signal.unwrap().success(), "it may not be signalled");
    let mut bind = nobody(&yard);
    bind.args(["lock", "acquire", "build", "--holder", "it", "--pid", &pid, "--ttl", "1ms"]);
    assert_eq!(said(&mut bind).code, 0);
    let mut ask = nobody(&yard);
    assert_eq!(said(ask.args(ACQUIRE)).code, 1, "held");
}
