//! The linter of adapters: one process of a target, asked one thing after the other, before any concurrency.
//!
//! Each rule asks about one thing that the protocol lays down, under names of its own, so that one misreading is told
//! once. What the target does not declare is listed as not offered, never as kept.

mod bench;
mod declared;
mod docs;
mod epochs;
mod fences;
mod grants;
mod lapse;
mod lease_ends;
mod lease_fences;
mod leases;
mod locks;
mod logs;
mod proposals;
mod protocol;
mod statuses;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::gate::stage::Progress;
use crate::target::Spec;
use bench::Bench;
pub use bench::Misread;
pub use declared::Declared;

/// What a target has to declare before a rule is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// An answer to `hello`.
    Hello,
    /// A group of operations.
    Group(&'static str),
    /// Locks that lapse with their TTL.
    Ttl,
    /// Locks that end with a process.
    Process,
    /// Tokens of any kind.
    Tokens,
    /// Fencing.
    Fencing,
    /// A revision with every answer.
    Revisions,
    /// Locks that a process leaves held when it ends.
    LastingLocks,
}

/// One thing that the protocol lays down.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub says: &'static str,
    /// What has to be declared.
    pub needs: &'static [Need],
    check: fn(&mut Bench) -> Result<(), Misread>,
}

/// How a rule stands with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is kept.
    Kept,
    /// It is not.
    Broken(Misread),
    /// The target does not declare what it is about.
    NotOffered(Need),
}

/// What a lint found.
#[derive(Debug, Clone)]
pub struct LintReport {
    /// What the target declared; null where it never did.
    pub hello: Value,
    /// Every rule that was asked, in order.
    pub rules: Vec<(&'static str, Standing)>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Every rule, in the order in which it is asked.
#[must_use]
pub fn rules() -> Vec<&'static Rule> {
    let locks = [protocol::RULES, locks::RULES, grants::RULES, lapse::RULES];
    let leases = [leases::RULES, lease_ends::RULES, statuses::RULES, epochs::RULES];
    let files = [logs::RULES, docs::RULES, fences::RULES, lease_fences::RULES, proposals::RULES];
    locks.into_iter().chain(leases).chain(files).flatten().collect()
}

/// Lints a target by every rule.
///
/// # Errors
/// Where it cannot be started, or there is no folder to start it on.
pub fn lint(spec: &Spec, progress: &mut Progress) -> io::Result<LintReport> {
    lint_by(spec, &rules(), progress)
}

/// Lints a target by some rules.
///
/// # Errors
/// As of [`lint`].
pub fn lint_by(spec: &Spec, rules: &[&'static Rule], progress: &mut Progress) -> io::Result<LintReport> {
    let begun = Instant::now();
    let mut bench = Bench::new(spec)?;
    let mut report = LintReport { hello: Value::Null, rules: Vec::new(), elapsed: Duration::ZERO };
    if rules.iter().any(|rule| rule.needs == lapse::TTL && bench.offers_all(rule)) {
        bench.begin_to_lapse();
    }
    bench.begin_lease_to_lapse(rules);
    for (asked, rule) in (0_u64..).zip(rules) {
        progress.tell(asked, "rules", None);
        report.rules.push((rule.name, bench.stand(rule)));
    }
    report.hello = bench.declared.value.clone();
    report.elapsed = begun.elapsed();
    Ok(report)
}

impl LintReport {
    /// The rules that are not kept.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &Misread)> {
        self.rules.iter().filter_map(|(name, standing)| match standing {
            Standing::Broken(misread) => Some((*name, misread)),
            _ => None,
        })
    }

    /// How many rules are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.rules.iter().filter(|(_, standing)| *standing == Standing::Kept).count()
    }

    /// What is not offered, each once.
    #[must_use]
    pub fn not_offered(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        for (_, standing) in &self.rules {
            if let Standing::NotOffered(need) = standing
                && !needs.contains(need)
            {
                needs.push(*need);
            }
        }
        needs
    }

    /// Whether no rule is broken and some are kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken().next().is_none() && self.kept() > 0
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Hello => f.write_str("anything else: `hello` is not answered"),
            Need::Group(group) => write!(f, "`{group}`"),
            Need::Ttl => f.write_str("locks that end with their `ttl`"),
            Need::Process => f.write_str("locks that end with a `process`"),
            Need::Tokens => f.write_str("`tokens`"),
            Need::Fencing => f.write_str("`fencing`"),
            Need::Revisions => f.write_str("`revisions`"),
            Need::LastingLocks => f.write_str("locks that outlast their process"),
        }
    }
}

impl fmt::Display for LintReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, misread) in self.broken() {
            writeln!(f, "{misread} ({rule})")?;
        }
        let not_offered: Vec<String> = self.not_offered().iter().map(Need::to_string).collect();
        if !not_offered.is_empty() {
            writeln!(f, "not offered, so not looked at: {}", not_offered.join(", "))?;
        }
        let (kept, broken, all) = (self.kept(), self.broken().count(), self.rules.len());
        write!(f, "lint: {kept} of {all} rules kept, {broken} broken, {:.1} s", self.elapsed.as_secs_f64())
    }
}
