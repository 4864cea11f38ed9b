//! `docs/benchmarks.md`: the tables, with all that is needed to judge them.

use std::fmt::Write as _;

use super::findings::findings;
use super::{Grid, Report, latencies, rates, ratios, shares, text};

/// The page that is kept with the sources.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::from("# Benchmarks\n\n");
    out.push_str(
        "What one run of `bench-report` measured: Fencehold beside what people use today, on one machine. This page was \
         written by\n\n```sh\nnpm install --prefix target/peers proper-lockfile\npython3 -m pip install --target \
         target/peers/python filelock\n",
    );
    let _ = writeln!(out, "{}\n```\n", report.command);
    out.push_str(
        "A machine is noisy: a virtual one shares its cores and its disk with strangers, and other work shows in the load \
         that stands at the end of this page. There a number says little and a ratio within one round says more; where \
         the range of a ratio is wide, it says little too. All was measured in turn, round after round, so that noise \
         meets all alike.\n\n## How to read it\n\n",
    );
    let _ = writeln!(
        out,
        "Every process is a real one. They start together, repeat one operation for {} ms, and {} rounds are run in \
         turn. A rate is the median of the rounds, with the slowest and the fastest. A ratio is to the bare system calls \
         of the same round: the median, the lowest and the highest; above ×1 is faster. A record has {} bytes. Latencies \
         are of the operations of all rounds, of which a fast round has more; the wait for the lock is in them. The \
         smallest share is what the process that came off worst had of the operations: 100% is fair, and 0% means that \
         it waited all the time. A dash has its reason below the table.\n",
        report.window_ms, report.rounds, report.record_bytes
    );
    out.push_str(
        "A lock that is handed on fairly costs a switch of processes each time; one that is polled for is often taken \
         again by the process that had it. Compare the shares.\n\n\
         The rows do not promise the same. What each promises stands at the end; read it before the numbers.\n\n",
    );
    for finding in findings(report) {
        let _ = writeln!(out, "**{}**\n", plain(&finding));
    }
    for workload in &report.workloads {
        let grid = rates(report, *workload);
        let _ = writeln!(out, "## {}\n\n{}\n", workload.title(), workload.what());
        table(&mut out, &grid);
        table(&mut out, &ratios(report, *workload));
        table(&mut out, &latencies(report, *workload));
        table(&mut out, &shares(report, *workload));
        for (index, note) in grid.notes.iter().enumerate() {
            let _ = writeln!(out, "- [{}] {}", index + 1, plain(note));
        }
        if !grid.notes.is_empty() {
            out.push('\n');
        }
    }
    promises(&mut out, report);
    out.push_str("## Where and with what\n\n| | |\n|---|---|\n");
    let _ = writeln!(out, "| began | {} |", report.utc);
    for (name, value) in &report.facts {
        let _ = writeln!(out, "| {} | {} |", plain(name), plain(value));
    }
    for (subject, why) in &report.skipped {
        let _ = writeln!(out, "| skipped | {}, because {} |", subject.name(), plain(why));
    }
    out
}

fn promises(out: &mut String, report: &Report) {
    out.push_str(
        "## What each promises\n\n| | how it is used here | durable once acknowledged | fenced |\n|---|---|---|---|\n",
    );
    for subject in &report.subjects {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            subject.name(),
            subject.how(),
            subject.durable(),
            subject.fenced()
        );
    }
    out.push('\n');
}

fn table(out: &mut String, grid: &Grid) {
    let _ = writeln!(out, "| {} |", grid.head.join(" | "));
    let _ = writeln!(out, "|---|{}", "---:|".repeat(grid.head.len() - 1));
    for row in &grid.rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
}

/// A text from elsewhere on one line of a table.
fn plain(text: &str) -> String {
    let text = text::tame(text).replace('|', "\\|").replace('<', "\\<");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
