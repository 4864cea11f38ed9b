//! How long operations take: for each subject the times that 50, 90, 99 and 99.9 of 100 did not exceed.

use std::fmt::Write as _;

use super::scale::Scale;
use super::series::{class, mark};
use crate::results::{Report, Subject, Workload, text};

const WIDTH: f64 = 400.0;
const LEFT: f64 = 138.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 26.0;
const ROW: f64 = 24.0;
const BOTTOM: f64 = 36.0;
const PERCENTS: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// The picture of one workload with so many processes; none where nothing was measured.
pub(super) fn picture(report: &Report, workload: Workload, processes: usize) -> Option<String> {
    let rows: Vec<(Subject, Vec<f64>)> = report
        .rows(workload)
        .filter_map(|subject| {
            let latency = report.cell(subject, workload, processes)?.latency();
            let times = PERCENTS.into_iter().filter_map(|percent| latency.percentile_ns(percent));
            let times: Vec<f64> = times.map(|ns| ns as f64).collect();
            (!times.is_empty()).then_some((subject, times))
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let x = Scale::of(rows.iter().flat_map(|(_, times)| times.iter().copied()), LEFT, WIDTH - RIGHT);
    let height = TOP + ROW * rows.len() as f64 + BOTTOM;
    let of = if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") };
    let mut out = format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"latency with {of}\">\n\
         <text class=\"axis\" x=\"4\" y=\"14\">latency, {of}</text>\n"
    );
    for (tick, labelled) in x.ticks() {
        let at = x.at(tick);
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{0:.1}\"/><text class=\"tick middle\" \
             x=\"{at:.1}\" y=\"{1:.1}\">{2}</text>",
            height - BOTTOM,
            height - BOTTOM + 18.0,
            if labelled { short(tick) } else { String::new() }
        );
    }
    for (row, (subject, times)) in rows.iter().enumerate() {
        out.push_str(&one(*subject, times, &x, TOP + ROW * (row as f64 + 0.5)));
    }
    out.push_str("</svg><figcaption>Less is better. The mark: half of the operations; then 90%, 99% and, at the end of the \
                  line, 99.9%.</figcaption></figure>\n");
    Some(out)
}

fn one(subject: Subject, times: &[f64], x: &Scale, y: f64) -> String {
    let (first, last) = (times.first().copied().unwrap_or(0.0), times.last().copied().unwrap_or(0.0));
    let mut out = format!(
        "<g class=\"{}\"><text class=\"row end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
         <line class=\"span\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>",
        class(subject),
        LEFT - 8.0,
        y + 4.0,
        subject.name(),
        x.at(first),
        x.at(last)
    );
    for time in &times[1..] {
        let at = x.at(*time);
        let _ = write!(
            out,
            "<line class=\"bar\" x1=\"{at:.1}\" y1=\"{:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\"/>",
            y - 4.0,
            y + 4.0
        );
    }
    let _ = writeln!(out, "{}</g>", mark(subject, x.at(first), y));
    out
}

/// A power of ten of nanoseconds.
fn short(ns: f64) -> String {
    text::time(ns as u64).replace(".00", "").replace(".0", "")
}
