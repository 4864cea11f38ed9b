//! A block that the device refuses for a while: who is told, and what is read, on a real filesystem and in the model.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use fencehold::fs::How;
use fencehold_stress::sim::disk::{Disk, OpenId, Persistence};
use rustix::fs::{Advice, FallocateFlags};

use super::image::Mount;

const PAGE: usize = 4096;

/// Whether a sync was fine, as a word of the story.
fn word(who: &str, result: &io::Result<()>) -> String {
    format!("{who}: {}", if result.is_ok() { "fine" } else { "told" })
}

/// What a page begins with.
fn first(what: &str, byte: u8) -> String {
    format!("{what} {}", if byte == 0 { "NUL".to_owned() } else { char::from(byte).to_string() })
}

/// An ext4 in a file on a small tmpfs: where the file has a hole and the tmpfs is full, the device refuses to write.
struct Refusing {
    mount: Mount,
    /// Where the second page of the file `f` is on the device.
    block: u64,
}

impl Refusing {
    fn new(dir: &Path) -> Option<Self> {
        let script = "mount -t tmpfs -o size=40m none \"$0\" && truncate -s 16M \"$0/img\" \
             && mkfs.ext4 -q -b 4096 \"$0/img\" && fallocate -l 16M \"$0/img\" && mkdir \"$0/m\" \
             && mount -o loop,commit=300 \"$0/img\" \"$0/m\" && echo mounted && cat && umount \"$0/m\"";
        let mount = Mount::by(script, &[dir], dir)?;
        let mut refusing = Refusing { mount, block: 0 };
        let mut file = File::create_new(refusing.f()).unwrap();
        file.write_all(&[[b'd'; PAGE], [b'X'; PAGE]].concat()).unwrap();
        rustix::fs::syncfs(&file).unwrap();
        let device = std::fs::read(refusing.at("img")).unwrap();
        let block = device.chunks(PAGE).position(|block| block.iter().all(|byte| *byte == b'X')).unwrap();
        refusing.block = (block * PAGE) as u64;
        Some(refusing)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.mount.root().join(name)
    }

    fn f(&self) -> PathBuf {
        self.at("m/f")
    }

    fn open(&self) -> File {
        OpenOptions::new().read(true).write(true).open(self.f()).unwrap()
    }

    /// From now on the block holds NULs and takes no write.
    fn refuse(&self) {
        let device = OpenOptions::new().write(true).open(self.at("img")).unwrap();
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(&device, hole, self.block, PAGE as u64).unwrap();
        let mut full = File::create_new(self.at("full")).unwrap();
        while full.write_all(&[0; PAGE]).is_ok() {}
    }

    /// The device is healthy again.
    fn heal(&self) {
        std::fs::remove_file(self.at("full")).unwrap();
    }
}

/// What happens on ext4.
fn real(disk: &Refusing) -> Vec<String> {
    let sync = |who, file: &File| word(who, &file.sync_data());
    let look = |what, file: &File| {
        let mut byte = [0];
        file.read_exact_at(&mut byte, PAGE as u64).unwrap();
        first(what, byte[0])
    };
    disk.refuse();
    let (a, b) = (disk.open(), disk.open());
    a.write_all_at(&[b'A'; PAGE], PAGE as u64).unwrap();
    let mut said = vec![sync("a", &a)];
    disk.heal();
    said.extend([sync("a again", &a), sync("b", &b), sync("b again", &b)]);
    let c = disk.open();
    said.push(look("c reads", &c));
    c.write_all_at(b"c", 0).unwrap();
    said.push(sync("c", &c));
    rustix::fs::fadvise(&c, 0, None, Advice::DontNeed).unwrap();
    said.push(look("out of memory, c reads", &c));

    disk.refuse();
    a.write_all_at(&[b'E'; PAGE], PAGE as u64).unwrap();
    // A writeback that nobody asked for on this file.
    assert!(rustix::fs::syncfs(File::open(disk.at("m")).unwrap()).is_err());
    disk.heal();
    let (d, e) = (disk.open(), disk.open());
    said.extend([sync("d, opened later", &d), sync("e, opened later", &e)]);
    let f = disk.open();
    said.extend([sync("f, opened after d was told", &f), sync("b", &b)]);
    said
}

/// What the model makes of the same.
fn simulated() -> Vec<String> {
    let mut disk = Disk::new();
    let path = Path::new("/f");
    disk.put(path, &[[b'd'; PAGE], [0; PAGE]].concat());
    let mut disk = disk.persistent(Persistence::Ext4, PAGE);
    let open = |disk: &mut Disk| disk.open(0, path, How::Write).unwrap();
    let sync = |disk: &mut Disk, who, file: OpenId| word(who, &disk.sync(file));
    let look = |disk: &Disk, what| first(what, disk.contents(path).unwrap()[PAGE]);
    let (a, b) = (open(&mut disk), open(&mut disk));
    disk.write_at(a, PAGE as u64, &[b'A'; PAGE]).unwrap();
    let mut said = vec![word("a", &disk.fail_sync(a))];
    for (who, file) in [("a again", a), ("b", b), ("b again", b)] {
        said.push(sync(&mut disk, who, file));
    }
    let c = open(&mut disk);
    said.push(look(&disk, "c reads"));
    disk.write_at(c, 0, b"c").unwrap();
    said.push(sync(&mut disk, "c", c));
    disk.evict();
    said.push(look(&disk, "out of memory, c reads"));

    disk.write_at(a, PAGE as u64, &[b'E'; PAGE]).unwrap();
    disk.fail_writeback(a).unwrap();
    let (d, e) = (open(&mut disk), open(&mut disk));
    said.extend([sync(&mut disk, "d, opened later", d), sync(&mut disk, "e, opened later", e)]);
    let f = open(&mut disk);
    said.extend([sync(&mut disk, "f, opened after d was told", f), sync(&mut disk, "b", b)]);
    said
}

#[test]
fn a_writeback_error_is_told_and_forgotten_as_the_kernel_does() {
    let expected = [
        "a: told",
        "a again: fine",
        "b: told",
        "b again: fine",
        "c reads A",
        "c: fine",
        "out of memory, c reads NUL",
        "d, opened later: told",
        "e, opened later: told",
        "f, opened after d was told: fine",
        "b: told",
    ];
    assert_eq!(simulated(), expected);
    let dir = tempfile::tempdir().unwrap();
    let refusing = if rustix::process::geteuid().is_root() { Refusing::new(dir.path()) } else { None };
    let Some(refusing) = refusing else {
        println!("ext4: skipped, because a device that refuses to write cannot be made here");
        return;
    };
    assert_eq!(real(&refusing), expected);
    println!("ext4: the same {} answers", expected.len());
}
