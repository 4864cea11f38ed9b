//! What a system is here: what it does, where it breaks, and what we have instead.

use super::bug_log::{BUG_LOG_BEHAVIOURS, BUG_LOG_DEFECTS};
use super::plans::{PLANS_BEHAVIOURS, PLANS_DEFECTS};
use super::registry::{REGISTRY_BEHAVIOURS, REGISTRY_DEFECTS};
use super::session_lock::{SESSION_LOCK_BEHAVIOURS, SESSION_LOCK_DEFECTS};
use super::status_files::{STATUS_FILES_BEHAVIOURS, STATUS_FILES_DEFECTS};

/// A system that is to be replaceable.
#[derive(Debug, Clone, Copy)]
pub(super) struct System {
    /// Its letter; the n-th of its behaviours is `C1.n`.
    pub(super) letter: char,
    /// What it is, as a heading.
    pub(super) title: &'static str,
    /// The word of its defects; the n-th is `GSDD-n`.
    pub(super) prefix: &'static str,
    /// What it does.
    pub(super) behaviours: &'static [Behaviour],
    /// Where it breaks.
    pub(super) defects: &'static [Defect],
}

/// Something that a system does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    /// What it does.
    pub(super) what: &'static str,
    /// What ours does for it, and in what it differs on purpose.
    pub(super) ours: &'static str,
    /// Why there is no test, where there is none: one sentence.
    pub(super) argument: Option<&'static str>,
}

/// A way in which a system breaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defect {
    /// What goes wrong.
    pub(super) what: &'static str,
    /// The numbered mutants that have it ([`CATALOG`](fencehold_stress::sim::mutants::CATALOG)). With none, the
    /// system's published algorithm has to fail the test instead.
    pub(super) mutants: &'static [&'static str],
    /// What ours does instead.
    pub(super) ours: &'static str,
    /// Why there is no test, where there is none: one sentence.
    pub(super) argument: Option<&'static str>,
}

/// The systems, in the order of their letters. A system that is added here is held to its tags from then on.
pub(super) const SYSTEMS: [System; 5] = [
    System {
        letter: 'A',
        title: "a bug log, a ledger and shared prose of many sessions",
        prefix: "WOLF",
        behaviours: BUG_LOG_BEHAVIOURS,
        defects: BUG_LOG_DEFECTS,
    },
    System {
        letter: 'B',
        title: "a status file for each run of an agent",
        prefix: "CORE",
        behaviours: STATUS_FILES_BEHAVIOURS,
        defects: STATUS_FILES_DEFECTS,
    },
    System {
        letter: 'C',
        title: "a registry of worktrees and what each is working on",
        prefix: "GSDD",
        behaviours: REGISTRY_BEHAVIOURS,
        defects: REGISTRY_DEFECTS,
    },
    System {
        letter: 'D',
        title: "a lock for the sessions of coding agents",
        prefix: "GUARD",
        behaviours: SESSION_LOCK_BEHAVIOURS,
        defects: SESSION_LOCK_DEFECTS,
    },
    System {
        letter: 'E',
        title: "plan files against a database of statuses, on several machines",
        prefix: "CUST",
        behaviours: PLANS_BEHAVIOURS,
        defects: PLANS_DEFECTS,
    },
];

/// A behaviour that ours has.
pub(super) const fn does(what: &'static str, ours: &'static str) -> Behaviour {
    Behaviour { what, ours, argument: None }
}

/// A behaviour that ours has not, and why.
pub(super) const fn does_not(what: &'static str, ours: &'static str, argument: &'static str) -> Behaviour {
    Behaviour { what, ours, argument: Some(argument) }
}

/// A defect that ours has not, which these mutants have.
pub(super) const fn breaks(
    what: &'static str,
    mutants: &'static [&'static str],
    ours: &'static str,
) -> Defect {
    Defect { what, mutants, ours, argument: None }
}
