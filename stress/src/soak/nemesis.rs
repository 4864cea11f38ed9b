//! The nemesis: SIGKILL, SIGSTOP and SIGCONT at random instants, half lines as a killed or foreign writer leaves them,
//! and damaged lines that nobody was told of.
//!
//! A half line in the journal is written under the OS lock, as a writer leaves it that is killed there; a half line in
//! a log is written without, as a foreign program would. Aimed kills wait for the journal to grow and hit the writer
//! of its last line: between its write and its answer, if it is quick enough.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fencehold::fs::{File as _, Fs as _, How, LockMode, RealFs};
use serde_json::json;

use super::Arena;
use super::workload::Client;
use crate::rng::Rng;
use crate::target::Signal;

/// What the nemesis did, counted.
#[derive(Debug, Clone, Default)]
pub struct Deeds {
    /// SIGKILLs that hit a living process.
    pub kills: u64,
    /// Stops and continuations.
    pub stops: u64,
    /// Half lines put into logs.
    pub log_tears: u64,
    /// Half lines put into the journal, with the bytes.
    pub journal_tears: Vec<Vec<u8>>,
    /// Damaged lines put into the journal, with the bytes.
    pub damages: Vec<Vec<u8>>,
    /// Repairs that were run, those that were killed included.
    pub repairs: u64,
}

/// What the line of a begun accept says.
const INTENT: &str = "proposal.intended";
/// How long an aimed kill waits for the journal to grow.
const AIM: Duration = Duration::from_millis(20);

/// Does harm until the run stops.
pub(super) fn harm(arena: &Arena, mut rng: Rng) -> Result<Deeds, String> {
    let mut deeds = Deeds::default();
    while !arena.stopping() {
        // Random instants are the point here; nothing is ordered by this pause.
        std::thread::sleep(Duration::from_micros(2_000 + rng.below(arena.harm_every_us)));
        match rng.below(100) {
            0..20 => kill(arena, rng.below(arena.slots.len() as u64), &mut deeds),
            20..36 => stop_and_continue(arena, &mut rng, &mut deeds),
            36..48 if arena.ours => tear_journal(arena, &mut rng, &mut deeds)?,
            48..53 if arena.ours => damage_journal(arena, &mut rng, &mut deeds)?,
            53..73 if arena.ours => drop(aimed_kill(arena, "", &mut deeds)),
            // Its file is replaced between this line and the next one of the accept.
            73..85 if arena.ours && arena.offers.proposal => {
                if !aimed_kill(arena, INTENT, &mut deeds) {
                    kill(arena, rng.below(arena.slots.len() as u64), &mut deeds);
                }
            }
            36..80 if arena.offers.log => tear_log(arena, &mut rng, &mut deeds),
            _ => kill(arena, rng.below(arena.slots.len() as u64), &mut deeds),
        }
    }
    Ok(deeds)
}

fn kill(arena: &Arena, slot: u64, deeds: &mut Deeds) {
    let slot = &arena.slots[usize::try_from(slot).expect("a slot's number is small")];
    let Some((handle, process)) = slot.alive() else { return };
    arena.recorder.nemesis(process, "kill", &json!({}));
    deeds.kills += u64::from(handle.signal(Signal::KILL));
}

/// Kills the writer of the next line that says `word` and names one of ours, as soon as the line is seen; false where none
/// came.
fn aimed_kill(arena: &Arena, word: &str, deeds: &mut Deeds) -> bool {
    let Some(path) = newest_journal(&arena.workspace) else { return false };
    let len = |path: &Path| fs::metadata(path).map(|meta| meta.len()).ok();
    let begun = Instant::now();
    let mut before = len(&path);
    while begun.elapsed() < AIM {
        let now = len(&path);
        if now == before {
            std::hint::spin_loop();
            continue;
        }
        before = now;
        let line: serde_json::Value = match last_line(&path) {
            Some(line) => serde_json::from_slice(&line).unwrap_or_default(),
            None => return false,
        };
        if !line.to_string().contains(word) {
            continue;
        }
        // Holders are named wSLOT.PROCESS; what names no holder has the machine for an actor.
        let actor = line["actor"].as_str().and_then(|actor| actor.strip_prefix('w'));
        let slot = actor.and_then(|actor| actor.split('.').next()?.parse().ok());
        if let Some(slot) = slot.filter(|slot| *slot < arena.slots.len() as u64) {
            kill(arena, slot, deeds);
            return true;
        }
    }
    false
}

