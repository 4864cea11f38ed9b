//! Marks: the fence at the file.

use std::path::Path;

use fencehold::document::Document;
use fencehold::error::Error;
use fencehold::fs::{Fs, RealFs};
use fencehold::host::RealHost;
use fencehold::log::Log;
use fencehold::mark::{Folder, Refusal, Rooted, Shown};
use fencehold_model::{Token, WorkspaceId};
use serde_json::{Value, json};

use crate::site::{Site, fence};
use crate::spec_kit::kill_everywhere;

fn word<T>(answer: Result<T, Refusal>) -> Result<(), &'static str> {
    answer.map(|_| ()).map_err(|refusal| refusal.word())
}

fn record(id: &str) -> serde_json::Map<String, Value> {
    serde_json::Map::from_iter([("id".to_owned(), json!(id))])
}

/// FENCE-4: A guarded operation whose token is lower than the mark's is refused as `stale_token` and changes neither
/// the file nor the mark.
#[test]
fn a_lower_token_than_the_marks_changes_nothing() {
    let site = Site::new();
    let (document, log) = (site.document("d"), site.log("l"));
    document.increment("n", 1, &fence("x", 9)).unwrap().unwrap();
    let file = site.bytes("d");
    for token in [0, 1, 8] {
        // Another process as well.
        for document in [&document, &site.document("d")] {
            let shown = fence("x", token);
            assert_eq!(word(document.increment("n", 1, &shown).unwrap()), Err("stale_token"));
            assert_eq!(word(document.merge(&json!({}), None, &shown).unwrap()), Err("stale_token"));
            assert_eq!(word(document.read(&shown).unwrap()), Err("stale_token"));
        }
    }
    assert_eq!((site.bytes("d"), token_at(&site, "d")), (file, 9));
    log.append(&record("a"), &fence("x", 9)).unwrap().unwrap();
    let before = site.bytes("l");
    assert_eq!(word(log.append(&record("b"), &fence("x", 8)).unwrap()), Err("stale_token"));
    assert_eq!((site.bytes("l"), token_at(&site, "l")), (before, 9));
}

/// The token of the mark at a file.
fn token_at(site: &Site, name: &str) -> Token {
    let lock = site.lock(name);
    let held = lock.take(std::time::Duration::from_secs(60)).unwrap();
    held.mark().unwrap().token
}

/// FENCE-5: A guarded operation whose token equals the mark's passes the fence.
#[test]
fn one_grant_writes_and_reads_many_times() {
    let site = Site::new();
    for count in 1..=5 {
        let done = site.document("d").increment("n", 1, &fence("x", 9)).unwrap().unwrap();
        assert_eq!(done.value, count);
        assert_eq!(word(site.document("d").read(&fence("x", 9)).unwrap()), Ok(()));
        assert_eq!(word(site.log("l").append(&record(&format!("{count}")), &fence("x", 9)).unwrap()), Ok(()));
    }
    assert_eq!(site.text("l").lines().count(), 5);
}

fn document<F: Fs>(site: &Site, fs: F) -> Result<Document<F, RealHost>, Error> {
    Document::open(fs, RealHost::new().unwrap(), site.folder(), &site.rooted(), Path::new("d"))
}

/// A document and a log, written on a disk that may die meanwhile.
fn writes<F: Fs>(site: &Site, fs: F, token: Token) -> [Result<(), Error>; 2] {
    let shown = fence("x", token);
    let added = document(site, fs.clone()).and_then(|document| document.increment("n", 1, &shown));
    let log = Log::open(fs, site.folder(), &site.rooted(), Path::new("l"), None);
    let appended = log.and_then(|log| log.append(&record(&format!("{token}")), &shown));
    [added.map(|answer| _ = answer.unwrap()), appended.map(|answer| _ = answer.unwrap())]
}

/// FENCE-6: A guarded write with a token above the mark's raises the mark before it changes the file, so a kill
/// between the two leaves the raised mark.
#[test]
fn no_kill_leaves_a_write_without_its_mark() {
    let (mut between, mut written) = (0, 0);
    kill_everywhere(|disk, _| {
        let site = Site::new();
        assert!(writes(&site, RealFs, 5).iter().all(Result::is_ok));
        let before = [site.bytes("d"), site.bytes("l")];
        let _ = writes(&site, disk, 9);
        for (name, before) in ["d", "l"].into_iter().zip(before) {
            let changed = site.bytes(name) != before;
            let raised = token_at(&site, name) == 9;
            assert!(raised || !changed, "{name} was changed under the mark of 5");
            between += usize::from(raised && !changed);
            written += usize::from(changed);
        }
    });
    assert!(between > 4 && written > 4, "{between} {written}");
}

/// FENCE-7: A guarded read raises the mark to its token, so that a write with an older token is refused from then on.
#[test]
fn what_was_read_under_a_token_is_not_written_under_an_older() {
    let site = Site::new();
    site.write("d", "{\"n\":1}");
    assert!(site.document("d").read(&fence("x", 9)).unwrap().is_ok());
    for token in [1, 8] {
        assert_eq!(
            word(site.document("d").increment("n", 1, &fence("x", token)).unwrap()),
            Err("stale_token")
        );
    }
    assert_eq!(site.text("d"), "{\"n\":1}");
    assert_eq!(site.document("d").increment("n", 1, &fence("x", 9)).unwrap().unwrap().value, 2);
}

