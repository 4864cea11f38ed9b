//! The policy of a ledger.

use fencehold_model::Policy;
use fencehold_model::policy::{self, Decision};

use super::{Answer, Ledger};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::journal::{Asking, Journal, Seen};

impl<J: Journal, H: Host> Ledger<J, H> {
    /// Makes `policy` the one that the workspace obeys; the answer says whether it was not already.
    ///
    /// # Errors
    /// Where something that stands would have no meaning under it, and all that [`Journal::commit`] gives.
    pub fn apply_policy(&self, asking: &Asking, policy: &Policy) -> Result<Answer<bool>> {
        #[allow(clippy::result_large_err)]
        let committed = self.journal.commit(asking, |state, _| match policy::decide(state, policy) {
            Decision::Record(event) => Ok(event),
            other => Err(other),
        })?;
        let applied = match &committed.outcome {
            Ok(_) => true,
            Err(Decision::Already) => false,
            Err(Decision::Invalid(why)) => return Err(Error::usage(format!("{why}; nothing was changed"))),
            Err(Decision::Record(_)) => panic!("the policy was not answered"),
        };
        self.answered(&committed, applied)
    }

    /// The policy that the workspace obeys, as a value of the caller's own: it borrows nothing, and what becomes of it is
    /// nothing to the workspace. So is whatever a look at the journal gives back:
    ///
    /// ```
    /// # use fencehold::fs::RealFs;
    /// # use fencehold::host::RealHost;
    /// # use fencehold::journal::{FileJournal, Journal as _, Modes, Options, create};
    /// # use fencehold::ledger::Ledger;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let of_the_example = tempfile::tempdir()?;
    /// # let (host, dir) = (RealHost::new()?, of_the_example.path().join(".fencehold"));
    /// # create(&RealFs, &host, &dir, Modes::Owner)?;
    /// # let ledger = Ledger::new(FileJournal::new(RealFs, host.clone(), &dir, Options::default()), host);
    /// let mut kept = Vec::new();
    /// ledger.journal().read(|state, _| kept.push(state.policy.clone()))?;
    /// # drop(kept);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What the look itself is shown is only lent. It cannot be kept:
    ///
    /// ```compile_fail,E0521
    /// # use fencehold::fs::RealFs;
    /// # use fencehold::host::RealHost;
    /// # use fencehold::journal::{FileJournal, Journal as _, Modes, Options, create};
    /// # use fencehold::ledger::Ledger;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let of_the_example = tempfile::tempdir()?;
    /// # let (host, dir) = (RealHost::new()?, of_the_example.path().join(".fencehold"));
    /// # create(&RealFs, &host, &dir, Modes::Owner)?;
    /// # let ledger = Ledger::new(FileJournal::new(RealFs, host.clone(), &dir, Options::default()), host);
    /// let mut kept = Vec::new();
    /// ledger.journal().read(|state, _| kept.push(&state.policy))?;
    /// # drop(kept);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It cannot be taken:
    ///
    /// ```compile_fail,E0507
    /// # use fencehold::fs::RealFs;
    /// # use fencehold::host::RealHost;
    /// # use fencehold::journal::{FileJournal, Journal as _, Modes, Options, create};
    /// # use fencehold::ledger::Ledger;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let of_the_example = tempfile::tempdir()?;
    /// # let (host, dir) = (RealHost::new()?, of_the_example.path().join(".fencehold"));
    /// # create(&RealFs, &host, &dir, Modes::Owner)?;
    /// # let ledger = Ledger::new(FileJournal::new(RealFs, host.clone(), &dir, Options::default()), host);
    /// let mut kept = Vec::new();
    /// ledger.journal().read(|state, _| kept.push(state.policy))?;
    /// # drop(kept);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// And it cannot be changed:
    ///
    /// ```compile_fail,E0596
    /// # use fencehold::fs::RealFs;
    /// # use fencehold::host::RealHost;
    /// # use fencehold::journal::{FileJournal, Journal as _, Modes, Options, create};
    /// # use fencehold::ledger::Ledger;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let of_the_example = tempfile::tempdir()?;
    /// # let (host, dir) = (RealHost::new()?, of_the_example.path().join(".fencehold"));
    /// # create(&RealFs, &host, &dir, Modes::Owner)?;
    /// # let ledger = Ledger::new(FileJournal::new(RealFs, host.clone(), &dir, Options::default()), host);
    /// let mut kept = Vec::new();
    /// ledger.journal().read(|state, _| kept.append(&mut state.policy.gates))?;
    /// # drop(kept);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn policy(&self) -> Result<Seen<Policy>> {
        self.journal.read(|state, _| state.policy.clone())
    }
}
