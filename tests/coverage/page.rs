//! The page, in Markdown.

use std::fmt::Write as _;

use super::account::{Account, behaviours, caught, defects, mutant};
use super::systems::System;
use super::tags::{Kind, Tag};

const HEAD: &str = "\
# What other systems do, and where they break

Written by `tests/coverage.rs` from the tags over the tests. Do not edit:

```text
FENCEHOLD_REGENERATE=1 cargo test -p fencehold-tests --test all -- coverage
```

Fencehold is to be able to take the place of systems that were read before it was written. For each of them: what it
does, and what ours does for it; how it breaks, and the test that shows that ours does not. A test is named as
`cargo test -p fencehold-tests --test all -- NAME` takes it.

A test that cannot fail shows nothing. Where a defect is that of a numbered mutant, the same test asks such a mutant too
and sees it fail; a stage of the gate that catches it as well is named beside it. Where there is no such mutant, the
algorithm as it was published, written down small, fails the same test.
";

/// The whole page.
pub(super) fn write(systems: &[System], account: &Account<'_>) -> String {
    let mut text = HEAD.to_owned();
    for system in systems {
        let _ = write!(text, "\n## {}: {}\n", system.letter, system.title);
        what_it_does(&mut text, system, account);
        where_it_breaks(&mut text, system, account);
    }
    text
}

fn what_it_does(text: &mut String, system: &System, account: &Account<'_>) {
    text.push_str("\n### What it does\n\n| | it | ours | shown by |\n|---|---|---|---|\n");
    for (name, behaviour) in behaviours(system) {
        let tests = account.tests(Kind::Behaviour, &name);
        let by = standing(account, &name, behaviour.argument, tests);
        row(text, &[&name, behaviour.what, behaviour.ours, &by]);
    }
}

fn where_it_breaks(text: &mut String, system: &System, account: &Account<'_>) {
    text.push_str(
        "\n### Where it breaks\n\n| | it | ours | shown by | which fails on |\n|---|---|---|---|---|\n",
    );
    for (name, defect) in defects(system) {
        let by = standing(account, &name, defect.argument, account.tests(Kind::Defect, &name));
        let mut fails: Vec<String> =
            defect.mutants.iter().map(|number| on_mutant(account, &name, number)).collect();
        let published = account.failing(&name, Kind::Published, &name);
        if !published.is_empty() {
            fails.push(format!("the published algorithm: {}", listed(&published)));
        }
        let fails = fails.join("<br>");
        row(text, &[&name, defect.what, defect.ours, &by, &fails]);
    }
}

/// A row of a table, in which a bar is no end of a cell.
fn row(text: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// A mutant, the tests of a defect that were seen to fail on it, and what else does.
fn on_mutant(account: &Account<'_>, defect: &str, number: &str) -> String {
    let tests = account.failing(defect, Kind::Mutant, number);
    let by: Vec<String> =
        (!tests.is_empty()).then(|| listed(&tests)).into_iter().chain(caught(number)).collect();
    let by = if by.is_empty() { "nothing yet".to_owned() } else { by.join("; ") };
    format!("{number} {}: {by}", mutant(number))
}

fn standing(account: &Account<'_>, name: &str, argument: Option<&str>, tests: &[Tag]) -> String {
    let mut parts = Vec::new();
    if account.is_pending(name) {
        parts.push("*not shown yet*".to_owned());
    }
    if let Some(argument) = argument {
        parts.push(format!("no test: {argument}"));
    }
    if !tests.is_empty() {
        parts.push(listed(tests));
    }
    parts.join("; ")
}

fn listed(tests: &[Tag]) -> String {
    let names: Vec<String> = tests.iter().map(|tag| test(&tag.path, &tag.test)).collect();
    names.join(", ")
}

/// A test as it is asked for, where it is one of the integration tests, and else with its file.
pub(super) fn test(path: &str, name: &str) -> String {
    match path.strip_prefix("tests/").and_then(|path| path.strip_suffix(".rs")) {
        Some(module) => format!("`{}::{name}`", module.replace('/', "::")),
        None => format!("`{name}` in `{path}`"),
    }
}
