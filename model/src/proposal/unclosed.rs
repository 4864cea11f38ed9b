//! Whether a text of Markdown ends inside of something that swallows what is appended to it.
//!
//! By CommonMark 0.31: fenced code blocks (4.5), and those HTML blocks that no blank line ends (4.6, kinds 1 to 5). What
//! is opened inside of a list or a quotation ends with it, and what is appended begins outside of both. Where this is
//! simpler than the standard it says that something is open: what is refused is not written.

/// What is open at the end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclosed {
    /// The line that opens it, from 1.
    pub line: u64,
    /// What it is, for people.
    pub what: &'static str,
}

/// What opens an HTML block that only its own end closes, each in lower case.
const HTML: [(&str, &[&str]); 8] = [
    ("<!--", &["-->"]),
    ("<?", &["?>"]),
    ("<![cdata[", &["]]>"]),
    ("<!", &[">"]),
    ("<script", VERBATIM),
    ("<pre", VERBATIM),
    ("<style", VERBATIM),
    ("<textarea", VERBATIM),
];
const VERBATIM: &[&str] = &["</script>", "</pre>", "</style>", "</textarea>"];

/// What a line is inside of.
#[derive(Clone, Copy)]
enum Inside {
    Fence { mark: char, count: usize, quoted: bool, indent: usize },
    Html(&'static [&'static str]),
}

/// What is open at the end of `text`, if anything is.
#[must_use]
pub fn unclosed(text: &str) -> Option<Unclosed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut open: Option<(u64, Inside)> = None;
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some((_, inside)) = open
            && !ends_with_its_container(inside, line)
        {
            if closes(inside, line) {
                open = None;
            }
            continue;
        }
        open = opens(line).map(|inside| (number, inside));
    }
    let (line, inside) = open?;
    match inside {
        Inside::Fence { quoted, indent, .. } if quoted || indent > 0 => None,
        Inside::Fence { .. } => Some(Unclosed { line, what: "a code fence" }),
        Inside::Html(_) => Some(Unclosed { line, what: "a comment or a block of HTML" }),
    }
}

/// What a line outside of everything opens and does not close itself.
fn opens(line: &str) -> Option<Inside> {
    let (rest, quoted, indent) = contained(line)?;
    let mark = rest.chars().next()?;
    if mark == '`' || mark == '~' {
        let count = run(rest, mark);
        // The info string of backticks has none of them: else it is code within a line.
        let is_fence = count >= 3 && !(mark == '`' && rest[count..].contains('`'));
        return is_fence.then_some(Inside::Fence { mark, count, quoted, indent });
    }
    if mark != '<' || quoted || indent > 0 {
        return None;
    }
    let lower = rest.to_ascii_lowercase();
    let (begin, ends) = HTML.iter().find(|(begin, _)| is_html(&lower, begin))?;
    let after = &lower[begin.len()..];
    (!ends.iter().any(|end| after.contains(end))).then_some(Inside::Html(ends))
}

fn is_html(line: &str, begin: &str) -> bool {
    let Some(after) = line.strip_prefix(begin) else { return false };
    match begin {
        "<!" => after.starts_with(|c: char| c.is_ascii_alphabetic()),
        "<!--" | "<?" | "<![cdata[" => true,
        _ => after.is_empty() || after.starts_with([' ', '\t', '>']),
    }
}

/// The line behind its quotation marks and list markers, whether there was one of the first, and how far in it begins
/// behind the last of the second; none where it is indented so far that it opens nothing.
fn contained(line: &str) -> Option<(&str, bool, usize)> {
    let (mut rest, mut quoted, mut indent) = (line, false, 0);
    loop {
        let spaces = run(rest, ' ');
        if spaces > 3 {
            return None;
        }
        let at = &rest[spaces..];
        let Some(after) = at.strip_prefix('>').or_else(|| list_marker(at)) else {
            return Some((at, quoted, indent));
        };
        quoted |= at.starts_with('>');
        rest = after.strip_prefix(' ').unwrap_or(after);
        if !at.starts_with('>') {
            indent = line.len() - rest.len();
        }
    }
}

/// What follows the marker of a list item.
fn list_marker(at: &str) -> Option<&str> {
    let digits = at.bytes().take_while(u8::is_ascii_digit).count();
    let after = match digits {
        0 => at.strip_prefix(['-', '*', '+'])?,
        1..=9 => at[digits..].strip_prefix(['.', ')'])?,
        _ => return None,
    };
    after.starts_with(' ').then_some(after)
}

/// Whether a line is outside of the list item or the quotation that something was opened in.
fn ends_with_its_container(inside: Inside, line: &str) -> bool {
    let Inside::Fence { quoted, indent, .. } = inside else { return false };
    let spaces = run(line, ' ');
    (quoted && !line[spaces..].starts_with('>'))
        || (indent > 0 && !quoted && !line.trim().is_empty() && spaces < indent)
}

fn closes(inside: Inside, line: &str) -> bool {
    match inside {
        Inside::Fence { mark, count, quoted, indent } => {
            let mut rest = line;
            if quoted {
                rest = rest.trim_start_matches([' ', '>']);
            } else {
                let spaces = run(rest, ' ');
                if spaces > indent + 3 {
                    return false;
                }
                rest = &rest[spaces..];
            }
            let marks = run(rest, mark);
            marks >= count && rest[marks..].trim_end_matches([' ', '\t']).is_empty()
        }
        Inside::Html(ends) => {
            let lower = line.to_ascii_lowercase();
            ends.iter().any(|end| lower.contains(end))
        }
    }
}

/// How many times `mark`, one byte long, stands at the beginning.
fn run(text: &str, mark: char) -> usize {
    text.chars().take_while(|&c| c == mark).count()
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
            "\u{feff}```\r\ncode\r\n```\r\n",
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
            ("a\n\n<PRE class=x>\n", 3),
            ("\u{feff}```\r\ncode\r\n", 1),
        ];
        for (text, line) in open {
            assert_eq!(unclosed(text).map(|open| open.line), Some(line), "{text:?}");
        }
    }
}
