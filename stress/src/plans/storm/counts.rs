//! How often what happened, and what must have happened for a run to mean anything.

/// How often what was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Helpers that were run.
    pub fixes: u64,
    /// Of these, killed before they had ended.
    pub kills: u64,
    /// Of these, between the write of a plan file and its commit.
    pub kills_between: u64,
    /// Of these, with a lock of the index left behind.
    pub kills_locked: u64,
    /// Statuses set on a board.
    pub sets: u64,
    /// Statuses edited in a plan file by a person, and committed.
    pub edits: u64,
    /// Commits that the helper made.
    pub written: u64,
    /// Times that the helper found its branch behind.
    pub behind: u64,
    /// Times that it found its branch diverged.
    pub diverged: u64,
    /// Times that it found nobody to ask.
    pub offline: u64,
    /// Pushes that were refused because another was first.
    pub refused: u64,
    /// Rounds until everything was in step.
    pub rounds: u64,
}

impl Counts {
    /// What must have happened sometimes and did not. A `short` run has no time for what depends on others.
    #[must_use]
    pub fn missed(&self, kills: bool, short: bool) -> Vec<String> {
        let mut all = vec![("statuses set on a board", self.sets), ("commits of the helper", self.written)];
        if kills {
            all.push(("helpers killed", self.kills));
        }
        if !short {
            all.push(("statuses edited in a file", self.edits));
            all.push(("branches found behind or diverged", self.behind + self.diverged));
        }
        if kills && !short {
            all.push(("helpers killed between the write of a file and its commit", self.kills_between));
        }
        all.into_iter().filter(|(_, count)| *count == 0).map(|(what, _)| format!("no {what}")).collect()
    }

    /// Figures for a report.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, String)> {
        let counted = [
            ("killed", self.kills),
            ("of these, between the write of a file and its commit", self.kills_between),
            ("of these, with the index left locked", self.kills_locked),
            ("statuses set on a board", self.sets),
            ("statuses edited in a file", self.edits),
            ("commits made by it", self.written),
            ("found behind", self.behind),
            ("found diverged", self.diverged),
            ("found offline", self.offline),
            ("pushes refused", self.refused),
            ("rounds until all was in step", self.rounds),
        ];
        counted.into_iter().map(|(name, count)| (name.to_owned(), count.to_string())).collect()
    }
}
