//! A scene as inline SVG: time runs to the right, not to scale; order and overlap are exact.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fencehold_model::history::NEVER;

use super::escape::escape;
use super::scene::{Item, Kind, Role, Scene};
use crate::report::text::{instant, short, width};

const LEFT: f64 = 92.0;
const TOP: f64 = 26.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 46.0;
const BAR: f64 = 11.0;
const LANE_PADDING: f64 = 7.0;
/// What a character of the labels takes.
const CHAR: f64 = 6.7;
const LABEL_CHARS_MAX: usize = 36;
/// The drawing is at least this wide.
const TIME_WIDTH_MIN: f64 = 640.0;
/// An open end reaches this far beyond the last instant.
const OPEN: f64 = 46.0;

/// Draws a scene; `anchor` becomes the id of the operation that cannot be explained.
pub(super) fn svg(scene: &Scene, anchor: &str) -> String {
    let scale = Scale::new(&scene.items);
    let placed = place(scene, &scale);
    let mut out = String::new();
    let (wide, high) = (placed.right + RIGHT, placed.bottom + 6.0);
    let _ = writeln!(
        out,
        "<svg class=\"timeline\" role=\"img\" aria-label=\"timeline of the processes\" width=\"{wide:.0}\" \
         height=\"{high:.0}\" viewBox=\"0 0 {wide:.0} {high:.0}\">"
    );
    for (index, lane) in scene.lanes.iter().enumerate() {
        let (top, bottom) = placed.lanes[index];
        let end = if lane.died_us == NEVER { placed.right } else { scale.x(lane.died_us).min(placed.right) };
        let _ = writeln!(
            out,
            "<rect class=\"lane\" x=\"{LEFT:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\"/>\
             <text class=\"name\" x=\"4\" y=\"{:.1}\">{}</text>",
            top + 1.5,
            (end - LEFT).max(1.0),
            bottom - top - 3.0,
            top + 22.0,
            escape(&short(&lane.label, 13))
        );
    }
    axis(&scale, &placed, &mut out);
    for (item, (row_top, _)) in scene.items.iter().zip(&placed.items) {
        draw(item, &scale, *row_top, placed.right, anchor, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// Instants that matter, and where they stand. Longer spans are wider, but only by their logarithm.
struct Scale {
    points: Vec<(u64, f64)>,
    zero_us: u64,
}

impl Scale {
    #[allow(clippy::cast_precision_loss)] // where something stands in a drawing
    fn new(items: &[Item]) -> Self {
        let ends = |item: &Item| [item.from_us, if item.to_us == NEVER { item.from_us } else { item.to_us }];
        let mut times: BTreeSet<u64> = items.iter().flat_map(ends).collect();
        let (first, last) = (times.first().copied().unwrap_or(0), times.last().copied().unwrap_or(0));
        times.extend(
            items.iter().filter_map(|item| item.granted_us).filter(|at_us| (first..last).contains(at_us)),
        );
        let times: Vec<u64> = times.into_iter().collect();
        let gap = |pair: &[u64]| 16.0 + 9.0 * (1.0 + (pair[1] - pair[0]) as f64).log10();
        let natural: f64 = times.windows(2).map(gap).sum();
        let stretch = if natural > 0.0 { (TIME_WIDTH_MIN / natural).max(1.0) } else { 1.0 };
        let mut x = LEFT + 8.0;
        let mut points = vec![(first, x)];
        for pair in times.windows(2) {
            x += gap(pair) * stretch;
            points.push((pair[1], x));
        }
        Scale { points, zero_us: first }
    }

    /// Where an instant stands; beyond the last one, a little beyond it.
    #[allow(clippy::cast_precision_loss)] // where something stands in a drawing
    fn x(&self, at_us: u64) -> f64 {
        let after = self.points.partition_point(|(point_us, _)| *point_us < at_us);
        match (after.checked_sub(1).map(|before| self.points[before]), self.points.get(after)) {
            (_, Some((point_us, x))) if *point_us == at_us => *x,
            (Some((from_us, from)), Some((to_us, to))) => {
                from + (to - from) * (at_us - from_us) as f64 / (to_us - from_us) as f64
            }
            (None, Some((_, x))) => *x,
            (Some((_, x)), None) => x + OPEN,
            (None, None) => LEFT,
        }
    }
}

/// Where everything stands: lanes top and bottom, items top and row.
struct Placed {
    lanes: Vec<(f64, f64)>,
    items: Vec<(f64, usize)>,
    right: f64,
    bottom: f64,
}

/// Puts each item into the first row of its lane in which nothing is in its way, its words included.
#[allow(clippy::cast_precision_loss)] // rows of a drawing
fn place(scene: &Scene, scale: &Scale) -> Placed {
    let mut rows: Vec<Vec<f64>> = vec![vec![f64::MIN]; scene.lanes.len()];
    let (mut row_of, mut right) = (Vec::new(), scale.x(NEVER));
    for item in &scene.items {
        let from = scale.x(item.from_us) - 8.0;
        let to = from + 16.0 + words_width(item);
        let to = to.max(scale.x(item.to_us)).max(item.granted_us.map_or(0.0, |at_us| scale.x(at_us)));
        let lane = &mut rows[item.lane];
        let row = lane.iter().position(|end| *end <= from).unwrap_or_else(|| {
            lane.push(f64::MIN);
            lane.len() - 1
        });
        lane[row] = to + 6.0;
        row_of.push(row);
        right = right.max(to);
    }
    let (mut lanes, mut bottom) = (Vec::new(), TOP);
    for rows in &rows {
        let top = bottom;
        bottom += 2.0 * LANE_PADDING + ROW * rows.len() as f64;
        lanes.push((top, bottom));
    }
    let top = |(item, row): (&Item, usize)| (lanes[item.lane].0 + LANE_PADDING + ROW * row as f64, row);
    let items = scene.items.iter().zip(row_of).map(top).collect();
    Placed { lanes, items, right, bottom }
}

fn words(item: &Item) -> [String; 2] {
    let second = match item.role {
        Role::Culprit => format!("✗ {}", item.answered),
        _ => item.answered.clone(),
    };
    [short(&item.asked, LABEL_CHARS_MAX), short(&second, LABEL_CHARS_MAX)]
}

#[allow(clippy::cast_precision_loss)] // the width of a label
fn words_width(item: &Item) -> f64 {
    words(item).iter().map(|line| width(line)).max().unwrap_or(0) as f64 * CHAR
}

/// A line for each instant; its time where there is room for it.
fn axis(scale: &Scale, placed: &Placed, out: &mut String) {
    let mut free = f64::MIN;
    for (at_us, x) in &scale.points {
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{x:.1} {TOP:.1}V{:.1}\"/>", placed.bottom);
        let label = instant(at_us - scale.zero_us);
        if *x >= free {
            let _ = writeln!(out, "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>", TOP - 9.0);
            #[allow(clippy::cast_precision_loss)] // the width of a label
            let wide = width(&label) as f64;
            free = x + wide * CHAR + 10.0;
        }
    }
}

fn draw(item: &Item, scale: &Scale, top: f64, right: f64, anchor: &str, out: &mut String) {
    let x = scale.x(item.from_us);
    let title = [item.asked.as_str(), item.answered.as_str()].join(" → ");
    let title = title.trim_end_matches(" → ");
    let (class, role) = (class(item.kind), role(item.role));
    let is_mark = matches!(item.kind, Kind::Died | Kind::Nemesis);
    if is_mark {
        let y = top + BAR / 2.0;
        let sign = if item.kind == Kind::Died { "m-5 -5l10 10m0 -10l-10 10" } else { "m0 -7l6 12h-12z" };
        let _ = write!(
            out,
            "<g class=\"mark {class}\"><title>{}</title><path d=\"M{x:.1} {y:.1}{sign}\"/>",
            escape(title)
        );
    } else {
        let open = item.to_us == NEVER;
        let id = if item.role == Role::Culprit { format!(" id=\"{anchor}\"") } else { String::new() };
        let end = if open { right } else { scale.x(item.to_us) };
        let _ = write!(
            out,
            "<g class=\"bar {class}{role}\"{id} data-line=\"{}\"><title>{}</title>",
            item.line,
            escape(title)
        );
        if let Some(granted_us) = item.granted_us {
            let until = if granted_us == NEVER { right } else { scale.x(granted_us) };
            let y = top + BAR / 2.0;
            let stop = if granted_us > scale.points.last().map_or(0, |(at_us, _)| *at_us) {
                "m-5 -4l5 4l-5 4"
            } else {
                "m0 -4v8"
            };
            let _ = write!(out, "<path class=\"grant\" d=\"M{end:.1} {y:.1}H{until:.1}{stop}\"/>");
        }
        let wide = (end - x).max(3.0);
        let _ = write!(
            out,
            "<path class=\"box\" d=\"M{:.1} {top:.1}H{x:.1}V{:.1}H{:.1}\"/>",
            x + wide,
            top + BAR,
            x + wide
        );
        if !open {
            let _ = write!(out, "<path class=\"edge\" d=\"M{:.1} {top:.1}V{:.1}\"/>", x + wide, top + BAR);
        }
    }
    // Marks have their words beside them, bars below them: no edge crosses a letter.
    let (inset, below) = if is_mark { (10.0, 9.5) } else { (1.0, BAR + 12.5) };
    for (line, y) in words(item).iter().zip([top + below, top + below + 13.5]) {
        if !line.is_empty() {
            let _ = write!(out, "<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x + inset, escape(line));
        }
    }
    out.push_str("</g>\n");
}

/// The class of a kind of item.
pub(super) fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Ok => "ok",
        Kind::Refused => "refused",
        Kind::Fail => "fail",
        Kind::Info => "info",
        Kind::Died => "died",
        Kind::Nemesis => "nemesis",
    }
}

/// The class of an item's part in the violation.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Culprit => " culprit",
        Role::Named => " named",
        Role::Other => "",
    }
}
