//! `fencehold lease closeout` as processes.

use std::fs;
use std::process::{Command, Stdio};

use crate::program::{Kept, Said, Yard};

fn grant(yard: &Yard, id: &str, holder: &str) {
    let said = yard.run(["lease", "grant", id, "--writes", &format!("{id}/"), "--holder", holder]);
    assert_eq!(said.code, 0, "{said:?}");
}

/// The labels, in order, each with the lease that it is about.
fn labels(said: &Said) -> Vec<(&str, &str)> {
    let label = |line: &'_ str| -> (usize, usize) { (line.find(']').unwrap(), line.find(':').unwrap()) };
    said.stdout
        .lines()
        .map(|line| {
            let (end, colon) = label(line);
            (&line[1..end], line[end + 2..colon].strip_prefix("lease ").unwrap())
        })
        .collect()
}

/// CLI-55: `lease closeout` labels every lease: `[BLOCK]` an open one of another, `[WARN]` a crashed one, `[INFO]` one's
/// own and those that have ended; with an id, one's own is that lease, and without one, those of the holder.
///
/// CLI-56: `lease closeout` exits 0 exactly where no lease is labelled `[BLOCK]` and every lease could be read, and its
/// JSON says the same.
///
/// Defect GSDD-5: a foreign open lease was printed as `[BLOCK]`, and the command ended with 0.
///
/// Behaviour C1.9: one's own is that of an id or those of a holder; the JSON says the same.
#[test]
fn the_exit_code_agrees_with_the_labels() {
    let yard = Yard::with_git();
    let before = yard.snapshot();
    assert_eq!(yard.run(["lease", "closeout", "05"]).code, 0, "nothing is in the way");
    assert!(yard.snapshot() == before, "a look creates nothing");
    grant(&yard, "05", "me");
    grant(&yard, "06", "me");
    grant(&yard, "07", "other");
    grant(&yard, "08", "other");
    grant(&yard, "09", "other");
    assert_eq!(yard.run(["lease", "close", "08", "--holder", "other"]).code, 0);
    assert_eq!(yard.run(["lease", "crash", "09", "--reason", "stopped"]).code, 0);
    let by_id = yard.run(["lease", "closeout", "05", "--holder", "me"]);
    let expected = [("BLOCK", "06"), ("BLOCK", "07"), ("WARN", "09"), ("INFO", "05"), ("INFO", "08")];
    assert_eq!((by_id.code, labels(&by_id)), (1, expected.to_vec()), "{by_id:?}");
    let by_holder = yard.run(["lease", "closeout", "--holder", "me"]);
    let expected = [("BLOCK", "07"), ("WARN", "09"), ("INFO", "05"), ("INFO", "06"), ("INFO", "08")];
    assert_eq!((by_holder.code, labels(&by_holder)), (1, expected.to_vec()), "{by_holder:?}");
    let json = yard.json(1, ["lease", "closeout", "--holder", "me"]);
    assert_eq!(
        (&json["outcome"], json["block"][0]["lease"].as_str()),
        (&"refused".into(), Some("07")),
        "{json}"
    );
    assert_eq!(yard.run(["lease", "close", "07", "--holder", "other"]).code, 0);
    let clear = yard.json(0, ["lease", "closeout", "--holder", "me"]);
    assert_eq!((&clear["outcome"], clear["block"].as_array().unwrap().len()), (&"ok".into(), 0), "{clear}");
    assert_eq!(clear["warn"].as_array().unwrap().len(), 1);
}

/// A dead session's lease is open until somebody says otherwise: it blocks.
#[test]
fn a_lease_whose_process_is_dead_blocks_until_it_is_reaped() {
    let yard = Yard::with_git();
    let worker = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
    let pid = worker.0.id().to_string();
    let said = yard.run(["lease", "grant", "dead", "--writes", "a", "--holder", "other", "--pid", &pid]);
    assert_eq!(said.code, 0, "{said:?}");
    drop(worker);
    let said = yard.run(["lease", "closeout", "--holder", "me"]);
    assert_eq!((said.code, labels(&said)), (1, vec![("BLOCK", "dead")]), "{said:?}");
    assert_eq!(yard.run(["lease", "reap"]).code, 0);
    let said = yard.run(["lease", "closeout", "--holder", "me"]);
    assert_eq!((said.code, labels(&said)), (0, vec![("WARN", "dead")]), "{said:?}");
}

/// Defect GSDD-6: whatever went wrong in the section left it out, and what is left out blocks nobody.
///
/// Defect GSDD-7: a corrupt registry was an empty one.
#[test]
fn what_cannot_be_read_is_no_reason_to_pass() {
    let mut seen = 0;
    for spoil in ["journal.1.ndjson", "floor.json"] {
        let yard = Yard::with_git();
        grant(&yard, "open", "other");
        let path = yard.join(".git/fencehold").join(spoil);
        if spoil == "floor.json" {
            // A reader has no need of the floor; a folder where the journal should stand is another matter.
            let journal = yard.join(".git/fencehold/journal.1.ndjson");
            fs::remove_file(&journal).unwrap();
            fs::create_dir(&journal).unwrap();
        } else {
            fs::write(&path, b"not a journal\n").unwrap();
        }
        for args in [
            vec!["lease", "closeout"],
            vec!["lease", "closeout", "open"],
            vec!["--json", "lease", "closeout"],
        ] {
            let said = yard.run(&args);
            assert!(said.code == 2 || said.code == 4, "{args:?}: {said:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}

/// Defect GSDD-14: a lease `05` was not the lease `5`, and blocked its own holder.
#[test]
fn one_id_has_one_form_in_a_closeout_too() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), "[leases]\nids = \"numbers\"\n").unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    grant(&yard, "05", "other");
    for id in ["5", "05", "005"] {
        let said = yard.run(["lease", "closeout", id]);
        assert_eq!((said.code, labels(&said)), (0, vec![("INFO", "5")]), "{said:?}");
    }
    assert_eq!(yard.run(["lease", "closeout", "50"]).code, 1);
}
