//! What a client does with proposals: made, made again, accepted and rejected by several at once, under ids that begin
//! with each other, with contents that are hard to keep whole.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::rng::Rng;

/// The ids of each file.
const IDS: [&str; 9] =
    ["p1", "p10", "p100", "p1.0", "fix", "fix-2", "späte", "2026-11-21T12:00:00.000Z", "-- -->"];
/// Operations on the proposals for one file before the next one is begun: it stays short, and its ends are few.
const OPS_PER_FILE: u64 = 70;
/// The proposal that is accepted at the end of a run: whoever accepts it finishes what others began.
const LAST: &str = "the last one";

/// The next operation; `begun` counts those of all clients.
pub(super) fn next(rng: &mut Rng, holder: &str, begun: &AtomicU64) -> (&'static str, Value) {
    let number = begun.fetch_add(1, Ordering::Relaxed) / OPS_PER_FILE;
    // What is late for its file is at work while others are already at the next one.
    let target = file(if rng.one_in(8) { number.saturating_sub(1) } else { number });
    let id = *rng.pick(&IDS);
    let named = json!({ "target": target, "proposal": id, "holder": holder });
    match rng.below(100) {
        0..8 => ("proposal.list", json!({ "target": target })),
        8..12 => ("harness.read", json!({ "file": target })),
        12..45 => {
            let other = rng.one_in(12).then(|| rng.below(1 << 32));
            let mut add = named;
            add["content"] = json!(content(&target, id, other));
            ("proposal.add", add)
        }
        45..54 => ("proposal.reject", named),
        _ => ("proposal.accept", named),
    }
}

/// What is asked at the end of a run: what stands in the files, an accept that finishes what was begun, and what is told
/// after that.
pub(super) fn last_looks(begun: &AtomicU64) -> impl Iterator<Item = (&'static str, Value)> + use<> {
    let files = begun.load(Ordering::Relaxed).div_ceil(OPS_PER_FILE);
    (0..files).map(file).flat_map(|target| {
        let last = json!({ "target": target, "proposal": LAST });
        let content = content(&target, LAST, None);
        [
            ("harness.read", json!({ "file": target })),
            ("proposal.add", json!({ "target": target, "proposal": LAST, "content": content })),
            ("proposal.accept", last),
            ("proposal.list", json!({ "target": target })),
            ("harness.read", json!({ "file": target })),
        ]
    })
}

fn file(number: u64) -> String {
    format!("prose-{number}.md")
}

/// The content of a proposal, or another one that somebody proposes under its id: never a part of any other.
fn content(target: &str, id: &str, other: Option<u64>) -> String {
    let about =
        other.map_or_else(|| format!("{id} in {target}"), |other| format!("{id} in {target} ({other})"));
    let pieces: [&str; 6] = [
        "",
        "# A heading\n\n",
        "## 2026-11-21T12:00:00.000Z → cerebrum\n\n",
        "```sh\nmake  \n## no heading\n```\n\n",
        "````md\n```\nnested\n```\n````\n\n",
        "- a list\n  > quoted\n\n<!-- a comment -->\n\n",
    ];
    let at = id.len() % pieces.len();
    let (first, second) = (pieces[at], pieces[(at + 2) % pieces.len()]);
    let end = if id.len().is_multiple_of(2) { "\n" } else { "" };
    format!("{first}Begin of {about}.\n\n## A heading within\n\n{second}End of {about}.{end}")
}

#[cfg(test)]
mod tests {
    use super::{IDS, LAST, content};

    #[test]
    fn no_content_is_a_part_of_another() {
        let ids = IDS.iter().copied().chain([LAST]);
        let of = |target: &'static str| {
            ids.clone().flat_map(move |id| [None, Some(1), Some(12)].map(|other| content(target, id, other)))
        };
        let all: Vec<String> = of("prose-1.md").chain(of("prose-12.md")).collect();
        assert_eq!(all.len(), 60);
        for one in &all {
            assert_eq!(all.iter().filter(|other| other.contains(one.as_str())).count(), 1, "{one:?}");
        }
    }
}
