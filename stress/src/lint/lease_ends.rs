//! The rules about how leases end, are granted again, and are listed.

use fencehold_model::history::Tokens;
use serde_json::{Value, json};

use super::Rule;
use super::bench::{Bench, Misread, Reply};
use super::leases::LEASE;

/// How many leases are granted for one list of several pages: more than 1 MiB, as each writes `PATHS` long paths.
const PAGED: usize = 50;
const PATHS: usize = 6;
/// A part of such a path.
const NAME_BYTES: usize = 240;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "lease-close",
        says: "Close with the token ends the lease, and what it wrote is free.",
        needs: LEASE,
        check: close,
    },
    Rule {
        name: "lease-close-again",
        says: "Repeating a close with its token is `ok`, with `already`.",
        needs: LEASE,
        check: close_again,
    },
    Rule {
        name: "lease-close-other",
        says: "Close of an open lease with the token of an earlier grant is refused as `not_holder`.",
        needs: LEASE,
        check: close_other,
    },
    Rule {
        name: "lease-crash",
        says: "Crash with a reason ends the lease, and what it wrote is free.",
        needs: LEASE,
        check: crash,
    },
    Rule {
        name: "lease-crash-blank-reason",
        says: "Crash with a blank reason is refused as `needs_reason`.",
        needs: LEASE,
        check: blank_reason,
    },
    Rule {
        name: "lease-not-open",
        says: "Close and crash of a lease that ended otherwise are refused as `not_open`.",
        needs: LEASE,
        check: not_open,
    },
    Rule {
        name: "lease-clear",
        says: "Clear puts a lease aside that has ended, and an open one by force with a reason.",
        needs: LEASE,
        check: clear,
    },
    Rule {
        name: "lease-clear-open",
        says: "Clear of an open lease without force or reason is refused as `needs_reason`.",
        needs: LEASE,
        check: clear_open,
    },
    Rule {
        name: "lease-not-found",
        says: "What is asked of a lease that was never granted is refused as `not_found`.",
        needs: LEASE,
        check: not_found,
    },
    Rule {
        name: "lease-again",
        says: "A lease that has ended is granted again, under a new token; ordered tokens grow.",
        needs: LEASE,
        check: again,
    },
    Rule {
        name: "lease-list",
        says: "`lease.list` tells every lease, in the order of ids.",
        needs: LEASE,
        check: list,
    },
    Rule {
        name: "lease-list-state",
        says: "`lease.list` with a `state` tells the leases that are in it.",
        needs: LEASE,
        check: list_state,
    },
    Rule {
        name: "lease-list-pages",
        says: "What one answer cannot hold is listed after `next`.",
        needs: LEASE,
        check: pages,
    },
];

impl Bench {
    fn close(&mut self, lease: &str, granted: &Value) -> Result<Reply, Misread> {
        self.ask("lease.close", &json!({ "lease": lease, "token": granted["token"] }))
    }

    fn crash(&mut self, lease: &str) -> Result<Reply, Misread> {
        self.ask("lease.crash", &json!({ "lease": lease, "reason": "lint" }))
    }

    /// The leases of this rule that a list tells, over all its pages, and the last of those.
    fn listed(&mut self, state: &Value) -> Result<(Vec<String>, Reply), Misread> {
        let (mut ids, mut after, mine) = (Vec::new(), Value::Null, self.fresh(""));
        loop {
            let reply = self.ask("lease.list", &json!({ "state": state, "after": after }))?;
            let value = reply.ok()?;
            let leases = value["leases"].as_array();
            reply.must(leases.is_some(), "`leases`, an array")?;
            let page: Vec<&str> =
                leases.into_iter().flatten().filter_map(|lease| lease["lease"].as_str()).collect();
            ids.extend(page.iter().filter(|id| id.starts_with(&mine)).map(|id| (*id).to_owned()));
            match value.get("next").filter(|next| !next.is_null()) {
                Some(next) => {
                    let goes_on = next.is_string() && *next != after;
                    reply.must(goes_on, "a `next` that is the id of a lease, another one on each page")?;
                    after = next.clone();
                }
                None => return Ok((ids, reply)),
            }
        }
    }
}

