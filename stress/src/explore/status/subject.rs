//! What is explored: the status machine that ships, or a deliberately wrong variant of it.

use fencehold_model::status::{self, Command, Decision, Value, Vocabulary};
use fencehold_model::{Entry, State};

use super::super::Shipped;

/// A status machine.
pub trait Subject {
    /// As [`status::decide`].
    fn decide(&self, state: &State, command: &Command) -> Decision {
        status::decide(state, command)
    }

    /// As [`State::apply`].
    fn apply(&self, state: &mut State, entry: &Entry) {
        state.apply(entry);
    }

    /// As [`Value::join`].
    fn join(&self, one: &Value, other: &Value, vocabulary: &Vocabulary) -> Value {
        one.join(other, vocabulary)
    }
}

impl Subject for Shipped {}
