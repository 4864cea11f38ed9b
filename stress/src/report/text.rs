//! Words and figures for people: digits in groups, times, lines that fit.

use std::time::Duration;

/// A whole number with its digits in groups of three: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
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

/// How long something took: `340 ms`, `12.4 s`, `3 min 05 s`.
pub(super) fn lasted(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 60 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else if seconds >= 1 {
        format!("{:.1} s", time.as_secs_f64().min(59.9))
    } else {
        format!("{} ms", time.as_millis())
    }
}

/// An instant of a history, exact to the microsecond: `90 µs`, `1.002 ms`, `12.5 s`.
pub(super) fn instant(us: u64) -> String {
    let parts = |unit: u64, digits: usize, word: &str| {
        let rest = format!("{:0digits$}", us % unit);
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        format!("{}{point}{rest} {word}", grouped(us / unit))
    };
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => parts(1_000, 3, "ms"),
        _ => parts(1_000_000, 6, "s"),
    }
}

/// A text from elsewhere on one line: control characters, and marks that turn the reading direction, are shown as
/// `\u{…}`, so that no name can move a cursor or hide what follows it.
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

/// The beginning of a text, at most `chars_max` long; what is cut off is marked.
pub(super) fn short(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

/// Columns that a text takes, one for each character.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// Breaks a text into lines of at most `columns`, at spaces; a word longer than a line is cut.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let taken = width(&line);
        if taken > 0 && taken + 1 + word.len() > columns {
            lines.push(std::mem::take(&mut line));
        }
        while word.len() > columns {
            let rest = word.split_off(columns);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Lines that begin with `first`, each next one indented by as much.
pub(super) fn hang(first: &str, text: &str, columns: usize) -> String {
    let indent = width(first);
    let mut out = String::new();
    for (index, line) in wrap(text, columns.saturating_sub(indent)).iter().enumerate() {
        let before = if index == 0 { first.to_owned() } else { " ".repeat(indent) };
        out.push_str(format!("{before}{line}").trim_end());
        out.push('\n');
    }
    out
}

/// A word as a shell has to be given it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./=:,@%+".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
