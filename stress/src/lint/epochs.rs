//! The rules about the epochs of a status, and about merging boards.

use serde_json::{Value, json};

use super::Rule;
use super::bench::{Bench, Misread, Reply};
use super::statuses::STATUS;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "status-reopen",
        says: "A reopen with a reason leads anywhere, in an epoch above every one before.",
        needs: STATUS,
        check: reopens,
    },
    Rule {
        name: "status-reopen-blank-reason",
        says: "A reopen with a blank reason is refused as `needs_reason`.",
        needs: STATUS,
        check: blank_reason,
    },
    Rule {
        name: "status-stale-epoch",
        says: "A step of an epoch that is over is refused as `stale_epoch`, with what stands.",
        needs: STATUS,
        check: stale_epoch,
    },
    Rule {
        name: "status-epoch",
        says: "A step that names the epoch that stands is done.",
        needs: STATUS,
        check: named,
    },
    Rule {
        name: "status-epoch-ahead",
        says: "A step of an epoch that was never reached gets `fail`.",
        needs: STATUS,
        check: ahead,
    },
    Rule {
        name: "status-merge",
        says: "A merge keeps the greater value, by epoch, rank and turn.",
        needs: STATUS,
        check: merges,
    },
    Rule {
        name: "status-merge-unites",
        says: "A merge of an equal value unites the statuses.",
        needs: STATUS,
        check: unites,
    },
    Rule {
        name: "status-merge-invalid",
        says: "A merge of no status, an unknown one, or two of different ranks gets `fail`.",
        needs: STATUS,
        check: invalid,
    },
];

impl Bench {
    fn reopen(&mut self, task: &str, to: &str) -> Result<(Reply, u64), Misread> {
        let reply = self.ask("status.reopen", &json!({ "task": task, "to": to, "reason": "lint" }))?;
        let epoch = reply.ok()?["epoch"].as_u64();
        reply.must(epoch.is_some_and(|epoch| epoch > 0), "an `epoch` above 0")?;
        Ok((reply, epoch.unwrap_or_default()))
    }

    fn join(&mut self, task: &str, epoch: u64, turn: u64, statuses: &[&str]) -> Result<Reply, Misread> {
        let fields = json!({ "task": task, "epoch": epoch, "turn": turn, "statuses": statuses });
        self.ask("status.merge", &fields)
    }
}

fn set(bench: &mut Bench, task: &str, to: &str) -> Result<(), Misread> {
    bench.set(task, to, &json!({}))?.ok().map(drop)
}

fn reopens(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    set(bench, &task, "done")?;
    let (reply, first) = bench.reopen(&task, "todo")?;
    reply.tells(&["todo"], first, 0)?;
    let (reply, second) = bench.reopen(&task, "done")?;
    reply.must(second > first, &format!("an `epoch` above {first}"))?;
    reply.tells(&["done"], second, 0)?;
    bench.stands(&task, &["done"], second, 0)
}

fn blank_reason(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    set(bench, &task, "done")?;
    for reason in [Value::Null, json!(" ")] {
        let fields = json!({ "task": task, "to": "todo", "reason": reason });
        bench.ask("status.reopen", &fields)?.refused("needs_reason")?;
    }
    bench.stands(&task, &["done"], 0, 0)
}

fn stale_epoch(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    set(bench, &task, "done")?;
    let (_, epoch) = bench.reopen(&task, "todo")?;
    for more in [json!({}), json!({ "epoch": 0 })] {
        let reply = bench.set(&task, "done", &more)?;
        reply.refused("stale_epoch")?;
        reply.tells(&["todo"], epoch, 0)?;
    }
    bench.stands(&task, &["todo"], epoch, 0)
}

fn named(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    set(bench, &task, "done")?;
    let (_, epoch) = bench.reopen(&task, "todo")?;
    bench.set(&task, "blocked", &json!({ "epoch": epoch }))?.comes_to(&["blocked"], epoch, 0)
}

fn ahead(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "todo", &json!({ "epoch": 7 }))?.failed()?;
    set(bench, &task, "todo")?;
    bench.set(&task, "done", &json!({ "epoch": 7 }))?.failed()?;
    bench.stands(&task, &["todo"], 0, 0)
}

fn merges(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.join(&task, 0, 0, &["in_progress"])?.comes_to(&["in_progress"], 0, 0)?;
    bench.join(&task, 0, 5, &["todo"])?.comes_to(&["in_progress"], 0, 0)?;
    bench.join(&task, 0, 1, &["blocked"])?.comes_to(&["blocked"], 0, 1)?;
    bench.join(&task, 0, 0, &["in_progress"])?.comes_to(&["blocked"], 0, 1)?;
    bench.join(&task, 0, 0, &["done"])?.comes_to(&["done"], 0, 0)?;
    bench.join(&task, 3, 0, &["todo"])?.comes_to(&["todo"], 3, 0)?;
    bench.join(&task, 0, 0, &["done"])?.comes_to(&["todo"], 3, 0)?;
    bench.stands(&task, &["todo"], 3, 0)
}

fn unites(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.join(&task, 0, 0, &["in_progress"])?.ok()?;
    for statuses in [&["blocked"][..], &["in_progress"], &["in_progress", "blocked"]] {
        bench.join(&task, 0, 0, statuses)?.comes_to(&["blocked", "in_progress"], 0, 0)?;
    }
    Ok(())
}

fn invalid(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    for statuses in [&[][..], &["lint"], &["todo", "done"]] {
        bench.join(&task, 0, 0, statuses)?.failed()?;
    }
    bench.ask("status.get", &json!({ "task": task }))?.refused("not_found")
}
