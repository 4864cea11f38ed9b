//! Names of our own files that are made from the names of others.

use std::io;
use std::path::Path;

use crate::fs::{Fs, Kind};

/// The longest piece of a foreign name that a name of ours takes up; two of them, numbers and a suffix fit in the
/// 255 bytes of a directory entry.
const PIECE_BYTES_MAX: usize = 100;
const TEMP_TAG: &str = ".fencehold-";
const RANDOM_DIGITS: usize = 32;

/// `name` in letters, digits, `.`, `_`, `-` and `%XX`, cut to a bounded length. What is cut carries `~`, which nothing
/// else does, the checksum of the whole and its length: different names stay different.
pub(crate) fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    cut(escaped, name)
}

/// `name` itself, or its beginning and a checksum where it is long.
fn shorten(name: &str) -> String {
    cut(name.to_owned(), name)
}

fn cut(mut text: String, whole: &str) -> String {
    if text.len() > PIECE_BYTES_MAX {
        let end = (0..PIECE_BYTES_MAX - 24).rfind(|&end| text.is_char_boundary(end)).unwrap_or(0);
        text.truncate(end);
        text.push_str(&format!("~{:08x}~{}", crc32fast::hash(whole.as_bytes()), whole.len()));
    }
    text
}

/// A name for a temporary file beside `name` that nobody else has.
pub(crate) fn temp_name(name: &str, random: u128) -> String {
    format!(".{}{TEMP_TAG}{random:032x}", shorten(name))
}

/// Whether `candidate` is a temporary file of `name`. The whole pattern counts: the temporary file of a file that is
/// itself called `NAME.fencehold-…` is not one of NAME's.
fn is_temp_of(candidate: &str, name: &str) -> bool {
    candidate
        .strip_prefix('.')
        .and_then(|rest| rest.strip_prefix(shorten(name).as_str()))
        .and_then(|rest| rest.strip_prefix(TEMP_TAG))
        .is_some_and(is_random)
}

fn is_random(digits: &str) -> bool {
    digits.len() == RANDOM_DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether `name` is what a temporary file of anything is called; such a file would be swept.
pub(super) fn is_temp(name: &str) -> bool {
    name.starts_with('.') && name.rsplit_once(TEMP_TAG).is_some_and(|(_, digits)| is_random(digits))
}

/// Removes the temporary files of `name` that a killed holder of its lock left in `dir`. The caller holds that lock,
/// so none of them is in use.
pub(crate) fn sweep<F: Fs>(fs: &F, dir: &Path, name: &str) -> io::Result<()> {
    for candidate in fs.list(dir)?.into_iter().filter(|candidate| is_temp_of(candidate, name)) {
        let path = dir.join(candidate);
        if fs.stat(&path)?.is_some_and(|stat| stat.kind == Kind::File) {
            // One that cannot be removed (another user's, in a sticky directory) is in nobody's way.
            let _ = fs.unlink(&path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{escape, is_temp, is_temp_of, temp_name};

    #[test]
    fn long_and_strange_names_stay_apart_and_fit() {
        let names =
            ["a", "a b", "a%20b", "A", "ä", "\u{1}", &"x".repeat(255), &"x".repeat(254), &"ä".repeat(127)];
        let escaped: std::collections::BTreeSet<String> = names.iter().map(|name| escape(name)).collect();
        assert_eq!(escaped.len(), names.len());
        assert!(escaped.iter().all(|name| name.len() <= 100 && name.is_ascii()));
        assert!(names.iter().all(|name| temp_name(name, u128::MAX).len() <= 255));
    }

    #[test]
    fn the_temp_of_a_file_named_like_a_temp_is_not_a_temp_of_the_shorter_name() {
        let temp = temp_name("a", 7);
        assert!(is_temp(&temp) && is_temp_of(&temp, "a"));
        let longer = temp_name("a.fencehold-x", 7);
        assert!(is_temp_of(&longer, "a.fencehold-x") && !is_temp_of(&longer, "a"));
    }
}
