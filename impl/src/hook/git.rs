//! Which git commands move nothing: not HEAD, not the index, the stash, a ref, the work tree or the configuration.
//!
//! Invariant: what is not listed moves.

use super::readonly::shown;
use super::words::Word;

/// Subcommands that only look, whatever their arguments but those of [`OPTIONS`].
const LOOKS: &[&str] = &[
    "annotate",
    "blame",
    "cat-file",
    "check-attr",
    "check-ignore",
    "check-mailmap",
    "check-ref-format",
    "cherry",
    "count-objects",
    "describe",
    "diff",
    "diff-files",
    "diff-index",
    "diff-tree",
    "for-each-ref",
    "grep",
    "log",
    "ls-files",
    "ls-tree",
    "merge-base",
    "name-rev",
    "range-diff",
    "rev-list",
    "rev-parse",
    "shortlog",
    "show",
    "show-branch",
    "show-ref",
    "status",
    "var",
    "verify-commit",
    "verify-tag",
    "version",
    "whatchanged",
];

/// Subcommands that look when they are asked in one of these ways, and move otherwise.
const WAYS: &[(&str, &[&str])] = &[
    ("bisect", &["log"]),
    ("config", &["--get", "--get-all", "--get-regexp", "--list", "-l", "get", "list"]),
    ("notes", &["list", "show"]),
    ("reflog", &["show", "list", "exists"]),
    ("remote", &["get-url"]),
    ("stash", &["list", "show"]),
    ("submodule", &["status", "summary"]),
    ("symbolic-ref", &["--short"]),
    ("worktree", &["list"]),
];

/// Flags of `branch` and `tag` that list.
const LISTS: &[&str] = &[
    "-a",
    "-r",
    "-v",
    "-vv",
    "-l",
    "-n",
    "--all",
    "--remotes",
    "--verbose",
    "--list",
    "--show-current",
    "--no-color",
    "--column",
    "--no-column",
    "--ignore-case",
];

/// Options that write a file or run a program; git takes any unique beginning of a long one.
const OPTIONS: &[&str] = &["--ou", "--ext", "--op", "--textc", "-O", "--exec", "--up"];

/// None where `git` with these arguments moves nothing; else what moves, in a few words.
pub(super) fn may_move(args: &[Word]) -> Option<String> {
    let moves = || Some(format!("`git {}` is not known to move nothing", shown(args)));
    let mut rest = args;
    let (command, args) = loop {
        let (word, more) = rest.split_first()?;
        rest = match word.text.as_str() {
            _ if word.expands => return moves(),
            "--no-pager" | "-P" | "--no-optional-locks" | "--literal-pathspecs" => more,
            "-C" | "--git-dir" | "--work-tree" => more.get(1..).unwrap_or_default(),
            "--version" | "--help" => return None,
            text if text.starts_with("--git-dir=") || text.starts_with("--work-tree=") => more,
            text if text.starts_with('-') => return moves(),
            text => break (text, more),
        };
    };
    // What the shell puts in may be an option; what stands behind `--` is none.
    let options = args.iter().take_while(|arg| arg.text != "--");
    let clean = options
        .clone()
        .all(|arg| !arg.may_become_option() && !OPTIONS.iter().any(|option| arg.text.starts_with(option)));
    let plain = || options.clone().filter(|arg| !arg.text.starts_with('-')).count();
    let looks = match command {
        _ if !clean => false,
        "branch" | "tag" => {
            let flags: Vec<&str> =
                options.clone().map(|arg| arg.text.as_str()).filter(|arg| arg.starts_with('-')).collect();
            let listing = flags.iter().any(|flag| matches!(*flag, "-l" | "--list"));
            flags.iter().all(|flag| LISTS.contains(flag)) && (listing || plain() == 0)
        }
        "reflog" | "remote" | "worktree" | "notes" if args.is_empty() => true,
        // With a subcommand behind it, this is only its flag.
        "remote" if args.len() == 1 && matches!(args[0].text.as_str(), "-v" | "--verbose") => true,
        "symbolic-ref" => {
            plain() == 1 && !args.iter().any(|arg| matches!(arg.text.as_str(), "-d" | "--delete" | "-m"))
        }
        _ if LOOKS.contains(&command) => true,
        _ => WAYS.iter().any(|(name, ways)| {
            *name == command && args.first().is_some_and(|first| ways.contains(&first.text.as_str()))
        }),
    };
    if looks { None } else { moves() }
}

#[cfg(test)]
mod tests {
    use super::super::readonly::may_write;

    #[test]
    fn every_command_that_moves_something_is_told() {
        let commands = [
            "add .",
            "am x",
            "apply x",
            "bisect start",
            "branch new",
            "branch -d old",
            "branch -f a b",
            "branch --list=x y",
            "checkout -",
            "cherry-pick x",
            "clean -fdx",
            "clone a b",
            "commit -m x",
            "config user.name x",
            "fetch",
            "filter-branch",
            "gc",
            "init",
            "merge x",
            "mv a b",
            "notes add",
            "prune",
            "pull",
            "push",
            "read-tree x",
            "rebase x",
            "reflog expire",
            "remote add a b",
            "remote -v update",
            "bisect view",
            "replace a b",
            "reset",
            "restore a",
            "revert x",
            "rm a",
            "stash",
            "stash pop",
            "submodule update",
            "switch x",
            "symbolic-ref HEAD refs/heads/x",
            "symbolic-ref -d X",
            "tag v1",
            "tag -d v1",
            "update-index",
            "update-ref x y",
            "worktree add x",
            "diff --output=x",
            "diff --outp x",
            "diff --ext-diff",
            "grep -Ovi x",
            "log $X",
            "no-such-command",
            "--exec-path=. status",
            "-c core.pager=x log",
            "-p log",
        ];
        for command in commands {
            assert!(may_write(&format!("git {command}")).is_some(), "git {command}");
        }
        assert_eq!(commands.len(), 55);
    }

    #[test]
    fn every_command_that_looks_passes() {
        let commands = [
            "",
            "--version",
            "status",
            "diff",
            "diff -- $X",
            "log -p",
            "show HEAD:a",
            "branch",
            "branch --show-current",
            "branch --list 'a*'",
            "tag",
            "tag -l v*",
            "stash show",
            "remote -v",
            "remote",
            "worktree list",
            "config --get a.b",
            "reflog",
            "symbolic-ref HEAD",
            "symbolic-ref --short HEAD",
            "ls-files",
            "-C a --no-pager log",
            "rev-parse HEAD",
        ];
        for command in commands {
            assert_eq!(may_write(&format!("git {command}")), None, "git {command}");
        }
        assert_eq!(commands.len(), 23);
    }
}
