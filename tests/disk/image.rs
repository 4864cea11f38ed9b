//! A real filesystem in a file, whose power can be cut: a copy of the file, made while it is mounted, is mounted in its
//! place. That is the mildest power cut there is: all that the filesystem had written is there. Holds no test.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::program::Kept;

/// A kind of filesystem, and how to make and mount one that writes nothing by itself for as long as a test takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    bytes: u64,
    mkfs: &'static [&'static str],
    options: &'static str,
}

/// The kinds that there is a model of.
pub(super) const KINDS: [Kind; 3] = [
    Kind {
        name: "ext4",
        bytes: 16 << 20,
        mkfs: &["mkfs.ext4", "-q", "-b", "4096"],
        options: "loop,commit=300",
    },
    Kind { name: "xfs", bytes: 320 << 20, mkfs: &["mkfs.xfs", "-q"], options: "loop,nouuid" },
    Kind { name: "btrfs", bytes: 128 << 20, mkfs: &["mkfs.btrfs", "-q"], options: "loop,commit=300" },
];

/// An empty filesystem in a file, to be copied.
pub(super) struct Image {
    kind: Kind,
    dir: TempDir,
    /// How many were mounted. Each is a file of its own: a program that another test starts may hold the last one open
    /// for an instant, and with it the mount.
    count: Cell<usize>,
}

/// A mounted filesystem; it is gone when this is dropped.
pub(super) struct Mount {
    /// Keeps the mount namespace alive.
    keeper: Kept,
    dir: PathBuf,
}

impl Image {
    /// None where a filesystem of this kind cannot be made or mounted here, said aloud.
    pub(super) fn new(kind: Kind) -> Option<Self> {
        let skipped = |why: &str| println!("{}: skipped, because {why}", kind.name);
        if !rustix::process::geteuid().is_root() {
            skipped("only root can mount a filesystem here");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let image = Image { kind, dir, count: Cell::new(0) };
        std::fs::File::create(image.file("empty")).unwrap().set_len(kind.bytes).unwrap();
        let made = Command::new(kind.mkfs[0]).args(&kind.mkfs[1..]).arg(image.file("empty")).output();
        if !made.is_ok_and(|made| made.status.success()) {
            skipped(&format!("{} is not here", kind.mkfs[0]));
            return None;
        }
        if image.mounted("empty").is_none() {
            skipped("it cannot be mounted in a namespace of its own here");
            return None;
        }
        Some(image)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn copy(&self, from: &str, to: &str) {
        let copied = Command::new("cp")
            .args(["--sparse=always", "--reflink=never"])
            .args([self.file(from), self.file(to)])
            .status();
        assert!(copied.unwrap().success(), "cp(1) of {from} to {to}");
    }

    fn mounted(&self, name: &str) -> Option<Mount> {
        let dir = self.file("mounted");
        std::fs::create_dir_all(&dir).unwrap();
        let script =
            format!("mount -o {} \"$0\" \"$1\" && echo mounted && cat && umount \"$1\"", self.kind.options);
        Mount::by(&script, &[&self.file(name), &dir], &dir)
    }

    /// An empty filesystem.
    pub(super) fn fresh(&self) -> Mount {
        for old in ["now", "cut"] {
            let _ = std::fs::remove_file(self.file(&self.numbered(old)));
        }
        self.count.set(self.count.get() + 1);
        self.copy("empty", &self.numbered("now"));
        self.mounted(&self.numbered("now")).expect("it could be mounted before")
    }

    /// What of `mount`, which [`Image::fresh`] gave last, is there after a power cut.
    pub(super) fn cut(&self, mount: Mount) -> Mount {
        self.copy(&self.numbered("now"), &self.numbered("cut"));
        drop(mount);
        self.mounted(&self.numbered("cut")).expect("a filesystem can be mounted after a power cut")
    }

    fn numbered(&self, name: &str) -> String {
        format!("{name}.{}", self.count.get())
    }
}

impl Mount {
    /// A mount namespace in which a script mounts what is to be at `dir`, says `mounted`, and waits for its input's end.
    pub(super) fn by(script: &str, args: &[&Path], dir: &Path) -> Option<Self> {
        let child = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut keeper = Kept(child.ok()?);
        let mut line = String::new();
        BufReader::new(keeper.0.stdout.take()?).read_line(&mut line).ok()?;
        (line == "mounted\n").then(|| Mount { keeper, dir: dir.to_owned() })
    }

    /// Where this process, outside of the namespace, sees its root.
    pub(super) fn root(&self) -> PathBuf {
        let inside = self.dir.strip_prefix("/").expect("an absolute path");
        Path::new(&format!("/proc/{}/root", self.keeper.0.id())).join(inside)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // The end of its input ends cat(1); then it is unmounted before the next one is mounted.
        drop(self.keeper.0.stdin.take());
        let _ = self.keeper.0.wait();
    }
}
