//! Whether two globs have a name in common.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// A piece of a glob for one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// Any characters.
    Any,
    /// One character of these ranges, or outside of them.
    One { ranges: Vec<(char, char)>, outside: bool },
}

impl Mark {
    /// Reads the glob of one name; none where it is not well formed.
    pub(super) fn read(name: &str) -> Option<Vec<Mark>> {
        let mut marks = Vec::new();
        let mut chars = name.chars().peekable();
        while let Some(char) = chars.next() {
            marks.push(match char {
                '*' => Mark::Any,
                '?' => Mark::One { ranges: Vec::new(), outside: true },
                '[' => {
                    let outside = chars.next_if(|char| matches!(char, '!' | '^')).is_some();
                    let mut ranges: Vec<(char, char)> = Vec::new();
                    loop {
                        let from = match chars.next()? {
                            ']' if !ranges.is_empty() => break,
                            '\\' => chars.next()?,
                            char => char,
                        };
                        let mut ahead = chars.clone();
                        let to = match (ahead.next(), ahead.next()) {
                            (Some('-'), Some(to)) if to != ']' => {
                                chars.next();
                                match chars.next()? {
                                    '\\' => chars.next()?,
                                    to => to,
                                }
                            }
                            _ => from,
                        };
                        ranges.push((from, to));
                    }
                    Mark::One { ranges, outside }
                }
                '\\' => Mark::just(chars.next()?),
                char => Mark::just(char),
            });
        }
        Some(marks)
    }

    fn just(char: char) -> Self {
        Mark::One { ranges: Vec::from([(char, char)]), outside: false }
    }

    fn has(&self, char: char) -> bool {
        match self {
            Mark::Any => true,
            Mark::One { ranges, outside } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&char)) != *outside
            }
        }
    }

    /// The first character of every stretch in which [`Mark::has`] is the same.
    fn stretches(&self) -> impl Iterator<Item = char> + '_ {
        let ranges = match self {
            Mark::Any => &[][..],
            Mark::One { ranges, .. } => ranges,
        };
        let after = |char: char| (char..=char::MAX).nth(1);
        ranges.iter().flat_map(move |(from, to)| [Some(*from), after(*to)]).flatten()
    }
}

/// What was read of a name so far. A name is neither empty nor `.` nor `..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SoFar {
    Nothing,
    Dot,
    Dots,
    AName,
}

/// Whether there is a name that both globs match: all that one name can lead to is gone through.
pub(super) fn meet(a: &[Mark], b: &[Mark]) -> bool {
    let mut left = Vec::from([(0, 0, SoFar::Nothing)]);
    let mut been = BTreeSet::new();
    while let Some((i, j, so_far)) = left.pop() {
        if !been.insert((i, j, so_far)) {
            continue;
        }
        let (one, other) = (a.get(i), b.get(j));
        if one.is_none() && other.is_none() && so_far == SoFar::AName {
            return true;
        }
        if one == Some(&Mark::Any) {
            left.push((i + 1, j, so_far));
        }
        if other == Some(&Mark::Any) {
            left.push((i, j + 1, so_far));
        }
        let (Some(one), Some(other)) = (one, other) else { continue };
        let stay = |mark: &Mark, at: usize| if *mark == Mark::Any { at } else { at + 1 };
        let chars = ['\u{1}', '.', '0'].into_iter().chain(one.stretches()).chain(other.stretches());
        for char in chars.filter(|char| !matches!(char, '/' | '\0') && one.has(*char) && other.has(*char)) {
            let next = match (so_far, char) {
                (SoFar::Nothing, '.') => SoFar::Dot,
                (SoFar::Dot, '.') => SoFar::Dots,
                _ => SoFar::AName,
            };
            left.push((stay(one, i), stay(other, j), next));
        }
    }
    false
}
