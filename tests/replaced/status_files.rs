mod asked;
mod file;
mod file_scenarios;
mod first_use;
mod in_file;
mod naive;
mod naive_file;
mod on_board;
mod page;
mod scenarios;
mod settings;
mod shipped_file;

use std::process::Command;

use crate::program::{Kept, Yard, said};
use asked::Runs;
use file::StatusFile;
use file_scenarios as on_file;
use first_use::{ByProcesses, ByThreads, Default, InMemory, Unset, several_use_it_first};
use in_file::InFile;
use naive::{Flaw, Naive, PUBLISHED};
use naive_file::{BEFORE, NaiveFile, PLANNED, SHIPPED, SKETCHED, Slip};
use on_board::OnBoard;
use scenarios as on;
use scenarios::Outcome;
use settings::{Got, InADocument, Maps, OfAWorkspace, what_is_got_is_changed};
use shipped_file::ShippedFile;

/// Something with flaws, and what the scenario says of it.
type Broken = (&'static [Flaw], &'static str);

/// Both of ours pass the scenario, as does a status file without a flaw; those that are broken do not, each for its flaw.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Runs) -> Outcome, broken: &[Broken]) {
    assert_eq!(scenario(&mut InFile::new()), Ok(()), "in a file");
    assert_eq!(scenario(&mut OnBoard::new()), Ok(()), "on the board");
    assert_eq!(scenario(&mut Naive::new(&[])), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = scenario(&mut Naive::new(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

/// Something that writes a file with these slips, and what the scenario says of it.
type Slipping = (&'static [Slip], &'static str);

/// The same of the file alone.
#[track_caller]
fn replaced_file(scenario: fn(&mut dyn StatusFile) -> Outcome, slipping: &[Slipping]) {
    assert_eq!(scenario(&mut ShippedFile::new()), Ok(()), "ours");
    assert_eq!(scenario(&mut NaiveFile::new(&[])), Ok(()), "no slip");
    for (slips, says) in slipping {
        let why = scenario(&mut NaiveFile::new(slips)).expect_err("a slip");
        assert!(why.contains(says), "{slips:?}: {why}");
    }
    assert!(!slipping.is_empty(), "nothing shows that it can fail");
}

/// Defect CORE-1: of two that read and then write, the last wins.
/// Shown on M01: the URL of a run that was told to be completed is gone.
/// Shown on the published algorithm of CORE-1: the same.
///
/// Defect CORE-2: an atomic rename is taken for a cure of it.
/// Shown on M01: whatever is renamed is whole, and what it takes the place of is lost.
/// Shown on the published algorithm of CORE-2: the same.
#[test]
fn of_two_writers_none_goes_over_the_other() {
    let lost = "Complete was told Done and Ask, which had looked before, Done; it is blocked";
    replaced(on::it_completes_before_a_late_question, &[(&[Flaw::Unlocked], lost), (PUBLISHED, lost)]);
}

/// Defect CORE-3: who corrects the status of a dead process goes over what is written of its end meanwhile.
/// Shown on M25: under a lock, by who had seen it running.
/// Shown on the published algorithm of CORE-3: the same, without a lock.
///
/// Behaviour B1.6: what is running and dead is corrected, and what is final is not.
#[test]
fn a_correction_goes_over_no_end() {
    let lost = "Ask was told Done and Correct, which had looked before, Done; it is failed";
    replaced(on::it_ends_before_a_late_correction, &[(&[Flaw::Stale], lost), (PUBLISHED, lost)]);
}

/// Defect CORE-10: no step is refused.
/// Shown on M25: the queue begins what has failed.
/// Shown on the published algorithm of CORE-10: the same.
#[test]
fn what_has_ended_is_not_begun_by_one_that_is_late() {
    let lost = "ShutDown was told Done and Drain, which had looked before, Done; it is running";
    replaced(on::it_fails_before_the_queue_begins_it, &[(&[Flaw::Stale], lost), (PUBLISHED, lost)]);
}

/// Behaviour B1.1: each kind of writer, held up while another writes.
/// Shown on M01: the first pair of them.
/// Shown on M25: the same.
#[test]
fn whatever_comes_between_the_steps_of_a_writer_is_kept() {
    let lost = "Complete was told Done and Complete, which had looked before, Done";
    replaced(
        on::each_between_the_steps_of_each,
        &[(&[Flaw::Unlocked], lost), (&[Flaw::Stale], lost), (PUBLISHED, lost)],
    );
}

/// Defect CORE-4: who lists the statuses changes them.
/// Shown on M26: a list corrects what it finds dead.
/// Shown on the published algorithm of CORE-4: the same.
#[test]
fn a_list_changes_nothing() {
    let says = "Dead: a list says";
    replaced(on::it_is_listed, &[(&[Flaw::ReaderWrites], says), (PUBLISHED, says)]);
}

/// Defect CORE-5: every temp has one name.
/// Shown on the published algorithm of CORE-5: one renames what another has half written.
///
/// Defect CORE-6: a temp is named by the time.
/// Shown on the published algorithm of CORE-6: two within a tick have one temp.
///
/// Defect CORE-14: what cannot be read is a failed run.
/// Shown on M11: a reader finds a truncated file, and says that it failed.
/// Shown on the published algorithm of CORE-14: the same.
///
/// Behaviour B1.2: whoever reads while others write finds a whole file.
#[test]
fn two_that_write_and_one_that_reads_see_whole_files() {
    let torn = "a reader is told that it failed: EOF while parsing";
    replaced_file(
        on_file::two_write_and_one_reads,
        &[
            (SKETCHED, torn),
            (PLANNED, torn),
            (&[Slip::Unlocked, Slip::FixedTemp], torn),
            (&[Slip::Unlocked, Slip::TempByTime], torn),
            (&[Slip::InPlace], torn),
            (BEFORE, torn),
        ],
    );
}

/// Defect CORE-7: a temp is left where it could not be written.
/// Shown on M13: on a full disk.
/// Shown on the published algorithm of CORE-7: the same.
///
/// Behaviour B1.7: what could not be written is not told to be done, and the file is as it was.
#[test]
fn on_a_full_disk_nothing_is_left_behind() {
    let left = "left behind: [\"status.json.tmp.2\"]";
    replaced_file(on_file::the_disk_is_full, &[(&[Slip::LeavesTemp], left), (SHIPPED, left)]);
}

/// Defect CORE-7: what a killed writer left stays.
/// Shown on M13: nobody sweeps.
///
/// Behaviour B1.8: a temp is removed whatever becomes of its writer.
#[test]
fn what_a_killed_writer_left_goes_with_the_next_write() {
    let left = "left behind: [\"status.json.tmp.2\"]";
    replaced_file(on_file::a_writer_is_killed, &[(&[Slip::LeavesTemp], left), (SHIPPED, left)]);
}

/// Defect CORE-8: the mode becomes 0644, and a link becomes a file.
/// Shown on M15: each alone.
/// Shown on the published algorithm of CORE-8: a secret can be read by everybody.
#[test]
fn a_secret_stays_one_and_a_link_stays_a_link() {
    let read_by_all = "the mode was 600 and is 644";
    replaced_file(
        on_file::it_is_secret_and_a_link,
        &[
            (&[Slip::ModeDropped], read_by_all),
            (&[Slip::LinkDropped], "a link became a file"),
            (SHIPPED, read_by_all),
        ],
    );
}

/// Defect CORE-9: a process is known by its number.
/// Shown on M27: another process has it by now.
/// Shown on the published algorithm of CORE-9: it is running for ever.
#[test]
fn a_number_that_is_used_again_keeps_no_run_alive() {
    let says = "a stranger keeps it running";
    replaced(on::the_number_of_its_process_is_used_again, &[(&[Flaw::PidOnly], says), (PUBLISHED, says)]);
}

/// Defect CORE-13: a mutex within a process does not see the other one.
/// Shown on M30: a thread of each writes what it read before the other wrote.
/// Shown on the published algorithm of CORE-13: the same, without a mutex.
#[test]
fn threads_of_two_processes_lose_nothing() {
    let lost = "16 were told that theirs is there, and 8 are";
    replaced_file(on_file::threads_of_two_processes_write, &[(&[Slip::ThreadOnly], lost), (SHIPPED, lost)]);
}

/// Defect CORE-11: what is handed out is what is kept, or shares what is inside of it.
/// Shown on M28: the map itself, and a copy of the outer map alone.
/// Shown on the published algorithm of CORE-11: it hands out the map.
///
/// Behaviour B1.3: a setting that was got is a value of its own.
#[test]
fn what_is_got_is_the_getters_own() {
    assert_eq!(what_is_got_is_changed(&mut OfAWorkspace::new()), Ok(()), "the policy");
    assert_eq!(what_is_got_is_changed(&mut InADocument::new()), Ok(()), "a document");
    assert_eq!(what_is_got_is_changed(&mut Maps::new(Got::Copy)), Ok(()), "a copy");
    for got in [Got::Live, Got::Shallow] {
        let why = what_is_got_is_changed(&mut Maps::new(got)).expect_err("an alias");
        assert!(why.contains("what is kept was"), "{got:?}: {why}");
    }
}

/// Defect CORE-12: a use before the first setting panics, or begins anew with each call.
/// Shown on M29: both.
/// Shown on the published algorithm of CORE-12: both, one after the other.
///
/// Behaviour B1.3: of those that begin at once, one makes it, and all use that.
#[test]
fn the_first_use_makes_it_once() {
    type Anew = (&'static str, fn() -> Box<dyn Unset>);
    let ours: [Anew; 3] = [
        ("processes", || Box::new(ByProcesses::new())),
        ("threads with a handle each", || Box::new(ByThreads::new(false))),
        ("threads with one handle", || Box::new(ByThreads::new(true))),
    ];
    for (who, anew) in ours {
        assert_eq!(several_use_it_first(&anew), Ok(()), "{who}");
    }
    let in_memory = |default| several_use_it_first(&move || Box::new(InMemory::new(default)));
    assert_eq!(in_memory(Default::Once), Ok(()));
    assert_eq!(in_memory(Default::Nothing), Err("0 of 4 could use it".to_owned()));
    let why = in_memory(Default::Fresh).expect_err("a new one for each");
    assert!(why.contains("4 were told that theirs is kept; 1 are, in 4"), "{why}");
}

/// An example that must not compile is the one beside it that does, but for one line: so it is that line which does not.
///
/// Defect CORE-11: what is only lent is kept, taken or changed.
/// Shown on M28: a look that keeps, takes or changes what it is shown is no program.
#[test]
fn what_must_not_compile_differs_in_one_line_from_what_does() {
    let path = crate::tidy::top().join("impl/src/ledger/policy.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("///"));
    let doc: String = lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    let blocks: Vec<(&str, &str)> =
        doc.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect();
    let [("", compiles), others @ ..] = &blocks[..] else { panic!("{blocks:?}") };
    let mut codes = Vec::new();
    for (kind, block) in others {
        codes.push(kind.strip_prefix("compile_fail,").expect("the others do not compile"));
        assert_eq!(block.lines().count(), compiles.lines().count(), "{block}");
        let differ = block.lines().zip(compiles.lines()).filter(|(one, other)| one != other);
        assert_eq!(differ.count(), 1, "{block}");
    }
    assert_eq!(codes, ["E0521", "E0507", "E0596"]);
}

/// Behaviour B1.5: the words of a status, and what goes with each; another word is refused, and so is a step back.
#[test]
fn the_statuses_are_those_of_the_vocabulary() {
    let yard = Yard::with_git();
    std::fs::write(yard.join("fencehold.toml"), on_board::POLICY).unwrap();
    assert_eq!(yard.run(["config", "apply"]).code, 0);
    let detail =
        r#"{"agent":"codex","branch":"b","issue":7,"pr_url":"u","question":"q","repo":"r","runs":2}"#;
    let mut seen = 0;
    for status in ["queued", "running", "blocked", "completed", "failed"] {
        assert_eq!(yard.run(["task", "set", status, status, "--detail", detail]).code, 0, "{status}");
        let shown = yard.json(0, ["task", "show", status]);
        assert_eq!(shown["details"][status].to_string(), detail);
        seen += 1;
    }
    assert_eq!(seen, 5);
    let unknown = yard.run(["task", "set", "queued", "paused"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.stderr.contains("queued, running, blocked, completed, failed"), "{unknown:?}");
    for (is, to) in
        [("completed", "running"), ("completed", "blocked"), ("failed", "completed"), ("blocked", "running")]
    {
        let refused = yard.json(1, ["task", "set", is, to, "--from", is]);
        assert_eq!(refused["reason"], "regression", "{is} to {to}");
    }
}

/// Behaviour B1.9: what died is found at the next start, with the evidence, once; what lives is left alone.
#[test]
fn a_restart_finds_what_died() {
    let yard = Yard::with_git();
    let agents = ["lives", "dies"].map(|run| {
        let agent = Kept(Command::new("sleep").arg("600").spawn().unwrap());
        assert_eq!(yard.run(["lease", "grant", run, "--pid", &agent.0.id().to_string()]).code, 0);
        agent
    });
    let [_lives, dies] = agents;
    drop(dies);
    let reaped = yard.json(0, ["lease", "reap"]);
    assert_eq!((&reaped["lease"], &reaped["evidence"]), (&"dies".into(), &"no-such-process".into()));
    assert_eq!(yard.run(["--json", "lease", "reap"]).stdout, "", "once");
    assert_eq!(yard.json(0, ["lease", "list", "--state", "open"])["lease"], "lives");
}

/// Behaviour B1.7: not found, damaged and not possible are told apart, name the file, and are no status.
///
/// Defect CORE-14: what cannot be read is counted as failed.
/// Shown on the published algorithm of CORE-14: a reader in the middle of a write.
#[test]
fn what_cannot_be_read_is_no_status() {
    let yard = Yard::with_git();
    std::fs::create_dir_all(yard.join("folder/status.json")).unwrap();
    let mut seen = 0;
    for (text, code, says) in [
        (None, 1, "status.json does not exist"),
        (Some(""), 4, "empty"),
        (Some("{\"status\":\"comp"), 4, "not JSON"),
        (Some("\0\0\0\0"), 4, "NUL"),
    ] {
        if let Some(text) = text {
            std::fs::write(yard.join("status.json"), text).unwrap();
        }
        let said = yard.run(["doc", "read", "status.json"]);
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{text:?}: {said:?}");
        assert!(said.stderr.contains(says) && said.stderr.contains("status.json"), "{text:?}: {said:?}");
        seen += 1;
    }
    assert_eq!(seen, 4);
    let said = yard.run(["doc", "read", "folder/status.json"]);
    assert_eq!(said.code, 2, "a folder is not damaged: {said:?}");
}

/// A list where nobody may write: the same is said, and nothing is tried.
///
/// DOC-21: A read without a fence changes no byte on disk, makes nothing and needs no permission to write, whatever the
/// document holds.
///
/// Defect CORE-4: who lists the statuses changes them.
/// Shown on the published algorithm of CORE-4: a list that corrects fails where it may not write.
#[test]
fn a_list_needs_no_permission_to_write() {
    let yard = Yard::with_git();
    for args in [
        &["task", "set", "t", "todo"][..],
        &["doc", "update", "status.json", "--merge", "{\"status\":\"running\"}"],
    ] {
        assert_eq!(yard.run(args).code, 0);
    }
    std::fs::write(yard.join("damaged.json"), "{\"status\":").unwrap();
    let agent = Kept(Command::new("sleep").arg("600").spawn().unwrap());
    assert_eq!(yard.run(["lease", "grant", "t", "--pid", &agent.0.id().to_string()]).code, 0);
    drop(agent);
    let Some(anybody) = crate::strangers::anybody(&yard) else { return };
    let chmod = |mode: &str| {
        let changed = Command::new("chmod").args(["-R", mode]).arg(yard.path()).status().unwrap();
        assert!(changed.success());
    };
    chmod("a-w");
    let before = in_file::files(&yard.path());
    let lists: [(&[&str], i32, &str); 7] = [
        (&["task", "list"], 0, "todo"),
        (&["task", "get", "t"], 0, "todo"),
        (&["task", "show", "t"], 0, "todo"),
        (&["lease", "list"], 0, "t"),
        (&["status"], 0, "t"),
        (&["doc", "read", "status.json"], 0, "running"),
        (&["doc", "read", "damaged.json"], 4, ""),
    ];
    let mut seen = 0;
    for (args, code, says) in lists {
        let listed = said(anybody(&yard).args(args));
        assert!(listed.code == code && listed.stdout.contains(says), "{args:?}: {listed:?}");
        assert!(in_file::files(&yard.path()) == before, "{args:?} changes files");
        seen += 1;
    }
    chmod("u+w");
    assert_eq!(seen, 7);
    // It may write, and does not: the damage is copied nowhere, and who is dead stays as the journal has it.
    let before = in_file::files(&yard.path());
    for (args, code, _) in lists {
        assert_eq!(said(anybody(&yard).args(args)).code, code, "{args:?}");
    }
    assert!(in_file::files(&yard.path()) == before, "a list changes files");
}
