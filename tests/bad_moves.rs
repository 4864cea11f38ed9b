//! A workspace that is deleted, copied, restored or replaced while processes use it; two spellings of one; a reader
//! that goes away.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Kept, Yard, code, said};
use crate::served::Served;

fn acquire(name: &str) -> Value {
    json!({ "name": name, "holder": "served", "ttl_ms": 3_600_000 })
}

/// `cp -a`.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Operations on locks, each of which must fail definitely.
fn locks_fail(served: &mut Served, word: &str) {
    for (op, fields) in [
        ("lock.acquire", acquire("other")),
        ("lock.release", json!({ "name": "a", "holder": "served", "token": 1 })),
        ("lock.break", json!({ "name": "a", "reason": "r" })),
    ] {
        let answer = served.ask(op, &fields);
        assert_eq!(answer["outcome"], "fail", "{op}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{op}: {answer}");
    }
}

/// Operations on files, each of which must fail definitely.
fn files_fail(served: &mut Served, word: &str) {
    for (op, fields) in [
        ("log.append", json!({ "file": "l", "record": { "id": "b" } })),
        ("doc.increment", json!({ "file": "d", "key": "n", "by": 1 })),
        ("doc.merge", json!({ "file": "d", "patch": {} })),
    ] {
        let answer = served.ask(op, &fields);
        assert_eq!(answer["outcome"], "fail", "{op}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{op}: {answer}");
    }
}

/// RECOVER-14: A workspace that a running process saw vanish is never made anew by that process.
#[test]
fn a_workspace_deleted_under_a_running_process_is_not_made_anew_by_it() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    served.ok("lock.acquire", &acquire("a"));
    served.ok("doc.increment", &json!({ "file": "d", "key": "n", "by": 1 }));
    served.ok("log.append", &json!({ "file": "l", "record": { "id": "a" } }));
    fs::remove_dir_all(yard.join(".git/fencehold")).unwrap();
    let before = yard.snapshot();
    locks_fail(&mut served, ".git/fencehold");
    files_fail(&mut served, ".git/fencehold");
    assert_eq!(served.ask("lock.show", &json!({ "name": "a" }))["outcome"], "fail");
    assert_eq!(yard.snapshot(), before);
    // Who comes later begins anew, and says so; the old process still does not join in.
    let first = yard.run(["lock", "acquire", "a"]);
    assert!(first.code == 0 && first.stderr.contains("created the workspace"), "{first:?}");
    let before = yard.snapshot();
    locks_fail(&mut served, "");
    assert_eq!(yard.snapshot(), before);
    assert_eq!(served.end().0, 0);
}

/// RECOVER-13: A workspace whose lock file is another inode than its floor says is a copy: the next writer gives it a
/// new workspace id, goes on at the floor, and says so once.
#[test]
fn a_copy_is_a_workspace_of_its_own() {
    let yard = Yard::new();
    fs::create_dir(yard.join("one")).unwrap();
    yard.git_in(&yard.join("one"), &["init", "-q"]);
    let mut served = Served::at(&yard.join("one"));
    let token = served.ok("lock.acquire", &acquire("a"))["token"].as_u64().unwrap();
    copy(&yard.join("one"), &yard.join("two"));
    let held = yard.run_in(&yard.join("two"), ["lock", "acquire", "a"]);
    assert_eq!(held.code, 1, "what was held when it was copied is held there: {held:?}");
    let first = yard.run_in(&yard.join("two"), ["lock", "acquire", "b"]);
    let again = yard.run_in(&yard.join("two"), ["lock", "acquire", "c"]);
    let said_once = [&held, &first, &again].map(|said| said.stderr.matches("copy").count());
    assert_eq!(said_once.iter().sum::<usize>(), 1, "{held:?} {first:?} {again:?}");
    assert!(first.stdout.trim_end().parse::<u64>().unwrap() >= token + (1 << 19), "{first:?} after {token}");
    let next = served.ok("lock.acquire", &acquire("b"))["token"].as_u64().unwrap();
    assert_eq!(next, token + 1, "the first one goes on as if nothing had been");
}

#[test]
fn a_workspace_restored_under_a_running_process_never_repeats_a_token() {
    let yard = Yard::with_git();
    let dir = yard.join(".git/fencehold");
    let mut served = Served::start(&yard);
    let mut tokens = vec![served.ok("lock.acquire", &acquire("t0"))["token"].as_u64().unwrap()];
    copy(&dir, &yard.join("backup"));
    for n in 1..4 {
        tokens.push(served.ok("lock.acquire", &acquire(&format!("t{n}")))["token"].as_u64().unwrap());
    }
    fs::remove_dir_all(&dir).unwrap();
    copy(&yard.join("backup"), &dir);
    // The running process knows more than what is there now, and says so rather than guess.
    locks_fail(&mut served, ".git/fencehold");
    let said = yard.json(0, ["lock", "acquire", "t1"]);
    let token = said["value"]["token"].as_u64().unwrap();
    assert!(tokens.iter().all(|old| *old < token), "{token} after {tokens:?}");
    assert_eq!(served.end().0, 0);
    assert_eq!(Served::start(&yard).ok("lock.show", &json!({ "name": "t1" }))["token"], token);
}

