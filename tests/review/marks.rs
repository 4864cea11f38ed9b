//! The fence after a power cut (C4): what a guarded operation was answered under keeps the older ones out.

use std::path::Path;

use fencehold::document::Document;
use fencehold::fs::Fs;
use fencehold::mark::{Folder, Rooted};
use fencehold_stress::sim::disk::Persistence;

use super::kit::{Act, Tampered};
use super::sim::{MODELS, Sim};
use crate::site::fence;
use crate::spec_kit::Machine;

fn document<F: Fs>(sim: &Sim, fs: F) -> Document<F, Machine> {
    let folder = Folder { dir: sim.ws(), id: sim.party().workspace().unwrap() };
    let rooted = Rooted::new(&fs, Path::new("/w"), &sim.ws()).unwrap();
    Document::open(fs, sim.machine.clone(), folder, &rooted, Path::new("x")).unwrap()
}

/// How many of the power cuts behind a guarded read let an older write land, on files as `of` has them.
fn landed<F: Fs>(model: Persistence, of: impl Fn(&Sim) -> F) -> (u64, u64) {
    let sim = Sim::new(model);
    assert!(document(&sim, sim.fs()).increment("n", 1, &fence("build", 17)).unwrap().is_ok());
    let sim = sim.all_durable(model);
    assert!(document(&sim, of(&sim)).read(&fence("build", 18)).unwrap().is_ok());
    let mut landed = 0;
    let cuts = sim.every_cut(300, |after| {
        let late = document(&after, after.fs()).increment("n", 1, &fence("build", 17)).unwrap();
        landed += u64::from(late.is_ok());
    });
    (cuts, landed)
}

/// 18 was read under and answered; the power goes; 17 comes back and is refused. The wrong variant does not sync the
/// mark before it answers.
#[test]
fn review_C4_no_power_cut_lowers_a_mark_that_was_answered_under() {
    for model in MODELS {
        let (cuts, late) = landed(model, Sim::fs);
        assert!(cuts >= 1 && late == 0, "{model:?}: {late} of {cuts}");
        let unsynced = |sim: &Sim| {
            Tampered::new(sim.fs(), |call, path: &Path| {
                let mark = path.parent().is_some_and(|dir| dir.ends_with("doc"));
                if mark && call == "sync" { Act::Skip } else { Act::Go }
            })
        };
        let (cuts, late) = landed(model, unsynced);
        assert!(late > 0, "{model:?}: the wrong variant, {late} of {cuts}");
    }
}

/// A guarded write raises the mark durably before it touches the file: whatever the power cut leaves, a file that has
/// the new bytes has the new mark, and 17 is refused.
#[test]
fn review_C4_no_power_cut_leaves_the_new_bytes_under_the_old_mark() {
    let (mut new, mut cuts) = (0, 0);
    for model in MODELS {
        let sim = Sim::new(model);
        assert!(document(&sim, sim.fs()).increment("n", 1, &fence("build", 17)).unwrap().is_ok());
        let sim = sim.all_durable(model);
        // Killed at the last sync, that of the directory of the file.
        let fs = Tampered::new(sim.fs(), |call, path: &Path| {
            if call == "sync_dir" && path == Path::new("/w") { Act::Die } else { Act::Go }
        });
        let _ = document(&sim, fs).increment("n", 1, &fence("build", 18));
        cuts += sim.every_cut(300, |after| {
            let text = after.world.disk(|disk| disk.contents("/w/x").map(<[u8]>::to_vec)).unwrap();
            let changed = String::from_utf8_lossy(&text).contains('2');
            let late = document(&after, after.fs()).increment("n", 1, &fence("build", 17)).unwrap();
            assert!(!changed || late.is_err(), "{model:?}: the older one landed over the newer");
            new += u64::from(changed);
        });
    }
    assert!(new > 0 && cuts >= 5, "{new} {cuts}");
}
