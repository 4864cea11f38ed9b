//! One table of the matrix of engines and mutants: what a row says, as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::sim::seam::hunt::{Cell, Known, Matrix, known};

/// A table.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) engines: Vec<&'static str>,
    pub(super) rows: Vec<Line>,
}

/// A row of it.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// Where the mutant differs, where that is a place.
    pub(super) at: Option<String>,
    /// In the order of the engines.
    pub(super) cells: Vec<Cell>,
    /// The engine that finds it soonest.
    pub(super) soonest: Option<&'static str>,
    /// Why nobody need find it.
    pub(super) harmless: Option<&'static str>,
}

impl Section {
    /// The mutants of our own code.
    pub(super) fn own(matrix: &Matrix) -> Self {
        let known = known();
        let line = |row: &crate::sim::seam::hunt::Row| Line {
            name: row.mutant.name.clone(),
            kind: row.mutant.kind.word(),
            at: Some(row.mutant.mutation.to_string()),
            cells: row.cells.clone(),
            soonest: row.soonest().map(|at| matrix.engines[at]),
            harmless: match known.get(row.mutant.name.as_str()) {
                Some(Known::Harmless(why)) => Some(why),
                _ => None,
            },
        };
        Section {
            title: "Mutants of our own code, at the port `Fs`",
            engines: matrix.engines.clone(),
            rows: matrix.rows.iter().map(line).collect(),
        }
    }

    /// How many are caught, how many of the others harm nobody, and which are neither.
    pub(super) fn sum(&self) -> (usize, usize, Vec<&str>) {
        let caught = self.rows.iter().filter(|row| row.soonest.is_some()).count();
        let others = || self.rows.iter().filter(|row| row.soonest.is_none());
        let harmless = others().filter(|row| row.harmless.is_some()).count();
        let open = others().filter(|row| row.harmless.is_none()).map(|row| row.name.as_str()).collect();
        (caught, harmless, open)
    }

    /// As a table of text.
    pub(super) fn text(&self) -> String {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let mut text = format!("{}\n{:<width$}", self.title, "mutant");
        for engine in &self.engines {
            let _ = write!(text, "  {engine:>16}");
        }
        text.push('\n');
        for row in &self.rows {
            let _ = write!(text, "{:<width$}", row.name);
            for cell in &row.cells {
                let _ = write!(text, "  {:>16}", word(cell));
            }
            text.push('\n');
        }
        let (caught, harmless, open) = self.sum();
        let all = self.rows.len();
        let _ = writeln!(text, "{caught} of {all} are caught, {harmless} of the others harm nobody");
        for name in open {
            let _ = writeln!(text, "not caught: {name}");
        }
        text
    }

    /// As an array of rows.
    pub(super) fn json(&self) -> Value {
        self.rows.iter().map(|row| row.json(&self.engines)).collect()
    }
}

impl Line {
    fn json(&self, engines: &[&str]) -> Value {
        let asked = engines.iter().zip(&self.cells).filter(|(_, cell)| !cell.per_seed.is_empty());
        let cells: serde_json::Map<String, Value> =
            asked.map(|(engine, cell)| ((*engine).to_owned(), cell_json(cell))).collect();
        json!({
            "mutant": self.name,
            "at": self.at,
            "kind": self.kind,
            "soonest": self.soonest,
            "harmless": self.harmless,
            "engines": cells,
        })
    }
}

fn cell_json(cell: &Cell) -> Value {
    let median = cell.median();
    let per_seed: Vec<Option<u64>> =
        cell.per_seed.iter().map(|caught| caught.map(|caught| caught.executions)).collect();
    json!({
        "caught": cell.is_caught(),
        "executions": median.map(|caught| caught.executions),
        "seconds": median.map(|caught| caught.elapsed.as_secs_f64()),
        "executions_by_seed": per_seed,
        "what": cell.what,
        "scenario": cell.ground,
    })
}

/// Executions and time to the first violation; a dash where nothing was found, nothing where nobody was asked.
pub(super) fn word(cell: &Cell) -> String {
    let (found, of) = (cell.per_seed.iter().flatten().count(), cell.per_seed.len());
    match cell.median() {
        None if cell.per_seed.is_empty() => String::new(),
        None => "-".to_owned(),
        Some(median) => {
            let some = if found < of { format!(" {found}/{of}") } else { String::new() };
            format!("{} {:.0?}{some}", median.executions, median.elapsed)
        }
    }
}
