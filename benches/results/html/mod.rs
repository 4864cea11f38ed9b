//! `report.html`: one page that fetches nothing, for screens of any width, light or dark, and for paper.

mod escape;
mod latency;
mod scale;
mod series;
mod throughput;

use std::fmt::Write as _;

use super::findings::findings;
use super::{Grid, Report, Subject, Workload, latencies, rates, ratios, shares};
use escape::escape;

const STYLE: &str = include_str!("style.css");

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>Fencehold beside what people use today</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Fencehold beside what people use today</h1>\n"
    );
    let _ = writeln!(
        out,
        "<p>Real processes on one machine. They start together and repeat one operation for {} ms; {} rounds were run in \
         turn, so that noise meets all alike. No machine is quiet, a virtual one least of all: a number says little, a ratio to the bare \
         system calls in the same round says more. A record has {} bytes. The wait for a lock is part of a latency.</p>",
        report.window_ms, report.rounds, report.record_bytes
    );
    for finding in findings(report) {
        let _ = writeln!(out, "<p class=\"why\">{}</p>", escape(&finding));
    }
    for (subject, why) in &report.skipped {
        let _ = writeln!(
            out,
            "<p class=\"why skipped\">Skipped: {}, because {}.</p>",
            subject.name(),
            escape(why)
        );
    }
    for workload in &report.workloads {
        section(&mut out, report, *workload);
    }
    promises(&mut out, report);
    facts(&mut out, report);
    out.push_str("</body>\n</html>\n");
    out
}

fn section(out: &mut String, report: &Report, workload: Workload) {
    let _ = write!(out, "<h2>{}</h2>\n<p>{}</p>\n", workload.title(), escape(workload.what()));
    let rows: Vec<Subject> = report.rows(workload).collect();
    out.push_str(&series::legend(&rows));
    out.push_str("<div class=\"figures\">\n");
    out.push_str(&throughput::picture(report, workload));
    let mut counts: Vec<usize> =
        report.processes.first().into_iter().chain(report.processes.last()).copied().collect();
    counts.dedup();
    for count in counts {
        out.push_str(&latency::picture(report, workload, count).unwrap_or_default());
    }
    out.push_str("</div>\n");
    let rates = rates(report, workload);
    table(out, &rates);
    table(out, &ratios(report, workload));
    out.push_str("<details><summary>Latencies and shares</summary>\n");
    table(out, &latencies(report, workload));
    table(out, &shares(report, workload));
    out.push_str(
        "<p class=\"note\">The smallest share is what the process that came off worst had of the operations: \
                  100% is fair. Of a fast round there are more latencies.</p>\n</details>\n",
    );
    for (index, note) in rates.notes.iter().enumerate() {
        let _ = writeln!(out, "<p class=\"note\">[{}] {}</p>", index + 1, escape(note));
    }
}

fn table(out: &mut String, grid: &Grid) {
    out.push_str("<div class=\"scroll\"><table><thead><tr>");
    for (column, head) in grid.head.iter().enumerate() {
        let class = if column == 0 { "" } else { " class=\"number\"" };
        let _ = write!(out, "<th{class}>{}</th>", escape(head));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &grid.rows {
        out.push_str("<tr>");
        for (column, text) in row.iter().enumerate() {
            let class = match column {
                0 => "",
                _ if text.contains("LOST") || text == "failed" => " class=\"number bad\"",
                _ => " class=\"number\"",
            };
            let _ = write!(out, "<td{class}>{}</td>", escape(text));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn promises(out: &mut String, report: &Report) {
    out.push_str(
        "<h2>What each promises</h2>\n<p>The rows do not promise the same; read this before the numbers.</p>\n\
         <div class=\"scroll\"><table class=\"promises\"><thead><tr><th></th><th>how it is used here</th>\
         <th>durable once acknowledged</th><th>fenced: is a holder that was slow refused?</th></tr></thead><tbody>\n",
    );
    for subject in &report.subjects {
        let _ = writeln!(
            out,
            "<tr><td><strong>{}</strong></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            subject.name(),
            escape(subject.how()),
            escape(subject.durable()),
            escape(subject.fenced())
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn facts(out: &mut String, report: &Report) {
    let _ = write!(
        out,
        "<h2>Where and with what</h2>\n<dl>\n<dt>command</dt><dd><code>{}</code></dd>\n<dt>began</dt><dd>{}</dd>\n",
        escape(&report.command),
        escape(&report.utc)
    );
    for (name, value) in &report.facts {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    out.push_str("</dl>\n");
}
