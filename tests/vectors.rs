//! The files in `vectors/`, and the readers and appenders in other languages, held to one verdict.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fencehold::log::Page;
use fencehold::mark::Shown;
use fencehold_model::{State, record};
use serde_json::{Map, Value, json};

use crate::program::{Said, Yard, clean, said};
use crate::site::{Site, fence};
use crate::tidy::top;

const NEW: &str = "{\"id\":\"new\",\"n\":1}";

/// A language, and what its programs are called.
#[derive(Debug, Clone, Copy)]
struct Tongue {
    program: &'static str,
    ending: &'static str,
}

/// Those that are installed here; of another it is said that it is skipped.
fn tongues() -> Vec<Tongue> {
    let all = [Tongue { program: "python3", ending: "py" }, Tongue { program: "node", ending: "js" }];
    let is_there = |tongue: &Tongue| {
        let probe = Command::new(tongue.program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let is_there = probe.is_ok_and(|status| status.success());
        if !is_there {
            println!("vectors: {} is skipped, because it is not installed", tongue.program);
        }
        is_there
    };
    all.into_iter().filter(is_there).collect()
}

impl Tongue {
    fn script(self, name: &str) -> PathBuf {
        vectors().join(format!("{name}.{}", self.ending))
    }

    fn run(self, script: &Path, dir: &Path, args: &[&str]) -> Said {
        let mut command = Command::new(self.program);
        said(clean(&mut command).current_dir(dir).arg(script).args(args).stdin(Stdio::null()))
    }
}

fn vectors() -> PathBuf {
    top().join("vectors")
}

/// The files of a folder with their verdicts.
fn cases(folder: &str) -> Vec<(String, Vec<u8>, Value)> {
    let dir = vectors().join(folder);
    let mut names: Vec<PathBuf> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let files = names.iter().filter(|path| path.extension().is_some_and(|ending| ending == "ndjson"));
    let read = |path: &PathBuf| {
        let verdict = fs::read(path.with_extension("json")).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap(), serde_json::from_slice(&verdict).unwrap())
    };
    let cases: Vec<_> = files.map(read).collect();
    assert_eq!(names.len(), 2 * cases.len(), "each file has a verdict, and each verdict a file");
    cases
}

/// What our own reader says of these bytes.
fn ours(bytes: &[u8]) -> Value {
    let site = Site::new();
    site.write("log", bytes);
    let read = site.log("log").read(&Page::default()).unwrap();
    let ids: Vec<&Value> = read.records.iter().map(|record| &record["id"]).collect();
    let damaged: Vec<u64> = read.damaged.iter().map(|damaged| damaged.line).collect();
    json!({ "ids": ids, "damaged": damaged, "duplicates": read.duplicates, "unterminated_bytes": read.unterminated_bytes })
}

/// What a reader in another language says of them.
fn theirs(tongue: Tongue, script: &Path, bytes: &[u8]) -> Result<Value, String> {
    let site = Site::new();
    site.write("log", bytes);
    let said = tongue.run(script, &site.path(""), &["read", "log"]);
    let mut told: Value = serde_json::from_str(&said.stdout).map_err(|error| format!("{error}: {said:?}"))?;
    let records = told["records"].take();
    let ids: Vec<&Value> =
        records.as_array().ok_or("no records")?.iter().map(|record| &record["id"]).collect();
    let ids = json!(ids);
    let told = told.as_object_mut().ok_or("no object")?;
    told.remove("records");
    told.insert("ids".to_owned(), ids);
    Ok(json!(told))
}

fn reading(verdict: &Value) -> Value {
    let mut verdict = verdict.clone();
    verdict.as_object_mut().unwrap().remove("append");
    verdict
}

