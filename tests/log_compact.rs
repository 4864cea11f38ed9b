use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use fencehold::fs::RealFs;
use fencehold::log::{Log, Page};
use fencehold::mark::Shown;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::hooked::{Act, Hooked};
use crate::log::record;
use crate::program::{Kept, Yard};
use crate::site::{Site, fence};

fn records(log: &Log<RealFs>) -> Vec<Value> {
    log.read(&Page::default()).unwrap().records.into_iter().map(Value::Object).collect()
}

fn compact(site: &Site) -> fencehold::log::Compacted {
    site.log("log").compact(&Shown::nothing()).unwrap().unwrap()
}

fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// How often each id was seen, as the records count it.
fn seen<'a>(records: impl IntoIterator<Item = &'a Map<String, Value>>) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    for record in records {
        let folded = record.get("folded").and_then(Value::as_object).cloned().unwrap_or_default();
        let all = record.get("occurrences").map_or(1, |all| all.as_u64().unwrap());
        let others: u64 = folded.values().map(|count| count.as_u64().unwrap()).sum();
        let own = (record["id"].as_str().unwrap().to_owned(), all - others);
        for (id, count) in folded.into_iter().map(|(id, count)| (id, count.as_u64().unwrap())).chain([own]) {
            assert_eq!(seen.insert(id, count), None, "an id is counted in two records");
        }
    }
    seen
}

