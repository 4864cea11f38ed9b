//! A process that lives on while others change what is in quarantine: it relies on what is there now.

use std::path::Path;

use fencehold::fs::Fs as _;

use super::file_deeds::{QUARANTINE, damaged, refused, repair, safe_document};
use super::pairs::alone;
use crate::sim::choice::Source;
use crate::sim::disk::Disk;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::{Options, World};

/// The scenario.
#[derive(Debug, Clone, Copy)]
pub(super) enum Copied {
    /// A copy is there, a process has seen it, and somebody takes it away.
    TakenAway,
    /// The folder is missing, a process was told so, and somebody makes it.
    MadeAnew,
}

impl Copied {
    pub(super) fn all() -> Vec<Self> {
        vec![Copied::TakenAway, Copied::MadeAnew]
    }

    fn judge(self, world: &World) -> Result<(), String> {
        let (_, fs, host) = world.process();
        let (dir, other) = (Path::new(QUARANTINE), world.clone());
        match self {
            Copied::TakenAway => {
                alone(&other, refused)?;
                refused(&fs, &host)?;
                let names = other.disk(|disk| disk.list(dir)).map_err(|error| error.to_string())?;
                for name in &names {
                    other.disk(|disk| disk.unlink(&dir.join(name))).map_err(|error| error.to_string())?;
                }
                assert!(!names.is_empty(), "a copy was kept");
            }
            Copied::MadeAnew => {
                other.disk(|disk| disk.remove_dir(dir)).map_err(|error| error.to_string())?;
                if repair(&fs, &host).is_ok() {
                    return Err("a document was repaired though its bytes could not be kept".to_owned());
                }
                fs.make_dir(dir, 0o700).map_err(|error| error.to_string())?;
            }
        }
        repair(&fs, &host)?;
        match alone(&other, safe_document)? {
            0 => Err("the bytes of a repaired document are not in quarantine".to_owned()),
            _ => Ok(()),
        }
    }
}

impl Scenario for Copied {
    fn name(&self) -> String {
        let what = match self {
            Copied::TakenAway => "a copy that is taken away",
            Copied::MadeAnew => "a folder that is made anew",
        };
        format!("while one lives/{what}")
    }

    fn run(&self, source: Source) -> Ran {
        let disk: Disk = damaged();
        let world = World::new(disk, source, Options::default());
        let violation = self.judge(&world).err();
        Ran::of(&world, violation)
    }
}
