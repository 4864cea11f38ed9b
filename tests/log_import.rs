use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use fencehold::log::{Legacy, Log, Page};
use fencehold::mark::Shown;
use serde_json::{Value, json};

use crate::hooked::{Act, Hooked};
use crate::program::{Kept, Yard};
use crate::site::{Site, fence};

const FORMS: [&str; 3] = [
    "[{\"id\":\"bug-001\",\"n\":1},{\"id\":\"bug-002\",\"n\":2},{\"id\":\"bug-003\",\"n\":3}]",
    "{\"version\":1,\"bugs\":[{\"id\":\"bug-001\",\"n\":1},\n{\"id\":\"bug-002\",\"n\":2},{\"id\":\"bug-003\",\"n\":3}]}\n",
    "\u{feff}{\n  \"bugs\": [\n    {\n      \"id\": \"bug-001\",\n      \"n\": 1\n    },\r\n    { \"id\": \"bug-002\", \"n\": 2 },\n    \
     { \"id\": \"bug-003\", \"n\": 3 }\n  ]\n}\n",
];
const LINES: &str =
    "{\"id\":\"bug-001\",\"n\":1}\n{\"id\":\"bug-002\",\"n\":2}\n{\"id\":\"bug-003\",\"n\":3}\n";

fn legacy(text: &str) -> fencehold::Result<Legacy> {
    Legacy::read("old.json".as_ref(), text.as_bytes())
}

