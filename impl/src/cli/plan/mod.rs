//! Plans: task blocks in markdown against the board.

#[allow(dead_code, unused_imports, reason = "`plan check` and `plan fix` call it")]
mod git;
