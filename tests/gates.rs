/// The gates of a `fencehold.toml`: read, written, refused.
mod config;
/// Entries of steps by force in the simulated world: kills, two who write one entry, wrong ways.
mod kills;
