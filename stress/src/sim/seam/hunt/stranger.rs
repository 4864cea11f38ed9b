//! Who may not write can make nobody's lines durable: of a sync that failed he learns by the mark alone.

use rustix::io::Errno;

use super::pairs::{alone, look, own};
use super::seen::calls;
use super::things::{Left, Thing, due, early, nearly_due, thing, used};
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Fault, Options, Plan, World};

/// Somebody died before his last sync. The next one meets a sync that fails; then one looks who may not write, and the
/// power fails.
pub(super) struct Stranger {
    name: &'static str,
    disk: Disk,
    /// What fails for the next one, one of these.
    plans: Vec<Plan>,
    /// Where a look opens the journal, for reading or for writing.
    opens: Vec<u64>,
}

impl Stranger {
    pub(super) fn all() -> Vec<Self> {
        let of = |left, name, disk| Thing { left: Some(left), ..thing(name, disk, own, look) };
        vec![
            Stranger::new(&of((due, Left::Unsynced), "a rotation", nearly_due), false),
            Stranger::new(&of((early, Left::Half), "a half line", used), false),
            Stranger::new(&of((early, Left::Unsynced), "a write that is taken back", used), true),
        ]
    }

    fn new(thing: &Thing, taken_back: bool) -> Self {
        let disk = thing.begun();
        let world = World::calm(disk.clone());
        assert!(alone(&world, own).is_ok(), "{} on a healthy disk", thing.name);
        let fails = |at| Plan::at(at, Fault::Fail(Errno::IO));
        let plans = if taken_back {
            let append = calls(&world, &["append"])[0];
            // The truncation, the sync of that, or in another order what comes then.
            (1..4).map(|after| fails(append + after).and(append, Fault::Short(1))).collect()
        } else {
            let syncs = calls(&world, &["sync"]).into_iter();
            syncs.flat_map(|at| [fails(at), fails(at + 1)]).collect()
        };
        let world = World::calm(disk.clone());
        assert!(alone(&world, look).is_ok(), "{} on a healthy disk", thing.name);
        let trace = world.trace();
        let opens = calls(&world, &["open"]).into_iter();
        let opens = opens.filter(|at| trace[*at as usize].path.ends_with("journal.1.ndjson")).collect();
        Stranger { name: thing.name, disk, plans, opens }
    }
}

impl Scenario for Stranger {
    fn name(&self) -> String {
        format!("seen by who may not write/{}", self.name)
    }

    fn run(&self, source: Source) -> Ran {
        let world = World::new(self.disk.clone(), source, Options::default());
        let plan = self.plans[world.choose("fails", self.plans.len())];
        // What it is told counts for nothing here, only what it leaves.
        drop(world.alone(plan, |fs, host| own(&fs, &host)));
        let open = self.opens[world.choose("open", self.opens.len())];
        let plan = Plan::at(open, Fault::Fail(Errno::ACCESS));
        // Who is told nothing relies on nothing.
        let saw = world.alone(plan, |fs, host| look(&fs, &host)).returned().and_then(Result::ok);
        world.power_cut();
        let Some(saw) = saw else { return Ran::of(&world, None) };
        let violation = match alone(&world, look) {
            Ok(after) if after >= saw => None,
            Ok(after) => Some(format!("{saw} was seen, and after the power failed there is {after}")),
            Err(told) => Some(told),
        };
        Ran::of(&world, violation)
    }
}
