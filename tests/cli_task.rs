//! `fencehold task` as processes: steps, conflicts, and boards that clones exchange.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use fencehold::board::Board;
use fencehold_model::policy::IdForm;
use fencehold_model::status::{Detail, Value, Vocabulary};
use fencehold_model::{Status, TaskId, WorkspaceId};
use fencehold_stress::rng::Rng;

use crate::program::{Kept, Said, Yard, code, said};

/// Ended with 1, one line on stderr that says these words.
#[track_caller]
fn one(said: &Said, stdout: &str, words: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.lines().count()), (1, stdout, 1), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

#[track_caller]
fn done(yard: &Yard, args: &[&str]) -> Said {
    let said = yard.run(args);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{args:?}: {said:?}");
    said
}

/// CLI-38: `task set` that names no `--from` within a rank is recorded, exits 1, and says that both statuses stand and
/// how to choose one.
///
/// CLI-40: `task get` prints the status alone, and where several stand prints each on a line and exits 1.
#[test]
fn a_step_that_does_not_say_what_it_leaves_is_a_conflict() {
    let yard = Yard::with_git();
    done(&yard, &["init"]);
    done(&yard, &["task", "set", "7", "in_progress"]);
    assert_eq!(done(&yard, &["task", "get", "7"]).stdout, "in_progress\n");
    let choose = "`fencehold task set 7 blocked --resolve`";
    one(&yard.run(["task", "set", "7", "blocked"]), "", &["blocked and in_progress", "recorded", choose]);
    one(&yard.run(["task", "get", "7"]), "blocked\nin_progress\n", &["in conflict", choose]);
    let object = yard.json(1, ["task", "set", "7", "blocked"]);
    assert_eq!(object["outcome"], "ok", "it is no refusal");
    assert_eq!(object["value"]["statuses"], serde_json::json!(["blocked", "in_progress"]));
    done(&yard, &["task", "set", "7", "blocked", "--resolve"]);
    assert_eq!(done(&yard, &["task", "get", "7"]).stdout, "blocked\n");
    done(&yard, &["task", "set", "7", "in_progress", "--from", "blocked", "--detail", "{\"pr\":\"#9\"}"]);
    let object = yard.json(0, ["task", "get", "7"]);
    assert_eq!((&object["turn"], &object["details"]["in_progress"]["pr"]), (&2.into(), &"#9".into()));
    done(&yard, &["task", "set", "7", "done"]);
    let shown = done(&yard, &["task", "show", "7"]).stdout;
    for word in ["task 7: done", "by      tester", "resolved to blocked", "task 7: blocked, in_progress"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert_eq!(yard.json(0, ["task", "show", "7"])["history"].as_array().unwrap().len(), 5);
    assert_eq!(done(&yard, &["history", "task/7"]).stdout.lines().count(), 5);
    done(&yard, &["task", "set", "8", "todo"]);
    let listed = done(&yard, &["task", "list"]).stdout;
    assert!(listed.starts_with("task 7: done, since ") && listed.contains("\ntask 8: todo"), "{listed}");
    one(&yard.run(["task", "get", "9"]), "", &["task 9 has no status yet"]);
}

/// CLI-39: A refused `task set` says what the task is, and where its epoch is over the epoch to name.
///
/// CLI-41: `task reopen` prints the new epoch alone, one line on stdout.
#[test]
fn a_refused_step_says_what_stands() {
    let yard = Yard::with_git();
    done(&yard, &["init"]);
    one(&yard.run(["task", "set", "7", "done", "--from", "todo"]), "", &["has no status yet"]);
    one(&yard.run(["task", "reopen", "7", "todo", "--reason", "r"]), "", &["has no status yet"]);
    done(&yard, &["task", "set", "7", "blocked"]);
    let before = yard.snapshot();
    one(&yard.run(["task", "set", "7", "todo"]), "", &["task 7 is blocked", "task reopen 7 todo"]);
    let moved = yard.run(["task", "set", "7", "in_progress", "--from", "todo"]);
    one(&moved, "", &["task 7 is blocked, not todo", "moved since you looked"]);
    assert_eq!(yard.snapshot(), before);
    done(&yard, &["task", "set", "7", "done"]);
    one(&yard.run(["task", "set", "7", "cancelled", "--from", "done"]), "", &["task 7 is done", "reopen"]);
    let reopened = done(&yard, &["task", "reopen", "7", "todo", "--reason", "it broke"]);
    let epoch: u64 = reopened.stdout.trim_end().parse().expect("a number");
    assert_eq!(reopened.stdout, format!("{epoch}\n"));
    let stale = yard.run(["task", "set", "7", "done"]);
    one(&stale, "", &["was reopened", &format!("todo in epoch {epoch}"), &format!("--epoch {epoch}")]);
    let object = yard.json(1, ["task", "set", "7", "done"]);
    assert_eq!((&object["reason"], &object["value"]["epoch"]), (&"stale_epoch".into(), &epoch.into()));
    let epoch = epoch.to_string();
    done(&yard, &["task", "set", "7", "blocked", "--epoch", &epoch]);
    let conflict = yard.run(["task", "set", "7", "in_progress", "--epoch", &epoch]);
    one(&conflict, "", &[&format!("task set 7 blocked --resolve --epoch {epoch}")]);
}

/// CLI-42: A board is NDJSON: a line with format, workspace and vocabulary, one for each task by id, and a last one that
/// seals them; workspaces that hold the same export the same bytes, the id of the workspace aside.
///
/// CLI-43: `task export` replaces the file whole or leaves it, and never one that is no board.
#[test]
fn a_board_is_a_file_that_is_replaced_whole() {
    let yard = Yard::with_git();
    done(&yard, &["init"]);
    for task in ["b", "a", "10", "9"] {
        done(&yard, &["task", "set", task, "todo"]);
    }
    done(&yard, &["task", "export", "board.ndjson"]);
    let text = fs::read_to_string(yard.join("board.ndjson")).unwrap();
    assert_eq!(text, done(&yard, &["task", "export"]).stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("{\"board\":1,\"workspace\":\""), "{text}");
    assert_eq!(lines[1], "{\"task\":\"10\",\"epoch\":0,\"turn\":0,\"statuses\":{\"todo\":null}}");
    assert!(lines[5].starts_with("{\"tasks\":4,\"seal\":\""), "{text}");
    fs::set_permissions(yard.join("board.ndjson"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("board.ndjson", yard.join("link")).unwrap();
    done(&yard, &["task", "set", "c", "todo"]);
    done(&yard, &["task", "export", "link"]);
    assert!(fs::symlink_metadata(yard.join("link")).unwrap().is_symlink());
    let board = yard.join("board.ndjson");
    assert_eq!(fs::metadata(&board).unwrap().permissions().mode() & 0o777, 0o640);
    let whole = fs::read_to_string(&board).unwrap();
    assert_eq!(whole.lines().count(), 7);
    let mut limited = Command::new("prlimit");
    limited.args(["--fsize=100", "sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    limited.arg(env!("CARGO_BIN_EXE_fencehold-under-test")).args(["task", "export", "board.ndjson"]);
    let failed = said(limited.current_dir(yard.path()));
    assert_eq!((failed.code, failed.stdout.as_str()), (2, ""), "{failed:?}");
    assert_eq!(fs::read_to_string(&board).unwrap(), whole, "it is left as it was");
    fs::write(yard.join("other.md"), "# Plan\n").unwrap();
    for (file, word) in [
        ("other.md", "something else"),
        (".git/fencehold/b", "workspace folder"),
        (".", "no"),
        ("/dev/null", "no regular file"),
    ] {
        let said = yard.run(["task", "export", file]);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
        assert!(said.stderr.contains(word), "{file}: {said:?}");
    }
    assert_eq!(fs::read_to_string(yard.join("other.md")).unwrap(), "# Plan\n");
    let names = fs::read_dir(yard.path()).unwrap().count();
    assert_eq!(names, 4, ".git, board.ndjson, link, other.md: no temporary file is left");
}

/// One step of one clone, drawn.
fn step(yard: &Yard, rng: &mut Rng) {
    let task = rng.pick(&["1", "2", "3", "4", "5"]);
    let status = rng.pick(&["todo", "in_progress", "blocked", "done", "cancelled"]);
    let object = said(yard.fencehold().args(["--json", "task", "get", task]));
    let value: serde_json::Value = serde_json::from_str(&object.stdout).unwrap();
    let epoch = value["epoch"].as_u64().unwrap_or(0).to_string();
    let detail = format!("{{\"n\":{}}}", rng.below(3));
    let args = match rng.below(8) {
        0 => vec!["task", "reopen", task, status, "--reason", "drawn"],
        1 => vec!["task", "set", task, status, "--epoch", &epoch, "--resolve"],
        2 | 3 => vec!["task", "set", task, status, "--epoch", &epoch, "--detail", &detail],
        4 => match value["statuses"][0].as_str() {
            Some(from) => vec!["task", "set", task, status, "--epoch", &epoch, "--from", from],
            None => vec!["task", "set", task, status],
        },
        _ => vec!["task", "set", task, status, "--epoch", &epoch],
    };
    let said = yard.run(&args);
    assert!(said.code <= 1, "{args:?}: {said:?}");
}

fn merge(into: &Yard, board: &str) {
    let said = into.run(["task", "merge", board]);
    assert!(said.code <= 1, "{said:?}");
}

/// CLI-45: A board of any workspace may be merged, its id is told, and clones that merge each other's boards, in any
/// order and however often, come to one board.
#[test]
fn three_clones_come_to_one_board() {
    let (mut conflicts, mut seen) = (0, 0);
    for seed in 0..8_u64 {
        let mut rng = Rng::new(seed);
        let clones = [Yard::with_git(), Yard::with_git(), Yard::with_git()];
        for yard in &clones {
            done(yard, &["init"]);
        }
        for _ in 0..24 {
            step(rng.pick(&clones), &mut rng);
            // A partition that opens for one exchange, in one direction.
            if rng.one_in(4) {
                let (from, into) = (rng.pick(&clones), rng.pick(&clones));
                done(from, &["task", "export", "board.ndjson"]);
                merge(into, from.join("board.ndjson").to_str().unwrap());
            }
        }
        let boards = [0, 1, 2].map(|at| {
            done(&clones[at], &["task", "export", "board.ndjson"]);
            clones[at].join("board.ndjson").to_str().unwrap().to_owned()
        });
        // Every combination of the orders in which each takes the others' in, one to each seed; some of them twice.
        for (at, yard) in clones.iter().enumerate() {
            let mut others = vec![(at + 1) % 3, (at + 2) % 3];
            if seed >> at & 1 == 1 {
                others.reverse();
            }
            if rng.one_in(2) {
                others.push(others[0]);
                others.push(at);
            }
            for other in others {
                merge(yard, &boards[other]);
            }
        }
        let exports = [0, 1, 2].map(|at| said(clones[at].fencehold().args(["task", "export"])).stdout);
        let tasks = exports.each_ref().map(|text| text.split_once('\n').unwrap().1);
        assert_eq!((tasks[0], tasks[0]), (tasks[1], tasks[2]), "seed {seed}");
        assert_ne!(exports[0], exports[1], "each says of which workspace it is");
        conflicts += usize::from(tasks[0].contains("},\"") || tasks[0].contains("null,\""));
        seen += 1;
    }
    assert!(seen == 8 && conflicts > 0, "{conflicts} of {seen} ended with a task in conflict");
}

/// A board of another workspace with `count` tasks that are done, and one that is blocked.
fn big_board(count: usize) -> String {
    let value = |status: &str| Value::of(0, 0, Status::new(status).unwrap(), None);
    let mut cells: std::collections::BTreeMap<_, _> =
        (0..count).map(|n| (TaskId::new(&format!("t{n:05}")).unwrap(), value("done"))).collect();
    cells.insert(TaskId::new("x").unwrap(), value("blocked"));
    let workspace = WorkspaceId::new("elsewhere").unwrap();
    Board { workspace, task_ids: IdForm::Text, vocabulary: Vocabulary::default(), cells }.write()
}

/// CLI-46: `task merge` exits 1 while a task of the board is in conflict, and names it; a merge that was killed and is
/// run again comes to the same.
#[test]
fn a_merge_that_was_killed_is_run_again() {
    let yard = Yard::with_git();
    done(&yard, &["init"]);
    done(&yard, &["task", "set", "x", "in_progress"]);
    let board = big_board(1500);
    fs::write(yard.join("board.ndjson"), &board).unwrap();
    let journal = yard.join(".git/fencehold/journal.1.ndjson");
    let begun = fs::metadata(&journal).unwrap().len() + 10_000;
    let mut merge = yard.fencehold();
    merge.args(["task", "merge", "board.ndjson"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut merge = Kept(merge.spawn().unwrap());
    while fs::metadata(&journal).is_ok_and(|meta| meta.len() < begun) {
        assert!(merge.0.try_wait().unwrap().is_none(), "it ended before it was killed");
    }
    merge.0.kill().unwrap();
    assert_eq!(code(merge.0.wait().unwrap()), 137);
    let part = done(&yard, &["task", "list"]).stdout.lines().count();
    assert!((2..1500).contains(&part), "{part} tasks were merged before the kill");
    let again = yard.run(["task", "merge", "board.ndjson"]);
    assert_eq!((again.code, again.stdout.lines().count()), (1, 1501 - (part - 1)), "{}", again.stderr);
    assert!(again.stderr.contains("another workspace, elsewhere"), "{again:?}");
    assert!(again.stderr.contains("task x is in conflict: blocked and in_progress"), "{again:?}");
    let third = yard.json(1, ["task", "merge", "board.ndjson"]);
    assert_eq!(
        (&third["value"]["changed"], &third["value"]["conflicts"]),
        (&serde_json::json!([]), &serde_json::json!(["x"]))
    );
    done(&yard, &["task", "set", "x", "done"]);
    let resolved = yard.run(["task", "merge", "board.ndjson"]);
    assert_eq!((resolved.code, resolved.stdout.as_str()), (0, ""));
    let export = done(&yard, &["task", "export"]).stdout;
    let expected = board.replace("{\"blocked\":null}", "{\"done\":null}");
    let lines = |text: &str| text.lines().skip(1).take(1501).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&export), lines(&expected));
}

/// CLI-50: A command that only looks at leases, tasks or the policy changes no byte and no name in the workspace folder.
#[test]
fn a_look_changes_nothing() {
    let yard = Yard::with_git();
    let worker = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
    let pid = worker.0.id().to_string();
    assert_eq!(yard.run(["lease", "grant", "1", "--writes", "a", "--pid", &pid]).code, 0);
    drop(worker);
    done(&yard, &["task", "set", "1", "blocked"]);
    assert_eq!(yard.run(["task", "set", "1", "in_progress"]).code, 1);
    fs::write(yard.join("fencehold.toml"), "[leases]\noverlap = \"advise\"\n").unwrap();
    let before = yard.snapshot();
    let mut seen = 0;
    for (args, code) in [
        (&["lease", "list"][..], 0),
        (&["lease", "list", "--all"], 0),
        (&["lease", "list", "--state", "open"], 0),
        (&["lease", "show", "1"], 0),
        (&["lease", "show", "2"], 1),
        (&["task", "list"], 0),
        (&["task", "get", "1"], 1),
        (&["task", "show", "1"], 0),
        (&["task", "export"], 0),
        (&["task", "export", "-"], 0),
        (&["config", "show"], 0),
        (&["status"], 0),
        (&["doctor"], 0),
        (&["history", "lease/1"], 0),
    ] {
        for json in [&[][..], &["--json"]] {
            let said = said(yard.fencehold().args(json).args(args));
            assert_eq!(said.code, code, "{args:?}: {said:?}");
            assert!(!said.stdout.is_empty() || args.contains(&"2"), "{args:?}");
            assert_eq!(yard.snapshot(), before, "{args:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 28);
}

#[test]
fn a_detail_reads_back_as_it_was_written() {
    let mut rng = Rng::new(3);
    let mut seen = 0;
    while seen < 100_000 {
        let number = f64::from_bits(rng.bits());
        if !number.is_finite() {
            continue;
        }
        let json = serde_json::from_str(&format!("{{\"n\":{number:e}}}")).unwrap();
        let once = Detail::new(&json).unwrap();
        let again = Detail::new(&serde_json::from_str(once.as_str()).unwrap()).unwrap();
        assert_eq!(once, again, "read, written and read, it is another");
        seen += 1;
    }
    let clones = [Yard::with_git(), Yard::with_git()];
    done(&clones[0], &["init"]);
    done(&clones[0], &["task", "set", "1", "done", "--detail", "{\"n\":-9.71800281394782e54}"]);
    done(&clones[0], &["task", "export", "board.ndjson"]);
    merge(&clones[1], clones[0].join("board.ndjson").to_str().unwrap());
    done(&clones[1], &["task", "export", "board.ndjson"]);
    let back = clones[1].join("board.ndjson");
    let back = clones[0].run(["task", "merge", back.to_str().unwrap()]);
    assert_eq!((back.code, back.stdout.as_str()), (0, ""), "nothing changed: {back:?}");
}
