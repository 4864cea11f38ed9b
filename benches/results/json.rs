//! `report.json`: everything, for machines.

use serde_json::{Value, json};

use super::{Cell, Report, Round, Spread};

/// The report as one JSON value.
#[must_use]
pub fn json(report: &Report) -> Value {
    let facts: Vec<Value> =
        report.facts.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let subjects: Vec<Value> = report
        .subjects
        .iter()
        .map(|subject| {
            json!({ "id": subject.id(), "name": subject.name(), "how": subject.how(), "durable": subject.durable(),
                    "fenced": subject.fenced() })
        })
        .collect();
    let skipped: Vec<Value> =
        report.skipped.iter().map(|(subject, why)| json!({ "subject": subject.id(), "why": why })).collect();
    let workloads: Vec<Value> = report
        .workloads
        .iter()
        .map(|workload| json!({ "id": workload.id(), "what": workload.what(), "unit": workload.unit() }))
        .collect();
    json!({
        "v": 1,
        "command": report.command,
        "utc": report.utc,
        "facts": facts,
        "rounds": report.rounds,
        "window_ms": report.window_ms,
        "record_bytes": report.record_bytes,
        "processes": report.processes,
        "subjects": subjects,
        "skipped": skipped,
        "workloads": workloads,
        "cells": report.cells.iter().map(|each| cell(report, each)).collect::<Vec<_>>(),
    })
}

fn cell(report: &Report, cell: &Cell) -> Value {
    let latency = cell.latency();
    let percentiles = [50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 100.0]
        .map(|percent| json!({ "percent": percent, "ns": latency.percentile_ns(percent) }));
    json!({
        "subject": cell.subject.id(),
        "workload": cell.workload.id(),
        "processes": cell.processes,
        "rate": cell.rate().map(spread),
        "ratio_to_bare": report.ratio(cell).map(spread),
        "lost": cell.lost(),
        "surplus": cell.surplus(),
        "latency": { "count": latency.count(), "percentiles": percentiles },
        "rounds": cell.rounds.iter().map(round).collect::<Vec<_>>(),
    })
}

fn spread(spread: Spread) -> Value {
    json!({ "low": spread.low, "median": spread.median, "high": spread.high })
}

fn round(round: &Result<Round, String>) -> Value {
    match round {
        Err(why) => json!({ "failed": why }),
        Ok(round) => json!({
            "rate": round.rate,
            "acked": round.acked,
            "unsure": round.unsure,
            "gave_up": round.gave_up,
            "found": round.found,
            "least_share": round.least_share,
        }),
    }
}
