//! Random calls under every model: what holds of each power cut, whatever came before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fencehold::fs::{Fs, How, read_file};
use fencehold_stress::rng::Rng;
use fencehold_stress::sim::disk::{Disk, Persistence};
use fencehold_stress::sim::world::World;

use super::outcomes::tree;

/// Power cuts tried of each disk.
const CUTS: usize = 20;

/// Files and folders of a busy disk: some of it synced, most of it not.
fn busy(model: Persistence, seed: u64) -> Disk {
    let mut rng = Rng::new(seed);
    let world = World::calm(Disk::new().persistent(model, 64));
    let (_, fs, _) = world.process();
    let paths = ["/a", "/b", "/d", "/e", "/d/a", "/d/b", "/e/a", "/d/e", "/e/d"].map(Path::new);
    for _ in 0..120 {
        let (path, other) = (*rng.pick(&paths), *rng.pick(&paths));
        let bytes =
            vec![b'a' + u8::try_from(rng.below(26)).unwrap(); usize::try_from(rng.below(150)).unwrap()];
        // Most of these fail now and then: what is not there is not synced.
        let _ = match rng.below(12) {
            0 => fs.make_dir(path, 0o700),
            1 | 2 => fs.open(path, How::CreateNew { mode: 0o600 }).map(drop),
            3 => fs.rename(path, other),
            4 => fs.link(path, other),
            5 => fs.unlink(path).or_else(|_| fs.remove_dir(path)),
            6 if rng.one_in(3) => fs.sync_dir(path),
            7 if rng.one_in(2) => fs.open(path, How::Read).and_then(|file| fencehold::fs::File::sync(&file)),
            8 => fs
                .open(path, How::Write)
                .and_then(|file| fencehold::fs::File::truncate(&file, rng.below(100))),
            9 => fs
                .open(path, How::Write)
                .and_then(|file| fencehold::fs::File::write_at(&file, rng.below(200), &bytes).map(drop)),
            _ => fs
                .open(path, How::Append)
                .and_then(|file| fencehold::fs::File::append(&file, &bytes).map(drop)),
        };
    }
    world.disk(|disk| disk.clone())
}

/// Syncs every file and every folder.
fn sync_all(disk: &mut Disk) {
    let files: Vec<PathBuf> = disk.files().map(|(path, _)| path).collect();
    for path in files {
        let file = disk.open(9, &path, How::Read).unwrap();
        disk.sync(file).unwrap();
        disk.close(file);
    }
    for path in tree(disk).keys().filter(|path| path.ends_with('/')).chain([&"/".to_owned()]) {
        disk.sync_dir(Path::new(path)).unwrap();
    }
}

#[test]
fn what_was_all_synced_is_what_a_power_cut_leaves() {
    let (mut seen, mut empty) = (0, 0);
    for (model, seed) in
        Persistence::LOSING.into_iter().flat_map(|model| (0..60).map(move |seed| (model, seed)))
    {
        let mut disk = busy(model, seed);
        let before = tree(&disk);
        sync_all(&mut disk);
        assert_eq!(disk.pending(), 0, "{model:?} seed {seed}");
        assert_eq!(disk.unsynced().count(), 0, "{model:?} seed {seed}");
        let after = disk.power_cut(&mut |label, _| panic!("{model:?} seed {seed}: {label} was asked"));
        assert_eq!(tree(&after), before, "{model:?} seed {seed}");
        seen += 1;
        empty += usize::from(before.is_empty());
    }
    assert_eq!(seen, 300);
    assert!(empty < 30, "{empty} of {seen} disks were empty");
}

#[test]
fn a_cut_is_one_of_its_own_disk_and_a_second_cut_changes_nothing() {
    let mut lost: BTreeMap<String, usize> = BTreeMap::new();
    let mut asked: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (model, seed) in
        Persistence::LOSING.into_iter().flat_map(|model| (0..30).map(move |seed| (model, seed)))
    {
        let disk = busy(model, seed);
        let mut rng = Rng::new(seed);
        for _ in 0..CUTS {
            let mut after = disk.power_cut(&mut |label, of| {
                *asked.entry(label).or_default() += 1;
                usize::try_from(rng.below(of as u64)).unwrap()
            });
            let left = tree(&after);
            let again = after.power_cut(&mut |label, _| panic!("{label} was asked of what is durable"));
            assert_eq!(tree(&again), left, "{model:?} seed {seed}");
            // It is a disk to work on: every entry can be read and removed, and there is room for more.
            let world = World::calm(after.clone());
            let (_, fs, _) = world.process();
            for (path, text) in left.iter().filter(|(path, _)| !path.ends_with('/')) {
                let bytes = read_file(&fs, Path::new(path), 1 << 16).unwrap().unwrap();
                assert_eq!(String::from_utf8_lossy(&bytes).replace('\0', "."), *text);
            }
            for name in after.list(Path::new("/")).unwrap() {
                after.remove_tree(&Path::new("/").join(name)).unwrap();
            }
            after.put("/new", b"new");
            sync_all(&mut after);
            assert_eq!(after.pending(), 0, "{model:?} seed {seed}");
            let memory = if left == tree(&disk) { "kept" } else { "lost" };
            *lost.entry(format!("{model:?} {memory}")).or_default() += 1;
        }
    }
    println!("{lost:?} {asked:?}");
    for model in Persistence::LOSING {
        assert!(lost.get(&format!("{model:?} lost")).is_some_and(|count| *count > 300), "{lost:?}");
    }
    let labels: Vec<&str> = asked.into_keys().collect();
    assert_eq!(labels, ["name", "names", "page", "prefix", "size", "torn page", "torn size"]);
}

#[test]
fn two_disks_that_were_one_do_not_meet() {
    let disk = busy(Persistence::Ext4, 1);
    let before = tree(&disk);
    let mut other = disk.clone();
    other.put("/only here", b"x");
    for name in other.list(Path::new("/")).unwrap() {
        other.remove_tree(&Path::new("/").join(name)).unwrap();
    }
    assert_eq!((tree(&disk), tree(&other).len()), (before, 0));
}
