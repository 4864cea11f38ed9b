//! One integration binary: a line for each module says what it holds.
// All of it is tests; clippy's own exception covers only functions marked so.
#![allow(clippy::unwrap_used)]

/// Bad input, given to the command line: exit codes, messages, bytes untouched.
mod bad_input;
/// The checker: the corpus of judged histories, random histories and single corruptions of them.
mod checker;
/// The command line as a process: exit codes, what goes to stdout and what to stderr.
mod cli;
/// Documents: updates under lock, damage kept, the fence at the resource.
mod document;
/// Documents and the disk's failures: which of them are definite.
mod document_faults;
/// Documents as text: what a change leaves as it was, and what it refuses.
mod document_text;
/// The real disk with failures and foreign writers put in, call by call.
mod hooked;
/// Where the workspace of a folder is.
mod locate;
/// `lock run`: exit codes, killed, stopped, nested, lost.
mod lock_run;
/// Logs: appends that hide nothing, tolerant readers, merges in git.
mod log;
/// Logs in git: branches that appended merge clean.
mod log_git;
/// Places, keys and marks: every spelling meets one lock.
mod mark;
/// Starts the shipped command line as real processes; holds no test.
mod program;
/// `fencehold serve` spoken to by lines; holds no test.
mod served;
/// A root with a workspace folder in it, for every module.
mod site;
/// DOC of SPEC.md, where no other module quotes it.
mod spec_doc;
/// LOG of SPEC.md, where no other module quotes it.
mod spec_log;
/// TARGET of SPEC.md: the frame of the protocol, and what is no request.
mod spec_target;
/// TARGET of SPEC.md: what the operations answer.
mod spec_target_ops;
/// Starts the program as somebody who is not root; holds no test.
mod strangers;
