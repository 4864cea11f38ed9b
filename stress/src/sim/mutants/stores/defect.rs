//! What can be wrong with the store.

/// What is wrong with a store of one document and one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// Nothing: the control.
    None,
    /// M01: reads, changes and renames without a lock.
    RmwNolock,
    /// M03: who does not get the lock in time goes on without it.
    UnlockedFallback,
    /// M09: the writer takes the lock that who calls it has taken.
    NestedLock,
    /// M10: what cannot be read is replaced by a default.
    CorruptToDefault,
    /// M11: the document is cut and written where it stands.
    InplaceWrite,
    /// M13: what a killed or failed writer left is never removed.
    TmpLeak,
    /// M13: temps are removed without the lock, a live writer's too.
    SweepsLive,
    /// M14: a write that failed is logged, and answered as done.
    SwallowWriteError,
    /// M15: the document gets the mode of the temp.
    ModeDrop,
    /// M15: the document takes the place of a symlink.
    SymlinkDrop,
    /// M16: a record is appended to a line that was never ended.
    TornTailGlue,
    /// M17: a reader fails at a last line that is not ended.
    TailThrows,
    /// M17: a reader returns a last line that is not ended.
    TailReturned,
    /// M18: an id is the number of lines plus one, counted before the lock.
    LengthId,
    /// M30: the lock is one of the process's memory.
    ThreadOnlyMutex,
    /// M34: what was found damaged before the lock is moved away under it, whatever stands there by then.
    QuarantineHealthy,
    /// M35: what could not be read counts as damaged.
    IoErrorIsCorrupt,
}

impl Defect {
    /// All but none.
    pub const ALL: [Defect; 17] = [
        Defect::RmwNolock,
        Defect::UnlockedFallback,
        Defect::NestedLock,
        Defect::CorruptToDefault,
        Defect::InplaceWrite,
        Defect::TmpLeak,
        Defect::SweepsLive,
        Defect::SwallowWriteError,
        Defect::ModeDrop,
        Defect::SymlinkDrop,
        Defect::TornTailGlue,
        Defect::TailThrows,
        Defect::TailReturned,
        Defect::LengthId,
        Defect::ThreadOnlyMutex,
        Defect::QuarantineHealthy,
        Defect::IoErrorIsCorrupt,
    ];

    /// The name that reports print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Defect::None => "control careful document and log",
            Defect::RmwNolock => "M01 rmw-nolock",
            Defect::UnlockedFallback => "M03 unlocked-fallback",
            Defect::NestedLock => "M09 nested-lock",
            Defect::CorruptToDefault => "M10 corrupt-to-default",
            Defect::InplaceWrite => "M11 inplace-write",
            Defect::TmpLeak => "M13 tmp-leak",
            Defect::SweepsLive => "M13 live temp swept",
            Defect::SwallowWriteError => "M14 swallow-write-error",
            Defect::ModeDrop => "M15 mode-drop",
            Defect::SymlinkDrop => "M15 symlink-drop",
            Defect::TornTailGlue => "M16 torn-tail-glue",
            Defect::TailThrows => "M17 torn-tail-throws",
            Defect::TailReturned => "M17 torn tail returned",
            Defect::LengthId => "M18 length-id",
            Defect::ThreadOnlyMutex => "M30 thread-only-mutex",
            Defect::QuarantineHealthy => "M34 quarantine-healthy",
            Defect::IoErrorIsCorrupt => "M35 ioerror-is-corrupt",
        }
    }
}