/// The value of an end: the state that it leads to, and the token that ended.
fn ended(reply: &Reply, state: &str, granted: &Value) -> Result<(), Misread> {
    let value = reply.ok()?;
    reply.must(value["state"] == state, &format!("`\"state\":{state:?}`"))?;
    reply.must(value["token"] == granted["token"], &format!("the token {} that ended", granted["token"]))
}

fn close(bench: &mut Bench) -> Result<(), Misread> {
    let (lease, path) = (bench.fresh("l"), bench.fresh("w"));
    let granted = bench.grant(&lease, "a", &path)?.ok()?.clone();
    ended(&bench.close(&lease, &granted)?, "closed", &granted)?;
    bench.lease_is(&lease, "closed")?;
    bench.grant(&bench.fresh("next"), "b", &path)?.ok().map(drop)
}

fn close_again(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    let granted = bench.grant(&lease, "a", &bench.fresh("w"))?.ok()?.clone();
    let first = bench.close(&lease, &granted)?;
    first.must(first.ok()?["already"] == false, "`\"already\":false` the first time")?;
    let reply = bench.close(&lease, &granted)?;
    reply.must(reply.ok()?["already"] == true, "`\"already\":true` the second time")
}

fn close_other(bench: &mut Bench) -> Result<(), Misread> {
    let (lease, path) = (bench.fresh("l"), bench.fresh("w"));
    let old = bench.grant(&lease, "a", &path)?.ok()?.clone();
    bench.close(&lease, &old)?.ok()?;
    bench.grant(&lease, "a", &path)?.ok()?;
    bench.close(&lease, &old)?.refused("not_holder")?;
    bench.lease_is(&lease, "open")
}

fn crash(bench: &mut Bench) -> Result<(), Misread> {
    let (lease, path) = (bench.fresh("l"), bench.fresh("w"));
    let granted = bench.grant(&lease, "a", &path)?.ok()?.clone();
    ended(&bench.crash(&lease)?, "crashed", &granted)?;
    bench.lease_is(&lease, "crashed")?;
    bench.grant(&bench.fresh("next"), "b", &path)?.ok().map(drop)
}

fn blank_reason(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    bench.grant(&lease, "a", &bench.fresh("w"))?.ok()?;
    bench.ask("lease.crash", &json!({ "lease": lease, "reason": " " }))?.refused("needs_reason")?;
    bench.lease_is(&lease, "open")
}

fn not_open(bench: &mut Bench) -> Result<(), Misread> {
    let (closed, crashed) = (bench.fresh("closed"), bench.fresh("crashed"));
    let first = bench.grant(&closed, "a", &bench.fresh("w"))?.ok()?.clone();
    bench.close(&closed, &first)?.ok()?;
    bench.crash(&closed)?.refused("not_open")?;
    let second = bench.grant(&crashed, "a", &bench.fresh("w"))?.ok()?.clone();
    bench.crash(&crashed)?.ok()?;
    bench.crash(&crashed)?.refused("not_open")?;
    bench.close(&crashed, &second)?.refused("not_open")
}

fn clear(bench: &mut Bench) -> Result<(), Misread> {
    let (closed, open) = (bench.fresh("closed"), bench.fresh("open"));
    let first = bench.grant(&closed, "a", &bench.fresh("w"))?.ok()?.clone();
    bench.close(&closed, &first)?.ok()?;
    ended(&bench.ask("lease.clear", &json!({ "lease": closed }))?, "cleared", &first)?;
    bench.ask("lease.clear", &json!({ "lease": closed }))?.refused("not_found")?;
    let second = bench.grant(&open, "a", &bench.fresh("w"))?.ok()?.clone();
    let force = json!({ "lease": open, "force": true, "reason": "lint" });
    ended(&bench.ask("lease.clear", &force)?, "cleared", &second)?;
    bench.grant(&bench.fresh("next"), "b", &bench.fresh("w"))?.ok().map(drop)
}

