//! Files that belong to other programs: a log with foreign writers (M9), a corrupt document (M10), what an update keeps
//! (m6), modes whatever the umask (m7).

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use fencehold::error::Error;
use fencehold::log::Page;
use fencehold::mark::Shown;
use serde_json::{Map, Value, json};

use crate::program::{Yard, said};
use crate::site::Site;

fn record(id: &str) -> Map<String, Value> {
    Map::from_iter([("id".to_owned(), Value::from(id))])
}

/// A foreign program is between the two halves of its record when we append. Nothing of it is cut: one bad line, and a
/// stray half that is one more. The wrong variant cuts the torn tail, as for a journal: the first half is gone.
#[test]
fn review_M9_a_half_written_foreign_record_is_not_cut() {
    let run = |cuts: bool| {
        let site = Site::new();
        site.write("log", "{\"id\":\"before\"}\n");
        let mut foreign = std::fs::OpenOptions::new().append(true).open(site.path("log")).unwrap();
        foreign.write_all(b"{\"id\":\"foreign\",\"text\":\"first half ").unwrap();
        if cuts {
            let bytes = site.bytes("log");
            let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
            site.write("log", &bytes[..end]);
        }
        site.log("log").append(&record("ours"), &Shown::nothing()).unwrap().unwrap();
        foreign.write_all(b"second half\"}\n").unwrap();
        let read = site.log("log").read(&Page::default()).unwrap();
        let ids: Vec<String> =
            read.records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, ["before", "ours"], "no neighbour is hidden");
        (site.text("log").contains("first half"), read.damaged.len())
    };
    assert_eq!(run(false), (true, 2));
    assert!(!run(true).0, "the wrong variant destroys what a foreign writer had written");
}

/// A tail that somebody follows by offset never moves: no append of ours makes a log shorter.
#[test]
fn review_M9_a_log_never_becomes_shorter() {
    let site = Site::new();
    site.write("log", "{\"id\":\"torn");
    let mut len = 0;
    for n in 0..5 {
        site.log("log").append(&record(&format!("{n}")), &Shown::nothing()).unwrap().unwrap();
        let now = site.bytes("log").len();
        assert!(now > len && site.text("log").starts_with("{\"id\":\"torn\n"), "{now}");
        len = now;
    }
}

/// An update that moves what is corrupt away, as the draft had it: the second call finds nothing and begins at 1.
fn wiping_increment(site: &Site) -> Result<i64, Error> {
    let answer = site.document("x").increment("n", 1, &Shown::nothing());
    if matches!(answer, Err(Error::Damaged { .. })) {
        std::fs::rename(site.path("x"), site.path(".fencehold/quarantine/moved")).unwrap();
    }
    answer.map(|sum| sum.unwrap().value)
}

/// A corrupt document is copied and stays in place: every further update fails as the first did. The wrong variant
/// wipes at the second call.
#[test]
fn review_M10_the_second_update_of_a_corrupt_document_fails_as_the_first() {
    let site = Site::new();
    site.write("x", "{\"n\":41");
    for _ in 0..3 {
        let error = site.document("x").increment("n", 1, &Shown::nothing()).unwrap_err();
        assert_eq!(error.exit_code(), 4, "{error}");
        assert_eq!(site.text("x"), "{\"n\":41");
    }
    assert_eq!(site.names(".fencehold/quarantine").len(), 1, "kept once");
}

/// The wrong variant of M10, caught: the second call succeeds, from nothing.
#[test]
fn review_m10_second_call_wipe_is_seen() {
    let site = Site::new();
    site.write("x", "{\"n\":41");
    assert_eq!(wiping_increment(&site).unwrap_err().exit_code(), 4);
    assert_eq!(wiping_increment(&site).unwrap(), 1, "the counter begins anew, and nobody is told");
}

/// What an update does to hard links, and to a folder that takes no new file: the first is said not to be kept, the
/// second fails definitely.
#[test]
fn review_m6_hard_links_are_left_behind_and_an_unwritable_folder_fails_definitely() {
    let site = Site::new();
    site.write("x", "{\"n\":1}");
    std::fs::hard_link(site.path("x"), site.path("other")).unwrap();
    site.document("x").increment("n", 1, &Shown::nothing()).unwrap().unwrap();
    assert_eq!(site.text("other"), "{\"n\":1}", "the other name keeps the old bytes");
    assert_ne!(
        std::fs::metadata(site.path("x")).unwrap().ino(),
        std::fs::metadata(site.path("other")).unwrap().ino()
    );
    let full = crate::hooked::Act::Fail(std::io::ErrorKind::PermissionDenied);
    let refuses = crate::hooked::Hooked::nth("create", "/.x.fencehold-", 1, full);
    let error = site.document_on(refuses, "x").increment("n", 1, &Shown::nothing()).unwrap_err();
    assert_eq!(error.happened(), fencehold::error::Happened::No, "{error}");
    let value = site.document("x").read(&Shown::nothing()).unwrap().unwrap().value;
    assert_eq!(value, json!({"n": 2}));
}

/// Every file of a workspace has its stated mode whatever the umask: 0600 in a folder of 0700, or group-writable in a
/// shared one. The wrong variant leaves it to the umask, under which the group gets nothing.
#[test]
fn review_m7_modes_do_not_follow_the_umask() {
    for (shared, folder, file) in [(false, 0o700, 0o600), (true, 0o2770, 0o660)] {
        let yard = Yard::with_git();
        let script = format!(
            "umask 077 && \"$0\" init {} && \"$0\" lock acquire a && \"$0\" lock acquire b",
            if shared { "--shared" } else { "" }
        );
        let plain = yard.fencehold();
        let mut sh = std::process::Command::new("sh");
        sh.args(["-c", &script]).arg(plain.get_program()).current_dir(yard.path());
        let made = said(sh.env("FENCEHOLD_HOLDER", "tester"));
        assert_eq!(made.code, 0, "{made:?}");
        let ws = yard.join(".git/fencehold");
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&ws), folder, "shared: {shared}");
        let mut files = 0;
        for entry in std::fs::read_dir(&ws).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                assert_eq!(mode(&path) & 0o660, file, "{}", path.display());
                files += 1;
            }
        }
        assert!(files >= 3, "{files}");
    }
}
