//! The rules about granting leases, and about what two of them write.

use std::time::{Duration, Instant};

use fencehold_model::history::Tokens;
use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::lapse::wait_until;
use super::{Need, Rule};

pub(super) const LEASE: &[Need] = &[Need::Group("lease")];
/// How long the lease lives that is to lapse.
const TTL_MS: u64 = 100;
/// From when on it has surely lapsed.
const LAPSED: Duration = Duration::from_millis(TTL_MS + 250);
/// The rule that waits for it.
const LAPSE_RULE: &str = "lease-lapse";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "lease-grant",
        says: "A lease is granted, with a token as declared.",
        needs: LEASE,
        check: grants,
    },
    Rule {
        name: "lease-show",
        says: "`lease.show` tells state, holder, token and `write_set`.",
        needs: LEASE,
        check: shows,
    },
    Rule {
        name: "lease-blank-holder",
        says: "A blank holder gets `fail`.",
        needs: LEASE,
        check: blank_holder,
    },
    Rule { name: "lease-ttl-0", says: "A TTL of 0 gets `fail`.", needs: LEASE, check: ttl_0 },
    Rule {
        name: "lease-write-set",
        says: "A `write_set` that is no array of strings or leaves the root gets `fail`.",
        needs: LEASE,
        check: write_set,
    },
    Rule {
        name: "lease-already-open",
        says: "An open lease is refused as `already_open`, to its holder too, and the grant is named.",
        needs: LEASE,
        check: already_open,
    },
    Rule {
        name: "lease-overlap",
        says: "Two leases that write one file: the second is refused as `overlap`, and the first is named.",
        needs: LEASE,
        check: overlap,
    },
    Rule {
        name: "lease-folder",
        says: "An entry with a `/` at its end is a folder, which is written with all below it.",
        needs: LEASE,
        check: folder,
    },
    Rule { name: "lease-glob", says: "A glob writes what it matches.", needs: LEASE, check: glob },
    Rule {
        name: "lease-apart",
        says: "Leases that write different files are open at once, and so are those that say nothing. Without a `/` at \
               its end an entry is a file, and nothing lies below it.",
        needs: LEASE,
        check: apart,
    },
    Rule {
        name: "lease-shared",
        says: "A lease that one process was granted is open for another.",
        needs: LEASE,
        check: shared,
    },
    Rule {
        name: "lease-lasts",
        says: "A lease without `bind` outlasts the process that answered.",
        needs: LEASE,
        check: lasts,
    },
    Rule {
        name: "lease-bind-process",
        says: "A bound lease is in nobody's way once its process is dead, and is told as `crashed`.",
        needs: &[Need::Group("lease"), Need::Process],
        check: bound,
    },
    Rule {
        name: LAPSE_RULE,
        says: "A lease without a process is in nobody's way once its TTL has passed, and is told as `crashed`.",
        needs: LEASE,
        check: lapse,
    },
    Rule {
        name: "lease-revisions",
        says: "Every answer about a lease carries its revision, and revisions never go back.",
        needs: &[Need::Group("lease"), Need::Revisions],
        check: revisions,
    },
];

impl Bench {
    /// Grants `lease`, writing `path`, to `who`.
    pub(super) fn grant(&mut self, lease: &str, who: &str, path: &str) -> Result<Reply, Misread> {
        self.grant_of(0, lease, who, &json!({ "write_set": [path] }))
    }

    pub(super) fn grant_of(
        &mut self,
        which: usize,
        lease: &str,
        who: &str,
        more: &Value,
    ) -> Result<Reply, Misread> {
        let mut fields = json!({ "lease": lease, "holder": who });
        for (key, value) in more.as_object().into_iter().flatten() {
            fields[key] = value.clone();
        }
        self.ask_of(which, "lease.grant", &fields)
    }

