//! Where the workspace of a folder is: every spelling of one repository comes to one, and what must not be one is
//! refused with the command that mends it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::json;

use crate::program::{Said, Yard, said};
use crate::served::Served;

/// The folder that `where` names from `dir`, which must not be refused.
fn found(yard: &Yard, dir: &Path) -> String {
    let said = yard.run_in(dir, ["where"]);
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout.trim_end().to_owned()
}

fn shown(path: &Path) -> String {
    path.to_str().expect("a UTF-8 path").to_owned()
}

/// One clear message that says these words, and exit code 2.
#[track_caller]
fn refuses(said: &Said, words: &[&str]) {
    assert_eq!(said.code, 2, "{said:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

fn repository() -> Yard {
    let yard = Yard::new();
    let main = yard.join("main");
    fs::create_dir(&main).unwrap();
    yard.git_in(&main, &["init", "-q", "-b", "main"]);
    yard.git_in(&main, &["commit", "-q", "--allow-empty", "-m", "one"]);
    yard
}

/// CLI-7: In a git checkout the workspace is `fencehold/` in the git common directory, the same for every
/// subdirectory, linked worktree and symlinked spelling, for a bare repository, and with `GIT_DIR` set.
#[test]
fn every_spelling_of_one_repository_is_one_workspace() {
    let yard = repository();
    let main = yard.join("main");
    yard.git_in(&main, &["worktree", "add", "-q", "../linked"]);
    fs::create_dir_all(main.join("a/b")).unwrap();
    fs::create_dir_all(yard.join("linked/c")).unwrap();
    symlink(&main, yard.join("spelled")).unwrap();
    let want = shown(&main.join(".git/fencehold"));
    for dir in
        ["main", "main/a/b", "linked", "linked/c", "spelled/a", "main/.git", "main/.git/worktrees/linked"]
    {
        assert_eq!(found(&yard, &yard.join(dir)), want, "{dir}");
    }
    let by_root = said(yard.fencehold().arg("--root").arg(yard.join("spelled/a")).arg("where"));
    assert_eq!(by_root.stdout.trim_end(), want);
    let by_env = said(yard.fencehold().env("FENCEHOLD_ROOT", "linked/c").arg("where"));
    assert_eq!(by_env.stdout.trim_end(), want);
    assert!(!main.join(".git/fencehold").exists(), "a look creates nothing");
}

#[test]
fn the_root_is_the_worktree_it_was_asked_from() {
    let yard = repository();
    yard.git_in(&yard.join("main"), &["worktree", "add", "-q", "../linked"]);
    fs::create_dir_all(yard.join("linked/c")).unwrap();
    let said = said(yard.fencehold().current_dir(yard.join("linked/c")).args(["--json", "where"]));
    let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(value["root"], shown(&yard.join("linked")));
    assert_eq!(value["common_dir"], shown(&yard.join("main/.git")));
    assert_eq!(value["exists"], false);
}

/// CLI-7: In a git checkout the workspace is `fencehold/` in the git common directory, the same for every
/// subdirectory, linked worktree and symlinked spelling, for a bare repository, and with `GIT_DIR` set.
#[test]
fn git_dir_in_the_environment_is_followed_as_in_a_hook() {
    let yard = repository();
    let main = yard.join("main");
    yard.git_in(&main, &["worktree", "add", "-q", "../linked"]);
    let want = shown(&main.join(".git/fencehold"));
    let linked_git_dir = main.join(".git/worktrees/linked");
    for (dir, git_dir) in [("main", ".git"), ("linked", linked_git_dir.to_str().unwrap()), (".", "main/.git")]
    {
        let said = said(yard.fencehold().current_dir(yard.join(dir)).env("GIT_DIR", git_dir).arg("where"));
        assert_eq!((said.code, said.stdout.trim_end()), (0, want.as_str()), "{dir} {git_dir}: {said:?}");
    }
    let other = Yard::with_git();
    let rooted =
        said(yard.fencehold().arg("--root").arg(other.path()).env("GIT_DIR", "main/.git").arg("where"));
    assert_eq!(rooted.stdout.trim_end(), shown(&other.join(".git/fencehold")), "--root wins");
    refuses(
        &said(yard.fencehold().env("GIT_DIR", "nowhere").arg("where")),
        &["GIT_DIR", "nowhere", "--root"],
    );
}

#[test]
fn a_hook_that_git_runs_finds_the_workspace() {
    let yard = repository();
    let main = yard.join("main");
    yard.git_in(&main, &["worktree", "add", "-q", "../linked"]);
    let hook = main.join(".git/hooks/pre-commit");
    fs::create_dir_all(main.join(".git/hooks")).unwrap();
    let program = env!("CARGO_BIN_EXE_fencehold-under-test");
    fs::write(&hook, format!("#!/bin/sh\nexec {program} where > {}\n", shown(&yard.join("answer")))).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    for dir in ["main", "linked"] {
        yard.git_in(&yard.join(dir), &["commit", "-q", "--allow-empty", "-m", "two"]);
        let answer = fs::read_to_string(yard.join("answer")).unwrap();
        assert_eq!(answer.trim_end(), shown(&main.join(".git/fencehold")), "{dir}");
    }
}

/// CLI-7: In a git checkout the workspace is `fencehold/` in the git common directory, the same for every
/// subdirectory, linked worktree and symlinked spelling, for a bare repository, and with `GIT_DIR` set.
///
/// Defect GSDD-13: each worktree had a registry of its own.
#[test]
fn a_bare_repository_and_its_worktrees_share_one() {
    let yard = repository();
    yard.git(&["clone", "-q", "--bare", "main", "bare.git"]);
    yard.git_in(&yard.join("bare.git"), &["worktree", "add", "-q", "../beside", "main"]);
    let want = shown(&yard.join("bare.git/fencehold"));
    for dir in ["bare.git", "bare.git/refs", "beside"] {
        assert_eq!(found(&yard, &yard.join(dir)), want, "{dir}");
    }
    // Where each worktree has a config of its own, `core.bare` stands there.
    yard.git(&["clone", "-q", "--bare", "main", "hidden/.git"]);
    yard.git_in(&yard.join("hidden/.git"), &["config", "extensions.worktreeConfig", "true"]);
    yard.git_in(&yard.join("hidden/.git"), &["config", "--unset", "core.bare"]);
    yard.git_in(&yard.join("hidden/.git"), &["config", "--worktree", "core.bare", "true"]);
    fs::create_dir(yard.join("hidden/.fencehold")).unwrap();
    assert_eq!(found(&yard, &yard.join("hidden/.git")), shown(&yard.join("hidden/.git/fencehold")));
}

#[test]
fn a_submodule_has_its_own() {
    let yard = repository();
    let main = yard.join("main");
    yard.git(&["clone", "-q", "main", "outer"]);
    yard.git_in(&yard.join("outer"), &["submodule", "--quiet", "add", main.to_str().unwrap(), "sub"]);
    assert_eq!(found(&yard, &yard.join("outer/sub")), shown(&yard.join("outer/.git/modules/sub/fencehold")));
    assert_eq!(found(&yard, &yard.join("outer")), shown(&yard.join("outer/.git/fencehold")));
}

#[test]
fn a_separate_git_dir_is_followed() {
    let yard = Yard::new();
    yard.git(&["init", "-q", "--separate-git-dir", "elsewhere", "tree"]);
    assert_eq!(found(&yard, &yard.join("tree")), shown(&yard.join("elsewhere/fencehold")));
}

/// CLI-9: A linked worktree whose common directory cannot be reached exits 2, and no second workspace is
/// made.
#[test]
fn a_linked_worktree_without_its_repository_is_refused() {
    let yard = repository();
    yard.git_in(&yard.join("main"), &["worktree", "add", "-q", "../linked"]);
    fs::rename(yard.join("main"), yard.join("away")).unwrap();
    let said = yard.run_in(&yard.join("linked"), ["where"]);
    refuses(&said, &["linked", "main/.git", "cannot be reached", "git worktree repair"]);
    let before = yard.snapshot();
    for args in [&["lock", "acquire", "build"][..], &["init"], &["log", "append", "l", "{\"id\":\"a\"}"]] {
        refuses(&yard.run_in(&yard.join("linked"), args), &["main/.git", "cannot be reached"]);
    }
    let mut served = crate::served::Served::silent(&mut yard.fencehold());
    let hello = serde_json::json!({ "protocol": 1, "root": yard.join("linked") });
    assert_eq!(served.ask("hello", &hello)["outcome"], "fail");
    assert_eq!(yard.snapshot(), before, "no second workspace is made");
}

#[test]
fn a_dot_git_file_that_is_none_is_refused_and_an_empty_folder_passed_over() {
    let yard = Yard::new();
    fs::create_dir_all(yard.join("a/.git")).unwrap();
    assert_eq!(found(&yard, &yard.join("a")), shown(&yard.join("a/.fencehold")));
    fs::write(yard.join(".git"), "hello\n").unwrap();
    refuses(&yard.run(["where"]), &[".git", "gitdir:"]);
}

/// CLI-8: Outside git the workspace is the nearest `.fencehold/` of the directory or an ancestor.
#[test]
fn outside_git_the_nearest_folder_above_counts() {
    let yard = Yard::new();
    fs::create_dir_all(yard.join("a/b/c")).unwrap();
    assert_eq!(found(&yard, &yard.join("a/b")), shown(&yard.join("a/b/.fencehold")));
    fs::create_dir(yard.join("a/.fencehold")).unwrap();
    assert_eq!(found(&yard, &yard.join("a/b/c")), shown(&yard.join("a/.fencehold")));
}

/// CLI-11: `init --in-tree` puts the workspace into the main working tree as `.fencehold/`, `init --dir`
/// where it is told, and every linked worktree finds it there.
#[test]
fn in_tree_and_named_folders_are_found_from_every_worktree() {
    let yard = repository();
    let main = yard.join("main");
    yard.git_in(&main, &["worktree", "add", "-q", "../linked"]);
    fs::create_dir(main.join(".fencehold")).unwrap();
    for dir in ["main", "linked"] {
        assert_eq!(found(&yard, &yard.join(dir)), shown(&main.join(".fencehold")), "{dir}");
    }
    fs::create_dir(main.join(".git/fencehold")).unwrap();
    refuses(&yard.run_in(&main, ["where"]), &["two workspaces", ".git/fencehold", "main/.fencehold"]);
    yard.git_in(&main, &["config", "fencehold.dir", yard.join("named one").to_str().unwrap()]);
    for dir in ["main", "linked"] {
        assert_eq!(found(&yard, &yard.join(dir)), shown(&yard.join("named one")), "{dir}");
    }
    yard.git_in(&main, &["config", "fencehold.dir", "relative"]);
    refuses(&yard.run_in(&main, ["where"]), &["fencehold.dir", "relative", "not absolute"]);
}

/// CLI-13: A workspace folder that is a symbolic link, is tracked by git, or is another user's and not
/// shared, exits 2 with the command that mends it.
#[test]
fn a_workspace_folder_that_is_a_symlink_or_a_file_is_refused() {
    let yard = Yard::with_git();
    let dir = yard.join(".git/fencehold");
    fs::create_dir(yard.join("target")).unwrap();
    symlink(yard.join("target"), &dir).unwrap();
    refuses(&yard.run(["where"]), &["symbolic link", "rm ", "fencehold init --dir"]);
    assert!(fs::read_dir(yard.join("target")).unwrap().next().is_none(), "never followed");
    fs::remove_file(&dir).unwrap();
    fs::write(&dir, "precious").unwrap();
    refuses(&yard.run(["where"]), &["no folder", "mv "]);
    assert_eq!(fs::read_to_string(&dir).unwrap(), "precious");
}

/// CLI-13: A workspace folder that is a symbolic link, is tracked by git, or is another user's and not
/// shared, exits 2 with the command that mends it.
#[test]
fn a_workspace_folder_that_git_tracks_is_refused_for_each_index_version() {
    for version in ["2", "3", "4"] {
        let yard = Yard::with_git();
        fs::create_dir(yard.join(".fencehold")).unwrap();
        for (name, text) in [(".fencehold/lock", ""), (".a", "1"), (".fencehold.d", "2"), ("z", "3")] {
            fs::write(yard.join(name), text).unwrap();
        }
        yard.git(&["add", ".a", ".fencehold.d", "z"]);
        yard.git(&["update-index", "--index-version", version]);
        assert_eq!(found(&yard, &yard.path()), shown(&yard.join(".fencehold")), "version {version}");
        yard.git(&["add", "-f", ".fencehold"]);
        if version == "3" {
            // Only an extended flag makes git write version 3.
            yard.git(&["update-index", "--skip-worktree", ".a"]);
        }
        yard.git(&["update-index", "--index-version", version]);
        refuses(&yard.run(["where"]), &["tracked by git", "git rm -r --cached .fencehold"]);
    }
}

#[test]
fn an_index_that_is_none_is_refused_where_it_matters() {
    let yard = Yard::with_git();
    fs::write(yard.join(".git/index"), "rubbish").unwrap();
    assert_eq!(found(&yard, &yard.path()), shown(&yard.join(".git/fencehold")));
    fs::create_dir(yard.join(".fencehold")).unwrap();
    refuses(&yard.run(["where"]), &["index", "git status"]);
}

/// CLI-13: A workspace folder that is a symbolic link, is tracked by git, or is another user's and not
/// shared, exits 2 with the command that mends it.
#[test]
fn another_users_folder_is_refused_unless_it_is_shared() {
    let yard = Yard::with_git();
    let dir = yard.join(".git/fencehold");
    fs::create_dir(&dir).unwrap();
    if std::os::unix::fs::chown(&dir, Some(4242), None).is_err() {
        println!("skipped: only root can give a folder away");
        return;
    }
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    refuses(&yard.run(["where"]), &["belongs to user 4242", "fencehold init --shared"]);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o2770)).unwrap();
    assert_eq!(found(&yard, &yard.path()), shown(&dir));
}

