//! Bad write sets, steps, boards and force: the right exit code, a message that names what is wrong, and nothing done.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use fencehold::board::Board;
use fencehold_model::policy::IdForm;
use fencehold_model::status::{Value, Vocabulary};
use fencehold_model::{Status, TaskId, WorkspaceId};

use crate::program::{Said, Yard, code, said};

/// Ended with 2, nothing on stdout, and a message that says these words.
#[track_caller]
fn named(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

/// Runs a command with this on its stdin.
fn fed(yard: &Yard, args: &[&str], bytes: &[u8]) -> Said {
    let mut command = yard.fencehold();
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who refuses at the first line need not read the rest.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    let output = child.wait_with_output().unwrap();
    Said {
        code: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// CLI-37: An entry of a write set that is malformed, that leaves the worktree, that names nothing or that ends in `/`
/// where a file stands, and a write set beyond its bounds, exit 2 with a message that names it, and an entry without a
/// literal beginning is said to be compared with every lease.
#[test]
fn a_write_set_that_cannot_be_is_named() {
    let yard = Yard::with_git();
    symlink("/", yard.join("out")).unwrap();
    fs::write(yard.join("file"), "").unwrap();
    let mut seen = 0;
    for (entry, word) in [
        ("[", "`[`"),
        ("src/[z-a].rs", "[z-a]"),
        ("src/\\", "\\"),
        ("*", "wildcards alone"),
        ("**/*", "wildcards alone"),
        ("", "names nothing"),
        ("../x", "outside"),
        ("/etc/passwd", "outside"),
        ("out/etc/x", "outside"),
        ("a\nb", "control character"),
        (".git/hooks/x", ".git"),
        ("./file/", "name it without the `/`"),
        (&"x/".repeat(3000), "4096"),
    ] {
        let said = yard.run(["lease", "grant", "1", "--writes", "good", entry]);
        named(&said, &[word]);
        // A list has no blank entries, and none with a newline in it.
        if !entry.is_empty() && !entry.contains('\n') {
            let list = format!("good\n\n{entry}\n");
            let listed = fed(&yard, &["lease", "grant", "1", "--writes-from", "-"], list.as_bytes());
            named(&listed, &["- line 3", word]);
        }
        seen += 1;
    }
    assert_eq!(seen, 13);
    let not_text = [OsStr::new("lease"), OsStr::new("grant"), OsStr::new("1"), OsStr::new("--writes")];
    named(&yard.run(not_text.into_iter().chain([OsStr::from_bytes(b"a\xff")])), &["UTF-8"]);
    let many: String = (0..100_000).map(|n| format!("p/{n}\n")).collect();
    fs::write(yard.join("list"), many).unwrap();
    named(&yard.run(["lease", "grant", "1", "--writes-from", "list"]), &["100000 entries", "the most is"]);
    named(&yard.run(["lease", "grant", "1", "--writes-from", "none"]), &["none"]);
    assert!(!yard.join(".git/fencehold").exists(), "nothing is created for what cannot be done");
    let many: String = (0..1000).map(|n| format!("p/{n}\r\n")).collect();
    let said = fed(&yard, &["lease", "grant", "1", "--writes-from", "-"], many.as_bytes());
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(yard.json(0, ["lease", "show", "1"])["write_set"].as_array().unwrap().len(), 1000);
    let said = yard.run(["lease", "grant", "2", "--writes", "*.md"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.stderr.contains("*.md begins with a wildcard, so it is compared with every lease"),
        "{said:?}"
    );
}

#[test]
fn a_step_that_makes_no_sense_is_named() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["task", "set", "1", "todo"]).code, 0);
    let before = yard.snapshot();
    let long = format!("{{\"q\":\"{}\"}}", "x".repeat(5000));
    let mut seen = 0;
    for (args, word) in [
        (&["task", "set", "1", "dnoe"][..], "status dnoe is unknown; this workspace has todo"),
        (&["task", "set", "1", "done", "--from", "tood"], "tood"),
        (&["task", "reopen", "1", "dnoe", "--reason", "r"], "dnoe"),
        (&["task", "set", "1", "done", "--epoch", "9"], "epoch 9 is unknown: task 1 stands in epoch 0"),
        (&["task", "set", "1", "done", "--epoch", "-1"], "-1"),
        (&["task", "set", "1", "done", "--epoch", "9007199254740992"], "9007199254740992"),
        (&["task", "set", "2", "done", "--epoch", "1"], "task 2 was never reopened"),
        (&["task", "set", "1", "done", "--detail", "{"], "no JSON"),
        (&["task", "set", "1", "done", "--detail", "[]"], "JSON object"),
        (&["task", "set", "1", "done", "--detail", &long], "4096"),
        (&["task", "set", " ", "done"], "blank"),
        (&["task", "set", "1", " done"], "white space"),
        (&["task", "reopen", "1", "todo"], "--reason"),
        (&["lease", "crash", "1"], "--reason"),
        (&["lease", "grant", "1", "--ttl", "0s"], "zero"),
        (&["lease", "grant", "1", "--pid", "99999999"], "99999999"),
        (&["lease", "grant", "1", "--agent", ""], "the agent is blank"),
        (&["lease", "list", "--state", "done"], "done"),
        (&["lease", "close", "1", "--token", "x"], "x"),
    ] {
        named(&yard.run(args), &[word]);
        seen += 1;
    }
    assert_eq!((seen, yard.snapshot()), (19, before));
}

/// CLI-36: `lease clear --force` without a reason, and a blank reason of `clear`, `crash` or `reopen`, exit 1 as
/// `needs_reason`.
///
/// Defect GSDD-16: force left no trace.
#[test]
fn force_without_a_reason_is_refused() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lease", "grant", "1", "--writes", "a"]).code, 0);
    assert_eq!(yard.run(["task", "set", "1", "done"]).code, 0);
    let before = yard.snapshot();
    let mut seen = 0;
    for args in [
        &["lease", "clear", "1"][..],
        &["lease", "clear", "1", "--reason", "gone"],
        &["lease", "clear", "1", "--force"],
        &["lease", "clear", "1", "--force", "--reason", " "],
        &["lease", "crash", "1", "--reason", "\t"],
        &["task", "reopen", "1", "todo", "--reason", ""],
    ] {
        let said = yard.run(args);
        assert_eq!(
            (said.code, said.stdout.as_str(), said.stderr.lines().count()),
            (1, "", 1),
            "{args:?}: {said:?}"
        );
        assert!(said.stderr.contains("reason"), "{said:?}");
        assert_eq!(yard.json(1, args)["reason"], "needs_reason", "{args:?}");
        seen += 1;
    }
    assert_eq!((seen, yard.snapshot()), (6, before));
    assert_eq!(yard.run(["lease", "clear", "1", "--force", "--reason", "gone"]).code, 0);
}

