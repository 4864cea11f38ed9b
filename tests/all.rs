//! One integration binary: a line for each module says what it holds.

mod cli; // bad input, exit codes, output: the command line as a process
mod locate; // where the workspace of a folder is
mod lock_run; // `lock run`: killed, stopped, nested, lost
mod program; // starts the shipped command line as real processes
