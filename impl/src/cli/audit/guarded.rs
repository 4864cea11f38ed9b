//! What is changed in guarded globs, compared with who had their locks, and when.
//!
//! What it cannot know, beside what `audit` cannot: when a process died that a lock was bound to.

use std::collections::BTreeMap;

use fencehold_model::lock::Grant;
use fencehold_model::policy::Guarded;
use fencehold_model::{Event, Holder, LockName, Pattern, Policy, TimeMs};
use serde_json::{Value, json};

use super::super::locks::Locks;
use super::super::span;
use super::{Found, GRAIN_MS, Times, ago};
use crate::error::Result;
use crate::fs::RealFs;
use crate::writes::Tree;

/// A grant of a lock, and for how long it was somebody's.
struct Span {
    holder: Holder,
    from_ms: TimeMs,
    /// The last moment at which it surely was, and after which it surely was not.
    surely_ms: TimeMs,
    at_most_ms: TimeMs,
    is_bound: bool,
    is_live: bool,
}

/// Who had the guarded globs' locks, as far as the journal is kept.
pub(super) struct Past {
    guarded: Guarded,
    spans: BTreeMap<LockName, Vec<Span>>,
    /// The policies, from when on each counted.
    policies: Vec<(TimeMs, Policy)>,
    /// What is older than this is not known.
    known_ms: TimeMs,
    pub(super) notes: Vec<String>,
}

impl Past {
    /// Reads the whole journal, unless nothing is guarded.
    pub(super) fn of(locks: &Locks) -> Result<Self> {
        let guarded = locks.policy()?.value.guarded;
        let mut past = Past {
            guarded,
            spans: BTreeMap::new(),
            policies: Vec::new(),
            known_ms: TimeMs::MAX,
            notes: Vec::new(),
        };
        if past.guarded.is_empty() {
            return Ok(past);
        }
        // Before the journal is read: what is granted after this look is in neither.
        let held = locks.list()?;
        let notes = locks.journal().history(|entry| past.take(entry.at_ms, &entry.event))?;
        past.notes = notes;
        for (name, grant) in held.grants {
            past.is_live(&name, &grant);
        }
        Ok(past)
    }

    fn take(&mut self, at_ms: TimeMs, event: &Event) {
        self.known_ms = self.known_ms.min(at_ms);
        let last = |name: &LockName, spans: &mut BTreeMap<_, Vec<Span>>, change: &dyn Fn(&mut Span)| {
            if let Some(span) = spans.get_mut(name).and_then(|spans| spans.last_mut()) {
                change(span);
            }
        };
        match event {
            Event::LockGranted { name, holder, expires_ms, bound, .. } => {
                last(name, &mut self.spans, &|span| span.at_most_ms = span.at_most_ms.min(at_ms));
                let is_bound = bound.is_some();
                let (surely_ms, at_most_ms) = until(is_bound, at_ms, *expires_ms);
                let span = Span {
                    holder: holder.clone(),
                    from_ms: at_ms,
                    surely_ms,
                    at_most_ms,
                    is_bound,
                    is_live: false,
                };
                self.spans.entry(name.clone()).or_default().push(span);
            }
            Event::LockRenewed { name, expires_ms, .. } => last(name, &mut self.spans, &|span| {
                (span.surely_ms, span.at_most_ms) = until(span.is_bound, at_ms, *expires_ms);
            }),
            Event::LockReleased { name, .. } | Event::LockBroken { name, .. } => {
                last(name, &mut self.spans, &|span| (span.surely_ms, span.at_most_ms) = (at_ms, at_ms));
            }
            Event::PolicyApplied { policy } => self.policies.push((at_ms, policy.clone())),
            _ => {}
        }
    }

    /// The grant of now has not ended; it may be older than what is kept of the journal.
    fn is_live(&mut self, name: &LockName, grant: &Grant) {
        let spans = self.spans.entry(name.clone()).or_default();
        let span = Span {
            holder: grant.holder.clone(),
            from_ms: grant.since_ms,
            surely_ms: TimeMs::MAX,
            at_most_ms: TimeMs::MAX,
            is_bound: grant.bound.is_some(),
            is_live: true,
        };
        match spans.iter_mut().find(|span| span.from_ms == grant.since_ms) {
            Some(known) => *known = span,
            None => spans.push(span),
        }
    }

