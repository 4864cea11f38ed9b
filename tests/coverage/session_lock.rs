//! System D: a lock in the home of a user, which hooks of coding agents take before each tool call.

use super::systems::{Behaviour, Defect, breaks, does};

pub(super) const SESSION_LOCK_BEHAVIOURS: &[Behaviour] = &[
    does(
        "Functions to acquire, refresh and release, with reading and writing given to them; a TTL of five minutes.",
        "`fencehold hook pre-tool-use|post-tool-use|stop|session-end`; the TTL is five minutes unless `hook_ttl` says \
         otherwise.",
    ),
    does(
        "A record of session, pid, time and TTL, in a file named by a hash of the workspace's path.",
        "The lock `workspace` in the journal of the workspace, with session, process, host and token.",
    ),
    does(
        "Free or stale: taken. One's own: taken again. Another's: blocked. Only the session refreshes and releases.",
        "The same, decided under an OS lock; stale is dead or lapsed.",
    ),
    does(
        "A decision to block, with a sentence that names the other session and its pid.",
        "A JSON decision that names who, with which process, and until when.",
    ),
    does(
        "Does nothing until it is wired for tool calls that write, and for stop and refresh.",
        "`hook install` writes all events or none, and `hook status` runs what is written.",
    ),
    does(
        "Tells by the payload whether to acquire, refresh or release; any error lets the call pass.",
        "One word for each event; an error blocks unless `hook_failure = \"open\"`, and leaves a record.",
    ),
    does(
        "Exists because one session checked out another's branch, and one pushed beside another.",
        "Both stories are tests.",
    ),
];

pub(super) const SESSION_LOCK_DEFECTS: &[Defect] = &[
    breaks(
        "A read and a write are no acquire: two sessions are both told that they have it.",
        &["M45"],
        "Decided under an OS lock on the newest state.",
    ),
    breaks(
        "A takeover is the same: two sessions take over one stale lock.",
        &["M05"],
        "The second is decided on the first.",
    ),
    breaks(
        "A release looks and then deletes: it deletes the lock of who took over between.",
        &["M06"],
        "A release shows its token, and an older one is refused.",
    ),
    breaks(
        "A refresh looks and then writes: it brings back a lock that another took over.",
        &[],
        "A renewal shows its token, and an older one is refused.",
    ),
    breaks(
        "Refreshed by tool calls alone: a command or a thought of more than the TTL loses the lock.",
        &["M04", "M48"],
        "Bound to the session's process, and kept by a renewer that ends with it.",
    ),
    breaks(
        "Given up at the end of each turn: another session enters between two turns.",
        &[],
        "Held until the session ends.",
    ),
    breaks(
        "Whatever goes wrong lets the call pass, without a trace.",
        &["M47"],
        "Blocked, or a record that `status` shows.",
    ),
    breaks(
        "Nobody looks whether the pid lives, and it is the short-lived hook's.",
        &[],
        "The session's process, with its start time.",
    ),
    breaks(
        "A link, a subdirectory or a mount is another workspace.",
        &["M39"],
        "One workspace for every spelling.",
    ),
    breaks(
        "In the home of a user, without a host: two users never see each other.",
        &[],
        "Beside the repository, with the host. A filesystem that two machines share is refused.",
    ),
    breaks(
        "A time in the future is never stale, and the clock of the wall decides.",
        &["M08"],
        "Journal time, which no wall clock moves.",
    ),
    breaks(
        "Shell calls that only read are blocked, and tools that are not on the list pass.",
        &[],
        "What is known to read only passes, and everything else needs the lock. Editors and people are asked by git's \
         hooks when they commit and push, and `audit` names what they wrote.",
    ),
    breaks("Two sessions without an id are one session.", &[], "A blank or missing id matches nobody."),
    breaks(
        "Green tests while the guard does nothing.",
        &["M50"],
        "Tests and a stage of the gate drive the shipped hook as processes.",
    ),
    breaks(
        "No fence: what a paused session writes after a takeover lands.",
        &["M51"],
        "Every grant has a token, and a guarded document refuses the older one. A session that is only stopped keeps the \
         lock. What a harness's own edit writes is asked about before, and shows no token: one that is held up between \
         the answer and its write, and whose lock a person breaks then, still lands.",
    ),
];
