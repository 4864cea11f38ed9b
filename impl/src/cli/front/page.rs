//! What stands, for people: sections in the order of what is asked first, and of these only what there is.

use fencehold_model::event::Process;
use fencehold_model::lock::Grant;
use fencehold_model::proposal::Told;
use fencehold_model::{LockName, Pattern, Policy, TimeMs};

use super::super::hook::{Asking, WORKSPACE};
use super::super::{gate, lease, proposal, span, task};
use super::rows::{Row, Tone, plain};
use super::{Front, Stands};
use crate::error::Error;
use crate::ledger::{LeaseView, TaskView};

/// How many pieces of damaged bytes, or hooks, are named.
const NAMED_MAX: usize = 5;

/// A page for people.
#[derive(Debug, Default)]
pub(in super::super) struct Page {
    /// Which workspace it is about.
    pub(in super::super) place: String,
    /// The least that there is to say.
    pub(in super::super) summary: String,
    pub(in super::super) rows: Vec<Row>,
}

impl Page {
    /// What is left to say where nothing can be looked at.
    pub(in super::super) fn of_error(error: &Error) -> Self {
        let rows = vec![Row::whole(Tone::Bad, &error.to_string())];
        Page { place: String::new(), summary: "cannot be looked at".to_owned(), rows }
    }

    /// The rows, below one that says which workspace they are about.
    pub(in super::super) fn with_place(self) -> Vec<Row> {
        let mut rows = vec![Row::whole(Tone::Plain, &format!("workspace: {}", self.place))];
        rows.extend(self.rows);
        rows
    }
}

impl Front {
    /// All of it.
    pub(in super::super) fn page(&self) -> Page {
        Page { place: plain(&self.place.dir.to_string_lossy()), summary: summary(self), rows: rows(self) }
    }
}

