//! The part of the gate's stage `model` that is about statuses.

use std::time::{Duration, Instant};

use super::super::Shipped;
use super::search::Explored;
use super::{Bounds, check_gates, check_ids, check_laws, explore, shapes};
use crate::gate::stage::Profile;

/// What the part came to.
pub(in super::super) struct Part {
    pub(in super::super) transitions: u64,
    pub(in super::super) bound: String,
    pub(in super::super) figures: Vec<(String, String)>,
    /// What must not be, and the way there.
    pub(in super::super) found: Option<String>,
}

/// The searches of a profile, each with its time.
fn searches(profile: Profile) -> Vec<Bounds> {
    let small = Bounds { statuses: (1, 3), epochs: 2, turns: 2, details: 2 };
    let four = Bounds { statuses: (4, 4), epochs: 1, turns: 1, details: 1 };
    let five = Bounds { statuses: (5, 5), epochs: 1, turns: 1, details: 1 };
    let wide = |most| Bounds { statuses: (4, most), ..small };
    profile.pick(vec![small], vec![small, four, five], vec![small, wide(5)])
}

/// Searches every vocabulary, then the laws of the join and the spellings of ids.
pub(in super::super) fn part(profile: Profile, tell: &mut dyn FnMut(u64)) -> Part {
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(profile.pick(2, 15, 600));
    let (mut total, mut bounds, mut count, mut left) = (Explored::default(), Vec::new(), 0, 0);
    for search in searches(profile) {
        for shape in shapes(search.statuses.0, search.statuses.1) {
            if Instant::now() >= deadline {
                left += 1;
                continue;
            }
            let mut explored = explore(&Shipped, &shape, &search, deadline);
            if let Some(found) = &mut explored.found {
                found.why = format!("vocabulary {shape}: {}", found.why);
            }
            left += u64::from(explored.cut);
            total.add(explored);
            count += 1;
            tell(total.transitions);
        }
        bounds.push(said(&search));
    }
    let rate = u128::from(total.transitions) * 1_000_000 / begun.elapsed().as_micros().max(1);
    let statuses = (1, profile.pick(3, 4, 4));
    let laws = check_laws(&Shipped, &Bounds { statuses, epochs: 1, turns: 1, details: 1 });
    let ids = check_ids(&Shipped);
    let most = profile.pick(1, 2, 2);
    let gates = check_gates(&Shipped, &Bounds { statuses: (1, most), epochs: 1, turns: 1, details: 1 });
    let found = total.found.map(|found| format!("{} after: {}", found.why, found.path.join(", ")));
    let figure = |name: &str, value: u64| (format!("statuses: {name}"), value.to_string());
    let cut = if left > 0 { format!("; {left} vocabularies were cut by time") } else { String::new() };
    Part {
        transitions: total.transitions,
        bound: format!("vocabularies of statuses: {}{cut}", bounds.join("; of ")),
        figures: vec![
            figure("vocabularies", count),
            figure("unique states", total.states),
            figure("transitions", total.transitions),
            figure("events recorded", total.recorded),
            figure("transitions beyond the bound", total.beyond),
            figure("transitions a second", rate as u64),
            figure("pairs of values joined", laws.pairs),
            figure("triples of values joined", laws.triples),
            figure("pairs of spellings", ids.pairs),
            figure("decisions at gates", gates.decisions),
            figure("steps by force past a gate", gates.forced),
        ],
        found: found.or(laws.found).or(ids.found).or(gates.found),
    }
}

/// A search's bounds in words.
fn said(bounds: &Bounds) -> String {
    let Bounds { statuses: (least, most), epochs, turns, details } = bounds;
    let statuses = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    format!(
        "{statuses} of up to 3 ranks, reopens up to {epochs}, turns up to {turns}, details up to {details}"
    )
}
