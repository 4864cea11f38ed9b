//! Logs: what was acknowledged is there, once; what was never appended is not; nobody sees half a record.

use std::collections::{BTreeMap, BTreeSet};

use fencehold_model::history::{Call, History, Id, Operation, Outcome};
use fencehold_model::spec::Breach;
use serde_json::Value;

use super::limit::Limit;
use super::report::Report;

/// One append that was done, or may have been.
struct Append<'a> {
    at: usize,
    record: &'a Value,
    start_us: u64,
    /// When it was acknowledged.
    acked_us: Option<u64>,
}

#[derive(Default)]
struct Log<'a> {
    appends: BTreeMap<Id, Vec<Append<'a>>>,
    /// When which record was acknowledged, in that order.
    acked: Vec<(u64, Id)>,
    reads: Vec<Read<'a>>,
    may_be_torn: bool,
}

/// One read from start to end: the pages that one process read one after the other.
struct Read<'a> {
    at: usize,
    start_us: u64,
    end_us: u64,
    /// Whether it begins at the start and has come to the end.
    whole: bool,
    next: Option<&'a Value>,
    records: Vec<&'a Value>,
    damaged: u64,
    duplicates: BTreeSet<&'a str>,
    process: usize,
}

/// Judges every log.
pub(super) fn check(history: &History, limit: &mut Limit, report: &mut Report) {
    for (file, mut log) in gather(history, report) {
        log.acked.sort_unstable();
        let subject = format!("log {:?}", history.names.text(file));
        report.counts.objects += usize::from(!log.reads.is_empty());
        for read in &log.reads {
            if !limit.look() {
                report.unknown.push(format!("{subject}: the deadline passed before every read was judged"));
                break;
            }
            judge(history, &subject, &log, read, report);
        }
    }
}

fn gather<'a>(history: &'a History, report: &mut Report) -> BTreeMap<Id, Log<'a>> {
    let mut logs: BTreeMap<Id, Log<'a>> = BTreeMap::new();
    for (at, op) in history.ops.iter().enumerate() {
        match &op.call {
            Call::Append { file, id, record, .. } if op.ok().is_some() || op.is_info() => {
                let acked_us = op.ok().map(|_| op.ended_us);
                report.counts.appends += usize::from(acked_us.is_some());
                let log = logs.entry(*file).or_default();
                log.may_be_torn |= acked_us.is_none() || history.damages > 0;
                log.acked.extend(acked_us.map(|acked_us| (acked_us, *id)));
                let append = Append { at, record, start_us: op.invoked_us, acked_us };
                log.appends.entry(*id).or_default().push(append);
            }
            Call::LogRead { file, after } => {
                let log = logs.entry(*file).or_default();
                log.may_be_torn |= history.damages > 0;
                if let Outcome::Ok(answer) = &op.outcome {
                    let after = after.map(|after| history.names.text(after));
                    if add_page(log, at, op, after, &answer.body).is_none() {
                        let subject = format!("log {:?}", history.names.text(*file));
                        report.broken(history, Breach::LogUnfinished, &subject, vec![at]);
                    }
                }
            }
            _ => {}
        }
    }
    logs
}

/// Adds an answer of `log.read`, to the read that it goes on with if there is one.
fn add_page<'a>(
    log: &mut Log<'a>,
    at: usize,
    op: &Operation,
    after: Option<&str>,
    body: &'a Value,
) -> Option<()> {
    let records = body["records"].as_array()?;
    let next = Some(&body["next"]).filter(|next| !next.is_null());
    let duplicates = body["duplicates"].as_array().map_or(&[][..], Vec::as_slice);
    let duplicates = duplicates.iter().filter_map(Value::as_str);
    let damaged = body["damaged"].as_u64().unwrap_or(0);
    let before = log.reads.iter_mut().rev().find(|read| read.process == op.process);
    if let (Some(after), Some(before)) = (after, before)
        && before.next.map(Value::to_string).as_deref() == Some(after)
    {
        before.records.extend(records);
        before.duplicates.extend(duplicates);
        before.damaged = before.damaged.max(damaged);
        (before.end_us, before.next, before.at) = (op.ended_us, next, at);
        return Some(());
    }
    log.reads.push(Read {
        at,
        start_us: op.invoked_us,
        end_us: op.ended_us,
        whole: after.is_none(),
        next,
        records: records.iter().collect(),
        damaged,
        duplicates: duplicates.collect(),
        process: op.process,
    });
    Some(())
}

fn judge(history: &History, subject: &str, log: &Log<'_>, read: &Read<'_>, report: &mut Report) {
    let mut seen: BTreeMap<Id, usize> = BTreeMap::new();
    let mut latest: Option<&Append<'_>> = None;
    for record in &read.records {
        let Some(text) = record["id"].as_str() else {
            report.broken(history, Breach::LogTorn, subject, vec![read.at]);
            continue;
        };
        let appends =
            history.names.find(text).and_then(|id| log.appends.get(&id).map(|appends| (id, appends)));
        let sent = appends.filter(|(_, appends)| appends.iter().any(|append| append.start_us <= read.end_us));
        let Some((id, appends)) = sent else {
            report.broken(history, Breach::LogAlien, subject, vec![read.at]);
            continue;
        };
        if !appends.iter().any(|append| append.record == *record) {
            report.broken(history, Breach::LogTorn, subject, vec![appends[0].at, read.at]);
        }
        *seen.entry(id).or_default() += 1;
        if let [only] = appends.as_slice() {
            // Acknowledged before the one in front of it was sent: then it stands in front.
            if let Some(before) =
                latest.filter(|before| only.acked_us.is_some_and(|acked| acked < before.start_us))
            {
                report.broken(history, Breach::LogOrder, subject, vec![before.at, only.at, read.at]);
            }
            if latest.is_none_or(|before| before.start_us < only.start_us) {
                latest = Some(only);
            }
        }
    }
    counted(history, subject, log, read, &seen, report);
    let is_whole = read.whole && read.next.is_none();
    let twice: BTreeSet<&str> =
        seen.iter().filter(|(_, count)| **count > 1).map(|(id, _)| history.names.text(*id)).collect();
    if is_whole && twice != read.duplicates {
        report.broken(history, Breach::LogDuplicates, subject, vec![read.at]);
    }
    if read.damaged > 0 && !log.may_be_torn {
        report.broken(history, Breach::LogDamage, subject, vec![read.at]);
    }
}

/// Every record stands there as often as it was acknowledged, and at most as often as it was sent.
fn counted(
    history: &History,
    subject: &str,
    log: &Log<'_>,
    read: &Read<'_>,
    seen: &BTreeMap<Id, usize>,
    report: &mut Report,
) {
    for (id, count) in seen {
        let appends = &log.appends[id];
        if *count > appends.iter().filter(|append| append.start_us <= read.end_us).count() {
            let ops = appends.iter().map(|append| append.at).chain([read.at]).collect();
            report.broken(history, Breach::LogTwice, subject, ops);
        }
    }
    if !read.whole || read.next.is_some() {
        return;
    }
    let before = log.acked.partition_point(|(acked_us, _)| *acked_us < read.start_us);
    let mut missing: BTreeMap<Id, usize> = BTreeMap::new();
    for (_, id) in &log.acked[..before] {
        let acked = missing.entry(*id).or_default();
        *acked += 1;
        if *acked == seen.get(id).copied().unwrap_or(0) + 1 {
            let acked = log.appends[id].iter().filter(|append| append.acked_us.is_some());
            let ops = acked.map(|append| append.at).chain([read.at]).collect();
            report.broken(history, Breach::LogLost, subject, ops);
        }
    }
}
