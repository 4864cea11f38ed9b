//! The file alone: who writes and reads it at once, and what a write that goes wrong leaves.

use std::path::PathBuf;

/// What two writers at once were told, and what a reader saw meanwhile.
#[derive(Debug, Default)]
pub(super) struct Meeting {
    pub(super) told: Vec<bool>,
    /// Bodies, or why there was none.
    pub(super) seen: Vec<Result<String, String>>,
}

/// A JSON file with a body, in a folder with nothing else in it, and the processes that write it.
pub(super) trait StatusFile {
    /// How often what happens at once is tried: once where the order of the steps is fixed.
    fn rounds(&self) -> usize;
    fn path(&self) -> PathBuf;
    /// Whether it was told that it is done.
    fn write(&mut self, body: &str) -> bool;
    fn read(&mut self) -> Result<String, String>;
    /// Two writers at once, and a reader.
    fn two_at_once(&mut self, bodies: [&str; 2]) -> Meeting;
    /// Writes on a disk that takes a part of the body.
    fn on_a_full_disk(&mut self, body: &str) -> bool;
    /// Writes, and is killed when the disk has a part of the body.
    fn killed_writing(&mut self, body: &str);
    /// Two processes with two threads each add so many keys; how many were told that theirs is there.
    fn add_keys(&mut self, each: usize) -> usize;
    /// How many keys there are, the body aside.
    fn keys(&mut self) -> usize;
}
