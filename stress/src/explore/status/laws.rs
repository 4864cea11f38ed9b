//! The laws of the join, on every pair and every triple of values of small vocabularies.
//!
//! Which statuses are terminal means nothing to a join, so each order of ranks is looked at once. All joins of two
//! values are computed and named by their place; triples are then looked up.

use std::collections::HashMap;

use fencehold_model::status::Value;

use super::node::Texts;
use super::shape::{Shape, shapes};
use super::space::{Bounds, values};
use super::subject::Subject;

/// What was looked at.
#[derive(Debug, Clone, Default)]
pub struct LawsChecked {
    /// Orders of ranks.
    pub orders: u64,
    /// Values.
    pub values: u64,
    /// Pairs that were joined.
    pub pairs: u64,
    /// Triples.
    pub triples: u64,
    /// The first law that does not hold, with the values.
    pub found: Option<String>,
}

/// Looks at every order of ranks within the bounds.
pub fn check_laws(subject: &impl Subject, bounds: &Bounds) -> LawsChecked {
    let mut out = LawsChecked::default();
    let orders = shapes(bounds.statuses.0, bounds.statuses.1);
    for shape in orders.iter().filter(|shape| shape.levels.iter().all(|(_, terminal)| *terminal == 0)) {
        if let Err(why) = of_order(subject, shape, bounds, &mut out) {
            out.found = Some(format!("in {shape}: {why}"));
            break;
        }
    }
    out
}

fn of_order(
    subject: &impl Subject,
    shape: &Shape,
    bounds: &Bounds,
    out: &mut LawsChecked,
) -> Result<(), String> {
    let vocabulary = shape.vocabulary();
    let values = values(shape, &Texts::new(shape, bounds), bounds);
    let key = |value: &Value| (value.epoch, value.turn, format!("{:?}", value.statuses));
    let places: HashMap<_, usize> =
        values.iter().enumerate().map(|(place, value)| (key(value), place)).collect();
    let count = values.len();
    let mut joins = vec![0; count * count];
    for (a, one) in values.iter().enumerate() {
        for (b, other) in values.iter().enumerate() {
            let joined = subject.join(one, other, &vocabulary);
            let place = places.get(&key(&joined));
            joins[a * count + b] =
                *place.ok_or_else(|| format!("{one:?} with {other:?} is outside: {joined:?}"))?;
        }
        if joins[a * count + a] != a {
            return Err(format!("a join with itself changes {one:?}"));
        }
    }
    (out.orders, out.values) = (out.orders + 1, out.values + count as u64);
    out.pairs += (count * count) as u64;
    for (a, b) in (0..count).flat_map(|a| (0..a).map(move |b| (a, b))) {
        if joins[a * count + b] != joins[b * count + a] {
            return Err(format!("the order matters of {:?} and {:?}", values[a], values[b]));
        }
    }
    for (a, b) in (0..count).flat_map(|a| (0..count).map(move |b| (a, b))) {
        let ab = joins[a * count + b];
        for c in 0..count {
            if joins[ab * count + c] != joins[a * count + joins[b * count + c]] {
                let three = (&values[a], &values[b], &values[c]);
                return Err(format!("the grouping matters of {three:?}"));
            }
        }
        out.triples += count as u64;
    }
    Ok(())
}
