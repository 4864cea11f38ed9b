//! The rules about logs.

use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::{Need, Rule};

const LOG: &[Need] = &[Need::Group("log")];
/// The bytes of a large record: three of them are more than one answer may carry.
const LARGE_BYTES: usize = 400 * 1024;
/// The most pages that a log of three records may have.
const PAGES_MAX: usize = 8;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "log-append",
        says: "An appended record is read as it was sent.",
        needs: LOG,
        check: append,
    },
    Rule {
        name: "log-order",
        says: "Records are read in the order in which they were appended.",
        needs: LOG,
        check: order,
    },
    Rule {
        name: "log-no-id",
        says: "A record without an `id` that is a string gets `fail`.",
        needs: LOG,
        check: no_id,
    },
    Rule {
        name: "log-not-an-object",
        says: "A record that is no object gets `fail`.",
        needs: LOG,
        check: no_object,
    },
    Rule {
        name: "log-duplicates",
        says: "An id that was appended twice is there twice, and told in `duplicates`.",
        needs: LOG,
        check: duplicates,
    },
    Rule {
        name: "log-damaged",
        says: "A log without damage has none counted.",
        needs: LOG,
        check: undamaged,
    },
    Rule {
        name: "log-pages",
        says: "What does not fit into one answer is read on from `next`.",
        needs: LOG,
        check: pages,
    },
    Rule { name: "log-path", says: "A file outside of the root gets `fail`.", needs: LOG, check: path },
    Rule { name: "log-lasts", says: "What was appended outlasts its process.", needs: LOG, check: lasts },
];

impl Bench {
    fn append(&mut self, file: &str, record: &Value) -> Result<(), Misread> {
        let reply = self.ask("log.append", &json!({ "file": file, "record": record }))?;
        reply.must(reply.ok()?["appended"] == true, "`\"appended\":true`")
    }

    /// All pages of a log: the last answer, the records, the ids that occur twice.
    fn read_log(&mut self, file: &str) -> Result<(Reply, Vec<Value>, Vec<Value>), Misread> {
        let (mut records, mut twice) = (Vec::new(), Vec::new());
        let mut fields = json!({ "file": file });
        for _ in 0..PAGES_MAX {
            let reply = self.ask("log.read", &fields)?;
            let value = reply.ok()?;
            let (Some(page), Some(duplicates)) =
                (value["records"].as_array(), value["duplicates"].as_array())
            else {
                reply.must(false, "`records` and `duplicates`, two arrays")?;
                continue;
            };
            records.extend(page.iter().cloned());
            twice.extend(duplicates.iter().cloned());
            fields["after"] = value["next"].clone();
            if fields["after"].is_null() {
                return Ok((reply, records, twice));
            }
        }
        let reply = self.ask("log.read", &fields)?;
        reply.must(false, "an end: no further `next`")?;
        Ok((reply, records, twice))
    }
}

fn append(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("f");
    let record =
        json!({ "id": "r", "text": "é \"\\ \n\t\u{1F600}", "n": [1, -2, 0.5, true, null], "o": { "k": {} } });
    bench.append(&file, &record)?;
    let (reply, records, _) = bench.read_log(&file)?;
    reply.must(records == [record], "the one record, as it was sent")
}

fn order(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("f");
    let sent: Vec<Value> = ["c", "a", "b"].iter().map(|id| json!({ "id": id })).collect();
    for record in &sent {
        bench.append(&file, record)?;
    }
    let (reply, records, _) = bench.read_log(&file)?;
    reply.must(records == sent, "the records c, a, b in this order")
}

fn fails(bench: &mut Bench, record: &Value) -> Result<(), Misread> {
    let file = bench.fresh("f");
    bench.append(&file, &json!({ "id": "before" }))?;
    bench.ask("log.append", &json!({ "file": file, "record": record }))?.failed()?;
    let (reply, records, _) = bench.read_log(&file)?;
    reply.must(records.iter().all(|record| record["id"] == "before"), "nothing of what failed")
}

fn no_id(bench: &mut Bench) -> Result<(), Misread> {
    fails(bench, &json!({ "n": 1 }))?;
    fails(bench, &json!({ "id": 7 }))
}

fn no_object(bench: &mut Bench) -> Result<(), Misread> {
    fails(bench, &json!(["id"]))?;
    fails(bench, &Value::Null)
}

fn duplicates(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("f");
    for n in 0..2 {
        bench.append(&file, &json!({ "id": "r", "n": n }))?;
    }
    let (reply, records, twice) = bench.read_log(&file)?;
    reply.must(records.len() == 2, "both records")?;
    reply.must(twice == ["r"], "`\"duplicates\":[\"r\"]`")
}

fn undamaged(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("f");
    bench.append(&file, &json!({ "id": "r" }))?;
    let (reply, ..) = bench.read_log(&file)?;
    reply.must(reply.answer["value"]["damaged"] == 0, "`\"damaged\":0`")
}

fn pages(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("f");
    let ids = ["a", "b", "c"];
    for id in ids {
        bench.append(&file, &json!({ "id": id, "pad": "x".repeat(LARGE_BYTES) }))?;
    }
    let (reply, records, _) = bench.read_log(&file)?;
    let read: Vec<&str> = records.iter().filter_map(|record| record["id"].as_str()).collect();
    reply.must(read == ids, "the records a, b, c over all pages")
}

fn path(bench: &mut Bench) -> Result<(), Misread> {
    for file in ["../lint-outside", "a/../../lint-outside", "/lint-outside", ""] {
        let fields = json!({ "file": file, "record": { "id": "r" } });
        bench.ask("log.append", &fields)?.failed()?;
    }
    Ok(())
}

fn lasts(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("f");
    bench.append(&file, &json!({ "id": "r" }))?;
    bench.end(0);
    let (reply, records, _) = bench.read_log(&file)?;
    reply.must(records.len() == 1, "the record that an earlier process appended")
}
