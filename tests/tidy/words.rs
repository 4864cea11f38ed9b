//! What may be named where: the arrows between the rooms, and what no file of the protocol may hold.

use super::exceptions::{ON_DISK, SLEEPS, UNIT_TESTS};
use super::{code, names, none, sources};

/// Whether `code` names `module` of the crate `fencehold_model`, in a path or among the parts of a `use`.
fn names_of_model(code: &str, module: &str) -> bool {
    code.split("fencehold_model::").skip(1).any(|rest| {
        if rest.starts_with('{') {
            return rest.split(';').next().is_some_and(|parts| names(parts, module));
        }
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next() == Some(module)
    })
}

/// What a file of `impl/src` must not name.
fn forbidden(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut problems = Vec::new();
    let mut refuse = |is: bool, what: &str| {
        if is {
            problems.push(format!("{path}: {what}"));
        }
    };
    for module in ["spec", "history"] {
        refuse(
            names_of_model(&code, module),
            &format!("names model::{module}: the oracle is no part of what it judges"),
        );
    }
    if path != "impl/src/fs/real.rs" && !ON_DISK.iter().any(|(folder, _)| path.starts_with(folder)) {
        let direct =
            code.contains("std::fs") || names(&code, "OpenOptions") || code.contains("rustix::fs::open");
        refuse(direct, "goes to the disk past the port `Fs`");
    }
    if path != "impl/src/host/real.rs" {
        let clock =
            code.contains("Instant::now") || names(&code, "SystemTime") || names(&code, "clock_gettime");
        refuse(clock, "reads a clock past the port `Clock`");
    }
    let protocol = ["journal", "ledger", "lock", "document", "log", "mark"];
    if protocol.iter().any(|room| path.starts_with(&format!("impl/src/{room}"))) {
        let excepted = UNIT_TESTS.iter().any(|(excepted, _)| *excepted == path);
        let unit_tests_alone =
            code.matches("cfg(test)").count() == code.matches("#[cfg(test)]\nmod tests {").count();
        refuse(code.contains("cfg(test)") && !(excepted && unit_tests_alone), "is another file when tested");
    }
    problems
}

/// What no Rust file may hold.
fn nowhere(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut problems = Vec::new();
    for word in ["unsafe {", "unsafe fn", "unsafe impl", "todo!(", "unimplemented!("] {
        if code.contains(word) {
            problems.push(format!("{path}: {word}"));
        }
    }
    if code.contains("thread::sleep") && !SLEEPS.iter().any(|(excepted, _)| *excepted == path) {
        problems.push(format!("{path}: sleeps; wait for what you wait for, or say why in the list"));
    }
    problems
}

#[test]
fn every_room_keeps_to_its_arrows() {
    let files = sources(&["impl/src"]);
    assert!(files.len() > 60, "{}", files.len());
    none(&files.iter().flat_map(|file| forbidden(&file.path, &file.text)).collect::<Vec<_>>());
    for (folder, reason) in ON_DISK {
        let parent = format!("{}mod.rs", folder.trim_end_matches("tests/"));
        let parent = files.iter().find(|file| file.path == parent);
        let parent = parent.unwrap_or_else(|| panic!("{folder}: no module declares it"));
        assert!(parent.text.contains("#[cfg(test)]\nmod tests;"), "{folder}: ships");
        assert!(!reason.is_empty(), "{folder}");
    }
    let model = sources(&["model/src"]);
    let root = model.iter().find(|file| file.path == "model/src/lib.rs").unwrap();
    assert!(root.text.lines().any(|line| line == "#![no_std]"), "the model could do I/O");
    let std = model.iter().filter(|file| names(&code(&file.text), "std"));
    none(&std.map(|file| format!("{}: names std", file.path)).collect::<Vec<_>>());
}

#[test]
fn nothing_is_unsafe_unfinished_or_asleep() {
    let files = sources(&["impl/src", "model/src", "stress/src", "tests", "benches"]);
    let ours = files.iter().filter(|file| file.path != "tests/tidy/words.rs");
    none(&ours.flat_map(|file| nowhere(&file.path, &file.text)).collect::<Vec<_>>());
    for (list, word) in [(SLEEPS, "thread::sleep"), (UNIT_TESTS, "#[cfg(test)]")] {
        for (path, reason) in list {
            let file = files.iter().find(|file| file.path == *path);
            assert!(
                file.is_some_and(|file| file.text.contains(word)),
                "{path} needs no exception for {word}"
            );
            assert!(!reason.is_empty(), "{path}");
        }
    }
}

#[test]
fn each_forbidden_word_is_found() {
    let wrong = [
        ("impl/src/cli/x.rs", "use fencehold_model::spec::Oracle;"),
        ("impl/src/cli/x.rs", "use fencehold_model::{\n    history,\n    id,\n};"),
        ("impl/src/cli/x.rs", "let x = fencehold_model::history::parse();"),
        ("impl/src/fs/watch.rs", "use std::fs::File;"),
        ("impl/src/cli/x.rs", "OpenOptions::new()"),
        ("impl/src/fs/real.rs", "let now = Instant::now();"),
        ("impl/src/cli/x.rs", "use std::time::SystemTime;"),
        ("impl/src/cli/x.rs", "rustix::time::clock_gettime(id)"),
        ("impl/src/journal/x.rs", "#[cfg(test)]\nfn hook() {}"),
        ("impl/src/mark/name.rs", "#[cfg(test)]\nmod tests {}\n#[cfg(test)]\nfn hook() {}"),
    ];
    for (path, text) in wrong {
        assert_eq!(forbidden(path, text).len(), 1, "{path}: {text}");
    }
    let right = [
        (
            "impl/src/cli/x.rs",
            "// std::fs\nuse fencehold_model::{record, State};\nuse crate::journal::history;",
        ),
        ("impl/src/cli/x.rs", "use fencehold_model::Entry;\nfn spec() {}"),
        ("impl/src/cli/x.rs", "#[cfg(test)]\nmod tests {}"),
        ("impl/src/fs/real.rs", "use std::fs::OpenOptions;"),
        ("impl/src/host/real.rs", "Instant::now(); clock_gettime(x)"),
    ];
    for (path, text) in right {
        assert!(forbidden(path, text).is_empty(), "{path}: {text}");
    }
    for text in ["unsafe { x }", "todo!()", "unimplemented!()", "std::thread::sleep(x)"] {
        assert_eq!(nowhere("impl/src/x.rs", text).len(), 1, "{text}");
    }
    assert!(nowhere("impl/src/x.rs", "// unsafe { x }\nlet unsafe_size = 1;").is_empty());
}
