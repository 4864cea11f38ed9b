//! What flock(2) does (M7), that it has no order (m8), and how a waiter hears of a change (m4).

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use fencehold::error::Error;
use fencehold::fs::{File as _, Fs as _, How, LockMode, RealFs};
use fencehold::journal::Options;

use super::kit::{Act, Tampered};
use crate::program::{Kept, Yard};
use crate::spec_kit::{DURABLE, Disk, Does as _, HOUR, Lab, acquire};

const AT_ONCE: Options = Options { patience: Duration::ZERO, ..DURABLE };

/// The holder was killed and reaped, and a child that it had forked keeps the lock; `/proc/locks` names the dead one.
/// The message names the child, which a person can find.
#[test]
fn review_M7_a_forked_child_that_keeps_the_lock_is_named() {
    let lab = Lab::new();
    let lock = lab.path("lock");
    let script = "exec 9<\"$0\"; flock --exclusive 9; sh -c 'echo $$; exec sleep 1000' & wait $!";
    let mut parent = Command::new("sh")
        .args(["-c", script])
        .arg(&lock)
        .stdout(Stdio::piped())
        .spawn()
        .expect("flock(1) is installed");
    let mut child = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut child).unwrap();
    let child: u32 = child.trim().parse().unwrap();
    let dead = parent.id();
    parent.kill().unwrap();
    parent.wait().unwrap();
    let error = lab.party_on(RealFs, AT_ONCE).ask(&acquire("a", "h", HOUR)).unwrap_err();
    let Error::Busy { in_the_way, .. } = &error else { panic!("{error}") };
    assert!(in_the_way.contains(&format!("pid {child} ")), "{in_the_way}");
    assert!(!in_the_way.contains(&format!("pid {dead} ")), "{in_the_way}");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(child.cast_signed()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    lab.party().token(&acquire("a", "h", HOUR));
}

/// A second flock(2) on one open file is granted at once, so two threads on one handle would both be in: a mutex stands
/// before it. The first half is the fact, and with it the wrong variant.
#[test]
fn review_M7_two_threads_on_one_handle_are_never_both_in_the_section() {
    let lab = Lab::new();
    let file = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    for _ in 0..2 {
        file.lock(LockMode::Exclusive, Duration::ZERO).expect("the same description is granted it again");
    }
    file.unlock().unwrap();
    // Two threads of one handle: no append of the one comes between the lock and the unlock of the other.
    let inside = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (count, most) = (inside.clone(), std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let seen = most.clone();
    let fs = Tampered::new(RealFs, move |call, path| {
        use std::sync::atomic::Ordering::SeqCst;
        if path.ends_with("lock") && call == "lock" {
            seen.fetch_max(count.fetch_add(1, SeqCst) + 1, SeqCst);
        }
        if path.ends_with("lock") && call == "unlock" {
            count.fetch_sub(1, SeqCst);
        }
        Act::Go
    });
    let party = lab.party_on(fs, DURABLE);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let party = &party;
            scope.spawn(move || {
                for n in 0..30 {
                    party.token(&acquire(&format!("{thread} {n}"), "h", HOUR));
                }
            });
        }
    });
    assert_eq!(most.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(lab.events().len(), 61);
}

/// Anyone who can read `lock` can hold it: the folder lets nobody else in.
#[test]
fn review_M7_a_lock_held_through_a_read_only_descriptor_stops_everybody_so_the_folder_is_closed() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    let reader = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    reader.lock(LockMode::Exclusive, Duration::ZERO).unwrap();
    let error = lab.party_on(RealFs, AT_ONCE).ask(&acquire("a", "h", HOUR)).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(std::fs::metadata(lab.ws()).unwrap().permissions().mode() & 0o7777, 0o700);
}

/// Overlapping shared locks starve an exclusive one without end: reads of an undamaged journal take none.
#[test]
fn review_M7_readers_take_no_shared_lock() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    let (disk, calls) = Disk::noting();
    let reader = lab.party_on(disk, DURABLE);
    for _ in 0..3 {
        assert!(reader.held("a").is_some());
        reader.list().unwrap();
    }
    let calls = calls.lock().unwrap();
    assert!(calls.len() > 6 && !calls.iter().any(|call| call.starts_with("lock")), "{calls:?}");
}

