use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use fencehold::document::{Document, Repaired, Version};
use fencehold::error::Error;
use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::mark::{Fence, Refusal, Shown};
use serde_json::{Value, json};

use crate::site::{Site, fence};

type Doc = Document<RealFs, RealHost>;

fn merge(document: &Doc, patch: &Value) -> Version {
    document.merge(patch, None, &Shown::nothing()).unwrap().unwrap()
}

#[test]
fn a_missing_document_is_an_empty_object_and_reading_creates_nothing() {
    let site = Site::new();
    let read = site.document("x").read(&Shown::nothing()).unwrap().unwrap();
    assert_eq!((read.value, read.version.as_str()), (json!({}), "absent"));
    assert_eq!((site.names(".fencehold/doc").len(), site.path("x").exists()), (0, false));
    let version = merge(&site.document("x"), &json!({"a": 1}));
    assert_eq!(site.text("x"), "{\n  \"a\": 1\n}\n");
    let read = site.document("x").read(&Shown::nothing()).unwrap().unwrap();
    assert_eq!((read.value, read.version), (json!({"a": 1}), version));
    assert_eq!(site.names(""), [".fencehold", "x"], "no temporary file stays");
}

/// DOC-1: Concurrent updates of one document through Fencehold lose none: the result is that of some order of all
/// acked ones.
#[test]
fn two_handles_increment_fifty_times_each_and_none_is_lost() {
    let site = Site::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let document = site.document("x");
            scope.spawn(move || {
                for _ in 0..50 {
                    document.increment("n", 1, &Shown::nothing()).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(site.document("x").read(&Shown::nothing()).unwrap().unwrap().value, json!({"n": 100}));
}

/// DOC-2: A reader finds the whole document from before an update or the whole one from after it.
#[test]
fn readers_never_see_a_part_while_it_is_updated() {
    let site = Site::new();
    let filler = "x".repeat(100_000);
    merge(&site.document("x"), &json!({"text": filler, "n": 0}));
    let done = std::sync::atomic::AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..40 {
                site.document("x").increment("n", 1, &Shown::nothing()).unwrap().unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        let (mut reads, mut last) = (0, 0);
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            let value: Value = serde_json::from_slice(&site.bytes("x")).unwrap();
            let n = value["n"].as_i64().unwrap();
            assert!(n >= last && value["text"].as_str().unwrap().len() == filler.len());
            (reads, last) = (reads + 1, n);
        }
        reads
    });
    assert!(reads > 0);
    assert_eq!(site.document("x").increment("n", 0, &Shown::nothing()).unwrap().unwrap().value, 40);
}

/// DOC-6: An update keeps the mode, the group and, unless the mode lets the group write, the owner of the file, and
/// where it cannot it fails definitely and changes nothing.
///
/// DOC-7: An update through a symbolic link changes the file that it points to and leaves the link in place.
#[test]
fn mode_owner_and_symlink_are_kept() {
    let site = Site::new();
    std::fs::create_dir(site.path("d")).unwrap();
    let mut kept = 0;
    for mode in [0o600, 0o644, 0o664, 0o755, 0o400] {
        site.write("d/x", "{}");
        std::fs::set_permissions(site.path("d/x"), std::fs::Permissions::from_mode(mode)).unwrap();
        let _ = std::fs::remove_file(site.path("link"));
        symlink("d/x", site.path("link")).unwrap();
        let before = std::fs::metadata(site.path("d/x")).unwrap();
        merge(&site.document("link"), &json!({"a": mode}));
        let after = std::fs::metadata(site.path("d/x")).unwrap();
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino());
        assert_eq!(std::fs::read_link(site.path("link")).unwrap(), Path::new("d/x"));
        std::fs::remove_file(site.path("d/x")).unwrap();
        kept += 1;
    }
    assert_eq!(kept, 5);
    std::fs::set_permissions(site.path("d"), std::fs::Permissions::from_mode(0o777)).unwrap();
    merge(&site.document("d/new"), &json!({}));
    assert_eq!(
        std::fs::metadata(site.path("d/new")).unwrap().mode() & 0o777,
        0o664,
        "as its directory allows"
    );
}

/// Bytes that are no document, and why.
fn corrupt() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("empty", text("")),
        ("empty", text(" \n")),
        ("not JSON", text("{\"a\":1")),
        ("not JSON", text("{\"a\":1}}")),
        ("NUL", [&b"{\"a\":1}"[..], &[0; 4096]].concat()),
        (
            "not UTF-8",
            text("{\"a\":\"x\"}").into_iter().map(|byte| if byte == b'x' { 0xff } else { byte }).collect(),
        ),
        ("longer", vec![b' '; fencehold::document::DOCUMENT_BYTES_MAX + 1]),
    ]
}

