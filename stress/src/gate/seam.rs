//! The mutants of the shipped code, in the stage `mutants`: each on the engine that catches it soonest.

use super::stage::{Context, Finding};
use crate::report::Verdict;
use crate::sim::seam::hunt::{Checked, check, engines};
use crate::sim::seam::{Mutant, census, mutants, quietly};

/// The quick profile looks at one mutant in so many, at others from another seed.
const QUICK_SHARE: u64 = 8;

/// The first seed of the table of what is caught: the rare draws in it are found again, on this seed and the next ones.
const TABLE_SEED: u64 = 1;

/// Hunts them; what was found stands in `finding`.
pub(super) fn seam(context: &mut Context, finding: &mut Finding) {
    quietly();
    let share = context.profile.pick(QUICK_SHARE, 1, 1);
    let all = mutants(&census());
    let count = all.len();
    let numbered = (0_u64..).zip(all);
    let chosen: Vec<Mutant> =
        numbered.filter(|(at, _)| at % share == context.seed % share).map(|(_, mutant)| mutant).collect();
    let checked = check(&chosen, &engines(), TABLE_SEED, share == 1);
    finding.cases += checked.executions;
    let figures = [
        ("seam: mutants of our own code", format!("{} of {count}", chosen.len())),
        ("seam: caught", format!("{} in {} executions", checked.caught, checked.executions)),
        ("seam: harmless", checked.harmless.to_string()),
        ("seam: open", format!("{}: {}", checked.open.len(), checked.open.join("; "))),
        ("seam: syncs and locks left out, small counterexamples", small(&checked)),
    ];
    finding.figures.extend(figures.map(|(name, figure)| (name.to_owned(), figure)));
    let unknown = [&checked.unknown[..], &checked.stale[..]].concat();
    if !unknown.is_empty() {
        let what = format!("{}; run `fencehold-gate mutants`", unknown.join("; "));
        finding.figures.push(("seam: new, or gone".to_owned(), what));
    }
    if !checked.missed.is_empty() {
        let missed = checked.missed.join("; ");
        finding.verdict = Verdict::Violation(format!("mutants of our own code are not caught: {missed}"));
        finding.command = Some(format!("cargo gate --only mutants --seed {}", context.seed));
    }
}

fn small(checked: &Checked) -> String {
    let (small, large) = &checked.small;
    let large: Vec<&str> = large.iter().map(|(name, _)| name.as_str()).collect();
    let rest = if large.is_empty() { String::new() } else { format!("; not of: {}", large.join("; ")) };
    format!("{small} of {}{rest}", small + large.len())
}