fn ids(site: &Site) -> Vec<String> {
    let records = site.log("log").read(&Page::default()).unwrap().records;
    records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// LOG-27: `log import` appends every entry of a JSON array, or of the array `bugs` of an object of version 1, that no
/// record of the log equals or counts, in the letters that it is written in, and leaves that file as it is.
#[test]
fn every_form_becomes_the_same_lines_and_stays() {
    let mut seen = 0;
    for form in FORMS {
        let yard = Yard::with_git();
        fs::write(yard.join("old.json"), form).unwrap();
        let done = yard.json(0, ["log", "import", "old.json", "l"]);
        assert_eq!((&done["value"]["entries"], &done["value"]["appended"]), (&json!(3), &json!(3)));
        assert_eq!(fs::read_to_string(yard.join("l")).unwrap(), LINES);
        assert_eq!(fs::read_to_string(yard.join("old.json")).unwrap(), form);
        assert_eq!(yard.json(0, ["log", "import", "old.json", "l"])["value"]["appended"], 0);
        assert_eq!(yard.run(["log", "check", "l"]).code, 0);
        // A link to it is another name of it, and what was folded since is there.
        std::os::unix::fs::symlink("old.json", yard.join("link.json")).unwrap();
        fs::write(yard.join("l"), format!("{LINES}{}", LINES.replace("bug-00", "again-"))).unwrap();
        assert_eq!(yard.json(0, ["log", "compact", "l"])["value"]["folded"], 3);
        assert_eq!(yard.json(0, ["log", "import", "link.json", "l"])["value"]["appended"], 0);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

/// LOG-27: `log import` appends every entry of a JSON array, or of the array `bugs` of an object of version 1, that no
/// record of the log equals or counts, in the letters that it is written in, and leaves that file as it is.
#[test]
fn an_entry_keeps_its_letters_and_what_is_no_entry_is_told() {
    let yard = Yard::with_git();
    let entry = "{ \"z\" : 12345678901234567890123,\n \"id\":\"a\", \"t\":\"two  spaces, \\u00e9 \\\\\\\" ]}\", \"a\":[ 1.50 ] }";
    let text = format!("{{\"bugs\":[1],\"seen\":{{\"bugs\":[2]}},\"version\":1,\"bugs\":[{entry},{entry}]}}");
    fs::write(yard.join("old.json"), text).unwrap();
    let said = yard.run(["log", "import", "old.json", "l"]);
    assert!(said.code == 0 && said.stderr.contains("the field \"seen\" is no entry"), "{said:?}");
    assert!(said.stderr.contains("1 entries are equal to one before"), "{said:?}");
    let expected = "{\"z\":12345678901234567890123,\"id\":\"a\",\"t\":\"two  spaces, \\u00e9 \\\\\\\" ]}\",\"a\":[1.50]}\n";
    assert_eq!(fs::read_to_string(yard.join("l")).unwrap(), expected);
    assert_eq!(yard.json(0, ["log", "import", "old.json", "l"])["value"]["appended"], 0);
}

/// LOG-29: A file to import that is no whole JSON, is no such array, or has an entry that is no object, has no `id` of its
/// own or is too long as a line fails definitely, with the file, the line and what to do, and nothing is appended.
#[test]
fn what_cannot_be_imported_is_named_and_nothing_is_moved() {
    let half = &FORMS[2][..FORMS[2].len() - 20];
    let long = format!("[\n{{\"id\":\"{}\"}}]", "x".repeat(512 * 1024));
    let deep = format!("[\n{}", "[".repeat(100_000));
    let cases: [(&[u8], i32, &str, &str); 15] = [
        (b"", 4, "line 1", "ends in the middle"),
        (half.as_bytes(), 4, "line 8", "ends in the middle"),
        (b"[\n{\"id\":\"a\"}\n", 4, "line 3", "try again"),
        (b"[{\"id\":\"a\"}]\n]", 4, "line 2", "no JSON"),
        (b"[\n\xff]", 4, "line 2", "not UTF-8"),
        (b"\0\0\0\0", 4, "line 1", "no JSON"),
        (deep.as_bytes(), 4, "line 2", "recursion"),
        (b"\n7", 2, "line 2", "neither an array nor an object"),
        (b"{\"version\":1}", 2, "line 1", "without an array `bugs`"),
        (b"{\n\"version\":1,\n\"bugs\":{\"a\":1}}", 2, "line 3", "`bugs` is no array"),
        (b"{\n\"version\":2,\"bugs\":[]}", 2, "line 2", "only 1 is known"),
        (b"[{\"id\":\"a\"},\n7]", 2, "line 2", "no object"),
        (b"[{\"id\":\"a\"},\n\n{\"n\":1}]", 2, "line 3", "without an `id`"),
        (
            b"[{\"id\":\"a\",\"n\":1},\n{\"id\":\"b\"},\n{\"id\":\"a\",\"n\":2}]",
            2,
            "line 3",
            "stands on line 1 already",
        ),
        (long.as_bytes(), 2, "line 2", "the most is"),
    ];
    let mut seen = 0;
    for (bytes, code, line, why) in cases {
        let yard = Yard::with_git();
        fs::write(yard.join("old.json"), bytes).unwrap();
        let before = yard.snapshot();
        let said = yard.run(["log", "import", "old.json", "l"]);
        assert_eq!(said.code, code, "{said:?}");
        assert!(said.stderr.contains(line) && said.stderr.contains(why), "{line} {why}: {said:?}");
        assert!(
            said.stderr.contains("old.json") && said.stderr.to_lowercase().contains("nothing was imported"),
            "{said:?}"
        );
        assert_eq!(yard.snapshot(), before, "{why}");
        seen += 1;
    }
    assert_eq!(seen, 15);
    let yard = Yard::with_git();
    let huge = fs::File::create(yard.join("old.json")).unwrap();
    huge.set_len((64 << 20) + 1).unwrap();
    fs::write(yard.join("l"), "").unwrap();
    for (args, why) in [
        (["old.json", "l"], "in portions"),
        (["gone.json", "l"], "gone.json"),
        (["l", "l"], "are one file"),
        (["old.json", "../l"], "leaves the root"),
        ([".", "l"], "reading"),
    ] {
        let said = yard.run(["log", "import", args[0], args[1]]);
        assert!(said.code == 2 && said.stderr.contains(why), "{args:?}: {said:?}");
    }
    assert!(!yard.join(".git/fencehold").exists());
}

/// Opens the log and imports into it, by way of a disk on which any call may fail.
fn import(site: &Site, fs: Hooked, legacy: &Legacy) -> fencehold::Result<()> {
    let log = Log::open(fs, site.folder(), &site.rooted(), "log".as_ref(), None)?;
    log.import(legacy, &Shown::nothing()).map(|done| drop(done.unwrap()))
}

/// LOG-28: However often an import is killed, run again or run beside another, each entry stands in the log once.
#[test]
fn an_import_that_dies_at_any_call_is_ended_by_the_next() {
    let read = legacy(FORMS[0]).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let site = Site::new();
    let seen = calls.clone();
    let tell = Hooked::with_looks(move |_, _| {
        seen.fetch_add(1, SeqCst);
        Act::Go
    });
    import(&site, tell, &read).unwrap();
    let calls = calls.load(SeqCst);
    let mut partly = 0;
    for dies_at in 0..calls {
        for short in [0, 1, 24, 30] {
            let site = Site::new();
            site.write("log", "{\"id\":\"before\"}\n");
            let mut done = 0;
            let dying = Hooked::with_looks(move |call, _| {
                done += 1;
                match done > dies_at {
                    true if call == "append" && short > 0 && done == dies_at + 1 => Act::Short(short),
                    true => Act::Fail(std::io::ErrorKind::Other),
                    false => Act::Go,
                }
            });
            drop(import(&site, dying, &read));
            let there = ids(&site).len() - 1;
            partly += usize::from((1..3).contains(&there));
            let again = site.log("log").import(&read, &Shown::nothing()).unwrap().unwrap();
            assert!(again.appended <= 3 - there as u64 && again.known + again.appended == 3);
            assert_eq!(ids(&site), ["before", "bug-001", "bug-002", "bug-003"], "{dies_at} {short}");
        }
    }
    assert!(calls > 10 && partly > 0, "{calls} {partly}");
}

/// LOG-28: However often an import is killed, run again or run beside another, each entry stands in the log once.
#[test]
fn imports_appends_and_kills_at_once_lose_and_double_nothing() {
    let yard = Yard::with_git();
    let many = 400;
    let text = (0..many).map(|n| format!("{{\"id\":\"bug-{n}\",\"n\":{n}}}")).collect::<Vec<_>>().join(",\n");
    fs::write(yard.join("old.json"), format!("[{text}]")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(yard.run(["log", "import", "old.json", "l"]).code, 0));
        }
        scope.spawn(|| {
            for n in 0..8 {
                assert_eq!(yard.run(["log", "append", "l", &format!("{{\"id\":\"new-{n}\"}}")]).code, 0);
            }
        });
        scope.spawn(|| {
            for _ in 0..4 {
                let import = yard
                    .fencehold()
                    .args(["log", "import", "old.json", "l"])
                    .stderr(Stdio::null())
                    .stdout(Stdio::null())
                    .spawn();
                let mut import = Kept(import.unwrap());
                std::thread::yield_now();
                let _ = import.0.kill();
            }
        });
    });
    assert_eq!(yard.run(["log", "import", "old.json", "l"]).code, 0);
    let check = yard.json(0, ["log", "check", "l"]);
    assert_eq!((&check["records"], &check["duplicates"]), (&json!(many + 8), &json!([])));
}

