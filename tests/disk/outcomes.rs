//! Everything that a power cut can leave: each answer to each question tried. Holds no test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fencehold::fs::How;
use fencehold_stress::sim::disk::{Disk, OpenId, Persistence};

/// The only process.
pub(super) const P: usize = 0;
/// A page so small that a test fills it.
pub(super) const PAGE: usize = 8;

/// A tree in words: each file and its bytes, `.` for NUL; each folder with a slash.
pub(super) type Tree = BTreeMap<String, String>;

/// An empty disk of a model.
pub(super) fn disk(model: Persistence) -> Disk {
    Disk::new().persistent(model, PAGE)
}

pub(super) fn create(disk: &mut Disk, path: &str) -> OpenId {
    disk.open(P, Path::new(path), How::CreateNew { mode: 0o600 }).unwrap()
}

pub(super) fn open(disk: &mut Disk, path: &str, how: How) -> OpenId {
    disk.open(P, Path::new(path), how).unwrap()
}

/// Writes into the middle.
pub(super) fn overwrite(disk: &mut Disk, path: &str, offset: u64, bytes: &str) -> OpenId {
    let file = open(disk, path, How::Write);
    disk.write_at(file, offset, bytes.as_bytes()).unwrap();
    file
}

/// A file with these bytes; nothing of it is durable.
pub(super) fn write(disk: &mut Disk, path: &str, bytes: &str) -> OpenId {
    let file = create(disk, path);
    disk.append(file, bytes.as_bytes()).unwrap();
    file
}

pub(super) fn make_dir(disk: &mut Disk, path: &str) {
    disk.make_dir(Path::new(path), 0o700).unwrap();
}

pub(super) fn sync_dir(disk: &mut Disk, path: &str) {
    disk.sync_dir(Path::new(path)).unwrap();
}

pub(super) fn rename(disk: &mut Disk, from: &str, to: &str) {
    disk.rename(Path::new(from), Path::new(to)).unwrap();
}

/// What there is on a disk.
pub(super) fn tree(disk: &Disk) -> Tree {
    let mut tree = Tree::new();
    let mut left = vec!["/".to_owned()];
    while let Some(dir) = left.pop() {
        for name in disk.list(Path::new(&dir)).unwrap() {
            let path = format!("{dir}{name}");
            match disk.contents(&path) {
                Some(bytes) => {
                    let text = String::from_utf8_lossy(bytes).replace('\0', ".");
                    tree.insert(path, text);
                }
                None => {
                    tree.insert(format!("{path}/"), String::new());
                    left.push(format!("{path}/"));
                }
            }
        }
    }
    tree
}

/// Every disk that a power cut can leave, each path through the questions once.
pub(super) fn cuts(disk: &Disk) -> Vec<Disk> {
    let mut all = Vec::new();
    let mut answers: Vec<(usize, usize)> = Vec::new();
    loop {
        let mut at = 0;
        let left = disk.power_cut(&mut |label, of| {
            assert!(of > 1, "{label}: asked where there is one answer");
            if at == answers.len() {
                answers.push((0, of));
            }
            assert_eq!(answers[at].1, of, "{label}: the same answers before, another question");
            at += 1;
            answers[at - 1].0
        });
        assert_eq!(left.pending(), 0, "what is on the platter is durable");
        all.push(left);
        assert!(all.len() < 200_000, "too much to be tried");
        while answers.last().is_some_and(|(chosen, of)| chosen + 1 == *of) {
            answers.pop();
        }
        let Some((chosen, _)) = answers.last_mut() else { return all };
        *chosen += 1;
    }
}

/// The different trees that a power cut can leave.
pub(super) fn outcomes(disk: &Disk) -> BTreeSet<Tree> {
    cuts(disk).iter().map(tree).collect()
}

/// What a power cut can leave of one file; none where it may be missing.
pub(super) fn of_file(disk: &Disk, path: &str) -> BTreeSet<Option<String>> {
    outcomes(disk).into_iter().map(|tree| tree.get(path).cloned()).collect()
}

/// A set of what a file may be.
pub(super) fn these(texts: &[&str]) -> BTreeSet<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}
