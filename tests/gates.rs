/// Each condition of a gate: when it is met, and what is said when it is not.
mod conditions;
/// The gates of a `fencehold.toml`: read, written, refused.
mod config;
/// Entries of steps by force in the simulated world: kills, two who write one entry, wrong ways.
mod kills;
/// Gates where git, a link, a date, a reason or a held log is misused.
mod misused;
/// Steps by force: their record, their entries, what is owed.
mod overrides;
/// Ours and the published algorithm in one scenario.
mod replaced;
/// A repository with gates.
mod repo;
/// Gates through boards and through the target protocol.
mod round;
