//! What a power cut leaves of names: every outcome of small cases.

use std::collections::BTreeSet;
use std::path::Path;

use fencehold::fs::{Fs, How, RealFs};
use fencehold_stress::sim::disk::{Disk, Persistence};

use super::outcomes::{
    Tree, create, cuts, disk, make_dir, open, outcomes, overwrite, rename, sync_dir, tree, write,
};

const JOURNALED: [Persistence; 3] = [Persistence::Ext4, Persistence::Xfs, Persistence::Btrfs];
const EACH_ALONE: [Persistence; 2] = [Persistence::Posix, Persistence::Pages];

/// The paths of every outcome, those of folders with a slash.
fn names(disk: &Disk) -> BTreeSet<String> {
    let paths = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>().join(" ");
    outcomes(disk).iter().map(paths).collect()
}

fn these(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What is there now is durable.
fn settled(disk: Disk) -> Disk {
    let model = disk.model();
    disk.persistent(model, super::outcomes::PAGE)
}

#[test]
fn names_survive_as_a_prefix_where_there_is_a_journal_and_each_alone_where_there_is_none() {
    let three = |model| {
        let mut disk = disk(model);
        for path in ["/a", "/b", "/c"] {
            create(&mut disk, path);
        }
        names(&disk)
    };
    for model in JOURNALED {
        assert_eq!(three(model), these(&["", "/a", "/a /b", "/a /b /c"]), "{model:?}");
    }
    for model in EACH_ALONE {
        let all = ["", "/a", "/b", "/c", "/a /b", "/a /c", "/b /c", "/a /b /c"];
        assert_eq!(three(model), these(&all), "{model:?}");
    }
}

#[test]
fn a_rename_is_whole_or_has_not_happened() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        make_dir(&mut disk, "/d");
        for (path, bytes) in [("/f", "old"), ("/d/t", "new"), ("/d/u", "")] {
            disk.put(path, bytes.as_bytes());
        }
        let mut disk = settled(disk);
        rename(&mut disk, "/d/t", "/f");
        let before = [("/d/", ""), ("/d/t", "new"), ("/d/u", ""), ("/f", "old")];
        let after = [("/d/", ""), ("/d/u", ""), ("/f", "new")];
        let tree = |entries: &[(&str, &str)]| -> Tree {
            entries.iter().map(|(path, bytes)| ((*path).to_owned(), (*bytes).to_owned())).collect()
        };
        assert_eq!(outcomes(&disk), BTreeSet::from([tree(&before), tree(&after)]), "{model:?}");
    }
}

#[test]
fn a_published_file_whose_directory_nobody_synced_is_lost_with_what_was_synced_in_it() {
    // A file is made whole and durable; whoever published it is killed; another writes into it, syncs, and answers.
    let published = |model, longer: bool| {
        let mut disk = disk(model);
        write(&mut disk, "/tmp", "snapshot........");
        let file = open(&mut disk, "/tmp", How::Append);
        disk.sync(file).unwrap();
        let mut disk = settled(disk);
        rename(&mut disk, "/tmp", "/journal.2");
        let file = if longer {
            let file = open(&mut disk, "/journal.2", How::Append);
            disk.append(file, b"event\n").unwrap();
            file
        } else {
            overwrite(&mut disk, "/journal.2", 10, "event\n")
        };
        disk.sync(file).unwrap();
        names(&disk)
    };
    let lost = these(&["/journal.2", "/tmp"]);
    let kept = these(&["/journal.2"]);
    for model in [Persistence::Ext4, Persistence::Xfs] {
        assert_eq!(published(model, false), lost, "{model:?}");
        assert_eq!(
            published(model, true),
            kept,
            "{model:?}: a new size commits the journal of the filesystem"
        );
    }
    for longer in [false, true] {
        assert_eq!(published(Persistence::Btrfs, longer), kept);
        for model in EACH_ALONE {
            assert_eq!(published(model, longer), lost, "{model:?}");
        }
    }
}

#[test]
fn a_synced_new_file_has_its_name_where_there_is_a_journal() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        make_dir(&mut disk, "/d");
        let file = write(&mut disk, "/d/f", "one");
        disk.sync(file).unwrap();
        let found = names(&disk);
        match model {
            Persistence::Posix | Persistence::Pages => {
                assert_eq!(found, these(&["", "/d/", "/d/ /d/f"]), "{model:?}");
            }
            _ => assert_eq!(found, these(&["/d/ /d/f"]), "{model:?}"),
        }
        // The directory it is in, and the one that is in, make it sure under every model.
        sync_dir(&mut disk, "/d");
        sync_dir(&mut disk, "/");
        assert_eq!(names(&disk), these(&["/d/ /d/f"]), "{model:?}");
        assert_eq!(disk.pending(), 0);
    }
}

