//! An accept of a proposal, torn; and what ends one that was left behind.

use fencehold_model::proposal::Told;

use super::{Answered, Torn};
use crate::sim::disk::Disk;
use crate::sim::prose::{IDS, Way, accept, client, disk, judge, late_by};
use crate::sim::workspace::DIR;
use crate::sim::world::{Ended, Fault, Plan, SimFs, SimHost, World};

/// An accept; and one where another was killed before, or after, it replaced the file.
#[must_use]
pub fn all(way: Way) -> Vec<Torn> {
    let [first, second, _] = IDS;
    let one = move |id: &'static str| {
        move |fs: &SimFs, host: &SimHost| match accept(way, fs, &client(fs, host, "me"), id) {
            Ok(false) => Answered::Not,
            told => Answered::of(&told),
        }
    };
    let judged = move |id: &'static str| {
        move |world: &World, answered: Answered| {
            let views = judge(world, way, &IDS[..2], false)?;
            let view = views.iter().find(|view| view.id.as_str() == id).ok_or("it is gone")?;
            match (view.told, answered) {
                (Told::Proposed, Answered::Done) => Err("it was told as accepted, and is not".to_owned()),
                (Told::Accepted, Answered::Not) => Err("it was told as not accepted, and is".to_owned()),
                _ if answered == Answered::Not && view.begun.is_some() => {
                    Err("it was told as not done, and somebody would carry it out".to_owned())
                }
                _ => Ok(()),
            }
        }
    };
    let (before, after) = (killed(way, "rename"), killed(way, "sync_dir"));
    vec![
        Torn::new("accept of a proposal", disk(|_, _| {}), one(first), judged(first)),
        Torn::new("accept of a proposal, another begun", before, one(second), judged(second)),
        Torn::new("accept of a proposal, another written", after, one(second), judged(second)),
    ]
}

/// A disk on which a process was killed in an accept, before its last call of this kind on the folder of the file.
fn killed(way: Way, call: &str) -> Disk {
    let run = |plan: Plan| {
        let world = World::calm(disk(|_, _| {}));
        let ended =
            late_by(&world, 60, plan, |fs, host| accept(way, fs, &client(fs, host, "killed"), IDS[0]));
        (world, ended)
    };
    let (calm, ended) = run(Plan::NONE);
    assert!(matches!(ended, Ended::Returned(Ok(true))), "an accept on a healthy disk: {ended:?}");
    let trace = calm.trace();
    let at = trace.iter().position(|step| step.call == call && !step.path.starts_with(DIR));
    let at = at.expect("an accept replaces the file");
    let (world, ended) = run(Plan::at(at as u64, Fault::Kill));
    assert!(matches!(ended, Ended::Killed), "{ended:?}");
    world.disk(|disk| disk.clone())
}
