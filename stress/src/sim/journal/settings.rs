//! The settings that clients are run in: one for each defect, small enough to be searched to the end, and two at large.

use super::defect::Defect;
use super::remote::{Faults, Limits};
use super::users::StoreUsers;
use super::wants::{Want, Wants};

use Want::{Acquire, Again, Read, Release};

const CALM: Faults = Faults { lost_max: 0, twice_max: 0, late_max: 0, pauses_max: 0, pause_ms: 300 };
/// What the settings at large allow for.
const MANY: Faults = Faults { lost_max: 3, twice_max: 3, late_max: 3, pauses_max: 3, pause_ms: 300 };

impl Defect {
    /// The least that shows it. Without the defect nothing is wrong in it.
    #[must_use]
    pub fn setting(self) -> StoreUsers {
        let limits = Limits::default();
        let (given, limits, faults): (&'static [&'static [Want]], Limits, Faults) = match self {
            // One decides and stands still; the other appends past it, and trims.
            Defect::AbsenceAsCas => {
                (&[&[Acquire], &[Acquire, Release]], Limits { trim_after: 1, ..limits }, CALM)
            }
            Defect::NoLookUp | Defect::AmbiguousIsNo => {
                (&[&[Acquire]], limits, Faults { lost_max: 1, ..CALM })
            }
            // It gives up on the append, and then on what it asks next.
            Defect::NoBarrier => (
                &[&[Acquire]],
                Limits { tries_max: 1, ..limits },
                Faults { lost_max: 1, late_max: 1, ..CALM },
            ),
            // Another takes the lapsed lock over before the first can ask what became of its append.
            Defect::ForgottenIsNo => (
                &[&[Acquire], &[Acquire]],
                Limits { ops_kept: 1, ..limits },
                Faults { lost_max: 1, pauses_max: 1, ..CALM },
            ),
            Defect::StaleRead => (&[&[Acquire, Read], &[Acquire]], limits, Faults { pauses_max: 1, ..CALM }),
            Defect::ClientClock | Defect::HolderIsClaim => (&[&[Acquire], &[Acquire]], limits, CALM),
            Defect::EarlierThanShown => (&[&[Acquire], &[Read]], limits, Faults { pauses_max: 1, ..CALM }),
            // Two trims under way, the older one arrives last.
            Defect::TrimAnyway => (&[&[Acquire, Release, Acquire]], Limits { trim_after: 1, ..limits }, CALM),
            // A trim is under way while the store loses what it folds.
            Defect::TrimOfLost => (&[&[Acquire, Release, Read]], Limits { trim_after: 1, ..limits }, CALM),
            Defect::FloorSkipped | Defect::NotDurable => (&[&[Acquire], &[Acquire]], limits, CALM),
        };
        let name = format!("setting of {}", self.name());
        let (relaxed, crashes_max) = match self {
            Defect::FloorSkipped => (2, 1),
            Defect::NotDurable | Defect::TrimOfLost => (1, 1),
            _ => (0, 0),
        };
        StoreUsers::new(&name, given.len(), Wants::Given(given), limits, faults).relaxed(relaxed, crashes_max)
    }

    /// Its setting, with it.
    #[must_use]
    pub fn shown(self) -> StoreUsers {
        self.setting().with(self)
    }
}

/// Every scenario of the simulated journal that a schedule can name.
#[must_use]
pub fn scenarios() -> Vec<StoreUsers> {
    let settings = Defect::ALL.into_iter().flat_map(|defect| [defect.setting(), defect.shown()]);
    [at_large(), forgetful(), crashing()].into_iter().chain(small()).chain(settings).collect()
}

/// Settings that are searched to their end.
#[must_use]
pub fn small() -> Vec<StoreUsers> {
    let limits = Limits { trim_after: 1, ..Limits::default() };
    let lost = Faults { lost_max: 1, ..CALM };
    let given: [(&str, &'static [&'static [Want]], Faults); 4] = [
        ("three ask", &[&[Acquire], &[Acquire], &[Acquire]], CALM),
        ("one gives up, one asks, an answer is lost", &[&[Acquire, Release], &[Acquire]], lost),
        ("one asks, another asks again for it, an answer is lost", &[&[Acquire], &[Again]], lost),
        (
            "one asks while time passes, one reads twice",
            &[&[Acquire], &[Read, Read]],
            Faults { pauses_max: 2, ..CALM },
        ),
    ];
    let users = given
        .map(|(name, given, faults)| StoreUsers::new(name, given.len(), Wants::Given(given), limits, faults));
    users.into()
}

/// Clients that do everything, while everything goes wrong.
#[must_use]
pub fn at_large() -> StoreUsers {
    let limits = Limits { trim_after: 2, ..Limits::default() };
    StoreUsers::new("clients at large", 3, Wants::Drawn { each: 4, kinds: 5 }, limits, MANY)
}

/// The same on a store that keeps two operation ids only; nobody asks again after that, because it would be new then.
#[must_use]
pub fn forgetful() -> StoreUsers {
    let limits = Limits { trim_after: 1, ops_kept: 2, tries_max: 2, ..Limits::default() };
    StoreUsers::new("forgetful store", 3, Wants::Drawn { each: 4, kinds: 4 }, limits, MANY)
}

/// The same, two of three clients relaxed, on a store that crashes. Nobody asks again: what was lost would be new.
#[must_use]
pub fn crashing() -> StoreUsers {
    let limits = Limits { trim_after: 3, ..Limits::default() };
    StoreUsers::new("crashing store", 3, Wants::Drawn { each: 4, kinds: 4 }, limits, MANY).relaxed(2, 2)
}
