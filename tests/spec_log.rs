//! Logs through the command line, and killed at every call.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use fencehold::error::Happened;
use fencehold::log::Page;
use fencehold::mark::Shown;
use serde_json::json;

use crate::hooked::{Act, Hooked};
use crate::log::record;
use crate::program::Yard;
use crate::site::Site;

/// LOG-7: An unterminated tail is neither a record nor damage, and `log check` reports it by itself.
#[test]
fn a_tail_without_its_newline_is_reported_by_itself() {
    let yard = Yard::with_git();
    fs::write(yard.join("l"), "{\"id\":\"a\"}\n{\"id\":\"half").unwrap();
    for with_workspace in [false, true] {
        let check = yard.json(0, ["log", "check", "l"]);
        assert_eq!(
            (&check["records"], &check["damaged"], &check["unterminated_bytes"]),
            (&json!(1), &json!(0), &json!(11)),
            "{check}"
        );
        let said = yard.run(["log", "check", "l"]);
        assert!(said.stdout.contains("11 bytes after the last newline"), "{said:?}");
        assert_eq!(yard.run(["log", "read", "l"]).stdout, "{\"id\":\"a\"}\n");
        if !with_workspace {
            assert_eq!(yard.run(["lock", "acquire", "x"]).code, 0);
        }
    }
    // Even where the half is a whole record but for its newline.
    fs::write(yard.join("l"), "{\"id\":\"a\"}").unwrap();
    assert_eq!(yard.json(0, ["log", "check", "l"])["records"], 0);
}

/// LOG-9: An append of a record whose id stands in the log already is made, and every read from then on reports that
/// id as a duplicate.
///
/// LOG-14: `log check` exits 1 where no line is damaged and an id stands in the log more than once, and names the id.
#[test]
fn an_id_that_stands_there_twice_is_reported_for_ever() {
    let yard = Yard::with_git();
    for record in ["{\"id\":\"a\",\"n\":1}", "{\"id\":\"b\"}", "{\"id\":\"a\",\"n\":2}"] {
        assert_eq!(yard.run(["log", "append", "l", record]).code, 0);
    }
    for more in 0..2 {
        let read = yard.json(0, ["log", "read", "l"]);
        assert_eq!(read["value"]["records"].as_array().unwrap().len(), 3 + more);
        assert_eq!(read["value"]["duplicates"], json!(["a"]));
        let check = yard.run(["log", "check", "l"]);
        assert_eq!(check.code, 1, "{check:?}");
        assert!(check.stdout.contains("\"a\"") && check.stderr.lines().count() == 1, "{check:?}");
        assert_eq!(yard.run(["log", "append", "l", &format!("{{\"id\":\"c{more}\"}}")]).code, 0);
    }
}

/// LOG-12: A log that does not exist reads as empty, and the first append creates it.
///
/// Behaviour A1.18: no file is an empty log.
#[test]
fn a_log_that_is_not_there_is_empty() {
    let yard = Yard::with_git();
    for _ in 0..2 {
        let read = yard.run(["log", "read", "l"]);
        assert_eq!((read.code, read.stdout.as_str(), read.stderr.as_str()), (0, "", ""));
        assert_eq!(yard.json(0, ["log", "check", "l"])["records"], 0);
        assert!(!yard.join("l").exists());
        assert_eq!(yard.run(["lock", "acquire", "x"]).code, 0, "once without and once with a workspace");
        assert_eq!(yard.run(["lock", "break", "x", "--reason", "r"]).code, 0);
    }
    assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"a\"}"]).code, 0);
    assert_eq!(fs::read_to_string(yard.join("l")).unwrap(), "{\"id\":\"a\"}\n");
    let mode = fs::metadata(yard.join("l")).unwrap().permissions().mode();
    assert_eq!(mode & 0o133, 0, "{mode:o}");
}