/// DOC-9: An update of a document that is no valid JSON fails as damaged, copies its bytes to quarantine and leaves
/// them in place.
///
/// DOC-10: Every further update of a damaged document fails in the same way until it was repaired.
///
/// DOC-11: `doc repair` replaces a damaged document by a valid one after its bytes are in quarantine, and leaves a
/// valid one untouched.
#[test]
fn damaged_bytes_are_kept_and_refused_until_repaired() {
    let (mut kept, mut refused) = (0, 0);
    for (why, bytes) in corrupt() {
        let site = Site::new();
        site.write("x", &bytes);
        let document = site.document("x");
        let nothing = &Shown::nothing();
        for _ in 0..2 {
            let errors = [
                document.increment("n", 1, nothing).unwrap_err(),
                document.merge(&json!({}), None, nothing).unwrap_err(),
                document
                    .update_bytes(None, nothing, |_| panic!("it is never shown damaged bytes"))
                    .unwrap_err(),
                document.read(nothing).unwrap_err(),
                document.read(&fence("a", 1)).unwrap_err(),
            ];
            for error in &errors {
                assert!(matches!(error, Error::Damaged { what, .. } if what.contains(why)), "{why}: {error}");
                assert_eq!(error.exit_code(), 4);
                refused += 1;
            }
            // The fenced read raised the mark; without it, what shows no fence gets as far as the bytes again.
            std::fs::remove_dir_all(site.path(".fencehold/doc")).unwrap();
            std::fs::create_dir(site.path(".fencehold/doc")).unwrap();
        }
        assert!(site.bytes("x") == bytes, "left in place");
        let names = site.names(".fencehold/quarantine");
        assert_eq!(names.len(), 1, "copied once: {names:?}");
        assert!(site.bytes(&format!(".fencehold/quarantine/{}", names[0])) == bytes);
        let repaired = document.repair(None, nothing).unwrap().unwrap();
        assert!(
            matches!(&repaired, Repaired::Anew { kept, .. } if kept.ends_with(&names[0])),
            "{repaired:?}"
        );
        assert_eq!(site.text("x"), "{}\n");
        assert_eq!(document.increment("n", 1, nothing).unwrap().unwrap().value, 1);
        assert!(matches!(document.repair(None, nothing), Ok(Ok(Repaired::Healthy(_)))));
        assert!(site.bytes(&format!(".fencehold/quarantine/{}", names[0])) == bytes);
        kept += 1;
    }
    assert_eq!((kept, refused), (7, 70));
}

#[test]
fn what_cannot_be_opened_is_never_called_damaged() {
    let site = Site::new();
    std::fs::create_dir(site.path("dir")).unwrap();
    assert!(Command::new("mkfifo").arg(site.path("fifo")).status().unwrap().success());
    symlink("none", site.path("dangling")).unwrap();
    let mut seen = 0;
    for name in ["dir", "fifo"] {
        let document = site.document(name);
        let errors = [
            document.read(&Shown::nothing()).unwrap_err(),
            document.merge(&json!({}), None, &Shown::nothing()).unwrap_err(),
            document.repair(None, &Shown::nothing()).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Environment { .. }), "{name}: {error}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
    let host = RealHost::new().unwrap();
    let dangling = Document::open(RealFs, host, site.folder(), &site.rooted(), Path::new("dangling"));
    assert!(matches!(dangling, Err(Error::Environment { .. })));
    assert_eq!(site.names(".fencehold/quarantine").len(), 0);
}

/// DOC-12: An update that expects another version than the document's is refused as `version` and changes nothing.
#[test]
fn an_expected_version_that_is_not_there_is_refused() {
    let site = Site::new();
    let document = site.document("x");
    let merge = |expect: &Version| document.merge(&json!({"a": 1}), Some(expect), &Shown::nothing()).unwrap();
    let first = merge(&Version::absent()).unwrap();
    assert_eq!(merge(&Version::absent()), Err(Refusal::Version { found: first.clone(), meanwhile: false }));
    assert_eq!(merge(&Version::new(first.as_str())), Ok(first.clone()), "the same bytes again");
    site.write("x", "{}");
    assert_eq!(merge(&first).unwrap_err().word(), "version");
    assert_eq!(site.text("x"), "{}");
}

#[test]
fn nothing_older_lands_behind_a_guarded_read() {
    let site = Site::new();
    let write = |shown: &Shown| {
        let document = site.document("x");
        document.increment("n", 1, shown).unwrap().map(|sum| sum.value).map_err(|refusal| refusal.word())
    };
    assert_eq!(write(&fence("build", 17)), Ok(1));
    // The holder of 18 reads and thinks; the holder of 17 wakes up.
    assert_eq!(site.document("x").read(&fence("build", 18)).unwrap().unwrap().value, json!({"n": 1}));
    assert_eq!(write(&fence("build", 17)), Err("stale_token"));
    assert_eq!(site.document("x").read(&fence("build", 17)).unwrap().unwrap_err().word(), "stale_token");
    assert_eq!(write(&Shown::nothing()), Err("guarded"));
    assert_eq!(write(&fence("other", 99)), Err("guarded"));
    assert_eq!(write(&fence("build", 18)), Ok(2), "an equal token is the same holder");
    let forced = Shown { fence: None, force: Some("by hand".to_owned()) };
    assert_eq!(write(&forced), Ok(3));
    assert_eq!(site.document("x").read(&Shown::nothing()).unwrap().unwrap().value, json!({"n": 3}));
    let repair = site.document("x").repair(None, &Shown::nothing()).unwrap();
    assert_eq!(repair.unwrap_err().word(), "guarded");
}

#[test]
fn a_refused_update_leaves_the_mark_as_it_was() {
    let site = Site::new();
    let document = site.document("x");
    document.increment("n", 1, &fence("a", 5)).unwrap().unwrap();
    let newer = fence("a", 9);
    assert!(document.merge(&json!({}), Some(&Version::absent()), &newer).unwrap().is_err());
    assert!(matches!(document.increment("n", i64::MAX, &newer), Err(Error::Usage(_))));
    let five: Fence = "lock/a=5".parse().unwrap();
    assert_eq!(document.increment("n", 1, &Shown::fence(five)).unwrap().unwrap().value, 2);
}
