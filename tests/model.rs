/// Arbitrary values of the model.
mod arbitrary;
/// A lock machine with a clock, for the rules.
mod bench;
/// Chain, head and entries: round trips, truncation, flipped bytes, newer words.
mod chain;
/// Decisions against the oracle, drawn and shrunk.
mod decide;
/// How grants end: broken, with their process, with their boot.
mod ends;
/// What a reader makes of JSON: numbers under any features of the parser, doubled names, numbers beyond the bound.
mod features;
/// Framing of lines.
mod framing;
/// Done-gates: what a policy says of them, and what it cannot say.
mod gates;
/// Guarded globs: no path under two locks, kept through JSON.
mod guarded;
/// Histories of leases and statuses.
mod history;
/// Leases: round trips, the index of write sets, what a grant looks at, forgetting.
mod lease;
/// Patterns of write sets: read, spelled, compared.
mod pattern;
/// Patterns against an oracle that tries every path.
mod pattern_tried;
/// Proposals: decisions against a second account, drawn; what is not admitted; the form on disk.
mod proposal_form;
/// Proposals: decisions against the oracle, drawn.
mod proposals;
/// What the rules say of a lock, case by case.
mod rules;
/// The folded state: total, kept through JSON, forgetting.
mod state;
/// Statuses: decisions against the oracle, lost answers, the laws of the join, all drawn.
mod status_drawn;
/// Statuses and policies as text: round trips, and what no fold comes to.
mod status_form;