#[test]
fn our_own_reader_and_appender_keep_to_the_verdicts() {
    let mut seen = 0;
    for (name, bytes, verdict) in cases("log") {
        assert_eq!(ours(&bytes), reading(&verdict), "{name}");
        let site = Site::new();
        site.write("log", &bytes);
        let new: Map<String, Value> = serde_json::from_str(NEW).unwrap();
        site.log("log").append(&new, &Shown::nothing()).unwrap().unwrap();
        assert_eq!(
            site.bytes("log"),
            [&bytes, verdict["append"].as_str().unwrap().as_bytes()].concat(),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, 23);
}

/// What our own reader says of a journal file.
fn our_journal(bytes: &[u8]) -> Value {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (mut revisions, mut state, mut before) = (Vec::new(), State::default(), None);
    let told = |revisions: Vec<u64>, damaged: Option<usize>| json!({ "revisions": revisions, "damaged": damaged, "unterminated_bytes": bytes.len() - whole });
    for (number, line) in (1..).zip(bytes[..whole].split_inclusive(|&byte| byte == b'\n')) {
        let line = std::str::from_utf8(&line[..line.len() - 1]).unwrap();
        let read = match before {
            None => record::read_head(line, 1).map(|head| {
                state = head.content.state;
                (state.revision, head.checksum)
            }),
            Some(before) => record::read_entry(line, before, &state).map(|entry| {
                state.apply(&entry.content);
                (entry.content.revision, entry.checksum)
            }),
        };
        match read {
            Err(_) => return told(revisions, Some(number)),
            Ok((revision, checksum)) => {
                revisions.push(revision);
                before = Some(checksum);
            }
        }
    }
    told(revisions, None)
}

#[test]
fn every_reader_of_a_journal_keeps_to_the_verdicts() {
    let tongues = tongues();
    let mut seen = 0;
    for (name, bytes, verdict) in cases("journal") {
        assert_eq!(our_journal(&bytes), verdict, "{name}");
        let yard = Yard::new();
        fs::write(yard.join("j"), &bytes).unwrap();
        for tongue in &tongues {
            let said = tongue.run(&tongue.script("journal"), &yard.path(), &["j"]);
            let told: Value =
                serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
            assert_eq!(told, verdict, "{name}, {tongue:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 8);
}

/// Behaviour A1.20: in Python and node, held to the verdicts that ours is held to.
#[test]
fn every_other_reader_and_appender_keeps_to_the_verdicts() {
    for tongue in tongues() {
        let script = tongue.script("log");
        let text = fs::read_to_string(&script).unwrap();
        assert!(text.lines().count() <= 60, "{} lines", text.lines().count());
        let mut seen = 0;
        for (name, bytes, verdict) in cases("log") {
            assert_eq!(
                theirs(tongue, &script, &bytes).as_ref(),
                Ok(&reading(&verdict)),
                "{name}, {tongue:?}"
            );
            let site = Site::new();
            site.write("log", &bytes);
            let said = tongue.run(&script, &site.path(""), &["append", "log", NEW, ".fencehold"]);
            assert_eq!(said.code, 0, "{said:?}");
            assert_eq!(
                site.bytes("log"),
                [&bytes, verdict["append"].as_str().unwrap().as_bytes()].concat(),
                "{name}"
            );
            seen += 1;
        }
        assert_eq!(seen, 23);
        // What is too big for a file of this folder.
        for extra in [0, 1, 600_000] {
            let long = format!("{{\"id\":\"{}\"}}", "x".repeat(512 * 1024 - 9 + extra));
            let bytes = format!("{{\"id\":\"a\"}}\n{long}\n{{\"id\":\"b\"}}\n");
            assert_eq!(
                theirs(tongue, &script, bytes.as_bytes()),
                Ok(ours(bytes.as_bytes())),
                "{extra} {tongue:?}"
            );
        }
        for bad in
            ["{}", "[1]", "{\"id\":7}", "{\"id\":\" \"}", "{\"id\":\"a\",\n\"n\":1}", "{\"id\":\"a\"", ""]
        {
            let site = Site::new();
            let said = tongue.run(&script, &site.path(""), &["append", "log", bad, ".fencehold"]);
            assert!(said.code == 2 && !site.path("log").exists(), "{bad}: {said:?}");
        }
    }
}

/// What is put wrong in a program, for each language, and the file whose verdict tells.
const WRONG: [(&str, &str, &str, &str); 12] = [
    ("py", " if first else", " if True else", "byte-order-mark"),
    ("py", "torn = size > 0 and", "torn = False and", "torn-tail"),
    (
        "py",
        "except (ValueError, RecursionError): damaged.append(number)",
        "except (ValueError, RecursionError): raise",
        "torn-line-inside",
    ),
    ("py", "*lines, tail =", "*lines, tail, _ = (lambda it: it + [it[-1]])", "torn-tail"),
    ("py", "parse_constant=refuse", "parse_constant=str", "no-number"),
    ("py", "isinstance(record.get(\"id\"), str)", "\"id\" in record", "no-string-id"),
    ("js", "first && line[0] === 0xef", "line[0] === 0xef", "byte-order-mark"),
    ("js", "torn = size > 0 &&", "torn = false &&", "torn-tail"),
    ("js", "catch { damaged.push(at + 1); }", "finally { }", "torn-line-inside"),
    ("js", "tail = lines.pop()", "tail = lines.at(-1)", "tail-without-newline"),
    ("js", "fatal: true", "fatal: false", "not-utf8"),
    ("js", "typeof record.id !== 'string'", "record.id === undefined", "no-string-id"),
];

#[test]
fn a_reader_or_appender_that_is_wrong_is_told_by_some_verdict() {
    let tongues = tongues();
    let mut seen = 0;
    for tongue in &tongues {
        for (ending, right, wrong, case) in WRONG.into_iter().filter(|(ending, ..)| *ending == tongue.ending)
        {
            let yard = Yard::new();
            let text = fs::read_to_string(tongue.script("log")).unwrap();
            assert_eq!(text.matches(right).count(), 1, "{right}");
            let script = yard.join(format!("wrong.{ending}"));
            fs::write(&script, text.replace(right, wrong)).unwrap();
            let cases = cases("log");
            let (_, bytes, verdict) = cases.iter().find(|(name, ..)| name == case).unwrap();
            let site = Site::new();
            site.write("log", bytes);
            tongue.run(&script, &site.path(""), &["append", "log", NEW, ".fencehold"]);
            let appended = [bytes, verdict["append"].as_str().unwrap().as_bytes()].concat();
            let is_told =
                theirs(*tongue, &script, bytes) != Ok(reading(verdict)) || site.bytes("log") != appended;
            assert!(is_told, "{wrong} instead of {right}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6 * tongues.len());
}

#[test]
fn every_appender_takes_the_lock_that_ours_takes() {
    for tongue in tongues() {
        let script = tongue.script("log");
        let mut seen = 0;
        let long = "n".repeat(240);
        for name in ["log", "a b%c~d.ndjson", "ä\u{1f600}", "-x_Y.9", long.as_str()] {
            let site = Site::new();
            site.log(name).append(&crate::log::record("a"), &Shown::nothing()).unwrap().unwrap();
            let said =
                tongue.run(&script, &site.path(""), &["append", &format!("./{name}"), NEW, ".fencehold"]);
            assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{name}: {said:?}");
            assert_eq!(site.names(".fencehold/doc").len(), 1, "{name}: {:?}", site.names(".fencehold/doc"));
            // Guarded from now on.
            site.log(name).append(&crate::log::record("b"), &fence("build", 7)).unwrap().unwrap();
            let said = tongue.run(&script, &site.path(""), &["append", name, NEW, ".fencehold"]);
            assert!(said.code == 1 && said.stderr.contains("guarded"), "{said:?}");
            assert_eq!(site.log(name).check().unwrap().records, 3);
            seen += 1;
        }
        assert_eq!(seen, 5);
    }
}

#[test]
fn an_appender_waits_for_who_holds_the_lock() {
    for tongue in tongues() {
        let site = Site::new();
        let lock = site.lock("log");
        let held = lock.take(fencehold::mark::PATIENCE).unwrap();
        let mut command = Command::new(tongue.program);
        clean(&mut command).current_dir(site.path("")).arg(tongue.script("log"));
        let mut child = command.args(["append", "log", NEW, ".fencehold"]).spawn().unwrap();
        // However long it is looked at, it does not write; that it comes to the lock at all shows when it is let go.
        for _ in 0..200 {
            assert!(child.try_wait().unwrap().is_none() && !site.path("log").exists());
            std::thread::yield_now();
        }
        drop(held);
        assert!(child.wait().unwrap().success());
        assert_eq!(site.text("log"), format!("{NEW}\n"));
    }
}

#[test]
fn every_appender_ours_and_a_compaction_at_once_lose_nothing() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["log", "append", "l", "{\"id\":\"first\"}"]).code, 0);
    let tongues = tongues();
    let each = 10;
    std::thread::scope(|scope| {
        for tongue in &tongues {
            for who in 0..2 {
                let yard = &yard;
                scope.spawn(move || {
                    for n in 0..each {
                        let record = format!("{{\"id\":\"{}-{who}-{n}\",\"says\":{}}}", tongue.ending, n % 2);
                        let said = tongue.run(&tongue.script("log"), &yard.path(), &["append", "l", &record]);
                        assert_eq!(said.code, 0, "{said:?}");
                    }
                });
            }
        }
        scope.spawn(|| {
            for n in 0..each {
                assert_eq!(yard.run(["log", "append", "l", &format!("{{\"id\":\"ours-{n}\"}}")]).code, 0);
                assert_eq!(yard.run(["log", "compact", "l"]).code, 0);
            }
        });
    });
    assert_eq!(yard.run(["log", "compact", "l"]).code, 0);
    assert_eq!(yard.run(["log", "check", "l"]).code, 0);
    let read = yard.json(0, ["log", "read", "l"]);
    let mut ids = BTreeSet::new();
    for record in read["value"]["records"].as_array().unwrap() {
        let folded =
            record["folded"].as_object().into_iter().flat_map(|folded| folded.keys().map(String::as_str));
        for id in folded.chain(record["id"].as_str()) {
            assert!(ids.insert(id.to_owned()), "{id} is counted twice");
        }
    }
    assert_eq!(ids.len(), 1 + each + 2 * each * tongues.len());
}

/// Where there is no flock(1), node has no lock: then it is one more program without it, and says so.
#[test]
fn node_without_flock_appends_as_a_program_without_the_lock() {
    let Some(node) = tongues().into_iter().find(|tongue| tongue.program == "node") else { return };
    let site = Site::new();
    site.write("log", "{\"id\":\"a\"}\n{\"id\":\"half");
    let which = said(Command::new("sh").args(["-c", "command -v node"]));
    let bin = site.path("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(fs::canonicalize(which.stdout.trim()).unwrap(), bin.join("node")).unwrap();
    let mut command = Command::new(bin.join("node"));
    clean(&mut command).current_dir(site.path("")).arg(node.script("log")).env("PATH", &bin);
    let said = said(command.args(["append", "log", NEW, ".fencehold"]));
    assert!(said.code == 0 && said.stderr.contains("without the lock"), "{said:?}");
    assert_eq!(site.text("log"), format!("{{\"id\":\"a\"}}\n{{\"id\":\"half\n{NEW}\n"));
}
