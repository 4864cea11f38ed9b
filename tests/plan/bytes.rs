//! The edit: a status changes and not one other byte does, whatever stands around it.

use fencehold::plan::{Edited, edit, read};
use proptest::prelude::*;

const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];

/// What may stand between two blocks, closed in itself.
fn neighbour() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("status: todo\n".to_owned()),
        Just("id: T1\n\nstatus: done\n".to_owned()),
        Just("# T1 status: todo\n".to_owned()),
        Just("````text\n```task\nid: T1\nstatus: todo\n```\n````\n".to_owned()),
        Just("~~~\nid: T1\nstatus: todo\n~~~\n".to_owned()),
        Just("<!-- status: todo -->\n".to_owned()),
        Just("| id | status |\n|---|---|\n| T1 | todo |\n".to_owned()),
        Just("   \n\t\n".to_owned()),
        "[a-z \u{e9}\u{1f980}:#.]{0,30}\n",
    ]
}

/// A field that is neither the id nor the status, or looks like one.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("status_note: status: todo".to_owned()),
        Just("state: todo".to_owned()),
        Just("notes: |".to_owned()),
        Just("  status: done".to_owned()),
        Just("# status: done".to_owned()),
        Just("xid: T1".to_owned()),
        Just("priority: high".to_owned()),
        Just(String::new()),
    ]
}

#[derive(Debug, Clone)]
struct Block {
    text: String,
    status: &'static str,
}

fn block(id: usize) -> impl Strategy<Value = Block> {
    let ids = ["T1", "T10", "T11", "1T1", "T1.1", "xT1"];
    let quotes = prop_oneof![Just(""), Just("\""), Just("'")];
    let behind = prop_oneof![Just(""), Just("  "), Just(" # status: todo"), Just("\t# T1")];
    let fence = prop_oneof![Just("```"), Just("~~~"), Just("`````")];
    let before = prop_oneof![Just(""), Just("> "), Just("   ")];
    let fields = proptest::collection::vec(field(), 0..4);
    let order = any::<bool>();
    (0..5_usize, quotes, behind, fence, before, fields, order).prop_map(
        move |(status, quote, behind, fence, before, fields, order)| {
            let mut lines = vec![
                format!("id: {}", ids[id]),
                format!("status: {quote}{}{quote}{behind}", STATUSES[status]),
            ];
            if order {
                lines.reverse();
            }
            lines.extend(fields);
            let body: String = lines.iter().map(|line| format!("{before}{line}\n")).collect();
            let text = format!("\n{before}{fence}task\n{body}{before}{fence}\n\n");
            Block { text, status: STATUSES[status] }
        },
    )
}

fn file() -> impl Strategy<Value = (Vec<u8>, Vec<&'static str>)> {
    let blocks = (1..=6_usize).prop_flat_map(|count| (0..count).map(block).collect::<Vec<_>>());
    let neighbours = proptest::collection::vec(neighbour(), 7);
    (blocks, neighbours, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(blocks, neighbours, crlf, bom, cut)| {
            let mut text = neighbours[0].clone();
            for (block, neighbour) in blocks.iter().zip(&neighbours[1..]) {
                text.push_str(&block.text);
                text.push_str(neighbour);
            }
            if cut {
                text.truncate(text.trim_end().len());
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            let bytes = if bom { format!("\u{feff}{text}") } else { text }.into_bytes();
            (bytes, blocks.iter().map(|block| block.status).collect())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// PLAN-4: A writeback changes the status of a block, without its quotes, and not one other byte of the file.
    #[test]
    fn an_edit_changes_the_status_and_nothing_else(
        (bytes, statuses) in file(),
        which in any::<proptest::sample::Index>(),
        to in 0..5_usize,
    ) {
        let found = read(&bytes);
        let said: Vec<&str> = found.tasks.iter().map(|task| task.status.as_str()).collect();
        prop_assert_eq!(&said, &statuses, "{:?}", found);
        let task = &found.tasks[which.index(found.tasks.len())];
        let Edited::Bytes(edited) = edit(&bytes, &[(task, STATUSES[to])]) else {
            return Err(TestCaseError::fail("it can be written"));
        };
        let (begin, end) = (task.at.start, task.at.end);
        let wanted = [&bytes[..begin], STATUSES[to].as_bytes(), &bytes[end..]].concat();
        prop_assert_eq!(&edited, &wanted);
        // And back again.
        let again = read(&edited);
        let there = again.tasks.iter().find(|other| other.id == task.id).unwrap();
        prop_assert_eq!(edit(&edited, &[(there, &task.status)]), Edited::Bytes(bytes.clone()));
    }
}

/// All of a file at once, and a status that cannot stand where the old one stood.
#[test]
fn several_are_edited_at_once_and_what_would_be_read_otherwise_is_not() {
    let bytes = b"```task\nid: a\nstatus: todo\n```\n```task\nid: b\nstatus: 'blocked'\n```\n";
    let found = read(bytes);
    let changes = [(&found.tasks[0], "cancelled"), (&found.tasks[1], "done")];
    let wanted = b"```task\nid: a\nstatus: cancelled\n```\n```task\nid: b\nstatus: 'done'\n```\n";
    assert_eq!(edit(bytes, &changes), Edited::Bytes(wanted.to_vec()));
    for (at, odd) in [(0, "#x"), (0, "\"x"), (1, "it's"), (1, "a\\b")] {
        let mut changes = changes;
        changes[at].1 = odd;
        assert_eq!(edit(bytes, &changes), Edited::Unwritable(at), "{odd}");
    }
    assert_eq!(edit(bytes, &[]), Edited::Bytes(bytes.to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever the bytes are, they are read, and what is read of them stands there.
    #[test]
    fn any_bytes_are_read(pieces in proptest::collection::vec(prop_oneof![
        Just("```task\n".to_owned()), Just("```\n".to_owned()), Just("~~~ task\n".to_owned()), Just("> ".to_owned()),
        Just("- ".to_owned()), Just("    ".to_owned()), Just("\t".to_owned()), Just("id: a\n".to_owned()),
        Just("status: todo\n".to_owned()), Just("status: \"".to_owned()), Just("\r\n".to_owned()), Just("<!--".to_owned()),
        Just("-->\n".to_owned()), Just("\n".to_owned()), any::<char>().prop_map(String::from),
    ], 0..40)) {
        let text = pieces.concat();
        let found = read(text.as_bytes());
        for task in &found.tasks {
            prop_assert_eq!(&text[task.at.clone()], task.status.as_str());
        }
        for trouble in &found.troubles {
            prop_assert!(trouble.line >= 1 && trouble.line <= 1 + text.matches('\n').count() as u64);
        }
    }
}