/// In one line.
fn summary(front: &Front) -> String {
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let (mut held, mut open) = (None, None);
    if let Some(stands) = &front.stands {
        held = Some(format!("{} held", stands.locks.len()));
        open = counted(stands.leases.iter().filter(|view| view.lease.is_open()).count(), "at work");
    }
    let parts = [
        held,
        counted(front.waiters.len(), "waiting"),
        open,
        counted(front.wrong.len() + front.aside.len(), "damaged"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn rows(front: &Front) -> Vec<Row> {
    let mut rows = Vec::new();
    if !front.exists {
        rows.push(Row::whole(Tone::Plain, NOT_YET));
    }
    if let Some(stands) = &front.stands {
        section(&mut rows, "held", held(front, stands));
    }
    section(&mut rows, "waiting", waiting(front));
    section(&mut rows, "in the way of every write", in_the_way(front));
    if let Some(stands) = &front.stands {
        section(&mut rows, "leases", leases(stands));
        section(&mut rows, "in conflict", conflicts(stands));
        section(&mut rows, "owed to a log", owed(stands));
    }
    section(&mut rows, "proposed", proposed(front));
    section(&mut rows, "damaged", damaged(front));
    section(&mut rows, "passed undecided", failed_open(front));
    section(&mut rows, "hooks that ask", asking(front));
    rows
}

/// For who types it for the first time.
const NOT_YET: &str = "it is not there yet: nobody holds anything. The first write creates it, as in `fencehold lock run \
                       build -- make`, which runs `make` for one at a time";

fn section(rows: &mut Vec<Row>, title: &str, lines: Vec<Row>) {
    if !lines.is_empty() {
        rows.push(Row::whole(Tone::Title, title));
        rows.extend(lines);
    }
}

fn held(front: &Front, stands: &Stands) -> Vec<Row> {
    let of = |(name, grant): &(LockName, Grant)| {
        let is_waited_for = front.waiters.iter().any(|waiter| waiter.lock == *name);
        let tone = if is_waited_for { Tone::Warn } else { Tone::Plain };
        Row::about(name.as_str(), tone, &(holds(grant, stands.now_ms) + &stands_for(name, &stands.policy)))
    };
    let mut rows: Vec<Row> = stands.locks.iter().map(of).collect();
    let name = match stands.locks.as_slice() {
        [] => return vec![Row::under(Tone::Plain, "no lock is held")],
        [(name, _)] => name.as_str(),
        _ => "NAME",
    };
    rows.push(Row::under(Tone::Hint, &format!("end it by hand: fencehold lock break {name} --reason TEXT")));
    rows
}

/// Who holds a grant, from where, since when and until when.
fn holds(grant: &Grant, now_ms: TimeMs) -> String {
    let by = by(grant.holder.as_str(), grant.bound.as_ref(), grant.asked_by.as_ref());
    let since = span::show(now_ms.saturating_sub(grant.since_ms));
    let until = match (&grant.bound, grant.expires_ms) {
        (Some(_), TimeMs::MAX) => "until that process ends".to_owned(),
        (_, expires_ms) => {
            format!("lapses in {}", span::show(expires_ms.saturating_sub(now_ms)))
        }
    };
    format!("{by} for {since}, {until}; token {}", grant.token)
}

/// What a lock stands for, where that is known.
fn stands_for(name: &LockName, policy: &Policy) -> String {
    let guarded: Vec<&str> =
        policy.guarded.entries().filter(|(lock, _)| *lock == name).map(|(_, path)| path.as_str()).collect();
    match name.as_str() {
        WORKSPACE => "; it stands for the whole checkout".to_owned(),
        _ if guarded.is_empty() => String::new(),
        _ => format!("; it guards {}", lease::some(&guarded)),
    }
}

/// A holder, and where to find who that is.
fn by(holder: &str, bound: Option<&Process>, asked_by: Option<&(u64, String)>) -> String {
    match (bound, asked_by) {
        (Some(process), _) => format!("{holder} (pid {} on {})", process.pid, process.host),
        (None, Some((pid, host))) => format!("{holder} (asked by pid {pid} on {host})"),
        (None, None) => holder.to_owned(),
    }
}

fn waiting(front: &Front) -> Vec<Row> {
    let of = |waiter: &super::Waiter| {
        let (for_ms, at_most_ms) = waiter.spans_ms(front.boot_ms);
        let by = by(waiter.holder.as_str(), Some(&waiter.process), None);
        let text = format!("{by} for {}, gives up in {}", span::show(for_ms), span::show(at_most_ms));
        Row::about(waiter.lock.as_str(), Tone::Warn, &text)
    };
    front.waiters.iter().map(of).collect()
}

fn in_the_way(front: &Front) -> Vec<Row> {
    let text = |who| format!("{who}; it has the OS lock that every write takes");
    front.os_lock.iter().map(|who| Row::under(Tone::Bad, &text(who))).collect()
}

fn leases(stands: &Stands) -> Vec<Row> {
    let mut rows: Vec<Row> = stands.leases.iter().map(|view| one_lease(view, stands.now_ms)).collect();
    let open: Vec<&LeaseView> = stands.leases.iter().filter(|view| view.lease.is_open()).collect();
    match open.as_slice() {
        [] => {}
        [view] => rows.push(hint_to_crash(view.id.as_str())),
        _ => rows.push(hint_to_crash("ID")),
    }
    rows
}

fn hint_to_crash(id: &str) -> Row {
    Row::under(Tone::Hint, &format!("end it by hand: fencehold lease crash {id} --reason TEXT"))
}

fn one_lease(view: &LeaseView, now_ms: TimeMs) -> Row {
    let LeaseView { id, lease, .. } = view;
    let by = by(lease.holder.as_str(), lease.bound.as_ref(), lease.asked_by.as_ref());
    let branch = lease.about.branch.as_ref().map_or_else(String::new, |branch| format!(" on {branch}"));
    let writes: Vec<&str> = lease.writes.iter().map(Pattern::as_str).collect();
    let since = span::show(now_ms.saturating_sub(lease.since_ms));
    let (how, writes) = (lease::how(view, now_ms), lease::some(&writes));
    let tone = if how == "open" { Tone::Plain } else { Tone::Warn };
    Row::about(
        id.as_str(),
        tone,
        &format!("{how}; {by}{branch} for {since}; writes {writes}; token {}", lease.token),
    )
}

fn conflicts(stands: &Stands) -> Vec<Row> {
    let of = |view: &TaskView| {
        let line = task::one_line(view, stands.now_ms);
        let text = line.trim_end().strip_prefix(&format!("task {}: ", view.id)).unwrap_or(&line).to_owned();
        Row::about(view.id.as_str(), Tone::Warn, &text)
    };
    let mut rows: Vec<Row> = stands.conflicts.iter().map(of).collect();
    if !rows.is_empty() {
        rows.push(Row::under(Tone::Hint, "choose one: fencehold task set TASK STATUS --resolve"));
    }
    rows
}

fn owed(stands: &Stands) -> Vec<Row> {
    let owes = gate::each_owed(&stands.owes);
    let mut rows: Vec<Row> = owes
        .map(|(step, owed, file)| {
            let text = format!("the entry of override {step} in {}/{file}", owed.forced.root);
            Row::about(owed.task.as_str(), Tone::Warn, &plain(&text))
        })
        .collect();
    if !rows.is_empty() {
        rows.push(Row::under(Tone::Hint, "write it: fencehold repair"));
    }
    rows
}

fn damaged(front: &Front) -> Vec<Row> {
    let mut rows: Vec<Row> =
        front.wrong.iter().map(|error: &Error| Row::under(Tone::Bad, &error.to_string())).collect();
    let named = front.aside.iter().take(NAMED_MAX);
    rows.extend(named.map(|name| Row::under(Tone::Warn, &format!("set aside: quarantine/{name}"))));
    if let Some(more) = front.aside.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        rows.push(Row::under(Tone::Warn, &format!("and {more} more")));
    }
    if !rows.is_empty() {
        rows.push(Row::under(Tone::Hint, "what to do about it: fencehold doctor"));
    }
    rows
}

fn failed_open(front: &Front) -> Vec<Row> {
    let Some(last) = front.failed_open.last() else { return Vec::new() };
    let count = front.failed_open.len();
    let calls = if count == 1 { "tool call" } else { "tool calls" };
    let word = |key: &str| last[key].as_str().unwrap_or("?").to_owned();
    let text = format!("{count} {calls} passed undecided, the last at {}: {}", word("at"), word("why"));
    vec![Row::under(Tone::Warn, &text)]
}

fn asking(front: &Front) -> Vec<Row> {
    let named = front.asking.iter().take(NAMED_MAX);
    named.map(|asking: &Asking| Row::under(Tone::Plain, &asking.path().display().to_string())).collect()
}

/// How many proposals wait for each file, and every doubt.
fn proposed(front: &Front) -> Vec<Row> {
    let mut rows = Vec::new();
    for views in front.proposals.chunk_by(|one, other| one.target == other.target) {
        let (target, open) =
            (&views[0].target, views.iter().filter(|view| view.told != Told::InDoubt).count());
        if open > 0 {
            let what = format!("{open}; look: fencehold proposal list {target}");
            rows.push(Row::about(target.as_str(), Tone::Plain, &what));
        }
        for view in views.iter().filter(|view| view.told == Told::InDoubt) {
            let Some(intent) = &view.begun else { continue };
            let what = proposal::doubt(target, &view.id, intent);
            rows.push(Row::about(&format!("in doubt: {}", view.id), Tone::Warn, &what));
        }
    }
    rows
}