/// A waiter that was given up holds nothing later: there is no thread that gets the lock when nobody wants it.
#[test]
fn review_M7_a_wait_that_was_given_up_takes_nothing_later() {
    let lab = Lab::new();
    let busy = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    busy.lock(LockMode::Exclusive, Duration::ZERO).unwrap();
    let waiter = lab.party_on(RealFs, Options { patience: Duration::from_millis(20), ..DURABLE });
    assert!(matches!(waiter.ask(&acquire("a", "h", HOUR)), Err(Error::Busy { .. })));
    busy.unlock().unwrap();
    // The waiter's process goes on, its descriptor still open.
    lab.party_on(RealFs, AT_ONCE).token(&acquire("a", "h", HOUR));
    drop(waiter);
}

/// The OS lock is let go by an unlock, never by a close: a child forked meanwhile would keep it. The wrong variant
/// skips the unlock: where the description is open elsewhere, as in such a child, the lock stays.
#[test]
fn review_M7_the_lock_is_let_go_by_an_unlock() {
    for (act, free) in [(Act::Go, true), (Act::Skip, false)] {
        let lab = Lab::new();
        let party = lab.party_on(Tampered::always(RealFs, "unlock", "lock", act), DURABLE);
        party.token(&acquire("a", "h", HOUR));
        // The description stays open here, as it would in a forked child.
        let next = lab.party_on(RealFs, AT_ONCE).ask(&acquire("b", "h", HOUR));
        assert_eq!(next.is_ok(), free, "{act:?}: {next:?}");
    }
}

/// SIGSTOP in the section stops everyone: whoever waits ends at its deadline, and the message names the stopped one.
#[test]
fn review_M7_a_holder_that_is_stopped_is_named() {
    let lab = Lab::new();
    let holder = Command::new("flock")
        .args(["--exclusive", "--no-fork"])
        .arg(lab.path("lock"))
        .args(["sh", "-c", "echo held; kill -STOP $$; :"])
        .stdout(Stdio::piped())
        .spawn();
    let mut holder = Kept(holder.expect("flock(1) is installed"));
    let mut line = String::new();
    BufReader::new(holder.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pid = holder.0.id();
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    while !stat().contains(") T ") {
        std::thread::yield_now();
    }
    let error = lab.party_on(RealFs, AT_ONCE).ask(&acquire("a", "h", HOUR)).unwrap_err();
    let told = error.to_string();
    assert!(told.contains(&format!("pid {pid} ")) && told.contains("stopped"), "{told}");
}

/// flock(2) has no order, and none is promised: eight equal contenders that each want the lock many times all come to
/// their end, in whatever order.
#[test]
fn review_m8_equal_contenders_all_come_to_their_end() {
    let lab = Lab::new();
    let grants: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let party = lab.party();
                scope.spawn(move || {
                    (0..10).map(|n| party.token(&acquire(&format!("{thread} {n}"), "h", HOUR))).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(grants, 80);
    assert_eq!(lab.events().len(), 81);
}

/// A release that comes between a waiter's look and its watch is not missed, and neither is an expiry, which is no event
/// at all. (Where it fails, the waits end at their minute, refused.)
#[test]
fn review_m4_a_waiter_misses_no_release_no_expiry_and_no_rotation() {
    let yard = Yard::with_git();
    let wait = ["lock", "acquire", "build", "--holder", "waiter", "--wait", "60s", "--ttl", "1h"];
    let mut woken = 0;
    for freed in ["release", "expiry", "break"] {
        for _ in 0..3 {
            let ttl = if freed == "expiry" { "50ms" } else { "1h" };
            let taken = yard.run(["--json", "lock", "acquire", "build", "--holder", "first", "--ttl", ttl]);
            // On a busy machine it may have lapsed before it was printed.
            assert!(taken.code == 0 || freed == "expiry", "{taken:?}");
            let taken: serde_json::Value = serde_json::from_str(&taken.stdout).unwrap();
            let token = taken["value"]["token"].to_string();
            let mut waiter = Kept(yard.fencehold().args(wait).stdout(Stdio::null()).spawn().unwrap());
            match freed {
                "release" => {
                    yard.json(0, ["lock", "release", "build", "--holder", "first", "--token", &token]);
                }
                "break" => _ = yard.json(0, ["lock", "break", "build", "--reason", "a test"]),
                _ => {}
            }
            assert_eq!(crate::program::code(waiter.0.wait().unwrap()), 0, "{freed}");
            woken += 1;
            yard.json(0, ["lock", "break", "build", "--reason", "the next round"]);
        }
    }
    assert_eq!(woken, 9);
}
