//! Places that do not let us: links, FIFOs and folders where a file is expected, no permission, no space, no writing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::mounted::Mounted;
use crate::program::{Said, Yard, said};
use crate::served::Served;
use crate::strangers::anybody;

/// Ended with 2, one message on stderr that says these words, and nothing on stdout.
#[track_caller]
fn refuses(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A repository with a workspace, and a document and a log that are guarded.
fn guarded() -> (Yard, String) {
    let yard = Yard::with_git();
    let token = yard.run(["lock", "acquire", "build", "--ttl", "1h"]).stdout.trim_end().to_owned();
    let fence = format!("lock/build={token}");
    assert_eq!(yard.run(["doc", "update", "d", "--merge", "{\"n\":1}", "--fence", &fence]).code, 0);
    assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"a\"}", "--fence", &fence]).code, 0);
    (yard, fence)
}

/// The file of the mark of `name`.
fn mark(yard: &Yard, name: &str) -> std::path::PathBuf {
    let ends = format!("-{name}");
    let entries = fs::read_dir(yard.join(".git/fencehold/doc")).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.to_str().unwrap().ends_with(&ends)).expect("it is guarded")
}

/// CLI-14: A symbolic link, FIFO or directory in the place of one of our files, or a link in the place of one of our
/// folders, exits 2 without being followed for writing or waited for.
#[test]
fn something_else_in_the_place_of_a_mark_is_not_touched() {
    for kind in ["symlink", "dangling", "fifo", "dir"] {
        let (yard, fence) = guarded();
        for name in ["d", "l"] {
            let path = mark(&yard, name);
            let target = yard.join(format!("target-{name}"));
            fs::rename(&path, &target).unwrap();
            match kind {
                "symlink" => symlink(&target, &path).unwrap(),
                "dangling" => symlink(yard.join("nowhere"), &path).unwrap(),
                "dir" => fs::create_dir(&path).unwrap(),
                _ => mkfifo(&path),
            }
            let before = yard.snapshot();
            for shown in [&[][..], &["--fence", &fence]] {
                let said = match name {
                    "d" => yard.run(["doc", "update", "d", "--merge", "{\"n\":2}"].iter().chain(shown)),
                    _ => yard.run(["log", "append", "l", "{\"id\":\"b\"}"].iter().chain(shown)),
                };
                refuses(&said, &[path.to_str().unwrap()]);
            }
            assert_eq!(yard.snapshot(), before, "{kind} as the mark of {name}");
        }
    }
}

/// CLI-14: A symbolic link, FIFO or directory in the place of one of our files, or a link in the place of one of our
/// folders, exits 2 without being followed for writing or waited for.
#[test]
fn a_link_in_the_place_of_one_of_our_folders_is_not_followed() {
    for name in ["doc", "archive", "quarantine"] {
        for kind in ["symlink", "dangling", "file", "fifo"] {
            let (yard, fence) = guarded();
            let path = yard.join(".git/fencehold").join(name);
            let target = yard.join("target");
            fs::rename(&path, &target).unwrap();
            match kind {
                "symlink" => symlink(&target, &path).unwrap(),
                "dangling" => symlink(yard.join("nowhere"), &path).unwrap(),
                "file" => fs::write(&path, "a file").unwrap(),
                _ => mkfifo(&path),
            }
            fs::write(yard.join("bad"), "{").unwrap();
            let before = yard.snapshot();
            for args in [
                &["lock", "acquire", "other"][..],
                &["doc", "update", "d", "--merge", "{}", "--fence", &fence],
                &["doc", "update", "bad", "--merge", "{}"],
                &["log", "append", "l", "{\"id\":\"b\"}", "--fence", &fence],
                &["repair"],
                &["init", "--shared"],
            ] {
                refuses(&yard.run(args), &[path.to_str().unwrap(), "mv "]);
            }
            let mut served = Served::silent(&mut yard.fencehold());
            let hello = served.ask("hello", &json!({ "protocol": 1, "root": yard.path() }));
            assert_eq!(hello["outcome"], "fail", "{hello}");
            assert_eq!(yard.snapshot(), before, "{kind} as {name}");
        }
    }
}

