//! The judge: what a record shows that must not be.
//!
//! Invariant: it accuses only where every order of what really happened that fits the record is wrong. So what is held
//! counts from the answer that said so until its end was asked for or its process was killed, and what may be held from
//! the call that asked for it until an end is sure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::counts::Counts;
use super::inside::{Guard, Named, Pids};
use super::leased::Leased;
use super::record::Line;

/// No hook may take longer: ten times what it promises.
const LONGEST_US: u64 = 10_000_000;
/// An end that took so long may not have been done: nothing is promised of one that fails.
const SURE_WITHIN_US: u64 = 400_000;
/// How often what must happen sometimes has to.
pub(super) const LEAST: u64 = 2;

/// What a judged record comes to.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// How often what was seen.
    pub counts: Counts,
    /// What must not be, a sentence each.
    pub violations: Vec<String>,
}

impl Found {
    /// Whether there is nothing to wait for.
    pub(super) fn is_enough(&self) -> bool {
        !self.violations.is_empty() || self.counts.missed(LEAST).is_empty()
    }
}

/// A call that was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) at_us: u64,
    pub(super) process: u64,
    pub(super) session: String,
    pub(super) kind: String,
    pub(super) area: Option<u64>,
}

impl Asked {
    /// The glob whose lock it needs; none where that is `workspace`, or none.
    fn glob(&self) -> Option<u64> {
        self.area.filter(|_| self.kind == "guarded")
    }
}

/// What the answer decided.
enum Decision {
    Pass,
    Block(String),
}

fn decided(line: &Line, kind: &str) -> Result<Decision, String> {
    let out = line["out"].as_str().unwrap_or_default();
    if line["code"] != 0 {
        return Err(format!("it ended with {}", line["code"]));
    }
    let answer: Value = serde_json::from_str(out).map_err(|_| format!("it wrote {out:?}"))?;
    let output = &answer["hookSpecificOutput"];
    match answer.as_object().map(serde_json::Map::len) {
        Some(0) => Ok(Decision::Pass),
        Some(1)
            if output["permissionDecision"] == "deny"
                && !matches!(kind, "after" | "stop" | "end")
                && output["permissionDecisionReason"].is_string() =>
        {
            Ok(Decision::Block(output["permissionDecisionReason"].as_str().unwrap_or_default().to_owned()))
        }
        _ => Err(format!("it answered {out:?} to {kind}")),
    }
}

/// Judges a record.
#[must_use]
pub fn judge(lines: &[Line]) -> Found {
    let mut judge = Judge::default();
    for line in lines {
        judge.line(line);
    }
    judge.found
}

#[derive(Default)]
struct Judge {
    found: Found,
    asked: BTreeMap<(u64, u64), Asked>,
    killed: BTreeMap<u64, bool>,
    pids: Pids,
    /// By the number of its glob; that of none is `workspace`.
    guards: BTreeMap<Option<u64>, Guard>,
    leased: Leased,
}

impl Judge {
    fn line(&mut self, line: &Line) {
        let number = |field: &str| line[field].as_u64().unwrap_or(0);
        let (at_us, process) = (number("at_us"), number("process"));
        let counts = &mut self.found.counts;
        match line["what"].as_str().unwrap_or_default() {
            "call" => self.call(line, at_us, process),
            "answer" => self.answer(line, at_us, process),
            "gone" if line["hung"] == true || !self.killed.contains_key(&process) => {
                let why = format!("process {process} gave no answer and was not killed: {}", line["why"]);
                self.found.violations.push(why);
            }
            "begin" => _ = self.pids.insert(process, number("pid")),
            "exit" => self.guards.values_mut().for_each(|guard| guard.inside.exits(process)),
            "kill" => {
                let alone = line["alone"] == true;
                if self.killed.insert(process, alone).is_none() {
                    counts.kills += 1;
                    counts.kills_alone += u64::from(alone);
                }
                self.guards.values_mut().for_each(|guard| guard.inside.killed(process));
            }
            "died" => {
                let alone = self.killed.get(&process) == Some(&true);
                self.guards.values_mut().for_each(|guard| guard.holds.died(at_us, process, alone));
            }
            "stop" => counts.stops += 1,
            "break" => self.guards.entry(line["area"].as_u64()).or_default().inside.breaks(at_us),
            "broken" => {
                counts.breaks += u64::from(line["broken"] == true);
                let guard = self.guards.entry(line["area"].as_u64()).or_default();
                let began = guard.inside.broken(at_us);
                if line["broken"] == true {
                    guard.holds.broken(began, at_us);
                }
            }
            "granted" => {
                counts.leases += u64::from(line["granted"] == true);
                self.leased.line(line, at_us);
            }
            "grant" | "close" | "closed" => self.leased.line(line, at_us),
            _ => {}
        }
    }

