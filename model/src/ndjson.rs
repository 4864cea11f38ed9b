//! Framing of NDJSON: which bytes are a whole line, which are damaged, which are not finished.
//!
//! Invariants: a line exists when its newline does; every byte belongs to exactly one frame; one bad line never hides
//! its neighbours. Nothing here parses JSON.

use core::ops::Range;

/// Why the bytes between two newlines are no line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// The bytes stop being UTF-8 at this offset of the line.
    NotUtf8 {
        /// Bytes of the line that are still UTF-8.
        valid_bytes: usize,
    },
    /// A run of NUL bytes, as a power cut leaves where a block never reached the disk.
    Nul {
        /// Length of the first run.
        run_bytes: usize,
    },
    /// More bytes than the bound.
    TooLong {
        /// The bound that was passed.
        bound_bytes: usize,
    },
}

impl core::fmt::Display for Damage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Damage::NotUtf8 { valid_bytes } => write!(f, "not UTF-8 after {valid_bytes} bytes"),
            Damage::Nul { run_bytes } => write!(f, "a run of {run_bytes} NUL bytes"),
            Damage::TooLong { bound_bytes } => write!(f, "longer than {bound_bytes} bytes"),
        }
    }
}

/// One stretch of bytes and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Where it lies in the input, its newline included.
    pub bytes: Range<usize>,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A whole line of text, without its line end.
    Line {
        /// The text.
        text: &'a str,
        /// Whether the line ended with CR LF.
        crlf: bool,
    },
    /// A terminated line that is no text.
    Damaged(Damage),
    /// Bytes after the last newline: a write in progress, or one that was cut.
    Unterminated,
}

/// Splits `bytes` into frames. A line of more than `bound_bytes` (its newline not counted) is damaged.
pub fn frames(bytes: &[u8], bound_bytes: usize) -> impl Iterator<Item = Frame<'_>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let frame = first(rest, bound_bytes);
        let range = at..at + frame.bytes.end;
        at = range.end;
        Some(Frame { bytes: range, kind: frame.kind })
    })
}

/// The frame at the beginning of `bytes`, which are not empty.
#[must_use]
pub fn first(bytes: &[u8], bound_bytes: usize) -> Frame<'_> {
    let Some(newline) = find(bytes, b'\n') else {
        return Frame { bytes: 0..bytes.len(), kind: Kind::Unterminated };
    };
    Frame { bytes: 0..newline + 1, kind: line(&bytes[..newline], bound_bytes) }
}

fn line(raw: &[u8], bound_bytes: usize) -> Kind<'_> {
    if raw.len() > bound_bytes {
        return Kind::Damaged(Damage::TooLong { bound_bytes });
    }
    if let Some(start) = find(raw, 0) {
        let run_bytes = raw[start..].iter().take_while(|&&byte| byte == 0).count();
        return Kind::Damaged(Damage::Nul { run_bytes });
    }
    match core::str::from_utf8(raw) {
        Ok(text) => match text.strip_suffix('\r') {
            Some(text) => Kind::Line { text, crlf: true },
            None => Kind::Line { text, crlf: false },
        },
        Err(error) => Kind::Damaged(Damage::NotUtf8 { valid_bytes: error.valid_up_to() }),
    }
}

/// Where `byte` stands first. By blocks whose bytes do not wait for each other: so a compiler takes them at once.
fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let blocks = bytes.chunks(BLOCK_BYTES);
    let before =
        blocks.take_while(|block| !block.iter().fold(false, |seen, &at| seen | (at == byte))).count();
    let rest = bytes.get(before * BLOCK_BYTES..)?;
    rest.iter().position(|&at| at == byte).map(|at| before * BLOCK_BYTES + at)
}

const BLOCK_BYTES: usize = 32;
