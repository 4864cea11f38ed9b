//! Sizes of files and functions, and the line that each file opens with.

use super::exceptions::{LONG_FILES, LONG_FUNCTIONS};
use super::{none, sources, top};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// The functions of a formatted file: names and lines from the signature to the brace.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == '(' || c == '<').collect();
        let Some(fn_at) = words.iter().position(|word| *word == "fn") else { continue };
        let before = words[..fn_at].iter().filter(|word| !word.is_empty());
        let is_signature =
            before.clone().all(|word| ["pub", "const", "async", "crate)", "super)"].contains(word));
        if !is_signature || line.trim_start().starts_with("//") {
            continue;
        }
        let end = format!("{}}}", " ".repeat(indent));
        if line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        let count = lines[at..].iter().position(|line| **line == end).map_or(1, |count| count + 1);
        found.push((words[fn_at + 1].to_owned(), count));
    }
    found
}

/// What is too long in a file.
fn too_long(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let mut problems = Vec::new();
    if lines > FILE_LINES_MAX && !LONG_FILES.iter().any(|(excepted, _)| *excepted == path) {
        problems.push(format!("{path}: {lines} lines; split it, or say why in the list"));
    }
    for (name, lines) in functions(text) {
        let excepted = LONG_FUNCTIONS.iter().any(|(of, function, _)| *of == path && *function == name);
        if lines > FUNCTION_LINES_MAX && !excepted {
            problems.push(format!("{path}: fn {name} has {lines} lines; split it, or say why in the list"));
        }
    }
    problems
}

/// Whether a file says first what it is.
fn opens(path: &str, text: &str) -> Vec<String> {
    let said = text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 12);
    if said {
        Vec::new()
    } else {
        vec![format!("{path}: does not open with a `//!` line that says what it is")]
    }
}

/// The modules of the test binary that are not declared there with a line that says what they hold.
fn undeclared(all: &str, files: &[&str]) -> Vec<String> {
    let lines: Vec<&str> = all.lines().collect();
    let declared = |name: &str| {
        let at = lines.iter().position(|line| *line == format!("mod {name};"));
        at.is_some_and(|at| at > 0 && lines[at - 1].starts_with("/// "))
    };
    let missing = files.iter().filter(|name| !declared(name));
    missing
        .map(|name| format!("tests/all.rs: `mod {name};` with a `///` line before it is missing"))
        .collect()
}

#[test]
fn files_and_functions_are_short() {
    let files = sources(&["impl/src", "model/src", "stress/src", "tests", "benches"]);
    let count: usize = files.iter().map(|file| functions(&file.text).len()).sum();
    assert!(count > 800, "{count} functions were found");
    none(&files.iter().flat_map(|file| too_long(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn every_file_says_first_what_it_is() {
    let files = sources(&["impl/src", "model/src", "stress/src", "benches"]);
    none(&files.iter().flat_map(|file| opens(&file.path, &file.text)).collect::<Vec<_>>());
}

#[test]
fn every_module_of_the_tests_is_declared_with_a_line() {
    let all = std::fs::read_to_string(top().join("tests/all.rs")).unwrap();
    let manifest = std::fs::read_to_string(top().join("tests/Cargo.toml")).unwrap();
    let files = sources(&["tests"]);
    let names: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("tests/")?.strip_suffix(".rs"))
        // What the manifest names is a program or a library of its own.
        .filter(|name| !name.contains('/') && !manifest.contains(&format!("path = \"{name}.rs\"")))
        .collect();
    assert!(names.len() > 25, "{names:?}");
    none(&undeclared(&all, &names));
}

#[test]
fn what_is_long_silent_or_undeclared_is_found() {
    let long = format!("//! A file.\n{}", "\n".repeat(400));
    assert_eq!(too_long("x.rs", &long).len(), 1);
    assert!(too_long("x.rs", &"\n".repeat(400)).is_empty());
    let function = |lines: usize| {
        format!(
            "impl X {{\n    pub(crate) fn of<T>(x: T)\n    where\n    {{\n{}    }}\n}}\n",
            "        x;\n".repeat(lines)
        )
    };
    assert_eq!(functions(&function(3)), [("of".to_owned(), 7)]);
    assert_eq!(
        too_long("x.rs", &function(67)),
        ["x.rs: fn of has 71 lines; split it, or say why in the list"]
    );
    assert!(too_long("x.rs", &function(66)).is_empty());
    assert_eq!(opens("x.rs", "use std;\n").len(), 1);
    assert_eq!(opens("x.rs", "//!\n").len(), 1);
    assert!(opens("x.rs", "//! What this is.\n").is_empty());
    let all = "/// What a holds.\nmod a;\nmod b;\n";
    assert_eq!(undeclared(all, &["a", "b", "c"]).len(), 2);
}