#[test]
fn a_sync_says_of_other_names_what_its_model_says() {
    // Another name changes before and after; the file's own size stands.
    let found = |model, dir: bool| {
        let mut disk = disk(model);
        make_dir(&mut disk, "/d");
        let mut disk = settled(disk);
        create(&mut disk, "/a");
        let file = create(&mut disk, "/d/f");
        create(&mut disk, "/z");
        if dir {
            sync_dir(&mut disk, "/d");
        } else {
            disk.sync(file).unwrap();
        }
        names(&disk)
    };
    for dir in [false, true] {
        assert_eq!(found(Persistence::Ext4, dir), these(&["/a /d/ /d/f /z"]));
        assert_eq!(found(Persistence::Xfs, dir), these(&["/a /d/ /d/f", "/a /d/ /d/f /z"]));
        assert_eq!(found(Persistence::Btrfs, dir), these(&["/d/ /d/f", "/a /d/ /d/f", "/a /d/ /d/f /z"]));
    }
    for model in EACH_ALONE {
        let rest = ["/d/ /d/f", "/a /d/ /d/f", "/d/ /d/f /z", "/a /d/ /d/f /z"];
        assert_eq!(found(model, true), these(&rest), "{model:?}");
        let and = ["/d/", "/a /d/", "/d/ /z", "/a /d/ /z"];
        assert_eq!(found(model, false), these(&[rest, and].concat()), "{model:?}");
    }
}

#[test]
fn a_file_that_was_moved_into_a_synced_directory_may_have_both_names_and_never_none() {
    let moved = |model, synced: &[&str]| {
        let mut disk = disk(model);
        make_dir(&mut disk, "/d");
        make_dir(&mut disk, "/e");
        disk.put("/e/f", b"");
        let mut disk = settled(disk);
        rename(&mut disk, "/e/f", "/d/f");
        for dir in synced {
            sync_dir(&mut disk, dir);
        }
        names(&disk)
    };
    let (old, new, both) = ("/d/ /e/ /e/f", "/d/ /d/f /e/", "/d/ /d/f /e/ /e/f");
    for model in Persistence::LOSING {
        assert_eq!(moved(model, &[]), these(&[old, new]), "{model:?}");
        let half =
            if matches!(model, Persistence::Ext4 | Persistence::Xfs) { vec![new] } else { vec![new, both] };
        assert_eq!(moved(model, &["/d"]), these(&half), "{model:?}");
        assert_eq!(moved(model, &["/e"]), these(&[new]), "{model:?}");
        assert_eq!(moved(model, &["/d", "/e"]), these(&[new]), "{model:?}");
    }
}

#[test]
fn an_older_change_of_an_entry_does_not_come_back_over_a_newer_one_that_was_synced() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        make_dir(&mut disk, "/d");
        make_dir(&mut disk, "/e");
        let mut disk = settled(disk);
        write(&mut disk, "/e/f", "");
        rename(&mut disk, "/e/f", "/d/f");
        rename(&mut disk, "/d/f", "/d/g");
        let file = open(&mut disk, "/d/g", How::Read);
        disk.sync(file).unwrap();
        sync_dir(&mut disk, "/d");
        let found = names(&disk);
        assert!(
            found.iter().all(|names| names.contains("/d/g") && !names.contains("/d/f")),
            "{model:?}: {found:?}"
        );
        sync_dir(&mut disk, "/e");
        assert_eq!(names(&disk), these(&["/d/ /d/g /e/"]), "{model:?}");
    }
}

#[test]
fn a_folder_that_moves_takes_its_entries_along_and_is_in_one_place() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        for path in ["/d", "/x", "/y"] {
            make_dir(&mut disk, path);
        }
        disk.put("/d/f", b"");
        let mut disk = settled(disk);
        rename(&mut disk, "/d", "/x/d");
        rename(&mut disk, "/x/d", "/y/d");
        assert_eq!(disk.resolve(Path::new("/y/d/../d/f")).unwrap(), Path::new("/y/d/f"));
        let found = names(&disk);
        let (there, moved, twice) = ("/d/ /d/f /x/ /y/", "/x/ /x/d/ /x/d/f /y/", "/x/ /y/ /y/d/ /y/d/f");
        if model == Persistence::Posix || model == Persistence::Pages {
            // The second move alone: it is found where it was first.
            assert!(these(&[there, moved, twice]).is_superset(&found), "{model:?}: {found:?}");
        } else {
            assert_eq!(found, these(&[there, moved, twice]), "{model:?}");
        }
    }
}

