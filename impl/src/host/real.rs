//! The real machine: the only file that reads its clocks.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::Liveness;
use rustix::time::ClockId;

use super::{Clock, Host, Reading};
use crate::error::{Error, Result};
use crate::fs::read_proc;

/// The machine that this process runs on.
#[derive(Debug, Clone)]
pub struct RealHost {
    boot: BootId,
    monotonic_offset_ms: i64,
}

impl RealHost {
    /// Looks at the machine once.
    ///
    /// # Errors
    /// Where the boot id or the time-namespace offsets cannot be read: without them no time can be told.
    pub fn new() -> Result<Self> {
        let boot_path = Path::new("/proc/sys/kernel/random/boot_id");
        let boot = read_proc(boot_path).map_err(|error| Error::environment("reading", boot_path, error))?;
        let boot = BootId::new(boot.trim())
            .map_err(|bad| Error::usage(format!("{}: {bad}", boot_path.display())))?;
        Ok(RealHost { boot, monotonic_offset_ms: monotonic_offset_ms()? })
    }

    /// This process, with all that is needed to prove its death later.
    ///
    /// # Errors
    /// Where /proc cannot be read.
    pub fn process(&self, pid: u64) -> Result<Process> {
        super::liveness::identify(pid, &self.boot)
    }
}

/// What CLOCK_MONOTONIC is ahead of the host's in this time namespace (time_namespaces(7)).
fn monotonic_offset_ms() -> Result<i64> {
    let path = Path::new("/proc/self/timens_offsets");
    let text = match read_proc(path) {
        Ok(text) => text,
        // A kernel without time namespaces has no offsets.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Error::environment("reading", path, error)),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("monotonic")).unwrap_or("0 0");
    let mut numbers = line.split_whitespace().map(str::parse::<i64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(seconds)), Some(Ok(nanos))) => Ok(seconds * 1000 + nanos / 1_000_000),
        _ => Err(Error::usage(format!("{}: the line `monotonic` is not two numbers", path.display()))),
    }
}

fn clock_ms(clock: ClockId) -> u64 {
    let now = rustix::time::clock_gettime(clock);
    let ms = now.tv_sec * 1000 + now.tv_nsec / 1_000_000;
    u64::try_from(ms).expect("the clocks of a running system are past their epoch")
}

impl Clock for RealHost {
    fn boot(&self) -> BootId {
        self.boot.clone()
    }

    fn reading(&self) -> Reading {
        let monotonic_ms = clock_ms(ClockId::Monotonic).saturating_add_signed(-self.monotonic_offset_ms);
        Reading { monotonic_ms, wall_ms: clock_ms(ClockId::Realtime) }
    }
}

impl Host for RealHost {
    fn liveness(&self, process: &Process) -> Liveness {
        super::liveness::liveness(process, &self.boot)
    }

    fn random(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        let mut filled = 0;
        while filled < bytes.len() {
            let flags = rustix::rand::GetRandomFlags::empty();
            match rustix::rand::getrandom(&mut bytes[filled..], flags) {
                Ok(count) => filled += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("getrandom(2) of {} bytes cannot fail: {error}", bytes.len()),
            }
        }
        u128::from_le_bytes(bytes)
    }
}

/// The name of this machine, for people.
#[must_use]
pub(super) fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// An instant up to which to wait.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// The instant `patience` from now.
    #[must_use]
    pub fn after(patience: Duration) -> Self {
        Deadline(Instant::now().checked_add(patience))
    }

    /// How long it is until then; zero once it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
    }
}
