//! The end of the journal: holes (M1), missing newlines (M2), readers of a write in progress (M3), a full disk (M20), and
//! what follows from them (M18, m1, m3, m5).

use std::io::ErrorKind;

use fencehold::error::Happened;
use fencehold::fs::RealFs;
use fencehold_model::chain;
use fencehold_model::lock::Proof;

use super::kit::{Act, Tampered};
use crate::spec_kit::{
    DURABLE, Does as _, HOUR, Lab, RELAXED, acquire, is_damage, kill_everywhere, names, renew, vandal,
};

/// The beginning of line `index` of the newest file.
fn start_of(lab: &Lab, index: usize) -> usize {
    lab.lines()[..index].iter().map(|line| line.len() + 1).sum()
}

/// Puts NUL bytes where line `index` stood, newline included or not: a page that never reached the disk.
fn hole(lab: &Lab, index: usize, from: usize) {
    let mut bytes = std::fs::read(lab.journal()).unwrap();
    let (start, end) = (start_of(lab, index) + from, start_of(lab, index + 1));
    bytes[start..end].fill(0);
    std::fs::write(lab.journal(), bytes).unwrap();
}

/// A recovery without a chain: every line whose own checksum is right.
fn lines_by_checksum(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.filter(|line| chain::verify(line).is_some()).count()
}

/// Two records that nobody synced, and the second page reaches the disk first: a hole, then whole lines. After the
/// reboot work goes on without a person; nothing behind the hole is applied. The wrong variants: to refuse until
/// somebody repairs, and to skip the bad line, which applies what stands behind it.
#[test]
fn review_M1_a_hole_before_whole_lines_is_an_unacked_tail() {
    let mut holes = 0;
    for broken in 2..6 {
        for from in [0, 1, 40] {
            let lab = Lab::new();
            let party = lab.party_on(RealFs, RELAXED);
            let tokens: Vec<u64> =
                (2..8).map(|line| party.token(&acquire(&format!("{line}"), "h", HOUR))).collect();
            drop(party);
            hole(&lab, broken, from);
            let bytes = std::fs::read(lab.journal()).unwrap();
            assert!(bytes.ends_with(b"}\n"), "it looks whole at its end");
            assert!(lines_by_checksum(&bytes) > broken, "by checksums alone the lines behind it count");
            lab.machine.reboot("after the power cut");
            let party = lab.party();
            let next = party.token(&acquire("next", "another", HOUR));
            assert!(tokens.iter().all(|token| *token < next));
            for line in 2..8 {
                assert_eq!(party.held(&format!("{line}")).is_some(), line < broken, "{line} of {broken}");
            }
            let kept = names(&lab.path("quarantine"));
            assert_eq!(lab.bytes(&format!("quarantine/{}", kept[0])), bytes[start_before(&bytes, broken)..]);
            holes += 1;
        }
    }
    assert_eq!(holes, 12);
}

fn start_before(bytes: &[u8], index: usize) -> usize {
    bytes.split(|byte| *byte == b'\n').take(index).map(|line| line.len() + 1).sum()
}

/// The same hole where a later line says that the lost one was durable is bit rot of what was acked: never cut off by
/// itself.
#[test]
fn review_M1_a_hole_in_what_was_acked_is_damage() {
    let lab = Lab::new();
    let party = lab.party();
    (2..6).for_each(|line| _ = party.token(&acquire(&format!("{line}"), "h", HOUR)));
    hole(&lab, 3, 0);
    lab.machine.reboot("later");
    let before = lab.snapshot();
    assert!(is_damage(&lab.party().ask(&acquire("x", "h", HOUR))));
    assert_eq!(lab.snapshot(), before);
}

/// The same where each of the grants was a command of its own: what one made durable the next one says in its line.
#[test]
fn review_M1_a_hole_in_what_single_commands_acked_is_damage() {
    let lab = Lab::new();
    for line in 2..7 {
        lab.party().token(&acquire(&format!("{line}"), "h", HOUR));
    }
    hole(&lab, 3, 0);
    lab.machine.reboot("later");
    assert!(is_damage(&lab.party().ask(&acquire("x", "h", HOUR))));
}

/// And in the boot that wrote it, with no mark of a failed sync, a hole cannot come from a power cut.
#[test]
fn review_M1_a_hole_in_the_boot_that_wrote_it_is_damage() {
    let lab = Lab::new();
    let party = lab.party_on(RealFs, RELAXED);
    (2..6).for_each(|line| _ = party.token(&acquire(&format!("{line}"), "h", HOUR)));
    hole(&lab, 3, 0);
    assert!(is_damage(&lab.party().ask(&acquire("x", "h", HOUR))));
}

