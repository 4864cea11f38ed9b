//! What befalls totals that several add to: each scenario is `Ok` where they are the sum of what was told to be added.

pub(super) type Outcome = Result<(), String>;

/// A writer.
pub(super) type Who = usize;

/// What is left of a lock by a process that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It died between making the file and writing into it.
    Empty,
    /// Its clock was an hour ahead.
    FromTheFuture,
}

/// Totals in a JSON file, and the processes that add to them.
pub(super) trait Totals {
    /// A writer has read, and is held up before it writes; none where it is refused.
    fn begins(&mut self) -> Option<Who>;
    /// It goes on to its end; whether it was told that one is added.
    fn goes_on(&mut self, who: Who) -> bool;
    /// It is killed where it is.
    fn dies(&mut self, who: Who);
    /// It has ended, and what it does at its end comes once more.
    fn ends_again(&mut self, who: Who);
    /// A writer that nobody holds up; whether it was told that one is added, and what it said beside.
    fn adds(&mut self) -> (bool, String);
    /// Two of them at once; how many were told.
    fn two_add(&mut self) -> usize;
    fn eleven_seconds_pass(&mut self);
    fn left(&mut self, how: Left);
    /// The file is cut in half.
    fn damage(&mut self);
    /// A writer, on a disk that takes a part of what it writes; whether it was told that one is added.
    fn adds_on_a_full_disk(&mut self) -> bool;
    fn bytes(&self) -> Vec<u8>;
    /// None where it cannot be read.
    fn total(&self) -> Option<usize>;
    /// A session counts an edit of a file.
    fn edits(&mut self, session: &str, file: &str);
    /// How often that session did.
    fn edited(&mut self, session: &str, file: &str) -> usize;
    /// A key of the totals is deleted.
    fn deletes(&mut self, key: &str);
}

fn need(is: bool, what: impl FnOnce() -> String) -> Outcome {
    if is { Ok(()) } else { Err(what()) }
}

fn is_the_sum(totals: &dyn Totals, told: usize) -> Outcome {
    let total = totals.total();
    need(total == Some(told), || format!("{told} were told that they added one, and it is {total:?}"))
}

fn begins(totals: &mut dyn Totals, what: &str) -> Result<Who, String> {
    totals.begins().ok_or_else(|| format!("{what}: it is refused"))
}

/// One is let in, and another comes while it is inside.
fn one_inside_and_another(totals: &mut dyn Totals, added: usize, what: &str) -> Outcome {
    let inside = begins(totals, what)?;
    let (other, _) = totals.adds();
    let told = usize::from(other) + usize::from(totals.goes_on(inside));
    is_the_sum(totals, added + told)?;
    need(told > 0, || "nobody could add".to_owned())?;
    let (free, _) = totals.adds();
    need(free, || "it is not free afterwards".to_owned())
}

pub(super) fn it_is_held_for_longer_than_one_waits(totals: &mut dyn Totals) -> Outcome {
    one_inside_and_another(totals, 0, "nobody is inside")
}

pub(super) fn its_holder_was_killed(totals: &mut dyn Totals) -> Outcome {
    let dead = begins(totals, "nobody is inside")?;
    totals.dies(dead);
    one_inside_and_another(totals, 0, "the holder is dead")
}

pub(super) fn two_come_behind_a_dead_one(totals: &mut dyn Totals) -> Outcome {
    let dead = begins(totals, "nobody is inside")?;
    totals.dies(dead);
    totals.eleven_seconds_pass();
    let told = totals.two_add();
    need(told > 0, || "neither could add".to_owned())?;
    is_the_sum(totals, told)
}

pub(super) fn one_that_has_ended_releases_again(totals: &mut dyn Totals) -> Outcome {
    let first = begins(totals, "nobody is inside")?;
    need(totals.goes_on(first), || "it could not add".to_owned())?;
    let second = begins(totals, "the first has ended")?;
    totals.ends_again(first);
    let (third, _) = totals.adds();
    let told = 1 + usize::from(third) + usize::from(totals.goes_on(second));
    is_the_sum(totals, told)
}

pub(super) fn it_is_held_for_eleven_seconds(totals: &mut dyn Totals) -> Outcome {
    let slow = begins(totals, "nobody is inside")?;
    totals.eleven_seconds_pass();
    let (other, _) = totals.adds();
    let told = usize::from(other) + usize::from(totals.goes_on(slow));
    is_the_sum(totals, told)
}

pub(super) fn an_empty_lock_file_is_left(totals: &mut dyn Totals) -> Outcome {
    totals.left(Left::Empty);
    totals.eleven_seconds_pass();
    one_inside_and_another(totals, 0, "an empty lock file")
}

pub(super) fn a_lock_file_from_the_future_is_left(totals: &mut dyn Totals) -> Outcome {
    totals.left(Left::FromTheFuture);
    totals.eleven_seconds_pass();
    one_inside_and_another(totals, 0, "a lock file from the future")
}

pub(super) fn they_are_half_written(totals: &mut dyn Totals) -> Outcome {
    need(totals.adds().0, || "nobody is in the way".to_owned())?;
    totals.damage();
    let before = totals.bytes();
    for _ in 0..2 {
        let (told, _) = totals.adds();
        need(totals.bytes() == before, || format!("it begins anew: {:?}", totals.total()))?;
        need(!told, || "it was told that one is added".to_owned())?;
    }
    Ok(())
}

pub(super) fn the_disk_takes_a_part(totals: &mut dyn Totals) -> Outcome {
    need(totals.adds().0, || "nobody is in the way".to_owned())?;
    let before = totals.bytes();
    let told = totals.adds_on_a_full_disk();
    need(totals.bytes() == before, || "a part of it stands there".to_owned())?;
    need(!told, || "it was told that one is added".to_owned())?;
    need(totals.adds().0, || "there is space again".to_owned())?;
    is_the_sum(totals, 2)
}

pub(super) fn nobody_is_in_the_way(totals: &mut dyn Totals) -> Outcome {
    for added in 1..=3 {
        let (told, said) = totals.adds();
        need(told && said.is_empty(), || format!("nobody is in the way, and it says {said:?}"))?;
        is_the_sum(totals, added)?;
    }
    Ok(())
}

pub(super) fn two_sessions_edit_one_file(totals: &mut dyn Totals) -> Outcome {
    for (session, times) in [("one", 2), ("two", 1)] {
        (0..times).for_each(|_| totals.edits(session, "src.rs"));
    }
    let edited = ["one", "two"].map(|session| totals.edited(session, "src.rs"));
    need(edited == [2, 1], || format!("one edited it twice and the other once; it is said {edited:?}"))
}

pub(super) fn a_key_is_deleted(totals: &mut dyn Totals) -> Outcome {
    need(totals.adds().0, || "nobody is in the way".to_owned())?;
    totals.deletes("hits");
    need(totals.adds().0, || "nobody is in the way".to_owned())?;
    let text = String::from_utf8_lossy(&totals.bytes()).into_owned();
    need(!text.contains("hits"), || format!("what was deleted is back: {text}"))?;
    is_the_sum(totals, 2)
}
