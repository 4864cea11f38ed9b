use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use fencehold::error::{Error, Happened};
use fencehold::fs::RealFs;
use fencehold::log::{LINE_BYTES_MAX, Log, Page};
use fencehold::mark::Shown;
use serde_json::{Map, Value, json};

use crate::hooked::{Act, Hooked};
use crate::site::{Site, fence};

pub(crate) fn record(id: &str) -> Map<String, Value> {
    Map::from_iter([("id".to_owned(), Value::from(id)), ("n".to_owned(), json!(1))])
}

fn append<F: fencehold::fs::Fs>(log: &Log<F>, id: &str) -> fencehold::Result<u64> {
    Ok(log.append(&record(id), &Shown::nothing())?.unwrap().offset)
}

fn ids(site: &Site) -> Vec<String> {
    let records = site.log("log").read(&Page::default()).unwrap().records;
    records.iter().map(|record| record.get("id").and_then(Value::as_str).unwrap_or("-").to_owned()).collect()
}

/// LOG-3: An append never removes or changes a byte that stood in the log before.
///
/// LOG-4: An append after an unterminated tail begins with a newline, so the torn line is one bad line and hides none
/// of its neighbours.
#[test]
fn an_append_behind_a_torn_tail_hides_no_neighbour() {
    let line = "{\"id\":\"torn\",\"text\":\"ä\"}";
    let mut seen = 0;
    for cut in 0..=line.len() {
        let site = Site::new();
        site.write("log", [b"{\"id\":\"a\"}\n", &line.as_bytes()[..cut]].concat());
        append(&site.log("log"), "b").unwrap();
        // The whole text without its newline becomes a record once its line ends; less of it is one bad line.
        let expected: &[&str] = if cut == line.len() { &["a", "torn", "b"] } else { &["a", "b"] };
        assert_eq!(ids(&site), expected, "cut at {cut}");
        let checked = site.log("log").check().unwrap();
        assert_eq!(checked.damaged_count, u64::from(cut > 0 && cut < line.len()));
        assert_eq!(checked.unterminated_bytes, 0);
        assert!(site.bytes("log").starts_with(&[b"{\"id\":\"a\"}\n", &line.as_bytes()[..cut]].concat()));
        seen += 1;
    }
    assert_eq!(seen, line.len() + 1);
}

/// LOG-5: A read gives every whole record in the order of the file, whatever damaged lines stand between.
///
/// LOG-6: A line that is not UTF-8, holds NUL bytes, is longer than 512 KiB, or is no JSON object with a string `id`
/// counts as damaged, once a line.
///
/// LOG-8: Lines that end in CR LF, blank lines and a byte-order mark at the beginning of the file are read without
/// being damage.
#[test]
fn a_reader_takes_what_is_whole_and_names_what_is_not() {
    let site = Site::new();
    let lines: [&[u8]; 11] = [
        b"\xef\xbb\xbf{\"id\":\"bom\"}\n",
        b"{\"id\":\"crlf\"}\r\n",
        b"\n",
        b"  \r\n",
        b"\xff\xfe\n",
        b"\0\0\0\n",
        b"[1]\n",
        b"{\"id\":\"half\n",
        b"{\"n\":1}\n",
        b"{\"id\":7}\n",
        b"{\"id\":\"\0\"}\n",
    ];
    site.write("log", [lines.concat(), b"{\"id\":\"crlf\"}\n{\"id\":\"tail\"}".to_vec()].concat());
    let read = site.log("log").read(&Page::default()).unwrap();
    assert_eq!(ids(&site), ["bom", "crlf", "crlf"]);
    assert_eq!(read.unterminated_bytes, 13);
    assert_eq!(read.next, None);
    assert_eq!(read.duplicates.into_iter().collect::<Vec<_>>(), ["crlf"]);
    let damaged: Vec<(u64, u64)> = read.damaged.iter().map(|damaged| (damaged.line, damaged.bytes)).collect();
    assert_eq!(damaged, [(5, 3), (6, 4), (7, 4), (8, 12), (9, 8), (10, 9), (11, 11)]);
    let bytes = site.bytes("log");
    for damaged in &read.damaged {
        let start = usize::try_from(damaged.offset).unwrap();
        assert_eq!(bytes[start - 1], b'\n', "{damaged:?}");
    }
    let checked = site.log("log").check().unwrap();
    assert_eq!((checked.records, checked.damaged_count, checked.unterminated_bytes), (3, 7, 13));
}