/// CLI-14: A symbolic link, FIFO or directory in the place of one of our files, or a link in the place of one of our
/// folders, exits 2 without being followed for writing or waited for.
#[test]
fn a_fifo_or_a_folder_is_no_log_and_no_document() {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("dir")).unwrap();
    mkfifo(&yard.join("fifo"));
    fs::write(yard.join("target"), "{\"id\":\"a\"}\n").unwrap();
    symlink("target", yard.join("link")).unwrap();
    symlink("nowhere", yard.join("dangling")).unwrap();
    assert_eq!(yard.run(["lock", "acquire", "there"]).code, 0);
    let mut refused = 0;
    for name in ["dir", "fifo", "link", "dangling"] {
        let files = |yard: &Yard| -> Vec<_> {
            // The locks of the files are ours to make.
            yard.snapshot().into_iter().filter(|(path, ..)| !path.starts_with(yard.join(".git"))).collect()
        };
        let before = files(&yard);
        for args in [
            &["log", "append", name, "{\"id\":\"b\"}"][..],
            &["log", "read", name],
            &["log", "check", name],
            &["doc", "read", name],
            &["doc", "update", name, "--merge", "{}"],
            &["doc", "update", name, "--exec", "cat"],
            &["doc", "repair", name],
        ] {
            if name == "link" && args[0] == "doc" {
                continue;
            }
            refuses(&yard.run(args), &[name]);
            refused += 1;
        }
        assert_eq!(files(&yard), before, "{name}");
    }
    assert_eq!(refused, 4 * 7 - 4);
}

/// CLI-16: Where a file cannot be read or written, for want of permission or of space or on a read-only disk, the
/// command exits 2 and names the folder and a way out, unless the operation may have happened.
#[test]
fn an_unreadable_file_is_named_with_a_way_out() {
    let (yard, fence) = guarded();
    let Some(start) = anybody(&yard) else { return };
    let run = |args: &[&str]| said(start(&yard).args(args));
    assert_eq!(run(&["lock", "list"]).code, 0, "what is theirs they can read");
    let dir = yard.join(".git/fencehold");
    let (of_d, of_l) = (mark(&yard, "d"), mark(&yard, "l"));
    let acquire: &[&str] = &["lock", "acquire", "other"];
    let append: &[&str] = &["log", "append", "l", "{\"id\":\"b\"}", "--fence", &fence];
    let update: &[&str] = &["doc", "update", "d", "--merge", "{\"n\":2}", "--fence", &fence];
    for (path, command) in [
        (dir.join("lock"), acquire),
        (dir.join("journal.1.ndjson"), acquire),
        (dir.join("floor.json"), acquire),
        (dir.join("config.toml"), acquire),
        (of_l, append),
        (of_d, update),
        (yard.join("l"), append),
        (yard.join("d"), update),
        (yard.join("l"), &["log", "read", "l"]),
        (yard.join("d"), &["doc", "read", "d"]),
    ] {
        let absent = !path.exists();
        if absent {
            fs::write(&path, "durability = \"relaxed\"\n").unwrap();
        }
        let mode = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let before = fs::read(&path).unwrap();
        let folder = path.parent().unwrap().to_str().unwrap();
        let said = run(command);
        refuses(&said, &[path.to_str().unwrap(), &format!("below {folder}"), "fencehold init --dir"]);
        assert_eq!(fs::read(&path).unwrap(), before, "{}", path.display());
        fs::set_permissions(&path, mode).unwrap();
        if absent {
            fs::remove_file(&path).unwrap();
        }
        assert_ne!(run(command).code, 2, "{} can be read again", path.display());
    }
}

