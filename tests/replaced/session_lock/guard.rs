//! What a guard of a checkout is asked, whoever has written it.

/// A session, by its place among those that were begun.
pub(super) type Who = usize;

/// Where a session works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// At the top of the checkout.
    Top,
    /// In a folder of it.
    Below,
    /// Through a symbolic link to it.
    Link,
    /// In a second worktree of the same repository.
    Worktree,
}

/// A tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// A shell command that checks out another branch.
    Moves,
    /// A shell command that only reads.
    Reads,
    /// A tool of a server that nobody knows.
    Unknown,
}

/// What a session is told before a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Passes,
    /// It is blocked, because of this.
    Blocked(String),
}

/// What is looked at first and done then, by a process that may be held up in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Refresh,
    Release,
}

/// What becomes of the bytes that the guard keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    CutShort,
    /// A folder stands where its file was: every read fails.
    Unreadable,
}

/// A guard, and the sessions that ask it.
pub(super) trait Guard {
    /// Begins a session with this id, in a process of its own, as a user with this home.
    fn begin(&mut self, id: &str, at: At, home: &str) -> Who;
    /// Before a call.
    fn asks(&mut self, who: Who, call: Call) -> Answer;
    /// The session's process is killed.
    fn dies(&mut self, who: Who);
    /// It is killed, and what it held is over: at once, or where the guard does not see that, with its TTL.
    fn lapses(&mut self, who: Who);
    /// The session's process is stopped.
    fn sleeps(&mut self, who: Who);
    /// It goes on.
    fn wakes(&mut self, who: Who);
}

/// A guard and the checkout that it guards.
pub(super) trait Checkout: Guard {
    /// The session's process.
    fn pid(&self, who: Who) -> u64;
    /// All of them ask at once, each about to move the checkout.
    fn ask_at_once(&mut self, all: &[Who]) -> Vec<Answer>;
    /// A turn is over.
    fn stops(&mut self, who: Who);
    /// The session is over.
    fn ends(&mut self, who: Who);
    /// Looks at what is there.
    fn begins(&mut self, who: Who, half: Half);
    /// Does it, by what was seen there.
    fn finishes(&mut self, who: Who, half: Half);
    /// The session's process is killed, and another has its number now.
    fn dies_and_its_number_is_used_again(&mut self, who: Who);
    /// More than the TTL passes, and no session asks anything.
    fn outlast_ttl(&mut self);
    /// What the guard keeps is damaged.
    fn damage(&mut self, how: Damage);
    /// How many records of calls there are that passed undecided.
    fn records(&self) -> usize;
    /// A person ends whatever is held.
    fn broken_by_hand(&mut self);
    /// Writes a document under what the session was granted last; whether it was let in.
    fn writes(&mut self, who: Who) -> bool;
}

/// A guard on a machine whose clocks a scenario sets.
pub(super) trait Timed: Guard {
    /// So much time passes.
    fn pass(&mut self, ms: u64);
    /// The wall clock that this session goes by is ahead of the others'.
    fn clock_is_ahead(&mut self, who: Who, ms: u64);
}
