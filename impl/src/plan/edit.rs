//! The edit of a plan file: statuses are replaced, and not one other byte.

use super::block::Task;
use super::read::{Read, read};

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A status that cannot be written there so that it is read again: the place of the task among the edits.
    Unwritable(usize),
}

/// Puts new statuses in the place of those of these tasks, which were read from `bytes`, in the order of the file. What
/// comes of it is read once more: it must say the new statuses, and else what it said before.
///
/// # Panics
/// If the tasks are not those of the file, or not in order.
#[must_use]
pub fn edit(bytes: &[u8], changes: &[(&Task, &str)]) -> Edited {
    let mut edited = Vec::with_capacity(bytes.len() + 16 * changes.len());
    let mut done = 0;
    for (task, to) in changes {
        assert_eq!(&bytes[task.at.clone()], task.status.as_bytes(), "a task of another file");
        edited.extend_from_slice(&bytes[done..task.at.start]);
        edited.extend_from_slice(to.as_bytes());
        done = task.at.end;
    }
    edited.extend_from_slice(&bytes[done..]);
    let (before, after) = (read(bytes), read(&edited));
    let said = |read: &Read| read.troubles.clone();
    let wanted = |(index, task): (usize, &Task)| {
        let change = changes.iter().position(|(changed, _)| changed.at == task.at);
        let status = change.map_or(task.status.as_str(), |change| changes[change].1);
        let is = after
            .tasks
            .get(index)
            .is_some_and(|found| found.id == task.id && found.line == task.line && found.status == status);
        (!is).then_some(change.unwrap_or(0))
    };
    let wrong = before.tasks.iter().enumerate().find_map(wanted);
    let same = before.tasks.len() == after.tasks.len() && said(&before) == said(&after);
    match wrong.or((!same).then_some(0)) {
        None => Edited::Bytes(edited),
        Some(change) => Edited::Unwritable(change),
    }
}
