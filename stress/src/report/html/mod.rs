//! `report.html`: one page that fetches nothing, for screens of any width, light or dark, and for paper.

mod escape;
mod label;
mod scene;
mod svg;
mod timeline;

use std::fmt::Write as _;
use std::path::Path;

use super::text::{grouped, lasted};
use super::{Results, StageResult, Verdict};
use escape::escape;

const STYLE: &str = include_str!("style.css");

/// The whole page. Histories are looked for in `run_dir`.
pub(super) fn page(results: &Results, run_dir: &Path) -> String {
    let verdict = overall(results);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>fencehold-gate: {verdict}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>fencehold-gate: <span class=\"verdict {}\">{verdict}</span></h1>\n",
        if verdict == "not run" { "unknown".to_owned() } else { verdict.replace(' ', "-") }
    );
    out.push_str(&facts(results));
    out.push_str("<h2>Stages</h2>\n");
    out.push_str(&stages(results));
    if results.is_empty() {
        out.push_str("<p class=\"why\">No stage ran: that is no pass.</p>\n");
    }
    for name in results.missing() {
        let name = escape(name);
        let _ = writeln!(out, "<p class=\"why\">{name}: required, and it did not run: that is no pass.</p>");
    }
    for (index, stage) in results.stages.iter().enumerate().filter(|(_, stage)| stage.verdict != Verdict::Ok)
    {
        out.push_str(&finding(results, stage, run_dir, &format!("unexplained-{index}")));
    }
    out.push_str(&figures(results));
    out.push_str("<h2>Run it again</h2>\n");
    let _ = writeln!(out, "{}", shell(&results.rerun(None)));
    out.push_str(
        "<p class=\"note\">The seed draws the same; what real time made is not replayed but judged again from its \
         history. A run of one stage: add <code>--only STAGE</code>.</p>\n</body>\n</html>\n",
    );
    out
}

/// The worst that was found, in a word.
fn overall(results: &Results) -> &'static str {
    let worst = results.counts().into_iter().find(|(word, count)| *count > 0 && *word != "skipped");
    match (results.exit_code(), worst) {
        (0, _) => "ok",
        (_, Some((word, _))) if word != "ok" => word,
        _ => "not run",
    }
}

fn facts(results: &Results) -> String {
    let facts = [
        ("target", results.target.clone()),
        ("began", results.utc.clone()),
        ("machine", results.machine.clone()),
        ("profile", results.profile.to_owned()),
        ("seed", results.seed.to_string()),
        ("exit code", results.exit_code().to_string()),
    ];
    let mut out = String::from("<dl>\n");
    for (name, value) in facts {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    out.push_str("</dl>\n");
    out
}

fn stages(results: &Results) -> String {
    let mut out = String::from(
        "<table class=\"stages\"><thead><tr><th>stage</th><th class=\"number\">cases</th><th>bound</th>\
         <th>verdict</th><th class=\"number\">time</th></tr></thead><tbody>\n",
    );
    for stage in &results.stages {
        let word = stage.verdict.word();
        let (cases, time) = match stage.verdict {
            Verdict::Skipped(_) => ("–".to_owned(), "–".to_owned()),
            _ => (format!("{} {}", grouped(stage.cases), escape(stage.unit)), lasted(stage.elapsed)),
        };
        let _ = writeln!(
            out,
            "<tr><td data-label=\"stage\"><strong>{}</strong></td>\
             <td class=\"number\" data-label=\"cases\">{}</td><td data-label=\"bound\">{}</td>\
             <td data-label=\"verdict\"><span class=\"verdict {}\">{word}</span></td>\
             <td class=\"number\" data-label=\"time\">{}</td></tr>",
            escape(stage.name),
            cases,
            escape(&stage.bound),
            word.replace(' ', "-"),
            time
        );
    }
    out.push_str("</tbody></table>\n");
    out
}

/// What a stage that is no pass has to say, with its drawing.
fn finding(results: &Results, stage: &StageResult, run_dir: &Path, anchor: &str) -> String {
    let word = stage.verdict.word();
    let mut out = format!(
        "<h2>{}: {word}</h2>\n<p class=\"why {}\">{}</p>\n",
        escape(stage.name),
        word.replace(' ', "-"),
        escape(stage.verdict.why())
    );
    if let Some(command) = &stage.command {
        let _ = writeln!(out, "<p class=\"note\">Replay or judge it:</p>\n{}", shell(command));
    }
    let again = shell(&results.rerun(Some(stage.name)));
    let _ = writeln!(out, "<p class=\"note\">Run the stage again:</p>\n{again}");
    if matches!(stage.verdict, Verdict::Violation(_)) {
        out.push_str(&timeline::section(stage, run_dir, anchor));
    }
    out
}

/// A command; it is broken between words only.
fn shell(command: &str) -> String {
    let words: Vec<String> =
        command.split(' ').map(|word| format!("<span>{}</span>", escape(word))).collect();
    format!("<pre>{}</pre>", words.join(" "))
}

fn figures(results: &Results) -> String {
    let mut out = String::new();
    for stage in results.stages.iter().filter(|stage| !stage.figures.is_empty()) {
        let _ = write!(out, "<h3>{}</h3>\n<dl>\n", escape(stage.name));
        for (name, value) in &stage.figures {
            let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
        }
        out.push_str("</dl>\n");
    }
    if out.is_empty() { out } else { format!("<h2>Figures</h2>\n{out}") }
}
