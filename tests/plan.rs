//! `fencehold plan`: task blocks in markdown against the board.

mod at_once;
mod bad;
mod blocks;
mod bytes;
mod codes;
mod exchange;
mod init;
mod killed;
pub(crate) mod kit;
mod page;
mod steps;
mod table;
mod world;