/// LOG-20: `log compact` makes one record, in the first one's place, of those that differ in nothing but `id`,
/// `timestamp`, `last_seen`, `occurrences` and `folded`: its `occurrences` is their sum, its `folded` counts the other
/// ids, and it has the earliest `timestamp` and the latest `last_seen`, as texts.
///
/// LOG-22: A compaction leaves every other line as it stood, in its place, damaged ones included, and a log in which
/// nothing is folded is the same file as before.
///
/// LOG-24: The file that a log was before it was compacted is kept in `archive/`, as the same inode.
///
/// Behaviour A1.8: `occurrences` and `last_seen` are what they would have been.
/// Behaviour A1.19: a recurrence is a line of its own until it is folded.
#[test]
fn what_says_one_thing_becomes_one_record_and_the_rest_stays() {
    let site = Site::new();
    let before = [
        "{\"id\":\"a\",  \"timestamp\":\"2026-05-02\", \"error\":\"x\", \"tags\":[\"t\"]}\r\n",
        "{\"id\":\"b\",\"error\":\"x\"}\n",
        "junk\u{0}\n",
        "{\"id\":\"c\",\"timestamp\":\"2026-05-01\",\"error\":\"x\",\"tags\":[\"t\"],\"occurrences\":3}\n",
        "\n",
        "{\"id\":\"d\",\"last_seen\":\"2026-05-09\",\"error\":\"x\",\"tags\":[\"t\"]}\n",
        "{\"id\":\"b\",\"error\":\"y\"}\n",
        "{\"id\":\"e\",\"error\":\"x\",\"tags\":[\"t\"],\"occurrences\":\"many\"}\n",
        "{\"id\":\"f\",\"n\":12345678901234567890123}\n",
        "{\"id\":\"g\",\"n\":12345678901234567890124}\n",
    ];
    site.write("log", before.concat());
    fs::set_permissions(site.path("log"), std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let ino = fs::metadata(site.path("log")).unwrap().ino();
    let done = compact(&site);
    assert_eq!((done.folded, done.carried, done.left.len()), (2, 0, 0));
    let expected = [
        "{\"error\":\"x\",\"folded\":{\"c\":3,\"d\":1},\"id\":\"a\",\"last_seen\":\"2026-05-09\",\"occurrences\":5,\
         \"tags\":[\"t\"],\"timestamp\":\"2026-05-01\"}\n",
        before[1],
        before[2],
        before[4],
        before[6],
        before[7],
        before[8],
        before[9],
    ];
    assert_eq!(site.text("log"), expected.concat());
    assert_eq!(fs::metadata(site.path("log")).unwrap().mode() & 0o777, 0o640);
    let old = done.old.unwrap();
    assert!(old.starts_with(site.path(".fencehold/archive")));
    assert_eq!(
        (fs::metadata(&old).unwrap().ino(), fs::read(&old).unwrap()),
        (ino, before.concat().into_bytes())
    );
    // Nothing is left to fold: not a byte, nor an inode, is another.
    let (ino, bytes) = (fs::metadata(site.path("log")).unwrap().ino(), site.bytes("log"));
    let again = compact(&site);
    assert_eq!((again.folded, again.old), (0, None));
    assert_eq!((fs::metadata(site.path("log")).unwrap().ino(), site.bytes("log")), (ino, bytes));
    assert_eq!(site.names(".fencehold/archive").len(), 1);
}

/// LOG-21: In whatever order, however often and on however many branches records are folded, each id counts once, by the
/// highest count that it had.
#[test]
fn what_is_folded_in_any_order_and_again_counts_each_id_once() {
    // One of nine ids, which of three things it says, how often, and whether the part it is in is folded first.
    let record = (0_u32..9, 0_u32..3, 1_u64..4);
    let case =
        (prop::collection::vec(record, 1..10), prop::collection::vec(0_usize..3, 10), any::<[bool; 3]>());
    let folds = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(proptest::test_runner::Config {
        cases: 48,
        failure_persistence: None,
        ..Default::default()
    });
    let ran = runner.run(&case, |(drawn, branch, folded_first)| {
        let line = |(id, says, times): &(u32, u32, u64)| json!({ "id": format!("{says}-{id}"), "says": says, "occurrences": times });
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for (id, says, times) in &drawn {
            let count = expected.entry(format!("{says}-{id}")).or_default();
            *count = (*count).max(*times);
        }
        // Three branches that each have some of the records, some of them two; each is folded or not; then all are one.
        let mut all = String::new();
        for (which, folded_first) in folded_first.into_iter().enumerate() {
            let site = Site::new();
            let own = drawn.iter().zip(&branch).enumerate();
            let own = own.filter(|(at, (_, branch))| **branch == which || (at + which) % 3 == 0);
            site.write("log", lines(&own.map(|(_, (drawn, _))| line(drawn)).collect::<Vec<_>>()));
            if folded_first {
                folds.set(folds.get() + compact(&site).folded);
            }
            all = format!("{}{all}", site.text("log"));
        }
        let site = Site::new();
        site.write("log", all);
        compact(&site);
        let read = site.log("log").read(&Page::default()).unwrap();
        prop_assert_eq!(seen(&read.records), expected);
        let things: BTreeSet<String> = read.records.iter().map(|record| record["says"].to_string()).collect();
        prop_assert_eq!(read.records.len(), things.len());
        Ok(())
    });
    ran.unwrap();
    assert!(folds.get() > 20, "{folds:?}");
}

/// LOG-22: A compaction leaves every other line as it stood, in its place, damaged ones included, and a log in which
/// nothing is folded is the same file as before.
#[test]
fn a_torn_tail_is_one_bad_line_and_no_record_grows_past_a_line() {
    let site = Site::new();
    site.write("log", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"torn\",\"x");
    assert_eq!(compact(&site).folded, 1);
    assert_eq!(
        site.text("log"),
        "{\"folded\":{\"b\":1},\"id\":\"a\",\"occurrences\":2}\n{\"id\":\"torn\",\"x\n"
    );
    let many = 8_000;
    let ids = |n: usize| format!("{n:0>40}");
    site.write("log", (0..many).map(|n| format!("{{\"id\":\"{}\"}}\n", ids(n))).collect::<String>());
    assert!(compact(&site).folded > 7_900);
    for round in 0..2 {
        let read = site.log("log").read(&Page::default()).unwrap();
        assert!(read.damaged.is_empty() && (2..100).contains(&read.records.len()), "{}", read.records.len());
        assert_eq!(seen(&read.records).len(), many);
        // What stands in the second record already is not counted in the last one as well.
        let mut file = fs::OpenOptions::new().append(true).open(site.path("log")).unwrap();
        writeln!(file, "{{\"id\":\"{}\"}}", ids(many / 2)).unwrap();
        assert_eq!(compact(&site).folded, 1, "{round}");
    }
}

/// LOG-25: Whole lines that somebody appended to a file that the log was before are named by `log check`, which exits 1
/// where no line is damaged, until the next compaction has appended them to the log, once.
#[test]
fn what_a_foreign_writer_still_appends_to_the_old_file_is_told_and_carried_over() {
    let yard = Yard::with_git();
    fs::write(yard.join("l"), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n").unwrap();
    let mut foreign = fs::OpenOptions::new().append(true).open(yard.join("l")).unwrap();
    let done = yard.json(0, ["log", "compact", "l"]);
    assert_eq!((&done["value"]["folded"], &done["value"]["carried"]), (&json!(1), &json!(0)));
    assert_eq!(yard.run(["log", "check", "l"]).code, 0);
    foreign.write_all(b"{\"id\":\"late\",\"n\":1}\n{\"id\":\"half\",").unwrap();
    let check = yard.run(["log", "check", "l"]);
    assert_eq!(check.code, 1, "{check:?}");
    assert!(check.stderr.contains("1 lines were appended"), "{check:?}");
    assert!(check.stderr.contains("13 bytes without a newline"), "{check:?}");
    let done = yard.run(["log", "compact", "l"]);
    assert!(done.code == 0 && done.stderr.contains("1 lines were carried over"), "{done:?}");
    assert!(done.stderr.contains("13 bytes without a newline"), "{done:?}");
    foreign.write_all(b"\"n\":2}\n").unwrap();
    assert_eq!(yard.json(0, ["log", "compact", "l"])["value"]["carried"], 1);
    let check = yard.json(0, ["log", "check", "l"]);
    assert_eq!((&check["records"], &check["left"]), (&json!(3), &json!([])));
    assert!(
        fs::read_to_string(yard.join("l"))
            .unwrap()
            .ends_with("{\"id\":\"late\",\"n\":1}\n{\"id\":\"half\",\"n\":2}\n")
    );
    assert_eq!(yard.json(0, ["log", "compact", "l"])["value"]["carried"], 0);
    // What is the only copy of a line is not thrown away by the way.
    let deinit = yard.run(["deinit"]);
    assert!(deinit.code == 1 && deinit.stderr.contains("before it was compacted"), "{deinit:?}");
}

/// LOG-25: Whole lines that somebody appended to a file that the log was before are named by `log check`, which exits 1
/// where no line is damaged, until the next compaction has appended them to the log, once.
#[test]
fn what_is_appended_without_the_lock_before_any_step_of_a_compaction_is_there_once() {
    let start = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
    let steps = |site: &Site| {
        let calls = std::sync::Arc::new(std::sync::Mutex::new(0));
        let counted = calls.clone();
        let fs = Hooked::with_looks(move |_, _| {
            *counted.lock().unwrap() += 1;
            Act::Go
        });
        site.log_on(fs, "log").compact(&Shown::nothing()).unwrap().unwrap();
        *calls.lock().unwrap()
    };
    let site = Site::new();
    site.write("log", start);
    let calls = steps(&site);
    let mut seen_before_the_answer = 0;
    for at in 0..calls {
        let site = Site::new();
        site.write("log", start);
        let foreign = fs::OpenOptions::new().append(true).open(site.path("log")).unwrap();
        let mut step = 0;
        let fs = Hooked::with_looks(move |_, _| {
            if step == at {
                (&foreign).write_all(b"{\"id\":\"foreign\",\"n\":1}\n").unwrap();
            }
            step += 1;
            Act::Go
        });
        site.log_on(fs, "log").compact(&Shown::nothing()).unwrap().unwrap();
        let count = || records(&site.log("log")).iter().filter(|record| record["id"] == "foreign").count();
        let owed: u64 = site.log("log").left().unwrap().iter().map(|left| left.lines).sum();
        assert_eq!(count() as u64 + owed, 1, "before call {at} of {calls}");
        seen_before_the_answer += count();
        compact(&site);
        assert_eq!((count(), site.log("log").left().unwrap().len()), (1, 0), "before call {at} of {calls}");
    }
    assert!(calls > 20 && seen_before_the_answer > calls / 2, "{calls} calls, {seen_before_the_answer}");
}

/// LOG-26: A compaction loses no record that is acked before, while or after it runs.
#[test]
fn appends_and_compactions_at_once_lose_nothing() {
    let yard = Yard::with_git();
    let (writers, each) = (4, 12);
    std::thread::scope(|scope| {
        for who in 0..writers {
            let yard = &yard;
            scope.spawn(move || {
                for n in 0..each {
                    let record = format!("{{\"id\":\"{who}-{n}\",\"says\":{}}}", n % 2);
                    assert_eq!(yard.run(["log", "append", "l", &record]).code, 0);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let said = yard.run(["log", "compact", "l"]);
                    assert_eq!(said.code, 0, "{said:?}");
                }
            });
        }
    });
    let compacted = yard.json(0, ["log", "compact", "l"]);
    assert_eq!(compacted["value"]["left"], json!([]));
    let read = yard.json(0, ["log", "read", "l"]);
    let all: Vec<Map<String, Value>> = serde_json::from_value(read["value"]["records"].clone()).unwrap();
    assert_eq!((all.len(), seen(&all).len()), (2, writers * each));
    assert!(seen(&all).values().all(|count| *count == 1), "{all:?}");
    assert_eq!(read["value"]["damaged"], 0);
}

/// LOG-23: Wherever a compaction is killed, the log is the whole old file or the whole new one, and the next one ends what
/// it left.
#[test]
fn compactions_that_are_killed_leave_a_whole_log() {
    let yard = Yard::with_git();
    let many = 4_000;
    let text: String = (0..many).map(|n| format!("{{\"id\":\"{n}\",\"says\":{}}}\n", n % 1_000)).collect();
    fs::write(yard.join("l"), &text).unwrap();
    assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"first\",\"says\":0}"]).code, 0);
    let (mut killed, mut ended) = (0, 0);
    for round in 0..12_u32 {
        // A kill lands somewhere; not where it lands is what counts, but that nothing is wrong then.
        let mut child = Kept(
            yard.fencehold()
                .args(["log", "compact", "l"])
                .stderr(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap(),
        );
        let mut spins = 0;
        while child.0.try_wait().unwrap().is_none() && spins < round * 400 {
            spins += 1;
        }
        let _ = child.0.kill();
        match child.0.wait().unwrap().code() {
            Some(0) => ended += 1,
            _ => killed += 1,
        }
        let read = yard.json(0, ["log", "read", "l"]);
        let all: Vec<Map<String, Value>> = serde_json::from_value(read["value"]["records"].clone()).unwrap();
        assert_eq!(seen(&all).len(), many + 1, "round {round}");
    }
    assert!(killed > 0 && killed + ended == 12, "{killed} {ended}");
    assert_eq!(yard.run(["log", "compact", "l"]).code, 0);
    assert_eq!(yard.json(0, ["log", "check", "l"])["records"], 1_000);
    let archive: Vec<PathBuf> = fs::read_dir(yard.join(".git/fencehold/archive"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(archive.iter().any(|path| fs::read_to_string(path).unwrap().starts_with(&text)), "{archive:?}");
    assert!(
        !archive.iter().any(|path| path.file_name().unwrap().to_string_lossy().starts_with('.')),
        "{archive:?}"
    );
}

#[test]
fn a_guarded_log_is_compacted_with_its_fence_only() {
    let site = Site::new();
    for id in ["a", "b"] {
        site.log("log").append(&record(id), &fence("build", 7)).unwrap().unwrap();
    }
    let word = |shown: &Shown| {
        site.log("log").compact(shown).unwrap().map(|done| done.folded).map_err(|refusal| refusal.word())
    };
    assert_eq!(word(&Shown::nothing()), Err("guarded"));
    assert_eq!(word(&fence("build", 6)), Err("stale_token"));
    assert_eq!(word(&fence("build", 7)), Ok(1));
}

#[test]
fn what_fails_before_the_rename_changed_nothing_and_after_it_is_indefinite() {
    use fencehold::error::Happened;
    let fail = Act::Fail(std::io::ErrorKind::Other);
    let cases = [
        ("create", "archive", 1, Happened::No),
        ("append", "archive", 1, Happened::No),
        ("sync", "archive", 1, Happened::No),
        ("sync_dir", "archive", 1, Happened::No),
        ("rename", "root/log", 1, Happened::No),
        ("sync", "archive", 2, Happened::Unknown),
    ];
    let mut seen = 0;
    for (call, part, nth, happened) in cases {
        let site = Site::new();
        site.write("log", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
        let error =
            site.log_on(Hooked::nth(call, part, nth, fail), "log").compact(&Shown::nothing()).unwrap_err();
        assert_eq!(error.happened(), happened, "{call}: {error}");
        let folded = site.text("log").contains("folded");
        assert_eq!(folded, happened == Happened::Unknown, "{call}");
        compact(&site);
        assert_eq!(records(&site.log("log")).len(), 1);
        let temps = site.names(".fencehold/archive").into_iter().filter(|name| name.starts_with('.')).count();
        assert_eq!(temps, 0, "{call}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}
