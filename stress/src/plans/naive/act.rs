//! How a helper of the gate's own writes a plan file and commits it.

use std::path::Path;

use super::gate::At;
use super::{Flaw, Run};

impl Run {
    pub(super) fn write_back(
        &mut self,
        file: &Path,
        was: &str,
        new: &str,
        at: &mut At,
    ) -> Result<(), String> {
        let name = file.strip_prefix(&self.clone).unwrap_or(file).to_string_lossy().into_owned();
        if !self.git(&["status", "--porcelain", "--", &name])?.is_empty() {
            self.tell(if self.has(Flaw::OneCode) { "C-14" } else { "dirty" });
            return Ok(());
        }
        if at.left == 0 {
            self.tell("unpushed");
            return Ok(());
        }
        if !self.has(Flaw::NoRecheck) {
            let stands = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
            if stands != was || self.git(&["rev-parse", "HEAD"])? != at.head {
                self.tell("meanwhile");
                return Ok(());
            }
        }
        put(file, new)?;
        let message = format!("chore(plans): sync {name} [auto]\n\nAuto: yes");
        let committed = if self.has(Flaw::IndexSweep) {
            self.git(&["add", "--", &name]).and_then(|_| self.git(&["commit", "--quiet", "-m", &message]))
        } else {
            self.git(&["commit", "--quiet", "--only", "-m", &message, "--", &name])
        };
        if committed.is_err() {
            self.tell("not-committed");
            if !self.has(Flaw::NoRestore) && std::fs::read_to_string(file).is_ok_and(|stands| stands == new) {
                put(file, was)?;
            }
            return Ok(());
        }
        at.head = self.git(&["rev-parse", "HEAD"])?;
        at.left -= 1;
        Ok(())
    }
}

fn put(file: &Path, text: &str) -> Result<(), String> {
    let temp = file.with_extension("tmp");
    std::fs::write(&temp, text).and_then(|()| std::fs::rename(&temp, file)).map_err(|error| error.to_string())
}
