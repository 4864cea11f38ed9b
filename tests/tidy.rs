//! What holds SPEC.md, the tests and the sources together. A rule is a function over text that says what is wrong with
//! it; each is shown to find a small wrong input, and then asked about the files of this repository.

mod exceptions;
mod manifest;
mod quotes;
mod size;
mod words;

use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A Rust file of this repository.
pub(crate) struct Source {
    /// Its path from the top.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every Rust file in these folders, sorted by path.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| top().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push(Source { path: path.strip_prefix(top()).unwrap().display().to_string(), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Fails with every problem, a line each.
#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A text without its line comments.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| {
        // `//` within a text literal of ours is always an address; what follows it there is no code either.
        line.split_once("//").map_or(line, |(code, _)| code)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands in `text` by itself.
fn names(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}