/// Lines of a deleted older journal reappear in blocks that are used again, each with a right checksum. They do not
/// continue the chain. The wrong variant goes by the checksum of each line: it would apply them.
#[test]
fn review_M1_lines_of_an_older_journal_do_not_continue_the_chain() {
    let lab = Lab::new();
    lab.party_on(RealFs, RELAXED).token(&acquire("now", "h", HOUR));
    let older = Lab::new();
    for name in ["ghost 1", "ghost 2"] {
        older.party_on(RealFs, RELAXED).token(&acquire(name, "h", HOUR));
    }
    let ghosts: String = older.lines()[2..].iter().map(|line| format!("{line}\n")).collect();
    let whole = lines_by_checksum(&std::fs::read(lab.journal()).unwrap());
    lab.append(&ghosts);
    assert_eq!(
        lines_by_checksum(&std::fs::read(lab.journal()).unwrap()),
        whole + 2,
        "their checksums are right"
    );
    lab.machine.reboot("later");
    lab.party().token(&acquire("next", "h", HOUR));
    assert!(lab.party().held("now").is_some());
    assert!(lab.party().held("ghost 1").is_none() && lab.party().held("ghost 2").is_none());
}

/// A short write that lacks the newline alone: the writer says that it did not happen, so it must not. The wrong variant
/// keeps a complete last record without its newline: its checksum is right.
#[test]
fn review_M2_a_record_without_its_newline_never_happened() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    let line = vandal::next_line(&lab, &acquire("a", "h", HOUR));
    let without = line.len() - 1;
    assert!(
        chain::verify(std::str::from_utf8(&line[..without]).unwrap()).is_some(),
        "the wrong variant keeps it"
    );
    let mut answers = 0;
    for cut in [Act::Go, Act::Fail(ErrorKind::Other), Act::Die] {
        let lab = Lab::new();
        lab.party().token(&acquire("boot", "h", HOUR));
        let mut short = false;
        let fs = Tampered::new(RealFs, move |call, path| {
            if !path.ends_with("journal.1.ndjson") {
                return Act::Go;
            }
            if call == "append" && !short {
                short = true;
                return Act::Short(without);
            }
            if call == "truncate" { cut } else { Act::Go }
        });
        let error = lab.party_on(fs, DURABLE).ask(&acquire("a", "h", HOUR)).unwrap_err();
        let owed = if cut == Act::Go { Happened::No } else { Happened::Unknown };
        assert_eq!(error.happened(), owed, "{error}");
        assert_eq!(lab.party().held("a"), None, "{cut:?}: a reader takes nothing without its newline");
        lab.party().token(&acquire("next", "h", HOUR));
        assert_eq!(lab.party().held("a"), None, "{cut:?}: nor does a writer");
        answers += 1;
    }
    assert_eq!(answers, 3);
}

/// The truncation was not durable, and a power loss brings the bytes back: they are still no record.
#[test]
fn review_M2_bytes_that_a_power_loss_brings_back_are_still_no_record() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("boot", "h", HOUR));
    let line = vandal::next_line(&lab, &acquire("a", "h", HOUR));
    for back in [line.len() - 1, line.len() / 2, 1] {
        lab.append(&line[..back]);
        lab.machine.reboot(&format!("after {back}"));
        assert_eq!((lab.party().held("a"), lab.party().held("boot")), (None, Some(("h".to_owned(), token))));
        lab.party().token(&acquire(&format!("{back}"), "h", HOUR));
        assert_eq!(lab.party().held("a"), None);
    }
}

/// A reader that keeps partial bytes between two reads, as the draft allowed it.
#[derive(Default)]
struct GluingReader(Vec<u8>);

impl GluingReader {
    fn read(&mut self, bytes: &[u8]) -> String {
        let new = bytes[self.0.len().min(bytes.len())..].to_vec();
        self.0.extend(new);
        String::from_utf8_lossy(&self.0).lines().last().unwrap_or_default().to_owned()
    }
}

