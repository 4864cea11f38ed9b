//! What an accept makes of a file: bytes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use fencehold::error::Happened;
use fencehold_model::proposal::{CONTENT_BYTES_MAX, Told, check_content};

use super::kit::{Desk, FILE, times};

/// The line that an accept puts before a content, without its end.
fn line_of(text: &str) -> &str {
    let mut lines = text.lines().filter(|line| line.starts_with("<!-- fencehold proposal p by ann at 20"));
    let line = lines.next().expect("a line that names the proposal");
    assert!(line.ends_with(" -->") && lines.next().is_none(), "{text}");
    line
}

/// Contents that a naive reader of Markdown would cut, join or close.
const CONTENTS: [&str; 9] = [
    "text",
    "text\n",
    "## A heading\n\n## And another\n\ntext\n\n\n",
    "````md\n```\n## 2026-01-01T00:00:00.000Z → cerebrum\n```\n````\n",
    "- a\n- b\n  ```sh\n  # no heading\n  ```\n",
    "\n\n  text that begins and ends with blank lines\n\n",
    "line one\r\nline two\r\n",
    "---\ntitle: no setext heading\n---\n",
    "\u{feff}näïve — 語 \u{1b}[31m",
];

/// PROPOSAL-4: An accept appends to its file, behind one line of comment that names the proposal, who proposed it and when,
/// the content byte for byte, with a final newline where it has none, and changes no byte that was there.
///
/// PROPOSAL-5: What an accept puts around a content has the line ends of the first line of the file.
#[test]
fn a_content_is_appended_byte_for_byte() {
    let mut seen = 0;
    for (before, gap, end) in [
        ("", "", "\n"),
        ("a\n", "\n", "\n"),
        ("a", "\n\n", "\n"),
        ("a\r\nb\r\n", "\r\n", "\r\n"),
        ("a\r\nb", "\r\n\r\n", "\r\n"),
        ("a\nb\r\n", "\n", "\n"),
        ("\u{feff}a\n\n", "\n", "\n"),
        ("# A\n\n```\ncode\n```\n<!-- a comment -->\n", "\n", "\n"),
    ] {
        for content in CONTENTS {
            let desk = Desk::with(before, content);
            assert_eq!(desk.clerk().accept("p"), Told::Accepted);
            let text = desk.text();
            let line = line_of(&text);
            let last = if content.ends_with('\n') { "" } else { end };
            assert_eq!(text, format!("{before}{gap}{line}{end}{content}{last}"), "{before:?} {content:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 72);
}

/// PROPOSAL-6: A content of up to 32 KiB is kept byte for byte until it is accepted or rejected, and one that is longer or
/// blank, holds a NUL byte, leaves a fence, a comment or a block of HTML open, or has a line that names a proposal fails
/// definitely.
#[test]
fn a_content_of_the_greatest_size_is_kept_and_nothing_that_would_swallow_what_follows() {
    // The longest there is, and in the journal the longest of these.
    for piece in ["x", "\u{1}", "\"", "語"] {
        let content = format!("{}\n", piece.repeat((CONTENT_BYTES_MAX - 1) / piece.len()));
        let desk = Desk::with("a\n", &content);
        assert_eq!(desk.clerk().list()[0].proposal.content(), Some(content.as_str()));
        assert_eq!(desk.clerk().accept("p"), Told::Accepted);
        assert!(desk.text().ends_with(&format!("-->\n{content}")), "{piece:?}");
    }
    let desk = Desk::new();
    let (clerk, long) = (desk.clerk(), "x".repeat(CONTENT_BYTES_MAX + 1));
    let (prose, target) = (clerk.prose(), clerk.target());
    let bad = [
        ("", "blank"),
        (" \n\t\n", "blank"),
        (&long, "32769 bytes"),
        ("a\0b", "NUL"),
        ("```\ncode\n", "a code fence in line 1"),
        ("a\n````\n```\n", "a code fence in line 2"),
        ("<!-- to do\n", "HTML"),
        ("a\n<pre>\n", "in line 2"),
        ("<!-- fencehold proposal p by ann at 2026-01-01T00:00:00Z sum 1-00000000 -->\n", "line 1"),
    ];
    for (content, why) in bad {
        let error = prose.add(&super::kit::by(), &target, &super::kit::id("p"), content).unwrap_err();
        assert_eq!(error.happened(), Happened::No);
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert!(check_content(content).is_err());
    }
    assert!(clerk.list().is_empty());
}

/// PROPOSAL-7: A file that is not UTF-8, holds a NUL byte, is longer than 64 MiB, or leaves a fence, a comment or a block of
/// HTML open takes no content: an accept fails definitely, names the line, and leaves the file and the proposal as they are.
#[test]
fn a_file_that_would_swallow_a_content_is_left_as_it_is() {
    let desk = Desk::with("", "text");
    let bad: [(&[u8], &str); 5] = [
        (b"a\n```\ncode\n", "line 2 opens a code fence"),
        (b"<!-- never closed\n\n", "line 1 opens a comment"),
        (b"a\nb\0\n", "line 2 holds a NUL"),
        (b"a\n\xff\n", "line 2 is not UTF-8"),
        (b"````\n```\n", "line 1 opens a code fence"),
    ];
    for (before, why) in bad {
        desk.write(before);
        let error = desk.clerk().try_accept("p").unwrap_err();
        assert_eq!(error.happened(), Happened::No);
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert_eq!(desk.bytes(), before);
    }
    fs::File::create(desk.path(FILE)).unwrap().set_len((64 << 20) + 1).unwrap();
    let error = desk.clerk().try_accept("p").unwrap_err();
    assert!(error.to_string().contains("longer than 67108864 bytes"), "{error}");
    assert_eq!(desk.story(), ["proposed"]);
    // 50 MB are prose.
    let big = "a line of prose, as there are many\n".repeat(1_500_000);
    desk.write(&big);
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    let text = desk.text();
    assert!(text.len() > 50_000_000 && text.starts_with(&big) && text.ends_with("-->\ntext\n"));
}

/// PROPOSAL-8: An accept creates a file that is not there, and keeps the mode of one that is, and a symbolic link to it, as
/// an update of a document does.
#[test]
fn a_missing_file_is_created_and_mode_and_link_are_kept() {
    let desk = Desk::new();
    desk.clerk().add("p", "text");
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    assert!(desk.text().starts_with("<!-- fencehold proposal p "));
    let desk = Desk::new();
    fs::write(desk.path("real.md"), "a\n").unwrap();
    fs::set_permissions(desk.path("real.md"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.md", desk.path(FILE)).unwrap();
    let clerk = desk.clerk();
    clerk.add("p", "text");
    assert_eq!(clerk.list()[0].target.as_str(), "real.md", "a link is another spelling");
    assert_eq!(clerk.accept("p"), Told::Accepted);
    assert!(fs::symlink_metadata(desk.path(FILE)).unwrap().is_symlink());
    let real = fs::metadata(desk.path("real.md")).unwrap();
    assert_eq!(real.mode() & 0o777, 0o640);
    assert_eq!(times(&desk.text(), "text\n"), 1);
}
