//! What is measured: ours, and what people use today.

/// Something that many processes can write with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Fencehold, each answer after the disk has it.
    Ours,
    /// Fencehold, answers before the disk has them.
    OursRelaxed,
    /// `flock`, `write` and `fdatasync`, with nothing around them.
    Bare,
    /// SQLite in WAL mode, `synchronous=FULL`.
    SqliteFull,
    /// SQLite in WAL mode, `synchronous=NORMAL`.
    SqliteNormal,
    /// redb.
    Redb,
    /// A JSON file that is replaced under `flock`.
    Json,
    /// A JSON file that is replaced under a lock of the npm package `proper-lockfile`.
    ProperLockfile,
    /// A JSON file that is replaced under a lock of the Python package `filelock`.
    Filelock,
}

impl Subject {
    /// All of them, in the order of the rows.
    pub const ALL: [Subject; 9] = [
        Subject::Ours,
        Subject::OursRelaxed,
        Subject::Bare,
        Subject::SqliteFull,
        Subject::SqliteNormal,
        Subject::Redb,
        Subject::Json,
        Subject::ProperLockfile,
        Subject::Filelock,
    ];

    /// Its word on a command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Subject::Ours => "fencehold",
            Subject::OursRelaxed => "fencehold-relaxed",
            Subject::Bare => "bare",
            Subject::SqliteFull => "sqlite-full",
            Subject::SqliteNormal => "sqlite-normal",
            Subject::Redb => "redb",
            Subject::Json => "json-flock",
            Subject::ProperLockfile => "proper-lockfile",
            Subject::Filelock => "filelock",
        }
    }

    /// The subject of this word.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Subject::ALL.into_iter().find(|subject| subject.id() == id)
    }

    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Subject::Ours => "Fencehold",
            Subject::OursRelaxed => "Fencehold, relaxed",
            Subject::Bare => "bare system calls",
            Subject::SqliteFull => "SQLite WAL, FULL",
            Subject::SqliteNormal => "SQLite WAL, NORMAL",
            Subject::Redb => "redb",
            Subject::Json => "JSON under flock",
            Subject::ProperLockfile => "JSON, proper-lockfile",
            Subject::Filelock => "JSON, filelock",
        }
    }

    /// How it is used here.
    #[must_use]
    pub fn how(self) -> &'static str {
        match self {
            Subject::Ours => "the library, in Rust; every answer waits for the disk",
            Subject::OursRelaxed => {
                "the same with `durability = relaxed`; logs and documents know no such mode"
            }
            Subject::Bare => "flock, write or pwrite, fdatasync, in Rust; a counter is overwritten in place",
            Subject::SqliteFull => {
                "one transaction each, prepared statements, busy_timeout, from Rust (rusqlite, its own SQLite)"
            }
            Subject::SqliteNormal => {
                "the same with synchronous=NORMAL: a commit is not synced, a checkpoint is"
            }
            Subject::Redb => "one transaction each, Durability::Immediate, in Rust",
            Subject::Json => {
                "under flock: read, change, write beside, fsync, rename, fsync of the folder, in Rust"
            }
            Subject::ProperLockfile => {
                "the same in JavaScript; retries after 1 to 10 ms (the package does not retry unless told how)"
            }
            Subject::Filelock => {
                "the same in Python; polls every 1 ms (the package's default of 50 ms waits longer)"
            }
        }
    }

    /// What it promises of a record that it acknowledged, when the power is cut.
    #[must_use]
    pub fn durable(self) -> &'static str {
        match self {
            Subject::OursRelaxed | Subject::SqliteNormal => {
                "after a kill yes, after a power cut the last ones may be gone"
            }
            Subject::Bare => "records yes; a counter may be torn, and a half line is nobody's to mend",
            _ => "yes",
        }
    }

    /// Whether a holder that was slow is refused once another has taken over.
    #[must_use]
    pub fn fenced(self) -> &'static str {
        match self {
            Subject::Ours | Subject::OursRelaxed => {
                "yes: a lock outlives its process or lapses, and its token is refused at the file once it is old"
            }
            Subject::Bare | Subject::Json => "no; the lock is the process's own and ends with it",
            Subject::SqliteFull | Subject::SqliteNormal => "no; the lock is the transaction and ends with it",
            Subject::Redb => "no locks between processes: one process has the file",
            Subject::ProperLockfile => {
                "no; a lock not refreshed for 10 s is taken over, and its old holder may still write"
            }
            Subject::Filelock => "no; the lock is the process's own and ends with it",
        }
    }
}
