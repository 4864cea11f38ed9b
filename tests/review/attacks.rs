//! Attempts to break the journal on a disk that loses power and errors, each an interleaving chosen by hand.

use fencehold::journal::{Modes, create};
use fencehold_stress::sim::disk::Persistence;

use super::kit::{Act, Tampered};
use super::sim::{MODELS, Sim};
use crate::spec_kit::{DURABLE, Does as _, HOUR, RELAXED, acquire};

const JOURNAL: &str = "journal.1.ndjson";

/// An event that is appended while the history is read, by a process that is killed before its sync, is shown by nobody
/// who did not make it durable.
#[test]
fn review_C1_a_history_shows_no_event_that_was_appended_meanwhile_and_not_synced() {
    let (mut cuts, mut reached) = (0, 0);
    for model in MODELS {
        let sim = Sim::new(model);
        sim.party().token(&acquire("boot", "h", HOUR));
        let ours = sim.clone();
        let mut lists = 0;
        let fs = Tampered::new(sim.fs(), move |call, path| {
            lists += usize::from(call == "list");
            if call == "list" && path.ends_with("archive") && lists < 100 {
                lists = 100;
                super::durable::dies_before_its_sync(&ours, &acquire("a", "a", HOUR));
            }
            Act::Go
        });
        let mut shown = Vec::new();
        sim.party_on(fs, DURABLE).journal().history(|entry| shown.push(entry.revision)).unwrap();
        let last = *shown.last().unwrap();
        reached += 1;
        cuts += sim.every_cut(300, |after| {
            let mut kept = Vec::new();
            after.party().journal().history(|entry| kept.push(entry.revision)).unwrap();
            assert!(kept.contains(&last), "{model:?}: {last} was shown, and is gone: {kept:?}");
        });
    }
    assert!(reached == MODELS.len() && cuts >= 5, "{reached} {cuts}");
}

/// A rotation moves the old file from one directory to another. Whatever of that a power cut keeps, the events in it
/// are somewhere: a later sync of the one directory never makes its leaving durable without its arrival in the other.
#[test]
fn review_M17_no_power_cut_takes_an_archived_file() {
    let mut cuts = 0;
    for model in MODELS {
        let sim = Sim::new(model);
        let acked = sim.party().token(&acquire("first", "h", HOUR));
        super::cuts::fill(&sim);
        sim.party().token(&acquire("rotates", "h", HOUR));
        assert!(!sim.bytes("archive/journal.1.ndjson").is_empty(), "it was rotated");
        // Somebody syncs the workspace folder later on: here a new boot raises the floor.
        sim.machine.reboot("later");
        sim.party().token(&acquire("later", "h", HOUR));
        cuts += sim.every_cut(300, |after| {
            let mut kept = Vec::new();
            let notes = after.party().journal().history(|entry| kept.push(entry.revision)).unwrap();
            assert!(
                kept.contains(&acked),
                "{model:?}: {acked} was acked, and the history is without it: {notes:?}"
            );
        });
    }
    assert!(cuts >= 5, "{cuts}");
}

/// The creator was killed before it synced the parent; a relaxed process, which owes nothing, rotates; a durable one
/// acks in the second file. The folder's own entry must be durable by then.
#[test]
fn review_C7_the_parents_entry_is_owed_in_every_file() {
    let (mut cuts, mut reached) = (0, 0);
    for model in MODELS {
        let sim = Sim::bare(model);
        let mut renamed = false;
        let creator = Tampered::new(sim.fs(), move |call, path| {
            if renamed && call == "sync_dir" {
                return Act::Die;
            }
            renamed |= call == "rename" && path.ends_with("ws");
            Act::Go
        });
        let _ = create(&creator, &sim.machine, &sim.ws(), Modes::Owner);
        if sim.bytes(JOURNAL).is_empty() {
            continue;
        }
        reached += 1;
        super::cuts::fill(&sim);
        sim.party_on(sim.fs(), RELAXED).token(&acquire("rotates", "h", HOUR));
        assert!(!sim.bytes("journal.2.ndjson").is_empty(), "it was rotated");
        let acked = sim.party().token(&acquire("a", "a", HOUR));
        cuts += sim.every_cut(300, |after| {
            assert!(
                !after.bytes("journal.2.ndjson").is_empty(),
                "{model:?}: the workspace is gone, with token {acked}"
            );
            assert_eq!(after.party().held("a").map(|(_, token)| token), Some(acked), "{model:?}");
        });
    }
    assert!(reached == MODELS.len() && cuts >= 5, "{reached} {cuts}");
}

