//! Durations as people write them: `500ms`, `30s`, `5m`, `1h30m`, `2d`.

use std::time::Duration;

use fencehold_model::lock::TTL_MS_MAX;

/// Units, the longest first, in milliseconds. `ms` stands before `m` and `s`, which are parts of it.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1000)];

/// Reads a duration: whole numbers with units, each unit once, the longer first. Zero is refused.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    match milliseconds(text) {
        Some(0) => {
            Err("a duration of zero says nothing: leave the flag out, or give at least 1ms".to_owned())
        }
        Some(total) => Ok(Duration::from_millis(total)),
        None => Err(format!("{text:?} is no duration: write 500ms, 30s, 5m, 1h30m or 2d")),
    }
}

/// Reads a TTL.
pub(super) fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = parse(text)?;
    if ttl > Duration::from_millis(TTL_MS_MAX) {
        return Err("a lock is granted for 366 days at the most".to_owned());
    }
    Ok(ttl)
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, factor) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
        if *factor >= last {
            return None;
        }
        last = *factor;
        rest = &rest[unit.len()..];
        total = total.checked_add(count.checked_mul(*factor)?)?;
    }
    (last != u64::MAX).then_some(total)
}

/// Writes a duration for people: two units at the most.
pub(super) fn show(ms: u64) -> String {
    let split = |large: u64, small: u64, names: (&str, &str)| {
        let (whole, part) = (ms / large, ms % large / small);
        if part == 0 { format!("{whole}{}", names.0) } else { format!("{whole}{}{part}{}", names.0, names.1) }
    };
    match ms {
        0..1000 => format!("{ms}ms"),
        1000..60_000 => format!("{}s", ms / 1000),
        60_000..3_600_000 => split(60_000, 1000, ("m", "s")),
        3_600_000..86_400_000 => split(3_600_000, 60_000, ("h", "m")),
        _ => split(86_400_000, 3_600_000, ("d", "h")),
    }
}

/// Writes a duration exactly, in the largest unit that it is a multiple of.
pub(super) fn exact(ms: u64) -> String {
    let (unit, factor) = UNITS
        .iter()
        .filter(|(_, factor)| ms.is_multiple_of(*factor))
        .max_by_key(|(_, factor)| *factor)
        .expect("every number is whole milliseconds");
    format!("{}{unit}", ms / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in
            [("5m", 300_000), ("30s", 30_000), ("500ms", 500), ("1h30m", 5_400_000), ("1s5ms", 1005)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_zero_and_nonsense() {
        for text in [
            "",
            "0",
            "0s",
            "5",
            "m",
            "5 m",
            "-5m",
            "1.5h",
            "5M",
            "30m1h",
            "1m1m",
            "5m ",
            "99999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(ttl("367d").is_err() && ttl("366d").is_ok());
    }

    #[test]
    fn what_is_written_exactly_reads_back() {
        for ms in [1, 500, 1000, 60_000, 90_000, 604_800_000, 604_800_001] {
            assert_eq!(parse(&exact(ms)), Ok(Duration::from_millis(ms)));
        }
        assert_eq!(exact(604_800_000), "7d");
    }

    #[test]
    fn shows_two_units() {
        for (ms, text) in
            [(0, "0ms"), (1500, "1s"), (90_000, "1m30s"), (3_600_000, "1h"), (90_000_000, "1d1h")]
        {
            assert_eq!(show(ms), text);
        }
    }
}