    fn call(&mut self, line: &Line, at_us: u64, process: u64) {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let asked = Asked {
            at_us,
            process,
            session: text("session"),
            kind: text("kind"),
            area: line["area"].as_u64(),
        };
        match asked.kind.as_str() {
            "moves" | "guarded" => self.guards.entry(asked.glob()).or_default().holds.asked(&asked),
            "end" => self.guards.values_mut().for_each(|guard| guard.inside.ends(&asked)),
            _ => {}
        }
        self.asked.insert((process, line["call"].as_u64().unwrap_or(0)), asked);
    }

    fn answer(&mut self, line: &Line, at_us: u64, process: u64) {
        let Some(asked) = self.asked.remove(&(process, line["call"].as_u64().unwrap_or(0))) else { return };
        let took_us = line["took_us"].as_u64().unwrap_or(0);
        let counts = &mut self.found.counts;
        counts.hooks += 1;
        counts.longest_us = counts.longest_us.max(took_us);
        counts.calls += u64::from(!matches!(asked.kind.as_str(), "after" | "stop" | "end"));
        let who =
            format!("{} of session {} (process {process}) at {} us", asked.kind, asked.session, asked.at_us);
        if took_us > LONGEST_US {
            self.found.violations.push(format!("{who}: the hook took {} ms", took_us / 1_000));
        }
        let judged =
            decided(line, &asked.kind).and_then(|decision| self.decision(&asked, at_us, took_us, &decision));
        if let Err(why) = judged {
            self.found.violations.push(format!("{who}: {why}"));
        }
    }

    fn decision(
        &mut self,
        asked: &Asked,
        at_us: u64,
        took_us: u64,
        decision: &Decision,
    ) -> Result<(), String> {
        let counts = &mut self.found.counts;
        match (asked.kind.as_str(), decision) {
            ("bad", Decision::Pass) => {
                Err("a call that nobody can decide passed, and nothing says so".to_owned())
            }
            ("bad", Decision::Block(_)) => {
                counts.bad_blocks += 1;
                Ok(())
            }
            ("reads", Decision::Block(why)) => Err(format!("a call that reads was blocked: {why}")),
            ("moves" | "guarded", Decision::Block(why)) => {
                let guard = self.guards.entry(asked.glob()).or_default();
                guard.holds.answered(asked, at_us);
                if why.contains("cannot tell") {
                    counts.undecided += 1;
                    return Ok(());
                }
                *(if asked.kind == "moves" { &mut counts.blocks } else { &mut counts.guarded_blocks }) += 1;
                let named = Named::of(why).ok_or_else(|| format!("the block names nobody: {why}"))?;
                guard.holds.could(&named, &self.pids, asked, at_us)
            }
            ("moves" | "guarded", Decision::Pass) => {
                *(if asked.kind == "moves" { &mut counts.passes } else { &mut counts.guarded }) += 1;
                let guard = self.guards.entry(asked.glob()).or_default();
                guard.holds.answered(asked, at_us);
                let passed = guard.inside.passed(asked, self.killed.contains_key(&asked.process))?;
                counts.takeovers += u64::from(passed);
                Ok(())
            }
            ("edit", Decision::Pass) => {
                counts.edits += 1;
                self.leased.must_not_stand(asked, at_us)
            }
            ("edit", Decision::Block(why)) => {
                if why.contains("cannot tell") {
                    counts.undecided += 1;
                    return Ok(());
                }
                counts.edit_blocks += 1;
                let named = Named::of(why).ok_or_else(|| format!("the block names nobody: {why}"))?;
                self.leased.could_stand(named.holder, asked, at_us)
            }
            ("end", _) => {
                counts.ends += 1;
                if took_us < SURE_WITHIN_US {
                    self.guards.values_mut().for_each(|guard| guard.holds.ended(asked, at_us));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
