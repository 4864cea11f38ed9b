use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use fencehold::fs::RealFs;
use fencehold::log::{GitCheckout, Log, Page};
use fencehold::mark::Shown;

use crate::log::record;
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
