//! What happens between two generations of processes.

use std::path::Path;

use super::reached::Reached;
use super::record::Recorder;
use crate::sim::workspace::DIR;
use crate::sim::world::World;

/// What happens between two generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// Time passes, longer than most TTLs.
    Pause,
    /// Every process ends; what was written stays.
    Reboot,
    /// The power fails.
    PowerCut,
    /// The wall clock is set forth, and the machine is booted anew. It is never set back there: journal time knows no
    /// answer that left no event, so a lock that was called lapsed may be held again after such a boot, until its TTL
    /// has passed once more.
    RebootLater,
}

impl After {
    pub(super) const ALL: [After; 5] =
        [After::Nothing, After::Pause, After::PowerCut, After::Reboot, After::RebootLater];
}

const PAUSE_MS: u64 = 20_000;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn happens(world: &World, after: After, recorder: &Recorder, reached: &mut Reached) {
    match after {
        After::Nothing => {}
        After::Pause => world.advance(PAUSE_MS),
        After::Reboot => world.reboot(),
        After::PowerCut => {
            let before = bytes(world);
            world.power_cut();
            reached.power_cuts += 1;
            reached.lost_tails += u64::from(bytes(world) < before);
            recorder.power_cut();
        }
        After::RebootLater => {
            world.set_wall_clock(HOUR_MS);
            recorder.clock_set(HOUR_MS);
            world.reboot();
            reached.clock_steps += 1;
        }
    }
}

/// The bytes of the newest journal file, and which it is.
fn bytes(world: &World) -> (u64, usize) {
    let number = |path: &Path| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix("journal.")?.strip_suffix(".ndjson")?.parse().ok()
    };
    world.disk(|disk| {
        let of_journal = disk.files().filter(|(path, _)| path.parent() == Some(Path::new(DIR)));
        let files = of_journal.filter_map(|(path, bytes)| Some((number(&path)?, bytes)));
        let whole = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        files.map(|(n, bytes)| (n, whole(bytes))).max().unwrap_or((0, 0))
    })
}
