//! Which write sets touch, and which ids are one: decided here on their own, from what SPEC.md says.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::names::{Mark, meet};
use super::op::Set;

/// A text that is no entry of a write set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPattern(pub String);

/// A relation between write sets: those with a path that both write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touch {
    pairs: BTreeSet<(Set, Set)>,
}

impl Touch {
    /// The relation of these sets of entries; a [`Set`] is a place among them. As many comparisons as there are pairs of
    /// entries.
    ///
    /// # Errors
    /// The first text that is no entry.
    pub fn of<T: AsRef<str>>(sets: &[Vec<T>]) -> Result<Self, NoPattern> {
        let read = |set: &Vec<T>| set.iter().map(|entry| read(entry.as_ref())).collect::<Result<Vec<_>, _>>();
        let sets = sets.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut touch = Touch::default();
        for (a, number) in sets.iter().zip(0u32..) {
            for (b, other) in sets.iter().zip(0u32..) {
                if a.iter().any(|a| b.iter().any(|b| both_write(a, b))) {
                    touch.pairs.insert((Set(number), Set(other)));
                }
            }
        }
        Ok(touch)
    }

    /// The relation in which these pairs touch, both ways.
    #[must_use]
    pub fn pairs(pairs: &[(Set, Set)]) -> Self {
        Touch { pairs: pairs.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect() }
    }

    /// Whether two sets touch.
    #[must_use]
    pub fn touches(&self, a: Set, b: Set) -> bool {
        self.pairs.contains(&(a, b))
    }
}

/// The one form of an id. Where ids are `numbers`, digits with dots between them lose their leading zeros.
#[must_use]
pub fn canonical(id: &str, numbers: bool) -> String {
    let mut out = String::new();
    for part in id.split('.') {
        if !numbers || part.is_empty() || part.chars().any(|digit| !digit.is_ascii_digit()) {
            return id.to_string();
        }
        let mut digits = part;
        while digits.len() > 1 && digits.starts_with('0') {
            digits = &digits[1..];
        }
        out = if out.is_empty() { digits.to_string() } else { format!("{out}.{digits}") };
    }
    out
}

/// One step down a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Any number of names.
    Deep,
    Name(Vec<Mark>),
}

/// What an entry stands for.
#[derive(Debug)]
struct Entry {
    /// The way down to every path that it covers.
    covered: Vec<Step>,
    /// How many names stand before the first wildcard.
    plain: usize,
    /// Whether it covers one path alone, that of a file.
    file: bool,
}

/// A file covers its path; a folder, which ends in a slash, and a glob cover any number of names below as well.
fn read(entry: &str) -> Result<Entry, NoPattern> {
    let no = || NoPattern(entry.to_string());
    let path = entry.strip_suffix('/').unwrap_or(entry);
    let (mut covered, mut plain, mut wild) = (Vec::new(), 0, false);
    for name in path.split('/').filter(|_| entry != ".") {
        covered.push(match name {
            "" | "." | ".." => return Err(no()),
            "**" => Step::Deep,
            name => Step::Name(Mark::read(name).ok_or_else(no)?),
        });
        wild |= is_wild(name);
        plain += usize::from(!wild);
    }
    let file = !wild && path.len() == entry.len() && entry != ".";
    if !file {
        covered.push(Step::Deep);
    }
    Ok(Entry { covered, plain, file })
}

/// Whether a character of it, one that no backslash stands before, is that of a wildcard.
fn is_wild(name: &str) -> bool {
    let mut chars = name.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Whether both cover a path, or one is a file where the other says that a folder is.
fn both_write(a: &Entry, b: &Entry) -> bool {
    common_path(&a.covered, &b.covered) || in_the_way(a, b) || in_the_way(b, a)
}

/// Whether `file` is one, and its path is at or above the names that `other` begins with.
fn in_the_way(file: &Entry, other: &Entry) -> bool {
    let names = file.covered.len();
    file.file && names <= other.plain && common_path(&file.covered, &other.covered[..names])
}

/// Whether some path goes down both: all pairs of places are gone through that one path can lead to.
fn common_path(a: &[Step], b: &[Step]) -> bool {
    let mut left = Vec::from([(0, 0)]);
    let mut been = BTreeSet::new();
    while let Some((i, j)) = left.pop() {
        if !been.insert((i, j)) {
            continue;
        }
        match (a.get(i), b.get(j)) {
            (None, None) => return true,
            // Each goes on alone from any number of names, or eats what the other does.
            (Some(Step::Deep), Some(_)) | (Some(_), Some(Step::Deep)) => {
                left.extend([(i + 1, j), (i, j + 1)]);
            }
            (Some(Step::Deep), None) => left.push((i + 1, j)),
            (None, Some(Step::Deep)) => left.push((i, j + 1)),
            (Some(Step::Name(name)), Some(Step::Name(other))) if meet(name, other) => {
                left.push((i + 1, j + 1));
            }
            _ => {}
        }
    }
    false
}
