//! What an accepted proposal makes of its file: a section at the end, behind a line that says whose it is.
//!
//! Invariants:
//! - every byte of the file stays where it was, and the content stands as it was given, with a final newline where it had
//!   none; what is added around it has the line ends of the file;
//! - the line before the content is a function of the proposal alone, so whoever carries an accept out writes the same
//!   bytes; it names the id and the sum of the content, so that of two proposals one is never taken for the other;
//! - nothing is appended inside of a fence or a comment that somebody left open, and no content leaves one open.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Proposal, Sum, Unclosed, unclosed};
use crate::ProposalId;
use crate::date::utc;

/// The longest content in bytes: whatever its characters, it fits into a journal line.
pub const CONTENT_BYTES_MAX: usize = 32 * 1024;

const MARKER: &str = "<!-- fencehold proposal ";
const MARKER_END: &str = " -->";

/// Why a file cannot take a section at its end. It stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It holds a NUL byte, in this line.
    Nul(u64),
    /// It is not UTF-8, in this line.
    NotUtf8(u64),
    /// What is appended would become a part of what is open there.
    Unclosed(Unclosed),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Nul(line) => write!(f, "line {line} holds a NUL byte: that is no prose"),
            Unfit::NotUtf8(line) => write!(f, "line {line} is not UTF-8"),
            Unfit::Unclosed(unclosed) => write!(
                f,
                "line {} opens {} that is never closed, so what is appended would become a part of it; close it",
                unclosed.line, unclosed.what
            ),
        }
    }
}

/// Refuses a content that could not be applied, or not be told from what it stands among.
///
/// # Errors
/// What is wrong with it, as in "is blank".
pub fn check_content(content: &str) -> Result<(), String> {
    check_bytes(content)?;
    if let Some(at) = content.lines().position(|line| line.trim_start().starts_with(MARKER.trim_end())) {
        return Err(format!(
            "holds in line {} what says that a proposal was accepted; leave that line out",
            at + 1
        ));
    }
    match unclosed(content) {
        None => Ok(()),
        Some(Unclosed { line, what }) => Err(format!("opens {what} in line {line} and never closes it")),
    }
}

/// Refuses a content that no journal holds. What Markdown says of one is not asked: a journal stays readable where that is
/// read better than when it was written.
///
/// # Errors
/// What is wrong with it, as in "is blank".
pub(super) fn check_bytes(content: &str) -> Result<(), String> {
    if content.trim().is_empty() {
        return Err("is blank".into());
    }
    if content.len() > CONTENT_BYTES_MAX {
        return Err(format!("has {} bytes; the most is {CONTENT_BYTES_MAX}", content.len()));
    }
    if content.contains('\0') {
        return Err("holds a NUL byte".into());
    }
    Ok(())
}

/// The line that stands before the content of an accepted proposal, without its end: whose it is, and since when.
#[must_use]
pub fn marker(id: &ProposalId, proposal: &Proposal) -> String {
    let (by, at) = (escape(proposal.by.as_str()), utc(proposal.at_ms));
    format!("{MARKER}{} by {by} at {at} sum {}{MARKER_END}", escape(id.as_str()), proposal.sum)
}

/// Whether the line of this proposal stands in a file, whatever was done around it.
#[must_use]
pub fn holds(file: &[u8], id: &ProposalId, sum: &Sum) -> bool {
    let begin = format!("{MARKER}{} by ", escape(id.as_str()));
    let end = format!(" sum {sum}{MARKER_END}");
    file.split(|&byte| byte == b'\n').any(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.starts_with(begin.as_bytes()) && line.ends_with(end.as_bytes())
    })
}

/// The bytes of a file after `content` was appended to it behind `marker`. No bytes are those of a file that is not there.
///
/// # Errors
/// Why the file cannot take it.
pub fn applied(file: &[u8], marker: &str, content: &str) -> Result<Vec<u8>, Unfit> {
    let line_of = |at: usize| 1 + file[..at].iter().filter(|&&byte| byte == b'\n').count() as u64;
    if let Some(at) = file.iter().position(|&byte| byte == 0) {
        return Err(Unfit::Nul(line_of(at)));
    }
    let text = core::str::from_utf8(file).map_err(|bad| Unfit::NotUtf8(line_of(bad.valid_up_to())))?;
    // A byte order mark stands before the first line, and is no part of it; within a text it is a character like others.
    if let Some(unclosed) = unclosed(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        return Err(Unfit::Unclosed(unclosed));
    }
    let end = line_end(text);
    let mut new = Vec::with_capacity(file.len() + content.len() + marker.len() + 8);
    new.extend_from_slice(file);
    if !text.is_empty() && !text.ends_with('\n') {
        new.extend_from_slice(end.as_bytes());
    }
    if !new.is_empty() {
        new.extend_from_slice(end.as_bytes());
    }
    for piece in [marker, end, content] {
        new.extend_from_slice(piece.as_bytes());
    }
    if !content.ends_with('\n') {
        new.extend_from_slice(end.as_bytes());
    }
    Ok(new)
}

/// How the first line of a text ends.
fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// `text` in what may stand in a comment of HTML, as one word: anything else, and the second of two `-`, is `%XX`.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"._@:/+".contains(&byte);
        if plain || (byte == b'-' && !escaped.is_empty() && !escaped.ends_with('-')) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::{applied, check_content, escape, holds, line_end};
    use crate::ProposalId;
    use crate::proposal::Sum;

    #[test]
    fn no_id_ends_a_comment_or_is_anothers() {
        let ids = ["a", "a b", "a%20b", "-->", "--", "-", "a--b", "a-b", "ä", "a by b", "%"];
        let escaped: Vec<_> = ids.iter().map(|id| escape(id)).collect();
        let apart: alloc::collections::BTreeSet<_> = escaped.iter().collect();
        assert_eq!(apart.len(), ids.len(), "{escaped:?}");
        assert!(escaped.iter().all(|id| !id.contains("--") && !id.contains(['>', ' '])), "{escaped:?}");
    }

    #[test]
    fn a_section_is_found_again_by_its_id_and_its_sum_alone() {
        let id = ProposalId::new("fix-1").unwrap();
        let sum = Sum::of(b"text");
        let marker = "<!-- fencehold proposal fix-1 by a at 2026-01-01T00:00:00Z sum 4-3b8ba7c7 -->";
        assert_eq!(sum.to_string(), "4-3b8ba7c7");
        for before in ["", "a\n", "a", "a\r\nb\r\n"] {
            let after = applied(before.as_bytes(), marker, "text").unwrap();
            assert!(after.starts_with(before.as_bytes()) && holds(&after, &id, &sum), "{before:?}");
            assert!(!holds(&after, &ProposalId::new("fix-11").unwrap(), &sum));
            assert!(!holds(&after, &id, &Sum::of(b"other")));
            assert!(!holds(before.as_bytes(), &id, &sum));
        }
        assert_eq!(line_end("a\r\nb\n"), "\r\n");
    }

    #[test]
    fn what_could_be_taken_for_another_section_is_no_content() {
        let forged = "text\n  <!-- fencehold proposal x by a at b sum c -->\n";
        assert!(check_content(forged).unwrap_err().contains("line 2"));
        assert!(check_content("<!-- a comment of mine -->\n").is_ok());
    }
}