/// A torn line is cut off and another is written in its place (ABA), while a reader that has seen the torn one goes on.
/// The wrong variant keeps the partial bytes, and glues the one to the other.
#[test]
fn review_M3_a_reader_remembers_ends_of_lines_and_no_partial_bytes() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    let before = std::fs::read(lab.journal()).unwrap();
    let torn = vandal::next_line(&lab, &acquire("torn", "h", HOUR));
    let (reader, mut gluing, mut looks) = (lab.party(), GluingReader::default(), 0);
    for cut in [1, torn.len() / 2, torn.len() - 1] {
        std::fs::write(lab.journal(), [&before[..], &torn[..cut]].concat()).unwrap();
        assert_eq!((reader.held("torn"), reader.held("a").is_some()), (None, true));
        gluing.read(&std::fs::read(lab.journal()).unwrap());
        looks += 1;
    }
    std::fs::write(lab.journal(), &before).unwrap();
    let token = lab.party().token(&acquire("other", &"another holder".repeat(5), HOUR));
    assert_eq!(reader.held("other").map(|(_, token)| token), Some(token));
    let glued = gluing.read(&std::fs::read(lab.journal()).unwrap());
    assert!(glued.contains("\"torn\"") && chain::verify(&glued).is_none(), "the wrong variant: {glued}");
    assert_eq!(looks, 3);
}

/// What a reader sees of a write in progress, NULs and glued bytes with a newline at their end included, is looked at
/// again under a brief shared lock before it is called damage. The wrong variant calls it damage at once: the first look
/// is one.
#[test]
fn review_M3_a_write_in_progress_is_no_damage() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    let line = vandal::next_line(&lab, &acquire("b", "h", HOUR));
    let whole = [std::fs::read(lab.journal()).unwrap(), line.clone()].concat();
    let start = whole.len() - line.len();
    let mut looks = 0;
    for (from, to) in [(0, 20), (20, line.len() - 1), (line.len() / 2, line.len() - 1)] {
        let mut halfway = whole.clone();
        halfway[start + from..start + to].fill(0);
        std::fs::write(lab.journal(), &halfway).unwrap();
        let (path, whole) = (lab.journal(), whole.clone());
        // The writer holds the OS lock until its write is there.
        let finishes = Tampered::before(RealFs, "lock", "lock", move || std::fs::write(path, whole).unwrap());
        assert!(is_damage(&lab.party().look("a")), "as it stands it is damage");
        let seen = lab.party_on(finishes, DURABLE);
        assert!(seen.held("a").is_some() && seen.held("b").is_some());
        looks += 1;
    }
    assert_eq!(looks, 3);
}

/// The reader reads the clock first: with a time from after its bytes it would show a lock as free that was held at
/// every instant. The wrong variant is that order, told beside it.
#[test]
fn review_M3_a_reader_takes_the_clock_before_the_bytes() {
    let lab = Lab::new();
    let (holder, machine) = (lab.party(), lab.machine.clone());
    let answer = holder.ask(&acquire("a", "h", 1_000)).unwrap();
    let token = answer.revision;
    let mut renews = Some(move || {
        holder.verdict(&renew("a", "h", Proof::Token(token), Some(HOUR)));
        machine.pass(5_000);
    });
    // Between the bytes and whatever comes after them.
    let paused = Tampered::new(RealFs, move |call, path| {
        if call == "stat"
            && path.ends_with("journal.2.ndjson")
            && let Some(renews) = renews.take()
        {
            renews();
        }
        Act::Go
    });
    let reader = lab.party_on(paused, DURABLE);
    assert!(reader.held("a").is_some(), "never was it free");
    let clock_after = answer.at_ms + 5_000;
    assert!(
        clock_after >= answer.at_ms + 1_000,
        "the wrong variant: the old bytes at the new time are a free lock"
    );
}

/// A full disk: a short write is undone and nothing happened. With no space to keep what stands torn, the journal is
/// left as it is and appends fail, definitely; reads go on. The wrong variant cuts what could not be kept.
#[test]
fn review_M20_a_full_disk_loses_nothing_and_says_so() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    let before = std::fs::read(lab.journal()).unwrap();
    let full = |short: usize| {
        Tampered::new(RealFs, move |call, path| match call {
            "append" if path.ends_with("journal.1.ndjson") => Act::Short(short),
            "create" => Act::Fail(ErrorKind::StorageFull),
            _ => Act::Go,
        })
    };
    for short in [0, 1, 60] {
        let error = lab.party_on(full(short), DURABLE).ask(&acquire("b", "h", HOUR)).unwrap_err();
        assert_eq!(error.happened(), Happened::No, "{short}: {error}");
        assert_eq!(std::fs::read(lab.journal()).unwrap(), before, "{short}: undone");
    }
    lab.append("{\"half\":");
    let torn = std::fs::read(lab.journal()).unwrap();
    let party = lab.party_on(full(0), DURABLE);
    for _ in 0..2 {
        let error = party.ask(&acquire("b", "h", HOUR)).unwrap_err();
        assert_eq!(error.happened(), Happened::No, "{error}");
        assert_eq!(std::fs::read(lab.journal()).unwrap(), torn, "left as it is");
        assert_eq!(party.held("a"), Some(("h".to_owned(), token)));
    }
    // There is space again.
    lab.party().token(&acquire("b", "h", HOUR));
    assert_eq!(names(&lab.path("quarantine")).len(), 1);
}

