//! One component of a pattern: read, and spelled in the one canonical way.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter::Peekable;
use core::str::Chars;

/// One component of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Component {
    /// `**`: any number of names.
    AnyDepth,
    /// Exactly this name.
    Literal(String),
    /// The names that these tokens match; at least one is no [`Token::Char`].
    Wild(Vec<Token>),
}

/// A piece of a component with a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// `*`: any number of characters; two of them never stand side by side.
    Star,
    /// `?`: one character.
    Any,
    /// The character itself.
    Char(char),
    /// `[…]`: one of these characters, or one that is none of them.
    Class {
        /// `[!…]`.
        negated: bool,
        /// Closed ranges, sorted, apart from each other; at least one.
        ranges: Vec<(char, char)>,
    },
}

/// What is wrong with a component, as the end of a sentence that begins with the whole text.
type Why = String;

impl Component {
    pub(super) fn parse(text: &str) -> Result<Self, Why> {
        if text == "**" {
            return Ok(Component::AnyDepth);
        }
        let mut tokens = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            let token = match letter {
                '*' => Token::Star,
                '?' => Token::Any,
                '[' => class(&mut rest)?,
                '\\' => Token::Char(escaped(rest.next())?),
                '{' if is_brace_expansion(rest.clone()) => {
                    return Err(
                        "has braces, which are not expanded here; give one entry for each alternative, or \
                                `\\{` for a brace in a name"
                            .to_owned(),
                    );
                }
                other => Token::Char(other),
            };
            if token == Token::Star && tokens.last() == Some(&Token::Star) {
                return Err("has `**` beside other characters; between slashes it stands alone".to_owned());
            }
            tokens.push(token);
        }
        let name: Option<String> = tokens
            .iter()
            .map(|token| match token {
                Token::Char(letter) => Some(*letter),
                _ => None,
            })
            .collect();
        match name {
            Some(name) => Self::literal(&name),
            None if matches_no_name(&tokens) => Err(no_name(text)),
            None => Ok(Component::Wild(tokens)),
        }
    }

    /// The component that matches exactly `name`.
    pub(super) fn literal(name: &str) -> Result<Self, Why> {
        match name {
            "" => Err("has an empty component; leave out what makes `//`".to_owned()),
            "." | ".." => Err(no_name(name)),
            _ => Ok(Component::Literal(name.to_owned())),
        }
    }

    pub(super) fn as_literal(&self) -> Option<&str> {
        match self {
            Component::Literal(name) => Some(name),
            Component::AnyDepth | Component::Wild(_) => None,
        }
    }

    /// Whether it says anything about the name: a character or a class.
    pub(super) fn names_something(&self) -> bool {
        match self {
            Component::AnyDepth => false,
            Component::Literal(_) => true,
            Component::Wild(tokens) => {
                tokens.iter().any(|token| matches!(token, Token::Char(_) | Token::Class { .. }))
            }
        }
    }

    /// Appends its canonical spelling, which [`Component::parse`] reads as the same component.
    pub(super) fn spell(&self, into: &mut String) {
        match self {
            Component::AnyDepth => into.push_str("**"),
            Component::Literal(name) => name.chars().for_each(|letter| spell_char(letter, into)),
            Component::Wild(tokens) => tokens.iter().for_each(|token| token.spell(into)),
        }
    }
}

impl Token {
    /// A class of these closed ranges, in any order.
    pub(super) fn class(negated: bool, mut ranges: Vec<(char, char)>) -> Self {
        ranges.sort_unstable();
        let mut apart: Vec<(char, char)> = Vec::new();
        for (first, last) in ranges {
            match apart.last_mut() {
                Some(before) if u32::from(first) <= u32::from(before.1) + 1 => before.1 = before.1.max(last),
                _ => apart.push((first, last)),
            }
        }
        Token::Class { negated, ranges: apart }
    }

    fn spell(&self, into: &mut String) {
        match self {
            Token::Star => into.push('*'),
            Token::Any => into.push('?'),
            Token::Char(letter) => spell_char(*letter, into),
            Token::Class { negated, ranges } => {
                into.push_str(if *negated { "[!" } else { "[" });
                for (first, last) in ranges {
                    spell_in_class(*first, into);
                    if u32::from(*last) > u32::from(*first) + 1 {
                        into.push('-');
                    }
                    if last > first {
                        spell_in_class(*last, into);
                    }
                }
                into.push(']');
            }
        }
    }
}

fn spell_char(letter: char, into: &mut String) {
    if matches!(letter, '*' | '?' | '[' | '\\' | '{') {
        into.push('\\');
    }
    into.push(letter);
}

fn spell_in_class(letter: char, into: &mut String) {
    if matches!(letter, '[' | ']' | '\\' | '-' | '!' | '^') {
        into.push('\\');
    }
    into.push(letter);
}

/// What a backslash stands before. A letter or a digit is refused: it is `\` written for `/` more often than meant.
fn escaped(letter: Option<char>) -> Result<char, Why> {
    match letter {
        None => Err("has a `\\` with nothing after it; write `\\\\` for a backslash in a name".to_owned()),
        Some(letter) if letter.is_alphanumeric() => Err(format!(
            "has `\\{letter}`; folders are separated by `/`, and a backslash in a name is written `\\\\`"
        )),
        Some(letter) => Ok(letter),
    }
}

/// The class after its `[`. A `]` that comes first, and a `-` at either end, stand for themselves.
fn class(rest: &mut Peekable<Chars<'_>>) -> Result<Token, Why> {
    let unclosed = || "has a `[` without its `]`; write `\\[` for a bracket in a name".to_owned();
    let negated = rest.next_if(|letter| matches!(letter, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let first = match rest.next().ok_or_else(unclosed)? {
            ']' if !ranges.is_empty() => return Ok(Token::class(negated, ranges)),
            ']' if !rest.clone().any(|letter| letter == ']') => {
                return Err(
                    "has an empty class `[]`; name its characters, or write `\\[` for a bracket in a name"
                        .to_owned(),
                );
            }
            '[' if rest.peek() == Some(&':') => {
                return Err(
                    "has a named class like `[:alpha:]`; write its ranges, as in `[a-zA-Z]`".to_owned()
                );
            }
            '\\' => escaped(rest.next())?,
            other => other,
        };
        let mut ahead = rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|letter| letter != ']');
        if !is_range {
            ranges.push((first, first));
            continue;
        }
        rest.next();
        let last = match rest.next().ok_or_else(unclosed)? {
            '\\' => escaped(rest.next())?,
            other => other,
        };
        if first > last {
            return Err(format!("has the range `{first}-{last}`, which is the wrong way round"));
        }
        ranges.push((first, last));
    }
}

/// Whether what follows a `{` is what a shell would expand.
fn is_brace_expansion(mut rest: Peekable<Chars<'_>>) -> bool {
    let mut alternatives = false;
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => drop(rest.next()),
            ',' => alternatives = true,
            '.' if rest.peek() == Some(&'.') => alternatives = true,
            '}' => return alternatives,
            _ => {}
        }
    }
    false
}

/// Whether the only texts it matches are `.` and `..`, which are no names.
fn matches_no_name(tokens: &[Token]) -> bool {
    let is_dot = |token: &Token| match token {
        Token::Char(letter) => *letter == '.',
        Token::Class { negated: false, ranges } => ranges.as_slice() == [('.', '.')],
        _ => false,
    };
    tokens.len() <= 2 && tokens.iter().all(is_dot)
}

fn no_name(component: &str) -> Why {
    format!("has the component `{component}`; give the path without it")
}
