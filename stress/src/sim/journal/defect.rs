//! The ways in which the protocol can be wrong.

/// What is wrong with a client or a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// An append compares that the key of the next revision is absent, which trimming makes true again.
    AbsenceAsCas,
    /// After an append that was not answered, the client decides anew without asking whether it was recorded.
    NoLookUp,
    /// After an append that was not answered, the client looks whether it was recorded, and writes no barrier.
    NoBarrier,
    /// An append that was not answered is reported as one that did not happen.
    AmbiguousIsNo,
    /// An operation id that the store may have forgotten is taken for one that was never recorded.
    ForgottenIsNo,
    /// A read is answered from what the client saw last.
    StaleRead,
    /// A commit is decided at the client's own clock.
    ClientClock,
    /// An append lands although a later time than its own was shown.
    EarlierThanShown,
    /// A trim does not compare: a late one brings an older folded state back.
    TrimAnyway,
    /// A crash leaves the version of the folded state as it is: a trim sent before brings back what was lost.
    TrimOfLost,
    /// The decision takes the holder's name for its claim: asking again under another claim is granted.
    HolderIsClaim,
    /// After a crash the revisions go on after the newest event that is left, not at the floor.
    FloorSkipped,
    /// A refusal or a read is answered before what it rests on is durable.
    NotDurable,
}

impl Defect {
    /// All of them.
    pub const ALL: [Defect; 13] = [
        Defect::AbsenceAsCas,
        Defect::NoLookUp,
        Defect::NoBarrier,
        Defect::AmbiguousIsNo,
        Defect::ForgottenIsNo,
        Defect::StaleRead,
        Defect::ClientClock,
        Defect::EarlierThanShown,
        Defect::TrimAnyway,
        Defect::TrimOfLost,
        Defect::HolderIsClaim,
        Defect::FloorSkipped,
        Defect::NotDurable,
    ];

    /// The name that reports print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Defect::AbsenceAsCas => "absence-as-CAS",
            Defect::NoLookUp => "no-look-up",
            Defect::NoBarrier => "no-barrier",
            Defect::AmbiguousIsNo => "ambiguous-is-no",
            Defect::ForgottenIsNo => "forgotten-is-no",
            Defect::StaleRead => "stale-read",
            Defect::ClientClock => "client-clock",
            Defect::EarlierThanShown => "earlier-than-shown",
            Defect::TrimAnyway => "trim-anyway",
            Defect::TrimOfLost => "trim-of-lost",
            Defect::HolderIsClaim => "same-holder-double",
            Defect::FloorSkipped => "token-floor-skipped",
            Defect::NotDurable => "answer-before-durable",
        }
    }
}
