//! Write sets as they are typed: every spelling of a path is one entry, and what leads elsewhere is refused by name.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use fencehold::Error;
use fencehold::fs::RealFs;
use fencehold::locate::{Start, locate};
use fencehold::writes::{Tree, folds_case};
use fencehold_model::pattern::{ENTRIES_MAX, Pattern};

use crate::mounted::Mounted;
use crate::program::Yard;

/// A repository `main` with some files, symlinks and a folder beside it.
fn yard() -> Yard {
    let yard = Yard::new();
    let main = yard.join("main");
    for dir in ["src/deep", "app/[id]", "other"] {
        fs::create_dir_all(main.join(dir)).unwrap();
    }
    for file in ["src/a.rs", "src/*.rs", "app/[id]/page.tsx", "back\\slash", "{a,b}"] {
        fs::write(main.join(file), "").unwrap();
    }
    fs::create_dir(yard.join("beside")).unwrap();
    yard.git_in(&main, &["init", "-q", "-b", "main"]);
    for (target, link) in [
        ("src", "link"),
        ("src/deep", "into"),
        ("src/a.rs", "file.rs"),
        ("../beside", "out"),
        (".git", "hidden"),
        ("gone", "dangling"),
        ("round", "round"),
    ] {
        symlink(target, main.join(link)).unwrap();
    }
    symlink(&main, yard.join("spelled")).unwrap();
    yard
}

fn tree(root: &Path) -> Tree {
    let place = locate(&RealFs, Start { at: root, git_dir: None }).unwrap();
    Tree::new(&RealFs, &place, folds_case(RealFs, &place).unwrap()).unwrap()
}

fn entry(cwd: &Path, typed: impl AsRef<OsStr>) -> Result<Pattern, Error> {
    tree(cwd).entry(&RealFs, cwd, typed.as_ref())
}

#[track_caller]
fn is(cwd: &Path, typed: impl AsRef<OsStr>, expected: &str) {
    let typed = typed.as_ref();
    assert_eq!(entry(cwd, typed).unwrap_or_else(|error| panic!("{error}")).as_str(), expected, "{typed:?}");
}

#[test]
fn every_spelling_of_a_path_is_one_entry() {
    let yard = yard();
    let main = yard.join("main");
    for typed in [
        "src/a.rs",
        "./src//a.rs",
        "link/a.rs",
        "file.rs",
        "src/deep/../a.rs",
        "into/../a.rs",
        "new/../src/a.rs",
        "../main/src/a.rs",
        "../spelled/link/a.rs",
    ] {
        is(&main, typed, "src/a.rs");
    }
    for typed in ["src", "src/", "link", "link/", "./src/.", "src/deep/..", "into/..", "other/../src"] {
        is(&main, typed, "src/");
    }
    is(&main.join("src/deep"), "../a.rs", "src/a.rs");
    is(&yard.join("spelled/into"), "../a.rs", "src/a.rs");
    is(&main.join("other"), main.join("link/a.rs"), "src/a.rs");
    is(&main.join("src"), "..", ".");
    is(&main, ".", ".");
}

#[test]
fn what_does_not_exist_yet_lies_below_what_does() {
    let yard = yard();
    let main = yard.join("main");
    is(&main, "new/module/x.rs", "new/module/x.rs");
    for typed in ["new/module/", "new//module/.", "./new/module/more/.."] {
        is(&main, typed, "new/module/");
    }
    is(&main, "new", "new");
    is(&main, "new/..", ".");
    is(&main, "into/new/x.rs", "src/deep/new/x.rs");
    is(&main, "into/new/../../a/b", "src/a/b");
    is(&main, "new/more/../../link/a.rs", "src/a.rs");
    assert!(!main.join("new").exists(), "a look creates nothing");
}