/// LOG-30: What was written to a file during its import or since is named by `log check`, which exits 1 where no line is
/// damaged, until the next import has appended it.
#[test]
fn an_old_writer_that_goes_on_is_found_and_told() {
    let yard = Yard::with_git();
    fs::create_dir(yard.join("d")).unwrap();
    fs::write(yard.join("old.json"), FORMS[1]).unwrap();
    assert_eq!(yard.run_in(&yard.join("d"), ["log", "import", "../old.json", "../l"]).code, 0);
    let add = |id: &str| {
        let mut old: Value =
            serde_json::from_str(&fs::read_to_string(yard.join("old.json")).unwrap()).unwrap();
        old["bugs"].as_array_mut().unwrap().push(json!({ "id": id }));
        fs::write(yard.join("new.json"), old.to_string()).unwrap();
        fs::rename(yard.join("new.json"), yard.join("old.json")).unwrap();
    };
    add("late");
    let check = yard.run(["log", "check", "l"]);
    assert!(check.code == 1 && check.stderr.contains("holds 1 entries that it lacks"), "{check:?}");
    assert_eq!(yard.json(1, ["log", "check", "l"])["not_imported"][0]["entries"], 1);
    assert_eq!(yard.json(0, ["log", "import", "old.json", "l"])["value"]["appended"], 1);
    assert_eq!(yard.run(["log", "check", "l"]).code, 0);
    // It increments an entry in place, as the old form has it: the higher count is taken over, and folded.
    let old = fs::read_to_string(yard.join("old.json")).unwrap();
    fs::write(yard.join("old.json"), old.replace("{\"id\":\"late\"}", "{\"id\":\"late\",\"occurrences\":2}"))
        .unwrap();
    assert_eq!(yard.run(["log", "check", "l"]).code, 1);
    assert_eq!(yard.json(0, ["log", "import", "old.json", "l"])["value"]["appended"], 1);
    assert_eq!(yard.json(0, ["log", "compact", "l"])["value"]["folded"], 1);
    assert!(fs::read_to_string(yard.join("l")).unwrap().ends_with("{\"id\":\"late\",\"occurrences\":2}\n"));
    assert_eq!(yard.json(0, ["log", "import", "old.json", "l"])["value"]["appended"], 0);
    // Moved away, and begun anew by one that found nothing.
    fs::rename(yard.join("old.json"), yard.join("old.json.before")).unwrap();
    assert_eq!(yard.run(["log", "check", "l"]).code, 0);
    fs::write(yard.join("old.json"), "{\"version\":1,\"bugs\":[{\"id\":\"anew\"}]}").unwrap();
    assert_eq!(yard.run(["log", "check", "l"]).code, 1);
    assert_eq!(yard.json(0, ["log", "import", "old.json", "l"])["value"]["appended"], 1);
    // Half written just now: told, and no damage of the log.
    fs::write(yard.join("old.json"), "{\"version\":1,\"bugs\":[").unwrap();
    let check = yard.run(["log", "check", "l"]);
    assert!(check.code == 1 && check.stderr.contains("ends in the middle"), "{check:?}");
}

