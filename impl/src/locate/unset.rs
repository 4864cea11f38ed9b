//! A workspace's folder taken out of the text of git's config again.
//!
//! Invariant: only what [`super::keep_in_git_config`] wrote goes, as it was written; every other byte stays.

use super::git_config::{GitConfig, dir_setting};

/// The folder that a config names as the workspace.
pub(crate) fn setting_in(bytes: &[u8]) -> Option<String> {
    GitConfig::parse(&String::from_utf8_lossy(bytes)).fencehold_dir
}

/// The config without our section, where that stands as it was written and the setting is gone with it.
pub(crate) fn without_setting(bytes: &[u8], dir: &str) -> Option<Vec<u8>> {
    let section = dir_setting(dir);
    let ours = section.as_bytes();
    let at = (0..bytes.len()).rev().find(|&at| {
        let begins_a_line = at == 0 || bytes[at - 1] == b'\n';
        // A key behind it would be taken for one of the section before.
        let ends_the_section = |rest: &[u8]| rest.is_empty() || rest.starts_with(b"[");
        begins_a_line && bytes[at..].strip_prefix(ours).is_some_and(ends_the_section)
    })?;
    let kept = [&bytes[..at], &bytes[at + ours.len()..]].concat();
    GitConfig::parse(&String::from_utf8_lossy(&kept)).fencehold_dir.is_none().then_some(kept)
}
