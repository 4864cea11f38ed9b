//! What a target declares of itself.

use fencehold_model::history::Tokens;
use serde_json::Value;

use super::Need;

/// What a target declared.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// The value of its answer to `hello`.
    pub value: Value,
}

impl Declared {
    fn has(&self, key: &str, word: &str) -> bool {
        let words = self.value[key].as_array().map_or(&[][..], Vec::as_slice);
        words.iter().any(|found| found == word)
    }

    /// Whether it offers what a rule needs.
    #[must_use]
    pub fn offers(&self, need: Need) -> bool {
        match need {
            Need::Hello => self.value.is_object(),
            Need::Group(group) => self.has("offers", group),
            Need::Ttl => self.has("locks_end", "ttl"),
            Need::Process => self.has("locks_end", "process"),
            Need::Tokens => self.tokens() != Tokens::None,
            Need::Fencing => self.value["fencing"] == true,
            Need::Revisions => self.value["revisions"] == true,
            Need::LastingLocks => self.has("locks_end", "ttl") || !self.has("locks_end", "process"),
        }
    }

    /// Whether what was answered outlives SIGKILL.
    #[must_use]
    pub fn survives_kill(&self) -> bool {
        self.has("survives", "kill")
    }

    /// The kind of its tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        match self.value["tokens"].as_str() {
            Some("ordered") => Tokens::Ordered,
            Some("opaque") => Tokens::Opaque,
            _ => Tokens::None,
        }
    }
}
