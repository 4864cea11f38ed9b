//! The filesystems of this machine that the simulated disk is compared with.

use std::path::PathBuf;

use fencehold::fs::RealFs;

/// A folder of a filesystem.
pub(super) struct Place {
    pub(super) dir: PathBuf,
    pub(super) name: String,
}

/// The number of a filesystem's type, as statfs(2) has it.
fn name_of(number: u32) -> String {
    match number {
        0xef53 => "ext4".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x794c_7630 => "overlay".to_owned(),
        other => format!("filesystem {other:#x}"),
    }
}

/// The folder for temporary files, and the memory that is shared; each once, those that are not there said aloud.
pub(super) fn places() -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for dir in [std::env::temp_dir(), PathBuf::from("/var/tmp"), PathBuf::from("/dev/shm")] {
        let Ok(number) = RealFs.filesystem(&dir) else {
            println!("skipped, because {} is not here", dir.display());
            continue;
        };
        let name = name_of(number);
        if places.iter().all(|place| place.name != name) {
            println!("met: {name} at {}", dir.display());
            places.push(Place { dir, name });
        }
    }
    for expected in ["ext4", "tmpfs"] {
        if places.iter().all(|place| place.name != expected) {
            println!("{expected}: skipped, because no folder of that filesystem is here");
        }
    }
    places
}
