//! One call on its way through its steps.

use serde_json::{Value, json};

use super::super::asked::{Act, From};
use super::decide::{Decided, decide};
use super::{FILE, File, Flaw, NOW_MS, Naive, PID};
use crate::program::Said;

/// How many steps a call has.
pub(super) const STEPS: usize = 5;
/// After how many the temp is written and not yet renamed.
pub(super) const WRITTEN: usize = 3;

/// What was read.
#[derive(Debug, Clone)]
enum Judged {
    Registry(Value),
    Damaged(String),
    /// It could not be read, and that is taken for damage.
    TakenForDamaged(String),
    Failed(String),
}

/// A call.
pub(super) struct Call {
    from: From,
    act: Act,
    /// What its temp is named by.
    pub(super) pid: u64,
    next: usize,
    judged: Judged,
    /// What is to be written, and what to say then.
    wanted: Option<(Value, String)>,
    temp: String,
    said: Option<Said>,
    warnings: String,
}

impl Call {
    pub(super) fn new(from: From, act: &Act) -> Self {
        Call {
            from,
            act: act.clone(),
            pid: PID,
            next: 0,
            judged: Judged::Failed("nothing was read".to_owned()),
            wanted: None,
            temp: String::new(),
            said: None,
            warnings: String::new(),
        }
    }

    pub(super) fn step(&mut self, disk: &mut Naive) {
        let step = [Call::judge, Call::decide, Call::write, Call::rename, Call::look_again].get(self.next);
        self.next += 1;
        if let (Some(step), None) = (step, &self.said) {
            step(self, disk);
        }
    }

    pub(super) fn finish(&mut self, disk: &mut Naive) {
        while self.next < STEPS {
            self.step(disk);
        }
    }

    pub(super) fn said(self) -> Said {
        let mut said = self.said.expect("a call that took its steps says something");
        said.stderr.push_str(&self.warnings);
        said
    }

    fn say(&mut self, code: i32, stdout: &str, stderr: &str) {
        self.said = Some(Said { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() });
    }

    fn judge(&mut self, disk: &mut Naive) {
        self.judged = self.read(disk);
    }

    fn read(&self, disk: &Naive) -> Judged {
        let failed = |why: &str| match disk.has(Flaw::FailureIsDamage) {
            true => Judged::TakenForDamaged(why.to_owned()),
            false => Judged::Failed(why.to_owned()),
        };
        let text = match disk.files.get(&disk.path(self.from)) {
            _ if disk.no_descriptors => return failed("EMFILE"),
            Some(File::Folder) => return failed("EISDIR"),
            None => return Judged::Registry(json!({ "schema_version": 1, "leases": [] })),
            Some(File::Text(text)) => text,
        };
        match serde_json::from_str::<Value>(text) {
            Err(error) => Judged::Damaged(error.to_string()),
            Ok(value) if !value["leases"].is_array() => Judged::Damaged("`leases` is no array".to_owned()),
            Ok(value) if disk.has(Flaw::ShapeUnchecked) => Judged::Registry(value),
            Ok(value) if value["schema_version"] != 1 => {
                Judged::Failed(format!("it is of version {}, and this knows 1", value["schema_version"]))
            }
            Ok(value)
                if value["leases"].as_array().is_some_and(|leases| leases.iter().any(Value::is_null)) =>
            {
                Judged::Damaged("an entry is null".to_owned())
            }
            Ok(value) => Judged::Registry(value),
        }
    }

    fn decide(&mut self, disk: &mut Naive) {
        let registry = match self.judged.clone() {
            Judged::Registry(registry) => registry,
            Judged::Damaged(_) | Judged::TakenForDamaged(_) | Judged::Failed(_)
                if matches!(self.act, Act::Closeout { .. }) && disk.has(Flaw::SectionNull) =>
            {
                return self.say(0, "", "");
            }
            Judged::Failed(why) => return self.say(2, "", &format!("{FILE}: {why}")),
            Judged::Damaged(why) | Judged::TakenForDamaged(why) => match self.damaged(disk, &why) {
                Some(registry) => registry,
                None => return,
            },
        };
        match decide(disk, registry, &self.act) {
            Decided::Said(said) => self.said = Some(said),
            Decided::Write(registry, told) => self.wanted = Some((registry, told)),
        }
    }

    /// What a call does that found damage; a registry where it goes on with one.
    fn damaged(&mut self, disk: &mut Naive, why: &str) -> Option<Value> {
        let repairs = matches!(self.act, Act::Repair);
        let reads = matches!(self.act, Act::List | Act::History { .. } | Act::Closeout { .. });
        let empty = disk.has(Flaw::CorruptIsEmpty) || matches!(self.judged, Judged::TakenForDamaged(_));
        if repairs || (reads && disk.has(Flaw::ReaderMoves)) || (empty && !reads) {
            self.move_aside(disk);
        }
        if repairs {
            self.say(0, "", "");
        } else if empty {
            return Some(json!({ "schema_version": 1, "leases": [] }));
        } else {
            self.say(4, "", &format!("{FILE}: damaged: {why}"));
        }
        None
    }

    fn move_aside(&mut self, disk: &mut Naive) {
        // Under a lock the file is still the one that was judged, or another has moved it already.
        if !disk.has(Flaw::MovesByPath)
            && !matches!(self.read(disk), Judged::Damaged(_) | Judged::TakenForDamaged(_))
        {
            return;
        }
        let name = match disk.has(Flaw::NamedByTime) {
            true => format!("{FILE}.broken-{NOW_MS}"),
            false => format!("{FILE}.broken-{}", disk.draw()),
        };
        match disk.files.remove(&disk.path(self.from)) {
            Some(file) => drop(disk.files.insert(name, file)),
            None => self.warnings.push_str("quarantine rename failed"),
        }
    }

    fn write(&mut self, disk: &mut Naive) {
        let (registry, _) = self.wanted.as_ref().expect("what is refused has said so");
        if disk.disk_is_full {
            return self.say(2, "", "ENOSPC");
        }
        if !disk.has(Flaw::NeverSweeps) && !disk.has(Flaw::Unlocked) {
            disk.files.retain(|name, _| !name.ends_with(".tmp"));
        }
        let text = registry.to_string();
        let unique = if disk.has(Flaw::TempByPid) { self.pid } else { disk.draw() };
        self.temp = format!("{}.{unique}.tmp", disk.path(self.from));
        disk.files.insert(self.temp.clone(), File::Text(text));
    }

    fn rename(&mut self, disk: &mut Naive) {
        match disk.files.remove(&self.temp) {
            Some(file) => drop(disk.files.insert(disk.path(self.from), file)),
            None => self.say(1, "", "ENOENT: rename"),
        }
    }

    fn look_again(&mut self, disk: &mut Naive) {
        let (wrote, told) = self.wanted.take().expect("what is refused has said so");
        let stands = match self.read(disk) {
            Judged::Registry(registry) => registry,
            _ => Value::Null,
        };
        let count = |registry: &Value| registry["leases"].as_array().map(Vec::len);
        let is_seen = disk.has(Flaw::WarnOnly) && stands != wrote
            || disk.has(Flaw::Count) && count(&stands) != count(&wrote);
        if is_seen {
            self.warnings.push_str("a write may have been lost");
        }
        self.say(0, &told, "");
    }
}
