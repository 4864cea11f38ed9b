//! Whether a text of Markdown ends inside of something that swallows what is appended to it.
//!
//! By CommonMark 0.31: its blocks are followed line by line ([`super::line`] reads one), as in the appendix of the
//! standard. Fenced code (4.5), and those HTML blocks that no blank line ends (4.6, kinds 1 to 5), swallow what follows.
//! What is opened inside of a list or a quotation ends with it, and what is appended begins outside of both.

use alloc::vec::Vec;

use super::line::{Fence, Html, Line, html};

/// What is open at the end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclosed {
    /// The line that opens it, from 1.
    pub line: u64,
    /// What it is, for people.
    pub what: &'static str,
}

/// What other blocks stand in.
#[derive(Clone, Copy)]
enum Container {
    Quote,
    /// Of a list: its lines are indented by as much. One that is empty yet ends with a blank line.
    Item {
        columns: usize,
        is_empty: bool,
    },
}

/// The block that takes lines.
#[derive(Clone, Copy)]
enum Leaf {
    /// One that a single line is, or none.
    None,
    Paragraph,
    Fence(Fence),
    Html(Html),
}

struct Blocks {
    containers: Vec<Container>,
    leaf: Leaf,
    /// The line that the leaf began in.
    from: u64,
}

/// What is open at the end of `text`, if anything is. A carriage return alone ends a line by the standard, and not for all
/// who read by it: what is open for either of them is open.
#[must_use]
pub fn unclosed(text: &str) -> Option<Unclosed> {
    let is_alone = |(at, _): (usize, &str)| !text[at..].starts_with("\r\n");
    let by_newlines = || unclosed_by(text, &['\n']);
    unclosed_by(text, &['\n', '\r'])
        .or_else(|| text.match_indices('\r').any(is_alone).then(by_newlines).flatten())
}

/// What is open where lines end with `ends`, and with a newline behind a carriage return.
fn unclosed_by(text: &str, ends: &[char]) -> Option<Unclosed> {
    let mut blocks = Blocks { containers: Vec::new(), leaf: Leaf::None, from: 0 };
    // People count the lines by their newlines.
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split(ends).for_each(|line| blocks.take(number, Line::new(line)));
    }
    match blocks.leaf {
        _ if !blocks.containers.is_empty() => None,
        Leaf::Fence(_) => Some(Unclosed { line: blocks.from, what: "a code fence" }),
        Leaf::Html(html) if !html.ends_blank() => {
            Some(Unclosed { line: blocks.from, what: "a comment or a block of HTML" })
        }
        _ => None,
    }
}

impl Blocks {
    /// Takes a line.
    fn take(&mut self, number: u64, mut line: Line<'_>) {
        let matched = self.still_inside(&mut line);
        let is_all = matched == self.containers.len();
        let was_paragraph = matches!(self.leaf, Leaf::Paragraph);
        if is_all && self.goes_on(&mut line) {
            return;
        }
        let mut interrupts = is_all && was_paragraph && !line.is_blank();
        let mut depth = matched;
        loop {
            if line.indent() < 4
                && let Some(container) = contained(&mut line, interrupts)
            {
                self.containers.truncate(depth);
                self.fill();
                self.containers.push(container);
                (self.leaf, interrupts, depth) = (Leaf::None, false, depth + 1);
                continue;
            }
            break;
        }
        let is_lazy = depth == matched && was_paragraph && !line.is_blank();
        let begun = if line.indent() < 4 { begins(&line, interrupts, is_lazy) } else { None };
        if begun.is_none() && is_lazy {
            return;
        }
        self.containers.truncate(depth);
        if line.is_blank() {
            self.leaf = Leaf::None;
            return;
        }
        self.fill();
        let is_code = line.indent() >= 4;
        self.leaf = begun.unwrap_or(if is_code { Leaf::None } else { Leaf::Paragraph });
        self.from = number;
    }

    /// How many of the containers this line still is in; their marks are behind it then.
    fn still_inside(&self, line: &mut Line<'_>) -> usize {
        let is_in = |container: &&Container| match **container {
            Container::Quote => line.indent() < 4 && line.quote(),
            Container::Item { is_empty, .. } if line.is_blank() => !is_empty,
            Container::Item { columns, .. } => line.indent() >= columns && line.advance(columns),
        };
        self.containers.iter().take_while(is_in).count()
    }

