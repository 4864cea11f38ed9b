//! Bad plan files and bad boards as processes: named, and nothing of them done.

use super::kit::{Plans, block};

#[test]
fn files_that_are_no_plans_are_named_and_the_others_are_done() {
    let plans = Plans::new();
    let good = block("T1", "todo");
    plans.write("good.md", &good);
    plans.write("nul.md", [block("T2", "todo").as_bytes(), b"\0"].concat());
    plans.write("latin.md", [b"caf\xe9\n".as_slice(), block("T3", "todo").as_bytes()].concat());
    plans.write("open.md", "```task\nid: T4\nstatus: todo\n");
    plans.write("noise.md", b"\0\xff\r\r no plan at all");
    std::fs::File::create(plans.path("big.md")).unwrap().set_len(50 << 20).unwrap();
    plans.git(&["add", "."]);
    plans.git(&["commit", "-q", "-m", "all"]);
    let bytes = |name: &str| std::fs::read(plans.path(name)).unwrap();
    let names = ["nul.md", "latin.md", "open.md", "noise.md", "big.md"];
    let before: Vec<Vec<u8>> = names.iter().map(|name| bytes(name)).collect();
    let told = plans.plan(&["fix", "."]);
    let found: Vec<(&str, &str)> = told
        .findings
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("big.md", "bad-file"),
        ("good.md", "C-11"),
        ("latin.md", "bad-file"),
        ("nul.md", "bad-file"),
        ("open.md", "bad-block"),
    ];
    assert_eq!((told.code, found.as_slice()), (1, &wanted[..]), "{told:?}");
    assert_eq!(plans.on_board("T1"), "todo");
    assert_eq!(names.iter().map(|name| bytes(name)).collect::<Vec<_>>(), before);
}

