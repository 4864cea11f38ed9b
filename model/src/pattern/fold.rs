//! One spelling for upper and lower case.

use alloc::vec::Vec;

use super::parse::{Component, Token};

/// The longest range of a class whose characters are folded one by one.
const RANGE_CHARS_MAX: u32 = 1024;

pub(super) fn fold(component: Component) -> Component {
    match component {
        Component::AnyDepth => Component::AnyDepth,
        Component::Literal(name) => Component::Literal(name.chars().map(fold_char).collect()),
        Component::Wild(tokens) => Component::Wild(tokens.into_iter().map(fold_token).collect()),
    }
}

fn fold_token(token: Token) -> Token {
    match token {
        Token::Char(letter) => Token::Char(fold_char(letter)),
        // A class too large to be folded becomes the wildcard that matches at least as much.
        Token::Class { ranges, .. }
            if ranges.iter().any(|(first, last)| u32::from(*last) - u32::from(*first) >= RANGE_CHARS_MAX) =>
        {
            Token::Any
        }
        Token::Class { negated, ranges } => {
            let chars = ranges.into_iter().flat_map(|(first, last)| first..=last);
            Token::class(negated, chars.map(fold_char).map(|letter| (letter, letter)).collect::<Vec<_>>())
        }
        Token::Star | Token::Any => token,
    }
}

/// Lower, upper, lower again: so `Σ`, `σ` and `ς` meet. A step that would make more than one character is left out.
fn fold_char(letter: char) -> char {
    let lower = single(letter.to_lowercase()).unwrap_or(letter);
    let upper = single(lower.to_uppercase()).unwrap_or(lower);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}
