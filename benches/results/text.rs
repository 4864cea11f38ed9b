//! Figures for people: digits in groups, times with the unit that fits.

/// A rate: `3,910`, `87.2`, `0.41`.
pub(super) fn rate(value: f64) -> String {
    match value {
        ..1.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => grouped(value.round() as u64),
    }
}

/// A rate for an axis: `10 M`, `500 k`, `20`, `0.5`.
pub(super) fn short_rate(value: f64) -> String {
    match value {
        ..1_000.0 => format!("{value}"),
        ..1_000_000.0 => format!("{} k", value / 1e3),
        _ => format!("{} M", value / 1e6),
    }
}

/// A ratio with two digits that say something: `×0.95`, `×0.00041`, `×12`.
pub(super) fn ratio(value: f64) -> String {
    if value <= 0.0 {
        return "×0".to_owned();
    }
    let digits = (1.0 - value.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("×{value:.0$}", digits.min(if value < 1.0 { 9 } else { 2 }))
}

/// A time: `850 ns`, `12.4 µs`, `3.91 ms`, `1.20 s`.
pub(super) fn time(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    match value {
        ..10.0 => format!("{value:.2} {unit}"),
        ..100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// A whole number with its digits in groups of three: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A text from elsewhere on one line: control characters, and marks that turn the reading direction, are shown as
/// `\u{…}`.
pub(super) fn tame(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\t' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(char.escape_unicode()),
            _ if char.is_control() => out.extend(char.escape_unicode()),
            _ => out.push(char),
        }
    }
    out
}
