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
        "swap sync in journal/condemned.rs keep_condemned | open in journal/floor.rs read",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync in journal/rotate.rs rotate_if_due | stat in journal/rotate.rs file_mode",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync in journal/section.rs set_aside | read_at in journal/tail.rs catch_up",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/commit.rs durable_floor | open in journal/floor.rs read",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/ended.rs index_ended | list in mark/name.rs sweep",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/floor.rs write | list in mark/name.rs sweep",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/floor.rs write | open in journal/synced.rs said",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/prove.rs pay_directory_debts | list in journal/layout.rs journal_numbers",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/prove.rs pay_directory_debts | open in journal/floor.rs read",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/prove.rs pay_directory_debts | stat in journal/condemned.rs is_condemned",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/prove.rs sync_parent | open in journal/synced.rs said",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/prove.rs sync_parent | open in journal/tail.rs open_at",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/repair.rs mend_folders | list in journal/layout.rs journal_numbers",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/repair.rs mend_lock | open in journal/section.rs open_lock",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in journal/rotate.rs begin_file | open in journal/tail.rs open_at",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in quarantine.rs keep #2 | read_at in journal/repair.rs keep",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in quarantine.rs keep #2 | read_at in journal/section.rs lost_a_writeback",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
    ),
    (
        "swap sync_dir in quarantine.rs keep | read_at in journal/section.rs lost_a_writeback",
        "a look sees the same before and after a sync, and nothing is answered or written between the two",
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
];

/// Not caught by what was tried so far: a line of `caught.tsv` outweighs one of these.
pub(super) const OPEN: &[&str] = &[
    "skip sync_dir in journal/commit.rs durable_floor",
    "skip truncate in journal/commit.rs undo",
    "skip sync in journal/commit.rs undo",
    "skip unlock in journal/create.rs create",
    "skip sync in journal/condemned.rs keep_condemned",
    "skip sync_dir in journal/prove.rs pay_directory_debts",
    "skip sync_dir in journal/prove.rs sync_parent",
    "skip write_at in journal/prove.rs write_all_at",
    "skip lock_shared in journal/read.rs catch_up_unlocked",
    "skip unlock in journal/read.rs catch_up_unlocked",
    "skip make_dir in journal/repair.rs mend_folders",
    "skip sync_dir in journal/repair.rs mend_folders",
    "skip sync in journal/rotate.rs rotate_if_due",
    "skip rename_new in journal/rotate.rs archive_before",
    "skip sync in journal/section.rs set_aside",
    "swap truncate in journal/commit.rs undo | sync in journal/commit.rs undo",
    "swap sync in journal/commit.rs undo | unlock in journal/section.rs drop",
    "swap unlink in journal/create.rs fill | remove_dir in journal/create.rs remove",
    "swap unlink in journal/create.rs fill #2 | remove_dir in journal/create.rs remove",
    "swap remove_dir in journal/create.rs remove | unlink in journal/create.rs remove",
    "swap sync in journal/ended.rs index_ended | rename in journal/ended.rs index_ended",
    "swap sync_dir in journal/floor.rs write | sync_dir in journal/prove.rs sync_parent",
    "swap sync in journal/prove.rs prove | sync_dir in journal/prove.rs sync_parent",
    "swap sync_dir in journal/prove.rs pay_directory_debts | append in journal/commit.rs write",
    "swap sync_dir in journal/prove.rs sync_parent | sync_dir in journal/prove.rs pay_directory_debts",
    "swap write_at in journal/prove.rs write_all_at | sync in journal/condemned.rs keep_condemned",
    "swap write_at in journal/prove.rs write_all_at | sync_dir in journal/prove.rs sync_parent",
    "swap write_at in journal/prove.rs write_all_at | sync in journal/rotate.rs rotate_if_due",
    "swap write_at in journal/prove.rs write_all_at | unlock in journal/section.rs drop",
    "swap lock_shared in journal/read.rs catch_up_unlocked | stat in journal/file.rs is_newest",
    "swap make_dir in journal/repair.rs mend_folders | sync_dir in journal/repair.rs mend_folders",
    "swap unlink in journal/rotate.rs begin_file | stat in journal/file.rs is_newest",
    "swap unlink in journal/rotate.rs begin_file #2 | stat in journal/file.rs is_newest",
    "swap sync_dir in journal/rotate.rs begin_file | sync_dir in journal/prove.rs sync_parent",
    "swap rename_new in journal/rotate.rs archive_before | stat in journal/rotate.rs archive_before",
    "swap unlink in journal/rotate.rs archive_before | open in journal/synced.rs said",
    "swap lock in journal/section.rs take_the_lock | stat in journal/section.rs take_the_lock",
    "swap truncate in journal/section.rs set_aside | sync in journal/section.rs set_aside",
    "retry sync in journal/commit.rs undo",
    "retry sync in journal/ended.rs index_ended",
    "retry sync in journal/condemned.rs keep_condemned",
    "retry sync in journal/rotate.rs rotate_if_due",
    "retry sync in journal/section.rs set_aside",
    "old stat in journal/file.rs is_newest #2",
    "old stat in journal/floor.rs write",
    "old stat in journal/layout.rs is_workspace",
    "old stat in journal/condemned.rs condemn",
    "old stat in journal/condemned.rs is_condemned",
    "old stat in journal/repair.rs mend_lock",
    "old stat in journal/repair.rs mend_lock #2",
    "old stat in journal/repair.rs mend_folders",
    "old stat in journal/repair.rs mend_folders #2",
    "old stat in journal/repair.rs mend_floor",
    "old stat in journal/rotate.rs is_copy",
    "old stat in journal/rotate.rs file_mode",
    "old stat in journal/rotate.rs archive_before",
];
