//! The section of a counterexample: what is wrong, the drawing, its legend, its operations in words.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use fencehold_model::history::{History, NEVER};

use super::escape::escape;
use super::scene::{Item, Kind, Scene, scene};
use super::svg::{class, role, svg};
use crate::check::check;
use crate::report::StageResult;
use crate::report::text::{grouped, instant};

/// How long the history may be judged once more, to know which operation to highlight.
const DEADLINE: Duration = Duration::from_secs(5);

/// The drawing of a stage's history, or why there is none.
pub(super) fn section(stage: &StageResult, run_dir: &Path, anchor: &str) -> String {
    let Some(path) = &stage.history else { return String::new() };
    let read = std::fs::read_to_string(run_dir.join(path)).map_err(|error| error.to_string());
    let history = read.and_then(|text| History::parse(&text).map_err(|error| error.to_string()));
    match history {
        Ok(history) => drawn(&history, path, stage.verdict.why(), anchor),
        Err(why) => format!(
            "<p class=\"note\">The history {} cannot be drawn: {}.</p>\n",
            escape(&path.display().to_string()),
            escape(&why)
        ),
    }
}

fn drawn(history: &History, path: &Path, told: &str, anchor: &str) -> String {
    let report = check(history, DEADLINE);
    let named = report.violations.first().map_or(&[][..], |violation| &violation.ops);
    let scene = scene(history, named);
    let mut out = String::new();
    match report.violations.first() {
        Some(violation) if told.contains(&violation.why) => {}
        Some(violation) => {
            let _ = writeln!(out, "<p class=\"why\">{}.</p>", escape(&violation.why));
        }
        None => out.push_str(
            "<p class=\"note\">Judged by itself, this history breaks no rule in the time given; nothing is \
             highlighted.</p>\n",
        ),
    }
    if scene.items.is_empty() {
        out.push_str("<p class=\"note\">The history has no operations.</p>\n");
        return out;
    }
    let first_us = scene.items.first().map_or(0, |item| item.from_us);
    let _ = writeln!(
        out,
        "<p class=\"note\">{} of {} operations of <code>{}</code>. Times count from the first of them, {} into the \
         history; spans are not to scale, order and overlap are.{}{}</p>",
        grouped((history.ops.len() - scene.left_out) as u64),
        grouped(history.ops.len() as u64),
        escape(&path.display().to_string()),
        instant(first_us),
        left_out(&scene),
        if named.is_empty() {
            String::new()
        } else {
            format!(" <a href=\"#{anchor}\">Show what cannot be explained.</a>")
        }
    );
    let _ = writeln!(out, "<div class=\"scroll\" tabindex=\"0\">\n{}</div>", svg(&scene, anchor));
    out.push_str(LEGEND);
    out.push_str(&in_words(&scene, first_us));
    out
}

fn left_out(scene: &Scene) -> String {
    let mut out = String::new();
    if scene.left_out > 0 {
        out.push_str(
            " <strong>Only a window is drawn:</strong> the operations that the violation names, and those around \
             the one that cannot be explained.",
        );
    }
    if scene.marks_left_out > 0 {
        let _ = write!(out, " {} marks of the nemesis are left out.", scene.marks_left_out);
    }
    out
}

const LEGEND: &str = "<ul class=\"legend\">\
    <li><i class=\"ok\"></i>ok</li>\
    <li><i class=\"refused\"></i>refused</li>\
    <li><i class=\"fail\"></i>fail: did not happen</li>\
    <li><i class=\"info\"></i>info: may have happened; ends at the death of its process, or stays open</li>\
    <li><i class=\"culprit\"></i>✗ cannot be explained</li>\
    <li><i class=\"named\"></i>named by the violation</li>\
    <li><i class=\"grant\"></i>the grant as promised</li>\
    <li><b class=\"died\">✕</b>process known dead</li>\
    <li><b class=\"nemesis\">▲</b>nemesis</li></ul>\n";

/// The same as a table, for screen readers and narrow screens.
fn in_words(scene: &Scene, first_us: u64) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"ops\"><thead><tr><th>line</th><th>sent</th><th>ended</th><th>who</th><th>asked</th>\
         <th>answered</th></tr></thead><tbody>\n",
    );
    for item in &scene.items {
        let line = if item.line == 0 { String::new() } else { item.line.to_string() };
        let _ = writeln!(
            out,
            "<tr class=\"{}{}\"><td>{line}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            class(item.kind),
            role(item.role),
            instant(item.from_us.saturating_sub(first_us)),
            ended(item, first_us),
            escape(&scene.lanes[item.lane].label),
            escape(&item.asked),
            escape(&item.answered),
        );
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn ended(item: &Item, first_us: u64) -> String {
    match item.kind {
        Kind::Died | Kind::Nemesis => String::new(),
        _ if item.to_us == NEVER => "never".to_owned(),
        _ => instant(item.to_us.saturating_sub(first_us)),
    }
}
