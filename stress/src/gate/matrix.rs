//! `mutants`: the matrix of engines and mutants.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::args::Mutants;
use super::matrix_page::{page, word};
use crate::sim::seam::hunt::{Effort, Matrix, Progress, Row, caught_table, engines, matrix};
use crate::sim::seam::{Mutant, census, mutants as mutants_of, quietly};

/// Hunts; gives the exit code.
pub(super) fn mutants(args: &Mutants) -> Result<u8, String> {
    let record = census();
    let mutants: Vec<Mutant> =
        mutants_of(&record).into_iter().filter(|mutant| mutant.name.contains(&args.only)).collect();
    if mutants.is_empty() {
        return Err(format!("there is no mutant with {:?} in its name", args.only));
    }
    if args.list {
        print(&list(&mutants))?;
        return Ok(0);
    }
    let began = Instant::now();
    let within = Duration::from_secs(60 * args.minutes);
    let progress = |hunt: &Progress<'_>| {
        let (done, of, seconds) = (hunt.done, hunt.of, began.elapsed().as_secs());
        eprintln!("{done} of {of}, {seconds} s: {}: {}: {}", hunt.mutant, hunt.engine, word(hunt.cell));
    };
    quietly();
    let mut engines = engines();
    engines.retain(|engine| args.engines.is_empty() || args.engines.iter().any(|only| only == engine.name));
    let effort = Effort { seed: args.seed, seeds: args.seeds, within, first: args.first };
    let matrix = matrix(&mutants, &engines, effort, &progress);
    let path = args.out.join("mutants.json");
    let written = std::fs::create_dir_all(&args.out)
        .and_then(|()| std::fs::write(&path, format!("{:#}\n", as_json(&matrix))));
    let table_path = args.out.join("caught.tsv");
    let page_path = args.out.join("mutants.html");
    let written = written.and_then(|()| std::fs::write(&page_path, page(&matrix)));
    let written = written.and_then(|()| std::fs::write(&table_path, caught_table(&matrix)));
    written.map_err(|error| format!("writing {}: {error}", path.display()))?;
    print(&table(&matrix))?;
    eprintln!("{} s; {}", began.elapsed().as_secs(), path.display());
    Ok(u8::from(!matrix.flagged.is_empty()))
}

fn print(text: &str) -> Result<(), String> {
    match std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}

fn list(mutants: &[Mutant]) -> String {
    let mut text = String::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for mutant in mutants {
        *kinds.entry(mutant.kind.word()).or_default() += 1;
        let _ = writeln!(text, "{}  ({})", mutant.name, mutant.mutation);
    }
    for (kind, count) in kinds {
        let _ = writeln!(text, "{count} of the kind: {kind}");
    }
    text
}

fn table(matrix: &Matrix) -> String {
    let width = matrix.rows.iter().map(|row| row.mutant.name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{:<width$}", "mutant");
    for engine in &matrix.engines {
        let _ = write!(text, "  {engine:>16}");
    }
    text.push('\n');
    for row in &matrix.rows {
        let _ = write!(text, "{:<width$}", row.mutant.name);
        for cell in &row.cells {
            let _ = write!(text, "  {:>16}", word(cell));
        }
        text.push('\n');
    }
    let caught = matrix.rows.iter().filter(|row| row.soonest().is_some()).count();
    let _ = writeln!(text, "{caught} of {} mutants are caught", matrix.rows.len());
    for row in matrix.rows.iter().filter(|row| row.soonest().is_none()) {
        let _ = writeln!(text, "not caught: {}", row.mutant.name);
    }
    for flagged in &matrix.flagged {
        let _ = writeln!(text, "FLAGGED though nothing is wrong: {flagged}");
    }
    let _ =
        writeln!(text, "{} executions of the shipped code as it is, not flagged", matrix.control_executions);
    text
}

fn as_json(matrix: &Matrix) -> Value {
    let rows: Vec<Value> = matrix.rows.iter().map(|row| row_json(row, &matrix.engines)).collect();
    json!({ "mutants": rows, "flagged": matrix.flagged, "control_executions": matrix.control_executions })
}

fn row_json(row: &Row, engines: &[&str]) -> Value {
    let cells: serde_json::Map<String, Value> = engines
        .iter()
        .zip(&row.cells)
        .filter(|(_, cell)| !cell.per_seed.is_empty())
        .map(|(engine, cell)| {
            let median = cell.median().filter(|_| cell.is_caught());
            let per_seed: Vec<Option<u64>> =
                cell.per_seed.iter().map(|caught| caught.map(|caught| caught.executions)).collect();
            let value = json!({
                "caught": cell.is_caught(),
                "executions": median.map(|caught| caught.executions),
                "seconds": median.map(|caught| caught.elapsed.as_secs_f64()),
                "executions_by_seed": per_seed,
                "what": cell.what,
                "scenario": cell.ground,
            });
            ((*engine).to_owned(), value)
        })
        .collect();
    json!({
        "mutant": row.mutant.name,
        "at": row.mutant.mutation.to_string(),
        "kind": row.mutant.kind.word(),
        "soonest": row.soonest().map(|at| engines[at]),
        "engines": cells,
    })
}