fn stop_and_continue(arena: &Arena, rng: &mut Rng, deeds: &mut Deeds) {
    let slot = &arena.slots[usize::try_from(rng.below(arena.slots.len() as u64)).expect("a small number")];
    let Some((handle, process)) = slot.alive() else { return };
    arena.recorder.nemesis(process, "stop", &json!({}));
    if !handle.signal(Signal::STOP) {
        return;
    }
    deeds.stops += 1;
    let pause_ms = if rng.one_in(5) { 150 + rng.below(350) } else { 5 + rng.below(60) };
    std::thread::sleep(Duration::from_millis(pause_ms));
    arena.recorder.nemesis(process, "cont", &json!({}));
    handle.signal(Signal::CONT);
}

/// Leaves half of a line in the journal, as a writer does that is killed while it writes.
fn tear_journal(arena: &Arena, rng: &mut Rng, deeds: &mut Deeds) -> Result<(), String> {
    under_lock(arena, |path, line| {
        let cut = 1 + usize::try_from(rng.below(line.len() as u64 - 1)).expect("a line is short");
        let half = line[..cut].to_vec();
        append(path, &half)?;
        arena.recorder.nemesis(0, "tear", &json!({ "file": "journal", "bytes": half.len() }));
        deeds.journal_tears.push(half);
        Ok(())
    })
}

/// Leaves a damaged line at the end of the journal, which was never acknowledged, and lets an operator repair it; half
/// of the repairs are killed and run again.
fn damage_journal(arena: &Arena, rng: &mut Rng, deeds: &mut Deeds) -> Result<(), String> {
    let before = deeds.damages.len();
    under_lock(arena, |path, line| {
        let mut line = line.to_vec();
        let at = usize::try_from(rng.below(line.len() as u64 - 1)).expect("a line is short");
        line[at] ^= 1 << rng.below(3);
        line.retain(|byte| *byte != b'\n');
        line.push(b'\n');
        append(path, &line)?;
        arena.recorder.nemesis(0, "damage", &json!({ "file": "journal", "bytes": line.len() }));
        deeds.damages.push(line);
        Ok(())
    })?;
    if deeds.damages.len() == before {
        return Ok(());
    }
    for _ in 0..20 {
        deeds.repairs += 1;
        let after = rng.one_in(2).then(|| Duration::from_micros(rng.below(4_000)));
        if arena.repair(after)? {
            return Ok(());
        }
    }
    Err("20 repairs in a row did not end".to_owned())
}

/// Runs `harm` on the newest journal file and its last line, under the OS lock, if there is one.
fn under_lock(arena: &Arena, harm: impl FnOnce(&Path, &[u8]) -> Result<(), String>) -> Result<(), String> {
    let Ok(lock) = RealFs.open(&arena.workspace.join("lock"), How::Read) else { return Ok(()) };
    if lock.lock(LockMode::Exclusive, Duration::from_secs(5)).is_err() {
        return Ok(());
    }
    let done = match newest_journal(&arena.workspace).and_then(|path| Some((last_line(&path)?, path))) {
        // A file that ends in a half line is left to its next writer.
        Some((line, path)) if line.len() > 2 && line.last() == Some(&b'\n') => harm(&path, &line),
        _ => Ok(()),
    };
    let _ = lock.unlock();
    done
}

/// Leaves half a record in a log, as a foreign program does.
fn tear_log(arena: &Arena, rng: &mut Rng, deeds: &mut Deeds) {
    let path = arena.root.join(Client::current_log(&arena.shared));
    let half = format!("{{\"id\":\"foreign-{}\",\"text\":\"half of a rec", rng.bits());
    let cut = 1 + usize::try_from(rng.below(half.len() as u64 - 1)).expect("a line is short");
    if path.exists() && append(&path, &half.as_bytes()[..cut]).is_ok() {
        arena.recorder.nemesis(0, "tear", &json!({ "file": "log", "bytes": cut }));
        deeds.log_tears += 1;
    }
}

fn append(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let mut file = OpenOptions::new().append(true).open(path).map_err(|error| error.to_string())?;
    file.write_all(bytes).map_err(|error| error.to_string())
}

/// The journal file with the highest number.
pub(super) fn newest_journal(workspace: &Path) -> Option<PathBuf> {
    let number = |name: &str| name.strip_prefix("journal.")?.strip_suffix(".ndjson")?.parse::<u64>().ok();
    let names = fs::read_dir(workspace).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let newest = names.filter_map(|name| number(&name)).max()?;
    Some(workspace.join(format!("journal.{newest}.ndjson")))
}

/// The last line of a file, its newline included if it has one.
fn last_line(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;
    let file = fs::File::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    let from = len.saturating_sub(4096);
    let mut bytes = vec![0; usize::try_from(len - from).ok()?];
    file.read_exact_at(&mut bytes, from).ok()?;
    let before_last = bytes.len().checked_sub(1)?;
    let start = bytes[..before_last].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Some(bytes[start..].to_vec())
}
