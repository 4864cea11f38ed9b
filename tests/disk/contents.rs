//! What a power cut leaves of the contents of a file: every outcome of small cases.

use std::collections::BTreeSet;

use fencehold::fs::How;
use fencehold_stress::sim::disk::{Disk, Persistence};

use super::outcomes::{PAGE, cuts, disk, make_dir, of_file, open, overwrite, sync_dir, these, tree, write};

/// A disk with one durable file.
fn with_file(model: Persistence, bytes: &str) -> Disk {
    let mut disk = disk(model);
    disk.put("/f", bytes.as_bytes());
    disk.persistent(model, PAGE)
}

/// Two lines of a page each are appended, one write each, and nothing is synced.
fn two_lines(model: Persistence) -> Disk {
    let mut disk = with_file(model, "durable\n");
    let file = open(&mut disk, "/f", How::Append);
    disk.append(file, b"line  A\n").unwrap();
    disk.append(file, b"line  B\n").unwrap();
    disk
}

#[test]
fn a_hole_followed_by_a_whole_line_is_reachable_on_ext4_and_not_on_btrfs() {
    let hole = "durable\n........line  B\n".to_owned();
    let sizes = ["durable\n", "durable\nline  A\n", "durable\nline  A\nline  B\n"];
    for model in [Persistence::Ext4, Persistence::Xfs, Persistence::Posix, Persistence::Pages] {
        let found = of_file(&two_lines(model), "/f");
        assert!(found.contains(&Some(hole.clone())), "{model:?}: {found:#?}");
        assert!(these(&sizes).is_subset(&found), "{model:?}: {found:#?}");
    }
    assert_eq!(of_file(&two_lines(Persistence::Btrfs), "/f"), these(&sizes));
    let mut ext4 = these(&sizes);
    ext4.extend(these(&[
        &hole,
        "durable\n........",
        "durable\n................",
        "durable\nline  A\n........",
    ]));
    assert_eq!(of_file(&two_lines(Persistence::Ext4), "/f"), ext4);
}

#[test]
fn a_line_that_shares_its_page_with_a_durable_one_is_whole_or_nuls_or_not_there() {
    for model in [Persistence::Ext4, Persistence::Xfs, Persistence::Posix] {
        let mut disk = with_file(model, "one\n");
        let file = open(&mut disk, "/f", How::Append);
        disk.append(file, b"two\n").unwrap();
        assert_eq!(of_file(&disk, "/f"), these(&["one\n", "one\n....", "one\ntwo\n"]), "{model:?}");
    }
}

#[test]
fn what_was_synced_stays_and_what_came_after_it_may_not() {
    for model in Persistence::LOSING {
        let mut disk = with_file(model, "");
        let file = open(&mut disk, "/f", How::Append);
        disk.append(file, b"one\n").unwrap();
        disk.sync(file).unwrap();
        assert_eq!(disk.pending(), 0, "{model:?}");
        assert_eq!(cuts(&disk).len(), 1, "{model:?}: nothing is asked where nothing is pending");
        disk.append(file, b"two\n").unwrap();
        let found = of_file(&disk, "/f");
        assert!(found.iter().flatten().all(|text| text.starts_with("one\n")), "{model:?}: {found:?}");
        assert!(found.len() >= 2, "{model:?}: {found:?}");
    }
}

#[test]
fn a_cut_that_no_sync_covers_may_not_have_happened() {
    let cut = |model| {
        let mut disk = with_file(model, "whole 1\nhalf of");
        let file = open(&mut disk, "/f", How::Append);
        disk.truncate(file, 8).unwrap();
        disk
    };
    for model in Persistence::LOSING {
        let found = of_file(&cut(model), "/f");
        assert!(these(&["whole 1\n", "whole 1\nhalf of"]).is_subset(&found), "{model:?}: {found:?}");
        let mut synced = cut(model);
        let file = open(&mut synced, "/f", How::Append);
        synced.sync(file).unwrap();
        assert_eq!(of_file(&synced, "/f"), these(&["whole 1\n"]), "{model:?}");
    }
}