/// A journal is not preallocated: it ends where its last line does, so every torn line looks torn. Blank lines at its
/// end, as a preallocation would leave, are a break.
#[test]
fn review_M18_a_journal_ends_where_its_last_line_does() {
    let lab = Lab::new();
    for n in 0..5 {
        lab.party().token(&acquire(&format!("{n}"), "h", HOUR));
        let bytes = std::fs::read(lab.journal()).unwrap();
        assert!(bytes.ends_with(b"\"}\n") && !bytes.ends_with(b"\n\n"));
    }
    lab.append("\n\n\n");
    assert!(is_damage(&lab.party().ask(&acquire("x", "h", HOUR))));
}

/// Quarantine is two steps, the copy and the cut: what is kept is named by file, offset and checksum, and synced with
/// its folder before the cut, so a killed one is repeated and comes to the same.
#[test]
fn review_m1_a_killed_quarantine_is_repeated_and_kept_once() {
    let mut again = 0;
    let kills = kill_everywhere(|disk, _| {
        let lab = Lab::new();
        lab.party().token(&acquire("a", "h", HOUR));
        let end = std::fs::read(lab.journal()).unwrap().len();
        lab.append("half a line");
        let _ = lab.party_on(disk, DURABLE).ask(&acquire("b", "h", HOUR));
        let cut = !std::fs::read(lab.journal()).unwrap()[end..].starts_with(b"half");
        let kept = || -> Vec<String> {
            names(&lab.path("quarantine")).into_iter().filter(|name| name.contains("-11-")).collect()
        };
        assert!(!cut || kept().len() == 1, "cut off before it was kept");
        lab.party().token(&acquire("c", "h", HOUR));
        assert_eq!(kept().len(), 1, "{:?}", kept());
        assert_eq!(lab.bytes(&format!("quarantine/{}", kept()[0])), b"half a line");
        again += usize::from(!cut);
    });
    assert!(kills > 20 && again > 5, "{kills} {again}");
}

/// After a repaired gap a renewal may meet no grant: the lock is free, its next token above the floor, and it is listed
/// among those that the gap may concern. Nothing panics.
#[test]
fn review_m3_what_a_gap_took_is_free_and_named() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("gone", "h#c", HOUR));
    lab.party().verdict(&renew("gone", "h", Proof::Token(token), None));
    lab.party().token(&acquire("after", "h", HOUR));
    vandal::damage(&lab, 2);
    let report = lab.party().journal().repair().unwrap();
    assert!(report.concerned.contains(&"gone".to_owned()), "{report:?}");
    let party = lab.party();
    assert_eq!(party.held("gone"), None);
    let word = party.refusal(&renew("gone", "h", Proof::Token(token), None));
    assert_eq!(word, "not_holder");
    assert!(party.token(&acquire("gone", "h#c", HOUR)) > token);
}

/// A checksum is over the bytes as they were written: the same JSON written differently is not the same line. And no
/// number is one that jq or JavaScript cannot read.
#[test]
fn review_m5_a_checksum_is_over_bytes_and_numbers_stay_below_2_to_53() {
    let lab = Lab::new();
    for n in 0..3 {
        lab.party().token(&acquire(&format!("{n}"), "h", HOUR));
    }
    let line = lab.lines().pop().unwrap();
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let rewritten = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&rewritten).unwrap(), value);
    assert!(chain::verify(&line).is_some() && chain::verify(&rewritten).is_none());
    let mut numbers = 0;
    for line in lab.lines() {
        for word in line.split(|c: char| !c.is_ascii_digit()).filter(|word| word.len() > 3) {
            // Checksums and ids are text, and hold letters or not.
            if let Ok(number) = word.parse::<u64>()
                && line.contains(&format!(":{word},"))
            {
                assert!(number < 1 << 53, "{word}");
                numbers += 1;
            }
        }
    }
    assert!(numbers > 10, "{numbers}");
}
