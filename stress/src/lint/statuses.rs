//! The rules about the steps of a status.

use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::{Need, Rule};

pub(super) const STATUS: &[Need] = &[Need::Group("status")];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "status-set",
        says: "The first step is done, in epoch 0 and turn 0.",
        needs: STATUS,
        check: first,
    },
    Rule { name: "status-get", says: "`status.get` tells what stands.", needs: STATUS, check: get },
    Rule {
        name: "status-up",
        says: "A step up is done, whatever it names as `from`, and takes the place of all that stood.",
        needs: STATUS,
        check: up,
    },
    Rule {
        name: "status-regression",
        says: "A step down is refused as `regression`, with what stands.",
        needs: STATUS,
        check: regression,
    },
    Rule {
        name: "status-terminal",
        says: "A step from one terminal status to another is refused as `regression`.",
        needs: STATUS,
        check: terminal,
    },
    Rule {
        name: "status-again",
        says: "A step to what stands is `ok`, with `already`, and no turn.",
        needs: STATUS,
        check: again,
    },
    Rule {
        name: "status-informed",
        says: "A step within the rank that names what stands replaces it, one turn on.",
        needs: STATUS,
        check: informed,
    },
    Rule {
        name: "status-conflict",
        says: "A step within the rank, or a first one, that names what does not stand is refused as `conflict`.",
        needs: STATUS,
        check: conflict,
    },
    Rule {
        name: "status-beside",
        says: "A step within the rank that names nothing stands beside what stood.",
        needs: STATUS,
        check: beside,
    },
    Rule {
        name: "status-resolve",
        says: "`resolve` leaves the one that it names, one turn on.",
        needs: STATUS,
        check: resolve,
    },
    Rule { name: "status-detail", says: "A `detail` is told with its status.", needs: STATUS, check: detail },
    Rule { name: "status-unknown", says: "An unknown status gets `fail`.", needs: STATUS, check: unknown },
    Rule {
        name: "status-not-found",
        says: "What is asked of a task without a status is refused as `not_found`.",
        needs: STATUS,
        check: not_found,
    },
    Rule {
        name: "status-shared",
        says: "A status that one process set stands for another, and after its end.",
        needs: STATUS,
        check: shared,
    },
    Rule {
        name: "status-revisions",
        says: "Every answer about a status carries its revision, and revisions never go back.",
        needs: &[Need::Group("status"), Need::Revisions],
        check: revisions,
    },
];

impl Bench {
    /// Moves a task.
    pub(super) fn set(&mut self, task: &str, to: &str, more: &Value) -> Result<Reply, Misread> {
        self.set_of(0, task, to, more)
    }

    fn set_of(&mut self, which: usize, task: &str, to: &str, more: &Value) -> Result<Reply, Misread> {
        let mut fields = json!({ "task": task, "to": to });
        for (key, value) in more.as_object().into_iter().flatten() {
            fields[key] = value.clone();
        }
        self.ask_of(which, "status.set", &fields)
    }

    /// It must stand so.
    pub(super) fn stands(
        &mut self,
        task: &str,
        statuses: &[&str],
        epoch: u64,
        turn: u64,
    ) -> Result<(), Misread> {
        let reply = self.ask("status.get", &json!({ "task": task }))?;
        reply.ok()?;
        reply.tells(statuses, epoch, turn)
    }
}

impl Reply {
    /// The value has to be that of this cell.
    pub(super) fn tells(&self, statuses: &[&str], epoch: u64, turn: u64) -> Result<(), Misread> {
        let value = &self.answer["value"];
        let mut told: Vec<&str> =
            value["statuses"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        told.sort_unstable();
        self.must(told == statuses, &format!("the `statuses` {statuses:?}"))?;
        self.must(value["epoch"] == epoch, &format!("the `epoch` {epoch}"))?;
        self.must(value["turn"] == turn, &format!("the `turn` {turn}"))
    }

    /// It has to be `ok` with this cell.
    pub(super) fn comes_to(&self, statuses: &[&str], epoch: u64, turn: u64) -> Result<(), Misread> {
        self.ok()?;
        self.tells(statuses, epoch, turn)
    }
}

fn nothing() -> Value {
    json!({})
}

fn first(bench: &mut Bench) -> Result<(), Misread> {
    bench.set(&bench.fresh("t"), "todo", &nothing())?.comes_to(&["todo"], 0, 0)?;
    bench.set(&bench.fresh("done"), "done", &nothing())?.comes_to(&["done"], 0, 0)
}

fn get(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "in_progress", &nothing())?.ok()?;
    bench.stands(&task, &["in_progress"], 0, 0)
}

fn up(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "todo", &nothing())?.ok()?;
    bench.set(&task, "in_progress", &json!({ "from": "blocked" }))?.comes_to(&["in_progress"], 0, 0)?;
    bench.set(&task, "blocked", &nothing())?.ok()?;
    bench.set(&task, "done", &nothing())?.comes_to(&["done"], 0, 0)
}

