//! What a step of a process touches, and which steps commute.
//!
//! A step is a call and all that its process does until its next call. Two steps of different processes *commute* if
//! neither writes what the other touches: then both orders lead to the same world, and neither lets or keeps the other
//! from going on. What is touched is noted while the step runs, by inode and not by path: a file may have been moved
//! under an open description.

/// Something that a step reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// The bytes, size and mode of an inode.
    Data(u64),
    /// The OS lock of an inode.
    Lock(u64),
    /// An entry of a directory: the directory's inode, the hash of the name.
    Name(u64, u64),
    /// The list of names of a directory, by its inode.
    Names(u64),
    /// The inode numbers that are free: taking one writes, giving one back reads, for it does not matter in which order
    /// two are given back.
    Numbers,
    /// The monotonic clock or the wall clock.
    Clock,
    /// Whether a process is alive, by its number.
    Life(usize),
    /// What processes and the judge share outside of the world.
    Outside,
    /// Everything.
    All,
}

/// What a step touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched(Vec<(Thing, bool)>);

/// Whether two steps may be made in either order: [`Touched::commutes`], or one that is wrong on purpose.
pub type Relation = fn(&Touched, &Touched) -> bool;

impl Touched {
    /// Notes that something is read or written.
    pub fn note(&mut self, thing: Thing, written: bool) {
        match self.0.iter_mut().find(|noted| noted.0 == thing) {
            Some(noted) => noted.1 |= written,
            None => self.0.push((thing, written)),
        }
    }

    /// Whether this step and that one may be made in either order.
    #[must_use]
    pub fn commutes(&self, other: &Touched) -> bool {
        let has_all = |touched: &Touched| touched.0.iter().any(|noted| noted.0 == Thing::All);
        if has_all(self) || has_all(other) {
            return false;
        }
        let clash = |a: &(Thing, bool), b: &(Thing, bool)| a.0 == b.0 && (a.1 || b.1);
        !self.0.iter().any(|a| other.0.iter().any(|b| clash(a, b)))
    }

    pub(super) fn join(&mut self, other: &Touched) {
        other.0.iter().for_each(|(thing, written)| self.note(*thing, *written));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