/// RECOVER-16: Where a tail that is cut off holds NUL bytes in the boot that wrote it, a writeback was lost, and work
/// goes on in a new file at the floor.
///
/// Relaxed grants are acked, a writeback fails behind everybody's back, memory is short: the file ends with NULs. The
/// boot is the same, nobody was told. The tokens were handed out all the same.
#[test]
fn review_C3_relaxed_tokens_that_a_writeback_error_lost_are_not_handed_out_again() {
    let mut went_on = 0;
    for model in MODELS {
        for count in [1, 2, 20] {
            for again in [DURABLE, RELAXED] {
                let sim = Sim::new(model);
                sim.party().token(&acquire("boot", "h", HOUR));
                let relaxed = sim.party_on(sim.fs(), RELAXED);
                let tokens: Vec<u64> =
                    (0..count).map(|n| relaxed.token(&acquire(&format!("{n}"), "h", HOUR))).collect();
                drop(relaxed);
                sim.fail_writeback(JOURNAL);
                sim.evict();
                if let Ok(answer) = sim.party_on(sim.fs(), again).ask(&acquire("next", "another", HOUR)) {
                    let next = answer.revision;
                    assert!(tokens.iter().all(|token| *token < next), "{model:?}: {next} after {tokens:?}");
                    went_on += 1;
                }
            }
        }
    }
    assert!(went_on > MODELS.len(), "{went_on}");
}

/// Acked lines at the end of the journal are lost in the boot that synced them: bit rot, or a hand. Somebody repairs,
/// once: a repair that itself refuses would be the end of the workspace until the next boot.
#[test]
fn review_C3_what_was_durable_and_is_missing_can_be_repaired_in_the_same_boot() {
    use crate::spec_kit::{Lab, is_damage};
    type Loss = fn(&[u8], usize) -> Vec<u8>;
    let losses: [Loss; 3] = [
        |bytes, end| bytes[..end].to_vec(),
        |bytes, end| [&bytes[..end], &vec![0; bytes.len() - end]].concat(),
        |bytes, end| [&bytes[..end], b"{\"rev\":"].concat(),
    ];
    let mut repaired = 0;
    for (index, lose) in losses.into_iter().enumerate() {
        for condemned in [false, true] {
            for relaxed in [false, true] {
                let lab = Lab::new();
                let kept = lab.party().token(&acquire("kept", "h", HOUR));
                let end = lab.bytes(JOURNAL).len();
                let lost = lab.party().token(&acquire("lost", "h", HOUR));
                std::fs::write(lab.journal(), lose(&lab.bytes(JOURNAL), end)).unwrap();
                if condemned {
                    std::fs::write(lab.path("journal.1.condemned"), "").unwrap();
                }
                let options = if relaxed { RELAXED } else { DURABLE };
                let of = || lab.party_on(fencehold::fs::RealFs, options);
                let case = format!("loss {index}, condemned {condemned}, relaxed {relaxed}");
                assert!(
                    is_damage(&of().ask(&acquire("x", "h", HOUR))),
                    "{case}: acked, and gone without a word"
                );
                let reader = of();
                for _ in 0..2 {
                    assert!(is_damage(&reader.look("kept")), "{case}");
                }
                let report = of().journal().repair();
                assert!(report.is_ok(), "{case}: {report:?}");
                assert_eq!(lab.party().held("kept"), Some(("h".to_owned(), kept)), "{case}");
                let next = lab.party().token(&acquire("lost", "another", HOUR));
                assert!(next > lost, "{case}: {next} after {lost}");
                repaired += 1;
            }
        }
    }
    assert_eq!(repaired, 12);
}

/// A process is killed inside its failing sync, so nobody on earth knows. A reader that may not write the journal can
/// only sync, deaf, and look for the mark: that is the exception for such readers, and it stays with them. What they
/// believe is told to nobody who could have made it true.
#[test]
fn review_C2_what_a_reader_believes_that_may_not_write_is_told_to_nobody() {
    let sim = Sim::new(Persistence::Ext4);
    sim.party().token(&acquire("boot", "h", HOUR));
    super::durable::dies_in_a_failing_sync(&sim, &acquire("a", "a", HOUR));
    let mut opened = false;
    let may_not_write = Tampered::new(sim.fs(), move |call, path| {
        let again = opened && call == "open" && path.ends_with(JOURNAL);
        opened |= call == "open" && path.ends_with(JOURNAL);
        if again { Act::Fail(std::io::ErrorKind::PermissionDenied) } else { Act::Go }
    });
    let seen = sim.party_on(may_not_write, DURABLE).look("a");
    assert!(seen.is_ok_and(|view| view.grant.is_some()), "the exception");
    let told = sim.party().refusal(&acquire("a", "b", HOUR));
    assert_eq!(told, "held");
    sim.evict();
    assert!(sim.party().held("a").is_some(), "a writer was told `held` by what memory pressure took away");
    sim.every_cut(300, |after| assert!(after.party().held("a").is_some()));
}
