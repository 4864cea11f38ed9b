//! What a lease says it writes: paths and globs, and whether two of them can meet.
//!
//! An entry of a write set covers what it matches and all that lies below that. Two entries overlap exactly if there
//! is a path that both cover.
//!
//! Invariants:
//! - a [`Pattern`] is canonical: relative to the root, `/`-separated, no `.`, `..` or empty component (the root itself
//!   is `.`), a backslash only where it is needed. Reading its text again gives the same pattern;
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
    /// Takes a text that is relative to the root and has no `.`, `..` or empty component. What it changes is the
    /// spelling of classes and needless backslashes.
    ///
    /// # Errors
    /// Where the text is not that, is no well-formed glob, or names nothing: a glob of wildcards alone.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        check_text(text)?;
        if text == ROOT {
            return Ok(Pattern(ROOT.into()));
        }
        // Nearly every entry, and tens of thousands of them when a long journal is opened.
        if is_plain(text) && text.split('/').all(is_name) {
            return Ok(Pattern(text.into()));
        }
        let components = text
            .split('/')
            .map(Component::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| bad(text, &why))?;
        Self::of(&components)
    }

    /// The pattern that matches exactly this path, whatever characters it has.
    ///
    /// # Errors
    /// Where `path` is not relative, has a `.`, `..` or empty component or a control character, or is too long.
    pub fn literal(path: &str) -> Result<Self, BadPattern> {
        check_text(path)?;
        if path == ROOT {
            return Ok(Pattern(ROOT.into()));
        }
        let components = path
            .split('/')
            .map(Component::literal)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| bad(path, &why))?;
        Self::of(&components)
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

    /// The components before the first one with a wildcard, as they are on disk, joined by `/`: the whole path of a
    /// literal one, empty where there is none and for the root.
    #[must_use]
    pub fn prefix(&self) -> String {
        if is_plain(&self.0) {
            return if &*self.0 == ROOT { String::new() } else { (*self.0).into() };
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

    /// Whether there is a path that both cover. An entry does not say whether it is a file or a folder, so what could
    /// lie below counts: `**/x` overlaps `a.rs`, by `a.rs/x`. Exact; of at most `4 · n · m` steps, where `n` and `m` are the lengths
    /// of the two texts in characters: every pair of positions is looked at once, nothing is tried again.
    ///
    /// A path is a sequence of names; a name is any text but the empty one, `.` and `..`, without `/` and NUL.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        let mine: Vec<_> = self.components().collect();
        let theirs: Vec<_> = other.components().collect();
        overlap::overlap(&mine, &theirs)
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
        names.is_some_and(|names| overlap::covers(&self.components().collect::<Vec<_>>(), &names))
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
        Self::of(&folded)
    }

    fn of(components: &[Component]) -> Result<Self, BadPattern> {
        let mut text = String::new();
        for (at, component) in components.iter().enumerate() {
            if at > 0 {
                text.push('/');
            }
            component.spell(&mut text);
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
        let text = if &*self.0 == ROOT { None } else { Some(&*self.0) };
        let parsed = |text| Component::parse(text).expect("a pattern was checked when it was made");
        text.into_iter().flat_map(|text| text.split('/')).map(parsed)
    }
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
