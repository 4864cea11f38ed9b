//! System C: a registry of worktrees, in one JSON file that is read, changed and renamed into place.

use super::systems::{Behaviour, Defect, breaks, does, does_not};

pub(super) const REGISTRY_BEHAVIOURS: &[Behaviour] = &[
    does(
        "Keeps all leases in one JSON file, beside the plans; moves a file that it cannot read aside.",
        "The journal of the workspace, in plain files inside of `.git`. What cannot be read stays where it is, every \
         command ends with 4 and names the line, and `repair` keeps the evidence.",
    ),
    does(
        "Stores of a lease its phase, worktree, branch, agent, state, times, the reason of a crash and a write set.",
        "All of it, with a holder and a token; times are journal time and can be read as UTC. Of the two fields that \
         were kept free for later, the write set is compared and the provenance is the history.",
    ),
    does(
        "Opens, grants, closes, crashes, clears, lists, shows, and a listing creates nothing.",
        "`lease grant|close|crash|clear|list|show|reap`, `where`, `init`. No look creates anything.",
    ),
    does(
        "One open lease of a phase; a close needs an open one, a crash none, a clear of an open one force; a lease \
         that has ended may be granted anew.",
        "The same, and a crash needs an open lease too. Force needs a reason, which is recorded. Repeating a close \
         with its token is answered as done already.",
    ),
    does(
        "Takes a registry that it cannot read for an empty one, moves it aside and says so on stderr.",
        "On purpose not: such a workspace refuses everything with 4, loudly, until `repair` was asked for.",
    ),
    does_not(
        "Tries a rename three times on Windows.",
        "Linux alone; a rename is tried once and its failure is an error.",
        "Windows is not supported, and what is retried there cannot happen here.",
    ),
    does(
        "Reads the file again after a write and warns where the number of leases is another.",
        "On purpose not: a commit is decided on the newest state under an OS lock, so there is nothing to warn of.",
    ),
    does(
        "Commands to list, show and clear, for people and as JSON, with exit codes; a root by option, by the nearest \
         folder above, or by a variable.",
        "`lease list|show|clear|crash`, `--json`, `--root`, `FENCEHOLD_ROOT`; exit 1 is a refusal and 2 is usage.",
    ),
    does(
        "Before a phase is closed: labels for the leases of others, one's own, the crashed and the closed; exit 1 \
         where one blocks.",
        "`lease closeout [ID]`: `[BLOCK]`, `[WARN]`, `[INFO]`, and an exit code that agrees.",
    ),
    does(
        "Refuses to call a phase done before a plan check, a verification and fresh lessons are there; force with a \
         reason goes round and leaves an entry.",
        "Conditions for `task set … done` in `fencehold.toml`; `--force --reason`, recorded with the step.",
    ),
    does_not(
        "Comes with 43 tests.",
        "Comes with its own.",
        "How many tests another program has is nothing that it does.",
    ),
];

pub(super) const REGISTRY_DEFECTS: &[Defect] = &[
    breaks(
        "Two grants at once: one is lost, and the count of leases is as expected.",
        &["M31"],
        "A commit is decided under an OS lock on the newest state.",
    ),
    breaks(
        "Two callers are granted one phase, and both are told so.",
        &["M33"],
        "Of two grants of one lease one is refused.",
    ),
    breaks(
        "The look for lost updates counts leases, so a lost change of state is never seen.",
        &["M31"],
        "Of two ends of one lease the second is decided on the first.",
    ),
    breaks(
        "A lost update that is seen is a warning: exit 0, and a lease that is not on the disk.",
        &["M32"],
        "What was answered with 0 is durable; what is in doubt exits 3.",
    ),
    breaks(
        "`[BLOCK]` is printed and does not block: the exit code does not know the leases.",
        &["M37"],
        "The exit code of `lease closeout` is made from its labels.",
    ),
    breaks(
        "Whatever goes wrong in the section of the leases leaves the section out, and nothing blocks.",
        &["M38"],
        "What cannot be read ends with 2 or 4.",
    ),
    breaks(
        "A damaged registry is an empty one: phases can be granted anew, and a listing does that to it.",
        &["M10", "M26"],
        "Damage is 4 for every command, and no byte changes until `repair`.",
    ),
    breaks(
        "Who found the file damaged moves away the healthy one that came in its place meanwhile.",
        &["M34"],
        "A repair judges and acts under the OS lock.",
    ),
    breaks(
        "Any failure to read counts as damage.",
        &["M35"],
        "A failure to read is exit 2 with its cause, and the file stays.",
    ),
    breaks(
        "Two files that are moved aside within a millisecond: the second overwrites the first.",
        &[],
        "What is put aside is never overwritten.",
    ),
    breaks(
        "Temp files are told apart by the pid alone, which two containers share.",
        &[],
        "Events are appended under the OS lock; a temp's name is drawn and made exclusively.",
    ),
    breaks(
        "A temp file that a kill left is there for ever.",
        &["M13"],
        "A kill between a write and its rename leaves nothing that the next writer does not sweep.",
    ),
    breaks(
        "Every worktree has a registry of its own and sees no other's leases.",
        &["M39"],
        "One workspace for all worktrees, subdirectories, spellings and bare repositories.",
    ),
    breaks(
        "`05` and `5` are one phase to one command and two to another.",
        &["M40"],
        "Under `ids = \"numbers\"` one canonical form everywhere.",
    ),
    breaks(
        "What was closed may be made crashed afterwards, and a clear forgets the last of several alone.",
        &["M41"],
        "A crash needs an open lease; each grant and each end stays in the history.",
    ),
    breaks(
        "No process, host or TTL: a killed session's lease is open until a person clears it, which leaves no trace.",
        &["M43"],
        "`--pid` and `--ttl`; `reap` and a grant in the way make it crashed on evidence; force needs a reason.",
    ),
    breaks(
        "Write sets are stored and never compared.",
        &["M42"],
        "A grant whose write set overlaps an open lease's is refused, and names it.",
    ),
    breaks(
        "The version of the file is not looked at, and an element that is no lease ends the program.",
        &[],
        "A newer format is exit 2 with both numbers; a line that is none is damage, named by file and line.",
    ),
    breaks(
        "Freshness by the time of the file: a touch or a checkout passes, and so does an empty file.",
        &[],
        "Conditions are about contents and git's history.",
    ),
    breaks(
        "The conditions and the step are two things: of two steps at once one is lost.",
        &[],
        "The step is one event, decided on the newest state.",
    ),
    breaks(
        "Force with a blank reason may pass.",
        &["M43"],
        "A blank reason is refused, and a given one is recorded with the step.",
    ),
];
