//! System A: a bug log, a ledger in JSON and shared prose, which the hooks of several sessions write in one checkout.

use super::systems::{Behaviour, Defect, breaks, does, does_not};

pub(super) const BUG_LOG_BEHAVIOURS: &[Behaviour] = &[
    does(
        "A bug log: once a JSON file with the array `bugs`, then a file with a record a line.",
        "The same file with a record a line; `fencehold log import` takes the older form over.",
    ),
    does(
        "After a migration the old file is called `.bak`; locks and temporary files stand beside what they are of.",
        "The old file stays as it is; locks stand in the workspace folder, and what a killed process left is swept.",
    ),
    does(
        "A ledger of totals and sessions in a JSON file.",
        "The same file, under `fencehold doc update`; a counter is added to by `doc update --exec` or `doc.increment`.",
    ),
    does(
        "A file of the session: what it wrote, how often it edited what, how often it stopped.",
        "A document for each session, under `fencehold doc update`.",
    ),
    does(
        "A folder for each session: what it proposes, what of it was merged, which worktree and branch it is in.",
        "`fencehold proposal list` and `show`; worktree and branch are those of a lease.",
    ),
    does(
        "Shared prose, which is appended to by a merge.",
        "The same files, written by `fencehold proposal accept` alone.",
    ),
    does(
        "A variable says where the files are; without a folder of its own a hook does nothing.",
        "`--root` and `FENCEHOLD_ROOT`; a read without a workspace answers empty and makes none.",
    ),
    does(
        "A record: id, timestamp, error, file, line, cause, fix, tags, related ones, how often and when last seen.",
        "Any object with a string `id`; a compaction keeps `occurrences` and `last_seen`, and `log search --related` goes by what a record names.",
    ),
    does(
        "A lock file with the pid and the time of its holder, made with O_EXCL.",
        "The kernel's lock on a file that stays; who has it is asked of the kernel.",
    ),
    does(
        "A lock that is older than its TTL is removed and taken.",
        "A lock ends with the process that has it, and is never removed.",
    ),
    does(
        "A lock that cannot be had after some tries is gone without, with a line on stderr.",
        "Exit 2 past the patience, with who is in the way; nothing is written.",
    ),
    does("A release removes the lock file.", "A release is of the kernel's lock, which nobody else's is."),
    does(
        "A JSON file is read with defaults under it; one that cannot be read is the defaults.",
        "A document that cannot be read is damage: kept, copied, and refused until it is repaired.",
    ),
    does(
        "A JSON file is written beside and renamed, or in place where that fails.",
        "Written beside, synced and renamed, or not at all.",
    ),
    does(
        "An update is one lock around read, change and write.",
        "The same, with a kernel's lock and an optional version and fence.",
    ),
    does_not(
        "Which of its own places were changed to do so.",
        "Nothing: there is one way to update a document.",
        "It says how that program came to be, and nothing that a user could see.",
    ),
    does(
        "A record is appended as one line, at first without a lock.",
        "One write of the line, under the log's lock, synced, and looked at again.",
    ),
    does(
        "A reader passes over what is blank or cannot be read, and takes no file for an empty one.",
        "The same, and `log check` names what it passed over.",
    ),
    does(
        "A bug that recurs is a new line; compaction is left for later.",
        "The same; `log compact` folds such lines into one that counts them.",
    ),
    does(
        "Two implementations of the log, and a test that they agree.",
        "Readers and appenders in Python and node, and files with verdicts that all are held to.",
    ),
    does(
        "Functions to read all bugs, to search, to find similar ones, to log one.",
        "`log read`, `log search`, `log search --related` and `--recurring`, `log append`.",
    ),
    does(
        "Commands, a daemon and a hook's nudge that read the log.",
        "`log search` and `log read --json`; `status` and `watch` show what is held, and a nudge is a hook's own affair.",
    ),
    does(
        "A migration that keeps ids and counts, and does nothing the second time.",
        "`log import`: the same, and the second time it takes over what was added.",
    ),
    does(
        "A session proposes a paragraph for a shared file, without touching it.",
        "`fencehold proposal add`.",
    ),
    does(
        "A list of what is proposed, with session, time, target and a preview; what cannot be read is named.",
        "`fencehold proposal list` and `show`.",
    ),
    does(
        "A merge asks which ones, by numbers, ranges or all, and appends them.",
        "`fencehold proposal accept` with ids, ranges or `--all`, after a diff.",
    ),
    does(
        "A check of what waits, by its exit code, and of whether the prose changed meanwhile.",
        "`fencehold proposal check`; whether the file is as it was is looked at by each accept.",
    ),
    does(
        "It is done when so many appenders leave so many records, two branches merge, and 203 entries migrate twice.",
        "Each of these is a test.",
    ),
];

