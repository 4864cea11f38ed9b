//! A write, and how much of it others see meanwhile.

use std::cell::Cell;
use std::io;

use super::{Call, Door, FileOver, Shows};
use crate::sim::disk::Disk;
use crate::sim::seam::Fate;

impl<D: Door> FileOver<D> {
    /// One write, or two where the world shows readers its beginning first.
    pub(super) fn write(
        &self,
        call: Call<'_>,
        bytes: &[u8],
        write: impl Fn(&mut Disk, usize, &[u8]) -> io::Result<usize> + Send + 'static,
    ) -> io::Result<usize> {
        let door = &self.way.door;
        let once = |skip: usize, bytes: &[u8]| {
            let call = Call { bytes: bytes.len(), ..call };
            door.enter(call, |disk, count| write(disk, skip, &bytes[..count]))
        };
        let shows = door.shows(call);
        let whole = || {
            let split = match shows {
                Shows::Whole => return once(0, bytes),
                Shows::BeginningLate(first) => {
                    let count = once(0, bytes)?;
                    self.shows_late(call, &bytes[..count], first);
                    return Ok(count);
                }
                Shows::BeginningFirst(split) => split,
            };
            let first = once(0, &bytes[..split])?;
            if first < split {
                return Ok(first);
            }
            // What follows a write that has begun to land is a shorter write, not an error (write(2)).
            Ok(split + once(split, &bytes[split..]).unwrap_or(0))
        };
        let Some(seam) = &self.way.seam else { return whole() };
        match seam.fate(call) {
            Fate::Made | Fate::Retried => return seam.around(call, whole),
            Fate::Skipped => {}
            Fate::HeldBack => {
                let (late, owned) = (call.late(), bytes.to_owned());
                let write = move |disk: &mut Disk, count: usize| write(disk, 0, &owned[..count]);
                seam.hold(move |door| door.enter(late.call(), write).map(|_| ()))?;
            }
        }
        Ok(bytes.len())
    }

    /// What was appended is there in its whole length, its first bytes a turn later.
    fn shows_late(&self, call: Call<'_>, bytes: &[u8], first: usize) {
        let (open, len, first) = (self.open, bytes.len() as u64, &bytes[..first.min(bytes.len())]);
        let put = |disk: &mut Disk, start: Option<u64>, bytes: &[u8]| {
            // Who cuts the file meanwhile takes away what was to land.
            let start = start.or_else(|| disk.stat_open(open).ok()?.len.checked_sub(len));
            start.inspect(|start| disk.overwrite(open, *start, bytes))
        };
        let start = Cell::new(None);
        self.way.door.lands(
            call,
            |disk| start.set(put(disk, None, &vec![0; first.len()])),
            |disk| _ = start.get().and_then(|start| put(disk, Some(start), first)),
        );
    }
}
