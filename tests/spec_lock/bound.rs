//! Locks that are bound to a process.

use std::process::{Command, Stdio};

use fencehold::host::{Clock as _, Host as _, RealHost};
use fencehold::ledger::Verdict;
use fencehold_model::Event;
use fencehold_model::event::Evidence;
use fencehold_model::lock::{Liveness, Proof};

use crate::spec_kit::{Does as _, HOUR, Lab, acquire, acquire_bound, release, renew};

/// LOCK-16: A bound lock stays held past its TTL while its process lives.
#[test]
fn a_bound_lock_outlives_its_ttl_with_its_process() {
    let lab = Lab::new();
    let process = lab.machine.process(77);
    let answer = lab.party().ask(&acquire_bound("x", "h", 1_000, &process)).unwrap();
    let Verdict::Granted { token, expires_ms: None } = answer.verdict else { panic!("{answer:?}") };
    for _ in 0..3 {
        lab.machine.pass(100 * HOUR);
        assert_eq!(lab.party().held("x"), Some(("h".to_owned(), token)));
        assert_eq!(lab.party().refusal(&acquire("x", "other", HOUR)), "held");
    }
    assert_eq!(lab.party().token(&renew("x", "h", Proof::Token(token), None)), token);
    let released = Verdict::Released { token, already: false };
    assert_eq!(lab.party().verdict(&release("x", "h", Proof::Token(token))), released);
}

/// LOCK-17: A bound lock whose process is proven dead is granted to the next acquire at once, its TTL passed or not,
/// and the history keeps the evidence.
#[test]
fn a_dead_process_gives_its_lock_up_at_once() {
    let proofs = [Evidence::NoSuchProcess, Evidence::Exited, Evidence::OtherStartTime];
    let mut seen = 0;
    for evidence in proofs {
        for pass in [0, 2 * HOUR] {
            let lab = Lab::new();
            let process = lab.machine.process(77);
            let old = lab.party().token(&acquire_bound("x", "h#c", HOUR, &process));
            lab.machine.pass(pass);
            lab.machine.becomes(77, Liveness::Dead(evidence));
            assert_eq!(lab.party().held("x"), None);
            let new = lab.party().token(&acquire("x", "other", HOUR));
            assert!(new > old);
            let last = lab.events().pop().unwrap().event;
            assert!(
                matches!(last, Event::LockGranted { over: Some(over), .. } if over == evidence),
                "{last:?}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}

/// LOCK-18: A process that was started later under the pid of a bound lock's dead process does not keep the lock held.
#[test]
fn a_reused_pid_is_another_process() {
    let host = RealHost::new().unwrap();
    let me = host.process(u64::from(std::process::id())).unwrap();
    assert_eq!(host.liveness(&me), Liveness::Alive);
    let mut before = me.clone();
    before.start_ticks -= 1;
    assert_eq!(host.liveness(&before), Liveness::Dead(Evidence::OtherStartTime));
}

/// LOCK-19: A refused permission, a missing entry of `/proc` and a state of `Z` are no proof of death.
#[test]
fn a_process_whose_first_thread_ended_lives() {
    // exit(2) of the first thread alone; the second one goes on until stdin ends.
    let program = "import ctypes, platform, sys, threading\n\
        exit_thread = {'x86_64': 60, 'aarch64': 93}[platform.machine()]\n\
        threading.Thread(target=sys.stdin.read).start()\n\
        print('ready', flush=True)\n\
        ctypes.CDLL(None).syscall(exit_thread, 0)\n";
    let python = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed, as for the control target");
    let pid = u64::from(python.id());
    let python = crate::program::Kept(python);
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat[stat.rfind(") ").unwrap() + 2..].chars().next().unwrap()
    };
    let host = RealHost::new().unwrap();
    let process = host.process(pid).unwrap();
    while state() != 'Z' {
        std::thread::yield_now();
    }
    assert_eq!(host.liveness(&process), Liveness::Alive, "its state is Z, and it lives");
    let mut python = python;
    python.0.kill().unwrap();
    // Dead, and not yet reaped: its state is Z again.
    while host.liveness(&process) == Liveness::Alive {
        std::thread::yield_now();
    }
    assert_eq!((state(), host.liveness(&process)), ('Z', Liveness::Dead(Evidence::Exited)));
    python.0.wait().unwrap();
    assert_eq!(host.liveness(&process), Liveness::Dead(Evidence::NoSuchProcess));
}

/// LOCK-20: A bound lock whose process belongs to another host or another pid namespace lapses at its expiry.
#[test]
fn where_death_cannot_be_proven_the_ttl_counts() {
    let lab = Lab::new();
    let process = lab.machine.process(77);
    lab.machine.becomes(77, Liveness::Unknowable);
    let answer = lab.party().ask(&acquire_bound("x", "h", 1_000, &process)).unwrap();
    let Verdict::Granted { token, expires_ms: Some(expires_ms) } = answer.verdict else {
        panic!("{answer:?}")
    };
    assert_eq!(expires_ms, answer.at_ms + 1_000);
    lab.machine.pass(999);
    assert_eq!(lab.party().held("x"), Some(("h".to_owned(), token)));
    lab.machine.pass(1);
    assert_eq!(lab.party().held("x"), None);
    assert_eq!(lab.party().refusal(&renew("x", "h", Proof::Token(token), None)), "expired");
    assert!(lab.party().token(&acquire("x", "other", HOUR)) > token);
    // And the real machine says so of both.
    let host = RealHost::new().unwrap();
    let me = host.process(u64::from(std::process::id())).unwrap();
    let (mut elsewhere, mut inside) = (me.clone(), me);
    elsewhere.boot = lab.machine.boot();
    inside.pid_namespace += 1;
    assert_eq!(host.liveness(&elsewhere), Liveness::Unknowable);
    assert_eq!(host.liveness(&inside), Liveness::Unknowable);
}

/// LOCK-21: A bound lock of an earlier boot is lapsed.
#[test]
fn a_reboot_ends_every_bound_lock() {
    let lab = Lab::new();
    let process = lab.machine.process(77);
    let bound = lab.party().token(&acquire_bound("bound", "h#c", 100 * HOUR, &process));
    let timed = lab.party().token(&acquire("timed", "h", 100 * HOUR));
    lab.machine.reboot("boot 2");
    // Another process has the pid now, and lives.
    lab.machine.process(77);
    assert_eq!(lab.party().held("bound"), None, "as a reader sees it that comes first");
    assert_eq!(lab.party().refusal(&renew("bound", "h", Proof::Token(bound), None)), "expired");
    assert_eq!(lab.party().held("timed"), Some(("h".to_owned(), timed)));
    assert!(lab.party().token(&acquire("bound", "h#c", HOUR)) > bound);
    let last = lab.events().pop().unwrap().event;
    assert!(matches!(last, Event::LockGranted { over: Some(Evidence::EarlierBoot), .. }), "{last:?}");
}
