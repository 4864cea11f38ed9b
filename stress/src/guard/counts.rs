//! How often what happened, and what must have happened for a run to mean anything.

/// How often what was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Hook processes that answered.
    pub hooks: u64,
    /// Tool calls that were asked about.
    pub calls: u64,
    /// Moving calls that passed.
    pub passes: u64,
    /// Moving calls that were blocked because another session has the lock.
    pub blocks: u64,
    /// Edits that passed.
    pub edits: u64,
    /// Edits that were blocked because of another's lease.
    pub edit_blocks: u64,
    /// Edits in guarded globs that passed.
    pub guarded: u64,
    /// Edits in guarded globs that were blocked because another session has the lock.
    pub guarded_blocks: u64,
    /// Calls without a whole payload that were blocked.
    pub bad_blocks: u64,
    /// Calls that were blocked because the hook could not decide in time.
    pub undecided: u64,
    /// Sessions whose process was killed.
    pub kills: u64,
    /// Of these, with the hook left alone.
    pub kills_alone: u64,
    /// Killed sessions that had the lock, and another got it.
    pub takeovers: u64,
    /// Stops and continuations.
    pub stops: u64,
    /// Sessions that told their end.
    pub ends: u64,
    /// Locks broken by hand.
    pub breaks: u64,
    /// Leases granted.
    pub leases: u64,
    /// The longest that a hook took, in microseconds.
    pub longest_us: u64,
}

impl Counts {
    /// What must have happened sometimes, and how often it did.
    fn sometimes(&self) -> [(&'static str, u64); 8] {
        [
            ("moving calls passed", self.passes),
            ("moving calls blocked", self.blocks),
            ("edits blocked", self.edit_blocks),
            ("edits in guarded globs passed", self.guarded),
            ("edits in guarded globs blocked", self.guarded_blocks),
            ("calls without a whole payload blocked", self.bad_blocks),
            ("sessions killed", self.kills),
            ("takeovers from the killed", self.takeovers),
        ]
    }

    /// What of it did not happen `least` times.
    #[must_use]
    pub fn missed(&self, least: u64) -> Vec<String> {
        let all = self.sometimes();
        let missed = all.iter().filter(|(_, count)| *count < least);
        missed.map(|(what, count)| format!("{count} {what} of {least}")).collect()
    }

    /// Figures for a report.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, String)> {
        let counted = [
            ("hook processes", self.hooks),
            ("moving calls passed", self.passes),
            ("moving calls blocked", self.blocks),
            ("edits passed", self.edits),
            ("edits blocked", self.edit_blocks),
            ("edits in guarded globs passed", self.guarded),
            ("edits in guarded globs blocked", self.guarded_blocks),
            ("calls without a whole payload, blocked", self.bad_blocks),
            ("calls blocked because nothing could be decided in time", self.undecided),
            ("sessions killed", self.kills),
            ("of these, with the hook left alone", self.kills_alone),
            ("takeovers from the killed", self.takeovers),
            ("stops", self.stops),
            ("sessions ended", self.ends),
            ("locks broken by hand", self.breaks),
            ("leases granted", self.leases),
            ("longest hook, ms", self.longest_us / 1_000),
        ];
        counted.into_iter().map(|(name, count)| (name.to_owned(), count.to_string())).collect()
    }
}
