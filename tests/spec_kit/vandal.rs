//! What a kill, a crash or a careless hand leaves behind.

use fencehold_model::lock::Command;

use super::{Does as _, HOUR, Lab, RELAXED, acquire, end_by_hand};
use fencehold::fs::RealFs;

/// The bytes of the line that `command` would append next; the journal is left as it was.
pub(crate) fn next_line(lab: &Lab, command: &Command) -> Vec<u8> {
    let (path, before) = (lab.journal(), std::fs::read(lab.journal()).unwrap());
    // One that never was durable.
    lab.party_on(RealFs, RELAXED).verdict(command);
    let after = std::fs::read(&path).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(before.len() as u64).unwrap();
    after[before.len()..].to_vec()
}

/// Makes events until a new file is begun.
pub(crate) fn rotate(lab: &Lab) {
    let n = lab.n();
    fill(lab);
    lab.party().verdict(&acquire("rotates", "vandal", 1));
    lab.machine.pass(1);
    assert_eq!(lab.n(), n + 1);
}

/// Fills the journal up to where the next commit begins a new file; no lock stays held.
pub(crate) fn fill(lab: &Lab) {
    let party = lab.party_on(RealFs, RELAXED);
    let reason = format!("x{}x", "\u{1}".repeat(4000));
    while lab.lines().iter().skip(1).map(|line| line.len() + 1).sum::<usize>() <= 64 * 1024 {
        party.verdict(&acquire("fills", "vandal", HOUR));
        party.verdict(&end_by_hand("fills", &reason));
    }
}

/// Changes one byte in line `index` (0 is line one) of the newest file, away from its seal.
pub(crate) fn damage(lab: &Lab, index: usize) {
    let path = lab.journal();
    let mut bytes = std::fs::read(&path).unwrap();
    let start: usize = bytes.split(|byte| *byte == b'\n').take(index).map(|line| line.len() + 1).sum();
    bytes[start + 3] ^= 0x20;
    std::fs::write(&path, bytes).unwrap();
}
