//! Small programs over `Fs`, each as a naive author writes it: lock files, a document, a log. Each mutant has a defect
//! that programs in the field have, and has to be found; the controls have none, and must never be flagged.
//!
//! The defects are numbered, and the [`CATALOG`] says of each number in which bench it is caught.

mod bench;
mod catalog;
mod locks;
mod stores;

pub use bench::{EXECUTIONS_MAX, Mutant, MutantResult, executions_to_violation, run_controls, run_mutants};
pub use catalog::{CATALOG, Numbered, Test, Where};
pub use locks::{Protocol, Record};
pub use stores::{Defect, Reached, Store};

use super::scenario::Scenario;

/// Every mutant with a number, and every control.
pub(super) fn scenarios() -> impl Iterator<Item = Box<dyn Scenario>> {
    Mutant::numbered()
        .into_iter()
        .chain(Mutant::controls())
        .map(|mutant| mutant.scenario as Box<dyn Scenario>)
}
