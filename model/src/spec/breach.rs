//! The ways in which a history can break the rules.

use core::fmt;

macro_rules! breaches {
    ($($name:ident $word:literal $why:literal,)*) => {
        /// Which rule an answer breaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Breach {
            $(#[doc = $why] $name,)*
        }

        impl Breach {
            /// All of them.
            pub const ALL: &[Breach] = &[$(Breach::$name),*];

            /// Its short name, for machines.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Breach::$name => $word,)* }
            }

            /// The rule that it breaks, in a sentence.
            #[must_use]
            pub fn why(self) -> &'static str {
                match self { $(Breach::$name => $why,)* }
            }
        }
    };
}

breaches! {
    DoubleGrant "double-grant" "a lock was granted while another grant of it was surely live",
    TokenBack "token-back" "a grant carries a token that is not above an earlier one",
    TokenRepeated "token-repeated" "two grants carry one token",
    TokenChanged "token-changed" "the same holder and claim got a new token while its grant was surely live",
    TokenKept "token-kept" "a claim whose grant had surely lapsed kept its token",
    WrongToken "wrong-token" "an answer names another token than the one that was granted",
    WrongHolder "wrong-holder" "an answer names a holder that does not hold the lock",
    HeldByNobody "held-by-nobody" "a lock is called held that nobody holds",
    Late "late" "a lock is called held after its grant had surely lapsed",
    HeldByOwnClaim "held-by-own-claim" "a claim was refused its own live grant",
    FreeWhileHeld "free-while-held" "a lock is called free while a grant of it was surely live",
    ShorterExpiry "shorter-expiry" "an answer gives an expiry earlier than one that was promised",
    NotHolderOk "not-holder-ok" "a renew or release was done for somebody who does not hold the lock",
    ExpiredOk "expired-ok" "a renew or release was done after the grant had surely lapsed",
    WronglyRefused "wrongly-refused" "an operation was refused that the rules allow",
    WrongReason "wrong-reason" "an operation was refused for a reason that does not apply to it",
    InvalidOk "invalid-ok" "an invalid request was not answered fail",
    Malformed "malformed" "an answer lacks a value that it has to carry",
    LeaseOpenTwice "lease-open-twice" "a lease was granted while a grant of it was surely live",
    LeaseOverlap "lease-overlap" "a lease was granted that writes what another surely live one writes",
    LeaseAdvice "lease-advice" "a grant names other leases as beside it or crashed by it than there are in its way",
    LeaseCrowd "lease-crowd" "a grant crashed more leases than one may",
    LeaseCrashedLive "lease-crashed-live" "a lease was made crashed that was surely live, or was not open",
    LeaseNotReaped "lease-not-reaped" "a lease that had surely lapsed was not reaped",
    LeaseNotThere "lease-not-there" "a grant was refused for a lease that is not in its way",
    LeaseEndOk "lease-end-ok" "a lease was closed, crashed or cleared that could not be",
    LeaseState "lease-state" "an answer tells of a lease what it cannot be",
    RevisionMissing "revision-missing" "the target declares revisions, and an answer carries none",
    RevisionOrder "revision-order" "the revisions disagree with real time or with the answers, though another order explains them",
    StaleFence "stale-fence" "a guarded operation was done behind a newer grant",
    Regressed "regressed" "a task was moved down, or out of a terminal status, without a reopen",
    Overwritten "overwritten" "a step that did not name what stood took its place",
    StaleEpochOk "stale-epoch-ok" "a set of an epoch that was over was done",
    ReasonMissing "reason-missing" "an operation was done that needs a reason, without one",
    GatePassed "gate-passed" "a task entered a status whose gate was not met, and not by force",
    ForceUntold "force-untold" "a step by force is not recorded as one, or one is that was none",
    EpochKept "epoch-kept" "a reopen did not begin the epoch that it should",
    WrongStatus "wrong-status" "an answer shows another status, epoch, turn or detail than stands",
    WrongJoin "wrong-join" "a merge came to something else than the join of the two values",
    WrongAlready "wrong-already" "an answer is wrong about whether it was so before",
    ProposalLost "proposal-lost" "a list lacks a proposal that was made",
    ProposalAlien "proposal-alien" "an answer tells of a proposal that nobody made",
    ProposalState "proposal-state" "an answer tells another state of a proposal than it has",
    ProposalContent "proposal-content" "a proposal was made again under its id, with other content",
    ProposalEnds "proposal-ends" "a proposal was accepted after it was rejected, or rejected after it was accepted",
    ProposalDoubt "proposal-doubt" "a proposal is called in doubt, and nobody else wrote its file",
    ProseLost "prose-lost" "the content of an accepted proposal is not in its file, byte for byte",
    ProseTwice "prose-twice" "the content of a proposal is in its file more than once",
    ProseAlien "prose-alien" "the content of a proposal is in its file, and the proposal was not accepted",
    CounterValue "counter-value" "a counter's values fit no order of its increments",
    CounterLost "counter-lost" "two increments got one value: one of them was lost",
    CounterTorn "counter-torn" "a counter was read as something that is no whole number",
    LogLost "log-lost" "a record whose append was answered ok is not in the log",
    LogTwice "log-twice" "a record stands in the log more often than it was appended",
    LogAlien "log-alien" "a record stands in the log that nobody appended",
    LogTorn "log-torn" "a reader saw a torn or empty record, or one that is not as it was appended",
    LogOrder "log-order" "a record stands before one that had been acknowledged before it was sent",
    LogDuplicates "log-duplicates" "log.read reports other duplicate ids than there are",
    LogDamage "log-damage" "log.read reports damage, and nothing can have damaged the log",
    LogUnfinished "log-unfinished" "an answer of log.read carries no list of records",
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why())
    }
}
