//! The fence at the resource: who was stopped comes too late (C4), a document knows its lock (M11).

use std::time::Duration;

use fencehold::error::Error;
use fencehold::fs::RealFs;
use fencehold::mark::{Access, Shown};
use serde_json::json;

use super::kit::{Act, Tampered};
use crate::site::{Site, fence};

/// Stopped between its check and its rename: it holds the document's OS lock, so nobody reads or writes under a newer
/// token before it has landed. The wrong variant is `review_C4_a_check_before_the_lock_lets_the_old_one_land`.
#[test]
fn review_C4_who_is_stopped_behind_its_check_holds_the_next_one_up() {
    let site = Site::new();
    let first = site.document("x");
    first.increment("n", 1, &fence("build", 17)).unwrap().unwrap();
    let mut held_up = 0;
    let stopped = |_: &[u8]| {
        let next = site.document("x").with_patience(Duration::ZERO);
        let answers = [
            next.read(&fence("build", 18)).map(|_| ()),
            next.increment("n", 1, &fence("build", 18)).map(|_| ()),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(Error::Busy { .. })), "{answer:?}");
            held_up += 1;
        }
        Ok(b"{\"n\":2,\"by\":17}".to_vec())
    };
    first.update_bytes(None, &fence("build", 17), stopped).unwrap().unwrap();
    assert_eq!(held_up, 2);
    let read = site.document("x").read(&fence("build", 18)).unwrap().unwrap();
    assert_eq!(read.value, json!({"n": 2, "by": 17}), "what it rests on holds what landed before");
    assert_eq!(word(&site, 17), Err("stale_token"));
}

fn word(site: &Site, token: u64) -> Result<(), &'static str> {
    let answer = site.document("x").increment("n", 1, &fence("build", token)).unwrap();
    answer.map(|_| ()).map_err(|refusal| refusal.word())
}

/// Whether the stopped holder of 17 lands behind the reader of 18, whose mark is raised as `raising` says.
fn lands_behind_a_reader(raising: Act) -> bool {
    let site = std::sync::Arc::new(Site::new());
    site.document("x").increment("n", 1, &fence("build", 17)).unwrap().unwrap();
    let (ours, key) = (site.clone(), site.names(".fencehold/doc").remove(0));
    let reader =
        move || {
            let fs = Tampered::new(RealFs, move |call, path| {
                if call == "write_at" && path.ends_with(&key) { raising } else { Act::Go }
            });
            let read = ours.document_on(fs, "x").read(&fence("build", 18)).unwrap().unwrap();
            assert_eq!(read.value, json!({"n": 1}));
        };
    let mut reader = Some(reader);
    // Before it asks for the document's OS lock.
    let stopped = Tampered::new(RealFs, move |call, path| {
        if call == "lock"
            && path.parent().is_some_and(|dir| dir.ends_with("doc"))
            && let Some(reader) = reader.take()
        {
            reader();
        }
        Act::Go
    });
    let late = site.document_on(stopped, "x").increment("n", 1, &fence("build", 17)).unwrap();
    late.map_err(|refusal| assert_eq!(refusal.word(), "stale_token")).is_ok()
}

/// Stopped before the document's lock, while the next holder reads and computes: what it then writes must not land.
/// The wrong variant is the read that does not raise the mark.
#[test]
fn review_C4_a_guarded_read_keeps_what_is_older_from_landing() {
    assert!(!lands_behind_a_reader(Act::Go));
    assert!(lands_behind_a_reader(Act::Skip), "the wrong variant: the mark is not raised by the read");
}

/// The wrong protocol: the mark is asked under the lock, the file is written after it was let go. Nothing of ours asks
/// so; it shows that the stories above see the difference.
#[test]
fn review_C4_a_check_before_the_lock_lets_the_old_one_land() {
    let site = Site::new();
    site.write("x", "{}");
    let lock = site.lock("x");
    let mut held = lock.take(Duration::from_secs(60)).unwrap();
    let passed = held.check(&fence("build", 17), Access::Write).unwrap().unwrap();
    held.raise(&passed).unwrap();
    drop(held);
    site.document("x").increment("n", 1, &fence("build", 18)).unwrap().unwrap();
    site.write("x", "{\"by\":17}");
    let read = site.document("x").read(&fence("build", 18)).unwrap().unwrap();
    assert_eq!(read.value, json!({"by": 17}), "the older one landed over the newer");
}

/// A write raises the mark before it touches the file: killed between the two, it leaves a mark that refuses the older
/// one. The wrong variant renames first, by a process whose mark never reached the disk.
#[test]
fn review_C4_the_mark_stands_before_the_file_changes() {
    let late = |skips: bool| {
        let site = Site::new();
        site.document("x").increment("n", 1, &fence("build", 17)).unwrap().unwrap();
        let fs = Tampered::new(RealFs, move |call, path| {
            let mark = path.parent().is_some_and(|dir| dir.ends_with("doc"));
            if skips && mark && call == "write_at" { Act::Skip } else { Act::Go }
        });
        let fs = Tampered::new(fs, move |call, path| {
            // Killed just after the rename.
            if call == "sync_dir" && path.ends_with("root") { Act::Die } else { Act::Go }
        });
        site.document_on(fs, "x").increment("n", 1, &fence("build", 18)).unwrap_err();
        assert_eq!(site.document("x").read(&Shown::nothing()).unwrap().unwrap().value, json!({"n": 2}));
        word(&site, 17)
    };
    assert_eq!(late(false), Err("stale_token"));
    assert_eq!(late(true), Ok(()), "the wrong variant: the mark is raised after the rename");
}

/// Nothing bound a document to a lock: one writer fenced with `a`, one with `b`, a third with nothing. The wrong
/// variant, a mark that remembers the token alone, lets the second through: its token is the higher one.
#[test]
fn review_M11_a_document_remembers_which_lock_guards_it() {
    let site = Site::new();
    let write = |shown: &Shown| {
        let answer = site.document("x").increment("n", 1, shown).unwrap();
        answer.map(|sum| sum.value).map_err(|refusal| refusal.word())
    };
    assert_eq!(write(&fence("a", 17)), Ok(1));
    assert_eq!(write(&fence("b", 18)), Err("guarded"));
    assert_eq!(write(&Shown::nothing()), Err("guarded"));
    let by_hand = |reason: &str| Shown { fence: None, force: Some(reason.to_owned()) };
    assert_eq!(write(&by_hand(" ")), Err("needs_reason"));
    assert_eq!(write(&by_hand("the holder is ill")), Ok(2));
    assert_eq!(write(&fence("a", 17)), Ok(3));
    let lock = site.lock("x");
    let held = lock.take(Duration::from_secs(60)).unwrap();
    let mark = held.mark().unwrap();
    assert!(mark.token < 18 && mark.right.to_string() == "lock/a", "by its token alone 18 would have passed");
}
