//! Line one of a history: which run, which target, and what the target declared of itself.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::Policy;
use crate::json::{Fields, Tree};

/// The version of the history format that this crate reads and writes.
pub const HISTORY_VERSION: u64 = 1;
/// How long after its TTL a lock may still be reported as held, unless the header says otherwise: 250 ms.
pub const SLACK_MS_DEFAULT: u64 = 250;

/// Line one.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The seed that the run drew from.
    pub seed: u64,
    /// The target, as it names itself.
    pub target: String,
    /// What the target declared.
    pub hello: Hello,
    /// How long after its TTL a lock may still be reported as held.
    pub slack_ms: u64,
    /// In a corpus: what is wrong with the history, or what makes it worth keeping.
    pub why: Option<String>,
    /// In a corpus: the verdict that the checker must give.
    pub expect: Option<Expect>,
    /// In a corpus: the word of the rule that must be found broken.
    pub breach: Option<String>,
}

/// The verdict that a judged history must get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Every answer can be explained.
    Ok,
    /// Some answer cannot be explained.
    Violation,
    /// It cannot be told.
    Unknown,
}

/// What a target declares of itself in its answer to `hello`, as far as it bears on the verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// The groups of operations that it offers.
    pub offers: Vec<String>,
    /// What kind of tokens its grants carry.
    pub tokens: Tokens,
    /// A lock lapses once its TTL has passed.
    pub ttl_ends: bool,
    /// A lock ends with the process that answered, or that it was bound to.
    pub process_ends: bool,
    /// A guarded operation behind a newer grant is refused.
    pub fencing: bool,
    /// Every answer carries the point at which it was decided.
    pub revisions: bool,
    /// What the workspace has agreed on: how ids are written, the statuses, what an overlap means.
    pub policy: Policy,
}

/// What kind of tokens the grants of a target carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tokens {
    /// Numbers that grow.
    Ordered,
    /// Strings that are compared for equality only.
    Opaque,
    /// None: renew and release carry holder and claim alone.
    #[default]
    None,
}

impl Header {
    /// Reads line one, or says what is wrong with it.
    pub(super) fn read(line: &Value) -> Result<Self, String> {
        match line["history"].as_u64() {
            Some(HISTORY_VERSION) => {}
            Some(newer) => {
                return Err(format!(
                    "format {newer} is not known here, only {HISTORY_VERSION}: use a newer program"
                ));
            }
            None => return Err("line one needs `\"history\":1`: this is no history".to_owned()),
        }
        let expect = match line["expect"].as_str() {
            None => None,
            Some("ok") => Some(Expect::Ok),
            Some("violation") => Some(Expect::Violation),
            Some("unknown") => Some(Expect::Unknown),
            Some(other) => return Err(format!("`expect` is {other:?}; it is ok, violation or unknown")),
        };
        Ok(Header {
            seed: line["seed"].as_u64().unwrap_or(0),
            target: line["target"].as_str().unwrap_or("").to_owned(),
            hello: Hello::read(&line["hello"])?,
            slack_ms: line["slack_ms"].as_u64().unwrap_or(SLACK_MS_DEFAULT),
            why: line["why"].as_str().map(ToOwned::to_owned),
            expect,
            breach: line["breach"].as_str().map(ToOwned::to_owned),
        })
    }
}

impl Hello {
    /// Reads the value of a target's answer to `hello`, or says what is wrong with it.
    pub fn read(value: &Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("`hello` is not an object: record the value that the target answered".to_owned());
        }
        let words = |key: &str| -> Vec<String> {
            let all = value[key].as_array().map_or(&[][..], Vec::as_slice);
            all.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        };
        let ends = words("locks_end");
        Ok(Hello {
            offers: words("offers"),
            tokens: match value["tokens"].as_str() {
                Some("ordered") => Tokens::Ordered,
                Some("opaque") => Tokens::Opaque,
                Some("none") | None => Tokens::None,
                Some(other) => return Err(format!("`tokens` is {other:?}; it is ordered, opaque or none")),
            },
            ttl_ends: ends.iter().any(|end| end == "ttl"),
            process_ends: ends.iter().any(|end| end == "process"),
            fencing: value["fencing"].as_bool().unwrap_or(false),
            revisions: value["revisions"].as_bool().unwrap_or(false),
            policy: match &value["policy"] {
                Value::Null => Policy::default(),
                policy => Fields::of(&Tree::of(policy))
                    .and_then(Policy::read)
                    .map_err(|bad| format!("`policy` is none: {bad}"))?,
            },
        })
    }
}