/// FENCE-8: A write to a guarded file without a fence, or under another lock or lease than the mark's, is refused as
/// `guarded`, and the answer names the mark's.
#[test]
fn a_guarded_file_takes_no_write_without_its_lock() {
    let site = Site::new();
    assert!(writes(&site, RealFs, 5).iter().all(Result::is_ok));
    let before = [site.bytes("d"), site.bytes("l")];
    let mut refused = 0;
    for shown in [Shown::nothing(), fence("y", 4), fence("y", 5), fence("y", 900)] {
        let answers = [
            site.document("d").increment("n", 1, &shown).unwrap().map(|_| ()),
            site.document("d").merge(&json!({}), None, &shown).unwrap().map(|_| ()),
            site.log("l").append(&record("b"), &shown).unwrap().map(|_| ()),
        ];
        for answer in answers {
            let Err(Refusal::Guarded(mark)) = answer else { panic!("{shown:?}: {answer:?}") };
            assert_eq!(mark.right.to_string(), "lock/x");
            refused += 1;
        }
    }
    assert_eq!(refused, 12);
    assert_eq!([site.bytes("d"), site.bytes("l")], before);
}

/// FENCE-9: A write with `--force` and a `--reason` passes where it would be refused as `guarded`: with a fence it
/// hands the guard over to that lock or lease, without one it leaves the mark as it is.
#[test]
fn force_passes_a_guard_and_never_a_newer_token() {
    let force = |shown: Shown, reason: &str| Shown { force: Some(reason.to_owned()), ..shown };
    let site = Site::new();
    let add = |shown: &Shown| word(site.document("d").increment("n", 1, shown).unwrap());
    assert_eq!(add(&fence("x", 5)), Ok(()));
    assert_eq!(add(&force(Shown::nothing(), " \t")), Err("needs_reason"));
    assert_eq!(add(&force(Shown::nothing(), "the holder is ill")), Ok(()));
    assert_eq!((token_at(&site, "d"), add(&Shown::nothing())), (5, Err("guarded")));
    assert_eq!(add(&force(fence("x", 4), "why")), Err("stale_token"));
    assert_eq!(add(&force(fence("y", 7), "it is y's now")), Ok(()));
    assert_eq!(
        (token_at(&site, "d"), add(&fence("x", 900)), add(&fence("y", 6))),
        (7, Err("guarded"), Err("stale_token"))
    );
    assert_eq!(add(&fence("y", 7)), Ok(()));
}

/// FENCE-10: A write to a file whose mark was written by another workspace fails as damaged and changes nothing.
#[test]
fn a_mark_of_another_workspace_is_neither_obeyed_nor_overwritten() {
    let site = Site::new();
    assert!(writes(&site, RealFs, 5).iter().all(Result::is_ok));
    let before: Vec<_> = site
        .names(".fencehold/doc")
        .iter()
        .map(|name| site.bytes(&format!(".fencehold/doc/{name}")))
        .collect();
    let files = [site.bytes("d"), site.bytes("l")];
    let other = Folder { id: WorkspaceId::new("w2").unwrap(), ..site.folder() };
    let host = RealHost::new().unwrap();
    let rooted: Rooted = site.rooted();
    let document = Document::open(RealFs, host, other.clone(), &rooted, Path::new("d")).unwrap();
    let log = Log::open(RealFs, other, &rooted, Path::new("l"), None).unwrap();
    let forced = Shown { force: Some("why".to_owned()), fence: None };
    let mut failed = 0;
    for shown in [Shown::nothing(), fence("x", 5), fence("x", 900), fence("y", 900), forced] {
        let answers =
            [document.increment("n", 1, &shown).map(|_| ()), log.append(&record("b"), &shown).map(|_| ())];
        for answer in answers {
            assert!(
                matches!(&answer, Err(error @ Error::Damaged { .. }) if error.exit_code() == 4),
                "{answer:?}"
            );
            failed += 1;
        }
    }
    assert_eq!(failed, 10);
    let after: Vec<_> = site
        .names(".fencehold/doc")
        .iter()
        .map(|name| site.bytes(&format!(".fencehold/doc/{name}")))
        .collect();
    assert_eq!((after, [site.bytes("d"), site.bytes("l")]), (before, files));
}

/// FENCE-11: A kill at any point of raising a mark leaves the mark as it was or as it was to become.
#[test]
fn a_mark_is_raised_whole_or_not_at_all() {
    let (mut old, mut new) = (0, 0);
    for first in [false, true] {
        kill_everywhere(|disk, _| {
            let site = Site::new();
            site.write("d", "{}");
            if !first {
                assert!(site.document("d").read(&fence("x", 5)).unwrap().is_ok());
            }
            let _ = document(&site, disk).and_then(|document| document.read(&fence("x", 9)));
            match site.names(".fencehold/doc").is_empty() {
                true => old += 1,
                false => {
                    let lock = site.lock("d");
                    // A process that another test starts just now has the file open until it runs.
                    let mark =
                        lock.take(std::time::Duration::from_secs(10)).unwrap().mark().map(|mark| mark.token);
                    let before = if first { None } else { Some(5) };
                    assert!(mark == before || mark == Some(9), "{mark:?}");
                    if mark == before { old += 1 } else { new += 1 }
                }
            }
            assert!(site.document("d").read(&fence("x", 9)).unwrap().is_ok(), "and it can be raised again");
        });
    }
    assert!(old > 8 && new > 4, "{old} {new}");
}