/// LOG-6: A line that is not UTF-8, holds NUL bytes, is longer than 512 KiB, or is no JSON object with a string `id`
/// counts as damaged, once a line.
#[test]
fn a_line_past_the_bound_is_one_damaged_line() {
    assert_eq!(LINE_BYTES_MAX, 512 * 1024);
    for extra in [0, 1, 300_000, 2_000_000] {
        let site = Site::new();
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX - 9 + extra));
        site.write("log", format!("{{\"id\":\"a\"}}\n{long}\n{{\"id\":\"b\"}}\n{long}"));
        let read = site.log("log").read(&Page::default()).unwrap();
        let damaged: Vec<u64> = read.damaged.iter().map(|damaged| damaged.bytes).collect();
        let expected: &[u64] = if extra == 0 { &[] } else { &[long.len() as u64 + 1] };
        assert_eq!(damaged, expected);
        assert_eq!(read.records.len(), if extra == 0 { 3 } else { 2 });
        assert_eq!(read.unterminated_bytes, long.len() as u64);
    }
}

#[test]
fn pages_join_without_gap_or_overlap() {
    let site = Site::new();
    let log = site.log("log");
    for n in 0..25 {
        append(&log, &format!("r{}", n % 20)).unwrap();
        if n % 7 == 0 {
            let mut file = std::fs::OpenOptions::new().append(true).open(site.path("log")).unwrap();
            file.write_all(b"junk\n").unwrap();
        }
    }
    for (records_max, bytes_max) in [(1, usize::MAX), (4, usize::MAX), (100, 1), (100, 70)] {
        let (mut page, mut records, mut damaged, mut duplicates) =
            (Page { after: 0, records_max, bytes_max }, 0, 0, 0);
        loop {
            let read = log.read(&page).unwrap();
            assert!(read.records.len() <= records_max);
            (records, damaged) = (records + read.records.len(), damaged + read.damaged.len());
            duplicates += read.duplicates.len();
            match read.next {
                Some(next) => page.after = next,
                None => {
                    page.after = read.end;
                    break;
                }
            }
        }
        assert_eq!((records, damaged, duplicates), (25, 4, 5), "{records_max} {bytes_max}");
        assert_eq!(page.after, site.bytes("log").len() as u64);
        assert_eq!(log.read(&page).unwrap().records.len(), 0, "nothing new yet");
    }
    for after in [1, 1_000_000] {
        let inside = Page { after, ..Page::default() };
        assert!(matches!(log.read(&inside), Err(Error::Usage(_))));
    }
}

/// LOG-1: An acked record stands in the log exactly once, and one that was not acked at most once, unless its id was
/// appended again.
#[test]
fn two_handles_append_fifty_each_and_all_stand() {
    let site = Site::new();
    std::thread::scope(|scope| {
        for who in ["a", "b"] {
            let log = site.log("log");
            scope.spawn(move || {
                for n in 0..50 {
                    append(&log, &format!("{who}{n}")).unwrap();
                }
            });
        }
    });
    let seen: std::collections::BTreeSet<String> = ids(&site).into_iter().collect();
    assert_eq!((ids(&site).len(), seen.len()), (100, 100));
    assert_eq!(site.log("log").check().unwrap().damaged_count, 0);
}

/// LOG-1: An acked record stands in the log exactly once, and one that was not acked at most once, unless its id was
/// appended again.
#[test]
fn a_foreign_half_line_that_comes_in_between_swallows_no_record() {
    let site = Site::new();
    site.write("log", "");
    let mut foreign = 0;
    let path = site.path("log");
    let fs = Hooked::new(move |call, of| {
        if call == "append" && of == path && foreign < 3 {
            foreign += 1;
            let mut file = std::fs::OpenOptions::new().append(true).open(of).unwrap();
            file.write_all(b"{\"id\":\"foreign\",\"x\":").unwrap();
        }
        Act::Go
    });
    let offset = append(&site.log_on(fs, "log"), "ours").unwrap();
    assert_eq!(ids(&site), ["ours"]);
    let offset = usize::try_from(offset).unwrap();
    assert!(site.bytes("log")[offset..].starts_with(b"{\"id\":\"ours\""));
    assert_eq!(site.log("log").check().unwrap().damaged_count, 3);
}

