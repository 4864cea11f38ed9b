//! Which shell commands cannot change the checkout.
//!
//! Invariant: only what is listed is shown read-only, with arguments that are known not to make it write or run
//! something else. What is not listed may do anything.

use super::git;
use super::words::{Simple, Word, simple_commands};

/// What of a command's arguments makes it more than a reader.
enum Reader {
    /// Nothing does.
    Always,
    /// An argument that begins with one of these, and one that is not known before the shell has expanded it.
    Unless(&'static [&'static str]),
}

use Reader::{Always, Unless};

/// The commands that read, by their names: those of POSIX, of coreutils, and what agents call most.
const READERS: &[(&str, Reader)] = &[
    ("[", Always),
    ("basename", Always),
    ("cat", Always),
    ("cd", Always),
    ("cksum", Always),
    ("cmp", Always),
    ("comm", Always),
    ("cut", Always),
    ("date", Always),
    ("df", Always),
    ("diff", Always),
    ("dirname", Always),
    ("du", Always),
    ("echo", Always),
    ("egrep", Always),
    ("false", Always),
    ("fgrep", Always),
    ("find", Unless(&["-exec", "-ok", "-delete", "-fprint", "-fls"])),
    ("fold", Always),
    ("grep", Always),
    ("head", Always),
    ("hostname", Always),
    ("id", Always),
    ("jq", Always),
    ("ls", Always),
    ("md5sum", Always),
    ("nl", Always),
    ("nproc", Always),
    ("od", Always),
    ("paste", Always),
    ("pgrep", Always),
    ("printf", Always),
    ("ps", Always),
    ("pwd", Always),
    ("readlink", Always),
    ("realpath", Always),
    ("rg", Unless(&["--pre", "--host"])),
    ("seq", Always),
    ("sha1sum", Always),
    ("sha256sum", Always),
    ("sleep", Always),
    ("sort", Unless(&["--o", "--c", "-o"])),
    ("stat", Always),
    ("strings", Always),
    ("tac", Always),
    ("tail", Always),
    ("test", Always),
    ("tr", Always),
    ("true", Always),
    ("type", Always),
    ("uname", Always),
    ("wc", Always),
    ("which", Always),
    ("whoami", Always),
];

/// Commands of ours that look, or change only the ledger, which decides by itself who may.
const OURS: &[&[&str]] = &[
    &["where"],
    &["whoami"],
    &["status"],
    &["doctor"],
    &["history"],
    &["audit"],
    &["lock", "acquire"],
    &["lock", "renew"],
    &["lock", "release"],
    &["lock", "show"],
    &["lock", "list"],
    &["lease"],
    &["task"],
    &["config", "show"],
    &["log", "read"],
    &["log", "check"],
    &["log", "append"],
    &["doc", "read"],
];

/// None where nothing in the command line can change the checkout; else what may, in a few words.
#[must_use]
pub fn may_write(line: &str) -> Option<String> {
    match simple_commands(line) {
        Err(why) => Some(why),
        Ok(commands) => commands.iter().find_map(of_simple),
    }
}

fn of_simple(command: &Simple) -> Option<String> {
    if let Some(file) = command.writes.iter().find(|file| file.expands || file.text != "/dev/null") {
        return Some(format!("it writes {}", file.text));
    }
    let words = match &command.words[..] {
        [not, rest @ ..] if not.text == "!" => rest,
        words => words,
    };
    let (name, args) = words.split_first()?;
    if name.expands {
        return Some(format!("what `{}` runs is known to the shell alone", name.text));
    }
    if let Some((variable, _)) = name.text.split_once('=') {
        let sets_only = args.is_empty()
            && !variable.is_empty()
            && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return (!sets_only).then(|| format!("it runs something with {variable} set"));
    }
    let may = match name.text.as_str() {
        "git" => return git::may_move(args),
        "sed" => !is_print(args),
        "fencehold" => !is_ours(args),
        // `-o` may stand behind other letters.
        "sort" if args.iter().any(has_o) => true,
        other => !READERS.iter().any(|(known, reader)| *known == other && reader.allows(args)),
    };
    may.then(|| format!("`{}` is not known to read only", shown(words)))
}

