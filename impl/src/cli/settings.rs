//! `config.toml` of a workspace folder: what is the machine's. An unknown key is an error that names it.

use std::path::Path;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::span;
use crate::error::{Error, Result};
use crate::fs::{Fs, read_file};

/// Its name in the workspace folder.
pub(super) const FILE: &str = "config.toml";
/// The longest one that is read.
const BYTES_MAX: usize = 64 * 1024;
/// How long to wait for the journal's OS lock where nothing is set. A commit holds it for less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a workspace's `config.toml` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// `durability = "relaxed"`: answers do not wait for the disk.
    pub(super) relaxed: bool,
    /// `patience = "10s"`: how long to wait for the journal's OS lock.
    pub(super) patience: Duration,
    /// `hook_failure = "closed"`: what becomes of a tool call that a hook cannot decide.
    pub(super) on_failure: OnFailure,
    /// `hook_ttl = "5m"`: the TTL of a session's lock `workspace`, which counts where its process cannot be seen.
    pub(super) hook_ttl: Option<Duration>,
}

/// What becomes of a call that cannot be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// It passes, and leaves a record.
    Open,
    /// It is blocked.
    Closed,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { relaxed: false, patience: PATIENCE, on_failure: OnFailure::Closed, hook_ttl: None }
    }
}

impl Settings {
    /// Reads the settings of the workspace folder `dir`; those of a folder without a `config.toml` are the defaults.
    pub(super) fn of<F: Fs>(fs: &F, dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let read =
            read_file(fs, &path, BYTES_MAX).map_err(|error| Error::environment("reading", &path, error))?;
        let Some(bytes) = read else { return Ok(Settings::default()) };
        let wrong =
            |what: String| Error::usage(format!("{}: {what}; mend or remove the file", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("not UTF-8".to_owned()))?;
        Settings::parse(text).map_err(wrong)
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let table = DeTable::parse(text).map_err(|error| error.to_string().trim_end().replace('\n', " "))?;
        let mut settings = Settings::default();
        for (key, value) in table.get_ref() {
            let value = value.get_ref();
            match (key.get_ref().as_ref(), value.as_str()) {
                ("durability", Some("durable")) => settings.relaxed = false,
                ("durability", Some("relaxed")) => settings.relaxed = true,
                ("durability", _) => return Err(shaped("durability", value, "\"durable\" or \"relaxed\"")),
                ("patience", Some(text)) => {
                    settings.patience = span::parse(text).map_err(|why| format!("`patience`: {why}"))?;
                }
                ("patience", None) => return Err(shaped("patience", value, "a duration as in \"10s\"")),
                ("hook_failure", Some("open")) => settings.on_failure = OnFailure::Open,
                ("hook_failure", Some("closed")) => settings.on_failure = OnFailure::Closed,
                ("hook_ttl", Some(text)) => {
                    settings.hook_ttl = Some(span::ttl(text).map_err(|why| format!("`hook_ttl`: {why}"))?);
                }
                ("hook_ttl", None) => return Err(shaped("hook_ttl", value, "a duration as in \"5m\"")),
                ("hook_failure", _) => return Err(shaped("hook_failure", value, "\"open\" or \"closed\"")),
                (unknown, _) => {
                    return Err(format!(
                        "the key `{unknown}` is unknown; known are `durability`, `hook_failure`, `hook_ttl` and `patience`"
                    ));
                }
            }
        }
        Ok(settings)
    }
}

fn shaped(key: &str, value: &DeValue<'_>, want: &str) -> String {
    match value.as_str() {
        Some(text) => format!("`{key}` is {text:?}; it must be {want}"),
        None => format!("`{key}` is of type {}; it must be {want}", value.type_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_key() {
        let settings = Settings::parse("durability = \"relaxed\"\npatience = \"1s500ms\"\n").unwrap();
        let patience = Duration::from_millis(1500);
        assert_eq!(settings, Settings { relaxed: true, patience, ..Settings::default() });
        let open = Settings::parse("hook_failure = \"open\"\n").unwrap();
        assert_eq!(open.on_failure, OnFailure::Open);
        assert_eq!(Settings::parse("# nothing\n"), Ok(Settings::default()));
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, named) in [
            ("durabilty = \"relaxed\"", "`durabilty`"),
            ("durability = \"fast\"", "\"fast\""),
            ("hook_failure = \"maybe\"", "\"maybe\""),
            ("patience = 3", "integer"),
            ("patience = \"0s\"", "zero"),
            ("[store]\nurl = 1", "`store`"),
            ("durability =", ""),
        ] {
            let why = Settings::parse(text).unwrap_err();
            assert!(why.contains(named), "{text}: {why}");
        }
    }
}