    /// Whether the line belongs to the block that takes lines, and no other block can begin in it.
    fn goes_on(&mut self, line: &mut Line<'_>) -> bool {
        match self.leaf {
            Leaf::None | Leaf::Paragraph => return false,
            Leaf::Fence(fence) if line.ends(fence) => self.leaf = Leaf::None,
            Leaf::Html(html) if html.ends_blank() && line.is_blank() => return false,
            Leaf::Html(html) if html.ends_in(line.rest()) => self.leaf = Leaf::None,
            Leaf::Fence(_) | Leaf::Html(_) => {}
        }
        true
    }

    /// Something begins in the last container.
    fn fill(&mut self) {
        if let Some(Container::Item { is_empty, .. }) = self.containers.last_mut() {
            *is_empty = false;
        }
    }
}

/// The container that begins here, which is then behind the line's begin.
fn contained(line: &mut Line<'_>, interrupts: bool) -> Option<Container> {
    if line.quote() {
        return Some(Container::Quote);
    }
    if line.is_break() || (interrupts && line.is_underline()) {
        return None;
    }
    let columns = line.item(interrupts)?;
    Some(Container::Item { columns, is_empty: true })
}

/// The block that begins here, other than a paragraph.
fn begins(line: &Line<'_>, interrupts: bool, is_lazy: bool) -> Option<Leaf> {
    if line.is_heading() || line.is_break() || (interrupts && line.is_underline()) {
        return Some(Leaf::None);
    }
    if let Some(fence) = line.fence() {
        return Some(Leaf::Fence(fence));
    }
    let html = html(line.text(), is_lazy)?;
    Some(if html.ends_in(line.text()) { Leaf::None } else { Leaf::Html(html) })
}
#[cfg(test)]
mod tests {
    use super::unclosed;

    #[test]
    fn what_swallows_what_follows_is_found_and_nothing_else() {
        let closed = [
            "",
            "text",
            "```\ncode\n```\n",
            "```rust\n# not a heading\n```",
            "~~~~\n```\n~~~\n~~~~\n",
            "````md\n```\nnested\n```\n````\n",
            "   ```\n   code\n   ```  \n",
            "    ``` indented code\n",
            "`` ` ``` in a line\n",
            "```not a fence``` but code in a line\n",
            "- ```\n  code\n  ```\n",
            "- ```\n  never closed, ends with its item\n\ntext\n",
            "1. a\n\n   ```\n   code\n   ```\n",
            "> ```\n> code\n\ntext\n",
            "> ```\n> at the end\n",
            "<!-- a comment -->\n",
            "<!-- a\n\ncomment -->\n",
            "<!--\n```\n-->\n",
            "```\n<!--\n```\n",
            "<pre>\n\n</pre>\n",
            "<prefix>\n\n",
            "text <!-- not a block",
            "<!-->\n",
            "- a\n  ```\n  code\n  ```\n",
            "- a\n  ```\ntext\n",
            "<div>\n```\n</div>\n",
            "```\r\ncode\r\n```\r\n",
        ];
        for text in closed {
            assert_eq!(unclosed(text), None, "{text:?}");
        }
        let open = [
            ("```\n", 1),
            ("a\n```\ncode\n", 2),
            ("```\n~~~\n", 1),
            ("~~~~\n~~~\n", 1),
            ("````\n```\n", 1),
            ("```\n``` not a close\n", 1),
            ("```\n    ```\n", 1),
            ("```\na\n```\n```\n", 4),
            ("<!-- a\n\n", 1),
            // The fence of an item ends with the item, and what looks like its end opens another.
            ("- a\n  ```\n  code\n```\n", 4),
            ("1. a\n\n   ```\n   code\n```\n", 5),
            ("- a\n\t```\n```\n", 3),
            // What stands in a block of HTML is no fence.
            ("<details>\n```\n\ntext\n```\n", 5),
            ("<!-->\n```-->\n", 2),
            ("a\r```\rcode\n", 1),
            ("a\r```\r```x\r\n", 1),
            ("a\n\n<PRE class=x>\n", 3),
            ("```\r\ncode\r\n", 1),
        ];
        for (text, line) in open {
            assert_eq!(unclosed(text).map(|open| open.line), Some(line), "{text:?}");
        }
    }
}
