//! The machine: what a number cannot be judged without.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The load of the machine: over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Names and values, for a run in `dir`.
pub(crate) fn facts(dir: &Path) -> Vec<(String, String)> {
    let uname = rustix::system::uname();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let flags = of_file("/proc/cpuinfo", "flags");
    let virtual_ = if flags.split(' ').any(|flag| flag == "hypervisor") { ", virtual" } else { "" };
    let facts = [
        ("processor", format!("{}, {cores} cores{virtual_}", of_file("/proc/cpuinfo", "model name"))),
        ("memory", memory()),
        (
            "kernel",
            format!(
                "{} {} {}",
                uname.sysname().to_string_lossy(),
                uname.release().to_string_lossy(),
                uname.machine().to_string_lossy()
            ),
        ),
        ("filesystem", filesystem(dir)),
        ("rustc", said("rustc", &["--version"])),
        ("commit", commit()),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The value of the first line of this name in a file of `/proc`.
fn of_file(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    value.map_or("unknown", str::trim).to_owned()
}

fn memory() -> String {
    let kib = of_file("/proc/meminfo", "MemTotal");
    let kib: Option<u64> = kib.split(' ').next().and_then(|number| number.parse().ok());
    kib.map_or("unknown".to_owned(), |kib| format!("{:.1} GiB", kib as f64 / f64::from(1 << 20)))
}

/// Kind and device of the filesystem that `dir` lies on, the options that bear on a sync, and what is known of the disk.
fn filesystem(dir: &Path) -> String {
    let dir: PathBuf = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let entries = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.next()?, fields.next()?, fields.next()?, fields.next()?))
    });
    let nearest = entries.filter(|(_, at, ..)| dir.starts_with(at)).max_by_key(|(_, at, ..)| at.len());
    let Some((device, _, kind, options)) = nearest else { return "unknown".to_owned() };
    let telling = ["barrier", "data=", "commit=", "sync", "compress"];
    let options = options.split(',').filter(|option| telling.iter().any(|word| option.contains(word)));
    let about: Vec<String> = options.map(str::to_owned).chain(disk(device)).collect();
    if about.is_empty() {
        format!("{kind} on {device}")
    } else {
        format!("{kind} on {device} ({})", about.join(", "))
    }
}

/// What the kernel believes of a block device.
fn disk(device: &str) -> Vec<String> {
    let Some(name) = device.strip_prefix("/dev/") else { return Vec::new() };
    let queue = |file: &str| {
        let text = std::fs::read_to_string(format!("/sys/class/block/{name}/queue/{file}")).ok()?;
        Some(text.trim().to_owned())
    };
    let rotational = queue("rotational").map(|text| format!("rotational: {text}"));
    let cache = queue("write_cache").map(|text| format!("cache: {text}"));
    rotational.into_iter().chain(cache).collect()
}

/// The first line that a program prints.
fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).lines().next().map(str::to_owned);
    text.unwrap_or_else(|| "unknown".to_owned())
}

/// The commit that stands checked out where this was built.
fn commit() -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let changed = said("git", &["-C", root, "status", "--porcelain", "--untracked-files=no"]);
    let commit = said("git", &["-C", root, "rev-parse", "--short", "HEAD"]);
    if changed == "unknown" { commit } else { format!("{commit}, with changes") }
}
