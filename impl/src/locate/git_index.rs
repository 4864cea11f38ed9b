//! Whether git tracks a folder: a look into the index (gitformat-index(5), versions 2 to 4).
//!
//! Entries are sorted by the bytes of their paths, so only those up to the folder's place are looked at. The entries
//! of a split index's shared part are not seen.

use std::io;
use std::path::Path;

use crate::fs::{File, Fs, How};

/// The first piece that is read; most answers stand in it.
const FIRST_BYTES: usize = 64 * 1024;
/// The longest index that is looked through.
const INDEX_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Fields of an entry before its object id: times, device, inode, mode, uid, gid, size.
const STAT_BYTES: usize = 40;

/// What a piece of an index says.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Tracked,
    NotTracked,
    MoreNeeded,
}

/// Whether the index at `path` holds an entry below `folder` (relative, `/`-separated); no index, nothing tracked.
pub(super) fn tracks<F: Fs>(fs: &F, path: &Path, folder: &str, sha256: bool) -> io::Result<bool> {
    let file = match fs.open(path, How::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let prefix = format!("{folder}/");
    let mut bytes = Vec::new();
    let mut goal = FIRST_BYTES;
    loop {
        let ended = !fill(&file, &mut bytes, goal)?;
        match look(&bytes, prefix.as_bytes(), sha256) {
            Found::Tracked => return Ok(true),
            Found::NotTracked => return Ok(false),
            Found::MoreNeeded if ended || goal >= INDEX_BYTES_MAX => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "not an index of git, or cut short"));
            }
            Found::MoreNeeded => goal *= 8,
        }
    }
}

/// Reads on until there are `goal` bytes; false at the end of the file.
fn fill(file: &impl File, bytes: &mut Vec<u8>, goal: usize) -> io::Result<bool> {
    let mut filled = bytes.len();
    bytes.resize(goal, 0);
    while filled < goal {
        match file.read_at(filled as u64, &mut bytes[filled..]) {
            Ok(0) => {
                bytes.truncate(filled);
                return Ok(false);
            }
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn look(bytes: &[u8], prefix: &[u8], sha256: bool) -> Found {
    scan(bytes, prefix, sha256).unwrap_or(Found::MoreNeeded)
}

fn scan(bytes: &[u8], prefix: &[u8], sha256: bool) -> Option<Found> {
    if bytes.get(..4)? != b"DIRC" {
        return None;
    }
    let version = number(bytes, 4)?;
    let count = number(bytes, 8)?;
    let mut at = 12;
    let mut name: Vec<u8> = Vec::new();
    for _ in 0..count {
        let start = at;
        at += STAT_BYTES + if sha256 { 32 } else { 20 };
        let flags = bytes.get(at..at + 2)?;
        at += if version >= 3 && flags[0] & 0x40 != 0 { 4 } else { 2 };
        if version >= 4 {
            let cut = cut_length(bytes, &mut at)?;
            name.truncate(name.len().checked_sub(cut)?);
        } else {
            name.clear();
        }
        let length = bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if version < 4 {
            // One to eight NULs end a name, so that the next entry begins at a multiple of eight from this one.
            at = start + (at - start).next_multiple_of(8);
        }
        if name.starts_with(prefix) {
            return Some(Found::Tracked);
        }
        if name.as_slice() > prefix {
            return Some(Found::NotTracked);
        }
    }
    Some(Found::NotTracked)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// How many bytes of the last name to drop: the variable-width number of git's pack offsets.
fn cut_length(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut byte = *bytes.get(*at)?;
    *at += 1;
    let mut length = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = *bytes.get(*at)?;
        *at += 1;
        length = (length.checked_add(1)?).checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index of these names, as version 2 lays it out.
    fn index(names: &[&str]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
        bytes.extend_from_slice(&u32::try_from(names.len()).unwrap().to_be_bytes());
        for name in names {
            let start = bytes.len();
            bytes.extend_from_slice(&[7; STAT_BYTES + 20]);
            bytes.extend_from_slice(&[0, 1]);
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
            bytes.resize(start + (bytes.len() - start).next_multiple_of(8), 0);
        }
        bytes
    }

    #[test]
    fn finds_the_folder_itself_and_not_a_namesake() {
        let look = |names: &[&str]| look(&index(names), b".fencehold/", false);
        assert_eq!(look(&[".fencehold/lock", "a"]), Found::Tracked);
        assert_eq!(look(&["#a", ".fencehold.old", ".fencehold/x"]), Found::Tracked);
        assert_eq!(look(&["a", "src/.fencehold/x"]), Found::NotTracked);
        assert_eq!(look(&[]), Found::NotTracked);
    }

    #[test]
    fn a_piece_that_ends_too_early_asks_for_more() {
        let bytes = index(&["!a", ".fencehold/lock"]);
        for cut in 0..bytes.len() - 8 {
            assert_eq!(look(&bytes[..cut], b".fencehold/", false), Found::MoreNeeded, "{cut}");
        }
        assert_eq!(look(&bytes, b".fencehold/", false), Found::Tracked);
    }
}
