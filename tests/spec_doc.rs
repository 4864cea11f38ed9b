//! Documents: killed at every call, by every spelling, under another user, and through the command line.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencehold::error::{Error, Happened};
use fencehold::mark::Shown;
use serde_json::json;

use crate::hooked::{Act, Hooked};
use crate::program::{Yard, said};
use crate::site::{Site, fence};
use crate::strangers::stranger;

/// DOC-3: A kill at any step of an update leaves the whole old or the whole new document under its name.
///
/// DOC-4: An update is answered after the new bytes and the directory that names them were synced.
///
/// DOC-5: What a killed update left beside a document is removed by a later update of that document.
#[test]
fn an_update_killed_at_every_call_leaves_the_old_or_the_new_document() {
    let (mut old, mut new, mut unknown) = (0, 0, 0);
    for dies_at in 0.. {
        let site = Site::new();
        site.write("x", "{\"n\":1}");
        let mut done = 0;
        let dying = Hooked::new(move |call, _| {
            done += 1;
            match call {
                // The last thing that happens is half a write.
                "append" | "write_at" if done > dies_at => Act::Short(2 * usize::from(done == dies_at + 1)),
                _ if done > dies_at => Act::Fail(ErrorKind::Other),
                _ => Act::Go,
            }
        });
        let answer = site.document_on(dying, "x").increment("n", 1, &fence("a", 5));
        match site.text("x").as_str() {
            "{\"n\":1}" => old += 1,
            "{\"n\":2}" => new += 1,
            other => panic!("{other} when killed at call {dies_at}"),
        }
        let Err(error) = answer else { break };
        unknown += usize::from(error.happened() == Happened::Unknown);
        assert!(old == 0 || new == 0 || error.happened() == Happened::Unknown, "{dies_at}: {error}");
        site.document("x").increment("n", 1, &fence("a", 5)).unwrap().unwrap();
        assert_eq!(site.names(""), [".fencehold", "x"], "{dies_at}: what was left is swept");
    }
    assert!(old > 8 && new == 2 && unknown == 1, "{old} {new} {unknown}");
}

/// DOC-17: A guarded read or update is decided, carried out and finished under one hold of the document's OS lock.
#[test]
fn nobody_else_gets_the_lock_between_the_first_and_the_last_call() {
    let site = Arc::new(Site::new());
    site.write("x", "{\"n\":1}");
    site.document("x").increment("n", 1, &fence("a", 5)).unwrap().unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    for reads in [true, false] {
        let (seen, other) = (calls.clone(), site.clone());
        let watching = Hooked::new(move |call, path: &Path| {
            // The lock file itself is opened before it can be locked; all else is done under it.
            if call != "open" || !path.to_string_lossy().contains("/.fencehold/doc/") {
                let free = other.lock("x").take(Duration::ZERO).is_ok();
                seen.lock().unwrap().push((call, free));
            }
            Act::Go
        });
        let document = site.document_on(watching, "x");
        if reads {
            document.read(&fence("a", 6)).unwrap().unwrap();
        } else {
            document.increment("n", 1, &fence("a", 7)).unwrap().unwrap();
        }
    }
    let calls = calls.lock().unwrap();
    assert!(calls.iter().all(|(_, free)| !free), "{calls:?}");
    for call in ["write_at", "open", "create", "append", "rename", "sync_dir"] {
        assert!(calls.iter().any(|(seen, _)| *seen == call), "{call} was never seen: {calls:?}");
    }
}

