//! System B: a JSON file for each agent's run, which the processes around it read and rewrite.

use super::systems::{Behaviour, Defect, breaks, does, does_not};

pub(super) const STATUS_FILES_BEHAVIOURS: &[Behaviour] = &[
    does(
        "Five kinds of writers read, change and write one `status.json` at 51 places: the start and the end of a run, the \
         tool that lists runs, the queue, the shutdown and the resume.",
        "Each is a `fencehold doc update` of that file, or a `fencehold task` on the board; what one of them is told is \
         done is not undone by another.",
    ),
    does(
        "Truncates and writes, so that a reader finds an empty file; later writes a temp and renames it.",
        "A reader finds the whole file from before an update or from after it.",
    ),
    does(
        "Hands out settings by reference, sets them without a lock, has a default logger that may not be there yet, starts \
         its services in the order of a map, and lets one handler that fails silence the others.",
        "What is handed out is a value of its own; the first use makes the workspace, once, whoever else is about to. \
         There are no services and no handlers inside.",
    ),
    does_not(
        "Has 108 findings about itself, in 3,700 lines.",
        "What of them is a defect stands below.",
        "a count of findings is nothing that a program does",
    ),
    does(
        "A status is one of running, queued, completed, failed and blocked, with agent, repository, task, branch, pid, \
         question, number of runs and URL.",
        "The same words as a vocabulary of the board, the rest as a detail or as the file's own keys.",
    ),
    does(
        "The tool that lists runs finds one that is running and whose process is dead, and writes it as blocked where it \
         left a question, as failed where it left no output, and else as completed.",
        "A corrector of its own does that, on proof of death, and never over a status that is final; a list writes \
         nothing.",
    ),
    does(
        "Says `status not found`, `invalid status json`, `invalid status payload`, and warns where a status could not be \
         written.",
        "Not found, damaged and not possible are exit codes 1, 4 and 2 with the file in the message; what could not be \
         written is never 0.",
    ),
    does(
        "Writes a temp with a random name and mode 0644, renames it, and removes it where the rename failed.",
        "The temp has the mode of the file, is synced, and is removed whatever failed; the next update removes what a \
         killed one left.",
    ),
    does(
        "Keeps queue and registry in a database later, goes on with the files where there is none, and marks runs of dead \
         processes as failed when it starts.",
        "One journal for the whole repository, without a second place to go on with; `fencehold lease reap` makes the \
         leases of dead processes crashed, with the evidence.",
    ),
];

pub(super) const STATUS_FILES_DEFECTS: &[Defect] = &[
    breaks(
        "Of two that read and then write, the last wins: the completion and its URL are gone.",
        &["M01"],
        "An update holds the file's lock from the read to the rename, and one that shows the version it saw is refused \
         where that is over.",
    ),
    breaks(
        "An atomic rename is taken for the cure, without a lock or a version.",
        &["M01"],
        "The rename is one step of an update under the lock.",
    ),
    breaks(
        "The corrector of dead processes goes over the status that the completion writes meanwhile.",
        &["M25"],
        "It names what it saw, and a status that is final is left by a reopen alone.",
    ),
    breaks(
        "Who lists statuses changes them, and two that list race each other.",
        &["M26"],
        "Reading changes no byte, in a folder that nobody may write either.",
    ),
    breaks(
        "The temp has one name: one renames what another has half written.",
        &[],
        "Each temp has a name of its own, and is written under the file's lock.",
    ),
    breaks(
        "The temp is named by the time: two within a tick share it.",
        &[],
        "Names are random, and no two write at a time.",
    ),
    breaks(
        "A temp is left behind where it could not be written.",
        &["M13"],
        "It is removed, and the file is as it was.",
    ),
    breaks(
        "The mode becomes 0644, a symbolic link becomes a file, and nothing is synced.",
        &["M15"],
        "Mode, owner, group and link are kept, or nothing changes; file and folder are synced before the answer.",
    ),
    breaks(
        "A pid that is used again, or of another host, is running for ever.",
        &["M27"],
        "A process is known by its boot, its pid namespace, its number and its start time.",
    ),
    breaks(
        "No step is refused: completed becomes running, or blocked.",
        &["M25"],
        "A vocabulary with final statuses, and epochs: what is late is refused.",
    ),
    breaks(
        "What a setting hands out is the map itself, or a copy that shares its inner maps.",
        &["M28"],
        "What is handed out is owned by who asked; what is only lent cannot be changed, which the compiler sees to.",
    ),
    breaks(
        "A use before the first setting panics, or makes a new default for each call.",
        &["M29"],
        "There is no use before an opening, and of those that make the workspace at once one does.",
    ),
    breaks(
        "A mutex in the process does not see the other process.",
        &["M30"],
        "The lock is the operating system's, on a file; within a process a mutex stands before it.",
    ),
    breaks(
        "What cannot be read is counted as failed, so a torn read makes a healthy run look failed.",
        &["M11"],
        "Nobody reads a torn file, and what cannot be read is an error, no status.",
    ),
];
