//! Which fenced blocks are tasks, and what is wrong with the others.

use fencehold::plan::{PLAN_BYTES_MAX, Read, TroubleKind, read};

/// A task: line, id, status.
type Told<'a> = (u64, &'a str, &'a str);

fn tasks(read: &Read) -> Vec<Told<'_>> {
    read.tasks.iter().map(|task| (task.line, task.id.as_str(), task.status.as_str())).collect()
}

/// PLAN-1: A task block is a fenced code block of CommonMark whose info string begins with the word `task`, in a list or a
/// quote too, and nothing else is: no block inside of another, no comment, no indented code.
#[test]
fn a_task_block_is_what_markdown_says() {
    let cases: [(&str, &[Told<'_>]); 19] = [
        ("```task\nid: T1\nstatus: todo\n```\n", &[(1, "T1", "todo")]),
        ("# x\n\n~~~~ task {a=b}\nid: T1\nstatus: todo\n~~~\n~~~~~", &[(3, "T1", "todo")]),
        ("   ```  task\n   id: T1\n     more: x\n   status: todo\n   ```\n", &[(1, "T1", "todo")]),
        ("\u{feff}```task\r\nid: T1\r\nstatus: todo\r\n```", &[(1, "T1", "todo")]),
        ("> ```task\n> id: T1\n> status: todo\n> ```\n", &[(1, "T1", "todo")]),
        ("10. a\n\n    ```task\n    id: T1\n    status: todo\n    ```\n", &[(3, "T1", "todo")]),
        (
            "- > ~~~task\n  > id: 'T1' # the first\n  > status: \"todo\"\t# so\n  > ~~~\n",
            &[(1, "T1", "todo")],
        ),
        (
            "```task\n# id: T0\n\nid:T1\nstatus :  todo\nstatus_note: done\nidea: x\nnotes: |\n  status: done\n```\n",
            &[(1, "T1", "todo")],
        ),
        ("```task\n\tid: T1\n\tstatus: todo\n```\n", &[(1, "T1", "todo")]),
        // Not tasks.
        ("````md\n```task\nid: T1\nstatus: todo\n```\n````\n", &[]),
        ("~~~\n```task\nid: T1\nstatus: todo\n```\n~~~\n", &[]),
        ("<!--\n```task\nid: T1\nstatus: todo\n```\n-->\n", &[]),
        ("a\n\n    ```task\n    id: T1\n    status: todo\n    ```\n", &[]),
        ("```tasks\nid: T1\nstatus: todo\n```\n", &[]),
        ("``` a task\nid: T1\n```\n", &[]),
        ("``task\nid: T1\nstatus: todo\n``\n", &[]),
        ("task\nid: T1\nstatus: todo\n", &[]),
        ("", &[]),
        // Two whose ids begin alike.
        (
            "```task\nid: T1\nstatus: todo\n```\n```task\nid: T10\nstatus: done\n```\n",
            &[(1, "T1", "todo"), (5, "T10", "done")],
        ),
    ];
    for (text, wanted) in cases {
        let read = read(text.as_bytes());
        assert_eq!((tasks(&read).as_slice(), read.troubles.len()), (wanted, 0), "{text:?}: {read:?}");
    }
}

/// PLAN-2: A block that cannot be read for certain is told with its line and what to do, is no task, and hides no other: a
/// fence that is not closed, an `id` or `status` that is missing, stands twice, or is no one word, a task block inside of a
/// fence that was not closed before it.
#[test]
fn what_cannot_be_read_for_certain_is_told_and_no_task() {
    let cases: [(&str, u64, &str, usize); 16] = [
        ("```task\nid: T1\nstatus: todo\n", 1, "is not closed", 0),
        ("```task\nid: T1\nstatus: todo\n~~~\n", 1, "close it by a line of ```", 0),
        (
            "> ```task\n> id: T1\n> status: todo\n\n```task\nid: T2\nstatus: todo\n```\n",
            1,
            "is not closed",
            1,
        ),
        (
            "```task\nid: T1\nstatus: todo\n\ntext\n\n```task\nid: T2\nstatus: done\n```\n",
            8,
            "a second time",
            0,
        ),
        ("```task\nid: T1\n```\n", 1, "has no `status:`", 0),
        ("```task\nstatus: todo\n```\n", 1, "has no `id:`", 0),
        ("```task\n```\n", 1, "has no `id:`", 0),
        ("```task\nid: T1\nstatus:\n```\n", 3, "has no value", 0),
        ("```task\nid: T1\nstatus: # none\n```\n", 3, "has no value", 0),
        ("```task\nid: T1\nstatus: in progress\n```\n", 3, "more than one word", 0),
        ("```task\nid: T1\nstatus: \"todo\n```\n", 3, "quote is not closed", 0),
        ("```task\nid: T1\nstatus: t\u{f6}do\n```\n", 3, "visible ASCII", 0),
        ("```task\nid: T\\1\nstatus: todo\n```\n", 2, "backslash", 0),
        ("```task\nid: T1\nstatus: todo\nstatus: done\n```\n", 4, "first on line 3", 0),
        ("```task\n  id: T1\nstatus: todo\n```\n", 3, "indented less", 0),
        (
            "```\ncode\n\n```task\nid: T1\nstatus: todo\n```\n",
            4,
            "inside of the fence that opens on line 1",
            0,
        ),
    ];
    for (text, line, says, others) in cases {
        let read = read(text.as_bytes());
        let told: Vec<_> = read.troubles.iter().map(|trouble| (trouble.line, trouble.kind)).collect();
        assert_eq!(told, [(line, TroubleKind::Block)], "{text:?}: {read:?}");
        assert!(read.troubles[0].what.contains(says), "{text:?}: {}", read.troubles[0].what);
        assert_eq!(read.tasks.len(), others, "{text:?}: {read:?}");
    }
}

/// PLAN-3: A file with task blocks that has a NUL byte, is not UTF-8, has line ends of carriage returns alone, or is longer
/// than 8 MiB is told as a whole, and none of its blocks is a task.
#[test]
fn a_file_that_is_no_text_is_told_as_a_whole() {
    let block = "```task\nid: T1\nstatus: todo\n```\n";
    let long = format!("{block}{}", "x".repeat(PLAN_BYTES_MAX));
    let cases: [(&[u8], u64, &str); 4] = [
        (&[block.as_bytes(), b"\n\0"].concat(), 6, "NUL"),
        (&[block.as_bytes(), b"\xff\n"].concat(), 5, "UTF-8"),
        (b"```task\rid: T1\rstatus: todo\r```\r", 1, "carriage return"),
        (long.as_bytes(), 1, "divide it"),
    ];
    for (bytes, line, says) in cases {
        let read = read(bytes);
        assert_eq!((read.tasks.len(), read.troubles.len()), (0, 1), "{says}");
        let trouble = &read.troubles[0];
        assert_eq!((trouble.line, trouble.kind), (line, TroubleKind::File), "{trouble:?}");
        assert!(trouble.what.contains(says), "{trouble:?}");
    }
    // Without a task block it is none of ours.
    assert_eq!(read(b"\0\xff\r ``` a task"), Read::default());
}