    /// What is to be said of a changed path, as a sentence and for machines.
    pub(super) fn judge(
        &self,
        tree: &Tree,
        entry: &Pattern,
        me: &Holder,
        clock: &Times,
        written_ms: Option<TimeMs>,
    ) -> Result<Vec<Judged>> {
        let mut judged = Vec::new();
        for lock in tree.locks_over(&RealFs, &self.guarded, entry)? {
            let since_ms = self.guarded_since(tree, entry, &lock)?;
            if written_ms.is_some_and(|at_ms| at_ms <= since_ms) {
                continue;
            }
            let spans = self.spans.get(&lock).map_or(&[][..], Vec::as_slice);
            if let Some((found, span)) = self.found(spans, me, written_ms) {
                judged.push(Judged::of(&lock, found, span, written_ms, clock.journal_ms));
            }
        }
        Ok(judged)
    }

    /// From when on the path has been under this lock; 0 where that is from before what is kept.
    fn guarded_since(&self, tree: &Tree, entry: &Pattern, lock: &LockName) -> Result<TimeMs> {
        let mut since_ms = None;
        for (at_ms, policy) in &self.policies {
            let is_guarded = tree.locks_over(&RealFs, &policy.guarded, entry)?.contains(lock);
            since_ms = if is_guarded { since_ms.or(Some(*at_ms)) } else { None };
        }
        Ok(since_ms.unwrap_or(0))
    }

    fn found<'a>(
        &self,
        spans: &'a [Span],
        me: &Holder,
        written_ms: Option<TimeMs>,
    ) -> Option<(Found, Option<&'a Span>)> {
        let live = spans.iter().find(|span| span.is_live);
        if live.is_some_and(|span| span.holder == *me) {
            return None;
        }
        let Some(written_ms) = written_ms else {
            return Some(live.map_or((Found::CannotTell, spans.last()), |_| (Found::LockOfAnother, live)));
        };
        let begun = |span: &&Span| written_ms.saturating_add(GRAIN_MS) >= span.from_ms;
        match spans.iter().rfind(begun) {
            Some(span) if span.is_live => Some((Found::LockOfAnother, Some(span))),
            Some(span) if written_ms <= span.surely_ms.saturating_add(GRAIN_MS) => None,
            Some(span) if written_ms <= span.at_most_ms => Some((Found::CannotTell, Some(span))),
            None if written_ms < self.known_ms => Some((Found::CannotTell, None)),
            last => Some((Found::Unclaimed, last)),
        }
    }
}

/// Until when a grant surely was somebody's, and at most: a bound one ends with its process, whenever that is.
fn until(is_bound: bool, at_ms: TimeMs, expires_ms: TimeMs) -> (TimeMs, TimeMs) {
    if is_bound { (at_ms, TimeMs::MAX) } else { (expires_ms, expires_ms) }
}

/// What is said of a path under one lock.
pub(super) struct Judged {
    pub(super) text: String,
    pub(super) fields: Value,
}

impl Judged {
    fn of(
        lock: &LockName,
        found: Found,
        span: Option<&Span>,
        written_ms: Option<TimeMs>,
        now_ms: TimeMs,
    ) -> Self {
        let written = written_ms
            .map_or_else(|| "removed".to_owned(), |at_ms| format!("written {}", ago(at_ms, now_ms)));
        let whose = span.map_or_else(String::new, |span| format!(" of {}", span.holder));
        let text = match (found, span) {
            (Found::LockOfAnother, Some(span)) => format!(
                "{written}, by its holder or without a claim: under lock {lock}{whose}, held for {}",
                span::show(now_ms.saturating_sub(span.from_ms))
            ),
            (Found::Unclaimed, Some(span)) => {
                format!(
                    "{written} without a claim: lock {lock}{whose} ended {}",
                    ago(span.at_most_ms.min(now_ms), now_ms)
                )
            }
            (Found::Unclaimed, None) => {
                format!("{written} without a claim: nobody had had lock {lock}")
            }
            (_, Some(_)) => format!("{written}, and whether under lock {lock}{whose} cannot be told"),
            (_, None) => format!("{written}, and whether under lock {lock} cannot be told"),
        };
        let since = |at_ms: TimeMs| now_ms.saturating_sub(at_ms);
        let ended_ms = span.filter(|span| !span.is_live && span.surely_ms == span.at_most_ms);
        let fields = json!({
            "found": found.word(),
            "lock": lock.as_str(),
            "holder": span.map(|span| span.holder.as_str()),
            "written_for_ms": written_ms.map(since),
            "granted_for_ms": span.map(|span| since(span.from_ms)),
            "ended_for_ms": ended_ms.map(|span| since(span.at_most_ms)),
        });
        Judged { text, fields }
    }
}