#[test]
fn bytes_behind_a_cut_that_survived_come_back_only_where_no_journal_forbids_it() {
    let glued = |model| {
        let mut disk = with_file(model, "");
        let file = open(&mut disk, "/f", How::Append);
        disk.append(file, b"old half").unwrap();
        disk.truncate(file, 0).unwrap();
        disk.append(file, b"new\n").unwrap();
        of_file(&disk, "/f")
    };
    let expected = these(&["", "old half", "........", "....", "new\n"]);
    for model in [Persistence::Ext4, Persistence::Xfs] {
        assert_eq!(glued(model), expected, "{model:?}");
    }
    assert_eq!(glued(Persistence::Btrfs), these(&["", "old half", "new\n"]));
    for model in [Persistence::Posix, Persistence::Pages] {
        let found = glued(model);
        assert!(found.contains(&Some("old ".to_owned())), "{model:?}: {found:?}");
        assert!(found.contains(&Some("new\n....".to_owned())), "{model:?}: {found:?}");
    }
}

#[test]
fn an_overwrite_across_pages_may_be_there_in_part_of_its_pages() {
    let found = |model| {
        let mut disk = with_file(model, "aaaaaaaabbbbbbbbcccc");
        overwrite(&mut disk, "/f", 4, "11112222222233");
        of_file(&disk, "/f")
    };
    // A page is old or new; one byte of the same page never without the other.
    let mut all = BTreeSet::new();
    for first in ["aaaaaaaa", "aaaa1111"] {
        for second in ["bbbbbbbb", "22222222"] {
            for third in ["cccc", "33cc"] {
                all.insert(Some(format!("{first}{second}{third}")));
            }
        }
    }
    for model in [Persistence::Ext4, Persistence::Xfs, Persistence::Posix] {
        assert_eq!(found(model), all, "{model:?}");
    }
    let prefixes =
        ["aaaaaaaabbbbbbbbcccc", "aaaa1111bbbbbbbbcccc", "aaaa111122222222cccc", "aaaa11112222222233cc"];
    assert_eq!(found(Persistence::Btrfs), these(&prefixes));
    let torn = found(Persistence::Pages);
    assert!(all.is_subset(&torn));
    assert!(torn.contains(&Some("aaaa111122222222".to_owned() + "3ccc")), "{torn:?}");
}

#[test]
fn a_page_that_was_written_twice_may_be_there_as_it_was_between() {
    for model in Persistence::LOSING {
        let mut disk = with_file(model, "one");
        let file = overwrite(&mut disk, "/f", 0, "two");
        disk.write_at(file, 0, b"six").unwrap();
        let found = of_file(&disk, "/f");
        assert!(these(&["one", "two", "six"]).is_subset(&found), "{model:?}: {found:?}");
        assert_eq!(found.len() == 3, model != Persistence::Pages, "{model:?}: {found:?}");
    }
}

#[test]
fn the_same_bytes_written_over_what_is_durable_are_no_change() {
    for model in Persistence::LOSING {
        let mut disk = with_file(model, "one\n");
        overwrite(&mut disk, "/f", 0, "one\n");
        assert_eq!((disk.pending(), cuts(&disk).len()), (0, 1), "{model:?}");
    }
}

#[test]
fn any_part_of_a_last_line_is_reachable_where_pages_tear() {
    let found = |model| {
        let mut disk = with_file(model, "one\n");
        let file = open(&mut disk, "/f", How::Append);
        disk.append(file, b"two\n").unwrap();
        of_file(&disk, "/f")
    };
    for torn in ["one\nt", "one\ntw", "one\ntwo", "one\ntw.."] {
        assert!(found(Persistence::Pages).contains(&Some(torn.to_owned())), "{torn:?}");
        assert!(!found(Persistence::Posix).contains(&Some(torn.to_owned())), "{torn:?}");
    }
}

#[test]
fn a_new_file_is_missing_or_empty_or_nuls_or_whole() {
    for model in [Persistence::Ext4, Persistence::Xfs, Persistence::Posix] {
        let mut disk = disk(model);
        write(&mut disk, "/f", "one\n");
        let mut expected = these(&["", "....", "one\n"]);
        expected.insert(None);
        assert_eq!(of_file(&disk, "/f"), expected, "{model:?}");
    }
}

#[test]
fn a_kept_disk_loses_nothing_and_asks_nothing() {
    let mut disk = Disk::new();
    make_dir(&mut disk, "/d");
    write(&mut disk, "/d/f", "one\n");
    let file = open(&mut disk, "/d/f", How::Append);
    assert!(disk.try_lock(file, fencehold::fs::LockMode::Exclusive).unwrap());
    disk.unlink(std::path::Path::new("/d/f")).unwrap();
    write(&mut disk, "/d/g", "two\n");
    let after = disk.power_cut(&mut |_, _| panic!("asked"));
    assert_eq!((tree(&after), disk.pending()), (tree(&disk), 0));
    assert!(after.stat_open(file).is_err(), "nothing is open after a power cut");
    sync_dir(&mut disk, "/d");
}
