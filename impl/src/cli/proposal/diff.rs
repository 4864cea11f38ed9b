//! What an accept would change in its file, in the unified form of diff(1).

use fencehold_model::proposal::Target;
use similar::{ChangeTag, TextDiff};

use crate::cli::front::plain;
use crate::cli::out::Out;

/// How many lines before what is appended are shown.
const CONTEXT_LINES: usize = 3;

/// The difference of two texts of which the second begins as the first: only the end of the first is looked at.
pub(super) fn appended(target: &Target, before: &[u8], after: &[u8]) -> String {
    let mut ends = before.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    // The last newline ends the last line; a text that lacks it has one line more.
    let skip = CONTEXT_LINES + usize::from(before.ends_with(b"\n")) - 1;
    let from = ends.nth(skip).unwrap_or(0);
    let first = before[..from].iter().filter(|byte| **byte == b'\n').count() + 1;
    let (old, new) = (String::from_utf8_lossy(&before[from..]), String::from_utf8_lossy(&after[from..]));
    let diff = TextDiff::from_lines(old.as_ref(), new.as_ref());
    let (mut lines, mut was, mut is) = (String::new(), 0, 0);
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        was += usize::from(change.tag() != ChangeTag::Insert);
        is += usize::from(change.tag() != ChangeTag::Delete);
        lines.push(sign);
        lines.push_str(change.value());
        if !change.value().ends_with('\n') {
            lines.push_str("\n\\ No newline at end of file\n");
        }
    }
    let range = |count: usize| if count == 0 { "0,0".to_owned() } else { format!("{first},{count}") };
    format!("--- {target}\n+++ {target}\n@@ -{} +{} @@\n{lines}", range(was), range(is))
}

/// A text for whoever looks: on a terminal nothing in it moves the cursor, and what is added is green.
pub(super) fn shown(out: Out, text: &str) -> String {
    if out.width().is_none() {
        return if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    }
    let line = |line: &str| match (out.is_coloured(), line.starts_with('+')) {
        (true, true) => format!("\u{1b}[32m{}\u{1b}[0m\n", plain(line)),
        _ => format!("{}\n", plain(line)),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use fencehold_model::proposal::Target;

    use super::appended;

    #[test]
    fn a_diff_says_where_what_is_appended_begins() {
        let target = Target::new("a.md").unwrap();
        for (before, after, hunk) in [
            ("", "x\n", "@@ -0,0 +1,1 @@\n+x\n"),
            ("1\n", "1\nx\n", "@@ -1,1 +1,2 @@\n 1\n+x\n"),
            ("1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\nx\n", "@@ -3,3 +3,4 @@\n 3\n 4\n 5\n+x\n"),
            (
                "1\n2\n3\n4",
                "1\n2\n3\n4\nx\n",
                "@@ -2,3 +2,4 @@\n 2\n 3\n-4\n\\ No newline at end of file\n+4\n+x\n",
            ),
        ] {
            let diff = appended(&target, before.as_bytes(), after.as_bytes());
            assert_eq!(diff, format!("--- a.md\n+++ a.md\n{hunk}"), "{before:?}");
        }
    }
}