/// DOC-6: An update keeps the mode, the group and, unless the mode lets the group write, the owner of the file, and
/// where it cannot it fails definitely and changes nothing.
#[test]
fn who_may_not_give_a_file_away_changes_it_only_where_its_group_may_write() {
    let yard = Yard::new();
    let Some(start) = stranger(&yard) else { return };
    assert_eq!(said(start(&yard).args(["init"])).code, 0);
    let file = yard.join("d.json");
    for (gid, mode, code) in [(65534, 0o664, 0), (65534, 0o644, 2), (0, 0o664, 2), (0, 0o666, 2)] {
        fs::write(&file, "{\"n\":1}").unwrap();
        std::os::unix::fs::chown(&file, Some(0), Some(gid)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let update = said(start(&yard).args(["doc", "update", "d.json", "--merge", "{\"n\":2}"]));
        assert_eq!(update.code, code, "{gid} {mode:o}: {update:?}");
        let after = fs::metadata(&file).unwrap();
        assert_eq!((after.gid(), after.mode() & 0o7777), (gid, mode), "{update:?}");
        if code == 0 {
            assert_eq!(fs::read_to_string(&file).unwrap(), "{\"n\":2}");
        } else {
            assert!(update.stderr.contains("nothing was changed"), "{update:?}");
            assert_eq!((after.uid(), fs::read_to_string(&file).unwrap().as_str()), (0, "{\"n\":1}"));
        }
        fs::remove_file(&file).unwrap();
        let names: Vec<_> =
            fs::read_dir(yard.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [".fencehold"], "no temporary file stays");
    }
}

/// DOC-8: All spellings of one path, through links, through `..` and from any working directory, meet the same OS
/// lock and the same mark.
///
/// DOC-7: An update through a symbolic link changes the file that it points to and leaves the link in place.
#[test]
fn every_spelling_meets_the_mark() {
    let yard = Yard::with_git();
    fs::create_dir_all(yard.join("a/b")).unwrap();
    symlink("a/b", yard.join("short")).unwrap();
    symlink("short/x.json", yard.join("link.json")).unwrap();
    symlink(yard.path(), yard.join("a/up")).unwrap();
    let token = yard.run(["lock", "acquire", "build"]).stdout.trim_end().to_owned();
    let fence = format!("lock/build={token}");
    let first = yard.run(["doc", "update", "a/b/x.json", "--merge", "{\"n\":0}", "--fence", &fence]);
    assert_eq!(first.code, 0, "{first:?}");
    let absolute = yard.join("a/b/x.json");
    let spellings = [
        ("", "short/x.json"),
        ("", "./a//b/../b/x.json"),
        ("", "link.json"),
        ("", absolute.to_str().unwrap()),
        ("a", "b/x.json"),
        ("a/b", "x.json"),
        ("a/b", "../../link.json"),
        ("short", "x.json"),
        ("a", "up/link.json"),
    ];
    for (n, (dir, file)) in spellings.iter().enumerate() {
        let update = |flags: &[&str]| {
            let patch = format!("{{\"n\":{n}}}");
            let args = ["doc", "update", file, "--merge", &patch];
            yard.run_in(&yard.join(dir), args.iter().chain(flags))
        };
        let refused = update(&[]);
        assert!(refused.code == 1 && refused.stderr.contains("guarded"), "{dir} {file}: {refused:?}");
        assert_eq!(update(&["--fence", &fence]).code, 0, "{dir} {file}");
        assert_eq!(yard.json(0, ["doc", "read", "link.json"])["value"]["document"]["n"], n);
    }
    assert_eq!(fs::read_link(yard.join("link.json")).unwrap(), Path::new("short/x.json"));
    assert_eq!(fs::read_dir(yard.join(".git/fencehold/doc")).unwrap().count(), 1, "one key for all");
}

/// DOC-15: An update by `--exec` gives the document to the filter's stdin and takes its stdout as the new one, and
/// where the filter fails or prints no JSON object nothing changes.
#[test]
fn a_filter_that_fails_or_prints_no_object_changes_nothing() {
    let yard = Yard::with_git();
    let text = "{ \"b\":1,\n\"a\":2 }\n";
    fs::write(yard.join("d.json"), text).unwrap();
    assert_eq!(yard.run(["lock", "acquire", "x"]).code, 0);
    for filter in [
        "exit 3",
        "kill -9 $$",
        "cat; exit 1",
        "true",
        "echo null",
        "echo '[1]'",
        "echo 7",
        "echo '{'",
        "echo '{}{}'",
        "printf '{}\\0'",
        "printf '{\"a\":\"\\377\"}'",
        "fencehold-no-such-filter",
    ] {
        let update = yard.run(["doc", "update", "d.json", "--exec", filter]);
        assert_eq!((update.code, update.stdout.as_str()), (2, ""), "{filter}: {update:?}");
        assert!(update.stderr.contains("nothing was changed"), "{filter}: {update:?}");
        assert_eq!(fs::read_to_string(yard.join("d.json")).unwrap(), text, "{filter}");
    }
    assert_eq!(yard.run(["doc", "update", "d.json", "--exec", "sed s/2/3/"]).code, 0);
    assert_eq!(fs::read_to_string(yard.join("d.json")).unwrap(), text.replace('2', "3"), "stands as it is");
    // One that reads nothing of a document that is longer than a pipe.
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(300_000));
    fs::write(yard.join("d.json"), long).unwrap();
    assert_eq!(yard.run(["doc", "update", "d.json", "--exec", "echo '{}'"]).code, 0);
    assert_eq!(fs::read_to_string(yard.join("d.json")).unwrap(), "{}\n");
}

