//! The few keys of git's `config` that decide where a workspace is (git-config(1), "Syntax").
//!
//! Includes, conditional ones among them, and the user's and the system's files are not followed: where a workspace
//! is must not depend on who asks.

/// The keys that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GitConfig {
    /// `fencehold.dir`: the workspace folder of all worktrees.
    pub(super) fencehold_dir: Option<String>,
    /// `core.bare`.
    pub(super) bare: bool,
    /// `core.worktree`: the main working tree, relative to the git directory.
    pub(super) worktree: Option<String>,
    /// `core.ignorecase`: git found that the filesystem takes upper and lower case for one.
    pub(super) ignores_case: bool,
    /// `core.sharedRepository`, as it stands.
    pub(super) shared_repository: Option<String>,
    /// `extensions.objectFormat` is `sha256`: index entries are longer.
    pub(super) sha256: bool,
    /// `extensions.worktreeConfig`: the main working tree has more in `config.worktree` beside it.
    pub(super) worktree_config: bool,
}

impl GitConfig {
    /// Reads the text of a config file; what it does not understand it passes over, as a foreign file's business.
    pub(super) fn parse(text: &str) -> Self {
        let mut config = GitConfig::default();
        config.add(text);
        config
    }

    /// Reads more of it; what it says counts over what was said before.
    pub(super) fn add(&mut self, text: &str) {
        let mut section = String::new();
        for line in logical_lines(text) {
            let mut line = line.trim_start();
            if let Some(rest) = line.strip_prefix('[') {
                let Some((name, after)) = rest.split_once(']') else { continue };
                section = name.trim().to_ascii_lowercase();
                line = after.trim_start();
            }
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let (key, text) = match line.split_once('=') {
                Some((key, text)) => (key, Some(value(text))),
                None => (line, None),
            };
            self.set(&section, &key.trim().to_ascii_lowercase(), text);
        }
    }

    /// A key without a value is true (git-config(1)); the last of several counts.
    fn set(&mut self, section: &str, key: &str, value: Option<String>) {
        match (section, key) {
            ("fencehold", "dir") => self.fencehold_dir = value.filter(|dir| !dir.is_empty()),
            ("core", "bare") => self.bare = value.is_none_or(|text| is_true(&text)),
            ("core", "ignorecase") => self.ignores_case = value.is_none_or(|text| is_true(&text)),
            ("core", "worktree") => self.worktree = value,
            ("core", "sharedrepository") => {
                self.shared_repository = Some(value.unwrap_or_else(|| "true".to_owned()));
            }
            ("extensions", "worktreeconfig") => {
                self.worktree_config = value.is_none_or(|text| is_true(&text));
            }
            ("extensions", "objectformat") => {
                self.sha256 = value.is_some_and(|text| text.eq_ignore_ascii_case("sha256"));
            }
            _ => {}
        }
    }

    /// Whether the repository is shared by a group or by all.
    pub(super) fn is_shared(&self) -> bool {
        let Some(value) = &self.shared_repository else { return false };
        let octal = u32::from_str_radix(value, 8).ok();
        match value.to_ascii_lowercase().as_str() {
            "umask" | "false" | "no" | "off" | "0" => false,
            "group" | "all" | "world" | "everybody" | "true" | "yes" | "on" | "1" | "2" => true,
            _ => octal.is_some_and(|mode| mode & 0o020 != 0),
        }
    }
}

/// What to append to a config file so that it says `fencehold.dir = dir`.
pub(super) fn dir_setting(dir: &str) -> String {
    let quoted = dir.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("[fencehold]\n\tdir = \"{quoted}\"\n")
}

fn is_true(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    matches!(text.as_str(), "true" | "yes" | "on") || text.parse::<i64>().is_ok_and(|number| number != 0)
}

/// A backslash at the end of a line joins the next one to it.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut joined = false;
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        let continues = line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        let line = if continues { &line[..line.len() - 1] } else { line };
        match lines.last_mut() {
            Some(last) if joined => last.push_str(line),
            _ => lines.push(line.to_owned()),
        }
        joined = continues;
    }
    lines
}

/// The value after `=`: quotes and escapes removed, a comment cut off, white space at both ends dropped.
fn value(text: &str) -> String {
    let mut out = String::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut letters = text.trim_start().chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                kept = out.len();
                continue;
            }
            '#' | ';' if !quoted => break,
            '\\' => out.push(match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                Some(other) => other,
                None => break,
            }),
            other => out.push(other),
        }
        if quoted || !letter.is_whitespace() {
            kept = out.len();
        }
    }
    out.truncate(kept);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_git_writes() {
        let text = "[core]\n\trepositoryformatversion = 0\n\tbare = true ; yes\n\tignoreCase = true\n\tsharedRepository = group\n\
                    [remote \"origin\"]\n\turl = x\n[Fencehold]\n\tDir = \"/a b\\\\c # d\" # why\n";
        let config = GitConfig::parse(text);
        assert_eq!(config.fencehold_dir.as_deref(), Some("/a b\\c # d"));
        assert!(config.bare && config.is_shared() && config.ignores_case && !config.sha256);
    }

    #[test]
    fn a_subsection_of_the_same_name_is_another_section() {
        let config = GitConfig::parse("[fencehold \"x\"]\n dir = /a\n[core \"y\"]\n bare\n");
        assert_eq!(config, GitConfig::default());
    }

    #[test]
    fn bare_without_a_value_is_true_and_lines_may_go_on() {
        let config =
            GitConfig::parse("[core] bare\n[fencehold]\ndir = /a\\\nb\n[extensions]\nobjectFormat=SHA256");
        assert!(config.bare && config.sha256);
        assert_eq!(config.fencehold_dir.as_deref(), Some("/ab"));
    }

    #[test]
    fn what_is_written_reads_back() {
        for dir in ["/a", "/a b", "/quote\"back\\slash", "/tab\tand;#"] {
            let config = GitConfig::parse(&dir_setting(dir));
            assert_eq!(config.fencehold_dir.as_deref(), Some(dir));
        }
    }
}
