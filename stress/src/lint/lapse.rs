//! The rules about locks that have lapsed. All of them lapse at once, and while other rules are asked.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bench::{Bench, Misread};
use super::{Need, Rule};

pub(super) const TTL: &[Need] = &[Need::Group("lock"), Need::Ttl];
const TTL_MS: u64 = 100;
/// From when on a lock has surely lapsed.
const LAPSED: Duration = Duration::from_millis(TTL_MS + 250);

pub(super) const RULES: &[Rule] = &[
    Rule { name: "lapse-acquire", says: "A lapsed lock is granted to who asks.", needs: TTL, check: acquire },
    Rule {
        name: "lapse-own-claim",
        says: "The claim of a lapsed grant gets a new token.",
        needs: TTL,
        check: own_claim,
    },
    Rule {
        name: "lapse-renew",
        says: "Renew of a lapsed grant is refused as `expired`.",
        needs: TTL,
        check: renew,
    },
    Rule {
        name: "lapse-release",
        says: "Release of a lapsed grant is refused as `expired`.",
        needs: TTL,
        check: release,
    },
    Rule { name: "lapse-show", says: "A lapsed lock is nobody's.", needs: TTL, check: show },
    Rule {
        name: "lapse-break",
        says: "Break of a lapsed lock is refused as `not_found`.",
        needs: TTL,
        check: end,
    },
    Rule {
        name: "lapse-renewed",
        says: "A grant that was renewed does not lapse with its first TTL.",
        needs: TTL,
        check: renewed,
    },
];

/// What was granted to the holder `a`, by the rule that it is for, and when all of it has lapsed.
pub(super) struct Lapsed {
    granted: BTreeMap<&'static str, Value>,
    by: Instant,
}

impl Bench {
    /// Acquires what is to lapse while other rules are asked. What goes wrong is told by the rule that it is for.
    pub(super) fn begin_to_lapse(&mut self) {
        self.lapsed = self.acquire_all().ok();
    }

    fn acquire_all(&mut self) -> Result<Lapsed, Misread> {
        let mut granted = BTreeMap::new();
        for rule in RULES {
            let name = lock_of(rule.name);
            let fields = json!({ "name": name, "holder": "a", "claim": "claim-a", "ttl_ms": TTL_MS });
            let value = self.ask("lock.acquire", &fields)?.ok()?.clone();
            if rule.name == "lapse-renewed" {
                let mut fields = self.proof(&name, "a", &value);
                fields["ttl_ms"] = json!(600_000);
                self.ask("lock.renew", &fields)?.ok()?;
            }
            granted.insert(rule.name, value);
        }
        Ok(Lapsed { granted, by: Instant::now() + LAPSED })
    }

    /// The lock of one of the rules, with what was granted to `a` and has lapsed.
    fn lapsed(&mut self, which: &'static str) -> Result<(String, Value), Misread> {
        let lapsed = match self.lapsed.take() {
            Some(lapsed) => lapsed,
            None => self.acquire_all()?,
        };
        wait_until(lapsed.by);
        let granted = lapsed.granted.get(which).cloned();
        self.lapsed = Some(lapsed);
        Ok((lock_of(which), granted.unwrap_or_default()))
    }
}

/// Time is what lapses a grant.
pub(super) fn wait_until(by: Instant) {
    thread::sleep(by.saturating_duration_since(Instant::now()));
}

fn lock_of(rule: &str) -> String {
    format!("lapsed-{rule}")
}

fn acquire(bench: &mut Bench) -> Result<(), Misread> {
    let (name, old) = bench.lapsed("lapse-acquire")?;
    let reply = bench.acquire(&name, "b")?;
    let new = reply.ok()?;
    let other = !bench.declared.offers(Need::Tokens) || new["token"] != old["token"];
    reply.must(other, &format!("a token other than {}", old["token"]))
}

fn own_claim(bench: &mut Bench) -> Result<(), Misread> {
    let (name, old) = bench.lapsed("lapse-own-claim")?;
    let reply = bench.acquire(&name, "a")?;
    let new = reply.ok()?;
    let other = !bench.declared.offers(Need::Tokens) || new["token"] != old["token"];
    reply.must(other, &format!("a token other than {}: that grant has lapsed", old["token"]))
}

fn renew(bench: &mut Bench) -> Result<(), Misread> {
    let (name, old) = bench.lapsed("lapse-renew")?;
    let mut fields = bench.proof(&name, "a", &old);
    fields["ttl_ms"] = json!(1000);
    bench.ask("lock.renew", &fields)?.refused("expired")
}

fn release(bench: &mut Bench) -> Result<(), Misread> {
    let (name, old) = bench.lapsed("lapse-release")?;
    let fields = bench.proof(&name, "a", &old);
    bench.ask("lock.release", &fields)?.refused("expired")
}

fn show(bench: &mut Bench) -> Result<(), Misread> {
    let (name, _) = bench.lapsed("lapse-show")?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"].is_null(), "`\"holder\":null`: the grant has lapsed")
}

fn end(bench: &mut Bench) -> Result<(), Misread> {
    let (name, _) = bench.lapsed("lapse-break")?;
    bench.ask("lock.break", &json!({ "name": name, "reason": "lint" }))?.refused("not_found")
}

fn renewed(bench: &mut Bench) -> Result<(), Misread> {
    let (name, _) = bench.lapsed("lapse-renewed")?;
    bench.acquire(&name, "b")?.refused("held")
}