pub(super) const BUG_LOG_DEFECTS: &[Defect] = &[
    breaks(
        "A lock that is not had is gone without: updates are lost at modest load.",
        &["M01", "M03"],
        "Refused, and nothing is written.",
    ),
    breaks(
        "The lock of a dead process makes every writer go without for ten seconds.",
        &["M03"],
        "The kernel frees the lock of a dead process.",
    ),
    breaks(
        "Two judge one lock stale, and both take it over.",
        &["M05"],
        "Nobody takes over a kernel's lock.",
    ),
    breaks(
        "A release is by path, and removes the lock of another.",
        &["M06"],
        "A release is of what one holds oneself.",
    ),
    breaks("A live holder is robbed after ten seconds.", &["M04"], "A lock has no age."),
    breaks("An empty lock file never goes stale.", &[], "What is in a lock file is no lock."),
    breaks("A time in the future is never stale.", &["M08"], "No time is looked at."),
    breaks(
        "A JSON file that cannot be read is replaced by its defaults.",
        &["M10"],
        "Damage is kept, copied and refused.",
    ),
    breaks(
        "Where a rename fails the file is written in place, and a failure of that is swallowed.",
        &["M11", "M14"],
        "The old file stays, and the failure is an exit code.",
    ),
    breaks("An update that calls the writer waits for itself.", &["M09"], "One update takes one lock, once."),
    breaks(
        "Behind a line without its end the next record is glued to it, and both are lost.",
        &["M16", "M17"],
        "An append begins with a newline there; the torn line is one bad line.",
    ),
    breaks(
        "Two branches that each appended a line do not merge.",
        &["M20"],
        "The first append tells git to unite the lines.",
    ),
    breaks(
        "Ids of 32 bits meet, and nobody notices.",
        &["M18"],
        "Ids are the writer's; two of one id are named by every read.",
    ),
    breaks(
        "A migration that dies between its renames is never ended, and what an old hook still writes is never found.",
        &["M21"],
        "An import appends what is missing, whenever it is run, and `log check` finds what is.",
    ),
    breaks(
        "Of two migrations the second replaces the log to which something was appended since.",
        &["M21"],
        "An import replaces nothing.",
    ),
    breaks(
        "A file whose `bugs` is no array becomes an empty log, and is moved away.",
        &[],
        "Refused, with file and line; the file stays.",
    ),
    breaks(
        "What is proposed during a merge is lost with the rewriting of the session's file.",
        &[],
        "A proposal is an event of the journal, which is never rewritten.",
    ),
    breaks(
        "Two merges, or one that died, apply one proposal twice.",
        &["M23"],
        "An intent before the file, and a marker in it.",
    ),
    breaks("Two proposals of one instant are taken for one.", &[], "A proposal has an id."),
    breaks("A body with a heading in it is cut there.", &[], "A body is kept byte for byte."),
    breaks(
        "An agent's own edit still writes the shared file.",
        &[],
        "A guarded glob: the hook refuses the edit.",
    ),
    breaks("Two sessions share one file of the session.", &[], "A file for each session, by its id."),
    breaks(
        "A reader that nobody remembered reads a file that is gone, and finds it empty.",
        &[],
        "The old file stays where it is.",
    ),
    breaks(
        "A placeholder for what could not be read is merged into the prose.",
        &[],
        "What cannot be read is no proposal.",
    ),
    breaks(
        "Tests of concurrency that pass without the lock.",
        &["M64"],
        "Every test is shown to fail on a mutant.",
    ),
    breaks("Defaults under a file bring deleted keys back.", &[], "An update changes what it names."),
    breaks("A network filesystem is declared unsupported, and not noticed.", &[], "Refused by its type."),
];