/// LOG-13: `log check` exits 4 where a line is damaged, names each of the first hundred by line number and byte
/// offset, and changes nothing.
#[test]
fn a_check_names_the_damaged_lines() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"a\"}"]).code, 0);
    let mut bytes = fs::read(yard.join("l")).unwrap();
    for n in 0..101 {
        bytes.extend_from_slice(if n == 0 { b"junk\xff\n" } else { b"junk\n" });
        bytes.extend_from_slice(format!("{{\"id\":\"{n}\"}}\n").as_bytes());
    }
    fs::write(yard.join("l"), bytes).unwrap();
    let before = yard.snapshot();
    let check = yard.run(["log", "check", "l"]);
    assert_eq!(check.code, 4);
    assert!(check.stderr.contains("l line 2 (byte 11): "), "{check:?}");
    assert!(check.stderr.contains("l line 4 (byte 28): "), "{check:?}");
    assert_eq!(check.stderr.matches("(byte ").count(), 100);
    assert!(check.stderr.contains("and 1 more damaged lines"), "{check:?}");
    assert_eq!(yard.snapshot(), before);
}

/// LOG-10: A record that is no JSON object, has no string `id` or a blank one, or is longer than 512 KiB as one line
/// fails definitely, and the log stays as it was.
#[test]
fn a_bad_record_among_good_ones_appends_none_of_them() {
    use std::io::Write as _;
    let yard = Yard::with_git();
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(512 * 1024));
    for bad in ["[1]", "7", "{}", "{\"id\":7}", "{\"id\":\" \"}", "{\"id\":\"a\"", long.as_str()] {
        let mut child = yard.fencehold();
        child.args(["log", "append", "l"]).stdin(std::process::Stdio::piped());
        let mut child = child.stderr(std::process::Stdio::piped()).spawn().unwrap();
        let text = format!("{{\"id\":\"good\"}}\n{bad}\n{{\"id\":\"late\"}}\n");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("line 2 of stdin") && stderr.contains("nothing was changed"), "{stderr}");
        assert!(!yard.join("l").exists(), "{}", &bad[..bad.len().min(20)]);
        assert!(!yard.join(".git/fencehold").exists(), "and no workspace is made for it");
    }
}

/// LOG-1: An acked record stands in the log exactly once, and one that was not acked at most once, unless its id was
/// appended again.
///
/// LOG-2: An append is answered after its record was synced, and after the directory was where it created the file.
#[test]
fn an_append_killed_at_every_call_leaves_its_record_once_or_not_at_all() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (seen, site) = (calls.clone(), Site::new());
    let tell = Hooked::new(move |call, path| {
        seen.lock().unwrap().push((call, path.ends_with("log") || path.ends_with("root")));
        Act::Go
    });
    site.log_on(tell, "log").append(&record("x"), &Shown::nothing()).unwrap().unwrap();
    let calls = std::mem::take(&mut *calls.lock().unwrap());
    let at = |call: &str| calls.iter().rposition(|seen| *seen == (call, true)).expect(call);
    assert!(at("create") < at("append") && at("append") < at("sync") && at("append") < at("sync_dir"));
    let (mut once, mut never) = (0, 0);
    for dies_at in 0..calls.len() {
        let site = Site::new();
        let mut done = 0;
        let dying = Hooked::new(move |_, _| {
            done += 1;
            if done > dies_at { Act::Fail(std::io::ErrorKind::Other) } else { Act::Go }
        });
        let error = site.log_on(dying, "log").append(&record("x"), &Shown::nothing()).unwrap_err();
        let count = site.log("log").read(&Page::default()).unwrap().records.len();
        assert!(count == 0 || error.happened() == Happened::Unknown, "{dies_at}: {error}");
        (once, never) = (once + count, never + usize::from(count == 0));
        site.log("log").append(&record("y"), &Shown::nothing()).unwrap().unwrap();
        assert_eq!(site.log("log").read(&Page::default()).unwrap().records.len(), count + 1);
    }
    assert!(once > 0 && never > 0 && once + never == calls.len(), "{once} {never}");
}
