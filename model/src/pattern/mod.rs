//! What a lease says it writes: paths and globs, and whether two of them can meet.
//!
//! An entry of a write set is a file, which covers its path and nothing else; a folder, which ends in `/` and covers its
//! path and all below; or a glob, which covers what it matches and all below that. Two entries overlap exactly if there
//! is a path that both cover, or if one is a file whose path lies at or above the literal prefix of the other: no path
//! is both a file and a folder, so one of the two is misspelled or about to change, and the doubt counts as an overlap.
//!
//! Invariants:
//! - a [`Pattern`] is canonical: relative to the root, `/`-separated, no `.`, `..` or empty component (the root itself
//!   is `.`, a folder), a `/` at the end of a folder and of nothing else, a backslash only where it is needed. Reading
//!   its text again gives the same pattern;
//! - it is nothing but its text: tens of thousands of them are in memory at a time;
//! - [`Pattern::overlaps`] is symmetric, exact, and polynomial whatever the two texts are.
//!
//! Globs are those of gitignore(5) and bash: `*`, `?`, `[abc]`, `[a-z]`, `[!…]`, `**` as a whole component for any
//! number of components, and `\` before a character that shall stand for itself. There are no braces.

mod fold;
mod index;
mod overlap;
mod parse;

pub use index::Index;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use parse::Component;

/// The longest pattern in bytes: Linux's PATH_MAX.
pub const PATTERN_BYTES_MAX: usize = 4096;
/// The most entries that one write set has.
pub const ENTRIES_MAX: usize = 1024;
/// The most bytes of pattern text that one write set has: it stands in one line of the journal.
pub const BYTES_MAX: usize = 24 * 1024;

const ROOT: &str = ".";

/// One entry of a write set: a file, a folder and all below it, or a glob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Box<str>);

/// Why a text is no pattern, or a set no write set, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPattern(String);

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for BadPattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for Pattern {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Self, BadPattern> {
        Self::new(text)
    }
}

impl Pattern {
    /// Takes a text that is relative to the root and has no `.`, `..` or empty component; with a `/` at its end a path
    /// is a folder, without one a file. What it changes is the spelling of classes, needless backslashes, and a `/` at
    /// the end of a glob.
    ///
    /// # Errors
    /// Where the text is not that, is no well-formed glob, or names nothing: a glob of wildcards alone.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        check_text(text)?;
        if text == ROOT {
            return Ok(Pattern(ROOT.into()));
        }
        let (path, is_folder) = split_slash(text);
        // Nearly every entry, and tens of thousands of them when a long journal is opened.
        if is_plain(text) && path.split('/').all(is_name) {
            return Ok(Pattern(text.into()));
        }
        let components = path
            .split('/')
            .map(Component::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| bad(text, &why))?;
        Self::of(&components, is_folder)
    }

    /// The file of exactly this path, whatever characters it has; the root, which is a folder, for `.`.
    ///
    /// # Errors
    /// Where `path` is not relative, has a `.`, `..` or empty component (a `/` at its end makes one) or a control
    /// character, or is too long.
    pub fn literal(path: &str) -> Result<Self, BadPattern> {
        Self::at(path, false)
    }

    /// The folder of exactly this path, whatever characters it has, and all below it. There is no `/` at the end of
    /// `path`.
    ///
    /// # Errors
    /// As [`Pattern::literal`].
    pub fn folder(path: &str) -> Result<Self, BadPattern> {
        Self::at(path, true)
    }

    fn at(path: &str, is_folder: bool) -> Result<Self, BadPattern> {
        check_text(path)?;
        if path == ROOT {
            return Ok(Pattern(ROOT.into()));
        }
        let components = path
            .split('/')
            .map(Component::literal)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| bad(path, &why))?;
        Self::of(&components, is_folder)
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has a wildcard; else it names one path.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        self.components().any(|component| component.as_literal().is_none())
    }

    /// Whether it names one path as that of a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        &*self.0 == ROOT || self.0.ends_with('/')
    }

    /// The components before the first one with a wildcard, as they are on disk, joined by `/`: the whole path of a
    /// file and of a folder, empty where there is none and for the root.
    #[must_use]
    pub fn prefix(&self) -> String {
        if is_plain(&self.0) {
            return if &*self.0 == ROOT { String::new() } else { split_slash(&self.0).0.into() };
        }
        let mut prefix = String::new();
        for component in self.components() {
            let Some(name) = component.as_literal() else { break };
            if !prefix.is_empty() {
                prefix.push('/');
            }
            prefix.push_str(name);
        }
        prefix
    }

    /// Whether there is a path that both cover, or one is a file at or above the literal prefix of the other: `src`
    /// overlaps `src/a.rs`, `src/*.rs` and `src/sub/`. Exact; of at most `4 · n · m` steps, where `n` and `m` are the
    /// lengths of the two texts in characters: every pair of positions is looked at once, nothing is tried again.
    ///
    /// A path is a sequence of names; a name is any text but the empty one, `.` and `..`, without `/` and NUL.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        let (mine, theirs) = (self.parsed(), other.parsed());
        if self.is_file(&mine) {
            overlap::file_overlaps(&mine, &theirs, !other.is_file(&theirs))
        } else if other.is_file(&theirs) {
            overlap::file_overlaps(&theirs, &mine, true)
        } else {
            overlap::overlap(&mine, &theirs)
        }
    }

    /// Whether it covers this path, which is relative to the root and as it is on disk (`.` is the root). A text that
    /// is not that is covered by nothing. Bounded as [`Pattern::overlaps`].
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let names: Option<Vec<_>> = match path {
            ROOT => Some(Vec::new()),
            _ if path.contains('\0') => None,
            _ => path.split('/').map(|name| Component::literal(name).ok()).collect(),
        };
        let mine = self.parsed();
        names.is_some_and(
            |names| if self.is_file(&mine) { mine == names } else { overlap::covers(&mine, &names) },
        )
    }

    /// The same with upper and lower case led to one spelling, for a filesystem that takes them for one. Each
    /// character becomes the lower case of its upper case where both are one character, so that wildcards match as
    /// many as before. What Unicode folds otherwise (`ß` and `ss`, composed and combining accents) stays apart.
    ///
    /// # Errors
    /// Where what comes out is too long, or nothing but wildcards is left of it.
    pub fn folded(&self) -> Result<Self, BadPattern> {
        if &*self.0 == ROOT {
            return Ok(self.clone());
        }
        let folded: Vec<_> = self.components().map(fold::fold).collect();
        Self::of(&folded, self.is_folder())
    }

    /// The pattern of these components; a glob is no folder, whatever was asked for.
    fn of(components: &[Component], is_folder: bool) -> Result<Self, BadPattern> {
        let mut text = String::new();
        for (at, component) in components.iter().enumerate() {
            if at > 0 {
                text.push('/');
            }
            component.spell(&mut text);
        }
        if is_folder && are_literal(components) {
            text.push('/');
        }
        if !components.iter().any(Component::names_something) {
            return Err(bad(
                &text,
                "is made of wildcards alone; name what the work writes, or give `.` if it is the whole tree",
            ));
        }
        check_length(&text)?;
        Ok(Pattern(text.into()))
    }

    fn components(&self) -> impl Iterator<Item = Component> + '_ {
        let path = if &*self.0 == ROOT { None } else { Some(split_slash(&self.0).0) };
        let parsed = |text| Component::parse(text).expect("a pattern was checked when it was made");
        path.into_iter().flat_map(|path| path.split('/')).map(parsed)
    }

    fn parsed(&self) -> Vec<Component> {
        self.components().collect()
    }

    /// Whether it, which has these components, is neither a folder nor a glob.
    fn is_file(&self, components: &[Component]) -> bool {
        !self.is_folder() && are_literal(components)
    }
}

