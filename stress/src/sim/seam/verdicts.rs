//! The mutants that nobody catches: those that harm nobody, each with the argument, and those that are still open.

/// Harmless: because.
pub(super) const HARMLESS: &[(&str, &str)] = &[
    ("skip remove_dir in journal/create.rs begin", "what stays is an empty folder, which is no workspace"),
    ("skip remove_dir in journal/create.rs sweep", "what stays is an empty folder, which is no workspace"),
    (
        "skip unlink in document/replace.rs replace",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "skip unlink in document/replace.rs write",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "skip unlink in document/replace.rs write #2",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "skip unlink in journal/create.rs fill",
        "the folder that was being built is removed whole right afterwards",
    ),
    (
        "skip unlink in journal/create.rs fill #2",
        "the folder that was being built is removed whole right afterwards",
    ),
    (
        "skip unlink in journal/floor.rs write",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "skip unlink in journal/rotate.rs archive_before",
        "the mark names a file that is not the newest, which nobody goes on from",
    ),
    (
        "skip unlink in journal/rotate.rs begin_file",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "skip unlink in journal/rotate.rs begin_file #2",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "skip unlink in quarantine.rs keep",
        "a temp that a failed write leaves is swept, under the same lock, by the next one that writes the file",
    ),
    (
        "swap sync_dir in journal/commit.rs durable_floor | open in journal/floor.rs read",
        "where the sync fails, the look at the floor fails in its place: the section ends the same way, before anything was written, and the floor is forgotten with it",
    ),
    (
        "swap sync_dir in journal/ended.rs index_ended | list in mark/name.rs sweep",
        "where the sync fails, the sweep fails in its place, before anything of the new file is there, and the same arm of the same match hears of it",
    ),
    (
        "swap sync_dir in journal/repair.rs mend_folders | list in journal/layout.rs journal_numbers",
        "where the sync fails, the list or the look at the next folder fails in its place and ends the repair the same way; the next repair begins with a sync of the same directory",
    ),
    (
        "swap sync_dir in journal/repair.rs mend_lock | open in journal/section.rs open_lock",
        "where the sync fails, to open the lock fails in its place, or to take it where it is open already, and the repair ends before it did anything else; the next one begins with the same sync",
    ),
    (
        "swap unlink in journal/floor.rs write | unlock in journal/section.rs drop",
        "the temp has a name of its own: whoever comes next takes another",
    ),
    (
        "swap unlink in quarantine.rs keep | unlock in journal/section.rs drop",
        "the temp has a name of its own: whoever comes next takes another",
    ),
    (
        "swap unlock in journal/create.rs create | open in journal/section.rs open_lock",
        "the OS lock is let go one call later: others wait a little longer, and see nothing else",
    ),
    (
        "swap unlock in journal/section.rs drop | read_at in journal/synced.rs said",
        "the OS lock is let go one call later: others wait a little longer, and see nothing else",
    ),
    (
        "swap unlock in journal/section.rs drop | stat in journal/condemned.rs is_condemned",
        "the OS lock is let go one call later: others wait a little longer, and see nothing else",
    ),
    (
        "swap unlock in journal/section.rs drop | stat in journal/file.rs is_newest",
        "the OS lock is let go one call later: others wait a little longer, and see nothing else",
    ),
    (
        "swap unlock in journal/section.rs drop | sync in journal/prove.rs prove",
        "the OS lock is let go one call later: others wait a little longer, and see nothing else",
    ),
    (
        "swap write_at in journal/synced.rs tell | append in journal/commit.rs write",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "swap write_at in journal/synced.rs tell | list in journal/layout.rs journal_numbers",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "swap write_at in journal/synced.rs tell | lock in journal/section.rs take_the_lock",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "swap write_at in journal/synced.rs tell | open in journal/section.rs open_lock",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "swap write_at in journal/synced.rs tell | stat in journal/condemned.rs is_condemned",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "swap write_at in journal/synced.rs tell | stat in journal/file.rs is_newest",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "swap write_at in journal/synced.rs tell | unlock in journal/section.rs drop",
        "what `synced` says is durable already, whenever it is written",
    ),
    (
        "skip write_at in journal/synced.rs tell",
        "`synced` only spares syncs: without it everybody makes his own",
    ),
    (
        "old stat in mark/name.rs sweep",
        "a temp's name is drawn once: at its path there is the file of the first look, or none, and to remove none fails unheard",
    ),
    (
        "swap rename_new in quarantine.rs copy | sync_dir in quarantine.rs keep #2",
        "the copy is closed between the two, and what the seam holds back is made by then: the order is the shipped one",
    ),
    (
        "swap unlink in mark/name.rs sweep | stat in journal/floor.rs write",
        "the temp that is removed is not what is looked at, and of that only the mode is asked",
    ),
    (
        "swap unlink in mark/name.rs sweep | stat in journal/rotate.rs file_mode",
        "the temp that is removed is not what is looked at, and of that only the mode is asked",
    ),
    (
        "swap unlink in mark/name.rs sweep | stat in quarantine.rs copy",
        "the temp that is removed is not what is looked at, and of that only the mode is asked",
    ),
    (
        "skip sync in journal/section.rs set_aside",
        "what was cut off comes back at the worst behind lines that nobody has answered for, and is cut off again: whoever answers for anything behind the cut has synced the same file after it",
    ),
    (
        "swap truncate in journal/section.rs set_aside | sync in journal/section.rs set_aside",
        "what was cut off comes back at the worst behind lines that nobody has answered for, and is cut off again: whoever answers for anything behind the cut has synced the same file after it",
    ),
    (
        "skip rename_new in journal/rotate.rs archive_before",
        "a file that stays where it is counts for nothing and is lost to nobody: the newest is the one with the highest number, and the history and a repair list both folders",
    ),
    (
        "swap rename_new in journal/rotate.rs archive_before | stat in journal/rotate.rs archive_before",
        "the look is at the mark, another name than the two of the rename, which nobody acts on for a file that is followed by another",
    ),
    (
        "swap unlink in journal/rotate.rs archive_before | open in journal/synced.rs said",
        "the mark names a file that is not the newest, which nobody goes on from, whenever it goes",
    ),
    (
        "swap unlink in journal/rotate.rs begin_file | stat in journal/file.rs is_newest",
        "the temp has a name of its own, which the look does not ask for",
    ),
    (
        "swap unlink in journal/rotate.rs begin_file #2 | stat in journal/file.rs is_newest",
        "the temp has a name of its own, which the look does not ask for",
    ),
    (
        "swap unlink in journal/create.rs fill | remove_dir in journal/create.rs remove",
        "both empty a folder whose lock this process holds until the last of them: nobody else looks into it, and what a kill leaves of it is swept",
    ),
    (
        "swap unlink in journal/create.rs fill #2 | remove_dir in journal/create.rs remove",
        "both empty a folder whose lock this process holds until the last of them: nobody else looks into it, and what a kill leaves of it is swept",
    ),
    (
        "swap remove_dir in journal/create.rs remove | unlink in journal/create.rs remove",
        "both empty a folder whose lock this process holds until the last of them: nobody else looks into it, and what a kill leaves of it is swept",
    ),
    (
        "swap write_at in journal/prove.rs write_all_at | sync_dir in journal/prove.rs sync_parent",
        "what is written over is spoken of by the sync of its own file alone, which comes after both, and a failure of either ends the operation",
    ),
    (
        "old stat in journal/condemned.rs condemn",
        "whoever condemns a file has opened it, so the old look finds it: at the worst a mark is left for a file that is followed by another, which nobody goes on from",
    ),
    ("old stat in journal/floor.rs write", "only the mode of a new file is taken from the look"),
    ("old stat in journal/rotate.rs file_mode", "only the mode of a new file is taken from the look"),
    ("old stat in journal/repair.rs mend_folders #2", "only the mode of a new folder is taken from the look"),
    (
        "old stat in journal/repair.rs mend_lock",
        "only the mode of a new lock is taken from the look, and in a folder that is gone none can be made",
    ),
    (
        "old stat in journal/rotate.rs archive_before",
        "the mark that is left names a file that is not the newest, which nobody goes on from",
    ),
    (
        "swap lock_shared in journal/read.rs catch_up_unlocked | stat in journal/file.rs is_newest",
        "what can change between the look and the lock is looked at again: a later file by the next call, a longer one by reading it, both under the lock, and one that was cut or replaced by the look that comes before anything is shown",
    ),
];

/// Not caught by what was tried so far: a line of `caught.tsv` outweighs one of these.
pub(super) const OPEN: &[&str] = &[];
