//! Processes that make the same workspace at once and then use it, some of them killed on the way.

use fencehold::journal::{Modes, create};

use super::Told;
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::workspace::{self, Client, DIR, granted};
use crate::sim::world::{Body, Options, SimFs, SimHost, World};

const PROCESSES: usize = 3;

/// The scenario: whoever needs a workspace has one afterwards, and all have the same.
#[derive(Debug, Clone)]
pub struct Creators {
    disk: Disk,
}

impl Creators {
    /// In a directory without a workspace.
    #[must_use]
    pub fn new() -> Self {
        Creators { disk: workspace::empty() }
    }
}

impl Default for Creators {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario for Creators {
    fn name(&self) -> String {
        "together/creators of a workspace".to_owned()
    }

    fn run(&self, source: Source) -> Ran {
        let options = Options { preempt_one_in: 8, kills_max: 2, kill_one_in: 60, ..Options::default() };
        let world = World::new(self.disk.clone(), source, options);
        let told = Told::nothing();
        let body = || -> Body<'static, ()> {
            let told = told.clone();
            Box::new(move |fs, host| told.push(first_use(&fs, &host)))
        };
        world.together_owned((0..PROCESSES).map(|_| body()).collect());
        let mut tokens = Vec::new();
        let mut violation = None;
        for answer in told.lock().drain(..) {
            match answer {
                Ok(token) => tokens.push(token),
                Err(what) => violation = Some(what),
            }
        }
        let answered = tokens.len();
        tokens.sort_unstable();
        tokens.dedup();
        if tokens.len() != answered {
            violation = Some("two processes were given the same token: they use two workspaces".to_owned());
        }
        if let Some(missing) = missing(&world) {
            violation = Some(format!("a workspace was put in place without its {missing}"));
        }
        Ran::of(&world, violation)
    }
}

/// What is not there of a workspace that is.
fn missing(world: &World) -> Option<&'static str> {
    let names = world.disk(|disk| disk.list(DIR.as_ref())).ok()?;
    let whole = ["lock", "floor.json", "journal.1.ndjson", "doc", "archive", "quarantine"];
    whole.into_iter().find(|name| !names.iter().any(|there| there == name))
}

fn first_use(fs: &SimFs, host: &SimHost) -> Result<u64, String> {
    create(fs, host, DIR.as_ref(), Modes::Owner).map_err(|error| format!("a creator is told: {error}"))?;
    let me = format!("process-{}", host.number());
    let answer = Client::new(fs.clone(), host.clone(), &me).acquire(&me, &me, 1_000);
    granted(&answer).ok_or_else(|| format!("the first use of a workspace is answered {answer:?}"))
}