fn are_literal(components: &[Component]) -> bool {
    components.iter().all(|component| component.as_literal().is_some())
}

/// The path without the `/` at its end, and whether there was one.
fn split_slash(text: &str) -> (&str, bool) {
    text.strip_suffix('/').map_or((text, false), |path| (path, true))
}

/// Checks that a write set is within its bounds.
///
/// # Errors
/// Where it has more than [`ENTRIES_MAX`] entries or more than [`BYTES_MAX`] bytes.
pub fn check_set(patterns: &[Pattern]) -> Result<(), BadPattern> {
    let bytes: usize = patterns.iter().map(|pattern| pattern.0.len()).sum();
    if patterns.len() > ENTRIES_MAX || bytes > BYTES_MAX {
        return Err(BadPattern(format!(
            "a write set of {} entries and {bytes} bytes; the most is {ENTRIES_MAX} entries and {BYTES_MAX} bytes. \
             Name folders instead of the files in them",
            patterns.len()
        )));
    }
    Ok(())
}

/// Whether no character of it means anything but itself.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b']' | b'{' | b'}' | b'\\'))
}

fn is_name(component: &str) -> bool {
    !matches!(component, "" | "." | "..")
}

fn bad(text: &str, why: &str) -> BadPattern {
    BadPattern(format!("{text:?} {why}"))
}

fn check_length(text: &str) -> Result<(), BadPattern> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(BadPattern(format!(
            "an entry of a write set has {} bytes; the most is {PATTERN_BYTES_MAX}. Name a folder above it",
            text.len()
        )));
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), BadPattern> {
    check_length(text)?;
    if text.is_empty() {
        return Err(BadPattern("an entry of a write set is empty; the whole tree is `.`".into()));
    }
    if text.chars().any(char::is_control) {
        return Err(bad(
            text,
            "holds a control character, which no entry can name; name the folder above it",
        ));
    }
    if text.starts_with('/') {
        return Err(bad(text, "begins with `/`; give it relative to the root"));
    }
    Ok(())
}
