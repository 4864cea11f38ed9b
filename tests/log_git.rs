use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use fencehold::fs::RealFs;
use fencehold::log::{GitCheckout, Log, Page, union_merge};
use fencehold::mark::Shown;

use crate::log::record;
use crate::program::Yard;
use crate::site::Site;

fn git(dir: &Path, args: &[&str]) -> bool {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", dir)
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn two_branches_that_appended_merge_clean_with_both_lines() {
    let mut merged = 0;
    for name in ["bugs.ndjson", "d/o \"c*?[a]\\ s.ndjson"] {
        let site = Site::new();
        std::fs::create_dir(site.path("d")).unwrap();
        assert!(git(&site.path(""), &["init", "-q"]));
        let checkout = GitCheckout { common_dir: site.path(".git"), top: site.path("") };
        let append = |id: &str| {
            let log =
                Log::open(RealFs, site.folder(), &site.rooted(), Path::new(name), Some(checkout.clone()))
                    .unwrap();
            assert_eq!(log.append(&record(id), &Shown::nothing()).unwrap().unwrap().note, None);
            assert!(git(&site.path(""), &["add", "--", name]) && git(&site.path(""), &["commit", "-qm", id]));
        };
        append("base");
        assert!(git(&site.path(""), &["checkout", "-qb", "side"]));
        append("side");
        assert!(git(&site.path(""), &["checkout", "-q", "main"]));
        append("main");
        assert!(git(&site.path(""), &["merge", "-q", "-m", "both", "side"]), "{name}");
        let log = site.log(name);
        let read = log.read(&Page::default()).unwrap();
        let seen: std::collections::BTreeSet<&str> =
            read.records.iter().map(|record| record["id"].as_str().unwrap()).collect();
        assert_eq!((read.records.len(), seen.len(), read.damaged.len()), (3, 3, 0));
        let attributes = site.text(".git/info/attributes");
        assert_eq!(attributes.matches("merge=union").count(), 1, "{attributes}");
        merged += 1;
    }
    assert_eq!(merged, 2);
}

/// M20: that appended lines merge is git's doing only where it is told to.
///
/// Behaviour A1.28: two branches that appended merge without a conflict; appenders and migrations have tests of their own.
/// Defect WOLF-12: lines that two branches appended at the end are a conflict to git.
/// Shown on M20: the same two branches, and nobody who told git.
#[test]
fn without_the_attribute_two_branches_that_appended_conflict() {
    let site = Site::new();
    assert!(git(&site.path(""), &["init", "-q"]));
    let append = |id: &str| {
        let log = Log::open(RealFs, site.folder(), &site.rooted(), Path::new("log"), None).unwrap();
        log.append(&record(id), &Shown::nothing()).unwrap().unwrap();
        assert!(git(&site.path(""), &["add", "--", "log"]) && git(&site.path(""), &["commit", "-qm", id]));
    };
    append("base");
    assert!(git(&site.path(""), &["checkout", "-qb", "side"]));
    append("side");
    assert!(git(&site.path(""), &["checkout", "-q", "main"]));
    append("main");
    assert!(!git(&site.path(""), &["merge", "-q", "-m", "both", "side"]));
    assert!(site.text("log").contains("<<<<<<<"));
    // Told by the next append, or by nothing but the attribute, git unites them.
    assert!(git(&site.path(""), &["merge", "--abort"]));
    let checkout = GitCheckout { common_dir: site.path(".git"), top: site.path("") };
    assert_eq!(union_merge(&RealFs, &checkout, &site.path("log")), None);
    assert!(git(&site.path(""), &["merge", "-q", "-m", "both", "side"]));
    let checked = site.log("log").check().unwrap();
    assert_eq!((checked.records, checked.damaged_count, checked.duplicates.len()), (3, 0, 0));
}

#[test]
fn attributes_keep_what_is_there_and_a_failure_is_a_note() {
    let site = Site::new();
    std::fs::create_dir_all(site.path(".git/info")).unwrap();
    site.write(".git/info/attributes", "*.png binary");
    let checkout = GitCheckout { common_dir: site.path(".git"), top: site.path("") };
    let append = || {
        let git = Some(checkout.clone());
        let log = Log::open(RealFs, site.folder(), &site.rooted(), Path::new("log"), git).unwrap();
        log.append(&record("x"), &Shown::nothing()).unwrap().unwrap().note
    };
    assert_eq!((append(), append()), (None, None));
    assert_eq!(site.text(".git/info/attributes"), "*.png binary\n/log merge=union\n");
    std::fs::remove_file(site.path(".git/info/attributes")).unwrap();
    symlink("/dev/null", site.path(".git/info/attributes")).unwrap();
    assert!(append().unwrap().0.contains("merge=union"));
    assert_eq!(site.log("log").check().unwrap().records, 3);
}

/// A repository whose log has one record, and how often each id is counted in it.
fn repository() -> Yard {
    let yard = Yard::with_git();
    add(&yard, &["base"]);
    yard
}

/// Appends records that all say one thing, and commits each.
fn add(yard: &Yard, ids: &[&str]) {
    for id in ids {
        assert_eq!(yard.run(["log", "append", "l", &format!("{{\"id\":\"{id}\"}}")]).code, 0);
        yard.git(&["add", "l"]);
        yard.git(&["commit", "-qm", id]);
    }
}

/// The ids that stand in the log, each line by itself.
fn lines(yard: &Yard) -> Vec<String> {
    let read = yard.json(0, ["log", "read", "l"]);
    assert_eq!(read["value"]["damaged"], 0);
    let records = read["value"]["records"].as_array().unwrap();
    let mut ids: Vec<String> =
        records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// How often each id was seen, once all is folded into one record.
fn folded(yard: &Yard) -> Vec<String> {
    assert_eq!(yard.run(["log", "compact", "l"]).code, 0);
    assert_eq!(yard.run(["log", "check", "l"]).code, 0);
    let read = yard.json(0, ["log", "read", "l"]);
    let records = read["value"]["records"].as_array().unwrap();
    assert_eq!(records.len(), 1, "{read}");
    let mut ids: Vec<String> = records[0]["folded"].as_object().unwrap().keys().cloned().collect();
    assert!(records[0]["folded"].as_object().unwrap().values().all(|count| *count == 1), "{read}");
    ids.push(records[0]["id"].as_str().unwrap().to_owned());
    assert_eq!(records[0]["occurrences"], ids.len());
    ids.sort();
    ids
}

#[test]
fn three_branches_a_rebase_and_a_cherry_pick_keep_every_line() {
    let yard = repository();
    for branch in ["one", "two", "three", "four"] {
        yard.git(&["checkout", "-q", "-b", branch, "main"]);
        add(&yard, &[&format!("{branch}-1"), &format!("{branch}-2")]);
    }
    yard.git(&["checkout", "-q", "main"]);
    add(&yard, &["main-1"]);
    yard.git(&["merge", "-q", "-m", "one", "one"]);
    yard.git(&["merge", "-q", "-m", "two", "two"]);
    yard.git(&["checkout", "-q", "three"]);
    yard.git(&["rebase", "-q", "main"]);
    yard.git(&["checkout", "-q", "main"]);
    yard.git(&["merge", "-q", "--ff-only", "three"]);
    yard.git(&["cherry-pick", "four~1"]);
    let all = ["base", "four-1", "main-1", "one-1", "one-2", "three-1", "three-2", "two-1", "two-2"];
    assert_eq!(lines(&yard), all);
    assert_eq!(yard.run(["log", "check", "l"]).code, 0);
    // What was picked, and comes once more with its branch, may stand there twice: it is told, and folded.
    yard.git(&["merge", "-q", "-m", "four", "four"]);
    let mut once = lines(&yard);
    let count = once.len();
    once.dedup();
    assert_eq!(once.len(), all.len() + 1);
    let check = yard.run(["log", "check", "l"]);
    assert_eq!(check.code, i32::from(count > once.len()), "{check:?}");
    assert_eq!(folded(&yard), once);
}

/// LOG-14: `log check` exits 1 where no line is damaged and an id stands in the log more than once, and names the id.
#[test]
fn a_line_that_a_merge_doubled_is_told_and_folded() {
    let yard = repository();
    yard.git(&["checkout", "-q", "-b", "side"]);
    add(&yard, &["a", "b", "both"]);
    yard.git(&["checkout", "-q", "main"]);
    add(&yard, &["both", "c", "d"]);
    yard.git(&["merge", "-q", "-m", "both", "side"]);
    assert_eq!(lines(&yard), ["a", "b", "base", "both", "both", "c", "d"]);
    let check = yard.run(["log", "check", "l"]);
    assert!(check.code == 1 && check.stdout.contains("\"both\" occurs more than once"), "{check:?}");
    assert_eq!(folded(&yard), ["a", "b", "base", "both", "c", "d"]);
}

/// LOG-21: In whatever order, however often and on however many branches records are folded, each id counts once, by the
/// highest count that it had.
#[test]
fn a_compaction_on_one_branch_and_an_append_on_another_count_each_once() {
    let mut seen = 0;
    for compacts in [&["side"][..], &["main"], &["side", "main"]] {
        let yard = repository();
        add(&yard, &["base-2", "base-3"]);
        yard.git(&["checkout", "-q", "-b", "side"]);
        for branch in ["side", "main"] {
            yard.git(&["checkout", "-q", branch]);
            add(&yard, &[&format!("{branch}-1")]);
            if compacts.contains(&branch) {
                assert_eq!(yard.run(["log", "compact", "l"]).code, 0);
                yard.git(&["commit", "-qam", "compacted"]);
            }
            add(&yard, &[&format!("{branch}-2")]);
        }
        yard.git(&["merge", "-q", "-m", "both", "side"]);
        let all = ["base", "base-2", "base-3", "main-1", "main-2", "side-1", "side-2"];
        assert_eq!(folded(&yard), all, "{compacts:?}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
