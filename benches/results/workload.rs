//! What is asked of every subject, and who offers what.

use super::Subject;

/// What the processes do, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// One small record each.
    Commit,
    /// One lock for all, nothing to do under it.
    Lock,
    /// The same with 1 ms of work under it.
    LockWork,
    /// One record at the end of a log that all share.
    Log,
    /// One number in a file that all count up.
    Counter,
}

/// Whether a subject does this at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It does.
    Yes,
    /// It does not, or it would be the same as another row; this says why.
    No(&'static str),
}

impl Workload {
    /// All of them, in the order of the sections.
    pub const ALL: [Workload; 5] =
        [Workload::Commit, Workload::Lock, Workload::LockWork, Workload::Log, Workload::Counter];

    /// Its word on a command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Workload::Commit => "commit",
            Workload::Lock => "lock",
            Workload::LockWork => "lock-1ms",
            Workload::Log => "log",
            Workload::Counter => "counter",
        }
    }

    /// The workload of this word.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Workload::ALL.into_iter().find(|workload| workload.id() == id)
    }

    /// The heading of its section.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Workload::Commit => "One small commit",
            Workload::Lock => "One lock for all",
            Workload::LockWork => "One lock for all, 1 ms of work under it",
            Workload::Log => "A shared log",
            Workload::Counter => "A shared counter",
        }
    }

    /// What one operation is.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Workload::Commit => {
                "Each operation records one small thing: ours takes a lock on a name of its own; SQLite and redb insert \
                 a row; the bare calls append a line; the JSON files hold the last 64 records and are replaced."
            }
            Workload::Lock => {
                "Each operation takes the one lock that all want, and lets it go. Ours writes two durable events for it \
                 and gives a token; the others write nothing, and their lock is gone with the process."
            }
            Workload::LockWork => {
                "The same, and whoever has the lock computes for 1 ms before it lets go: 1,000 a second is the most \
                 that there can be."
            }
            Workload::Log => {
                "Each operation adds one record to a log that all share. Ours is an NDJSON file that it also reads back; \
                 SQLite and redb insert a row; the others append a line and sync it under their lock."
            }
            Workload::Counter => {
                "Each operation adds one to a number that all share: read, changed, written. At the end of every round \
                 the number is compared with what was acknowledged."
            }
        }
    }

    /// What its rates count.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Workload::Commit => "commits/s",
            Workload::Lock | Workload::LockWork => "turns/s",
            Workload::Log => "records/s",
            Workload::Counter => "increments/s",
        }
    }

    /// Whether it is about a lock, and leaves no records to count.
    #[must_use]
    pub fn is_lock(self) -> bool {
        matches!(self, Workload::Lock | Workload::LockWork)
    }

    /// The work under the lock, in microseconds.
    #[must_use]
    pub fn work_us(self) -> u64 {
        if self == Workload::LockWork { 1_000 } else { 0 }
    }
}

/// Whether `subject` does `workload` with so many processes.
#[must_use]
pub fn offer(subject: Subject, workload: Workload, processes: usize) -> Offer {
    let locks = workload.is_lock();
    match subject {
        Subject::Redb if locks => Offer::No("has no lock that processes could share, and none with a name"),
        Subject::Redb if processes > 1 => Offer::No(
            "one process at a time has the file, by design; opening it anew for every operation would measure our \
             retries, and the experimental mode for several processes is not used",
        ),
        Subject::OursRelaxed if matches!(workload, Workload::Log | Workload::Counter) => {
            Offer::No("logs and documents are always durable: see the row above")
        }
        Subject::SqliteNormal if locks => {
            Offer::No("a transaction that writes nothing syncs nothing either way: see the row above")
        }
        Subject::Json if locks => Offer::No("its lock is that of the bare system calls"),
        Subject::Json if workload == Workload::Log => Offer::No(
            "a JSON file is no log; appending a line under flock is the row of the bare system calls",
        ),
        _ => Offer::Yes,
    }
}
