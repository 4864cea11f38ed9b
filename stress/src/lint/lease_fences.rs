//! The rules about leases as fences.

use serde_json::{Value, json};

use super::bench::{Bench, Misread};
use super::{Need, Rule};

const FENCE: &[Need] = &[Need::Fencing, Need::Group("lease"), Need::Group("doc")];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "fence-lease",
        says: "An increment under the newest grant of a lease is done, one behind it is refused as `stale_token`.",
        needs: FENCE,
        check: behind,
    },
    Rule {
        name: "fence-lease-crashed",
        says: "An increment under a lease that others crashed is refused as `stale_token`.",
        needs: FENCE,
        check: crashed,
    },
    Rule {
        name: "fence-apart",
        says: "What a lease guards is `guarded` from the lock of its name.",
        needs: &[Need::Fencing, Need::Group("lock"), Need::Group("lease"), Need::Group("doc")],
        check: apart,
    },
];

fn increment(bench: &Bench, kind: &str, name: &str, granted: &Value) -> Value {
    let fence = json!({ kind: name, "token": granted["token"] });
    json!({ "file": bench.fresh("d"), "key": "k", "by": 1, "fence": fence })
}

fn behind(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    let old = bench.grant_of(0, &lease, "a", &json!({}))?.ok()?.clone();
    let older = increment(bench, "lease", &lease, &old);
    bench.ask("doc.increment", &older)?.ok()?;
    bench.ask("lease.close", &json!({ "lease": lease, "token": old["token"] }))?.ok()?;
    let new = bench.grant_of(0, &lease, "b", &json!({}))?.ok()?.clone();
    bench.ask("doc.increment", &older)?.refused("stale_token")?;
    let newer = increment(bench, "lease", &lease, &new);
    bench.ask("doc.increment", &newer)?.ok().map(drop)
}

fn crashed(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    let granted = bench.grant_of(0, &lease, "a", &json!({}))?.ok()?.clone();
    let fields = increment(bench, "lease", &lease, &granted);
    bench.ask("doc.increment", &fields)?.ok()?;
    bench.ask("lease.crash", &json!({ "lease": lease, "reason": "lint" }))?.ok()?;
    bench.ask("doc.increment", &fields)?.refused("stale_token")
}

fn apart(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("n");
    let lease = bench.grant_of(0, &name, "a", &json!({}))?.ok()?.clone();
    let fields = increment(bench, "lease", &name, &lease);
    bench.ask("doc.increment", &fields)?.ok()?;
    let lock = bench.acquire(&name, "a")?.ok()?.clone();
    let fields = increment(bench, "lock", &name, &lock);
    bench.ask("doc.increment", &fields)?.refused("guarded")
}
