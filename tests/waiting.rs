//! Who waits, where others can see it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Kept, Said, Yard, said};
use crate::served::Served;

/// What is waited for comes within milliseconds; a machine that has none to spare gets so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until `wanted` is there, and gives it.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::yield_now();
    }
}

#[track_caller]
fn ok(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

fn waiters(yard: &Yard) -> Vec<Value> {
    yard.json(0, ["status"])["waiters"].as_array().unwrap().clone()
}

/// A repository in which `first` holds `build`.
fn held() -> Yard {
    let yard = Yard::with_git();
    ok(&yard.run(["lock", "acquire", "build", "--holder", "first", "--ttl", "1h"]));
    yard
}

fn folder(yard: &Yard) -> PathBuf {
    yard.join(".git/fencehold/waiting")
}

/// Starts a command that waits, and lets it be seen.
pub(crate) fn waiting(yard: &Yard, args: &[&str], holder: &str) -> Kept {
    let mut command = yard.fencehold();
    command.args(args).env("FENCEHOLD_HOLDER", holder).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Kept(command.spawn().unwrap());
    until("a waiter", || {
        assert!(child.0.try_wait().unwrap().is_none(), "it did not wait");
        waiters(yard).iter().any(|waiter| waiter["holder"] == *holder).then_some(())
    });
    child
}

pub(crate) const ACQUIRE: [&str; 5] = ["lock", "acquire", "build", "--wait", "10m"];
const RUN: [&str; 7] = ["lock", "run", "build", "--wait", "10m", "--", "true"];

/// CLI-67: Who waits for a lock is shown by `status` with holder, process and since when, from when the wait begins until
/// it ends, and a waiter that was killed is not.
#[test]
fn who_waits_is_seen_while_it_waits() {
    let yard = held();
    assert_eq!(
        (waiters(&yard), folder(&yard).exists()),
        (Vec::new(), false),
        "nobody waits, nothing is made"
    );
    ok(&yard.run(["lock", "acquire", "other", "--wait", "1h"]));
    assert!(!folder(&yard).exists(), "who need not wait leaves nothing");
    let mut acquires = waiting(&yard, &ACQUIRE, "second");
    let runs = waiting(&yard, &RUN, "third");
    let mut server = Served::silent(&mut yard.fencehold());
    server.ask("hello", &json!({ "protocol": 1, "root": yard.path() }));
    let asked = json!({ "op": "lock.acquire", "id": 1, "name": "build", "holder": "fourth", "ttl_ms": 60_000,
        "wait_ms": 600_000 });
    server.send(format!("{asked}\n").as_bytes());
    until("the waiter of a server", || (waiters(&yard).len() == 3).then_some(()));
    let seen = waiters(&yard);
    let holders: Vec<&str> = seen.iter().map(|waiter| waiter["holder"].as_str().unwrap()).collect();
    assert_eq!(holders, ["second", "third", "fourth"], "the longest first: {seen:?}");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for (waiter, pid) in seen.iter().zip([acquires.0.id(), runs.0.id()]) {
        assert_eq!(
            (&waiter["pid"], &waiter["host"], &waiter["lock"]),
            (&json!(pid), &json!(host), &json!("build"))
        );
        let (since, left) =
            (waiter["waits_for_ms"].as_u64().unwrap(), waiter["gives_up_in_ms"].as_u64().unwrap());
        assert!(since < 600_000 && left <= 600_000 && since + left >= 599_000, "{waiter}");
    }
    let text = yard.run(["status"]).stdout;
    assert!(text.contains("waiting\n  build  second (pid "), "{text}");
    // One is killed, and shown no more; its file is removed by nobody who only looks.
    acquires.0.kill().unwrap();
    acquires.0.wait().unwrap();
    assert_eq!(waiters(&yard).len(), 2);
    let before = yard.snapshot();
    ok(&yard.run(["status"]));
    assert!(yard.snapshot() == before, "a look changes nothing");
    assert_eq!(fs::read_dir(folder(&yard)).unwrap().count(), 3);
    let fifth = waiting(&yard, &ACQUIRE, "fifth");
    assert_eq!(fs::read_dir(folder(&yard)).unwrap().count(), 3, "the next who waits removed it");
    // The lock goes from one to the next, and each is shown until it has it.
    ok(&yard.run(["lock", "break", "build", "--reason", "over"]));
    until("the last of them", || {
        yard.run(["lock", "break", "build", "--reason", "over"]);
        (!folder(&yard).exists()).then_some(())
    });
    drop((runs, fifth, server));
    assert_eq!(waiters(&yard), Vec::<Value>::new());
}

/// CLI-68: A wait goes on and ends as it would where it cannot be shown, and what shows it is gone when it has ended.
#[test]
fn a_wait_that_cannot_be_shown_goes_on() {
    type Spoil = fn(&Yard);
    let ways: [(&str, Spoil); 5] = [
        ("a file in the place of the folder", |yard| fs::write(folder(yard), "").unwrap()),
        ("a link there", |yard| symlink(yard.path(), folder(yard)).unwrap()),
        ("a link to nowhere", |yard| symlink("/nowhere", folder(yard)).unwrap()),
        ("a folder that nobody may write", |yard| {
            fs::create_dir(folder(yard)).unwrap();
            fs::write(folder(yard).join("kept"), "").unwrap();
            fs::set_permissions(folder(yard), fs::Permissions::from_mode(0o500)).unwrap();
        }),
        ("a folder full of what is no waiter", |yard| {
            fs::create_dir(folder(yard)).unwrap();
            for (digit, text) in
                [('a', ""), ('b', "{\"lock\":"), ('c', "[]"), ('d', "{\"lock\":\"\\u0007\"}")]
            {
                fs::write(folder(yard).join(format!("{}.json", digit.to_string().repeat(32))), text).unwrap();
            }
            fs::create_dir(folder(yard).join("e".repeat(32) + ".json")).unwrap();
        }),
    ];
    let mut seen = 0;
    for (what, spoil) in ways {
        let yard = held();
        let token = yard.json(0, ["lock", "show", "build"])["token"].to_string();
        spoil(&yard);
        let before = yard.snapshot();
        let touched = || fs::metadata(yard.path()).unwrap().modified().unwrap();
        let at = touched();
        let refused = yard.run(["lock", "acquire", "build", "--holder", "b", "--wait", "50ms"]);
        assert_eq!(refused.code, 1, "{what}: {refused:?}");
        assert!(yard.snapshot() == before, "{what}");
        assert_eq!(touched(), at, "{what}: something was made where a link leads to");
        let mut command = yard.fencehold();
        let child =
            command.args(ACQUIRE).env("FENCEHOLD_HOLDER", "b").stdout(Stdio::piped()).spawn().unwrap();
        let mut child = Kept(child);
        until("a watch", || has_watch(&child.0).then_some(()));
        let status = yard.run(["status"]);
        assert!(status.stdout.contains("build  first"), "{what}: {status:?}");
        ok(&yard.run(["lock", "release", "build", "--holder", "first", "--token", &token]));
        assert!(child.0.wait().unwrap().success(), "{what}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn what_a_link_in_the_place_of_waiting_leads_to_is_not_swept() {
    let yard = held();
    let elsewhere = yard.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    // Of another program, old, and called as a file of ours is.
    let theirs = elsewhere.join(format!("{}.json", "ab".repeat(16)));
    let file = fs::File::create(&theirs).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder(&yard)).unwrap();
    let refused = yard.run(["lock", "acquire", "build", "--holder", "b", "--wait", "50ms"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(theirs.exists(), "a file outside of the workspace was removed");
    // In a folder of ours it goes.
    fs::remove_file(folder(&yard)).unwrap();
    fs::rename(&elsewhere, folder(&yard)).unwrap();
    let refused = yard.run(["lock", "acquire", "build", "--holder", "b", "--wait", "50ms"]);
    assert_eq!((refused.code, folder(&yard).exists()), (1, false), "{refused:?}");
}

fn has_watch(child: &Child) -> bool {
    let Ok(fds) = fs::read_dir(format!("/proc/{}/fd", child.id())) else { return false };
    fds.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().contains("inotify")))
}

/// CLI-68: A wait goes on and ends as it would where it cannot be shown, and what shows it is gone when it has ended.
#[test]
fn a_workspace_that_is_taken_away_ends_a_wait_and_not_deinit() {
    let yard = held();
    let mut waits = waiting(&yard, &ACQUIRE, "second");
    let refused = yard.run(["deinit"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(!refused.stderr.contains("waiting"), "what shows a wait is no stranger: {refused:?}");
    ok(&yard.run(["deinit", "--force", "--reason", "over"]));
    let said = waits.0.wait().unwrap();
    assert!(!said.success(), "its lock can be granted by nobody");
    assert!(!yard.join(".git/fencehold").exists(), "who waited brought nothing back");
    let left = fs::read_dir(yard.join(".git")).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.file_name().to_string_lossy().contains("fencehold")).count(), 0);
}

/// CLI-67: Who waits for a lock is shown by `status` with holder, process and since when, from when the wait begins until
/// it ends, and a waiter that was killed is not.
#[test]
fn a_waiter_of_another_boot_or_whose_time_is_over_is_not_shown() {
    let yard = held();
    let waits = waiting(&yard, &ACQUIRE, "second");
    let path = fs::read_dir(folder(&yard)).unwrap().next().unwrap().unwrap().path();
    let whole: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    let of_folder = fs::metadata(folder(&yard)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode, of_folder), (0o600, 0o700));
    let now_ms = whole["since_ms"].as_u64().unwrap();
    let mut seen = 0;
    for (key, value, is_shown) in [
        ("holder", json!("another"), true),
        ("pid_namespace", json!(1), true),
        ("boot", json!("another"), false),
        ("start_ticks", json!(1), false),
        ("until_ms", json!(now_ms), false),
        ("holder", json!("a\u{7}b"), false),
        ("pid", json!("1"), false),
        ("lock", Value::Null, false),
    ] {
        let mut changed = whole.clone();
        changed[key] = value.clone();
        fs::write(&path, changed.to_string()).unwrap();
        assert_eq!(waiters(&yard).len(), usize::from(is_shown), "{key} {value}");
        seen += 1;
    }
    assert_eq!(seen, 8);
    drop(waits);
    let shared = Yard::with_git();
    ok(&shared.run(["init", "--shared"]));
    ok(&shared.run(["lock", "acquire", "build", "--holder", "first"]));
    let _waits = waiting(&shared, &ACQUIRE, "second");
    let path = fs::read_dir(folder(&shared)).unwrap().next().unwrap().unwrap().path();
    let modes = [path, folder(&shared)].map(|path| fs::metadata(path).unwrap().permissions().mode() & 0o7777);
    assert_eq!(modes, [0o660, 0o2770]);
    ok(&said(shared.fencehold().args(["init", "--shared"])));
}
