//! The rules about fences: a guarded operation behind a newer grant is refused.

use serde_json::{Value, json};

use super::bench::{Bench, Misread};
use super::{Need, Rule};

const LOG: &[Need] = &[Need::Fencing, Need::Group("lock"), Need::Group("log")];
const DOC: &[Need] = &[Need::Fencing, Need::Group("lock"), Need::Group("doc")];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "fence-log",
        says: "An append under the newest grant is done, one behind it is refused as `stale_token`.",
        needs: LOG,
        check: log,
    },
    Rule { name: "fence-increment", says: "So is an increment.", needs: DOC, check: increment },
    Rule { name: "fence-merge", says: "So is a merge.", needs: DOC, check: merge },
    Rule { name: "fence-read", says: "So is a guarded read.", needs: DOC, check: read },
];

/// Asks with the fence of a grant, and again once there is a newer one.
fn behind(bench: &mut Bench, op: &str, fields: &Value) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let old = bench.acquire(&name, "a")?.ok()?.clone();
    let mut fields = fields.clone();
    fields["fence"] = json!({ "lock": name, "token": old["token"] });
    bench.ask(op, &fields)?.ok()?;
    let proof = bench.proof(&name, "a", &old);
    bench.ask("lock.release", &proof)?.ok()?;
    let new = bench.acquire(&name, "b")?.ok()?.clone();
    bench.ask(op, &fields)?.refused("stale_token")?;
    fields["fence"]["token"] = new["token"].clone();
    bench.ask(op, &fields)?.ok().map(drop)
}

fn log(bench: &mut Bench) -> Result<(), Misread> {
    let fields = json!({ "file": bench.fresh("f"), "record": { "id": "r" } });
    behind(bench, "log.append", &fields)
}

fn increment(bench: &mut Bench) -> Result<(), Misread> {
    let fields = json!({ "file": bench.fresh("d"), "key": "k", "by": 1 });
    behind(bench, "doc.increment", &fields)
}

fn merge(bench: &mut Bench) -> Result<(), Misread> {
    let fields = json!({ "file": bench.fresh("d"), "patch": { "a": 1 } });
    behind(bench, "doc.merge", &fields)
}

fn read(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    bench.ask("doc.increment", &json!({ "file": file, "key": "k", "by": 1 }))?.ok()?;
    behind(bench, "doc.read", &json!({ "file": file }))
}
