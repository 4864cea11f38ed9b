//! The rules about acquiring locks and looking at them.

use std::time::Duration;

use fencehold_model::history::Tokens;
use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::{Need, Rule};

pub(super) const LOCK: &[Need] = &[Need::Group("lock")];
/// Longer than any lint.
pub(super) const LONG_MS: u64 = 600_000;
/// How often a wait is measured.
const TRIES: u32 = 3;
/// How long an answer may be late.
const SLACK: Duration = Duration::from_millis(250);

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "acquire",
        says: "A free lock is granted, with a token as declared and the time that is left.",
        needs: LOCK,
        check: grants,
    },
    Rule {
        name: "acquire-blank-holder",
        says: "A blank holder gets `fail`.",
        needs: LOCK,
        check: blank_holder,
    },
    Rule { name: "acquire-ttl-0", says: "A TTL of 0 gets `fail`.", needs: LOCK, check: ttl_0 },
    Rule {
        name: "acquire-no-ttl",
        says: "An acquire without a TTL gets `fail`.",
        needs: LOCK,
        check: no_ttl,
    },
    Rule {
        name: "acquire-again",
        says: "The same holder and claim get the same grant again, its expiry never shorter.",
        needs: LOCK,
        check: again,
    },
    Rule {
        name: "acquire-held",
        says: "A lock that another holds is refused as `held`, by whom.",
        needs: LOCK,
        check: held,
    },
    Rule {
        name: "acquire-other-claim",
        says: "The same holder with another claim, or none, is refused as `held`.",
        needs: LOCK,
        check: other_claim,
    },
    Rule {
        name: "acquire-wait",
        says: "A wait delays the answer by no more than `wait_ms`.",
        needs: LOCK,
        check: wait,
    },
    Rule {
        name: "show-held",
        says: "`lock.show` names the holder of a held lock.",
        needs: LOCK,
        check: show_held,
    },
    Rule {
        name: "show-free",
        says: "`lock.show` of a free lock has the holder null.",
        needs: LOCK,
        check: show_free,
    },
    Rule {
        name: "names-apart",
        says: "Locks of different names have nothing to do with each other.",
        needs: LOCK,
        check: apart,
    },
];

impl Bench {
    /// Acquires for holder `who` with the claim `claim-who`.
    pub(super) fn acquire(&mut self, name: &str, who: &str) -> Result<Reply, Misread> {
        self.acquire_of(0, name, who, &json!({}))
    }

    pub(super) fn acquire_of(
        &mut self,
        which: usize,
        name: &str,
        who: &str,
        more: &Value,
    ) -> Result<Reply, Misread> {
        let mut fields =
            json!({ "name": name, "holder": who, "claim": format!("claim-{who}"), "ttl_ms": LONG_MS });
        for (key, value) in more.as_object().into_iter().flatten() {
            fields[key] = value.clone();
        }
        self.ask_of(which, "lock.acquire", &fields)
    }

    /// The fields by which `who` renews or releases the grant with this value.
    pub(super) fn proof(&self, name: &str, who: &str, granted: &Value) -> Value {
        if self.declared.tokens() == Tokens::None {
            json!({ "name": name, "holder": who, "claim": format!("claim-{who}") })
        } else {
            json!({ "name": name, "holder": who, "token": granted["token"] })
        }
    }

    /// Who holds the lock, as a process sees it.
    pub(super) fn holder(&mut self, which: usize, name: &str) -> Result<(Reply, Value), Misread> {
        let reply = self.ask_of(which, "lock.show", &json!({ "name": name }))?;
        let value = reply.ok()?.clone();
        reply.must(value.get("holder").is_some(), "a `holder`, or null")?;
        Ok((reply, value))
    }
}

