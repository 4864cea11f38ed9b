//! The judge: what was answered is there, what is there was asked for, and what stood there before is not harmed.

use super::client::Trouble;
use super::document::{Seen, seen};
use super::log::{Record, records};
use super::starts::{BROKEN, DAMAGED, DOCUMENT, LOG, OLD, Start, TEMP};
use super::told::{Heard, What};
use crate::sim::disk::Disk;
use crate::sim::world::{Counts, Ended, World};

pub(super) fn judge(world: &World, start: Start, ended: &[Ended<()>], told: &[Heard]) -> Result<(), String> {
    if world.deadlocked() {
        return Err("processes wait for each other without end".to_owned());
    }
    if let Some(Ended::Panicked(text)) = ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        return Err(format!("a process panicked: {text}"));
    }
    failures(told, start, world.counts())?;
    world.disk(|disk| {
        aside(disk, start)?;
        number(disk, start, told)?;
        log(disk, told)?;
        start.dressed(disk)?;
        match disk.files().find(|(path, _)| path.to_string_lossy().ends_with(TEMP)) {
            Some((path, _)) => Err(format!("{} is left, and was not swept", path.display())),
            None => Ok(()),
        }
    })
}

/// An operation fails for a reason: damage that is there, time that passed, a call that failed, once each.
fn failures(told: &[Heard], start: Start, counts: Counts) -> Result<(), String> {
    let mut failed_calls = 0;
    for heard in told {
        match heard {
            Heard::Wrong(what) => return Err(what.clone()),
            Heard::Failed(what, Trouble::Damaged) if !start.damaged => {
                return Err(format!("{what:?}: a healthy document is taken for damaged"));
            }
            Heard::Failed(what, Trouble::Busy) if counts.stalls == 0 => {
                return Err(format!("{what:?}: the lock was not got, though no time passed"));
            }
            Heard::Failed(_, Trouble::Swept) => return Err("the temp of a live writer was swept".to_owned()),
            Heard::Failed(_, Trouble::Unreadable(why)) => {
                return Err(format!("a reader of the log fails: {why}"));
            }
            Heard::Failed(_, Trouble::Io(_) | Trouble::Half(_)) => failed_calls += 1,
            _ => {}
        }
        if let Heard::Failed(what, Trouble::Io(error) | Trouble::Half(error)) = heard
            && failed_calls > counts.errors
        {
            return Err(format!("{what:?} failed though no call did: {error}"));
        }
    }
    // Who moved it aside may have been killed before it was told.
    let said = told.iter().any(|heard| matches!(heard, Heard::Failed(_, Trouble::Damaged)));
    let written = told.iter().any(|heard| matches!(heard, Heard::Done(What::Increment)));
    if start.damaged && written && !said && counts.kills == 0 {
        return Err("a damaged document was written anew, and nobody was told".to_owned());
    }
    Ok(())
}

/// What was damaged is still somewhere, and what was healthy was not moved away.
fn aside(disk: &Disk, start: Start) -> Result<(), String> {
    let mut kept = false;
    for (path, bytes) in disk.files() {
        let is_aside = path.to_string_lossy().contains(BROKEN);
        kept |= bytes == DAMAGED;
        if is_aside && bytes != DAMAGED {
            return Err(format!("a healthy document was moved to {}", path.display()));
        }
    }
    if start.damaged && !kept {
        return Err("the damaged document's bytes are gone".to_owned());
    }
    Ok(())
}

fn number(disk: &Disk, start: Start, told: &[Heard]) -> Result<(), String> {
    let document = disk.resolve(DOCUMENT.as_ref()).ok().and_then(|path| disk.contents(path));
    let number = match document.map_or(Seen::Nothing, seen) {
        Seen::Whole(number) => number,
        Seen::Nothing if start.damaged => 0,
        Seen::Damaged if start.damaged && document == Some(DAMAGED) => 0,
        Seen::Nothing | Seen::Damaged => return Err("there is no whole document left".to_owned()),
    };
    let count = |is: fn(&Heard) -> bool| told.iter().filter(|heard| is(heard)).count() as u64;
    let done = count(|heard| matches!(heard, Heard::Done(What::Increment)));
    let not = count(|heard| matches!(heard, Heard::Failed(What::Increment, _)));
    let most = count(|heard| matches!(heard, Heard::Asked(What::Increment))) - not;
    let from = start.number();
    if number < from + done || number > from + most {
        return Err(format!(
            "{done} increments of {from} were answered, {most} may have happened, and {number} is there"
        ));
    }
    Ok(())
}

fn log(disk: &Disk, told: &[Heard]) -> Result<(), String> {
    let there: Vec<Record> = records(disk.contents(LOG).unwrap_or_default());
    let times = |text: &str| there.iter().filter(|record| record.text == text).count();
    if times(OLD) != 1 {
        return Err(format!("the record that was there is there {} times", times(OLD)));
    }
    for heard in told {
        let (text, allowed) = match heard {
            Heard::Done(What::Append(text)) => (text, 1..=1),
            Heard::Failed(What::Append(text), trouble) if !matches!(trouble, Trouble::Half(_)) => {
                (text, 0..=0)
            }
            Heard::Asked(What::Append(text)) => (text, 0..=1),
            _ => continue,
        };
        if !allowed.contains(&times(text)) {
            return Err(format!("record {text} is there {} times, and was answered: {heard:?}", times(text)));
        }
    }
    let mut ids: Vec<u64> = there.iter().map(|record| record.id).collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two records have the id {}", pair[0])),
        None => Ok(()),
    }
}
