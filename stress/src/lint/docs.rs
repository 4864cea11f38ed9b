//! The rules about documents.

use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::{Need, Rule};

const DOC: &[Need] = &[Need::Group("doc")];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "doc-increment",
        says: "An increment adds to the value of the key, absent counts as 0.",
        needs: DOC,
        check: increment,
    },
    Rule {
        name: "doc-not-an-integer",
        says: "An increment of what is no whole number gets `fail`.",
        needs: DOC,
        check: no_integer,
    },
    Rule {
        name: "doc-by",
        says: "An increment by what is no whole number gets `fail`.",
        needs: DOC,
        check: by,
    },
    Rule { name: "doc-merge", says: "A patch is merged as RFC 7396 says.", needs: DOC, check: merge },
    Rule {
        name: "doc-expect",
        says: "A merge that expects another version is refused as `version`.",
        needs: DOC,
        check: expect,
    },
    Rule {
        name: "doc-version",
        says: "A read has the version that the last change gave.",
        needs: DOC,
        check: version,
    },
    Rule {
        name: "doc-absent",
        says: "A document that is not there is `not_found`, or null.",
        needs: DOC,
        check: absent,
    },
    Rule { name: "doc-path", says: "A document outside of the root gets `fail`.", needs: DOC, check: path },
    Rule { name: "doc-lasts", says: "What was changed outlasts its process.", needs: DOC, check: lasts },
];

impl Bench {
    fn increment(&mut self, file: &str, by: i64) -> Result<Reply, Misread> {
        self.ask("doc.increment", &json!({ "file": file, "key": "k", "by": by }))
    }

    fn merge(&mut self, file: &str, patch: &Value) -> Result<Reply, Misread> {
        self.ask("doc.merge", &json!({ "file": file, "patch": patch }))
    }

    /// The document has to be this one.
    fn document(&mut self, file: &str, expected: &Value) -> Result<Value, Misread> {
        let reply = self.ask("doc.read", &json!({ "file": file }))?;
        let value = reply.ok()?.clone();
        reply.must(value["document"] == *expected, &format!("the document {expected}"))?;
        Ok(value)
    }
}

fn increment(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    for (by, sum) in [(2, 2), (5, 7), (-10, -3)] {
        let reply = bench.increment(&file, by)?;
        reply.must(reply.ok()?["value"] == sum, &format!("`\"value\":{sum}`"))?;
    }
    bench.document(&file, &json!({ "k": -3 })).map(drop)
}

fn no_integer(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    let document = json!({ "k": "seven", "other": 1 });
    bench.merge(&file, &document)?.ok()?;
    bench.increment(&file, 1)?.failed()?;
    bench.document(&file, &document).map(drop)
}

fn by(bench: &mut Bench) -> Result<(), Misread> {
    for by in [json!("1"), json!(1.5), Value::Null] {
        let fields = json!({ "file": bench.fresh("d"), "key": "k", "by": by });
        bench.ask("doc.increment", &fields)?.failed()?;
    }
    Ok(())
}

fn merge(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    bench.merge(&file, &json!({ "a": { "b": 1, "c": 2 }, "l": [1, 2], "gone": 1 }))?.ok()?;
    bench.merge(&file, &json!({ "a": { "b": null, "d": "é" }, "l": [3], "gone": null }))?.ok()?;
    bench.document(&file, &json!({ "a": { "c": 2, "d": "é" }, "l": [3] })).map(drop)
}

fn expect(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    let old = bench.merge(&file, &json!({ "n": 1 }))?.ok()?["version"].clone();
    let new = bench.merge(&file, &json!({ "n": 2 }))?.ok()?["version"].clone();
    let expecting = |version: &Value| json!({ "file": file, "patch": { "n": 3 }, "expect": version });
    bench.ask("doc.merge", &expecting(&old))?.refused("version")?;
    bench.document(&file, &json!({ "n": 2 }))?;
    bench.ask("doc.merge", &expecting(&new))?.ok()?;
    bench.document(&file, &json!({ "n": 3 })).map(drop)
}

fn version(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    let reply = bench.increment(&file, 1)?;
    let version = reply.ok()?["version"].clone();
    reply.must(!version.is_null(), "a `version`")?;
    let reply = bench.ask("doc.read", &json!({ "file": file }))?;
    reply.must(reply.ok()?["version"] == version, &format!("`\"version\":{version}`"))?;
    let reply = bench.increment(&file, 1)?;
    reply.must(reply.ok()?["version"] != version, &format!("a version other than {version}"))
}

fn absent(bench: &mut Bench) -> Result<(), Misread> {
    let reply = bench.ask("doc.read", &json!({ "file": bench.fresh("d") }))?;
    if reply.answer["outcome"] == "ok" {
        return reply
            .must(reply.ok()?["document"].is_null(), "`\"document\":null`, or `refused` as `not_found`");
    }
    reply.refused("not_found")
}

fn path(bench: &mut Bench) -> Result<(), Misread> {
    for file in ["../lint-outside", "a/../../lint-outside", "/lint-outside", ""] {
        bench.increment(file, 1)?.failed()?;
    }
    Ok(())
}

fn lasts(bench: &mut Bench) -> Result<(), Misread> {
    let file = bench.fresh("d");
    bench.increment(&file, 1)?.ok()?;
    bench.end(0);
    let reply = bench.increment(&file, 1)?;
    reply.must(reply.ok()?["value"] == 2, "`\"value\":2`: an earlier process made it 1")
}