#[test]
fn a_glob_keeps_its_wildcards_and_what_exists_under_its_name_is_a_name() {
    let yard = yard();
    let main = yard.join("main");
    is(&main, "link/*.toml", "src/*.toml");
    is(&main, "**/Cargo.lock", "**/Cargo.lock");
    is(&main.join("src"), "../other/./*", "other/*");
    is(&main.join("src"), "*", "src/*");
    is(&main, "src/**//./x[a-b]/", "src/**/x[ab]");
    // The glob covers the file of that name, so nothing is lost by taking it for one.
    is(&main, "src/*.rs", "src/*.rs");
    is(&main, r"src/\*.rs", r"src/\*.rs");
    // As a glob `[id]` would be `i` or `d`, and not what stands there.
    is(&main, "app/[id]/page.tsx", r"app/\[id]/page.tsx");
    is(&main, "app/[id]", r"app/\[id]/");
    is(&main, "app/[no]/", "app/[no]");
    is(&main, r"app/\[no]/", r"app/\[no]/");
    is(&main, "app/[id]/*.tsx", r"app/\[id]/*.tsx");
    is(&main, "app/[no]/page.tsx", "app/[no]/page.tsx");
    is(&main, r"app/\[no]", r"app/\[no]");
    is(&main, r"back\slash", r"back\\slash");
    is(&main, "{a,b}", r"\{a,b}");
}

#[test]
fn what_leads_elsewhere_is_refused_by_name() {
    let yard = yard();
    let main = yard.join("main");
    let cases: [(&OsStr, &[&str]); 23] = [
        ("".as_ref(), &["names nothing"]),
        ("../beside/x".as_ref(), &["\"../beside/x\"", "beside/x, outside of"]),
        ("..".as_ref(), &["outside of"]),
        ("../*.rs".as_ref(), &["outside of"]),
        ("/etc/passwd".as_ref(), &["/etc/passwd, outside of"]),
        ("out/x".as_ref(), &["\"out/x\"", "beside/x, outside of"]),
        ("../main-too".as_ref(), &["main-too, outside of"]),
        (".git".as_ref(), &["leads into .git"]),
        ("hidden/config".as_ref(), &["\"hidden/config\"", "leads into .git"]),
        (".git/fencehold/lock".as_ref(), &["leads into .git"]),
        (".git/*.json".as_ref(), &["leads into .git"]),
        ("**/.git/config".as_ref(), &["leads into .git"]),
        ("src/a.rs/x".as_ref(), &["src/a.rs, which is no folder"]),
        ("src/a.rs/../x".as_ref(), &["src/a.rs, which is no folder"]),
        ("src/a.rs/".as_ref(), &["\"src/a.rs/\" ends as a folder", "src/a.rs is none", "without the `/`"]),
        ("file.rs/".as_ref(), &["src/a.rs is none"]),
        ("src/a.rs/.".as_ref(), &["src/a.rs is none"]),
        ("dangling/x".as_ref(), &["dangling, whose target is not there"]),
        ("src/*/../x".as_ref(), &["`..` after a wildcard"]),
        ("*".as_ref(), &["give `.`"]),
        ("src/{x,y}.rs".as_ref(), &["one entry for each alternative"]),
        (r"src\main.rs".as_ref(), &["separated by `/`"]),
        (OsStr::from_bytes(b"src/\xff"), &["not UTF-8"]),
    ];
    for (typed, words) in cases {
        let error = entry(&main, typed).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{typed:?}: {error:?}");
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} is missing: {error}");
        }
    }
    let error = entry(&main, "round/x").unwrap_err();
    assert!(matches!(error, Error::Environment { .. }), "{error:?}");
}

#[test]
fn a_workspace_in_the_tree_is_no_place_to_write() {
    let yard = yard();
    let beside = yard.join("beside");
    fs::create_dir(beside.join(".fencehold")).unwrap();
    is(&beside, "a", "a");
    for typed in [".fencehold", ".fencehold/lock", "./.fencehold/*"] {
        let error = entry(&beside, typed).unwrap_err().to_string();
        assert!(error.contains("leads into .fencehold"), "{error}");
    }
    is(&beside, ".fencehold-too", ".fencehold-too");
    is(&beside, ".fencehold-too/", ".fencehold-too/");
}

