//! System E: plan files in repositories against a database of statuses, on several machines.

use super::systems::{Behaviour, Defect, breaks, does};

pub(super) const PLANS_BEHAVIOURS: &[Behaviour] = &[
    does(
        "Five statuses: a chain in the prose, and ranks with two ties in the code.",
        "A vocabulary of ranks, which the workspace may say itself; a tie is a tie everywhere.",
    ),
    does(
        "A task that is ahead of the database moves it (C-11); one that is not is left, with a warning (C-13).",
        "C-11 and C-13 in both directions, from what file and board last agreed on; where nobody knows, by the ranks.",
    ),
    does(
        "Fetches, and where the branch is behind its upstream writes nothing (C-14).",
        "C-14 for behind alone; diverged, no upstream, detached, another remote, offline and timed out have their own.",
    ),
    does(
        "Writes the database's status into the block and commits the file; leaves a file with changes alone; \
         `--no-writeback`.",
        "The same, of exactly one file, with what is staged left as it is; what cannot be committed is taken back.",
    ),
    does(
        "A make target that looks the repository up, pulls forward and then fixes.",
        "`plan fix --pull`, which stops where it cannot pull.",
    ),
    does(
        "Checks with codes, of which some can be fixed, for people and as JSON; exit codes for fine, failed and warned.",
        "`plan check|fix --json`; 0 where all is in step, 1 where anything is left.",
    ),
    does(
        "Two codes were given away twice, and shipped as others.",
        "One condition has one code; those that people know keep their letters.",
    ),
    does(
        "Pulls forward, pushes, counts what is not pushed, and writes nothing while something is not.",
        "Pulls forward, counts its own commits that are not pushed, and writes none beyond fifty; it pushes nothing.",
    ),
];

pub(super) const PLANS_DEFECTS: &[Defect] = &[
    breaks(
        "A branch that differs from its upstream counts as behind it: its own commit stops it for ever.",
        &["M52"],
        "Behind is what lacks commits and has none.",
    ),
    breaks(
        "What it commits is never pushed: five hundred commits pile up, and the branches diverge.",
        &[],
        "Its commits carry a mark, are counted, and end at fifty; a branch that diverged is said to have.",
    ),
    breaks(
        "Statuses of one rank count as ahead: a person's `cancelled` is written over with `done`.",
        &["M53"],
        "A tie is a conflict, and neither side is changed.",
    ),
    breaks(
        "What goes down is a regression: a reopen can never come through, and is committed away.",
        &["M54"],
        "Where only the file moved the board follows it, downwards by a reopen whose reason is the commit.",
    ),
    breaks(
        "It adds the file and commits the index, with whatever a person had staged.",
        &["M55"],
        "A commit of one path; what is staged stays staged.",
    ),
    breaks(
        "It reads the database and then writes it: what an agent set in between is undone.",
        &["M57"],
        "A step names the value that it saw, and is judged anew where another stands.",
    ),
    breaks(
        "The remote moves between the fetch and the commit.",
        &[],
        "Nobody can prevent that without a push; the next run says diverged and commits nothing.",
    ),
    breaks(
        "Offline the gate is left out, and files are judged by what was fetched some day.",
        &["M58"],
        "Who cannot be asked is said, and nothing is written.",
    ),
    breaks(
        "Without an upstream or a branch it is told to be behind.",
        &["M59"],
        "Each has a code of its own, and nothing is written.",
    ),
    breaks(
        "It fetches `origin` where the branch follows another remote, and waits for it without end.",
        &["M59"],
        "The upstream's own remote is asked, for so long, without a prompt; the whole group is ended then.",
    ),
    breaks("It fixes after a pull that failed.", &["M58"], "A failed pull ends it."),
    Defect {
        what: "The make target runs a shell with what was given before it looks whether it was given.",
        mutants: &[],
        ours: "There is no make target.",
        argument: Some("no shell is run, and what is left out is an error of usage before anything is begun"),
    },
    breaks(
        "The edit takes one id for another that it begins, or changes what is no status.",
        &["M56"],
        "Blocks are what markdown says, an id is compared whole, and the bytes of the status alone change.",
    ),
    breaks(
        "A person saves the file between the look at it and the write.",
        &[],
        "The file is written only over the very bytes that were judged, by a rename.",
    ),
    breaks("One code for a branch that is behind and a file with changes.", &["M63"], "A code for each."),
    breaks(
        "A commit that fails leaves the file written, and every later run skips it for its changes.",
        &[],
        "The bytes of before are put back, where nobody else has written.",
    ),
    breaks(
        "An unknown status ends it, or counts as the lowest.",
        &[],
        "It is named with file and line, and neither side is changed.",
    ),
    breaks("What was skipped ends as if all were well.", &["M63"], "It ends with 1."),
    breaks(
        "Two machines write one fact back at once: two commits, and the branches diverge.",
        &[],
        "Each commits once at the most, diverged stops both, and a rebase makes one of the two.",
    ),
    breaks(
        "What it generates differs from run to run, and each run commits.",
        &["M60"],
        "A second run changes nothing.",
    ),
];