    /// The lease as it stands.
    pub(super) fn lease(&mut self, lease: &str) -> Result<(Reply, Value), Misread> {
        let reply = self.ask("lease.show", &json!({ "lease": lease }))?;
        let value = reply.ok()?.clone();
        Ok((reply, value))
    }

    /// It must be in this state.
    pub(super) fn lease_is(&mut self, lease: &str, state: &str) -> Result<(), Misread> {
        let (reply, value) = self.lease(lease)?;
        reply.must(value["state"] == state, &format!("`\"state\":{state:?}`"))
    }

    /// Grants the lease that is to lapse while other rules are asked, if its rule is among them.
    pub(super) fn begin_lease_to_lapse(&mut self, rules: &[&'static Rule]) {
        if rules.iter().any(|rule| rule.name == LAPSE_RULE && self.offers_all(rule)) {
            self.lapsing = self.grant_to_lapse().ok();
        }
    }

    fn grant_to_lapse(&mut self) -> Result<Instant, Misread> {
        let more = json!({ "write_set": ["lapsing"], "ttl_ms": TTL_MS });
        self.grant_of(0, "lapsing", "a", &more)?.ok()?;
        Ok(Instant::now() + LAPSED)
    }
}

fn grants(bench: &mut Bench) -> Result<(), Misread> {
    let reply = bench.grant(&bench.fresh("l"), "a", &bench.fresh("w"))?;
    let token = &reply.ok()?["token"];
    match bench.declared.tokens() {
        Tokens::Opaque => {
            reply.must(token.is_string(), "a `token` that is a string, as `tokens` is `opaque`")
        }
        _ => reply.must(token.is_u64(), "a `token` that is a whole number"),
    }
}

fn shows(bench: &mut Bench) -> Result<(), Misread> {
    let (lease, path) = (bench.fresh("l"), bench.fresh("w"));
    let granted = bench.grant(&lease, "a", &path)?.ok()?.clone();
    let (reply, value) = bench.lease(&lease)?;
    reply.must(value["state"] == "open", "`\"state\":\"open\"`")?;
    reply.must(value["holder"] == "a", "`\"holder\":\"a\"`")?;
    reply.must(value["token"] == granted["token"], &format!("the token {}", granted["token"]))?;
    reply.must(value["write_set"] == json!([path]), &format!("the `write_set` [{path:?}]"))
}

fn refuses_input(bench: &mut Bench, more: &Value) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    bench.grant_of(0, &lease, "a", more)?.failed()?;
    bench.ask("lease.show", &json!({ "lease": lease }))?.refused("not_found")
}

fn blank_holder(bench: &mut Bench) -> Result<(), Misread> {
    refuses_input(bench, &json!({ "holder": "" }))?;
    refuses_input(bench, &json!({ "holder": "   " }))
}

fn ttl_0(bench: &mut Bench) -> Result<(), Misread> {
    refuses_input(bench, &json!({ "ttl_ms": 0 }))
}

fn write_set(bench: &mut Bench) -> Result<(), Misread> {
    for bad in [json!("src"), json!([7]), json!(["/src"]), json!(["../src"])] {
        refuses_input(bench, &json!({ "write_set": bad }))?;
    }
    Ok(())
}

fn already_open(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    let granted = bench.grant(&lease, "a", &bench.fresh("w"))?.ok()?.clone();
    for who in ["a", "b"] {
        let reply = bench.grant(&lease, who, &bench.fresh("other"))?;
        reply.refused("already_open")?;
        let value = &reply.answer["value"];
        reply.must(value["holder"] == "a", "`\"holder\":\"a\"` in the value")?;
        let same = value["token"] == granted["token"];
        reply.must(same, &format!("the token {} of the grant that is open", granted["token"]))?;
    }
    Ok(())
}