impl Reader {
    fn allows(&self, args: &[Word]) -> bool {
        match self {
            Always => true,
            Unless(writes) => !args.iter().any(|arg| {
                arg.may_become_option() || writes.iter().any(|begins| arg.text.starts_with(begins))
            }),
        }
    }
}

/// A cluster of short flags with an `o` among them.
fn has_o(arg: &Word) -> bool {
    let text = &arg.text;
    text.starts_with('-')
        && !text.starts_with("--")
        && !text.starts_with("-k")
        && !text.starts_with("-t")
        && text.contains('o')
}

/// `sed -n 10,20p`, which many use as a pager: any other script may write.
fn is_print(args: &[Word]) -> bool {
    let [quiet, script, files @ ..] = args else { return false };
    let range = script.text.strip_suffix('p').is_some_and(|range| {
        !range.is_empty() && range.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'$'))
    });
    quiet.text == "-n"
        && range
        && files.iter().all(|file| !file.text.starts_with('-') && !file.may_become_option())
}

fn is_ours(args: &[Word]) -> bool {
    let words: Vec<&str> = args.iter().map(|arg| arg.text.as_str()).filter(|arg| *arg != "--json").collect();
    OURS.iter().any(|known| words.starts_with(known))
}

/// The first words, for people.
pub(super) fn shown(words: &[Word]) -> String {
    const WORDS_MAX: usize = 3;
    const CHARS_MAX: usize = 60;
    let text: Vec<&str> = words.iter().take(WORDS_MAX).map(|word| word.text.as_str()).collect();
    text.join(" ").chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::may_write;

    #[test]
    fn what_reads_passes() {
        let lines = [
            "ls -la",
            "cat a b | grep -n x | head -5",
            "cd src && pwd",
            "find . -name '*.rs' -type f",
            "rg -n foo src/",
            "sed -n 10,20p a.rs",
            "sed -n '$p' a",
            "git status --short",
            "git diff HEAD~1 -- src",
            "git log --oneline -5",
            "git -C sub status",
            "git branch -a",
            "git stash list",
            "echo $HOME 2>/dev/null",
            "test -f a || echo none",
            "! grep -q x a",
            "X=1",
            "sort -k2 -u a",
            "fencehold status --json",
            "fencehold lease grant x --writes a",
            "",
        ];
        for line in lines {
            assert_eq!(may_write(line), None, "{line}");
        }
        assert_eq!(lines.len(), 21);
    }

    #[test]
    fn what_may_write_is_told() {
        let lines = [
            "rm a",
            "echo a > b",
            "cat a | tee b",
            "find . -delete",
            "find . -exec rm {} +",
            "find . $X",
            "rg --pre x y",
            "sed -i s/a/b/ c",
            "sed -n 'w out' a",
            "sed -n 1p -i a",
            "sort -o a a",
            "sort -uo a a",
            "X=1 ls",
            "$CMD",
            "make",
            "git push",
            "git checkout main",
            "git -c alias.x=push x",
            "echo `git push`",
            "eval ls",
            "sh -c ls",
            "xargs rm",
            "env ls",
            "if true; then rm a; fi",
            "fencehold lock run build -- make",
            "fencehold doc update a --merge {}",
            "ls\ngit push",
            "ls & git push",
            "python3 -c 1",
            "awk 1 a",
            "\\git push",
            "find . {-delete,-print}",
            "find *",
            "git log {--output=x,-1}",
            "git diff -{O,x}",
            "sort * -u",
            "=git",
            "{git,push}",
            "'git' push",
            "/usr/bin/git push",
        ];
        for line in lines {
            assert!(may_write(line).is_some(), "{line}");
        }
        assert_eq!(lines.len(), 40);
    }
}
