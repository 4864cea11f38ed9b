//! The wrong lease machines by name.

macro_rules! mutants {
    ($($(#[doc = $why:literal])+ $name:ident,)*) => {
        /// One wrong machine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum LeaseMutant {
            $($(#[doc = $why])+ $name,)*
        }

        impl LeaseMutant {
            /// All of them.
            pub const ALL: &[LeaseMutant] = &[$(LeaseMutant::$name),*];
        }
    };
}

mutants! {
    /// An open lease is granted once more.
    GrantedTwice,
    /// A grant by the holder of a live lease renews it.
    Renewed,
    /// A new grant takes over the token of the one before.
    TokenReused,
    /// A closed lease is never granted again.
    EndIsFinal,
    /// Write sets are not looked at.
    OverlapIgnored,
    /// Only what lies above a new entry overlaps it.
    OverlapUpwards,
    /// Only what lies below a new entry overlaps it.
    OverlapDownwards,
    /// Only equal entries overlap.
    PrefixIgnored,
    /// A glob overlaps nothing but itself.
    GlobIgnored,
    /// A lapsed lease refuses overlaps.
    LapsedInTheWay,
    /// An overlap is refused where it is only to be told.
    AdviceRefuses,
    /// An overlap is not told.
    AdviceSilent,
    /// A grant does not crash what has lapsed in its way.
    LapsedStays,
    /// A grant crashes what lives in its way.
    LiveCrashed,
    /// Leading zeros make another lease.
    IdAsItStands,
    /// Trailing zeros make no other lease.
    IdTrimmed,
    /// A TTL ends a lease whose process lives.
    TtlEndsLive,
    /// A TTL ends a lease one instant late.
    LapsesLate,
    /// A TTL does not count where the process cannot be seen.
    UnseenForEver,
    /// A process that cannot be seen counts as dead.
    UnseenIsDead,
    /// A process is known by its pid alone.
    PidOnly,
    /// An earlier boot's process is looked for in this one.
    BootIgnored,
    /// A reap takes what lives.
    ReapsLive,
    /// A reap takes whatever grant there is.
    ReapsAnyGrant,
    /// A close shows nothing.
    CloseUnproven,
    /// A close by another holder is done.
    CloseByAnybody,
    /// A holder may not close what has lapsed.
    LapsedNotClosed,
    /// A close that is repeated is refused.
    RepeatRefused,
    /// A close that is repeated is recorded once more, whatever token it shows.
    RepeatRecorded,
    /// A closed or crashed lease is crashed.
    EndedCrashed,
    /// A crash with an older token is done.
    CrashStale,
    /// A crash needs no reason.
    BlankCrash,
    /// An open lease is cleared without force.
    ClearUnforced,
    /// Force needs no reason.
    BlankForce,
    /// A cleared lease is cleared once more.
    ClearedTwice,
    /// A close leaves the write set in the index.
    IndexKeepsClosed,
    /// A crash leaves the write set in the index.
    IndexKeepsCrashed,
    /// A grant does not enter its write set into the index.
    IndexLacksGranted,
    /// A rotation forgets what is younger than the memory.
    ForgetsEarly,
    /// A rotation forgets what crashed.
    ForgetsCrashed,
    /// A rotation does not give up what it forgets.
    ForgetsSilently,
}
