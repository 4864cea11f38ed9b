//! Reading a plan file: which fenced blocks of the markdown are tasks.
//!
//! Invariants:
//! - a task block is a fenced code block whose info string begins with the word `task`, wherever CommonMark has one: in
//!   lists and quotes, by backticks and tildes; and nowhere else: not in another block, a comment, indented code;
//! - a fence that is not closed is told, and its block is no task: who forgot it did not mean what follows;
//! - what is told names the line, and the other blocks of the file are read all the same.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::block::{Task, Trouble};
use super::field::{self, Line};

/// The longest plan file in bytes: 8 MiB.
pub const PLAN_BYTES_MAX: usize = 8 << 20;
const BOM: &str = "\u{feff}";

/// What a plan file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Its tasks, in the order of the file. Two may have one id: whoever knows the form of ids tells.
    pub tasks: Vec<Task>,
    /// What is wrong, in the order of the file.
    pub troubles: Vec<Trouble>,
}

/// Reads a plan file. Bytes in which no line begins a task block are not looked at any further: whatever they are, they
/// are no plan.
#[must_use]
pub fn read(bytes: &[u8]) -> Read {
    let mut read = Read::default();
    if !may_have_tasks(bytes) {
        return read;
    }
    match text(bytes) {
        Ok(text) => blocks(text, &mut read),
        Err(trouble) => read.troubles.push(trouble),
    }
    read.troubles.sort_by_key(|trouble| trouble.line);
    read
}

/// Whether a fence stands anywhere with the word `task` behind it.
fn may_have_tasks(bytes: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = bytes[from..].windows(4).position(|word| word == b"task") {
        let before = bytes[..from + at].trim_ascii_end();
        if before.ends_with(b"```") || before.ends_with(b"~~~") {
            return true;
        }
        from += at + 4;
    }
    false
}

fn text(bytes: &[u8]) -> Result<&str, Trouble> {
    if bytes.len() > PLAN_BYTES_MAX {
        let what =
            format!("it has {} bytes, and a plan has {PLAN_BYTES_MAX} at the most; divide it", bytes.len());
        return Err(Trouble::file(1, what));
    }
    let line = |at: usize| 1 + newlines(&bytes[..at]);
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Trouble::file(line(at), "a NUL byte stands here; write the file as text, in UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Trouble::file(line(error.valid_up_to()), "this is not UTF-8; write the file in UTF-8")
    })?;
    // Old line ends, which not every reader of markdown takes for any.
    let mut lone = text.match_indices('\r').filter(|(at, _)| bytes.get(at + 1) != Some(&b'\n'));
    if let Some((at, _)) = lone.next() {
        return Err(Trouble::file(
            line(at),
            "a carriage return without a newline stands here; end lines by one",
        ));
    }
    Ok(text)
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// A fenced block, as it is read.
struct Open {
    /// The fence: its character and how often.
    fence: (u8, usize),
    line: u64,
    is_task: bool,
    range: Range<usize>,
    /// Where the content that was seen so far ends.
    end: usize,
    lines: Vec<Line>,
    /// Whether the last line has its newline.
    whole: bool,
}

/// Counts lines as far as they were asked for.
struct Counter<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Counter<'_> {
    fn line_of(&mut self, at: usize) -> u64 {
        debug_assert!(at >= self.at);
        self.line += newlines(&self.text.as_bytes()[self.at..at]);
        self.at = at;
        self.line
    }
}

fn blocks(whole: &str, read: &mut Read) {
    let skipped = if whole.starts_with(BOM) { BOM.len() } else { 0 };
    let text = &whole[skipped..];
    let mut counter = Counter { text, at: 0, line: 1 };
    let mut open: Option<Open> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))), _) => {
                open = Some(Open::at(text, range, &info, &mut counter));
            }
            (Event::Text(piece), Some(block)) => block.add(&piece, range, &mut counter),
            (Event::End(TagEnd::CodeBlock), block) => {
                if let Some(block) = block.take() {
                    block.close(text, skipped, read);
                }
            }
            _ => {}
        }
    }
}

impl Open {
    fn at(text: &str, range: Range<usize>, info: &str, counter: &mut Counter<'_>) -> Self {
        let from = &text.as_bytes()[range.start..range.end];
        let fence = fence_of(from).expect("a fenced block begins with its fence");
        let first_line = from.iter().position(|byte| *byte == b'\n').map_or(from.len(), |at| at + 1);
        let is_task = info.split_whitespace().next() == Some("task");
        let end = range.start + first_line;
        Open {
            fence,
            line: counter.line_of(range.start),
            is_task,
            range,
            end,
            lines: Vec::new(),
            whole: true,
        }
    }

    /// Takes a piece of the content, which may be part of a line, or many lines.
    fn add(&mut self, piece: &str, range: Range<usize>, counter: &mut Counter<'_>) {
        // What a tab was made into stands nowhere.
        let stands = piece.len() == range.len();
        let mut at = range.start;
        for part in piece.split_inclusive('\n') {
            if self.whole {
                let number = counter.line_of(at.max(counter.at));
                self.lines.push(Line { number, text: String::new(), from: Vec::new() });
                self.whole = false;
            }
            let line = self.lines.last_mut().expect("one was begun");
            let content = part.strip_suffix('\n').unwrap_or(part);
            line.text.push_str(content);
            line.from.extend((0..content.len()).map(|byte| stands.then_some(at + byte)));
            self.whole = part.ends_with('\n');
            at += if stands { part.len() } else { 0 };
        }
        self.end = self.end.max(range.end);
    }

    fn close(mut self, text: &str, skipped: usize, read: &mut Read) {
        let behind = &text.as_bytes()[self.end.min(self.range.end)..self.range.end];
        if !behind.windows(self.fence.1).any(|run| run.iter().all(|byte| *byte == self.fence.0)) {
            let fence = char::from(self.fence.0).to_string().repeat(self.fence.1);
            let what = format!("the fence that opens here is not closed; close it by a line of {fence}");
            read.troubles.push(Trouble::block(self.line, what));
            return;
        }
        if !self.is_task {
            if let Some(line) = self.lines.iter().find(|line| self.hides_task(&line.text)) {
                let what = format!(
                    "a task block begins inside of the fence that opens on line {}; close that before, or make it \
                     longer where the block is an example",
                    self.line
                );
                read.troubles.push(Trouble::block(line.number, what));
            }
            return;
        }
        for place in self.lines.iter_mut().flat_map(|line| &mut line.from).flatten() {
            *place += skipped;
        }
        match field::task(self.line, &self.lines) {
            Ok(task) => read.tasks.push(task),
            Err(trouble) => read.troubles.push(trouble),
        }
    }

    /// Whether a line inside of this block would open a task block if the block's own fence were closed before it.
    fn hides_task(&self, line: &str) -> bool {
        let line = line.trim_start_matches([' ', '\t']);
        let Some((character, length)) = fence_of(line.as_bytes()) else { return false };
        character == self.fence.0
            && length >= self.fence.1
            && line[length..].split_whitespace().next() == Some("task")
    }
}

/// The character of a fence and how often it stands.
fn fence_of(bytes: &[u8]) -> Option<(u8, usize)> {
    let first = *bytes.first().filter(|first| matches!(first, b'`' | b'~'))?;
    let length = bytes.iter().take_while(|byte| **byte == first).count();
    (length >= 3).then_some((first, length))
}
