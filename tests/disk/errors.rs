//! Writeback errors: who is told, what is in memory, what is on the platter.

use std::io;

use fencehold::fs::How;
use fencehold_stress::sim::disk::{Disk, OpenId, Persistence};

use super::outcomes::{disk, of_file, open, overwrite, these, write};

/// One page each.
const OLD: &str = "durable\n";
const NEW: &str = "line  A\n";

fn is_eio(result: io::Result<()>) -> bool {
    result.is_err_and(|error| error.raw_os_error() == Some(5))
}

/// A durable line, and a second one by a process that was told of a writeback error.
fn failed(model: Persistence) -> (Disk, OpenId) {
    let mut disk = disk(model);
    let file = write(&mut disk, "/f", OLD);
    disk.sync(file).unwrap();
    disk.sync_dir(std::path::Path::new("/")).unwrap();
    disk.append(file, NEW.as_bytes()).unwrap();
    assert!(is_eio(disk.fail_sync(file)));
    (disk, file)
}

fn in_memory(disk: &Disk) -> String {
    String::from_utf8(disk.contents("/f").unwrap().to_vec()).unwrap().replace('\0', ".")
}

#[test]
fn an_error_is_told_once_to_each_description_that_was_open_and_to_none_that_comes_later() {
    let mut disk = disk(Persistence::Ext4);
    let first = write(&mut disk, "/f", OLD);
    let second = open(&mut disk, "/f", How::Read);
    assert!(is_eio(disk.fail_sync(first)));
    let later = open(&mut disk, "/f", How::Append);
    assert!(disk.sync(first).is_ok(), "a second sync is fine, and proves nothing");
    assert!(is_eio(disk.sync(second)));
    assert!(disk.sync(second).is_ok());
    assert!(disk.sync(later).is_ok());
}

#[test]
fn an_error_that_nobody_was_told_of_is_told_to_who_comes_later_unless_the_file_left_memory() {
    let unheard = || {
        let mut disk = disk(Persistence::Ext4);
        let file = write(&mut disk, "/f", OLD);
        disk.fail_writeback(file).unwrap();
        disk.kill(super::outcomes::P);
        disk
    };
    let mut kept = unheard();
    let (first, second) = (open(&mut kept, "/f", How::Read), open(&mut kept, "/f", How::Read));
    assert!(is_eio(kept.sync(first)) && is_eio(kept.sync(second)));
    let third = open(&mut kept, "/f", How::Read);
    assert!(kept.sync(third).is_ok());
    let mut evicted = unheard();
    evicted.evict();
    let first = open(&mut evicted, "/f", How::Read);
    assert!(evicted.sync(first).is_ok());
}

#[test]
fn a_page_that_failed_reads_well_until_it_leaves_memory_and_then_as_the_platter_has_it() {
    for model in Persistence::LOSING {
        let (mut disk, _) = failed(model);
        assert_eq!(in_memory(&disk), format!("{OLD}{NEW}"), "{model:?}");
        disk.evict();
        assert_eq!(in_memory(&disk), format!("{OLD}........"), "{model:?}: gone in the same boot");
    }
}

#[test]
fn a_sync_after_the_error_makes_a_later_line_durable_behind_a_hole() {
    for model in Persistence::LOSING {
        let (mut disk, _) = failed(model);
        let later = open(&mut disk, "/f", How::Append);
        disk.append(later, b"line  B\n").unwrap();
        disk.sync(later).unwrap();
        assert_eq!(disk.pending(), 0, "{model:?}: the sync said that all is well");
        assert_eq!(in_memory(&disk), format!("{OLD}{NEW}line  B\n"), "{model:?}");
        let hole = format!("{OLD}........line  B\n");
        assert_eq!(of_file(&disk, "/f"), these(&[&hole]), "{model:?}");
        disk.evict();
        assert_eq!(in_memory(&disk), hole, "{model:?}");
    }
}

#[test]
fn the_same_bytes_written_over_a_page_that_failed_are_pending_again() {
    for model in Persistence::LOSING {
        let (mut disk, _) = failed(model);
        let file = overwrite(&mut disk, "/f", 8, NEW);
        assert!(disk.pending() > 0, "{model:?}");
        disk.sync(file).unwrap();
        assert_eq!(of_file(&disk, "/f"), these(&[&format!("{OLD}{NEW}")]), "{model:?}");
    }
}

#[test]
fn a_single_byte_written_to_a_page_that_failed_brings_back_the_whole_page() {
    for model in Persistence::LOSING {
        let (mut disk, _) = failed(model);
        let file = overwrite(&mut disk, "/f", 15, "!");
        disk.sync(file).unwrap();
        disk.evict();
        assert_eq!(in_memory(&disk), format!("{OLD}line  A!"), "{model:?}");
        assert_eq!(of_file(&disk, "/f"), these(&[&format!("{OLD}line  A!")]), "{model:?}");
    }
}

#[test]
fn a_power_cut_after_the_error_leaves_the_old_size_or_a_hole() {
    for model in Persistence::LOSING {
        let (disk, _) = failed(model);
        let found = of_file(&disk, "/f");
        assert!(these(&[OLD, &format!("{OLD}........")]).is_subset(&found), "{model:?}: {found:?}");
        assert!(!found.contains(&Some(format!("{OLD}{NEW}"))), "{model:?}: what failed came back: {found:?}");
    }
}

#[test]
fn an_overwrite_that_failed_reads_as_before_once_it_left_memory() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        disk.put("/f", OLD.as_bytes());
        let mut disk = disk.persistent(model, 8);
        let file = overwrite(&mut disk, "/f", 0, "changed\n");
        assert!(is_eio(disk.fail_sync(file)));
        assert!(disk.sync(file).is_ok());
        assert_eq!(in_memory(&disk), "changed\n", "{model:?}");
        disk.evict();
        assert_eq!(in_memory(&disk), OLD, "{model:?}");
    }
}
