//! What befalls the file: each scenario is `Ok` where the file is whole and what it was told to be.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::file::StatusFile;
use super::scenarios::{Outcome, need};

/// More than a pipe, a page or a buffer holds, and never the same twice.
fn body(of: char) -> String {
    of.to_string().repeat(200_000)
}

fn is_whole(body: &str) -> bool {
    body.len() == 200_000 && body.bytes().all(|byte| byte == body.as_bytes()[0])
}

/// What lies in the folder beside the file.
fn beside(file: &dyn StatusFile) -> Vec<String> {
    let path = file.path();
    let names = fs::read_dir(path.parent().expect("a folder")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| *name != "status.json").collect()
}

fn done(file: &mut dyn StatusFile, body: &str) -> Outcome {
    need(file.write(body), || "a write fails where nothing is in its way".to_owned())
}

/// Two write bodies that are long while others read.
pub(super) fn two_write_and_one_reads(file: &mut dyn StatusFile) -> Outcome {
    let (mut both, mut seen) = (0, 0);
    for _ in 0..file.rounds() {
        done(file, &body('a'))?;
        let (one, other) = (body('b'), body('c'));
        let meeting = file.two_at_once([&one, &other]);
        for read in &meeting.seen {
            let text = read.as_ref().map_err(|why| format!("a reader is told that it failed: {why}"))?;
            need(is_whole(text), || format!("a reader sees {} bytes of a body, or of two", text.len()))?;
            seen += 1;
        }
        let stands = file.read().map_err(|why| format!("it cannot be read afterwards: {why}"))?;
        need(is_whole(&stands), || "what stands is of two".to_owned())?;
        need(meeting.told.iter().all(|told| *told), || "a write fails because another writes".to_owned())?;
        need(!stands.starts_with('a'), || "both were told, and neither stands".to_owned())?;
        need(beside(file).is_empty(), || format!("left behind: {:?}", beside(file)))?;
        both += 1;
    }
    need(both > 0 && seen > 0, || format!("{both} rounds, {seen} reads"))
}

/// The disk is full: nothing of it is told to be done, or left.
pub(super) fn the_disk_is_full(file: &mut dyn StatusFile) -> Outcome {
    done(file, &body('a'))?;
    let before = fs::read(file.path()).unwrap();
    for _ in 0..2 {
        let told = file.on_a_full_disk(&body('b'));
        need(!told, || "a write on a full disk is told to be done".to_owned())?;
        need(fs::read(file.path()).unwrap() == before, || "the file is another".to_owned())?;
        need(beside(file).is_empty(), || format!("left behind: {:?}", beside(file)))?;
    }
    done(file, &body('c'))
}

/// A writer is killed: what stood stands, and the next write takes away what it left.
pub(super) fn a_writer_is_killed(file: &mut dyn StatusFile) -> Outcome {
    done(file, &body('a'))?;
    file.killed_writing(&body('b'));
    need(file.read().is_ok_and(|text| text == body('a')), || "the file is another".to_owned())?;
    done(file, &body('c'))?;
    need(beside(file).is_empty(), || format!("left behind: {:?}", beside(file)))
}

/// The mode is a secret's, and the file is a link to where it lies.
pub(super) fn it_is_secret_and_a_link(file: &mut dyn StatusFile) -> Outcome {
    done(file, &body('a'))?;
    let path = file.path();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    for is in [0o600, 0o640, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(is)).unwrap();
        done(file, &body('b'))?;
        need(mode() == is, || format!("the mode was {is:o} and is {:o}", mode()))?;
    }
    let target = path.parent().expect("a folder").with_file_name("target.json");
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    done(file, &body('c'))?;
    let is_link = fs::symlink_metadata(&path).unwrap().is_symlink();
    need(is_link, || "a link became a file".to_owned())?;
    let stands = fs::read_to_string(&target).unwrap();
    need(stands.contains(&body('c')), || "what it links to is as it was".to_owned())
}

/// Threads of two processes add keys.
pub(super) fn threads_of_two_processes_write(file: &mut dyn StatusFile) -> Outcome {
    done(file, "a")?;
    let told = file.add_keys(4);
    let there = file.keys();
    need(told == 16, || format!("{told} of 16 were told that theirs is there"))?;
    need(there == told, || format!("{told} were told that theirs is there, and {there} are"))
}
