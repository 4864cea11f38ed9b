//! The tests of Fencehold in one binary: a line for each module says what it holds.

/// The checker: the corpus of judged histories, random histories and single corruptions of them.
mod checker;
/// The command line as a process: bad input, exit codes, what goes to stdout and what to stderr.
mod cli;
/// Where the workspace of a folder is.
mod locate;
/// `lock run`: exit codes, killed, stopped, nested, lost.
mod lock_run;
/// Starts the shipped command line as real processes; holds no test.
mod program;