/// A board of the default policy with these tasks.
fn board(tasks: &[(&str, &str)]) -> String {
    let value = |status: &str| Value::of(0, 0, Status::new(status).unwrap(), None);
    let cells = tasks.iter().map(|(task, status)| (TaskId::new(task).unwrap(), value(status)));
    let board = Board {
        workspace: WorkspaceId::new("elsewhere").unwrap(),
        task_ids: IdForm::Text,
        vocabulary: Vocabulary::default(),
        cells: cells.collect(),
    };
    board.write()
}

/// CLI-44: `task merge` of a board that is no JSON, is cut off, is not as it was exported, is of another vocabulary or of
/// a newer format, or names a task twice under any spelling, exits 2 with the file and the line, and nothing is merged.
#[test]
fn a_bad_board_is_named_with_its_line_and_nothing_is_merged() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["task", "set", "1", "todo"]).code, 0);
    let good = board(&[("1", "done"), ("2", "blocked"), ("3", "todo")]);
    let lines: Vec<&str> = good.lines().collect();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let cut = &good[..good.len() - 20];
    let cases: Vec<(String, &[&str])> = vec![
        (String::new(), &["line 1: it is empty"]),
        ("# Plan\n".to_owned(), &["line 1: not JSON"]),
        ("[1]\n".to_owned(), &["line 1: not a JSON object"]),
        ("{\"id\":\"a\"}\n".to_owned(), &["line 1: this is no board"]),
        (with("{\"task\":\"2\"", "{\"task\":2,}"), &["line 3: not JSON"]),
        (cut.to_owned(), &["line 5: it is cut off"]),
        (lines[..4].join("\n") + "\n", &["line 4: it is cut off", "the seal"]),
        ([lines[0], lines[1], lines[2], lines[4], ""].join("\n"), &["line 4", "3 tasks, and 2 stand in it"]),
        (good.clone() + lines[1] + "\n", &["line 6: it goes on after its last line"]),
        (with("\"turn\":0", "\"turn\":1"), &["line 5", "not as they were written"]),
        (with("\"board\":1", "\"board\":2"), &["format 2", "reads format 1"]),
        (with("\"board\":1", "\"board\":0"), &["line 1: format 0 is none"]),
        (with("\"workspace\":\"elsewhere\"", "\"workspace\":\" \""), &["line 1: field `workspace`"]),
        (with("\"task_ids\":\"text\"", "\"task_ids\":\"numbers\""), &["line 1: its task ids are numbers"]),
        (
            with("\"blocked\",\"rank\":1", "\"stuck\",\"rank\":1"),
            &["line 1", "stuck (rank 1) is only in the board", "blocked (rank 1) is only here"],
        ),
        (
            with("\"done\",\"rank\":2", "\"done\",\"rank\":3"),
            &["done is rank 3, terminal in the board and rank 2, terminal here"],
        ),
        (with("{\"done\":null}", "{\"dnoe\":null}"), &["line 2: status dnoe is unknown"]),
        (
            with("{\"done\":null}", "{\"done\":null,\"todo\":null}"),
            &["line 2: done and todo have different ranks"],
        ),
        (with("{\"done\":null}", "{}"), &["line 2: field `statuses` holds no status"]),
        (with("{\"done\":null}", "{\"done\":7}"), &["line 2: a detail is a JSON object"]),
        (with("\"epoch\":0", "\"epoch\":9007199254740992"), &["line 2: field `epoch`", "2^53-1"]),
        (with("\"turn\":0", "\"turn\":-1"), &["line 2: field `turn`"]),
        (with("\"epoch\":0,", ""), &["line 2: field `epoch` is missing"]),
        (with("{\"task\":\"2\"", "{\"task\":\"1\""), &["line 3: task 1 stands in line 2 already"]),
        (with("{\"task\":\"2\"", "{\"task\":\"\""), &["line 3: field `task`: task is blank"]),
        (with("null}}", "null}}\0"), &["line 2: a run of 1 NUL bytes"]),
    ];
    let before = yard.run(["task", "export"]).stdout;
    let mut seen = 0;
    for (text, words) in &cases {
        fs::write(yard.join("board.ndjson"), text).unwrap();
        let said = yard.run(["task", "merge", "board.ndjson"]);
        named(&said, words);
        named(&said, &["board.ndjson"]);
        assert_eq!(yard.run(["task", "export"]).stdout, before, "{words:?}");
        named(&fed(&yard, &["task", "merge", "-"], text.as_bytes()), &["stdin"]);
        seen += 1;
    }
    assert_eq!(seen, 26);
    named(&yard.run(["task", "merge", "none"]), &["none"]);
    spelled_twice();
    fs::write(yard.join("board.ndjson"), good.replace('\n', "\r\n")).unwrap();
    assert_eq!(yard.run(["task", "merge", "board.ndjson"]).code, 0, "git may have changed the line ends");
    assert_eq!(yard.run(["task", "get", "1"]).stdout, "done\n");
}

