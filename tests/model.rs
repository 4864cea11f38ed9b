/// Arbitrary values of the model.
mod arbitrary;
/// Chain, head and entries: round trips, truncation, flipped bytes, newer words.
mod chain;
/// Decisions against the oracle, drawn and shrunk.
mod decide;
/// Framing of lines.
mod framing;
/// What the rules say of a lock, case by case.
mod rules;
/// The folded state: total, kept through JSON, forgetting.
mod state;