/// LOG-30: What was written to a file during its import or since is named by `log check`, which exits 1 where no line is
/// damaged, until the next import has appended it.
#[test]
fn an_old_writer_at_work_during_the_import_loses_nothing() {
    let yard = Yard::with_git();
    fs::write(yard.join("old.json"), "[]").unwrap();
    let written = 60;
    let write = |upto: usize| {
        let all: Vec<Value> = (0..upto).map(|n| json!({ "id": format!("bug-{n}") })).collect();
        let new = yard.join("new.json");
        fs::File::create(&new).unwrap().write_all(Value::from(all).to_string().as_bytes()).unwrap();
        fs::rename(new, yard.join("old.json")).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(|| (0..=written).for_each(&write));
        for _ in 0..6 {
            let said = yard.run(["log", "import", "old.json", "l"]);
            assert!(said.code == 0 || said.code == 1 && said.stderr.contains("run this again"), "{said:?}");
        }
    });
    assert_eq!(yard.run(["log", "import", "old.json", "l"]).code, 0);
    let check = yard.json(0, ["log", "check", "l"]);
    assert_eq!((&check["records"], &check["not_imported"]), (&json!(written), &json!([])));
}

#[test]
fn a_guarded_log_takes_an_import_with_its_fence_only() {
    let site = Site::new();
    let read = legacy(FORMS[0]).unwrap();
    site.log("log").append(&crate::log::record("a"), &fence("build", 7)).unwrap().unwrap();
    let word = |shown: &Shown| {
        site.log("log")
            .import(&read, shown)
            .unwrap()
            .map(|done| done.appended)
            .map_err(|refusal| refusal.word())
    };
    assert_eq!(word(&Shown::nothing()), Err("guarded"));
    assert_eq!(word(&fence("build", 6)), Err("stale_token"));
    assert_eq!(word(&fence("build", 7)), Ok(3));
}