/// DOC-16: An update of a document that does not exist starts from the empty object, and a read of it is refused as
/// `not_found`, a guarded one after it raised the mark.
#[test]
fn a_document_that_is_not_there_is_not_found_and_starts_empty() {
    let yard = Yard::with_git();
    let read = yard.run(["doc", "read", "d.json"]);
    assert_eq!((read.code, read.stdout.as_str(), read.stderr.lines().count()), (1, "", 1), "{read:?}");
    assert_eq!(yard.json(1, ["doc", "read", "d.json"])["reason"], "not_found");
    assert!(!yard.join("d.json").exists() && !yard.join(".git/fencehold").exists());
    let old = yard.run(["lock", "acquire", "build"]).stdout.trim_end().to_owned();
    assert_eq!(yard.run(["lock", "release", "build", "--token", &old]).code, 0);
    let new = yard.run(["lock", "acquire", "build"]).stdout.trim_end().to_owned();
    let fenced = |token: &str| format!("lock/build={token}");
    assert_eq!(yard.json(1, ["doc", "read", "d.json", "--fence", &fenced(&new)])["reason"], "not_found");
    let unfenced = yard.json(1, ["doc", "update", "d.json", "--merge", "{}"]);
    assert_eq!(unfenced["reason"], "guarded", "the read has raised the mark");
    let exec = ["doc", "update", "d.json", "--exec", "tr -d '\\n' | sed 's/}/\"n\":1}/'"];
    assert_eq!(yard.run(exec.iter().chain(&["--fence", &fenced(&new)])).code, 0);
    assert_eq!(fs::read_to_string(yard.join("d.json")).unwrap(), "{\"n\":1}");
    let expect = yard.json(1, ["doc", "update", "e.json", "--merge", "{}", "--expect", "7-00000000"]);
    assert_eq!((&expect["reason"], &expect["value"]["version"]), (&json!("version"), &json!("absent")));
}

/// DOC-18: A merge into, or an increment in, a file whose JSON is no object fails definitely, and the file is no
/// damage.
#[test]
fn json_that_is_no_object_is_refused_and_is_no_damage() {
    for text in ["[1,2]\n", "null", "7", "\"text\""] {
        let site = Site::new();
        site.write("x", text);
        let nothing = &Shown::nothing();
        for _ in 0..2 {
            let errors = [
                site.document("x").merge(&json!({"a": 1}), None, nothing).unwrap_err(),
                site.document("x").increment("a", 1, nothing).unwrap_err(),
            ];
            for error in errors {
                assert!(matches!(&error, Error::Usage(why) if why.contains("not an object")), "{error}");
            }
        }
        assert_eq!((site.text("x").as_str(), site.names(".fencehold/quarantine").len()), (text, 0));
        let wrap = |old: &[u8]| Ok([b"{\"was\":", old, b"}"].concat());
        site.document("x").update_bytes(None, nothing, wrap).unwrap().unwrap();
        site.document("x").increment("a", 1, nothing).unwrap().unwrap();
    }
}