#[test]
fn an_unlink_that_no_sync_covers_may_not_have_happened_and_two_files_never_have_one_number() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        disk.put("/a", b"old");
        let mut disk = settled(disk);
        let number = |disk: &Disk, path| disk.stat(Path::new(path)).unwrap().map(|stat| stat.id.ino);
        let was = number(&disk, "/a");
        disk.unlink(Path::new("/a")).unwrap();
        create(&mut disk, "/b");
        // The number is used again at once, except where both files could come back.
        assert_eq!(number(&disk, "/b") == was, JOURNALED.contains(&model), "{model:?}");
        let cuts = cuts(&disk);
        assert!(cuts.iter().any(|disk| disk.contents("/a") == Some(b"old")), "{model:?}");
        assert!(cuts.iter().any(|disk| tree(disk).keys().eq(["/b"])), "{model:?}");
        for cut in &cuts {
            let numbers: Vec<u64> = ["/a", "/b"].iter().filter_map(|path| number(cut, path)).collect();
            assert_eq!(
                numbers.iter().collect::<BTreeSet<_>>().len(),
                numbers.len(),
                "{model:?}: {numbers:?}"
            );
        }
        sync_dir(&mut disk, "/");
        create(&mut disk, "/c");
        let reused = [number(&disk, "/b"), number(&disk, "/c")].contains(&was);
        assert!(reused, "{model:?}: the number is free once the unlink is durable");
    }
}

#[test]
fn a_file_without_a_name_is_gone_after_a_power_cut_and_one_with_two_names_is_one_file() {
    for model in Persistence::LOSING {
        let mut disk = disk(model);
        let file = write(&mut disk, "/f", "one");
        disk.link(Path::new("/f"), Path::new("/g")).unwrap();
        disk.sync(file).unwrap();
        sync_dir(&mut disk, "/");
        let after = disk.power_cut(&mut |_, _| panic!("{model:?}: asked"));
        let id = |path| after.stat(Path::new(path)).unwrap().unwrap().id;
        assert_eq!(id("/f"), id("/g"), "{model:?}");
        disk.unlink(Path::new("/f")).unwrap();
        disk.unlink(Path::new("/g")).unwrap();
        sync_dir(&mut disk, "/");
        assert_eq!(disk.append(file, b"two").unwrap(), 3, "an open file lives on");
        assert_eq!(names(&disk), these(&[""]), "{model:?}");
    }
}

#[test]
fn a_copied_folder_has_new_inodes_and_a_removed_one_is_gone() {
    let mut disk = Disk::new();
    make_dir(&mut disk, "/d");
    make_dir(&mut disk, "/d/e");
    let kept = write(&mut disk, "/d/e/f", "one");
    disk.link(Path::new("/d/e/f"), Path::new("/d/g")).unwrap();
    disk.symlink(Path::new("e/f"), Path::new("/d/s")).unwrap();
    disk.copy_tree(Path::new("/d"), Path::new("/c")).unwrap();
    let id = |disk: &Disk, path| disk.stat(Path::new(path)).unwrap().unwrap().id;
    assert_eq!(disk.contents("/c/e/f"), Some(b"one".as_slice()));
    assert_eq!(disk.resolve(Path::new("/c/s")).unwrap(), Path::new("/c/e/f"));
    assert_eq!(id(&disk, "/c/e/f"), id(&disk, "/c/g"), "what was one file is one file");
    assert_ne!(id(&disk, "/c/g"), id(&disk, "/d/g"));
    let again = disk.copy_tree(Path::new("/d/g"), Path::new("/c/g")).unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
    disk.remove_tree(Path::new("/d")).unwrap();
    assert!(disk.stat(Path::new("/d")).unwrap().is_none());
    assert_eq!(disk.stat_open(kept).unwrap().len, 3, "an open file lives on");
    let nothing = disk.remove_tree(Path::new("/d")).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_lock_lives_as_long_as_any_process_has_its_description() {
    // The kernel: a duplicate has the same description, as a forked child has.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    RealFs.open(&path, How::CreateNew { mode: 0o600 }).unwrap();
    let parent = std::fs::File::open(&path).unwrap();
    parent.try_lock().unwrap();
    let child = parent.try_clone().unwrap();
    let other = std::fs::File::open(&path).unwrap();
    drop(parent);
    assert!(other.try_lock().is_err(), "the child keeps it");
    child.unlock().unwrap();
    other.try_lock().unwrap();

    let mut disk = Disk::new();
    let exclusive = fencehold::fs::LockMode::Exclusive;
    let path = Path::new("/lock");
    let parent = disk.open(0, path, How::CreateNew { mode: 0o600 }).unwrap();
    let other = disk.open(2, path, How::Read).unwrap();
    assert!(disk.try_lock(parent, exclusive).unwrap());
    disk.fork_inherits(0, 1);
    disk.kill(0);
    assert!(!disk.can_lock(other, exclusive) && !disk.try_lock(other, exclusive).unwrap());
    assert_eq!(disk.lock_holders(other), [1], "the one that is alive");
    disk.unlock(parent).unwrap();
    assert!(disk.can_lock(other, exclusive), "whoever unlocks, unlocks for all");
    assert!(disk.try_lock(parent, exclusive).unwrap());
    disk.kill(1);
    assert!(disk.try_lock(other, exclusive).unwrap(), "the last has gone");
}
