//! The matrix of engines and mutants as a page that fetches nothing.

use std::fmt::Write as _;

use crate::sim::seam::hunt::{Cell, Known, Matrix, known};

const HEAD: &str = "<!doctype html><meta charset=\"utf-8\"><title>Mutants</title><style>\
body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #8888;padding:2px 6px}\
th{position:sticky;top:0;background:Canvas}td.caught{background:#2a52}td.missed{background:#8882}\
tr.open>td:first-child{background:#c332}</style>";

/// The page.
pub(super) fn page(matrix: &Matrix) -> String {
    let known = known();
    let mut text = format!(
        "{HEAD}<h1>Engines and mutants</h1><p>Executions and time to the first violation, the median "
    );
    text.push_str(
        "over the seeds; a dash where nothing was found, nothing where no execution comes to the place.</p>",
    );
    text.push_str("<table><tr><th>mutant</th>");
    for engine in &matrix.engines {
        let _ = write!(text, "<th>{}</th>", escape(engine));
    }
    text.push_str("<th>otherwise</th></tr>");
    for row in &matrix.rows {
        let caught = row.soonest().is_some();
        let why = match known.get(row.mutant.name.as_str()) {
            Some(Known::Harmless(why)) => format!("harmless: {why}"),
            _ if caught => String::new(),
            _ => "not caught".to_owned(),
        };
        let class = if caught || why.starts_with("harmless") { "" } else { " class=\"open\"" };
        let _ = write!(text, "<tr{class}><td>{}</td>", escape(&row.mutant.name));
        for cell in &row.cells {
            let class = match cell {
                cell if cell.per_seed.is_empty() => "",
                cell if cell.is_caught() => " class=\"caught\"",
                _ => " class=\"missed\"",
            };
            let what = escape(cell.what.as_deref().unwrap_or_default());
            let _ = write!(text, "<td{class} title=\"{what}\">{}</td>", escape(&word(cell)));
        }
        let _ = write!(text, "<td>{}</td></tr>", escape(&why));
    }
    text.push_str("</table>\n");
    text
}

/// Executions and time to the first violation; a dash where nothing was found, nothing where nothing comes there.
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
