//! Filters of `doc update --exec` as programs: what fails, hangs, prints nothing or far too much changes nothing, and is
//! gone afterwards.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Kept, Said, Yard, clean, code, said};
use crate::waiting::until;

const STOOD: &str = "{\n  \"status\": \"running\"\n}\n";

fn yard() -> Yard {
    let yard = Yard::with_git();
    fs::write(yard.join("status.json"), STOOD).unwrap();
    yard
}

fn filtered(yard: &Yard, filter: &str) -> Said {
    yard.run(["doc", "update", "status.json", "--within", "1s", "--exec", filter])
}

/// Inode, time of the last change and bytes of the document, and what lies beside it.
fn standing(yard: &Yard) -> (u64, i64, i64, Vec<u8>, Vec<String>) {
    let path = yard.join("status.json");
    let meta = fs::metadata(&path).unwrap();
    let names = fs::read_dir(yard.path()).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "pid");
    names.sort();
    (meta.ino(), meta.mtime(), meta.mtime_nsec(), fs::read(path).unwrap(), names)
}

/// Ended with 2 and these words, and the document is the one that stood.
#[track_caller]
fn changes_nothing(yard: &Yard, filter: &str, words: &str) {
    let before = standing(yard);
    let said = filtered(yard, filter);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{filter}: {said:?}");
    for words in [words, "nothing was changed"] {
        assert!(said.stderr.contains(words), "{filter}: {words}: {said:?}");
    }
    assert_eq!(standing(yard), before, "{filter}");
}

/// Whether no process of this number runs; what waits to be reaped does not run.
fn is_gone(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// Whether a signal is ignored here, and so by whatever is begun here (signal(7)): as behind nohup(1).
fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("proc(5) has it");
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
}

/// DOC-15: An update by `--exec` gives the document to the filter's stdin and takes its stdout as the new one, and where
/// the filter fails or prints no JSON object nothing changes.
#[test]
fn a_filter_that_fails_or_prints_no_object_changes_nothing() {
    let yard = yard();
    let (ended, printed) = ("the filter ended with", "the new document is");
    let cases = [
        ("exit 7", ended),
        ("printf '{}'; exit 1", ended),
        ("no-such-program", ended),
        ("printf '{}'; kill -9 $$", ended),
        ("true", printed),
        ("cat > /dev/null", printed),
        ("printf ' \\n\\t'", printed),
        ("echo null", printed),
        ("echo '[]'", printed),
        ("printf '{\"status\":\"fai'", printed),
        ("cat; cat; echo '{}'", printed),
        ("printf '{\"a\":\"\\000\"}'", printed),
        ("printf '{\"a\":\"\\377\"}'", printed),
    ];
    for (filter, words) in cases {
        changes_nothing(&yard, filter, words);
    }
    assert_eq!(filtered(&yard, "sed s/running/completed/").code, 0);
    assert_eq!(fs::read_to_string(yard.join("status.json")).unwrap(), STOOD.replace("running", "completed"));
}

/// DOC-19: A filter that has not ended within its time, 30 seconds unless `--within` says otherwise, or that prints more
/// than 64 MiB, is killed with its process group, and nothing changes.
#[test]
fn a_filter_that_hangs_is_killed_with_all_that_it_began() {
    let yard = yard();
    let hangs = [
        "sleep 600",
        "cat > /dev/null; sleep 600 & echo $! >> pid; wait",
        "printf '{}'; exec >&-; sleep 600",
        "printf '{}'; sleep 600 & echo $! >> pid",
        "trap '' TERM INT HUP; while :; do sleep 600; done",
        "kill -STOP $$",
    ];
    let mut begun = 0;
    for hang in hangs {
        let _ = fs::remove_file(yard.join("pid"));
        changes_nothing(&yard, &format!("echo $$ > pid; {hang}"), "had not ended after 1s and was killed");
        let pids = fs::read_to_string(yard.join("pid")).unwrap_or_default();
        for pid in pids.lines() {
            until(&format!("{hang}: {pid} is gone"), || is_gone(pid).then_some(()));
            begun += 1;
        }
    }
    assert!(begun > 0, "no filter came to say its number");
    assert_eq!(filtered(&yard, "sed s/running/completed/").code, 0, "the lock is free");
}

