//! Data that is not as we wrote it: damaged, of a newer format, with a piece missing; exit codes, messages, and bytes
//! untouched or copied to quarantine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::program::{Said, Yard};

/// Ended with 2, one message on stderr that says these words, and nothing on stdout.
#[track_caller]
fn refuses(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

#[test]
fn a_damaged_line_and_a_damaged_document_are_4_and_stay() {
    let yard = Yard::with_git();
    let log = "{\"id\":\"a\"}\nrubbish\n{\"id\":\"a\"}\n";
    fs::write(yard.join("l.ndjson"), log).unwrap();
    fs::write(yard.join("d.json"), "{\"n\":").unwrap();
    let read = yard.run(["log", "read", "l.ndjson"]);
    assert_eq!((read.code, read.stdout.lines().count()), (4, 2), "{read:?}");
    assert!(read.stderr.contains("line 2"), "{read:?}");
    let check = yard.json(4, ["log", "check", "l.ndjson"]);
    assert_eq!((&check["damaged"], &check["duplicates"][0]), (&1.into(), &"a".into()));
    for _ in 0..2 {
        assert_eq!(yard.run(["doc", "update", "d.json", "--merge", "{}"]).code, 4);
        assert_eq!(yard.run(["doc", "read", "d.json"]).code, 4);
    }
    assert_eq!(fs::read_to_string(yard.join("d.json")).unwrap(), "{\"n\":");
    assert_eq!(fs::read_to_string(yard.join("l.ndjson")).unwrap(), log);
    let repaired = yard.run(["doc", "repair", "d.json"]);
    assert!(repaired.code == 0 && repaired.stderr.contains("quarantine"), "{repaired:?}");
    assert_eq!(yard.run(["doc", "read", "d.json"]).code, 0);
}

/// CLI-17: A journal, floor or mark of a newer format exits 2 with both numbers, and no byte on disk changes.
///
/// Defect GSDD-18: the version of the file was not looked at.
#[test]
fn a_newer_format_is_left_alone() {
    for name in ["journal.1.ndjson", "floor.json"] {
        let yard = Yard::with_git();
        assert_eq!(yard.run(["lock", "acquire", "build"]).code, 0);
        let path = yard.join(".git/fencehold").join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, newer(&text)).unwrap();
        let before = yard.snapshot();
        for args in [&["lock", "acquire", "other"][..], &["repair"]] {
            refuses(&yard.run(args), &[path.to_str().unwrap(), "7", "1"]);
        }
        assert_eq!(yard.snapshot(), before, "{name}");
    }
    let yard = Yard::with_git();
    let token = yard.run(["lock", "acquire", "build"]).stdout.trim_end().to_owned();
    let fence = format!("lock/build={token}");
    let update = ["doc", "update", "d", "--merge", "{}", "--fence", &fence];
    assert_eq!(yard.run(update).code, 0);
    let mark = fs::read_dir(yard.join(".git/fencehold/doc")).unwrap().next().unwrap().unwrap().path();
    let slot = newer(fs::read_to_string(&mark).unwrap().lines().next().unwrap().trim_end());
    fs::write(&mark, format!("{:1023}\n", slot.trim_end())).unwrap();
    let before = yard.snapshot();
    refuses(&yard.run(update), &[mark.to_str().unwrap(), "7", "1"]);
    assert_eq!(yard.snapshot(), before, "a mark");
}

/// The same file as a program that writes format 7 would begin it, its checksum right.
pub(crate) fn newer(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let body = &first[..first.rfind(",\"crc\"").unwrap()];
    let (before, after) = body.split_once("\"fencehold\":").unwrap();
    let mut line =
        format!("{before}\"fencehold\":7{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    fencehold_model::chain::seal(&mut line);
    line + rest
}

/// RECOVER-5: Any other break is damage: every operation on locks, and `history`, exits 4 and changes nothing.
#[test]
fn a_journal_that_is_damaged_in_the_middle_stops_everything_until_repair() {
    let yard = Yard::with_git();
    for name in ["first", "second", "third"] {
        assert_eq!(yard.run(["lock", "acquire", name]).code, 0);
    }
    let path = yard.join(".git/fencehold/journal.1.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"second\"", "\"sEcond\"", 1)).unwrap();
    let before = yard.snapshot();
    for args in [
        &["lock", "acquire", "fourth"][..],
        &["lock", "release", "first", "--token", "1"],
        &["lock", "break", "first", "--reason", "r"],
        &["lock", "show", "first"],
        &["lock", "list"],
        &["history"],
        &["status"],
        &["doctor"],
    ] {
        let said = yard.run(args);
        assert_eq!(said.code, 4, "{args:?}: {said:?}");
        let all = said.stderr.clone() + &said.stdout;
        assert!(all.contains(path.to_str().unwrap()) && all.contains("repair"), "{args:?}: {said:?}");
    }
    assert_eq!(yard.run(["lock", "run", "fourth", "--", "true"]).code, 125);
    assert_eq!(yard.snapshot(), before);
    let repaired = yard.run(["repair"]);
    assert_eq!(repaired.code, 0, "{repaired:?}");
    assert!(repaired.stdout.contains("quarantine") && repaired.stdout.contains("third"), "{repaired:?}");
    assert_eq!(yard.run(["lock", "acquire", "fourth"]).code, 0);
    assert!(yard.run(["lock", "show", "first"]).stdout.contains("held by tester"));
    let status = yard.json(0, ["status"]);
    assert_eq!(status["quarantine"].as_array().map(Vec::len), Some(1), "{status}");
}

