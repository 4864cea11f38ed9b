//! File calls of three processes, drawn from a seed, and what they answer on any disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, Kind, LockError, LockMode, Stat, read_file};
use fencehold_stress::rng::Rng;
use rustix::io::Errno;

/// How many processes there are.
pub(super) const PROCESSES: usize = 3;
/// How many files each has open at the most.
const HANDLES: usize = 4;

/// Names few enough to meet often: two folders, a folder in a folder, files in each, something below a file.
const PATHS: [&str; 14] =
    ["a", "b", "c", "d", "e", "d/a", "d/b", "d/e", "d/e/a", "e/a", "e/b", "e/d", "a/x", "no/a"];

/// One call of a process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    Open(&'static str, How, usize),
    Close(usize),
    Append(usize, u8, usize),
    WriteAt(usize, u64, u8, usize),
    ReadAt(usize, u64, usize),
    Truncate(usize, u64),
    StatOpen(usize),
    /// Whether what is open is what stands at the path.
    IsAt(usize, &'static str),
    Lock(usize, LockMode),
    Unlock(usize),
    Sync(usize),
    Stat(&'static str),
    /// Whether two names are of one file.
    AreOne(&'static str, &'static str),
    Rename(&'static str, &'static str),
    RenameNew(&'static str, &'static str),
    Link(&'static str, &'static str),
    Unlink(&'static str),
    MakeDir(&'static str),
    RemoveDir(&'static str),
    List(&'static str),
    Resolve(&'static str),
    SyncDir(&'static str),
    /// The process ends, and another begins in its place.
    Kill,
}

/// So many calls, each with the process that makes it.
pub(super) fn drawn(seed: u64, count: usize) -> Vec<(usize, Call)> {
    let mut rng = Rng::new(seed);
    (0..count).map(|_| (below(&mut rng, PROCESSES), call(&mut rng))).collect()
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}

fn call(rng: &mut Rng) -> Call {
    let (path, other) = (*rng.pick(&PATHS), *rng.pick(&PATHS));
    let handle = below(rng, HANDLES);
    let byte = b'a' + u8::try_from(rng.below(26)).unwrap();
    // Long enough to cross a page now and then.
    let len = if rng.one_in(10) { 5000 } else { below(rng, 40) };
    let offset = if rng.one_in(10) { rng.below(10_000) } else { rng.below(60) };
    let mode = *rng.pick(&[LockMode::Exclusive, LockMode::Exclusive, LockMode::Shared]);
    match rng.below(41) {
        0..=2 => Call::Open(path, How::CreateNew { mode: 0o640 }, handle),
        3..=4 => Call::Open(path, How::Append, handle),
        5..=6 => Call::Open(path, How::Write, handle),
        7..=8 => Call::Open(path, How::Read, handle),
        9 => Call::Close(handle),
        10..=12 => Call::Append(handle, byte, len),
        13..=14 => Call::WriteAt(handle, offset, byte, len),
        15..=16 => Call::ReadAt(handle, offset, len),
        17 => Call::Truncate(handle, offset),
        18 => Call::StatOpen(handle),
        19 => Call::IsAt(handle, path),
        20..=22 => Call::Lock(handle, mode),
        23 => Call::Unlock(handle),
        24..=25 => Call::Stat(path),
        26 => Call::AreOne(path, other),
        27..=29 => Call::Rename(path, other),
        30..=31 => Call::RenameNew(path, other),
        32..=33 => Call::Link(path, other),
        34 => Call::Unlink(path),
        35..=36 => Call::MakeDir(path),
        37 => Call::RemoveDir(path),
        38 => Call::List(path),
        39 => *rng.pick(&[Call::Resolve(path), Call::SyncDir(path), Call::Sync(handle)]),
        _ if rng.one_in(4) => Call::Kill,
        _ => Call::List("."),
    }
}

/// Three processes on one disk.
pub(super) trait Machine {
    type Fs: Fs;
    /// The files as a process sees them.
    fn fs(&self, process: usize) -> &Self::Fs;
    /// Ends a process, whose open files are dropped after it, and begins another.
    fn kill(&mut self, process: usize);
    /// The directory that all calls stay below.
    fn root(&self) -> &Path;
}

/// What each of the calls answers, and the tree that they leave.
pub(super) fn answers<M: Machine>(machine: &mut M, calls: &[(usize, Call)]) -> Vec<String> {
    let mut open: Vec<Option<<M::Fs as Fs>::File>> = (0..PROCESSES * HANDLES).map(|_| None).collect();
    let mut said = Vec::new();
    for (process, call) in calls {
        let mine = process * HANDLES..(process + 1) * HANDLES;
        if let Call::Kill = call {
            machine.kill(*process);
            open[mine].fill_with(|| None);
            said.push("Kill".to_owned());
            continue;
        }
        let answer = answer(machine.fs(*process), machine.root(), &mut open[mine], *call);
        said.push(answer.unwrap_or_else(|error| format!("{:?} {:?}", error.kind(), error.raw_os_error())));
    }
    let mut tree = Vec::new();
    list_tree(machine.fs(0), machine.root(), machine.root(), &mut tree);
    said.extend(tree);
    said
}

fn answer<F: Fs>(fs: &F, root: &Path, open: &mut [Option<F::File>], call: Call) -> io::Result<String> {
    let done = |result: io::Result<()>| result.map(|()| "done".to_owned());
    let at = |name: &str| root.join(name);
    match call {
        Call::Open(path, how, handle) => {
            open[handle] = Some(fs.open(&at(path), how)?);
            Ok("open".to_owned())
        }
        Call::Close(handle) => {
            open[handle] = None;
            Ok("closed".to_owned())
        }
        Call::Append(handle, ..)
        | Call::WriteAt(handle, ..)
        | Call::ReadAt(handle, ..)
        | Call::Truncate(handle, ..)
        | Call::StatOpen(handle)
        | Call::IsAt(handle, _)
        | Call::Lock(handle, _)
        | Call::Unlock(handle)
        | Call::Sync(handle) => match &open[handle] {
            None => Ok("not open".to_owned()),
            Some(file) => answer_open(fs, root, file, call),
        },
        Call::Stat(path) => Ok(fs.stat(&at(path))?.map_or("nothing".to_owned(), show)),
        Call::AreOne(one, other) => {
            let id = |path| fs.stat(&at(path)).map(|stat| stat.map(|stat| stat.id));
            Ok((id(one)?.is_some() && id(one)? == id(other)?).to_string())
        }
        // Over a folder with entries, either error is right (rename(2)); xfs has the other one.
        Call::Rename(from, to) => match fs.rename(&at(from), &at(to)) {
            Err(error) if error.raw_os_error() == Some(Errno::EXIST.raw_os_error()) => {
                Err(Errno::NOTEMPTY.into())
            }
            other => done(other),
        },
        Call::RenameNew(from, to) => done(fs.rename_new(&at(from), &at(to))),
        Call::Link(from, to) => done(fs.link(&at(from), &at(to))),
        Call::Unlink(path) => done(fs.unlink(&at(path))),
        Call::MakeDir(path) => done(fs.make_dir(&at(path), 0o750)),
        Call::RemoveDir(path) => done(fs.remove_dir(&at(path))),
        Call::SyncDir(path) => done(fs.sync_dir(&at(path))),
        Call::List(path) => {
            let mut names = fs.list(&at(path))?;
            names.sort();
            Ok(names.join(" "))
        }
        Call::Resolve(path) => Ok(fs.resolve(&at(path))?.strip_prefix(root).unwrap().display().to_string()),
        Call::Kill => unreachable!("the machine ends a process"),
    }
}

fn answer_open<F: Fs>(fs: &F, root: &Path, file: &F::File, call: Call) -> io::Result<String> {
    let done = |result: io::Result<()>| result.map(|()| "done".to_owned());
    match call {
        Call::Append(_, byte, len) => Ok(file.append(&vec![byte; len])?.to_string()),
        Call::WriteAt(_, offset, byte, len) => Ok(file.write_at(offset, &vec![byte; len])?.to_string()),
        Call::ReadAt(_, offset, len) => {
            let mut into = vec![0; len];
            let count = file.read_at(offset, &mut into)?;
            Ok(format!("{:?}", String::from_utf8_lossy(&into[..count])))
        }
        Call::Truncate(_, len) => done(file.truncate(len)),
        Call::StatOpen(_) => Ok(show(file.stat()?)),
        Call::IsAt(_, path) => {
            let there = fs.stat(&root.join(path))?.map(|stat| stat.id);
            Ok((there == Some(file.stat()?.id)).to_string())
        }
        Call::Lock(_, mode) => match file.lock(mode, Duration::ZERO) {
            Ok(()) => Ok("locked".to_owned()),
            Err(LockError::TimedOut) => Ok("held".to_owned()),
            Err(LockError::Io(error)) => Err(error),
        },
        Call::Unlock(_) => done(file.unlock()),
        Call::Sync(_) => done(file.sync()),
        _ => unreachable!("a call of an open file"),
    }
}

/// The length of a directory is the filesystem's own affair.
fn show(stat: Stat) -> String {
    let len = if stat.kind == Kind::File { stat.len } else { 0 };
    format!("{:?} {len} {:o}", stat.kind, stat.mode)
}

/// Every entry with its contents, and of a file the first of its names.
fn list_tree<F: Fs>(fs: &F, root: &Path, dir: &Path, into: &mut Vec<String>) {
    let mut met: Vec<(fencehold::fs::FileId, PathBuf)> = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        let mut names = fs.list(&dir).unwrap();
        names.sort();
        for name in names {
            let path = dir.join(name);
            let stat = fs.stat(&path).unwrap().unwrap();
            let first = met.iter().find(|(id, _)| *id == stat.id).map(|(_, path)| path.clone());
            let first = first.unwrap_or_else(|| {
                met.push((stat.id, path.clone()));
                path.clone()
            });
            let bytes = match stat.kind {
                Kind::Dir => {
                    left.push(path.clone());
                    Vec::new()
                }
                _ => read_file(fs, &path, 1 << 20).unwrap().unwrap(),
            };
            let below = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
            let text = String::from_utf8_lossy(&bytes);
            into.push(format!("{} is {}: {} {text:?}", below(&path), below(&first), show(stat)));
        }
    }
}