/// LOG-11: An append that was cut short fails definitely where what was written of it can never be a record, and is
/// indefinite where only its newline is missing.
#[test]
fn a_short_write_is_definite_only_while_no_record_can_be_seen() {
    let whole = serde_json::to_string(&record("x")).unwrap().len() + 1;
    let (mut definite, mut indefinite) = (0, 0);
    for cut in 0..whole {
        let site = Site::new();
        let fs = Hooked::nth("append", "log", 1, Act::Short(cut));
        let error = append(&site.log_on(fs, "log"), "x").unwrap_err();
        append(&site.log("log"), "y").unwrap();
        match error.happened() {
            Happened::No => {
                definite += 1;
                assert_eq!(ids(&site), ["y"], "cut at {cut}");
            }
            Happened::Unknown => {
                indefinite += 1;
                assert_eq!(ids(&site), ["x", "y"], "the next append ends its line");
            }
        }
    }
    assert_eq!((definite, indefinite), (whole - 1, 1));
}

/// LOG-2: An append is answered after its record was synced, and after the directory was where it created the file.
#[test]
fn what_fails_after_the_write_is_indefinite_and_before_it_definite() {
    let fail = Act::Fail(std::io::ErrorKind::Other);
    let cases = [
        ("create", "root/log", Happened::No),
        ("append", "root/log", Happened::No),
        ("sync", "root/log", Happened::Unknown),
        ("sync_dir", "root", Happened::Unknown),
    ];
    let mut seen = 0;
    for (call, part, happened) in cases {
        let site = Site::new();
        let error = append(&site.log_on(Hooked::nth(call, part, 1, fail), "log"), "x").unwrap_err();
        assert_eq!(error.happened(), happened, "{call}: {error}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn what_is_no_log_is_an_error_and_stays() {
    let site = Site::new();
    site.write("target", "{\"id\":\"a\"}\n");
    symlink("target", site.path("link")).unwrap();
    std::fs::create_dir(site.path("dir")).unwrap();
    assert!(Command::new("mkfifo").arg(site.path("fifo")).status().unwrap().success());
    let link = Log::open(RealFs, site.folder(), &site.rooted(), Path::new("link"), None);
    assert!(matches!(link, Err(Error::Environment { .. })));
    for name in ["dir", "fifo"] {
        assert!(matches!(append(&site.log(name), "x"), Err(Error::Environment { .. })), "{name}");
        assert!(matches!(site.log(name).read(&Page::default()), Err(Error::Environment { .. })), "{name}");
    }
    assert_eq!(site.text("target"), "{\"id\":\"a\"}\n");
    assert_eq!(site.log("none").read(&Page::default()).unwrap().records.len(), 0);
    assert!(!site.path("none").exists(), "a read creates nothing");
}

/// LOG-10: A record that is no JSON object, has no string `id` or a blank one, or is longer than 512 KiB as one line
/// fails definitely, and the log stays as it was.
#[test]
fn a_record_needs_an_id_and_a_bounded_line() {
    let site = Site::new();
    let long = Value::from("x".repeat(LINE_BYTES_MAX));
    let bad = [json!({}), json!({"id": 1}), json!({"id": " "}), json!({"id": "a", "text": long})];
    for record in &bad {
        let answer = site.log("log").append(record.as_object().unwrap(), &Shown::nothing());
        assert!(matches!(answer, Err(Error::Usage(_))));
    }
    assert!(!site.path("log").exists());
    let newlines = json!({"id": "a", "text": "1\n2\r\n\u{2028}\0"});
    site.log("log").append(newlines.as_object().unwrap(), &Shown::nothing()).unwrap().unwrap();
    assert_eq!(
        site.log("log").read(&Page::default()).unwrap().records,
        [newlines.as_object().unwrap().clone()]
    );
}

#[test]
fn a_guarded_log_refuses_what_is_older_or_without_fence() {
    let site = Site::new();
    let word = |shown: &Shown| {
        site.log("log").append(&record("x"), shown).unwrap().map_err(|refusal| refusal.word()).map(|_| ())
    };
    assert_eq!(word(&fence("a", 7)), Ok(()));
    assert_eq!(word(&fence("a", 6)), Err("stale_token"));
    assert_eq!(word(&Shown::nothing()), Err("guarded"));
    assert_eq!(word(&fence("a", 7)), Ok(()));
    assert_eq!(ids(&site).len(), 2);
}
