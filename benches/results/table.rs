//! Tables of one workload, for the terminal, for Markdown and for the page.

use std::fmt::Write as _;

use super::findings::findings;
use super::{Cell, Offer, Report, Subject, Workload, offer, text};
use crate::Quartiles;

/// A table, with the reasons of its dashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Above the columns; the first stands above the names.
    pub head: Vec<String>,
    /// A name and a text for each further column.
    pub rows: Vec<Vec<String>>,
    /// Note 1 and so on, as `[1]` in the rows.
    pub notes: Vec<String>,
}

/// Operations a second: the median of the rounds, how far they lie apart, and the ratio to the bare system calls.
#[must_use]
pub fn rates(report: &Report, workload: Workload) -> Grid {
    grid(report, workload, workload.unit(), |cell| {
        let (Some(rate), Some((low, high))) = (cell.rate(), cell.range()) else { return "failed".to_owned() };
        let mut out = text::rate(rate.median);
        if cell.measured().count() > 1 && rate.median > 0.0 {
            let _ = write!(out, " ±{:.0}%", (high - low) / 2.0 / rate.median * 100.0);
        }
        if let Some(ratio) = report.ratio(cell) {
            let _ = write!(out, " {}", text::ratio(ratio));
        }
        if cell.lost() > 0 {
            let _ = write!(out, " LOST {}", text::grouped(cell.lost()));
        }
        out
    })
}

/// How long half of the operations took at the most, 99 of 100, 999 of 1000.
#[must_use]
pub fn latencies(report: &Report, workload: Workload) -> Grid {
    grid(report, workload, "p50 / p99 / p99.9", |cell| {
        let latency = cell.latency();
        let times: Vec<String> = [50.0, 99.0, 99.9]
            .into_iter()
            .filter_map(|at| latency.percentile_ns(at))
            .map(text::time)
            .collect();
        if times.is_empty() { "failed".to_owned() } else { times.join(" / ") }
    })
}

/// What the process that came off worst had of the operations, over a fair share: the median of the rounds.
#[must_use]
pub fn shares(report: &Report, workload: Workload) -> Grid {
    grid(report, workload, "smallest share", |cell| {
        let shares: Vec<f64> = cell.measured().map(|round| round.least_share).collect();
        match shares.is_empty() {
            true => "failed".to_owned(),
            false => format!("{:.0}%", Quartiles::of(shares).median * 100.0),
        }
    })
}

fn grid(report: &Report, workload: Workload, corner: &str, shown: impl Fn(&Cell) -> String) -> Grid {
    let mut head = vec![corner.to_owned()];
    head.extend(report.processes.iter().map(|count| match count {
        1 => "1 process".to_owned(),
        _ => format!("{count} processes"),
    }));
    let mut notes: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for subject in &report.subjects {
        let mut row = vec![subject.name().to_owned()];
        for count in &report.processes {
            row.push(match (offer(*subject, workload, *count), report.cell(*subject, workload, *count)) {
                (Offer::No(why), _) => format!("– [{}]", note(&mut notes, *subject, why)),
                (Offer::Yes, Some(cell)) => shown(cell),
                (Offer::Yes, None) => format!("– [{}]", note(&mut notes, *subject, "was not measured")),
            });
        }
        rows.push(row);
    }
    Grid { head, rows, notes }
}

/// The number of this note.
fn note(notes: &mut Vec<String>, subject: Subject, why: &str) -> usize {
    let note = format!("{}: {why}.", subject.name());
    let at = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
        notes.push(note);
        notes.len() - 1
    });
    at + 1
}

/// The whole report as plain text.
#[must_use]
pub fn terminal(report: &Report) -> String {
    let mut out = String::new();
    for finding in findings(report) {
        let _ = writeln!(out, "! {finding}");
    }
    for workload in &report.workloads {
        let rates = rates(report, *workload);
        let _ = writeln!(out, "\n{} ({})", workload.title(), workload.id());
        out.push_str(&plain(&rates));
        out.push_str(&plain(&latencies(report, *workload)));
        for (index, note) in rates.notes.iter().enumerate() {
            let _ = writeln!(out, "  [{}] {note}", index + 1);
        }
    }
    out.push('\n');
    for (subject, why) in &report.skipped {
        let _ = writeln!(out, "skipped: {}, because {why}", subject.name());
    }
    out
}

/// Columns side by side.
fn plain(grid: &Grid) -> String {
    let lines = || std::iter::once(&grid.head).chain(&grid.rows);
    let width = |column: usize| lines().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..grid.head.len()).map(width).collect();
    let mut out = String::new();
    for line in lines() {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (text, width))| match column {
            0 => format!("{text:<width$}"),
            _ => format!("{text:>width$}"),
        });
        let _ = writeln!(out, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    out
}
