//! Journal time (M4): which clock, nothing that freezes expiry, time namespaces, clones; and the time in an answer (M21).

use std::process::{Command, Stdio};

use fencehold::fs::RealFs;
use fencehold::host::{Clock as _, RealHost};
use fencehold::journal::Journal as _;
use fencehold_model::lock::Proof;

use crate::program::{Said, Yard, said};
use crate::spec_kit::{Does as _, HOUR, Lab, acquire, release, renew};

const YEAR: u64 = 365 * 24 * HOUR;

/// The command in a time namespace; none where there is none to be had, said aloud.
fn within(offsets: &[&str], yard: &Yard, args: &[&str]) -> Option<Said> {
    let mut probe = Command::new("unshare");
    let probe = probe.arg("--time").args(offsets).args(["--", "true"]).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped, because a time namespace cannot be made here");
        return None;
    }
    let plain = yard.fencehold();
    let mut command = Command::new("unshare");
    command.arg("--time").args(offsets).arg("--").arg(plain.get_program()).args(args);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(said(command.current_dir(yard.path()).stdin(Stdio::null())))
}

/// (a) The clock is CLOCK_MONOTONIC, which stands still during suspend: with CLOCK_BOOTTIME every lock on a laptop
/// lapses at wake-up while all holders live. What CLOCK_BOOTTIME is ahead by is put into a time namespace here, as
/// after a night of suspend; the wrong variant would find the lock lapsed.
#[test]
fn review_M4_a_time_that_was_suspended_does_not_count() {
    let reading = |clock| {
        let now = rustix::time::clock_gettime(clock);
        u64::try_from(now.tv_sec * 1000 + now.tv_nsec / 1_000_000).unwrap()
    };
    let before = reading(rustix::time::ClockId::Monotonic);
    let ours = RealHost::new().unwrap().reading().monotonic_ms;
    let after = reading(rustix::time::ClockId::Monotonic);
    assert!((before..=after).contains(&ours), "{before} {ours} {after}");
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "build", "--holder", "it", "--ttl", "1h"]).code, 0);
    let night = ["--boottime", "100000", "--monotonic", "0"];
    let Some(answer) = within(&night, &yard, &["lock", "acquire", "build", "--holder", "other"]) else {
        return;
    };
    assert_eq!(answer.code, 1, "held: {answer:?}");
    let uptime =
        said(Command::new("unshare").args(["--time", "--boottime", "100000", "cat", "/proc/uptime"]));
    let seconds: f64 = uptime.stdout.split(' ').next().unwrap().parse().unwrap();
    assert!(seconds > 100_000.0, "by CLOCK_BOOTTIME the hour would be over: {seconds}");
}

/// (b) A boot whose wall clock was a century ahead does not stop time for the boots after it: time goes on from where
/// it was, and locks lapse. The wrong variant, max(now, last) of wall time, stands still for that century.
#[test]
fn review_M4_b_a_clock_that_was_far_ahead_once_freezes_no_expiry() {
    let lab = Lab::new();
    let right = lab.machine.wall_ms();
    lab.machine.reboot("the battery was empty");
    lab.machine.wall(right + 73 * YEAR);
    let ahead = lab.party().ask(&acquire("a", "h", HOUR)).unwrap().at_ms;
    assert_eq!(ahead, right + 73 * YEAR);
    lab.machine.reboot("set right again");
    lab.machine.wall(right);
    let party = lab.party();
    let at = party.ask(&acquire("b", "h", 1_000)).unwrap().at_ms;
    assert!(at >= ahead, "it never goes back");
    let ratchet = |wall_ms: u64| wall_ms.max(at);
    for (passed, held) in [(999, true), (1, false)] {
        lab.machine.pass(passed);
        assert_eq!(party.held("b").is_some(), held, "{passed}");
        assert_eq!(ratchet(lab.machine.wall_ms()), at, "the wrong variant: now is what it was");
    }
    assert!(party.token(&acquire("b", "other", HOUR)) > 0);
}

/// (b) A process in a time namespace a year ahead commits; the others' time is what it was.
#[test]
fn review_M4_b_an_event_from_a_namespace_a_year_ahead_moves_nobodys_time() {
    let yard = Yard::with_git();
    let year = ["--monotonic", "31536000", "--boottime", "31536000"];
    assert_eq!(yard.run(["lock", "acquire", "build", "--holder", "it", "--ttl", "1h"]).code, 0);
    let Some(taken) = within(&year, &yard, &["lock", "acquire", "test", "--holder", "it", "--ttl", "1h"])
    else {
        return;
    };
    assert_eq!(taken.code, 0, "{taken:?}");
    for name in ["build", "test"] {
        let left = yard.json(0, ["lock", "show", name])["expires_in_ms"].as_u64().unwrap();
        assert!((1..=HOUR).contains(&left), "{name}: {left}");
    }
    // And time goes on: the next one to lapse lapses.
    assert_eq!(yard.run(["lock", "acquire", "short", "--ttl", "20ms"]).code, 0);
    let waited = yard.run(["lock", "acquire", "short", "--holder", "other", "--wait", "30s"]);
    assert_eq!(waited.code, 0, "{waited:?}");
}

