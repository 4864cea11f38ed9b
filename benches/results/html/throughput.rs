//! Operations a second by the number of processes.

use std::fmt::Write as _;

use super::scale::Scale;
use super::series::{class, mark};
use crate::results::{Report, Spread, Workload, text};

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 42.0;

/// A point of a line: which of the numbers of processes, and the rate there.
type Point = (usize, Spread);

/// The picture of one workload.
pub(super) fn picture(report: &Report, workload: Workload) -> String {
    let rows: Vec<_> = report.rows(workload).collect();
    let points = |subject| -> Vec<Point> {
        let counts = report.processes.iter().enumerate();
        counts.filter_map(|(at, count)| Some((at, report.cell(subject, workload, *count)?.rate()?))).collect()
    };
    let all = rows.iter().flat_map(|subject| points(*subject));
    let y = Scale::of(all.flat_map(|(_, rate)| [rate.low, rate.high]), HEIGHT - BOTTOM, TOP);
    let mut out = format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0} by the number of processes\">\n\
         <text class=\"axis\" x=\"4\" y=\"14\">{0}</text>\n",
        workload.unit()
    );
    for (tick, labelled) in y.ticks() {
        let at = y.at(tick);
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\"/><text class=\"tick end\" \
             x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            if labelled { text::short_rate(tick) } else { String::new() }
        );
    }
    for (index, count) in report.processes.iter().enumerate() {
        let _ = writeln!(
            out,
            "<text class=\"tick middle\" x=\"{:.1}\" y=\"{:.1}\">{count}</text>",
            x(report, index),
            HEIGHT - BOTTOM + 18.0
        );
    }
    let _ = writeln!(
        out,
        "<text class=\"axis middle\" x=\"{:.1}\" y=\"{:.1}\">processes</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 6.0
    );
    // Ours last, so that it lies on top.
    for (row, subject) in rows.iter().enumerate().rev() {
        let _ = writeln!(out, "<g class=\"{}\">", class(*subject));
        // Beside one another: where all are equally fast, none hides the others.
        let aside = (row as f64 - (rows.len() as f64 - 1.0) / 2.0) * 2.5;
        out.push_str(&line(report, &points(*subject), &y, aside, |at_x, at_y| mark(*subject, at_x, at_y)));
        out.push_str("</g>\n");
    }
    out.push_str(
        "</svg><figcaption>More is better. The line is the median of the rounds, the bars reach from the \
                  slowest to the fastest.</figcaption></figure>\n",
    );
    out
}

fn line(
    report: &Report,
    points: &[Point],
    y: &Scale,
    aside: f64,
    mark: impl Fn(f64, f64) -> String,
) -> String {
    let (mut d, mut marks) = (String::new(), String::new());
    for (index, rate) in points {
        let (at_x, at_y) = (x(report, *index) + aside, y.at(rate.median));
        let _ = write!(d, "{}{at_x:.1} {at_y:.1}", if d.is_empty() { "M" } else { "L" });
        let _ = writeln!(
            marks,
            "<line class=\"bar\" x1=\"{at_x:.1}\" y1=\"{:.1}\" x2=\"{at_x:.1}\" y2=\"{:.1}\"/>{}",
            y.at(rate.low),
            y.at(rate.high),
            mark(at_x, at_y)
        );
    }
    format!("<path class=\"line\" d=\"{d}\"/>\n{marks}")
}

/// Where the column of a number of processes is.
fn x(report: &Report, index: usize) -> f64 {
    let step = (WIDTH - LEFT - RIGHT) / report.processes.len() as f64;
    LEFT + step * (index as f64 + 0.5)
}
