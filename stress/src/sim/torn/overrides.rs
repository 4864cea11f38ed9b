//! A step by force with the entry that it owes, torn.

use super::{Answered, Torn};
use crate::sim::overrides::{self, Way, client, disk, judge, settle, step};
use crate::sim::world::{SimFs, SimHost};

const TASK: &str = "T-1";

/// The step and its entry, and the entry of a step that was killed before it.
#[must_use]
pub fn all(way: Way) -> Vec<Torn> {
    let whole = move |fs: &SimFs, host: &SimHost| {
        let client = client(fs, host, "me");
        let answered = Answered::of(&step(way, fs, &client, TASK));
        if answered == Answered::Done {
            // An entry that cannot be written takes nothing from the step.
            let _ = settle(way, fs, &client);
        }
        answered
    };
    let owed =
        disk(|fs, host| step(Way::Shipped, fs, &client(fs, host, "killed"), TASK).expect("a healthy disk"));
    let sweep = move |fs: &SimFs, host: &SimHost| Answered::of(&settle(way, fs, &client(fs, host, "me")));
    let judged = move |world: &_, answered: Answered| match (overrides::judge(world, way)?, answered) {
        (0, Answered::Done) => Err("the step was answered, and there is none".to_owned()),
        (1.., Answered::Not) => Err("the step was answered as not done, and it is there".to_owned()),
        _ => Ok(()),
    };
    vec![
        Torn::new("step by force with its entry", disk(|_, _| {}), whole, judged),
        Torn::new("entry of a step by force", owed, sweep, move |world, _| judge(world, way).map(|_| ())),
    ]
}
