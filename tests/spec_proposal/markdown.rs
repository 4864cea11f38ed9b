//! What a text leaves open, beside a reader of Markdown that others wrote.

use fencehold_model::proposal::{applied, check_content, unclosed};
use fencehold_stress::rng::Rng;
use pulldown_cmark::{Event, Parser, Tag};

use super::kit::Desk;

const MARKER: &str = "<!-- fencehold proposal p by ann at 2026-01-01T00:00:00Z sum 2-00000000 -->";
const CONTENT: &str = "# appended\n";

/// Pieces of which texts are drawn. No byte order mark, no tab behind a fence and no end of another verbatim tag: of those
/// the other reader does not go by the standard.
const PIECES: [&str; 40] = [
    "```",
    "````",
    "~~~",
    "~~",
    "`",
    "> ",
    ">",
    "- ",
    "1. ",
    "10) ",
    "* ",
    "    ",
    "  ",
    " ",
    "   ",
    "\n",
    "\n",
    "\n\t",
    "\n\n",
    "x",
    "y ",
    "<!--",
    "-->",
    "<pre>",
    "</pre>",
    "<div>",
    "<?",
    "?>",
    "<!A",
    "]]>",
    "<![CDATA[",
    "text\n",
    "# h\n",
    "---\n",
    "<!-->",
    "a\n  ```\n",
    "```\n",
    "<a b='c'>",
    "<td ",
    "\r\n",
];

/// Whether what was appended stands outside of all else, as the other reader has it.
fn stands_apart(text: &str) -> bool {
    let (mut depth, mut is_marked, mut is_there) = (0, false, false);
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) if depth == 0 => depth = 1,
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Html(html) if depth == 1 => is_marked |= html.contains(MARKER),
            Event::Text(text) if depth == 1 && is_marked => is_there |= &*text == "appended",
            _ => {}
        }
    }
    is_marked && is_there
}

/// PROPOSAL-7: A file that is not UTF-8, holds a NUL byte, is longer than 64 MiB, or leaves a fence, a comment or a block of
/// HTML open takes no content: an accept fails definitely, names the line, and leaves the file and the proposal as they are.
#[test]
fn what_is_appended_stands_outside_of_what_any_drawn_text_opens() {
    let mut rng = Rng::new(7);
    let (mut taken, mut refused, mut by_counting) = (0, 0, 0);
    for _ in 0..20_000 {
        let count = 1 + rng.below(12);
        let text: String = (0..count).map(|_| PIECES[rng.below(PIECES.len() as u64) as usize]).collect();
        // A control: who counts fences takes what swallows.
        let fences = text.lines().filter(|line| line.trim_start().starts_with("```")).count();
        let swallows = !stands_apart(&format!("{text}\n\n{MARKER}\n{CONTENT}"));
        by_counting += u64::from(swallows && fences % 2 == 0);
        match applied(text.as_bytes(), MARKER, CONTENT) {
            Ok(new) => {
                assert!(stands_apart(std::str::from_utf8(&new).unwrap()), "{text:?}");
                taken += 1;
            }
            Err(_) => {
                // The line that is appended ends a comment by itself.
                assert!(swallows || text.contains("<!"), "{text:?}");
                refused += 1;
            }
        }
    }
    assert_eq!(taken + refused, 20_000);
    assert!(taken > 5_000 && refused > 5_000 && by_counting > 500, "{taken} {refused} {by_counting}");
}

#[test]
fn a_fence_that_ends_with_its_list_is_not_closed_by_what_follows_it() {
    let file = "- run this\n  ```\n  make\n```\n";
    assert_eq!(unclosed(file).unwrap().line, 4);
    let desk = Desk::with(file, "text");
    let error = desk.clerk().try_accept("p").unwrap_err();
    assert!(error.to_string().contains("line 4 opens a code fence"), "{error}");
    assert_eq!(desk.text(), file);
    assert!(check_content(file).is_err());
}

#[test]
fn a_fence_in_a_block_of_html_is_none() {
    assert_eq!(unclosed("<details>\n```\n\ntext\n```\n").unwrap().line, 5);
    assert_eq!(unclosed("<details>\n```\n</details>\n\ntext\n"), None);
}

/// A content with a byte order mark stands in the middle of its file, where that is a character.
#[test]
fn a_fence_behind_a_byte_order_mark_is_none_in_a_content() {
    assert!(check_content("\u{feff}```\ncode\n```\n").unwrap_err().contains("line 3"));
    assert!(applied("\u{feff}```\ncode\n```\n".as_bytes(), MARKER, CONTENT).is_ok());
}