/// (c) In a time namespace a day ahead the boot id is the same, so one boot does not imply one clock: readings are
/// taken back to the host's. The wrong variant reads the clock as it stands there, and finds the lock lapsed.
#[test]
fn review_M4_c_a_namespace_a_day_ahead_finds_the_lock_held() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "build", "--holder", "it", "--ttl", "1h"]).code, 0);
    let day = ["--monotonic", "86400", "--boottime", "86400"];
    let other = ["lock", "acquire", "build", "--holder", "other"];
    let Some(answer) = within(&day, &yard, &other) else { return };
    assert_eq!(answer.code, 1, "held: {answer:?}");
    let id = |wrapper: &[&str]| {
        said(Command::new(wrapper[0]).args(&wrapper[1..]).arg("/proc/sys/kernel/random/boot_id")).stdout
    };
    let inside = ["unshare", "--time", "--monotonic", "86400", "--", "cat"];
    assert_eq!(id(&inside), id(&["cat"]), "the boot id is the same");
    // And the other way round: granted there, held here, and not for a day longer.
    let there = ["lock", "acquire", "there", "--holder", "it", "--ttl", "1h"];
    assert_eq!(within(&day, &yard, &there).expect("it worked before").code, 0);
    let left = yard.json(0, ["lock", "show", "there"])["expires_in_ms"].as_u64().unwrap();
    assert!((1..=HOUR).contains(&left), "{left}");
}

/// (c) Where the offsets cannot be read nothing is decided by the clock that shows: the command refuses.
#[test]
fn review_M4_c_without_the_offsets_no_time_is_told() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "build", "--holder", "it", "--ttl", "1h"]).code, 0);
    let hidden = "mount -t tmpfs none /proc && exec \"$@\"";
    let plain = yard.fencehold();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", hidden, "sh"]);
    let works = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", hidden, "sh", "true"])
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        println!("skipped, because /proc cannot be hidden in a namespace of its own here");
        return;
    }
    command.arg(plain.get_program()).args(["lock", "acquire", "build", "--holder", "other"]);
    command.env("FENCEHOLD_HOLDER", "other").current_dir(yard.path()).stdin(Stdio::null());
    let answer = said(&mut command);
    assert_eq!((answer.code, answer.stderr.contains("/proc")), (2, true), "{answer:?}");
}

/// (c) A reading behind the last event is taken for the last event's; one far behind it, which no one clock can show, is
/// refused.
#[test]
fn review_M4_c_a_reading_behind_the_last_event_is_clamped_or_refused() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    lab.machine.pass(10 * HOUR);
    let last = lab.party().ask(&acquire("a", "h", HOUR)).unwrap().at_ms;
    // Another process's reading, taken a little before.
    let behind = |ms: u64| {
        let other = crate::spec_kit::Machine::new();
        other.pass(10 * HOUR - ms);
        let journal =
            fencehold::journal::FileJournal::new(RealFs, other.clone(), &lab.ws(), crate::spec_kit::DURABLE);
        fencehold::ledger::Ledger::new(journal, other)
    };
    assert_eq!(behind(400).ask(&acquire("b", "h", HOUR)).unwrap().at_ms, last, "clamped");
    let before = lab.snapshot();
    let error = behind(5_000).ask(&acquire("c", "h", HOUR)).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(error.to_string().contains("impossible"), "{error}");
    assert_eq!(behind(5_000).look("a").unwrap_err().exit_code(), 2);
    assert_eq!(lab.snapshot(), before);
}

/// (d) A boot id that had ended and is back means that two kernels share the directory, as after a clone: everything is
/// refused. (A machine that was restored and is alone goes on as if no time had passed.)
#[test]
fn review_M4_d_a_boot_that_had_ended_and_is_back_is_refused() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", 100 * HOUR));
    lab.machine.reboot("the clone");
    lab.party().token(&acquire("b", "h", 100 * HOUR));
    let before = lab.snapshot();
    lab.machine.reboot("boot-1");
    let mut refused = 0;
    for command in [
        acquire("c", "h", HOUR),
        renew("a", "h", Proof::Token(token), None),
        release("a", "h", Proof::Token(token)),
    ] {
        let error = lab.party().ask(&command).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("two kernels"), "{error}");
        refused += 1;
    }
    assert_eq!(lab.party().look("a").unwrap_err().exit_code(), 2, "a read as well");
    assert_eq!((refused, lab.snapshot() == before), (3, true));
    // Alone and restored: the boot that is the newest one goes on, its clock where it was.
    lab.machine.reboot("the clone");
    assert!(lab.party().held("a").is_some());
}

/// The wall clock is read once a boot, and not again.
#[test]
fn review_M4_wall_time_is_never_read_again_within_a_boot() {
    let lab = Lab::new();
    let party = lab.party();
    let at = party.ask(&acquire("a", "h", HOUR)).unwrap().at_ms;
    for wall_ms in [0, at + YEAR, at - YEAR] {
        lab.machine.wall(wall_ms);
        assert_eq!(party.journal().now_ms().unwrap(), at);
        assert_eq!(lab.party().list().unwrap().at_ms, at, "nor by a process that comes later");
    }
}
