//! Readers: no lock, no write, and nothing that is half there.

use std::io::ErrorKind;

use fencehold::fs::{File as _, Fs as _, How, LockMode, RealFs};

use crate::spec_kit::{Act, DURABLE, Disk, Does as _, HOUR, Lab, acquire, changes, vandal};

/// JOURNAL-16: A read of what is known to be durable takes no lock on an undamaged journal and writes nothing, and any
/// read succeeds where the workspace is mounted read-only.
#[test]
fn a_read_needs_neither_the_os_lock_nor_a_disk_that_takes_writes() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    lab.append("a half line of a killed writer");
    let before = lab.snapshot();
    let (noting, calls) = Disk::noting();
    let read_only = Disk::over(noting, |call, _| {
        if changes(call) || call == "sync_dir" { Act::Fail(ErrorKind::ReadOnlyFilesystem) } else { Act::Go }
    });
    let busy = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    busy.lock(LockMode::Exclusive, std::time::Duration::ZERO).unwrap();
    let party = lab.party_on(read_only, DURABLE);
    for _ in 0..3 {
        assert_eq!(party.held("a"), Some(("h".to_owned(), token)));
        assert_eq!(party.list().unwrap().value.len(), 1);
    }
    let mut history = 0;
    party.journal().history(|_| history += 1).unwrap();
    assert_eq!(history, 2);
    let calls = calls.lock().unwrap();
    let wrong = calls.iter().filter(|call| {
        let name = call.split(' ').next().unwrap();
        changes(name) || name == "lock"
    });
    assert_eq!(wrong.count(), 0, "{calls:#?}");
    assert_eq!(lab.snapshot(), before);
}

/// JOURNAL-17: A read never shows an event that is torn, empty or glued together from two writes.
#[test]
fn a_reader_that_looks_at_every_byte_of_two_writes_sees_whole_events_only() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    let (path, before) = (lab.journal(), lab.bytes("journal.1.ndjson"));
    // A write that was cut off, and then another one in its place: the reader may see any prefix of either, and the
    // beginning of the one with the end of the other.
    let cut_off = vandal::next_line(&lab, &acquire("torn", "h", HOUR));
    let whole = vandal::next_line(&lab, &acquire("whole", "h", HOUR));
    assert_ne!(cut_off, whole);
    let reader = lab.party();
    let mut looks = 0;
    let mut look = |bytes: &[u8], expected: bool| {
        std::fs::write(&path, [&before[..], bytes].concat()).unwrap();
        assert_eq!(reader.held("a"), Some(("h".to_owned(), token)));
        assert_eq!(reader.held("torn"), None);
        assert_eq!(reader.held("whole").is_some(), expected);
        looks += 1;
    };
    for cut in 0..cut_off.len() {
        look(&cut_off[..cut], false);
    }
    for cut in 1..whole.len() - 1 {
        // NUL bytes stand where a page is not there yet.
        look(&vec![0; cut], false);
        look(&[&whole[..cut], &cut_off[cut..cut_off.len() - 1]].concat(), false);
    }
    look(&whole, true);
    assert!(looks > 600, "{looks}");
}