/// Two leases write these two, and the second is refused.
fn meet(bench: &mut Bench, first: &str, second: &str) -> Result<(), Misread> {
    let (one, two) = (bench.fresh("one"), bench.fresh("two"));
    let granted = bench.grant(&one, "a", first)?.ok()?.clone();
    let reply = bench.grant(&two, "b", second)?;
    reply.refused("overlap")?;
    let leases = reply.answer["value"]["leases"].as_array();
    let named = leases.is_some_and(|leases| {
        leases.iter().any(|lease| lease["lease"] == *one && lease["token"] == granted["token"])
    });
    reply.must(named, &format!("{one:?} and its token among the `leases` of the value"))
}

fn overlap(bench: &mut Bench) -> Result<(), Misread> {
    let path = bench.fresh("w");
    meet(bench, &path, &path)
}

fn folder(bench: &mut Bench) -> Result<(), Misread> {
    let path = bench.fresh("w");
    meet(bench, &format!("{path}/"), &format!("{path}/a/b.rs"))
}

fn glob(bench: &mut Bench) -> Result<(), Misread> {
    let path = bench.fresh("w");
    meet(bench, &format!("{path}/*.rs"), &format!("{path}/a.rs"))
}

fn apart(bench: &mut Bench) -> Result<(), Misread> {
    let path = bench.fresh("w");
    let paths = ["a", "ab", "b/", "*.md", "c/d.md", "d/**/lock", "d/a.rs", "d/e/lock.rs"]
        .map(|name| format!("{path}/{name}"));
    for (at, path) in paths.iter().enumerate() {
        bench.grant(&bench.fresh(&format!("l{at}")), "a", path)?.ok()?;
    }
    for at in 0..2 {
        bench.grant_of(0, &bench.fresh(&format!("silent{at}")), "a", &json!({}))?.ok()?;
    }
    Ok(())
}

fn shared(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    bench.grant(&lease, "a", &bench.fresh("w"))?.ok()?;
    bench.grant_of(1, &lease, "b", &json!({}))?.refused("already_open")
}

fn lasts(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    bench.grant_of(1, &lease, "a", &json!({}))?.ok()?;
    bench.end(1);
    bench.grant(&lease, "b", &bench.fresh("w"))?.refused("already_open")
}

/// A grant that is in the way of a lapsed lease's paths.
fn over(bench: &mut Bench, lapsed: &str, path: &str) -> Result<(), Misread> {
    let reply = bench.grant(&bench.fresh("over"), "b", path)?;
    let crashed = &reply.ok()?["crashed"];
    reply.must(*crashed == json!([lapsed]), &format!("`\"crashed\":[{lapsed:?}]`"))?;
    bench.lease_is(lapsed, "crashed")
}

fn bound(bench: &mut Bench) -> Result<(), Misread> {
    let (lease, path) = (bench.fresh("l"), bench.fresh("w"));
    bench.grant_of(1, &lease, "a", &json!({ "write_set": [path], "bind": "process" }))?.ok()?;
    bench.grant(&bench.fresh("over"), "b", &path)?.refused("overlap")?;
    if let Some(mut child) = bench.children[1].take() {
        child.kill_and_reap();
    }
    over(bench, &lease, &path)
}

fn lapse(bench: &mut Bench) -> Result<(), Misread> {
    let by = match bench.lapsing.take() {
        Some(by) => by,
        None => bench.grant_to_lapse()?,
    };
    wait_until(by);
    over(bench, "lapsing", "lapsing")
}

fn revisions(bench: &mut Bench) -> Result<(), Misread> {
    let lease = bench.fresh("l");
    let crash = json!({ "lease": lease, "reason": "lint" });
    let replies = [
        bench.grant(&lease, "a", &bench.fresh("w"))?,
        bench.grant(&lease, "b", &bench.fresh("w"))?,
        bench.ask("lease.show", &json!({ "lease": lease }))?,
        bench.ask("lease.crash", &crash)?,
        bench.ask("lease.crash", &crash)?,
        bench.ask("lease.list", &json!({}))?,
    ];
    Reply::in_order(&replies)
}