#[test]
fn one_file_of_two_worktrees_is_one_entry() {
    let yard = yard();
    let main = yard.join("main");
    yard.git_in(&main, &["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git_in(&main, &["worktree", "add", "-q", "../linked"]);
    let linked = yard.join("linked");
    fs::create_dir(linked.join("src")).unwrap();
    is(&linked.join("src"), "a.rs", "src/a.rs");
    is(&linked, linked.join("src/a.rs"), "src/a.rs");
    is(&main, "src/a.rs", "src/a.rs");
    let error = entry(&linked, main.join("src/a.rs")).unwrap_err().to_string();
    assert!(error.contains("outside of"), "{error}");
}

#[test]
fn a_worktree_inside_another_is_not_written_from_there() {
    let yard = yard();
    let main = yard.join("main");
    yard.git_in(&main, &["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git_in(&main, &["worktree", "add", "-q", ".trees/linked"]);
    for typed in [".trees/linked", ".trees/linked/src/a.rs", ".trees/linked/*.rs"] {
        let error = entry(&main, typed).unwrap_err();
        assert!(matches!(&error, Error::Usage(what) if what.contains("another worktree")), "{error}");
    }
    is(&main, ".trees/other/a.rs", ".trees/other/a.rs");
    is(&main.join(".trees/linked"), "src/a.rs", "src/a.rs");
    // Another repository inside the tree is part of it.
    fs::create_dir(main.join("vendor")).unwrap();
    yard.git_in(&main.join("vendor"), &["init", "-q", "-b", "main"]);
    is(&main, "vendor/x.c", "vendor/x.c");
}

#[test]
fn where_git_folds_case_two_spellings_meet() {
    let yard = yard();
    let main = yard.join("main");
    is(&main, "Docs/README.md", "Docs/README.md");
    yard.git_in(&main, &["config", "core.ignorecase", "true"]);
    for typed in ["Docs/README.md", "docs/readme.MD", "DOCS/Readme.md"] {
        is(&main, typed, "docs/readme.md");
    }
    is(&main, "Docs/Sub/", "docs/sub/");
    is(&main, "Docs/[A-C]*.MD", "docs/[a-c]*.md");
    for typed in [".GIT/config", "**/.Git/x"] {
        let error = entry(&main, typed).unwrap_err().to_string();
        assert!(error.contains("leads into .git"), "{error}");
    }
}

#[test]
fn a_folder_that_folds_case_is_noticed() {
    let yard = yard();
    let dir = yard.join("beside");
    assert!(!RealFs.folds_case(&dir).unwrap());
    let Some(mounted) = Mounted::over(&dir, "1m,casefold") else {
        println!("skipped, because no tmpfs that folds case can be mounted here");
        return;
    };
    mounted.sh("mkdir plain folded && chattr +F folded && touch folded/Abc && cat folded/aBC");
    assert!(RealFs.folds_case(&mounted.seen_from_here().join("folded")).unwrap());
    assert!(!RealFs.folds_case(&mounted.seen_from_here().join("plain")).unwrap());
}

#[test]
fn a_write_set_is_sorted_without_repeats_and_bounded() {
    let yard = yard();
    let main = yard.join("main");
    let set = |texts: &[String]| tree(&main).write_set(&RealFs, &main, texts);
    let texts = ["src/b", "link/b", "other", "src/../other", "app"].map(str::to_owned);
    let entries: Vec<String> = set(&texts).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(entries, ["app/", "other/", "src/b"]);
    let many: Vec<String> = (0..=ENTRIES_MAX).map(|at| format!("f{at}")).collect();
    assert_eq!(set(&many[1..]).unwrap().len(), ENTRIES_MAX);
    let error = set(&many).unwrap_err();
    assert!(matches!(&error, Error::Usage(what) if what.contains("Name folders")), "{error}");
}
