//! What a client does with leases: work that is granted, closed, abandoned and taken over, much of it on the same files.

use serde_json::{Value, json};

use crate::rng::Rng;

/// The leases that are worked under. Where ids are numbers the last two are one.
const LEASES: [&str; 8] = ["plan", "api", "ui/forms", "docs", "späte-arbeit", "ci", "5.1", "05.01"];
/// What they write: every one of these meets some others and not all.
const WRITE_SETS: [&[&str]; 7] = [
    &["src/"],
    &["src/api/**"],
    &["src/*/forms.ts", "README.md"],
    &["docs/guide.md"],
    &["docs/", "*.toml"],
    &["Cargo.toml", "src/ui/"],
    &[],
];
/// The TTLs that are asked for: some lapse within a stop, some outlive it.
const TTLS_MS: [u64; 3] = [30, 120, 1_000];

/// What one client knows of its leases.
#[derive(Debug, Default)]
pub(super) struct Leases {
    open: Vec<(&'static str, Value)>,
    ended: Option<(&'static str, Value)>,
}

impl Leases {
    /// The next operation on a lease.
    pub(super) fn next(&mut self, rng: &mut Rng, holder: &str, bind: bool) -> (&'static str, Value) {
        let lease = *rng.pick(&LEASES);
        match rng.below(100) {
            0..4 => ("lease.show", json!({ "lease": lease })),
            4..6 => ("lease.list", json!({})),
            6..8 => ("lease.list", json!({ "state": "open" })),
            8..11 => ("lease.crash", json!({ "lease": lease, "reason": "the soak says so" })),
            11..13 => {
                let reason = if rng.one_in(3) { " " } else { "the soak says so" };
                ("lease.clear", json!({ "lease": lease, "force": true, "reason": reason }))
            }
            13..15 => ("lease.clear", json!({ "lease": lease })),
            15..20 => match &self.ended {
                Some((lease, token)) => ("lease.close", json!({ "lease": lease, "token": token })),
                None => grant(rng, lease, holder, bind),
            },
            20..26 => {
                // Walks away: the lease lapses, or its process dies.
                self.open.pop();
                grant(rng, lease, holder, bind)
            }
            26..60 => grant(rng, lease, holder, bind),
            _ => match self.open.last() {
                Some((lease, token)) => ("lease.close", json!({ "lease": lease, "token": token })),
                None => grant(rng, lease, holder, bind),
            },
        }
    }

    /// Learns from an answer.
    pub(super) fn learn(&mut self, op: &str, args: &Value, answer: &Value) {
        let Some(lease) = LEASES.iter().find(|lease| args["lease"].as_str() == Some(lease)) else { return };
        match op {
            "lease.grant" if answer["outcome"].as_str() == Some("ok") => {
                self.open.push((lease, answer["value"]["token"].clone()));
            }
            "lease.close" => {
                if let Some(at) =
                    self.open.iter().rposition(|(open, token)| open == lease && *token == args["token"])
                {
                    self.ended = Some(self.open.remove(at));
                }
            }
            _ => {}
        }
    }

    /// What a fresh process reads at the end of a run.
    pub(super) fn last_looks() -> impl Iterator<Item = (&'static str, Value)> {
        let shows = LEASES.iter().map(|lease| ("lease.show", json!({ "lease": lease })));
        shows.chain([("lease.list", json!({}))])
    }
}

fn grant(rng: &mut Rng, lease: &str, holder: &str, bind: bool) -> (&'static str, Value) {
    let mut args = json!({ "lease": lease, "holder": holder, "write_set": *rng.pick(&WRITE_SETS), "ttl_ms": *rng.pick(&TTLS_MS) });
    if bind && rng.one_in(3) {
        args["bind"] = json!("process");
    }
    ("lease.grant", args)
}