/// Two spellings of one task where ids are numbers.
fn spelled_twice() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), "[tasks]\nids = \"numbers\"\n").unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    let text =
        board(&[("05", "done"), ("5", "todo")]).replace("\"task_ids\":\"text\"", "\"task_ids\":\"numbers\"");
    fs::write(yard.join("board.ndjson"), text).unwrap();
    let words = ["board.ndjson line 3: task 5 is the task 05 of line 2, written otherwise"];
    named(&yard.run(["task", "merge", "board.ndjson"]), &words);
    assert_eq!(yard.run(["task", "list"]).stdout, "");
}

/// CLI-51: What can only be refused, or makes no sense, where there is no workspace creates none.
#[test]
fn what_can_only_be_refused_creates_nothing() {
    let yard = Yard::with_git();
    fs::write(yard.join("empty.ndjson"), board(&[])).unwrap();
    fs::write(yard.join("bad.ndjson"), "{}\n").unwrap();
    fs::write(yard.join("default.toml"), "").unwrap();
    let before = yard.snapshot();
    let mut seen = 0;
    for (args, code) in [
        (&["lease", "close", "1"][..], 1),
        (&["lease", "crash", "1", "--reason", "r"], 1),
        (&["lease", "clear", "1"], 1),
        (&["lease", "clear", "1", "--force"], 1),
        (&["lease", "show", "1"], 1),
        (&["lease", "list", "--all"], 0),
        (&["lease", "reap"], 0),
        (&["lease", "grant", "1", "--writes", "*"], 2),
        (&["lease", "grant", "1", "--branch", " "], 2),
        (&["task", "set", "1", "dnoe"], 2),
        (&["task", "set", "1", "done", "--from", "todo"], 1),
        (&["task", "set", "1", "done", "--epoch", "3"], 2),
        (&["task", "reopen", "1", "todo", "--reason", "r"], 1),
        (&["task", "reopen", "1", "todo", "--reason", " "], 1),
        (&["task", "get", "1"], 1),
        (&["task", "show", "1"], 1),
        (&["task", "list"], 0),
        (&["task", "export"], 1),
        (&["task", "merge", "bad.ndjson"], 2),
        (&["task", "merge", "empty.ndjson"], 0),
        (&["config", "show"], 0),
        (&["config", "apply"], 2),
        (&["config", "apply", "default.toml"], 0),
        (&["status"], 0),
    ] {
        let said = said(yard.fencehold().args(args));
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        assert_eq!(yard.snapshot(), before, "{args:?}");
        seen += 1;
    }
    assert_eq!(seen, 24);
}