/// CLI-16: Where a file cannot be read or written, for want of permission or of space or on a read-only disk, the
/// command exits 2 and names the folder and a way out, unless the operation may have happened.
#[test]
fn a_read_only_disk_can_be_read_and_says_the_way_out() {
    let yard = Yard::new();
    let Some(disk) = Mounted::over(&yard.path(), "1m") else { return };
    assert_eq!(disk.run(["lock", "acquire", "build", "--ttl", "1h"]).code, 0);
    assert_eq!(disk.run(["log", "append", "l", "{\"id\":\"a\"}"]).code, 0);
    assert_eq!(disk.run(["doc", "update", "d", "--merge", "{\"n\":1}"]).code, 0);
    let look =
        "cat .fencehold/lock .fencehold/floor.json .fencehold/journal.* .fencehold/doc/* l d; ls -R -a";
    let before = disk.sh(look);
    disk.sh("mkdir empty && mount -o remount,ro .");
    let before = before.replace("\nd\nl\n", "\nd\nempty\nl\n");
    for args in [
        &["lock", "list"][..],
        &["lock", "show", "build"],
        &["history"],
        &["status"],
        &["doctor"],
        &["log", "read", "l"],
        &["log", "check", "l"],
        &["doc", "read", "d"],
    ] {
        let said = disk.run(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
    }
    assert!(disk.run(["lock", "list"]).stdout.contains("held by tester"));
    let root = yard.path();
    for args in [
        &["lock", "acquire", "other"][..],
        &["lock", "break", "build", "--reason", "r"],
        &["log", "append", "l", "{\"id\":\"b\"}"],
        &["doc", "update", "d", "--merge", "{\"n\":2}"],
        &["--root", "empty", "lock", "acquire", "other"],
    ] {
        refuses(&disk.run(args), &["Read-only file system", root.to_str().unwrap(), "fencehold init"]);
    }
    let after = disk.sh(look);
    assert_eq!(after.replace("./empty:\n.\n..\n", "").trim(), before.trim());
}

/// CLI-16: Where a file cannot be read or written, for want of permission or of space or on a read-only disk, the
/// command exits 2 and names the folder and a way out, unless the operation may have happened.
#[test]
fn on_a_full_disk_nothing_happens_and_work_goes_on_when_there_is_space() {
    let yard = Yard::new();
    let Some(disk) = Mounted::over(&yard.path(), "256k") else { return };
    assert_eq!(disk.run(["lock", "acquire", "build", "--ttl", "1h"]).code, 0);
    assert_eq!(disk.run(["doc", "update", "d", "--merge", "{\"n\":1}"]).code, 0);
    assert_eq!(disk.run(["log", "append", "l", "{\"id\":\"a\"}"]).code, 0);
    let mut served = Served::silent(&mut disk.fencehold());
    served.ok("hello", &json!({ "protocol": 1, "root": yard.path() }));
    disk.sh("cat /dev/zero > filler 2> /dev/null; true");
    let root = yard.path().to_str().unwrap().to_owned();
    // What is left of the journal's last block is used up first; then a write comes short, or writes nothing.
    let refused = (0..200).map(|n| (n, disk.run(["lock", "acquire", &format!("lock {n}")])));
    let (held, first) = refused.into_iter().find(|(_, said)| said.code != 0).expect("the disk is full");
    let journal = || disk.sh("cat .fencehold/journal.1.ndjson");
    let before = journal();
    for _ in 0..3 {
        let again = disk.run(["lock", "acquire", "late"]);
        for said in [&first, &again] {
            refuses(said, &["journal.1.ndjson", "nothing was changed", "Free some space", &root]);
        }
        let answer = served.ask("lock.acquire", &json!({ "name": "s", "holder": "h", "ttl_ms": 1000 }));
        assert_eq!(answer["outcome"], "fail", "definite: {answer}");
        refuses(&disk.run(["doc", "update", "d", "--merge", "{\"n\":2}"]), &["Free some space", &root]);
    }
    assert_eq!(journal(), before, "no half line stays");
    assert_eq!(disk.run(["lock", "list"]).stdout.lines().count(), held + 1);
    assert_eq!(disk.run(["log", "read", "l"]).stdout, "{\"id\":\"a\"}\n");
    disk.sh("rm filler");
    assert_eq!(disk.run(["lock", "acquire", "late"]).code, 0);
    served.ok("lock.acquire", &json!({ "name": "s", "holder": "h", "ttl_ms": 1000 }));
    assert_eq!(disk.run(["doc", "update", "d", "--merge", "{\"n\":2}"]).code, 0);
    assert_eq!(disk.run(["doc", "read", "d"]).stdout, "{\n  \"n\": 2\n}\n");
    assert_eq!(disk.run(["repair"]).stdout, "nothing was wrong\n");
    assert_eq!(disk.sh("ls -A"), ".fencehold\nd\nl\n", "no temporary file stays");
}

/// LOG-11: An append that was cut short fails definitely where what was written of it can never be a record, and is
/// indefinite where only its newline is missing.
///
/// CLI-3: An indefinite outcome exits 3 and its message says that the operation may have happened.
#[test]
fn a_limit_on_the_size_of_a_file_cuts_an_append_short() {
    let record = format!("{{\"id\":\"{}\"}}", "x".repeat(100));
    for (missing, code, word) in
        [(1, 3, "may have happened"), (2, 2, "one bad line"), (100, 2, "one bad line")]
    {
        let yard = Yard::with_git();
        assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"a\"}"]).code, 0);
        // ulimit counts blocks of 512 bytes in some shells and of 1024 in others: prlimit(1) counts bytes.
        let filler = format!("{{\"id\":\"{}\"}}\n", "f".repeat(100_000 - 9 - 10));
        let start = fs::read_to_string(yard.join("l")).unwrap() + &filler;
        fs::write(yard.join("l"), &start).unwrap();
        let limit = start.len() + record.len() + 1 - missing;
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--fsize={limit}")).args(["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
        limited.arg(env!("CARGO_BIN_EXE_fencehold-under-test")).args(["log", "append", "l", &record]);
        let said = said(limited.current_dir(yard.path()).env("FENCEHOLD_HOLDER", "tester"));
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{missing}: {said:?}");
        assert!(said.stderr.contains(word) && said.stderr.contains("/l"), "{said:?}");
        let left = fs::read_to_string(yard.join("l")).unwrap();
        assert_eq!(left, start.clone() + &record[..record.len() + 1 - missing]);
        assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"late\"}"]).code, 0);
        let read = yard.run(["log", "read", "l"]);
        assert_eq!(read.stdout.lines().count(), if missing == 1 { 4 } else { 3 }, "{missing}");
    }
}
