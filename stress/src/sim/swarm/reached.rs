//! What runs reached: a stage of which something never happened is not green.

use fencehold_model::{Entry, Event};

use super::plan::Plan;
use crate::check::Report;
use crate::sim::seam::Record;
use crate::sim::world::World;

macro_rules! counted {
    ($($field:ident: $name:literal,)*) => {
        /// What runs did and reached, summed up.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Reached {
            $(#[doc = $name] pub $field: u64,)*
        }

        impl Reached {
            /// Everything, by name.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field)),*]
            }

            /// What other runs reached as well.
            pub fn add(&mut self, other: &Reached) {
                $(self.$field += other.$field;)*
            }
        }
    };
}

counted! {
    runs: "runs",
    operations: "operations",
    calls: "calls, and what happened between them",
    relaxed: "relaxed runs",
    by_priorities: "runs by priorities",
    kills: "kills",
    power_cuts: "power cuts",
    stops: "stalls and stops",
    errors: "calls that failed or came short",
    evictions: "evictions",
    clock_steps: "clock steps and sleeps",
    forks: "forked children",
    boots: "boots after the first",
    takeovers: "takeovers",
    contended: "contended acquires",
    overlaps: "overlaps refused",
    increments: "increments",
    appends: "appends",
    stale: "stale tokens refused",
    infos: "operations without an answer",
    rotations: "rotations",
    condemned: "condemned files",
    torn_tails: "torn tails",
    quarantines: "quarantines",
    lost_tails: "lost tails",
    written_over: "lines written over",
}

impl Reached {
    /// What never happened.
    #[must_use]
    pub fn missed(&self) -> Vec<&'static str> {
        self.all().into_iter().filter_map(|(name, count)| (count == 0).then_some(name)).collect()
    }

    /// What was seen of the places that called the disk.
    pub(super) fn called(&mut self, record: &Record) {
        let over = record
            .places
            .iter()
            .filter(|(place, _)| place.call == "write_at" && place.file.ends_with("journal/prove.rs"));
        self.written_over += over.map(|(_, count)| count).sum::<u64>();
    }

    pub(super) fn judged(&mut self, report: &Report) {
        self.takeovers += report.counts.takeovers as u64;
        self.contended += report.counts.contended as u64;
        self.overlaps += report.counts.overlaps as u64;
        self.increments += report.counts.increments as u64;
        self.appends += report.counts.appends as u64;
        self.infos += report.counts.infos as u64;
    }

    pub(super) fn journal(&mut self, entries: &[Entry]) {
        let boots = entries.iter().filter(|entry| matches!(entry.event, Event::Boot { .. })).count() as u64;
        self.boots += boots.saturating_sub(1);
        let failed = |event: &Event| matches!(event, Event::Repaired { reason } if reason.contains("sync"));
        self.condemned += entries.iter().filter(|entry| failed(&entry.event)).count() as u64;
    }

    /// What the world has to say at the end.
    pub(super) fn count(&mut self, world: &World, plan: &Plan) {
        let counts = world.counts();
        self.runs += 1;
        self.calls += world.calls() as u64;
        self.relaxed += u64::from(!plan.users.durable);
        self.kills += u64::from(counts.kills);
        self.power_cuts += u64::from(counts.power_cuts);
        self.stops += u64::from(counts.stalls + counts.stops);
        self.errors += u64::from(counts.errors);
        self.evictions += u64::from(counts.evictions);
        self.clock_steps += u64::from(counts.clock_steps + counts.suspends);
        self.forks += u64::from(counts.forks);
        world.disk(|disk| {
            for (path, bytes) in disk.files() {
                let (name, folder) = (path.file_name(), path.parent().and_then(|dir| dir.file_name()));
                let of_journal = name.is_some_and(|name| name.to_string_lossy().starts_with("journal."));
                let folder = folder.and_then(|folder| folder.to_str());
                self.rotations += u64::from(of_journal && folder == Some("archive"));
                if folder == Some("quarantine") && !bytes.is_empty() {
                    self.quarantines += 1;
                    self.torn_tails += u64::from(bytes.last() != Some(&b'\n'));
                }
            }
        });
    }
}
