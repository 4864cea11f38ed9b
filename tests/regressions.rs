//! Bugs that a check of ours found, each kept away by a test that the README's table names.

use std::path::Path;

use fencehold::fs::{Fs as _, How};
use fencehold::log::{Log, Page};
use fencehold::mark::{Folder, Rooted, Shown};
use fencehold_model::WorkspaceId;
use fencehold_stress::sim::disk::{Disk, Persistence};
use fencehold_stress::sim::world::World;

use crate::log::record;
use crate::program::Yard;
use crate::readme::page;
use crate::review::kit::{Act, Tampered};
use crate::review::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Does as _, HOUR, acquire};

/// LOCK-12: A repetition of the last release of a name is ok and says `already`, until that release is forgotten.
#[test]
fn a_break_does_not_forget_the_release_before_it() {
    let yard = Yard::with_git();
    let acquire = |holder: &str| {
        let granted = yard.json(0, ["lock", "acquire", "build", "--holder", holder]);
        granted["value"]["token"].to_string()
    };
    let first = acquire("ann");
    let release = ["lock", "release", "build", "--holder", "ann", "--token", &first];
    let released = yard.json(0, release);
    acquire("ben");
    yard.json(0, ["lock", "break", "build", "--reason", "ben is gone"]);
    let again = yard.json(0, release);

    assert_eq!(released["value"]["already"], serde_json::Value::Null);
    assert_eq!(again["outcome"], "ok", "{again}");
    assert_eq!(again["value"]["already"], true, "{again}");
}

/// The last column of the README's table of bugs.
fn named_tests(page: &str) -> Vec<String> {
    let table = page.split("\n## Bugs found\n").nth(1).expect("the README has a table of bugs");
    let rows = table.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cell = row.trim_end_matches('|').rsplit('|').next().expect("a row has cells").trim();
        cell.trim_matches('`').to_owned()
    })
    .collect()
}

/// Every Rust file below the folders that hold tests, as one text.
fn sources() -> String {
    let files = crate::tidy::sources(&["model/src", "impl/src", "stress/src", "tests"]);
    files.into_iter().map(|file| file.text).collect()
}

#[test]
fn every_bug_of_the_readme_has_its_test() {
    let (named, sources) = (named_tests(&page("README.md")), sources());
    assert!(!named.is_empty(), "the table has rows");
    for test in named {
        let found = sources.contains(&format!("#[test]\nfn {test}()"))
            || sources.contains(&format!("#[test]\n    fn {test}()"));
        assert!(found, "the README names the test `{test}`; there is none");
    }
}

#[test]
fn the_table_of_bugs_is_read_by_its_last_column() {
    let page = "# P\n\n## Bugs found\n\nWords.\n\n| bug | test |\n|---|---|\n| a `b` c | `one` |\n| d | `two` |\n\n| x |\n";
    assert_eq!(named_tests(page), ["one", "two"]);
}

/// A repair made `lock` anew and was killed before it synced the folder. The next one found it there, synced nothing and
/// said that all was well; the power went, and everybody refused again.
#[test]
fn a_repair_syncs_what_a_killed_repair_had_made() {
    let mut cuts = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        sim.fs().unlink(&sim.path("lock")).unwrap();
        let sim = sim.all_durable(model);
        let mut made = false;
        let killed = Tampered::new(sim.fs(), move |call, path| {
            made |= call == "create" && path.ends_with("lock");
            if made && call == "sync_dir" { Act::Die } else { Act::Go }
        });
        sim.party_on(killed, DURABLE).journal().repair().unwrap_err();
        sim.party().journal().repair().unwrap();
        cuts += sim.every_cut(1_000, |after| {
            after.party().token(&acquire("build", "h", HOUR));
        });
    }
    assert!(cuts >= 5, "{cuts}");
}

/// A reader met lines that nobody had told to be durable and went to write them over, and a rotation had archived the file
/// meanwhile: it was told that the journal is not there.
#[test]
fn a_reader_that_has_to_write_over_goes_on_behind_a_rotation() {
    let sim = Sim::new(Persistence::Ext4);
    let mut written = false;
    let dying = Tampered::new(sim.fs(), move |call, path| {
        written |= call == "append" && path.ends_with("journal.1.ndjson");
        if written && call == "sync" && path.ends_with("journal.1.ndjson") { Act::Die } else { Act::Go }
    });
    sim.party_on(dying, DURABLE).ask(&acquire("build", "it", HOUR)).unwrap_err();
    let (other, mut opens) = (sim.clone(), 0);
    let slow = Tampered::new(sim.fs(), move |call, path| {
        opens += u32::from(call == "open" && path.ends_with("journal.1.ndjson"));
        if call == "open" && path.ends_with("journal.1.ndjson") && opens == 2 {
            other.fs().open(&other.path("journal.1.condemned"), How::CreateNew { mode: 0o600 }).unwrap();
            other.party().token(&acquire("other", "h", HOUR));
            assert!(!other.bytes("journal.2.ndjson").is_empty(), "the condemned file is left");
        }
        Act::Go
    });
    assert!(sim.party_on(slow, DURABLE).held("other").is_some());
    assert!(!sim.bytes("journal.2.ndjson").is_empty(), "the reader had to write over");
}

/// A handle on a log knew the entry of its file to be durable, by the file's number. The file was removed, another program
/// made a new one, which got that number, and the next append synced no entry.
#[test]
fn a_log_that_was_made_anew_under_its_old_number_is_there_after_a_power_cut() {
    let mut disk = Disk::new();
    for dir in ["/r", "/r/ws", "/r/ws/doc"] {
        disk.make_dir(Path::new(dir), 0o755).unwrap();
    }
    let world = World::calm(disk.persistent(Persistence::Posix, 512));
    let (_, fs, _) = world.process();
    let rooted = Rooted::new(&fs, Path::new("/r"), Path::new("/r/ws")).unwrap();
    let folder = || Folder { dir: "/r/ws".into(), id: WorkspaceId::new("w1").unwrap() };
    let log = || Log::open(fs.clone(), folder(), &rooted, Path::new("log"), None).unwrap();
    let (ours, path) = (log(), Path::new("/r/log"));
    ours.append(&record("a"), &Shown::nothing()).unwrap().unwrap();
    fs.unlink(path).unwrap();
    fs.sync_dir(Path::new("/r")).unwrap();
    fs.open(path, How::CreateNew { mode: 0o644 }).unwrap();
    ours.append(&record("b"), &Shown::nothing()).unwrap().unwrap();
    let left = world.disk(|disk| disk.clone()).power_cut(&mut |_, _| 0);
    world.disk(|disk| *disk = left);
    let read = log().read(&Page::default()).unwrap();
    let ids: Vec<&str> = read.records.iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["b"]);
}
