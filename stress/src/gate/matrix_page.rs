//! The matrix of engines and mutants as a page that fetches nothing.

use std::fmt::Write as _;

use super::section::{Line, Section, word};
use crate::sim::mutants::{CATALOG, Test, Where};

const HEAD: &str = "<!doctype html><meta charset=\"utf-8\"><title>Mutants</title><style>\
body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #8888;padding:2px 6px}\
th{position:sticky;top:0;background:Canvas}td.caught{background:#2a52}td.missed{background:#8882}\
tr.open>td:first-child{background:#c332}</style>";

/// The page.
pub(super) fn page(sections: &[Section]) -> String {
    let mut text = format!(
        "{HEAD}<h1>Engines and mutants</h1><p>Executions and time to the first violation, the median over the seeds \
         that found one; a dash where nothing was found, nothing where nobody was asked.</p>"
    );
    for section in sections {
        table(&mut text, section);
    }
    numbered(&mut text);
    text
}

/// In which bench each of the numbered defects is caught.
fn numbered(text: &mut String) {
    text.push_str(
        "<h2>The numbered defects</h2><table><tr><th>number</th><th>defect</th><th>bench</th><th>caught</th></tr>",
    );
    for defect in CATALOG {
        let (bench, by) = bench(defect.by);
        let _ = write!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{bench}</td><td>{}</td></tr>",
            defect.number,
            escape(defect.name),
            escape(&by)
        );
    }
    text.push_str("</table>\n");
}

/// The bench, and by what a defect is caught there.
fn bench(by: Where) -> (&'static str, String) {
    let test = |Test { file, name }: Test| format!("by the test {name} in {file}");
    match by {
        Where::Targets { simulated, process, guard } => {
            let process = process.then_some("a process");
            let guard = guard.then_some("a hook process of a session guard");
            let by: Vec<&str> = simulated.iter().copied().chain(process).chain(guard).collect();
            ("targets", format!("as {}", by.join(", ")))
        }
        Where::CommandLine(by) => ("command lines", test(by)),
        Where::GitHelper(by) => ("git helpers", test(by)),
        Where::Argued { why, shown } => {
            let shown = shown.map(|by| format!("; shown {}", test(by)));
            ("none", format!("{why}{}", shown.unwrap_or_default()))
        }
    }
}

fn table(text: &mut String, section: &Section) {
    let (caught, harmless, open) = section.sum();
    let _ = write!(
        text,
        "<h2>{}</h2><p>{}: {caught} caught, {harmless} harmless, {} open.</p><table><tr><th>mutant</th>",
        escape(section.title),
        section.rows.len(),
        open.len()
    );
    for engine in &section.engines {
        let _ = write!(text, "<th>{}</th>", escape(engine));
    }
    text.push_str("<th>otherwise</th></tr>");
    section.rows.iter().for_each(|row| line(text, row));
    text.push_str("</table>\n");
}

fn line(text: &mut String, row: &Line) {
    let (class, why) = match (row.soonest, row.harmless) {
        (Some(_), _) => ("", String::new()),
        (None, Some(why)) => ("", format!("harmless: {why}")),
        (None, None) => (" class=\"open\"", "not caught".to_owned()),
    };
    let _ = write!(text, "<tr{class}><td>{}</td>", escape(&row.name));
    for cell in &row.cells {
        let class = match cell {
            cell if cell.per_seed.is_empty() => "",
            cell if cell.median().is_some() => " class=\"caught\"",
            _ => " class=\"missed\"",
        };
        let what = escape(cell.what.as_deref().unwrap_or_default());
        let _ = write!(text, "<td{class} title=\"{what}\">{}</td>", escape(&word(cell)));
    }
    let _ = write!(text, "<td>{}</td></tr>", escape(&why));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
