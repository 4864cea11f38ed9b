//! The rules about proposals, and about the files that they are for.

use serde_json::{Value, json};

use super::bench::{Bench, Misread, Reply};
use super::{Need, Rule};

const PROPOSAL: &[Need] = &[Need::Group("proposal")];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "proposal-add",
        says: "What is proposed is `proposed`, and proposed again with the same content it is so `already`.",
        needs: PROPOSAL,
        check: add,
    },
    Rule {
        name: "proposal-other-content",
        says: "Another content under the id of a proposal is refused as `conflict`.",
        needs: PROPOSAL,
        check: other_content,
    },
    Rule {
        name: "proposal-accept",
        says: "An accept puts the content into the file, byte for byte; before that nothing is there.",
        needs: PROPOSAL,
        check: accept,
    },
    Rule {
        name: "proposal-accept-again",
        says: "An accept that is repeated is `ok` with `already`, and the content stands in the file once.",
        needs: PROPOSAL,
        check: accept_again,
    },
    Rule {
        name: "proposal-reject",
        says: "What is rejected never stands in the file, and rejected again it is so `already`.",
        needs: PROPOSAL,
        check: reject,
    },
    Rule {
        name: "proposal-not-open",
        says: "What has ended one way cannot end the other: `not_open`.",
        needs: PROPOSAL,
        check: not_open,
    },
    Rule {
        name: "proposal-not-found",
        says: "What nobody proposed is refused as `not_found`.",
        needs: PROPOSAL,
        check: not_found,
    },
    Rule {
        name: "proposal-list",
        says: "`proposal.list` tells of every proposal for the file, and of no other.",
        needs: PROPOSAL,
        check: list,
    },
    Rule {
        name: "proposal-ids-apart",
        says: "An accept ends the one that it names, and none whose id begins with that.",
        needs: PROPOSAL,
        check: ids_apart,
    },
    Rule {
        name: "proposal-bodies",
        says: "Headings, fences and missing ends of a content stay as they are.",
        needs: PROPOSAL,
        check: bodies,
    },
    Rule { name: "proposal-blank", says: "A blank content gets `fail`.", needs: PROPOSAL, check: blank },
    Rule {
        name: "proposal-path",
        says: "A target outside of the root gets `fail`.",
        needs: PROPOSAL,
        check: path,
    },
    Rule {
        name: "proposal-shared",
        says: "What one process proposed another accepts, after the end of the first.",
        needs: PROPOSAL,
        check: shared,
    },
    Rule {
        name: "proposal-revisions",
        says: "Every answer about a proposal carries its revision, and revisions never go back.",
        needs: &[Need::Group("proposal"), Need::Revisions],
        check: revisions,
    },
];

const CONTENT: &str = "What is proposed.\n";

impl Bench {
    fn proposal(&mut self, verb: &str, target: &str, id: &str) -> Result<Reply, Misread> {
        self.ask(&format!("proposal.{verb}"), &json!({ "target": target, "proposal": id }))
    }

    fn propose(&mut self, target: &str, id: &str, content: &str) -> Result<Reply, Misread> {
        self.ask("proposal.add", &json!({ "target": target, "proposal": id, "content": content }))
    }

    /// The list has to tell of these, and of no others.
    fn lists(&mut self, target: &str, all: &[(&str, &str)]) -> Result<Reply, Misread> {
        let reply = self.ask("proposal.list", &json!({ "target": target }))?;
        let told = reply.ok()?["proposals"].as_array().map_or(&[][..], Vec::as_slice);
        let mut told: Vec<(&str, &str)> = told
            .iter()
            .map(|one| (one["proposal"].as_str().unwrap_or("?"), one["state"].as_str().unwrap_or("?")))
            .collect();
        told.sort_unstable();
        reply.must(told == all, &format!("the proposals {all:?}, each with its `proposal` and `state`"))?;
        Ok(reply)
    }

    /// How often a content stands in a file.
    fn count(&self, target: &str, content: &str) -> usize {
        let text = std::fs::read(self.root().join(target)).unwrap_or_default();
        String::from_utf8_lossy(&text).matches(content).count()
    }

    /// The content has to stand in the file so often, once this was answered.
    fn holds(&self, reply: &Reply, target: &str, content: &str, times: usize) -> Result<(), Misread> {
        let found = self.count(target, content);
        reply.must(found == times, &format!("{content:?} in the file {times} times, not {found} times"))
    }
}

impl Reply {
    /// It has to be `ok`, and to tell this state.
    fn state(&self, state: &str) -> Result<&Value, Misread> {
        let value = self.ok()?;
        self.must(value["state"] == state, &format!("`\"state\":\"{state}\"`"))?;
        Ok(value)
    }

    /// It has to say whether it was so before.
    fn already(&self, already: bool) -> Result<(), Misread> {
        let said = self.ok()?["already"].as_bool().unwrap_or(false);
        self.must(said == already, &format!("`\"already\":{already}`"))
    }
}

fn add(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    let first = bench.propose(&target, "p", CONTENT)?;
    first.state("proposed")?;
    first.already(false)?;
    let second = bench.propose(&target, "p", CONTENT)?;
    second.state("proposed")?;
    second.already(true)
}

