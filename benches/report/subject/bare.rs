//! The bare system calls: `flock`, one `write` or `pwrite`, one `fdatasync`, each process by descriptors of its own.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use fencehold_benches::Result;
use fencehold_benches::results::Workload;
use rustix::fs::{FlockOperation, flock};

use super::{LOCK, RECORDS};
use crate::task::Task;
use crate::worker::{Op, Outcome, busy};

const COUNTER: &str = "counter";
/// The digits of the counter.
const DIGITS: usize = 20;

pub(super) fn prepare(dir: &Path) -> Result<()> {
    File::create(dir.join(LOCK))?;
    File::create(dir.join(RECORDS))?;
    let counter = File::create(dir.join(COUNTER))?;
    counter.write_all_at(number(0).as_bytes(), 0)?;
    counter.sync_all()?;
    Ok(File::open(dir)?.sync_all()?)
}

/// Runs `inside` under the exclusive lock of this descriptor.
pub(super) fn locked<T>(lock: &File, inside: impl FnOnce() -> Result<T>) -> Result<T> {
    loop {
        match flock(lock, FlockOperation::LockExclusive) {
            Ok(()) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let done = inside();
    flock(lock, FlockOperation::Unlock)?;
    done
}

pub(super) fn open(task: &Task) -> Result<Op> {
    let lock = File::open(task.dir.join(LOCK))?;
    match task.workload {
        Workload::Commit | Workload::Log => {
            let file = OpenOptions::new().append(true).open(task.dir.join(RECORDS))?;
            let line = format!("{}\n", task.record());
            Ok(Box::new(move || {
                locked(&lock, || {
                    (&file).write_all(line.as_bytes())?;
                    Ok(file.sync_data()?)
                })?;
                Ok(Outcome::Acked)
            }))
        }
        Workload::Lock | Workload::LockWork => {
            let work_us = task.workload.work_us();
            Ok(Box::new(move || {
                locked(&lock, || {
                    busy(work_us);
                    Ok(())
                })?;
                Ok(Outcome::Acked)
            }))
        }
        Workload::Counter => {
            let file = OpenOptions::new().read(true).write(true).open(task.dir.join(COUNTER))?;
            Ok(Box::new(move || {
                locked(&lock, || {
                    let next = number(read(&file)? + 1);
                    file.write_all_at(next.as_bytes(), 0)?;
                    Ok(file.sync_data()?)
                })?;
                Ok(Outcome::Acked)
            }))
        }
    }
}

pub(super) fn found(workload: Workload, dir: &Path) -> Result<u64> {
    match workload {
        Workload::Counter => read(&File::open(dir.join(COUNTER))?),
        _ => lines(&dir.join(RECORDS)),
    }
}

/// How many lines a file has.
pub(super) fn lines(path: &Path) -> Result<u64> {
    Ok(std::fs::read(path)?.iter().filter(|byte| **byte == b'\n').count() as u64)
}

fn number(value: u64) -> String {
    format!("{value:0DIGITS$}")
}

fn read(file: &File) -> Result<u64> {
    let mut digits = [0; DIGITS];
    file.read_exact_at(&mut digits, 0)?;
    Ok(std::str::from_utf8(&digits)?.parse()?)
}
