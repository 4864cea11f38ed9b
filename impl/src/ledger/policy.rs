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

    /// The policy that the workspace obeys.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn policy(&self) -> Result<Seen<Policy>> {
        self.journal.read(|state, _| state.policy.clone())
    }
}