/// CLI-19: A workspace on a filesystem that is not on the list exits 2 and names the filesystem.
#[test]
fn a_filesystem_that_is_not_on_the_list_is_refused() {
    let yard = Yard::new();
    let said = yard.run(["--root", "/proc/self", "where"]);
    refuses(&said, &["filesystem of type 0x9fa0", "fencehold init --dir"]);
}

#[test]
fn a_root_that_is_not_there_or_no_folder_is_named() {
    let yard = Yard::new();
    fs::write(yard.join("file"), "").unwrap();
    refuses(&yard.run(["--root", "nowhere", "where"]), &["nowhere"]);
    refuses(&yard.run(["--root", "file", "where"]), &["file", "no folder"]);
}

/// CLI-57: Of two processes that choose different places for the workspace of one repository at once, no two are told that
/// a write was done, and from then on every command exits 2 and names both places.
///
/// A process that found no workspace made one where it had looked, though another place had been chosen since: two
/// holders had one token.
#[test]
fn a_place_that_was_chosen_meanwhile_is_no_second_workspace() {
    for init in [vec!["init", "--in-tree"], vec!["init", "--dir", "../named"]] {
        let yard = repository();
        let main = yard.join("main");
        let mut late = Served::at(&main);
        assert_eq!(yard.run_in(&main, &init).code, 0, "{init:?}");
        let first = yard.run_in(&main, ["lock", "acquire", "build", "--holder", "first"]);
        assert_eq!(first.code, 0, "{first:?}");
        let asked = json!({ "name": "build", "claim": "c", "holder": "late", "ttl_ms": 60_000 });
        let answer = late.ask("lock.acquire", &asked);
        assert_eq!(answer["outcome"], "fail", "{init:?}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains("two workspaces"), "{answer}");
        refuses(&yard.run_in(&main, ["lock", "show", "build"]), &["two workspaces", ".git/fencehold"]);
        refuses(&yard.run_in(&main, &init), &["two workspaces"]);
    }
}

/// CLI-57's other side: who chooses a place looks whether a workspace was made elsewhere meanwhile.
#[test]
fn a_setting_beside_a_workspace_is_refused_by_everybody() {
    let yard = repository();
    let main = yard.join("main");
    assert_eq!(yard.run_in(&main, ["init"]).code, 0);
    yard.git_in(&main, &["config", "fencehold.dir", yard.join("named").to_str().unwrap()]);
    for command in [vec!["where"], vec!["status"], vec!["lock", "acquire", "build"], vec!["init"]] {
        refuses(&yard.run_in(&main, &command), &["two workspaces", "named", ".git/fencehold"]);
    }
}
