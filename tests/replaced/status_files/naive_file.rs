//! A file of the tests' own, on the real disk, written in four steps: without a flaw, with some, or as it was published.
//!
//! A temp is opened, gets one half and then the other, and is renamed. With a lock nothing comes between the steps.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::file::{Meeting, StatusFile};
use crate::program::Yard;

/// What is wrong with it. A number is that of the mutant which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slip {
    /// Nothing is locked from the read to the rename.
    Unlocked,
    /// Every temp has the same name.
    FixedTemp,
    /// A temp is named by a clock, which has not moved on.
    TempByTime,
    /// M11: the file itself is written, and a reader finds a part of it.
    InPlace,
    /// M13: a temp is left where it could not be written, and nobody sweeps.
    LeavesTemp,
    /// M15: every file has the mode 0644.
    ModeDropped,
    /// M15: a link is replaced by a file.
    LinkDropped,
    /// M30: what is locked is locked within a process.
    ThreadOnly,
}

/// As it was sketched: one temp, then a rename.
pub(super) const SKETCHED: &[Slip] =
    &[Slip::Unlocked, Slip::FixedTemp, Slip::LeavesTemp, Slip::ModeDropped, Slip::LinkDropped];
/// As it was planned to be mended.
pub(super) const PLANNED: &[Slip] =
    &[Slip::Unlocked, Slip::TempByTime, Slip::LeavesTemp, Slip::ModeDropped, Slip::LinkDropped];
/// As it was shipped: the name of the temp is random.
pub(super) const SHIPPED: &[Slip] = &[Slip::Unlocked, Slip::LeavesTemp, Slip::ModeDropped, Slip::LinkDropped];
/// As it was before: the file is truncated and written.
pub(super) const BEFORE: &[Slip] = &[Slip::Unlocked, Slip::InPlace];

/// The instant of everything.
const NOW_NS: u64 = 1_700_000_000_000_000_000;

pub(super) struct NaiveFile {
    slips: &'static [Slip],
    yard: Yard,
    drawn: u64,
}

/// A write on its way.
struct Write {
    text: Vec<u8>,
    /// Where the bytes go before they have their name.
    temp: PathBuf,
    path: PathBuf,
    file: Option<File>,
    told: bool,
}

impl NaiveFile {
    pub(super) fn new(slips: &'static [Slip]) -> Self {
        let yard = Yard::new();
        fs::create_dir(yard.join("runs")).unwrap();
        NaiveFile { slips, yard, drawn: 0 }
    }

    fn has(&self, slip: Slip) -> bool {
        self.slips.contains(&slip)
    }

    fn document(&self) -> Value {
        let text = fs::read_to_string(self.path()).unwrap_or_else(|_| "{}".to_owned());
        serde_json::from_str(&text).unwrap()
    }

    fn begin(&mut self, document: &Value) -> Write {
        self.drawn += 1;
        let path = match self.path().canonicalize() {
            Ok(target) if !self.has(Slip::LinkDropped) => target,
            _ => self.path(),
        };
        let name = match self.slips {
            slips if slips.contains(&Slip::FixedTemp) => "status.json.tmp".to_owned(),
            slips if slips.contains(&Slip::TempByTime) => format!("status.json.tmp.{NOW_NS}"),
            _ => format!("status.json.tmp.{}", self.drawn),
        };
        let temp = if self.has(Slip::InPlace) { path.clone() } else { path.with_file_name(name) };
        Write { text: document.to_string().into_bytes(), temp, path, file: None, told: false }
    }

    fn step(&self, write: &mut Write, step: usize) {
        let half = write.text.len() / 2;
        match (step, &mut write.file) {
            (0, _) => {
                if !self.has(Slip::LeavesTemp) && !self.has(Slip::Unlocked) {
                    self.sweep();
                }
                let mode = fs::metadata(&write.path).map_or(0o600, |meta| meta.permissions().mode());
                let mode = if self.has(Slip::ModeDropped) { 0o644 } else { mode };
                let file =
                    OpenOptions::new().write(true).create(true).truncate(true).open(&write.temp).unwrap();
                file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
                write.file = Some(file);
            }
            (1, Some(file)) => file.write_all(&write.text[..half]).unwrap(),
            (2, Some(file)) => {
                file.seek(SeekFrom::Start(half as u64)).unwrap();
                file.write_all(&write.text[half..]).unwrap();
            }
            (3, Some(_)) => {
                write.told = self.has(Slip::InPlace) || fs::rename(&write.temp, &write.path).is_ok();
            }
            _ => unreachable!("a write has four steps, and begins with the first"),
        }
    }

    /// Takes away what was left: whoever left it is not writing.
    fn sweep(&self) {
        for entry in fs::read_dir(self.yard.join("runs")).unwrap() {
            let path = entry.unwrap().path();
            if path != self.path() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    fn finish(&self, write: &mut Write, from: usize) {
        (from..4).for_each(|step| self.step(write, step));
    }
}

impl StatusFile for NaiveFile {
    fn rounds(&self) -> usize {
        1
    }

    fn path(&self) -> PathBuf {
        self.yard.join("runs/status.json")
    }

    fn write(&mut self, body: &str) -> bool {
        let mut write = self.begin(&json!({ "body": body }));
        self.finish(&mut write, 0);
        write.told
    }

    fn read(&mut self) -> Result<String, String> {
        let text = fs::read_to_string(self.path()).map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(value["body"].as_str().unwrap_or_default().to_owned())
    }

    fn two_at_once(&mut self, bodies: [&str; 2]) -> Meeting {
        let mut meeting = Meeting::default();
        let [mut one, mut other] = bodies.map(|body| self.begin(&json!({ "body": body })));
        // One has written all of its temp when the other opens its own; then it renames.
        for step in 0..3 {
            self.step(&mut one, step);
            meeting.seen.push(self.read());
        }
        if !self.has(Slip::Unlocked) {
            self.step(&mut one, 3);
        }
        for step in 0..2 {
            self.step(&mut other, step);
            meeting.seen.push(self.read());
        }
        if self.has(Slip::Unlocked) {
            self.step(&mut one, 3);
        }
        meeting.seen.push(self.read());
        self.finish(&mut other, 2);
        meeting.told = vec![one.told, other.told];
        meeting
    }

    fn on_a_full_disk(&mut self, body: &str) -> bool {
        let mut write = self.begin(&json!({ "body": body }));
        self.step(&mut write, 0);
        self.step(&mut write, 1);
        // The second half is refused.
        if !self.has(Slip::LeavesTemp) && !self.has(Slip::InPlace) {
            fs::remove_file(&write.temp).unwrap();
        }
        write.told
    }

    fn killed_writing(&mut self, body: &str) {
        let mut write = self.begin(&json!({ "body": body }));
        self.step(&mut write, 0);
        self.step(&mut write, 1);
    }

    fn add_keys(&mut self, each: usize) -> usize {
        let mut told = 0;
        for round in 0..each {
            // Two processes with two threads each; threads of one wait for each other.
            for thread in 0..2 {
                let seen = self.document();
                for process in 0..2 {
                    let is_locked = !self.has(Slip::Unlocked) && !self.has(Slip::ThreadOnly);
                    let mut document = if is_locked { self.document() } else { seen.clone() };
                    document[format!("{process}-{thread}-{round}")] = true.into();
                    let mut write = self.begin(&document);
                    self.finish(&mut write, 0);
                    told += usize::from(write.told);
                }
            }
        }
        told
    }

    fn keys(&mut self) -> usize {
        self.document().as_object().unwrap().len() - 1
    }
}
