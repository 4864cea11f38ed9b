//! Documents and logs under the power cut: each operation of [`torn`], cut off by the power instead of a kill.
//!
//! Before each call the power fails; in the next boot the same judge as after a kill looks at what is left: what was
//! answered is there, what was not is there whole or not at all, a token that was shown keeps older ones out, and who
//! comes next goes on.

use super::PAGE_BYTES;
use crate::sim::choice::Source;
use crate::sim::disk::Persistence;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::torn::{self, Torn};

/// One operation on a document or a log, on a filesystem.
#[derive(Debug)]
pub struct Files {
    torn: Torn,
    model: Persistence,
}

impl Files {
    /// Every operation on documents and logs, in a fixed order.
    #[must_use]
    pub fn all(model: Persistence) -> Vec<Self> {
        let torn = torn::documents()
            .into_iter()
            .chain(torn::logs())
            .chain(torn::compactions())
            .chain(torn::imports());
        torn.map(|torn| Files { torn, model }).collect()
    }
}

impl Scenario for Files {
    fn name(&self) -> String {
        format!("power/{}/{}", format!("{:?}", self.model).to_lowercase(), self.torn.name())
    }

    fn run(&self, source: Source) -> Ran {
        self.torn.cut_off(source, self.model, PAGE_BYTES)
    }
}
