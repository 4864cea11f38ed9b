//! Proposals: what an accept makes of a file, whoever is killed when, and what the command says.

mod between;
mod command;
mod kills;
pub(crate) mod kit;
mod machine;
mod markdown;
mod places;
mod text;
mod worlds;
mod yard;
