//! The README works as typed: its `sh` blocks are run, the cargo commands aside.
//!
//! Each block is a `bash -eu` of its own; they share one empty HOME and one git repository, and run in the order of the
//! page. A `make` that wants a lock's token stands in for the reader's.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::program::{Said, Yard, clean, said};

/// How many blocks of the README are run. One that is added raises this.
const BLOCKS: usize = 10;

/// A block of a page: the line that it begins at, and what is to be run of it.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    line: usize,
    script: String,
}

/// The `sh` blocks of a page without their cargo commands; blocks with nothing else in them are left out.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(bool, Block)> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((kind == "sh", Block { line, script: String::new() })),
            (None, None) => {}
            (Some(_), Some(after)) => {
                assert_eq!(after, "", "line {line}: a block ends with ``` alone");
                found.extend(open.take().filter(|(is_shell, _)| *is_shell).map(|(_, block)| block));
            }
            (Some(_), None) if text.starts_with("cargo ") => {}
            (Some((_, block)), None) => {
                block.script.push_str(text);
                block.script.push('\n');
            }
        }
    }
    assert!(open.is_none(), "the last block has no end");
    let says_something = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    found.retain(|block| block.script.lines().any(says_something));
    found
}

/// A home with nothing in it, a repository, and a PATH that begins with ours.
pub(crate) struct Reader {
    home: Yard,
    pub(crate) repository: Yard,
    tools: Yard,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let (home, repository, tools) = (Yard::new(), Yard::with_git(), Yard::new());
        let bin = tools.path();
        // Called by this link it is `fencehold`, by its zeroth argument too.
        symlink(env!("CARGO_BIN_EXE_fencehold-under-test"), bin.join("fencehold")).unwrap();
        let make = bin.join("make");
        std::fs::write(&make, "#!/bin/sh\nset -eu\necho \"made under token $FENCEHOLD_TOKEN\"\n").unwrap();
        std::fs::set_permissions(&make, std::fs::Permissions::from_mode(0o755)).unwrap();
        Reader { home, repository, tools }
    }

    /// Runs a block as the reader would, by the names on the PATH.
    pub(crate) fn types(&self, script: &str) -> Said {
        let path = std::env::var("PATH").unwrap();
        let mut bash = Command::new("bash");
        clean(&mut bash)
            .args(["-eu", "-o", "pipefail", "-c", script])
            .current_dir(self.repository.path())
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:{path}", self.tools.path().display()));
        said(&mut bash)
    }

    /// Runs every block of a page; the number of blocks, or what the first that failed said.
    pub(crate) fn follows(&self, page: &str) -> Result<usize, String> {
        let blocks = blocks(page);
        for Block { line, script } in &blocks {
            let said = self.types(script);
            if said.code != 0 {
                return Err(format!("the block at line {line} ends with {}:\n{script}{said:#?}", said.code));
            }
        }
        Ok(blocks.len())
    }
}

/// A page of the project's root.
pub(crate) fn page(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_readme_works_as_typed() {
    let reader = Reader::new();
    assert_eq!(reader.follows(&page("README.md")), Ok(BLOCKS));
    let document = reader.repository.join("plan.json");
    let document: Value = serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
    assert_eq!(document["step"], 2, "the stale write did not land");
    assert_eq!(std::fs::read_dir(reader.home.path()).unwrap().count(), 0, "nothing was left in HOME");
}

#[test]
fn a_block_that_does_not_work_is_found() {
    let reader = Reader::new();
    let broken = [
        ("an unknown command", "fencehold lock aquire build\n"),
        ("a variable that nobody set", "fencehold lock release build --token \"$token\"\n"),
        ("a failure that something follows", "fencehold lock release build --token 1\nfencehold status\n"),
        ("a failure inside a pipe", "fencehold no-such-command | cat\n"),
    ];
    for (what, script) in broken {
        let page = format!("# Page\n\n```sh\nfencehold status\n```\n\n```sh\n{script}```\n");
        let found = reader.follows(&page).expect_err(what);
        assert!(found.contains("the block at line 7"), "{what}: {found}");
    }
}

#[test]
fn only_shell_blocks_are_run_and_cargo_commands_are_not() {
    let page = "```console\nfalse\n```\n```sh\ncargo gate\n# nothing else\n```\n```\nfalse\n```\n\
                ```sh\ncargo gate\ntrue\n```\n```json\n{}\n```\n";
    assert_eq!(blocks(page), [Block { line: 11, script: "true\n".to_owned() }]);
}

#[test]
fn what_the_reader_types_meets_the_shipped_program() {
    let reader = Reader::new();
    let said = reader
        .types("fencehold lock run build -- make; fencehold --version; env | grep -c '^FENCEHOLD_' || true");
    assert_eq!(said.code, 0, "{said:?}");
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[0].starts_with("made under token "), "{said:?}");
    assert!(lines[1].starts_with("fencehold "), "{said:?}");
    assert_eq!(lines[2..], ["0"], "no variable of ours is set: {said:?}");
}
