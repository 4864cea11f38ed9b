use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fencehold::document::Repaired;
use fencehold::error::{Error, Happened};
use fencehold::mark::{Refusal, Shown};
use serde_json::json;

use crate::hooked::{Act, Hooked};
use crate::site::{Site, fence};

#[test]
fn a_failure_before_the_rename_changed_nothing_and_one_after_it_is_indefinite() {
    let fail = |kind| Act::Fail(kind);
    let cases = [
        ("open", "root/x", 1, fail(ErrorKind::PermissionDenied), Happened::No),
        ("create", "/.x.fencehold-", 1, fail(ErrorKind::PermissionDenied), Happened::No),
        ("append", "/.x.fencehold-", 1, fail(ErrorKind::StorageFull), Happened::No),
        ("append", "/.x.fencehold-", 1, Act::Short(0), Happened::No),
        ("sync", "/.x.fencehold-", 1, fail(ErrorKind::Other), Happened::No),
        ("write_at", "/doc/", 1, fail(ErrorKind::StorageFull), Happened::No),
        ("write_at", "/doc/", 1, Act::Short(0), Happened::No),
        ("sync", "/doc/", 1, fail(ErrorKind::Other), Happened::No),
        ("sync_dir", "/doc", 1, fail(ErrorKind::Other), Happened::No),
        ("rename", "root/x", 1, fail(ErrorKind::Other), Happened::No),
        ("sync_dir", "root", 2, fail(ErrorKind::Other), Happened::Unknown),
    ];
    let mut seen = 0;
    for (call, part, nth, act, happened) in cases {
        let site = Site::new();
        site.write("x", "{\"n\":1}");
        let document = site.document_on(Hooked::nth(call, part, nth, act), "x");
        let error = document.increment("n", 1, &fence("a", 5)).unwrap_err();
        assert_eq!(error.happened(), happened, "{call} {part} {nth}: {error}");
        let expected = if happened == Happened::No { "{\"n\":1}" } else { "{\"n\":2}" };
        assert_eq!(site.text("x"), expected, "{call} {part}");
        assert_eq!(site.names(""), [".fencehold", "x"], "{call}: its temporary file is gone");
        assert!(site.document("x").increment("n", 1, &fence("a", 5)).unwrap().is_ok());
        seen += 1;
    }
    assert_eq!(seen, 11);
}

#[test]
fn a_short_write_is_gone_on_with() {
    let site = Site::new();
    let fs = Hooked::nth("append", "/.x.fencehold-", 1, Act::Short(3));
    site.document_on(fs, "x").increment("n", 1, &Shown::nothing()).unwrap().unwrap();
    assert_eq!(site.text("x"), "{\n  \"n\": 1\n}\n");
}

/// DOC-4: An update is answered after the new bytes and the directory that names them were synced.
#[test]
fn the_mark_is_durable_before_the_file_is_touched() {
    let site = Site::new();
    site.write("x", "{}");
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = calls.clone();
    let fs = Hooked::new(move |call, path: &Path| {
        let text = path.to_string_lossy();
        let of = match &*text {
            text if text.contains("/doc") => "mark",
            text if text.contains(".fencehold-") => "temp",
            _ => "file",
        };
        if call != "open" {
            seen.lock().unwrap().push(format!("{call} {of}"));
        }
        Act::Go
    });
    let document = site.document_on(fs, "x");
    document.increment("n", 1, &fence("a", 5)).unwrap().unwrap();
    document.increment("n", 1, &fence("a", 5)).unwrap().unwrap();
    let replaced = ["create temp", "append temp", "sync temp", "rename file", "sync_dir file"];
    let first = ["create mark", "write_at mark", "sync mark", "write_at mark", "sync mark", "sync_dir mark"];
    // The second one knows its own mark to be durable.
    assert_eq!(*calls.lock().unwrap(), [&first[..], &replaced, &replaced].concat());
}