fn other_content(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    bench.propose(&target, "p", CONTENT)?.ok()?;
    bench.propose(&target, "p", "Another.\n")?.refused("conflict")?;
    let reply = bench.proposal("accept", &target, "p")?;
    reply.state("accepted")?;
    bench.holds(&reply, &target, CONTENT, 1)?;
    bench.holds(&reply, &target, "Another.", 0)
}

fn accept(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    let reply = bench.propose(&target, "p", CONTENT)?;
    bench.holds(&reply, &target, CONTENT, 0)?;
    let reply = bench.proposal("accept", &target, "p")?;
    reply.state("accepted")?;
    bench.holds(&reply, &target, CONTENT, 1)
}

fn accept_again(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    bench.propose(&target, "p", CONTENT)?.ok()?;
    bench.proposal("accept", &target, "p")?.already(false)?;
    let reply = bench.proposal("accept", &target, "p")?;
    reply.state("accepted")?;
    reply.already(true)?;
    bench.holds(&reply, &target, CONTENT, 1)
}

fn reject(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    bench.propose(&target, "p", CONTENT)?.ok()?;
    bench.proposal("reject", &target, "p")?.state("rejected")?;
    let reply = bench.proposal("reject", &target, "p")?;
    reply.state("rejected")?;
    reply.already(true)?;
    bench.holds(&reply, &target, CONTENT, 0)
}

fn not_open(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    for (id, first, then, state) in
        [("a", "accept", "reject", "accepted"), ("r", "reject", "accept", "rejected")]
    {
        bench.propose(&target, id, &format!("{id}: {CONTENT}"))?.ok()?;
        bench.proposal(first, &target, id)?.ok()?;
        let reply = bench.proposal(then, &target, id)?;
        reply.refused("not_open")?;
        let told = &reply.answer["value"]["state"];
        reply.must(told == state, &format!("the state `{state}`"))?;
    }
    Ok(())
}

fn not_found(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    bench.propose(&target, "p10", CONTENT)?.ok()?;
    for verb in ["accept", "reject"] {
        bench.proposal(verb, &target, "p1")?.refused("not_found")?;
    }
    Ok(())
}

fn list(bench: &mut Bench) -> Result<(), Misread> {
    let (target, other) = (bench.fresh("p.md"), bench.fresh("q.md"));
    bench.lists(&target, &[])?;
    for id in ["a", "b", "c"] {
        bench.propose(&target, id, &format!("{id}: {CONTENT}"))?.ok()?;
    }
    bench.propose(&other, "d", CONTENT)?.ok()?;
    bench.proposal("accept", &target, "b")?.ok()?;
    bench.proposal("reject", &target, "c")?.ok()?;
    bench.lists(&target, &[("a", "proposed"), ("b", "accepted"), ("c", "rejected")])?;
    bench.lists(&other, &[("d", "proposed")]).map(drop)
}

fn ids_apart(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    for id in ["p1", "p10", "xp1"] {
        bench.propose(&target, id, &format!("About {id}.\n"))?.ok()?;
    }
    let reply = bench.proposal("accept", &target, "p1")?;
    reply.state("accepted")?;
    bench.holds(&reply, &target, "About p10.", 0)?;
    bench.lists(&target, &[("p1", "accepted"), ("p10", "proposed"), ("xp1", "proposed")]).map(drop)
}

fn bodies(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    let contents = [
        "## A heading first\n\nand text\n",
        "text\n\n## A heading within\n\n# and another\n\ntext\n",
        "````md\n```sh\nmake\n```\n````\n",
        "```\n## 2026-11-21T12:00:00.000Z \u{2192} notes\n```\n",
        "no end",
        "tabs\tand  spaces  \n\n\nat the end\n",
    ];
    for (number, content) in contents.iter().enumerate() {
        bench.propose(&target, &format!("p{number}"), content)?.ok()?;
        let reply = bench.proposal("accept", &target, &format!("p{number}"))?;
        reply.state("accepted")?;
        bench.holds(&reply, &target, content, 1)?;
    }
    Ok(())
}

fn blank(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    for content in ["", " \n\t\n"] {
        bench.propose(&target, "p", content)?.failed()?;
    }
    bench.ask("proposal.add", &json!({ "target": target, "proposal": "p" }))?.failed()
}

fn path(bench: &mut Bench) -> Result<(), Misread> {
    for target in ["../lint-outside", "a/../../lint-outside", "/lint-outside", ""] {
        bench.propose(target, "p", CONTENT)?.failed()?;
    }
    Ok(())
}

fn shared(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    bench.propose(&target, "p", CONTENT)?.ok()?;
    bench.end(0);
    let fields = json!({ "target": target, "proposal": "p" });
    let reply = bench.ask_of(1, "proposal.accept", &fields)?;
    reply.state("accepted")?;
    bench.holds(&reply, &target, CONTENT, 1)?;
    bench.lists(&target, &[("p", "accepted")]).map(drop)
}

fn revisions(bench: &mut Bench) -> Result<(), Misread> {
    let target = bench.fresh("p.md");
    let mut replies = vec![bench.proposal("accept", &target, "p")?];
    replies.push(bench.propose(&target, "p", CONTENT)?);
    replies.push(bench.proposal("accept", &target, "p")?);
    replies.push(bench.proposal("reject", &target, "p")?);
    replies.push(bench.ask("proposal.list", &json!({ "target": target }))?);
    Reply::in_order(&replies)
}
