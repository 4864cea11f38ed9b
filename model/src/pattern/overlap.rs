//! Whether two patterns meet: reachability in the product of the two, row by row.
//!
//! The same walk on two levels. Of components: a pair of positions is reached when some path matches both patterns up
//! to there; `**` stands still or lets the other one go on. Of characters, for one name: the same with `*`, where a
//! position also keeps whether the name so far is empty, `.`, `..` or more, since the first three are no names.
//! Steps only ever go forward, so each row is done before the next; two rows are in memory.

use alloc::vec;
use alloc::vec::Vec;
use core::slice;

use super::parse::{Component, Token};

/// Whether a path is covered by both, where each covers what it matches and all below.
pub(super) fn overlap(one: &[Component], other: &[Component]) -> bool {
    meet(one, other, true)
}

/// Whether the file of these names overlaps `other`, which covers what lies below it too (`deep`) or is a file as well:
/// the file is covered, or lies at or above the literal prefix of `other`.
pub(super) fn file_overlaps(file: &[Component], other: &[Component], deep: bool) -> bool {
    let prefix = other.iter().take_while(|component| component.as_literal().is_some()).count();
    let prefix = &other[..prefix];
    prefix.starts_with(file) || if deep { covers(other, file) } else { file.starts_with(other) }
}

/// Whether the path of these names is covered by `pattern`, or lies below a path that is.
pub(super) fn covers(pattern: &[Component], path: &[Component]) -> bool {
    meet(pattern, path, false)
}

/// Whether `one`, and all below it, meets `other` (`below`: and all below it).
fn meet(one: &[Component], other: &[Component], below: bool) -> bool {
    let mut row = vec![false; other.len() + 1];
    row[0] = true;
    for component in one {
        let mut next = vec![false; other.len() + 1];
        for at in 0..=other.len() {
            if !row[at] {
                continue;
            }
            match (component, other.get(at)) {
                // `other` is at its end: what `one` still asks for can lie below it, since every component matches
                // some name.
                (_, None) if below => return true,
                (Component::AnyDepth, None) => next[at] = true,
                (_, None) => {}
                (Component::AnyDepth, Some(_)) | (_, Some(Component::AnyDepth)) => {
                    next[at] = true;
                    row[at + 1] = true;
                }
                (name, Some(theirs)) => next[at + 1] |= names_meet(name, theirs),
            }
        }
        row = next;
    }
    // `one` is at its end: the rest of `other` lies below it.
    row.contains(&true)
}

/// Whether there is a name that both match; neither is `**`.
fn names_meet(one: &Component, other: &Component) -> bool {
    match (one, other) {
        (Component::Literal(one), Component::Literal(other)) => one == other,
        _ => atoms_meet(&atoms(one), &atoms(other)),
    }
}

/// A token with its characters worked out.
enum Atom {
    Star,
    One(Range),
    OneOf(Vec<Range>),
}

/// A closed range of scalar values.
type Range = (u32, u32);

/// The characters that a name can have: all but NUL and `/`, and no surrogate is one.
const IN_NAMES: [Range; 3] = [(1, '/' as u32 - 1), ('/' as u32 + 1, 0xd7ff), (0xe000, char::MAX as u32)];

impl Atom {
    fn chars(&self) -> &[Range] {
        match self {
            Atom::Star => &IN_NAMES,
            Atom::One(range) => slice::from_ref(range),
            Atom::OneOf(ranges) => ranges,
        }
    }
}

fn atoms(component: &Component) -> Vec<Atom> {
    let one = |letter: char| Atom::One((letter.into(), letter.into()));
    match component {
        Component::AnyDepth => unreachable!("`**` is no name"),
        Component::Literal(name) => name.chars().map(one).collect(),
        Component::Wild(tokens) => tokens
            .iter()
            .map(|token| match token {
                Token::Star => Atom::Star,
                Token::Any => Atom::OneOf(IN_NAMES.to_vec()),
                Token::Char(letter) => one(*letter),
                Token::Class { negated, ranges } => {
                    let ranges: Vec<Range> =
                        ranges.iter().map(|(first, last)| ((*first).into(), (*last).into())).collect();
                    let ranges = if *negated { gaps(&ranges) } else { ranges };
                    Atom::OneOf(common(&IN_NAMES, &ranges).collect())
                }
            })
            .collect(),
    }
}

/// What sorted ranges leave out.
fn gaps(ranges: &[Range]) -> Vec<Range> {
    let mut gaps = Vec::new();
    let mut from = 0;
    for (first, last) in ranges {
        if *first > from {
            gaps.push((from, first - 1));
        }
        from = last + 1;
    }
    gaps.push((from, u32::MAX));
    gaps
}

/// What two sorted lists of ranges have in common.
fn common<'a>(one: &'a [Range], other: &'a [Range]) -> impl Iterator<Item = Range> + 'a {
    let mut rest = (one, other);
    core::iter::from_fn(move || {
        while let ([mine, ..], [theirs, ..]) = rest {
            let both = (mine.0.max(theirs.0), mine.1.min(theirs.1));
            if mine.1 <= theirs.1 {
                rest.0 = &rest.0[1..];
            } else {
                rest.1 = &rest.1[1..];
            }
            if both.0 <= both.1 {
                return Some(both);
            }
        }
        None
    })
}

/// How the names that lead to a pair of positions can look: a set of these.
const EMPTY: u8 = 1;
const DOT: u8 = 2;
const DOTS: u8 = 4;
const NAME: u8 = 8;

/// How names look when one of these characters is added.
fn extended(looks: u8, chars: impl Iterator<Item = Range>) -> u8 {
    let (mut dot, mut other) = (false, false);
    for (first, last) in chars {
        let has_dot = (first..=last).contains(&u32::from('.'));
        dot |= has_dot;
        other |= !has_dot || first < last;
    }
    let mut extended = 0;
    if dot {
        extended |= (looks & (EMPTY | DOT)) << 1;
    }
    if (other && looks != 0) || (dot && looks & (DOTS | NAME) != 0) {
        extended |= NAME;
    }
    extended
}

fn atoms_meet(one: &[Atom], other: &[Atom]) -> bool {
    let mut row = vec![0_u8; other.len() + 1];
    row[0] = EMPTY;
    for mine in one.iter().map(Some).chain([None]) {
        let mut next = vec![0_u8; other.len() + 1];
        for at in 0..=other.len() {
            let looks = row[at];
            if looks == 0 {
                continue;
            }
            match (mine, other.get(at)) {
                (None, None) => {}
                (Some(Atom::Star), Some(Atom::Star)) => {
                    // Both take as many characters as they like.
                    next[at] |=
                        looks | NAME | if looks & EMPTY == 0 { (looks & DOT) << 1 } else { DOT | DOTS };
                    row[at + 1] |= next[at];
                }
                (Some(Atom::Star), theirs) => {
                    next[at] |= looks;
                    if let Some(theirs) = theirs {
                        row[at + 1] |= extended(looks, theirs.chars().iter().copied());
                    }
                }
                (mine, Some(Atom::Star)) => {
                    row[at + 1] |= looks;
                    if let Some(mine) = mine {
                        next[at] |= extended(looks, mine.chars().iter().copied());
                    }
                }
                (Some(mine), Some(theirs)) => {
                    next[at + 1] |= extended(looks, common(mine.chars(), theirs.chars()));
                }
                (None, Some(_)) | (Some(_), None) => {}
            }
        }
        if mine.is_none() {
            break;
        }
        row = next;
    }
    row[other.len()] & NAME != 0
}