fn grants(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let reply = bench.acquire(&name, "a")?;
    let value = reply.ok()?;
    match bench.declared.tokens() {
        Tokens::Ordered => reply
            .must(value["token"].is_u64(), "a `token` that is a whole number, as `tokens` is `ordered`")?,
        Tokens::Opaque => {
            reply.must(value["token"].is_string(), "a `token` that is a string, as `tokens` is `opaque`")?;
        }
        Tokens::None => {}
    }
    let left = value["expires_in_ms"].as_u64();
    let lapses = bench.declared.offers(Need::Ttl);
    reply.must(!lapses || left.is_some_and(|left| left <= LONG_MS), "`expires_in_ms`, at most the TTL")?;
    reply.must(
        !lapses || left.is_some_and(|left| left + 10_000 > LONG_MS),
        "`expires_in_ms` in milliseconds, close to the TTL",
    )
}

fn refuses_input(bench: &mut Bench, more: &Value) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire_of(0, &name, "a", more)?.failed()?;
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"].is_null(), "a lock that nobody holds: what failed was not done")
}

fn blank_holder(bench: &mut Bench) -> Result<(), Misread> {
    refuses_input(bench, &json!({ "holder": "" }))?;
    refuses_input(bench, &json!({ "holder": "   " }))
}

fn ttl_0(bench: &mut Bench) -> Result<(), Misread> {
    refuses_input(bench, &json!({ "ttl_ms": 0 }))
}

fn no_ttl(bench: &mut Bench) -> Result<(), Misread> {
    refuses_input(bench, &json!({ "ttl_ms": null }))
}

fn again(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let first = bench.acquire(&name, "a")?.ok()?.clone();
    let reply = bench.acquire_of(0, &name, "a", &json!({ "ttl_ms": 1000 }))?;
    let second = reply.ok()?;
    reply.must(first["token"] == second["token"], &format!("the token {} again", first["token"]))?;
    let left = second["expires_in_ms"].as_u64();
    let never_shorter = !bench.declared.offers(Need::Ttl) || left.is_none_or(|left| left > 2000);
    reply.must(never_shorter, "an expiry no shorter than that of the first grant")
}

fn held(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    let reply = bench.acquire(&name, "b")?;
    reply.refused("held")?;
    let value = &reply.answer["value"];
    reply.must(value["holder"] == "a", "`\"holder\":\"a\"` in the value")?;
    let same = bench.declared.tokens() == Tokens::None || value["token"] == granted["token"];
    reply.must(same, &format!("the token {} of who holds it", granted["token"]))
}

fn other_claim(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire(&name, "a")?.ok()?;
    bench.acquire_of(0, &name, "a", &json!({ "claim": "another" }))?.refused("held")?;
    bench.acquire_of(0, &name, "a", &json!({ "claim": null }))?.refused("held")
}

fn wait(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    bench.acquire(&name, "a")?.ok()?;
    let most = Duration::from_millis(30) + SLACK;
    let mut late = Ok(());
    // A busy machine is late by itself: once in time is in time.
    for _ in 0..TRIES {
        let reply = bench.acquire_of(0, &name, "b", &json!({ "wait_ms": 30 }))?;
        reply.refused("held")?;
        let (took, most) = (reply.took, most.as_millis());
        late =
            reply.must(took.as_millis() <= most, &format!("an answer within {most} ms, not after {took:?}"));
        if late.is_ok() {
            break;
        }
    }
    late
}

fn show_held(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let granted = bench.acquire(&name, "a")?.ok()?.clone();
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"] == "a", "`\"holder\":\"a\"`")?;
    reply.must(
        bench.declared.tokens() == Tokens::None || value["token"] == granted["token"],
        &format!("the token {}", granted["token"]),
    )
}

fn show_free(bench: &mut Bench) -> Result<(), Misread> {
    let name = bench.fresh("l");
    let (reply, value) = bench.holder(0, &name)?;
    reply.must(value["holder"].is_null(), "`\"holder\":null`")
}

fn apart(bench: &mut Bench) -> Result<(), Misread> {
    let (one, other) = (bench.fresh("a/b"), bench.fresh("a/B"));
    bench.acquire(&one, "a")?.ok()?;
    bench.acquire(&other, "b")?.ok().map(drop)
}