fn regression(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "blocked", &nothing())?.ok()?;
    let reply = bench.set(&task, "todo", &json!({ "from": "blocked" }))?;
    reply.refused("regression")?;
    reply.tells(&["blocked"], 0, 0)?;
    bench.stands(&task, &["blocked"], 0, 0)
}

fn terminal(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "done", &nothing())?.ok()?;
    bench.set(&task, "cancelled", &json!({ "from": "done" }))?.refused("regression")?;
    bench.set(&task, "cancelled", &nothing())?.refused("regression")?;
    bench.stands(&task, &["done"], 0, 0)
}

fn again(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    let reply = bench.set(&task, "blocked", &nothing())?;
    reply.must(reply.ok()?["already"] == false, "`\"already\":false` the first time")?;
    let reply = bench.set(&task, "blocked", &nothing())?;
    reply.comes_to(&["blocked"], 0, 0)?;
    reply.must(reply.answer["value"]["already"] == true, "`\"already\":true` the second time")
}

fn informed(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "in_progress", &nothing())?.ok()?;
    bench.set(&task, "blocked", &json!({ "from": "in_progress" }))?.comes_to(&["blocked"], 0, 1)?;
    bench.set(&task, "in_progress", &json!({ "from": "blocked" }))?.comes_to(&["in_progress"], 0, 2)
}

fn conflict(bench: &mut Bench) -> Result<(), Misread> {
    let (task, new) = (bench.fresh("t"), bench.fresh("new"));
    bench.set(&task, "in_progress", &nothing())?.ok()?;
    let reply = bench.set(&task, "blocked", &json!({ "from": "todo" }))?;
    reply.refused("conflict")?;
    reply.tells(&["in_progress"], 0, 0)?;
    bench.stands(&task, &["in_progress"], 0, 0)?;
    bench.set(&new, "done", &json!({ "from": "todo" }))?.refused("conflict")?;
    bench.ask("status.get", &json!({ "task": new }))?.refused("not_found")
}

/// A task of which two statuses stand.
fn two(bench: &mut Bench) -> Result<(String, Reply), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "in_progress", &nothing())?.ok()?;
    let reply = bench.set(&task, "blocked", &nothing())?;
    reply.ok()?;
    Ok((task, reply))
}

fn beside(bench: &mut Bench) -> Result<(), Misread> {
    let (task, reply) = two(bench)?;
    reply.tells(&["blocked", "in_progress"], 0, 0)?;
    bench.stands(&task, &["blocked", "in_progress"], 0, 0)?;
    bench.set(&task, "blocked", &json!({ "from": "in_progress" }))?.comes_to(
        &["blocked", "in_progress"],
        0,
        0,
    )
}

fn resolve(bench: &mut Bench) -> Result<(), Misread> {
    let (task, _) = two(bench)?;
    bench.set(&task, "blocked", &json!({ "resolve": true }))?.comes_to(&["blocked"], 0, 1)
}

fn detail(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    let detail = json!({ "question": "which port?", "n": 7 });
    bench.set(&task, "blocked", &json!({ "detail": detail }))?.ok()?;
    let reply = bench.ask("status.get", &json!({ "task": task }))?;
    let told = &reply.ok()?["details"];
    reply.must(*told == json!({ "blocked": detail }), &format!("the `details` {{\"blocked\":{detail}}}"))?;
    bench.set(&task, "blocked", &json!({ "detail": "text" }))?.failed()
}

fn unknown(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set(&task, "lint", &nothing())?.failed()?;
    bench.set(&task, "todo", &json!({ "from": "lint" }))?.failed()?;
    bench.ask("status.reopen", &json!({ "task": task, "to": "lint", "reason": "lint" }))?.failed()?;
    bench.ask("status.get", &json!({ "task": task }))?.refused("not_found")
}

fn not_found(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("never");
    bench.ask("status.get", &json!({ "task": task }))?.refused("not_found")?;
    bench.ask("status.reopen", &json!({ "task": task, "to": "todo", "reason": "lint" }))?.refused("not_found")
}

fn shared(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    bench.set_of(1, &task, "done", &nothing())?.ok()?;
    bench.stands(&task, &["done"], 0, 0)?;
    bench.end(1);
    bench.set(&task, "todo", &nothing())?.refused("regression")
}

fn revisions(bench: &mut Bench) -> Result<(), Misread> {
    let task = bench.fresh("t");
    let replies = [
        bench.ask("status.get", &json!({ "task": task }))?,
        bench.set(&task, "blocked", &nothing())?,
        bench.set(&task, "todo", &nothing())?,
        bench.ask("status.reopen", &json!({ "task": task, "to": "todo", "reason": "lint" }))?,
        bench.ask("status.merge", &json!({ "task": task, "epoch": 0, "turn": 0, "statuses": ["todo"] }))?,
    ];
    Reply::in_order(&replies)
}