fn clear_open(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    bench.grant(&lease, "a", &bench.fresh("w"))?.ok()?;
    for more in [json!({}), json!({ "force": true }), json!({ "force": true, "reason": " " })] {
        let mut fields = more;
        fields["lease"] = json!(lease);
        bench.ask("lease.clear", &fields)?.refused("needs_reason")?;
    }
    bench.lease_is(&lease, "open")
}

fn not_found(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("never");
    let other = bench.grant(&bench.fresh("l"), "a", &bench.fresh("w"))?.ok()?.clone();
    bench.ask("lease.show", &json!({ "lease": lease }))?.refused("not_found")?;
    bench.close(&lease, &other)?.refused("not_found")?;
    bench.crash(&lease)?.refused("not_found")?;
    bench.ask("lease.clear", &json!({ "lease": lease }))?.refused("not_found")
}

fn again(bench: &mut Bench) -> Result<(), Misread> {
    let (lease, path) = (bench.fresh("l"), bench.fresh("w"));
    let mut old = bench.grant(&lease, "a", &path)?.ok()?.clone();
    for end in ["close", "crash", "clear"] {
        match end {
            "close" => bench.close(&lease, &old)?.ok().map(drop)?,
            "crash" => bench.crash(&lease)?.ok().map(drop)?,
            _ => {
                let force = json!({ "lease": lease, "force": true, "reason": "lint" });
                bench.ask("lease.clear", &force)?.ok().map(drop)?;
            }
        }
        let reply = bench.grant(&lease, "b", &path)?;
        let (before, new) = (&old["token"], &reply.ok()?["token"]);
        reply.must(before != new, &format!("a token other than {before}"))?;
        let grows = bench.declared.tokens() != Tokens::Ordered || before.as_u64() < new.as_u64();
        reply.must(grows, &format!("a token above {before}"))?;
        old = reply.ok()?.clone();
    }
    Ok(())
}

fn list(bench: &mut Bench) -> Result<(), Misread> {
    for part in ["b", "c", "a"] {
        bench.grant(&bench.fresh(part), "a", &bench.fresh(part))?.ok()?;
    }
    bench.crash(&bench.fresh("c"))?.ok()?;
    let (ids, reply) = bench.listed(&Value::Null)?;
    let all: Vec<String> = ["a", "b", "c"].map(|part| bench.fresh(part)).to_vec();
    reply.must(ids == all, &format!("of the leases of this rule {all:?}, in this order, not {ids:?}"))
}

fn list_state(bench: &mut Bench) -> Result<(), Misread> {
    let (open, crashed) = (bench.fresh("open"), bench.fresh("crashed"));
    bench.grant(&open, "a", &bench.fresh("w"))?.ok()?;
    bench.grant(&crashed, "a", &bench.fresh("v"))?.ok()?;
    bench.crash(&crashed)?.ok()?;
    for (state, lease) in [("open", open), ("crashed", crashed)] {
        let (ids, reply) = bench.listed(&json!(state))?;
        reply.must(
            ids == [lease.clone()],
            &format!("of the leases of this rule {lease:?} alone, not {ids:?}"),
        )?;
    }
    bench.ask("lease.list", &json!({ "state": "lint" }))?.failed()
}

fn pages(bench: &mut Bench) -> Result<(), Misread> {
    let mut all = Vec::new();
    let below = vec!["n".repeat(NAME_BYTES); 15].join("/");
    for at in 0..PAGED {
        let lease = bench.fresh(&format!("{at:02}"));
        let paths: Vec<String> = (0..PATHS).map(|n| format!("{lease}/{n}/{below}")).collect();
        bench.grant_of(0, &lease, "a", &json!({ "write_set": paths }))?.ok()?;
        all.push(lease);
    }
    let (ids, reply) = bench.listed(&Value::Null)?;
    reply.must(ids == all, &format!("all of {PAGED} long leases over the pages, not {}", ids.len()))
}
