//! The rules about a grant: renewed, released, broken, and what tells it from another.

use fencehold_model::history::Tokens;
use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::locks::{LOCK, LONG_MS};
use super::{Need, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "renew",
        says: "The holder renews, keeps its token and gets the new time.",
        needs: LOCK,
        check: renew,
    },
    Rule {
        name: "renew-not-holder",
        says: "Renew by who does not hold the lock is refused as `not_holder`.",
        needs: LOCK,
        check: renew_other,
    },
    Rule { name: "release", says: "Release by the holder frees the lock.", needs: LOCK, check: release },
    Rule {
        name: "release-again",
        says: "Repeating the last release is `ok`, with `already`.",
        needs: LOCK,
        check: release_again,
    },
    Rule {
        name: "release-not-holder",
        says: "Release by who does not hold the lock is refused as `not_holder`.",
        needs: LOCK,
        check: release_other,
    },
    Rule { name: "break", says: "Break with a reason ends the grant.", needs: LOCK, check: ends },
    Rule {
        name: "break-blank-reason",
        says: "Break with a blank reason is refused as `needs_reason`.",
        needs: LOCK,
        check: blank_reason,
    },
    Rule {
        name: "break-free",
        says: "Break of a free lock is refused as `not_found`.",
        needs: LOCK,
        check: break_free,
    },
    Rule {
        name: "tokens",
        says: "A new grant has a new token; ordered tokens grow.",
        needs: &[Need::Group("lock"), Need::Tokens],
        check: tokens,
    },
    Rule {
        name: "token-stale",
        says: "The token of an earlier grant renews and releases nothing.",
        needs: &[Need::Group("lock"), Need::Tokens],
        check: stale_token,
    },
    Rule {
        name: "revisions",
        says: "Every answer about a lock carries its revision, and revisions never go back.",
        needs: &[Need::Group("lock"), Need::Revisions],
        check: revisions,
    },
    Rule {
        name: "locks-shared",
        says: "A lock that one process acquired is held for another.",
        needs: LOCK,
        check: shared,
    },
    Rule {
        name: "locks-last",
        says: "A lock outlasts the process that acquired it.",
        needs: &[Need::Group("lock"), Need::LastingLocks],
        check: last,
    },
    Rule {
        name: "bind-process",
        says: "A bound lock ends with the process that answered.",
        needs: &[Need::Group("lock"), Need::Process],
        check: bound,
    },
];

impl Bench {
    fn release(&mut self, name: &str, who: &str, granted: &Value) -> Result<Reply, Misread> {
        let proof = self.proof(name, who, granted);
        self.ask("lock.release", &proof)
    }
}

fn renew(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    let mut fields = bench.proof(&name, "a", &granted);
    fields["ttl_ms"] = json!(2 * LONG_MS);
    let reply = bench.ask("lock.renew", &fields)?;
    let value = reply.ok()?;
    reply.must(
        bench.declared.tokens() == Tokens::None || value["token"] == granted["token"],
        &format!("the token {}", granted["token"]),
    )?;
    let longer = value["expires_in_ms"].as_u64().is_some_and(|left| left > LONG_MS);
    reply.must(!bench.declared.offers(Need::Ttl) || longer, "`expires_in_ms` of the new TTL")
}

fn renew_other(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    let fields = bench.proof(&name, "b", &granted);
    bench.ask("lock.renew", &fields)?.refused("not_holder")?;
    let fields = bench.proof(&bench.fresh("never"), "a", &granted);
    bench.ask("lock.renew", &fields)?.refused("not_holder")
}

fn release(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    bench.release(&name, "a", &granted)?.ok()?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"].is_null(), "a lock that nobody holds: it was released")?;
    bench.acquire(&name, "b")?.ok().map(drop)
}

fn release_again(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    let first = bench.release(&name, "a", &granted)?;
    first.must(first.ok()?["already"] == false, "`\"already\":false` the first time")?;
    let reply = bench.release(&name, "a", &granted)?;
    reply.must(reply.ok()?["already"] == true, "`\"already\":true` the second time")
}

fn release_other(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    bench.release(&name, "b", &granted)?.refused("not_holder")?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"] == "a", "`\"holder\":\"a\"`: what was refused changed nothing")
}

fn ends(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    bench.ask("lock.break", &json!({ "name": name, "reason": "lint" }))?.ok()?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"].is_null(), "a lock that nobody holds: it was broken")?;
    bench.release(&name, "a", &granted)?.refused("not_holder")
}

fn blank_reason(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire(&name, "a")?.ok()?;
    bench.ask("lock.break", &json!({ "name": name, "reason": " " }))?.refused("needs_reason")?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"] == "a", "`\"holder\":\"a\"`: what was refused changed nothing")
}

fn break_free(bench: &mut Bench) -> Result<(), Misread> {
    bench.ask("lock.break", &json!({ "name": bench.fresh("l"), "reason": "lint" }))?.refused("not_found")
}

/// Two grants, one after the other.
fn two(bench: &mut Bench, name: &str) -> Result<(Value, Reply), Misread> {
    let first = bench.acquire(name, "a")?.ok()?.clone();
    bench.release(name, "a", &first)?.ok()?;
    let reply = bench.acquire(name, "a")?;
    reply.ok()?;
    Ok((first, reply))
}

fn tokens(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let (first, reply) = two(bench, &name)?;
    let (old, new) = (&first["token"], &reply.answer["value"]["token"]);
    reply.must(old != new, &format!("a token other than {old}"))?;
    let grows = bench.declared.tokens() != Tokens::Ordered || old.as_u64() < new.as_u64();
    reply.must(grows, &format!("a token above {old}"))
}

fn stale_token(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let (first, _) = two(bench, &name)?;
    let fields = bench.proof(&name, "a", &first);
    bench.ask("lock.renew", &fields)?.refused("not_holder")?;
    bench.ask("lock.release", &fields)?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"] == "a", "`\"holder\":\"a\"`: the token was that of an earlier grant")
}

fn revisions(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let replies = [
        bench.acquire(&name, "a")?,
        bench.acquire(&name, "b")?,
        bench.holder(0, &name)?.0,
        bench.ask("lock.break", &json!({ "name": name, "reason": "lint" }))?,
    ];
    Reply::in_order(&replies)
}

fn shared(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire(&name, "a")?.ok()?;
    bench.acquire_of(1, &name, "b", &json!({}))?.refused("held")
}

fn last(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire_of(1, &name, "a", &json!({}))?.ok()?;
    bench.end(1);
    bench.acquire(&name, "b")?.refused("held")
}

fn bound(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire_of(1, &name, "a", &json!({ "bind": "process" }))?.ok()?;
    bench.acquire(&name, "b")?.refused("held")?;
    if let Some(mut child) = bench.children[1].take() {
        child.kill_and_reap();
    }
    bench.acquire(&name, "b")?.ok().map(drop)
}