#[test]
fn a_mark_of_another_process_is_made_durable_before_it_is_relied_on() {
    let site = Site::new();
    site.document("x").increment("n", 1, &fence("a", 5)).unwrap().unwrap();
    let mut seen = 0;
    for (token, expected) in [(5, Ok(())), (4, Err("stale_token"))] {
        let synced = Arc::new(Mutex::new(0));
        let count = synced.clone();
        let fs = Hooked::new(move |call, path: &Path| {
            *count.lock().unwrap() += usize::from(call == "sync" && path.to_string_lossy().contains("/doc/"));
            Act::Go
        });
        let answer = site.document_on(fs, "x").increment("n", 1, &fence("a", token)).unwrap();
        assert_eq!(answer.map(|_| ()).map_err(|refusal| refusal.word()), expected);
        assert_eq!(*synced.lock().unwrap(), 1);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn a_program_that_takes_no_lock_is_not_written_over() {
    // In place, and by a new file; just before the rename.
    for in_place in [true, false] {
        let site = Site::new();
        site.write("x", "{\"n\":1}");
        let path = site.path("x");
        let fs = Hooked::new(move |call, of: &Path| {
            if call == "create" && of.to_string_lossy().contains("/.x.fencehold-") {
                let new = path.with_extension("new");
                std::fs::write(if in_place { &path } else { &new }, "{\"n\":7}").unwrap();
                if !in_place {
                    std::fs::rename(new, &path).unwrap();
                }
            }
            Act::Go
        });
        let answer = site.document_on(fs, "x").increment("n", 1, &Shown::nothing()).unwrap();
        assert!(matches!(&answer, Err(Refusal::Version { meanwhile: true, .. })), "{answer:?}");
        assert_eq!(site.text("x"), "{\"n\":7}");
        assert_eq!(site.names(""), [".fencehold", "x"]);
    }
}

#[test]
fn a_file_that_appears_meanwhile_is_not_written_over() {
    for call in ["create", "rename_new"] {
        let site = Site::new();
        let path = site.path("x");
        let fs = Hooked::new(move |name, _: &Path| {
            if name == call && !path.exists() {
                std::fs::write(&path, "{\"n\":7}").unwrap();
            }
            Act::Go
        });
        // The first thing that is created is the lock; its directory entry is made before the document is read.
        let lock = site.document("x").read(&fence("a", 1)).unwrap();
        assert!(lock.is_ok());
        let answer = site.document_on(fs, "x").increment("n", 1, &fence("a", 1)).unwrap();
        assert!(matches!(&answer, Err(Refusal::Version { meanwhile: true, .. })), "{call}: {answer:?}");
        assert_eq!(site.text("x"), "{\"n\":7}");
        assert_eq!(site.names(""), [".fencehold", "x"]);
    }
}

/// DOC-5: What a killed update left beside a document is removed by a later update of that document.
#[test]
fn temps_of_killed_writers_are_swept_and_others_are_not() {
    let site = Site::new();
    let temp = |name: &str| format!(".{name}.fencehold-{:032x}", 7);
    for name in ["x", "y", "x.fencehold-1"] {
        site.write(&temp(name), "half");
    }
    site.write(".x.fencehold-notes", "a user's");
    site.document("x").increment("n", 1, &Shown::nothing()).unwrap().unwrap();
    let mut expected =
        vec![".fencehold".to_owned(), ".x.fencehold-notes".to_owned(), temp("y"), "x".to_owned()];
    expected.push(temp("x.fencehold-1"));
    expected.sort();
    assert_eq!(site.names(""), expected);
}

#[test]
fn the_copy_to_quarantine_may_fail_at_every_step_and_is_made_in_the_end() {
    let steps = [("create", 1), ("append", 1), ("sync", 1), ("rename_new", 1), ("sync_dir", 1)];
    let mut seen = 0;
    for (call, nth) in steps {
        let site = Site::new();
        site.write("x", "{half");
        let fs = Hooked::nth(call, "/quarantine", nth, Act::Fail(ErrorKind::StorageFull));
        let document = site.document_on(fs, "x");
        let error = document.increment("n", 1, &Shown::nothing()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{call}: {error}");
        let error = document.increment("n", 1, &Shown::nothing()).unwrap_err();
        assert!(error.to_string().contains("A copy is"), "{error}");
        let names = site.names(".fencehold/quarantine");
        assert_eq!(names.len(), 1, "{call}: {names:?}");
        assert_eq!(site.text(&format!(".fencehold/quarantine/{}", names[0])), "{half");
        seen += 1;
    }
    assert_eq!(seen, 5);
    let site = Site::new();
    site.write("x", "{half");
    let fs = Hooked::nth("create", "/quarantine", 1, Act::Fail(ErrorKind::StorageFull));
    let repair = site.document_on(fs, "x").repair(None, &Shown::nothing());
    assert!(matches!(repair, Err(Error::Environment { .. })), "no repair without a copy");
    assert_eq!(site.text("x"), "{half");
    let repair = site.document("x").repair(Some(b"{\"n\": 3}"), &Shown::nothing()).unwrap().unwrap();
    assert!(matches!(repair, Repaired::Anew { .. }));
    assert_eq!(site.document("x").read(&Shown::nothing()).unwrap().unwrap().value, json!({"n": 3}));
}

#[test]
fn what_looks_damaged_for_a_moment_is_looked_at_again() {
    let site = Site::new();
    site.write("x", "{\"n\":");
    let path = site.path("x");
    let mut opens = 0;
    let fs = Hooked::new(move |call, of: &Path| {
        opens += usize::from(call == "open" && of == path);
        if opens == 2 {
            std::fs::write(&path, "{\"n\":1}").unwrap();
        }
        Act::Go
    });
    let read = site.document_on(fs, "x").read(&Shown::nothing()).unwrap().unwrap();
    assert_eq!(read.value, json!({"n": 1}));
    assert_eq!(site.names(".fencehold/quarantine").len(), 0);
}