/// A writeback keeps line ends, a mark of the byte order, a missing newline, mode and neighbours.
#[test]
fn a_writeback_keeps_what_stands_around_it() {
    let plans = Plans::new();
    let text = |status: &str| {
        format!(
            "\u{feff}# T1 status: todo\r\n\r\n- ~~~ task\r\n  id: 'T1'\r\n  status: \"{status}\" # status: todo\r\n  \
                 status_note: todo\r\n  ~~~\r\n\r\n```yaml\r\nid: T1\r\nstatus: todo\r\n```\r\n\r\nstatus: todo"
        )
    };
    plans.commit("plan.md", text("todo"), "a plan");
    plans.git(&["config", "core.autocrlf", "false"]);
    let mode = |mode| {
        std::fs::set_permissions(plans.path("plan.md"), std::os::unix::fs::PermissionsExt::from_mode(mode))
    };
    mode(0o644).unwrap();
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    plans.set(&["set", "T1", "cancelled"]);
    let told = plans.plan(&["fix", "plan.md"]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-13", "DONE", "T1")]), "{told:?}");
    assert_eq!(plans.read("plan.md"), text("cancelled"));
    let numbers = plans.git(&["show", "--format=", "--numstat", "HEAD"]);
    assert_eq!(numbers, "1\t1\tplan.md");
}

#[test]
fn what_is_remembered_and_damaged_is_named_and_never_taken_for_nothing() {
    let plans = Plans::new();
    plans.commit("plan.md", block("T1", "todo"), "a plan");
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
    let folder = plans.path(".git/fencehold/plans");
    let kept: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let whole = std::fs::read_to_string(&kept[0]).unwrap();
    plans.set(&["set", "T1", "done"]);
    let mut seen = 0;
    for bad in
        ["", "{", "[]", "{\"plan\":2}", &whole.replace("plan.md", "other.md"), &whole.replace("todo", " ")]
    {
        std::fs::write(&kept[0], bad).unwrap();
        let said = plans.yard.run(["plan", "fix", "plan.md"]);
        assert_eq!(said.code, 4, "{bad:?}: {said:?}");
        assert!(said.stderr.contains("plans/") && said.stderr.contains("Remove it"), "{bad:?}: {said:?}");
        assert_eq!(
            (std::fs::read_to_string(&kept[0]).unwrap().as_str(), plans.read("plan.md")),
            (bad, block("T1", "todo"))
        );
        seen += 1;
    }
    assert_eq!(seen, 6);
    std::fs::write(&kept[0], whole).unwrap();
    assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
}

/// PLAN-28: Where there is a repository and git sees no worktree of these files in it, `plan check` and `plan fix` change
/// nothing and end with 2.
#[test]
fn a_repository_that_git_cannot_read_is_never_taken_for_none() {
    let mut seen = 0;
    for flaw in ["none", "HEAD", "core.worktree", "core.bare"] {
        let plans = Plans::new();
        plans.commit("plan.md", block("T1", "todo"), "a plan");
        assert_eq!(plans.plan(&["fix", "plan.md"]).code, 0);
        plans.set(&["set", "T1", "done"]);
        let edited = format!("{}not committed\n", block("T1", "todo"));
        plans.write("plan.md", &edited);
        match flaw {
            "HEAD" => std::fs::write(plans.path(".git/HEAD"), "").unwrap(),
            "core.worktree" => {
                let above = plans.path("..").canonicalize().unwrap();
                plans.git(&["config", flaw, above.to_str().unwrap()]);
            }
            "core.bare" => {
                plans.git(&["config", flaw, "true"]);
            }
            _ => {}
        }
        let wanted = if flaw == "none" { 1 } else { 2 };
        for word in ["fix", "check"] {
            let said = plans.yard.run(["plan", word, "plan.md"]);
            assert_eq!(said.code, wanted, "{flaw}: {said:?}");
            assert_eq!(said.stderr.contains("git sees no worktree there"), wanted == 2, "{flaw}: {said:?}");
        }
        assert_eq!(plans.read("plan.md"), edited, "{flaw}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// PLAN-29: What was agreed on of a task whose block is in another file than before counts for the file that has it.
#[test]
fn a_reopen_in_a_file_that_was_renamed_is_not_undone() {
    let plans = Plans::new();
    plans.commit("a.md", block("T1", "todo"), "a plan");
    plans.commit("b.md", block("T2", "todo"), "another");
    plans.set(&["set", "T1", "done"]);
    assert_eq!(plans.plan(&["fix", "."]).code, 0);
    assert_eq!(plans.read("a.md"), block("T1", "done"));
    plans.git(&["mv", "a.md", "c.md"]);
    plans.commit("c.md", block("T1", "todo"), "renamed and taken up again");
    let reopened = vec![("C-11", "WARN", "T1")];
    assert_eq!(plans.plan(&["check", "."]).codes(), reopened);
    let told = plans.plan(&["fix", "."]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-11", "DONE", "T1")]), "{told:?}");
    assert_eq!((plans.read("c.md"), plans.on_board("T1")), (block("T1", "todo"), "todo".to_owned()));
    // A block that moves into a file that has others; the file that it was in stays.
    plans.set(&["set", "T2", "done"]);
    assert_eq!(plans.plan(&["fix", "."]).codes(), [("C-13", "DONE", "T2")]);
    plans.write("b.md", "# Nothing any more\n");
    plans.commit("c.md", [block("T1", "todo"), block("T2", "todo")].concat(), "moved and taken up again");
    plans.commit("b.md", "# Nothing any more\n", "moved");
    let told = plans.plan(&["fix", "."]);
    assert_eq!((told.code, told.codes()), (0, vec![("C-11", "DONE", "T2")]), "{told:?}");
    // What a file that still has the block remembers is its own.
    plans.commit("e.md", block("T3", "todo"), "a third");
    assert_eq!(plans.plan(&["fix", "."]).code, 0);
    plans.set(&["set", "T3", "done"]);
    assert_eq!(plans.plan(&["fix", "e.md"]).codes(), [("C-13", "DONE", "T3")]);
    plans.commit("f.md", block("T3", "todo"), "a copy");
    let told = plans.plan(&["fix", "f.md"]);
    assert_eq!(told.codes(), [("C-13", "DONE", "T3")], "nothing is remembered of it: {told:?}");
}

/// PLAN-30: A `plan fix` that an error ends tells what it did until then and `ended-early`, and only one that had begun to
/// change nothing says that nothing was changed.
#[test]
fn a_fix_that_ends_early_is_never_told_as_all_in_step() {
    let plans = Plans::new();
    for (file, task) in [("a.md", "T1"), ("b.md", "T2")] {
        plans.commit(file, block(task, "todo"), "a plan");
    }
    assert_eq!(plans.plan(&["fix", "."]).code, 0);
    let folder = plans.path(".git/fencehold/plans");
    let hide = |begun: bool| {
        if begun {
            std::fs::rename(&folder, folder.with_extension("away")).unwrap();
            std::fs::write(&folder, "").unwrap();
        } else {
            std::fs::remove_file(&folder).unwrap();
            std::fs::rename(folder.with_extension("away"), &folder).unwrap();
        }
    };
    // Before anything was begun.
    for task in ["T1", "T2"] {
        plans.set(&["set", task, "done"]);
    }
    hide(true);
    let told = plans.plan(&["fix", "."]);
    assert_eq!((told.code, &told.findings[1]["outcome"]), (2, &"refused".into()), "{told:?}");
    assert_eq!(told.codes()[0], ("ended-early", "WARN", ""), "{told:?}");
    assert!(told.stderr.contains("nothing was changed"), "{told:?}");
    hide(false);
    // After the first commit.
    let commits = plans.git(&["rev-list", "--count", "HEAD"]);
    let hook = "#!/bin/sh\ncd \"$(git rev-parse --git-dir)\"/fencehold && mv plans plans.away && : > plans\n";
    plans.write(".git/hooks/post-commit", hook);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(plans.path(".git/hooks/post-commit"), mode).unwrap();
    let told = plans.plan(&["fix", "."]);
    assert_eq!(told.code, 3, "{told:?}");
    assert!(told.codes().contains(&("ended-early", "WARN", "")), "{told:?}");
    assert_ne!(plans.git(&["rev-list", "--count", "HEAD"]), commits, "the first was committed");
    // Run again it goes on.
    std::fs::remove_file(plans.path(".git/hooks/post-commit")).unwrap();
    hide(false);
    assert_eq!(plans.plan(&["fix", "."]).code, 0);
    assert_eq!((plans.read("a.md"), plans.read("b.md")), (block("T1", "done"), block("T2", "done")));
}

/// Outside of git nothing is committed, and the rest is as it is in git; a workspace with plans can be taken away.
#[test]
fn without_git_the_file_follows_all_the_same() {
    let yard = crate::program::Yard::new();
    std::fs::write(yard.join("plan.md"), block("T1", "todo")).unwrap();
    for args in [
        &["init"][..],
        &["plan", "fix", "plan.md"],
        &["task", "set", "T1", "done"],
        &["plan", "fix", "plan.md"],
    ] {
        let said = yard.run(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
    }
    assert_eq!(std::fs::read_to_string(yard.join("plan.md")).unwrap(), block("T1", "done"));
    std::fs::write(yard.join("plan.md"), block("T1", "todo")).unwrap();
    assert_eq!(yard.run(["plan", "fix", "plan.md"]).code, 0);
    assert_eq!(yard.run(["task", "get", "T1"]).stdout, "todo\n");
    assert_eq!(yard.run(["deinit"]).code, 0);
}