/// RECOVER-11: `repair` of an undamaged workspace exits 0 and changes nothing.
#[test]
fn a_repair_of_what_is_whole_changes_nothing() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "build"]).code, 0);
    let before = yard.snapshot();
    let said = yard.run(["repair"]);
    assert_eq!((said.code, said.stdout.as_str()), (0, "nothing was wrong\n"), "{said:?}");
    assert_eq!(yard.snapshot(), before);
    assert_eq!(Yard::with_git().run(["repair"]).code, 0, "where there is no workspace, too");
}

/// RECOVER-7: A workspace without its lock file, its journal or its floor, or with an invalid floor, is damaged and
/// never taken for a fresh one.
///
/// Defect GSDD-7: where the file is gone, so is every lease, and nobody is told.
#[test]
fn a_workspace_with_a_piece_missing_is_never_a_fresh_one() {
    for name in ["lock", "journal.1.ndjson", "floor.json", "rubbish in floor.json"] {
        let yard = Yard::with_git();
        assert_eq!(yard.run(["lock", "acquire", "build", "--ttl", "1h"]).code, 0);
        let dir = yard.join(".git/fencehold");
        match name.strip_prefix("rubbish in ") {
            Some(name) => fs::write(dir.join(name), "rubbish\n").unwrap(),
            None => fs::remove_file(dir.join(name)).unwrap(),
        }
        let before = yard.snapshot();
        let said = yard.run(["lock", "acquire", "build", "--holder", "b"]);
        assert_eq!((said.code, said.stdout.as_str()), (4, ""), "{name}: {said:?}");
        assert_eq!(yard.snapshot(), before, "{name}");
    }
}

/// RECOVER-5: Any other break is damage: every operation on locks, and `history`, exits 4 and changes nothing.
///
/// Defect GSDD-18: an entry that is none ended the program.
/// Defect GSDD-10: what was moved aside was overwritten by what was next.
#[test]
fn a_foreign_line_in_the_journal_is_kept_aside_by_repair() {
    for foreign in ["{\"id\":\"a\"}\n", "hello\n", "\n", "\u{0}\u{0}\n", "{}\r\n"] {
        let yard = Yard::with_git();
        assert_eq!(yard.run(["lock", "acquire", "build", "--ttl", "1h"]).code, 0);
        let path = yard.join(".git/fencehold/journal.1.ndjson");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{foreign}")).unwrap();
        let before = yard.snapshot();
        for args in [&["lock", "acquire", "other"][..], &["lock", "list"], &["history"]] {
            let said = yard.run(args);
            assert_eq!(said.code, 4, "{foreign:?} {args:?}: {said:?}");
            assert!(
                said.stderr.contains("journal.1.ndjson line 4: damaged"),
                "{foreign:?} {args:?}: {said:?}"
            );
        }
        assert_eq!(yard.snapshot(), before, "{foreign:?}");
        assert_eq!(yard.run(["repair"]).code, 0);
        let kept = fs::read_dir(yard.join(".git/fencehold/quarantine")).unwrap().next().unwrap().unwrap();
        assert_eq!(fs::read_to_string(kept.path()).unwrap(), foreign);
        assert!(yard.run(["lock", "list"]).stdout.contains("build: held by tester"), "{foreign:?}");
        assert_eq!(yard.run(["lock", "acquire", "other"]).code, 0);
    }
}

#[test]
fn a_folder_of_ours_that_is_missing_is_made_anew_by_repair() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init", "--shared"]).code, 0);
    fs::write(yard.join("bad"), "{").unwrap();
    let dir = yard.join(".git/fencehold");
    for (name, args) in [
        ("doc", &["log", "append", "l", "{\"id\":\"a\"}"][..]),
        ("quarantine", &["doc", "repair", "bad"]),
        ("archive", &["lock", "acquire", "build", "--claim", "c"]),
    ] {
        fs::remove_dir_all(dir.join(name)).unwrap();
        let said = yard.run(args);
        if name == "archive" {
            assert_eq!(said.code, 0, "it is needed by a rotation only: {said:?}");
        } else {
            refuses(&said, &[name, "is missing", "fencehold repair"]);
        }
        let repaired = yard.run(["repair"]);
        assert!(repaired.code == 0 && repaired.stdout.contains(name), "{repaired:?}");
        let mode = fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode, yard.run(args).code), (0o2770, 0), "{name} {mode:o}");
        assert_eq!(yard.run(["repair"]).stdout, "nothing was wrong\n");
    }
}
