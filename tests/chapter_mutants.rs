//! For each chapter of SPEC.md one change to the source that breaks it: tests must turn red, and only tests whose doc
//! comment quotes that chapter.
//!
//! `cargo run -p fencehold-tests --bin chapter-mutants [CHAPTER…]`. Copies what git knows of into a temporary folder,
//! makes one change at a time there and runs the tests there, in the target folder of `CHAPTER_MUTANTS_TARGET_DIR` or
//! a temporary one; a folder that nothing else builds into, as cargo takes the copy for the original there. Nothing is
//! changed here. Exits 1 where a mutant is not caught, or by a test of another chapter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// One change: the chapter that it breaks, the file, what stands there once, and what is put in its place.
struct Mutant {
    chapter: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// A chapter may have several.
const MUTANTS: &[Mutant] = &[
    Mutant {
        chapter: "FENCE",
        file: "impl/src/ledger/mod.rs",
        from: "if shown > state.revision {",
        to: "if shown > state.revision + 1 {",
    },
    Mutant {
        chapter: "LOCK",
        file: "impl/src/host/liveness.rs",
        from: "if pid_namespace().ok() != Some(process.pid_namespace) {",
        to: "if false {",
    },
    Mutant {
        chapter: "STATUS",
        file: "model/src/status/decide.rs",
        from: "None if step.resolve =>",
        to: "None if false =>",
    },
    Mutant {
        chapter: "LEASE",
        file: "impl/src/journal/ended.rs",
        from: "ended.get(&id).is_none_or(|other| other.token <= lease.token)",
        to: "ended.get(&id).is_none_or(|other| other.token < lease.token)",
    },
    Mutant {
        chapter: "LEASE",
        file: "model/src/lease/decide.rs",
        from: "        if way.lapsed.len() > OVER_MAX {",
        to: "        if way.lapsed.len() > OVER_MAX + 1 {",
    },
    Mutant {
        chapter: "JOURNAL",
        file: "impl/src/journal/commit.rs",
        from: "if let Some(revision) = state.find_op(&asking.op) {",
        to: "if let Some(revision) = state.find_op(&asking.op).filter(|_| false) {",
    },
    Mutant {
        chapter: "CONTRACT",
        file: "stress/src/sim/journal/call.rs",
        from: "if let Some(entry) = recorded.entry {",
        to: "if let Some(entry) = recorded.entry.filter(|_| false) {",
    },
    Mutant {
        chapter: "RECOVER",
        file: "impl/src/journal/section.rs",
        from: "Ok(earlier_boot || self.is_condemned(tail.n)?)",
        to: "Ok(earlier_boot)",
    },
    Mutant {
        chapter: "LOG",
        file: "impl/src/log/lines.rs",
        from: "filter(|_| first)",
        to: "filter(|_| !first)",
    },
    Mutant {
        chapter: "DOC",
        file: "impl/src/document/update.rs",
        from: "Ok(Value::Object(_)) => Ok(()),",
        to: "Ok(_) if true => Ok(()),",
    },
    Mutant {
        chapter: "CLI",
        file: "impl/src/cli/identity.rs",
        from: "[\"CLAUDE_CODE_SESSION_ID\", \"CODEX_THREAD_ID\"]",
        to: "[\"CODEX_THREAD_ID\", \"CLAUDE_CODE_SESSION_ID\"]",
    },
    Mutant {
        chapter: "TARGET",
        file: "impl/src/cli/serve/target.rs",
        from: "locate::locate_exact(&fs, root)?",
        to: "locate::locate(&fs, locate::Start { at: root, git_dir: None })?",
    },
];

/// What is left out: what searches for minutes, what judges real processes by the clock, and what would find any change
/// because it looks at the sources.
const SKIPPED: &[&str] = &[
    "loom::",
    "soak",
    "sim::",
    "mutants_sim::",
    "explore::",
    "targets::",
    "torn::",
    "lint::",
    "tidy::",
    "contract::faults::",
    "contract::wrong::",
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match run(&wanted) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chapter-mutants: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(wanted: &[String]) -> Result<bool, String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let temp = std::env::temp_dir().join(format!("chapter-mutants-{}", std::process::id()));
    let copy = temp.join("fencehold");
    let target =
        std::env::var_os("CHAPTER_MUTANTS_TARGET_DIR").map_or_else(|| temp.join("target"), PathBuf::from);
    copy_tree(&top, &copy)?;
    let quotes = quotes(&copy.join("tests"))?;
    let mut right = true;
    println!("chapter  seconds  caught by  change");
    let asked =
        |mutant: &&Mutant| wanted.is_empty() || wanted.iter().any(|chapter| chapter == mutant.chapter);
    for mutant in MUTANTS.iter().filter(asked) {
        let begun = Instant::now();
        let failed = try_mutant(&copy, &target, mutant)?;
        let verdict = judge(mutant.chapter, &failed, &quotes);
        let seconds = begun.elapsed().as_secs();
        println!(
            "{:7}  {seconds:7}  {:9}  {}: {}",
            mutant.chapter,
            failed.len(),
            mutant.file,
            mutant.to.trim()
        );
        for test in &failed {
            println!("    {test}");
        }
        if let Err(why) = verdict {
            right = false;
            println!("    WRONG: {why}");
        }
    }
    std::fs::remove_dir_all(&temp).map_err(|error| format!("removing {}: {error}", temp.display()))?;
    Ok(right)
}

/// Copies every file that git knows of, as it stands in the working tree.
fn copy_tree(top: &Path, to: &Path) -> Result<(), String> {
    let listed = Command::new("git").current_dir(top).args(["ls-files", "-z"]).output();
    let listed = listed.map_err(|error| format!("git ls-files: {error}"))?;
    for name in listed.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = std::str::from_utf8(name).map_err(|error| format!("a file's name: {error}"))?;
        let (from, to) = (top.join(name), to.join(name));
        let parent = to.parent().ok_or_else(|| format!("{name} is no file"))?;
        let copied = std::fs::create_dir_all(parent).and_then(|()| std::fs::copy(&from, &to));
        copied.map_err(|error| format!("copying {name}: {error}"))?;
    }
    Ok(())
}

