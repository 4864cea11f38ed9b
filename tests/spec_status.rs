/// Boards that meet.
mod boards;
/// Epochs and reopens.
mod epochs;
/// What a read does, and what is kept.
mod kept;
/// Commands and verdicts in one line of text.
mod kit;
/// Vocabularies, policies, ids, details.
mod order;
/// The rules of a set, one by one.
mod steps;
/// A day of one task.
mod story;
