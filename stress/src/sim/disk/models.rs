//! What may be left after a power cut: the models.
//!
//! Each is bounded, not exhaustive: it has the outcomes that were seen of the filesystem it is named for, and those that
//! follow from the same mechanism; it is weaker than the filesystem where a guarantee would be an accident of one version.
//! A protocol that holds under [`Persistence::Pages`] leans on none of them.

/// What a power cut may do to what no sync made durable.
///
/// The words: the *size* of a file is a fact of its own, with a history since the last sync; so has each *page*, as the
/// list of its images since it was last durable; a *name* change is a link, unlink, rename, mkdir or rmdir, and is whole
/// or not there. A page that did not survive is what the last sync left there, NULs where that is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Everything stays, and nothing is tracked: the quick disk, for what a kill can show.
    Kept,
    /// Seen on Linux 6.18, ext4 with data=ordered: a hole in the middle of a file with whole lines behind it, after two
    /// concurrent syncs of one file, or one of the last page alone; a rename that nobody synced was lost although a later
    /// overwrite, of that file or of another, was synced, but not where a size had changed with it; a synced new file had
    /// its name, and so had every other file of that moment; a file that was renamed over another was whole.
    ///
    /// Allowed: name changes survive as a prefix of all of them. One size of the file's history; each page below it with
    /// any image since that is not older than the last cut (ftruncate) the size has behind it, and none from after a cut
    /// that did not survive. A sync of a file makes its pages and size durable, and, where its size or its existence is
    /// not yet, *all* name changes so far (one journal for all). A plain overwrite commits no name. A sync of a directory
    /// commits all name changes if one of them is of that directory.
    Ext4,
    /// Seen: the hole of [`Persistence::Ext4`], and the lost rename where another file was overwritten and synced (the
    /// renamed one kept its new name); a file that was renamed over another was empty; readers never see a write in
    /// progress.
    ///
    /// Allowed: as there, except that a sync of a directory, or of a new file whose size stands, forces the log only up to
    /// the last name change that concerns it: what was done elsewhere since may be lost.
    Xfs,
    /// Seen: where the others have a hole, a clean prefix of the file; a rename lost although another file was made longer
    /// and synced, and new files missing beside a synced one; a file that was moved between directories, the one that it
    /// went to being synced: in both, under two names.
    ///
    /// Allowed: of each file a prefix of its changes, page by page; name changes survive as a prefix of all of them. A
    /// sync of a file makes also every change of its own names durable, and those of the directories above it (the log
    /// tree), but nobody else's. A sync of a directory makes the changes in it durable, and those of its own names; of
    /// what was moved out of it also the new name, but of a file that was moved into it not that the old name is gone.
    Btrfs,
    /// The weakest that POSIX lets a careful program hope for: never seen, a yardstick.
    ///
    /// Allowed: each name change survives on its own, a rename as a whole; a file has any size and each page any image
    /// since the last sync, whatever was cut between. A sync of a file makes its data and size durable and no name; a sync
    /// of a directory the changes in it, moves as on [`Persistence::Btrfs`], and not the directory's own name.
    Posix,
    /// Any subset of pages, and torn ones: never seen, a yardstick for devices that lie a little.
    ///
    /// Allowed: as [`Persistence::Posix`]; moreover the last write that made the file longer counts only in part (all but
    /// its last byte, or up to a sector), and the last page is new up to a sector and old after it.
    Pages,
}

impl Persistence {
    /// Every model that loses something.
    pub const LOSING: [Persistence; 5] =
        [Persistence::Ext4, Persistence::Xfs, Persistence::Btrfs, Persistence::Posix, Persistence::Pages];

    /// Whether names survive as a prefix.
    pub(super) fn is_journaled(self) -> bool {
        matches!(self, Persistence::Ext4 | Persistence::Xfs | Persistence::Btrfs)
    }
}
