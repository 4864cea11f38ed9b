//! What a registry of leases can be asked, and what can be done to it, by a scenario that does not know which it is.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::program::Said;

/// Something that is asked of a registry.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Grant {
        id: String,
        writes: Vec<String>,
        holder: &'static str,
        pid: Option<u64>,
    },
    Close {
        id: String,
        holder: &'static str,
    },
    Crash {
        id: String,
    },
    Clear {
        id: String,
        force: bool,
        reason: Option<&'static str>,
    },
    /// Every lease that ever was, a JSON object a line.
    List,
    /// What happened to a lease, an event a line.
    History {
        id: String,
    },
    Closeout {
        id: String,
        holder: &'static str,
    },
    /// Whatever makes a damaged registry work again.
    Repair,
}

/// A grant that writes what nobody else does.
pub(super) fn grant(id: &str, holder: &'static str) -> Act {
    writing(id, holder, &[&format!("work/{id}/")])
}

pub(super) fn writing(id: &str, holder: &'static str, writes: &[&str]) -> Act {
    let writes = writes.iter().map(|&entry| entry.to_owned()).collect();
    Act::Grant { id: id.to_owned(), writes, holder, pid: None }
}

pub(super) fn close(id: &str, holder: &'static str) -> Act {
    Act::Close { id: id.to_owned(), holder }
}

pub(super) fn crash(id: &str) -> Act {
    Act::Crash { id: id.to_owned() }
}

pub(super) fn closeout(id: &str, holder: &'static str) -> Act {
    Act::Closeout { id: id.to_owned(), holder }
}

/// From where something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum From {
    Main,
    LinkedWorktree,
    Subdirectory,
    Symlink,
}

/// What is done to the file of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoil {
    /// It holds this line alone.
    Garbage(&'static str),
    Empty,
    /// A folder stands in its place.
    Folder,
    /// No process has a file descriptor left to open it with.
    NoDescriptors,
    /// A later version of the program wrote it.
    Newer,
    /// One entry more, which is `null`.
    NullEntry,
}

/// A registry of leases, and the processes that use it.
pub(super) trait Registry {
    /// Another of the same kind, with nothing in it.
    fn anew(&self) -> Box<dyn Registry>;
    /// How often what happens at once is tried: once where the order of the steps is fixed.
    fn rounds(&self) -> usize;
    /// Does it, in a process of its own.
    fn does(&mut self, from: From, act: &Act) -> Said;
    /// Two processes at once.
    fn two_at_once(&mut self, one: &Act, other: &Act) -> [Said; 2];
    /// The same in two containers, in which pids mean nothing to each other.
    fn in_two_containers(&mut self, one: &Act, other: &Act) -> [Said; 2];
    /// The first is held up as soon as it has judged what it read, and the others run meanwhile.
    fn held_up(&mut self, first: &Act, others: &[Act]) -> Vec<Said>;
    /// Does it, and is killed in the middle of its first write.
    fn killed_writing(&mut self, act: &Act);
    /// Does it on a disk that takes no byte more.
    fn on_a_full_disk(&mut self, act: &Act) -> Said;
    fn spoil(&mut self, how: Spoil);
    /// What [`Spoil::Folder`] or [`Spoil::NoDescriptors`] did is undone.
    fn mend(&mut self);
    /// The ids of leases are numbers.
    fn ids_are_numbers(&mut self);
    /// Begins a process that works.
    fn worker(&mut self) -> u64;
    /// Kills it.
    fn kill(&mut self, pid: u64);
    /// Every file that it has anywhere, with its bytes.
    fn files(&self) -> BTreeMap<String, Vec<u8>>;
}

/// A lease as it is listed: its state and its holder.
pub(super) type Listed = BTreeMap<String, (String, String)>;

/// What is listed, where listing works.
pub(super) fn listed(registry: &mut dyn Registry) -> Result<Listed, String> {
    let said = registry.does(From::Main, &Act::List);
    if said.code != 0 {
        return Err(format!("the list ends with {}: {}", said.code, said.stderr));
    }
    let mut found = Listed::new();
    for line in said.stdout.lines() {
        let object: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        found.insert(text("lease"), (text("state"), text("holder")));
    }
    Ok(found)
}

/// The state of a lease, blank where there is none.
pub(super) fn state(registry: &mut dyn Registry, id: &str) -> Result<String, String> {
    Ok(listed(registry)?.remove(id).map(|(state, _)| state).unwrap_or_default())
}
