//! The fields of a task block: `key: value`, one a line, indented as the first of them.
//!
//! Invariants:
//! - a field is what its whole key says: `status_note:` is not `status:`, and neither is a line that is indented further;
//! - `id` and `status` stand once each, on one line, as one word with or without quotes, a comment behind it or not.

use std::ops::Range;

use fencehold_model::TaskId;

use super::block::{Task, Trouble};

/// A line of a block: its text without container and line end, where it begins in the file, and its number.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) text: String,
    /// Where each byte of the text stands in the file; none for blanks that a tab was made into.
    pub(super) from: Vec<Option<usize>>,
}

/// A value: the word, and which bytes of the line it is.
struct Word<'a> {
    text: &'a str,
    at: Range<usize>,
}

/// The task that the lines of a block say, or what is wrong with them. `fence_line` is that of its fence.
pub(super) fn task(fence_line: u64, lines: &[Line]) -> Result<Task, Trouble> {
    let indent =
        lines.iter().map(|line| line.text.as_str()).find(|text| says_something(text)).map_or("", blanks);
    let (mut id, mut status) = (None, None);
    for line in lines.iter().filter(|line| says_something(&line.text)) {
        let Some(text) = line.text.strip_prefix(indent) else {
            return Err(Trouble::block(
                line.number,
                "this line is indented less than the first one of its task block; indent all fields alike",
            ));
        };
        for (key, slot) in [("id", &mut id), ("status", &mut status)] {
            let Some(value) = value_of(text, key) else { continue };
            if let Some((first, _)) = slot {
                return Err(Trouble::block(
                    line.number,
                    format!(
                        "`{key}:` stands a second time in this task block, first on line {first}; is the fence of the \
                         block before it closed? Leave one"
                    ),
                ));
            }
            *slot = Some((line.number, word(line, key, line.text.len() - value.len())?));
        }
    }
    let missing = |key: &str| {
        Trouble::block(
            fence_line,
            format!("this task block has no `{key}:`; give it one on a line of its own"),
        )
    };
    let (_, id) = id.ok_or_else(|| missing("id"))?;
    let (status_line, status) = status.ok_or_else(|| missing("status"))?;
    let id = TaskId::new(id.text).map_err(|bad| Trouble::block(fence_line, bad.to_string()))?;
    Ok(Task { line: fence_line, id, status_line, status: status.text.to_owned(), at: status.at })
}

fn says_something(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']);
    !text.is_empty() && !text.starts_with('#')
}

fn blanks(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches([' ', '\t']).len()]
}

/// What stands behind `key:`, where that is how the text begins.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.strip_prefix(key)?.trim_start_matches([' ', '\t']).strip_prefix(':')
}

/// The one word from byte `from` of a line on.
fn word<'a>(line: &'a Line, key: &str, from: usize) -> Result<Word<'a>, Trouble> {
    let wrong = |what: &str| Err(Trouble::block(line.number, format!("`{key}:` {what}")));
    let value = &line.text[from..];
    let begin = from + blanks(value).len();
    let value = &line.text[begin..];
    let (begin, text, rest) = match value.chars().next() {
        None | Some('#') => return wrong("has no value; write one behind it"),
        Some(quote @ ('"' | '\'')) => match value[1..].split_once(quote) {
            Some((text, rest)) => (begin + 1, text, rest),
            None => return wrong("has a value whose quote is not closed; close it on the same line"),
        },
        Some(_) => {
            let end = value.find([' ', '\t']).unwrap_or(value.len());
            (begin, &value[..end], &value[end..])
        }
    };
    let behind = rest.trim_matches([' ', '\t']);
    let is_comment = behind.starts_with('#') && rest.starts_with([' ', '\t']);
    if !behind.is_empty() && !is_comment {
        return wrong("has more than one word; write one word, and a comment behind ` #`");
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("has a value with a character that no id and no status has; write visible ASCII only");
    }
    if text.contains('\\') {
        return wrong("has a value with a backslash; write it plainly");
    }
    let place = |at: usize| line.from[at].expect("a visible character stands in the file");
    let at = place(begin)..place(begin + text.len() - 1) + 1;
    debug_assert_eq!(at.len(), text.len());
    Ok(Word { text, at })
}