#[test]
fn a_lock_file_that_was_replaced_excludes_nobody_twice() {
    let yard = Yard::with_git();
    let mut served = Served::start(&yard);
    let first = served.ok("lock.acquire", &acquire("a"))["token"].as_u64().unwrap();
    let lock = yard.join(".git/fencehold/lock");
    fs::remove_file(&lock).unwrap();
    assert_eq!(yard.run(["lock", "acquire", "b"]).code, 4, "damaged, and never taken for a fresh one");
    locks_fail(&mut served, "");
    assert_eq!(yard.run(["repair"]).code, 0);
    let second = yard.json(0, ["lock", "acquire", "b"])["value"]["token"].as_u64().unwrap();
    assert!(second > first);
    assert_eq!(yard.json(0, ["lock", "show", "a"])["token"], first, "what was held still is");
}

/// CLI-7: In a git checkout the workspace is `fencehold/` in the git common directory, the same for every
/// subdirectory, linked worktree and symlinked spelling, for a bare repository, and with `GIT_DIR` set.
#[test]
fn a_lock_taken_by_one_spelling_is_held_for_all_others() {
    let yard = Yard::new();
    let main = yard.join("main");
    fs::create_dir(&main).unwrap();
    yard.git_in(&main, &["init", "-q", "-b", "main"]);
    yard.git_in(&main, &["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git_in(&main, &["worktree", "add", "-q", "../linked"]);
    yard.git(&["clone", "-q", "--bare", "main", "bare.git"]);
    yard.git_in(&yard.join("bare.git"), &["worktree", "add", "-q", "../beside", "main"]);
    fs::create_dir(main.join("sub")).unwrap();
    std::os::unix::fs::symlink(&main, yard.join("spelled")).unwrap();
    std::os::unix::fs::symlink(yard.join("bare.git"), yard.join("bare")).unwrap();
    let of_main = ["main", "main/sub", "linked", "spelled", "spelled/sub", "main/.git"];
    let of_bare = ["bare.git", "beside", "bare", "bare/refs"];
    for spellings in [&of_main[..], &of_bare] {
        for (n, first) in spellings.iter().enumerate() {
            let name = format!("l{n}");
            assert_eq!(yard.run_in(&yard.join(first), ["lock", "acquire", &name]).code, 0, "{first}");
            for other in spellings {
                let held = yard.run_in(&yard.join(other), ["lock", "acquire", &name, "--holder", "x"]);
                assert_eq!(held.code, 1, "{first} and {other}: {held:?}");
                let by_root = ["--root", other, "lock", "acquire", &name, "--holder", "x"];
                assert_eq!(yard.run(by_root).code, 1, "{first} and --root {other}");
            }
            let mut hooked = yard.fencehold();
            let git_dir = if spellings.len() == of_main.len() { "main/.git" } else { "bare.git" };
            hooked.env("GIT_DIR", git_dir).args(["lock", "acquire", &name, "--holder", "x"]);
            assert_eq!(said(&mut hooked).code, 1, "{first} and GIT_DIR={git_dir}");
        }
    }
}

/// CLI-5: A closed stdout is no error: the command ends without a message and with the exit code that it had earned.
#[test]
fn a_target_whose_reader_went_away_ends_with_0() {
    let yard = Yard::with_git();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    drop(reader);
    let mut child = yard.fencehold();
    let mut child =
        Kept(child.arg("serve").stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap());
    let hello = json!({ "id": 1, "op": "hello", "protocol": 1, "root": yard.path() });
    // It may be gone before it has read all of this.
    let mut stdin = child.0.stdin.take().unwrap();
    for _ in 0..3 {
        let _ = stdin.write_all(format!("{hello}\n").as_bytes());
    }
    assert_eq!(code(child.0.wait().unwrap()), 0);
    let mut stderr = String::new();
    std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut stderr).unwrap();
    assert_eq!(stderr, "");
}

#[test]
fn garbage_on_the_stdin_of_a_target_is_answered_line_by_line() {
    let yard = Yard::with_git();
    let mut served = Served::silent(&mut yard.fencehold());
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let garbage: Vec<u8> = (0..20_000)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed.to_be_bytes()[0]
        })
        .collect();
    let lines = garbage.split(|&byte| byte == b'\n').count();
    served.send(&garbage);
    let (code, answers) = served.end();
    assert_eq!((code, answers.lines().count()), (0, lines));
    for answer in answers.lines() {
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!((&answer["outcome"], &answer["id"]), (&json!("fail"), &Value::Null));
    }
    assert!(!yard.join(".git/fencehold").exists());
}

/// JOURNAL-20: Journal time follows CLOCK_MONOTONIC within a boot and never goes back from one boot to the next,
/// whatever the wall clock says.
#[test]
fn a_clock_that_steps_moves_no_expiry() {
    use crate::spec_kit::{Does as _, HOUR, Lab, acquire};
    use fencehold::ledger::Verdict;
    let lab = Lab::new();
    let before = lab.party();
    before.token(&acquire("a", "one", HOUR));
    let now = lab.machine.wall_ms();
    for wall_ms in [0, now - 10 * HOUR, now + 1000 * HOUR, 9_000_000_000_000] {
        lab.machine.wall(wall_ms);
        for party in [&before, &lab.party()] {
            let held = party.verdict(&acquire("a", "two", HOUR));
            assert!(matches!(held, Verdict::Refused(_)), "held still, the wall clock at {wall_ms}");
        }
    }
    lab.machine.wall(0);
    lab.machine.pass(HOUR);
    before.token(&acquire("a", "two", HOUR));
}
