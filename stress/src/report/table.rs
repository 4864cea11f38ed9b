//! The table of a run, for a terminal of 100 columns; no colour.

use super::text::{grouped, hang, lasted, tame, width, wrap};
use super::{Results, StageResult, Verdict};

/// The widest line, the commands aside: those have to be copied whole.
const COLUMNS: usize = 100;
/// The column of the bound gets at least this much.
const BOUND_COLUMNS_MIN: usize = 20;
const HEAD: [&str; 5] = ["stage", "cases", "bound", "verdict", "time"];
const GAP: &str = "  ";

/// The run as a text: a row for each stage, its figures, a sentence for all that is not ok. Where there is a
/// counterexample, the very last line is the command that replays or judges it.
#[must_use]
pub fn table(results: &Results) -> String {
    let mut out = rows(results);
    for stage in &results.stages {
        if !stage.figures.is_empty() {
            let figures: Vec<String> =
                stage.figures.iter().map(|(name, value)| format!("{} {}", tame(name), tame(value))).collect();
            out.push('\n');
            out.push_str(&hang(&format!("{}: ", stage.name), &figures.join(", "), COLUMNS));
        }
    }
    let findings = findings(results);
    if !findings.is_empty() {
        out.push('\n');
        out.push_str(&findings);
    }
    out.push('\n');
    out.push_str(&summary(results));
    commands(results, &mut out);
    out
}

fn rows(results: &Results) -> String {
    let cells: Vec<[String; 5]> = results.stages.iter().map(cells).collect();
    let mut widths = HEAD.map(width);
    for row in &cells {
        for (column, cell) in row.iter().enumerate() {
            widths[column] = widths[column].max(width(cell));
        }
    }
    let others = widths[0] + widths[1] + widths[3] + widths[4] + 4 * GAP.len();
    widths[2] = widths[2].min(COLUMNS.saturating_sub(others).max(BOUND_COLUMNS_MIN));
    let mut out = row(&HEAD.map(String::from), widths);
    out.push_str(&"-".repeat(widths.iter().sum::<usize>() + 4 * GAP.len()));
    out.push('\n');
    for cells in &cells {
        out.push_str(&row(cells, widths));
    }
    out
}

fn cells(stage: &StageResult) -> [String; 5] {
    let skipped = matches!(stage.verdict, Verdict::Skipped(_));
    [
        stage.name.to_owned(),
        if skipped { "-".to_owned() } else { format!("{} {}", grouped(stage.cases), stage.unit) },
        tame(&stage.bound),
        stage.verdict.word().to_owned(),
        if skipped { "-".to_owned() } else { lasted(stage.elapsed) },
    ]
}

/// One row, of as many lines as its bound takes.
fn row(cells: &[String; 5], widths: [usize; 5]) -> String {
    let mut out = String::new();
    for (index, bound) in wrap(&cells[2], widths[2]).iter().enumerate() {
        let cell = |column: usize| if index == 0 { cells[column].as_str() } else { "" };
        let line = [
            format!("{:<1$}", cell(0), widths[0]),
            format!("{:>1$}", cell(1), widths[1]),
            format!("{:<1$}", bound, widths[2]),
            format!("{:<1$}", cell(3), widths[3]),
            format!("{:>1$}", cell(4), widths[4]),
        ];
        out.push_str(line.join(GAP).trim_end());
        out.push('\n');
    }
    out
}

/// A sentence for everything that is not a pass.
fn findings(results: &Results) -> String {
    let mut out = String::new();
    for stage in results.stages.iter().filter(|stage| stage.verdict != Verdict::Ok) {
        let first = format!("{}: {}: ", stage.name, stage.verdict.word());
        out.push_str(&hang(&first, &tame(stage.verdict.why()), COLUMNS));
    }
    if results.is_empty() {
        out.push_str("no stage ran: that is no pass\n");
    }
    for missing in results.missing() {
        let sentence = "required (--require), and it did not run: that is no pass";
        out.push_str(&hang(&format!("{}: ", tame(missing)), sentence, COLUMNS));
    }
    out
}

fn summary(results: &Results) -> String {
    let counts: Vec<String> = results
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let counts = if counts.is_empty() { "no stages".to_owned() } else { counts.join(", ") };
    let text = format!(
        "{counts}; profile {}, seed {}, {}; exit {}",
        results.profile,
        results.seed,
        tame(&results.target),
        results.exit_code()
    );
    hang("", &text, COLUMNS)
}

/// The commands, the most telling one last.
fn commands(results: &Results, out: &mut String) {
    let last = results.counterexample();
    for stage in &results.stages {
        let is_last = last.is_some_and(|last| std::ptr::eq(last, stage));
        if let Some(command) = stage.command.as_ref().filter(|_| !is_last) {
            out.push_str(&format!("{}: {}\n", stage.name, tame(command)));
        }
    }
    if let Some(command) = last.and_then(|stage| stage.command.as_ref()) {
        out.push_str(&format!("{}\n", tame(command)));
    }
}
