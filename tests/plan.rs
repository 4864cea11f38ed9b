//! `fencehold plan`: task blocks in markdown against the board.

mod kit;
mod steps;