/// Makes the change, runs the tests, takes it back; gives the names of the tests that failed.
fn try_mutant(copy: &Path, target: &Path, mutant: &Mutant) -> Result<Vec<String>, String> {
    let path = copy.join(mutant.file);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", mutant.file))?;
    let count = text.matches(mutant.from).count();
    if count != 1 {
        return Err(format!("{}: {count} times, and once is expected: {}", mutant.file, mutant.from));
    }
    let write = |text: &str| std::fs::write(&path, text).map_err(|error| format!("{}: {error}", mutant.file));
    write(&text.replace(mutant.from, mutant.to))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(copy).env("CARGO_TARGET_DIR", target).env("RUST_BACKTRACE", "0");
    cargo.args(["test", "-q", "-p", "fencehold-tests", "--test", "all", "--"]);
    cargo.args(SKIPPED.iter().flat_map(|skipped| ["--skip", skipped]));
    let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    write(&text)?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains("test result:") {
        return Err(format!("the mutant does not build:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(failed_tests(&said))
}

/// The names in the last list of `failures:` of a test run.
fn failed_tests(said: &str) -> Vec<String> {
    let Some((_, list)) = said.rsplit_once("failures:\n") else { return Vec::new() };
    list.lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("test result"))
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Which requirements the doc comment of each test quotes, by the test's module path and name.
fn quotes(tests: &Path) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![tests.to_owned()];
    while let Some(dir) = left.pop() {
        let entries = std::fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", dir.display()))?.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text =
                    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let module = path.strip_prefix(tests).map_err(|error| error.to_string())?.with_extension("");
                let module = module.display().to_string().replace('/', "::");
                for (test, quoted) in quotes_in(&text) {
                    found.insert(format!("{module}::{test}"), quoted);
                }
            }
        }
    }
    Ok(found)
}

/// The functions of a file and the requirements that stand at the beginning of a line of their doc comments.
fn quotes_in(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut quoted = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            quoted.extend(doc.trim().split_once(": ").map(|(id, _)| id.to_owned()));
        } else if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            found.push((name.to_owned(), std::mem::take(&mut quoted)));
        } else if !line.starts_with("#[") {
            quoted.clear();
        }
    }
    found
}

/// Whether the right tests failed.
fn judge(chapter: &str, failed: &[String], quotes: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    if failed.is_empty() {
        return Err("no test failed".to_owned());
    }
    let of_chapter = |test: &&String| {
        let quoted = quotes.get(*test).map_or(&[][..], Vec::as_slice);
        quoted.iter().any(|id| id.split_once('-').is_some_and(|(of, _)| of == chapter))
    };
    match failed.iter().find(|test| !of_chapter(test)) {
        Some(other) => Err(format!("{other} failed and quotes no {chapter}")),
        None => Ok(()),
    }
}
