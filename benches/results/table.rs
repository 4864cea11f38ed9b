//! Tables of one workload, for the terminal, for Markdown and for the page.

use std::fmt::Write as _;

use super::findings::findings;
use super::{Cell, Offer, Report, Spread, Subject, Workload, offer, text};

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

/// Operations a second: the median of the rounds, the slowest and the fastest.
#[must_use]
pub fn rates(report: &Report, workload: Workload) -> Grid {
    grid(report, workload, workload.unit(), rate)
}

/// The ratio of the rates to that of the bare system calls: the median of the rounds, the lowest and the highest.
#[must_use]
pub fn ratios(report: &Report, workload: Workload) -> Grid {
    grid(report, workload, "to bare calls", |cell| match (cell.subject, report.ratio(cell)) {
        (Subject::Bare, _) => "×1".to_owned(),
        (_, None) => "unknown".to_owned(),
        (_, Some(ratio)) if cell.rounds.len() == 1 => text::ratio(ratio.median),
        (_, Some(ratio)) => {
            format!(
                "{} ({} to {})",
                text::ratio(ratio.median),
                text::ratio(ratio.low),
                text::ratio(ratio.high)
            )
        }
    })
}

fn rate(cell: &Cell) -> String {
    let Some(rate) = cell.rate() else { return "failed".to_owned() };
    let mut out = text::rate(rate.median);
    if cell.rounds.len() > 1 {
        let _ = write!(out, " ({} to {})", text::rate(rate.low), text::rate(rate.high));
    }
    if cell.lost() > 0 {
        let _ = write!(out, " LOST {}", text::grouped(cell.lost()));
    }
    out
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
        let shares = Spread::of(cell.measured().map(|round| round.least_share));
        shares.map_or("failed".to_owned(), |shares| format!("{:.0}%", shares.median * 100.0))
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
        let _ = writeln!(out, "! {}", text::tame(&finding));
    }
    for workload in &report.workloads {
        let rates = rates(report, *workload);
        let _ = writeln!(out, "\n{} ({})", workload.title(), workload.id());
        out.push_str(&plain(&rates));
        out.push_str(&plain(&ratios(report, *workload)));
        out.push_str(&plain(&latencies(report, *workload)));
        for (index, note) in rates.notes.iter().enumerate() {
            let _ = writeln!(out, "  [{}] {note}", index + 1);
        }
    }
    out.push('\n');
    for (subject, why) in &report.skipped {
        let _ = writeln!(out, "skipped: {}, because {}", subject.name(), text::tame(why));
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