/// DOC-19's other half: a gibibyte is not held in memory.
#[test]
fn a_filter_that_prints_a_gibibyte_is_killed_in_little_memory() {
    let yard = yard();
    let mut seen = 0;
    for filter in ["head -c 1073741824 /dev/zero", "yes '{}' | head -c 1073741824", "cat /dev/zero & wait"] {
        let before = standing(&yard);
        let mut sh = Command::new("sh");
        clean(&mut sh).current_dir(yard.path()).env("FENCEHOLD_HOLDER", "tester");
        // Four hundred mebibytes of address space, for the program too.
        sh.args(["-c", "ulimit -v 409600; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_fencehold-under-test")]);
        let said = said(sh.args(["doc", "update", "status.json", "--exec", filter]));
        assert_eq!(said.code, 2, "{filter}: {said:?}");
        assert!(said.stderr.contains("printed more than 67108864 bytes"), "{filter}: {said:?}");
        assert_eq!(standing(&yard), before, "{filter}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// A filter that does not read, or not all, of a document that no pipe holds.
#[test]
fn a_filter_need_not_read_its_input() {
    let yard = yard();
    let long = format!("{{\"status\":\"running\",\"log\":\"{}\"}}\n", "x".repeat(1 << 20));
    let mut seen = 0;
    for filter in
        ["echo '{\"n\":1}'", "head -c 10 > /dev/null; echo '{\"n\":1}'", "exec <&-; echo '{\"n\":1}'"]
    {
        fs::write(yard.join("status.json"), &long).unwrap();
        let said = yard.run(["doc", "update", "status.json", "--exec", filter]);
        assert_eq!(said.code, 0, "{filter}: {said:?}");
        assert_eq!(fs::read_to_string(yard.join("status.json")).unwrap(), "{\"n\":1}\n", "{filter}");
        seen += 1;
    }
    assert_eq!(seen, 3);
    fs::write(yard.join("status.json"), &long).unwrap();
    assert_eq!(yard.run(["doc", "update", "status.json", "--exec", "cat"]).code, 0);
    assert_eq!(fs::read_to_string(yard.join("status.json")).unwrap(), long, "all of it came and went");
}

/// A filter that writes the document itself: what it wrote is not written over.
#[test]
fn a_filter_that_writes_the_document_itself_is_refused() {
    let yard = yard();
    let said = filtered(&yard, "echo '{\"by\":\"hand\"}' > status.json; echo '{\"by\":\"stdout\"}'");
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(fs::read_to_string(yard.join("status.json")).unwrap(), "{\"by\":\"hand\"}\n");
}

/// DOC-20: A signal that ends an update while its filter runs ends the filter as well, and nothing changes.
#[test]
fn whoever_ends_an_update_ends_its_filter() {
    let mut ended = 0;
    for signal in [Signal::INT, Signal::TERM, Signal::HUP].into_iter().filter(|signal| !is_ignored(*signal)) {
        let yard = yard();
        let before = standing(&yard);
        let mut update = yard.fencehold();
        update.args([
            "doc",
            "update",
            "status.json",
            "--exec",
            "sleep 600 & echo $! > pid.part; mv pid.part pid; wait",
        ]);
        // As from a terminal: none of these is ignored, and only the update is told.
        let mut update = Kept(update.process_group(0).spawn().unwrap());
        until("the filter begins", || yard.join("pid").exists().then_some(()));
        kill_process(Pid::from_child(&update.0), signal).unwrap();
        assert_eq!(code(update.0.wait().unwrap()), 128 + signal.as_raw());
        let pid = fs::read_to_string(yard.join("pid")).unwrap();
        until("what the filter began is gone", || is_gone(pid.trim()).then_some(()));
        assert_eq!(standing(&yard), before, "{signal:?}");
        assert_eq!(filtered(&yard, "cat").code, 0, "the lock is free");
        ended += 1;
    }
    assert!(ended > 0, "every signal is ignored here");
}
