//! A shell command line as simple commands, as far as that can be told without being a shell.
//!
//! Invariant: what is given is what POSIX sh(1) would run, or nothing is: whatever this reader does not know (a
//! substitution, a here-document, a compound command) is an error that names it, never a guess.

use std::iter::Peekable;
use std::str::Chars;

/// One simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// Its words, quotes and escapes removed.
    pub(super) words: Vec<Word>,
    /// The files that it writes by a redirection.
    pub(super) writes: Vec<Word>,
}

/// One word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Whether the shell puts something in before the command sees it: a parameter, or the names that a glob matches.
    pub(super) expands: bool,
}

impl Word {
    /// Whether what the shell makes of it may begin with a `-`, or be several words: an option that is not there yet.
    pub(super) fn may_become_option(&self) -> bool {
        self.expands && (self.text.contains('$') || self.text.starts_with(['*', '?', '[', '{', '-']))
    }
}

/// The simple commands of a command line, in order, whatever joins them.
pub(super) fn simple_commands(line: &str) -> Result<Vec<Simple>, String> {
    if let Some(control) = line.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(format!("it has the control character {control:?}"));
    }
    let mut reader = Reader { rest: line.chars().peekable() };
    let mut commands = vec![Simple::default()];
    while let Some(next) = reader.rest.peek().copied() {
        let command = commands.last_mut().expect("there is one from the beginning");
        match next {
            ' ' | '\t' => drop(reader.rest.next()),
            '\n' | ';' | '&' | '|' => {
                reader.rest.next();
                // What joins two commands does not change what each of them does.
                if !command.words.is_empty() || !command.writes.is_empty() {
                    commands.push(Simple::default());
                }
            }
            '#' => while reader.rest.next_if(|c| *c != '\n').is_some() {},
            '(' | ')' => return Err("it has a subshell or a function".to_owned()),
            '<' | '>' => reader.redirection(command)?,
            _ => {
                let word = reader.word()?;
                let is_number = !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_digit());
                // A number right before a redirection is the descriptor's.
                if !(is_number && matches!(reader.rest.peek(), Some('<' | '>'))) {
                    command.words.push(word);
                }
            }
        }
    }
    commands.retain(|command| !command.words.is_empty() || !command.writes.is_empty());
    Ok(commands)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn redirection(&mut self, command: &mut Simple) -> Result<(), String> {
        let first = self.rest.next();
        if first == Some('<') {
            match self.rest.peek() {
                Some('<') => return Err("it has a here-document".to_owned()),
                Some('(') => return Err("it has a process substitution".to_owned()),
                Some('>') => return Err("it opens a file for writing".to_owned()),
                Some('&') => drop(self.rest.next()),
                _ => {}
            }
            self.target()?;
            return Ok(());
        }
        match self.rest.peek() {
            Some('(') => return Err("it has a process substitution".to_owned()),
            Some('>' | '|') => drop(self.rest.next()),
            Some('&') => {
                self.rest.next();
                let target = self.target()?;
                // `>&2` names a descriptor, `>&file` a file.
                let is_descriptor = target.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
                if !is_descriptor || target.expands {
                    command.writes.push(target);
                }
                return Ok(());
            }
            _ => {}
        }
        let target = self.target()?;
        command.writes.push(target);
        Ok(())
    }

    fn target(&mut self) -> Result<Word, String> {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        let word = self.word()?;
        if word.text.is_empty() { Err("a redirection leads nowhere".to_owned()) } else { Ok(word) }
    }

    fn word(&mut self) -> Result<Word, String> {
        let mut word = Word::default();
        while let Some(c) = self.rest.peek().copied() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' => self.single(&mut word)?,
                '"' => self.double(&mut word)?,
                '\\' => {
                    self.rest.next();
                    // A backslash at the end of a line joins it with the next.
                    match self.rest.next() {
                        Some('\n') => {}
                        Some(escaped) => word.text.push(escaped),
                        None => return Err("it ends with a backslash".to_owned()),
                    }
                }
                _ => self.plain(&mut word)?,
            }
        }
        Ok(word)
    }

    fn single(&mut self, word: &mut Word) -> Result<(), String> {
        self.rest.next();
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some(c) => word.text.push(c),
                None => return Err("a quote is not closed".to_owned()),
            }
        }
    }

    fn double(&mut self, word: &mut Word) -> Result<(), String> {
        self.rest.next();
        loop {
            match self.rest.peek().copied() {
                Some('"') => {
                    self.rest.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.rest.next();
                    match self.rest.next() {
                        Some('\n') => {}
                        Some(c @ ('$' | '`' | '"' | '\\')) => word.text.push(c),
                        Some(c) => word.text.extend(['\\', c]),
                        None => return Err("a quote is not closed".to_owned()),
                    }
                }
                Some('$' | '`') => self.plain(word)?,
                Some(c) => {
                    self.rest.next();
                    word.text.push(c);
                }
                None => return Err("a quote is not closed".to_owned()),
            }
        }
    }

    /// One character that is not quoted, or that keeps its meaning within double quotes.
    fn plain(&mut self, word: &mut Word) -> Result<(), String> {
        let Some(c) = self.rest.next() else { return Ok(()) };
        match (c, self.rest.peek()) {
            ('`', _) | ('$', Some('(')) => return Err("it has a command substitution".to_owned()),
            ('$', Some('\'' | '"')) => return Err("it has a quote that not every shell knows".to_owned()),
            // `${x:=y}` and `${x@P}` do more than give a value.
            ('$', Some('{')) => return Err("it has a parameter expansion in braces".to_owned()),
            ('$' | '*' | '?' | '[' | '{' | '~', _) => word.expands = true,
            _ => {}
        }
        word.text.push(c);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::simple_commands;

    fn words(line: &str) -> Vec<Vec<String>> {
        let commands = simple_commands(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        commands.into_iter().map(|it| it.words.into_iter().map(|word| word.text).collect()).collect()
    }

    #[test]
    fn words_are_what_a_shell_makes_of_them() {
        assert_eq!(words("ls -l"), [["ls", "-l"]]);
        assert_eq!(words("a 'b c' \"d $e\" f\\ g"), [["a", "b c", "d $e", "f g"]]);
        assert_eq!(words("git\\\n push"), [["git", "push"]]);
        assert_eq!(words("g'i't p\"us\"h"), [["git", "push"]]);
        assert_eq!(words("a;b&&c||d|e&f\ng # h;i"), [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]);
        assert_eq!(words("a#b"), [["a#b"]]);
        assert_eq!(words(""), Vec::<Vec<String>>::new());
        assert_eq!(words("cat < in 2>&1"), [["cat"]]);
        assert_eq!(words("echo 2 >out"), [["echo", "2"]]);
    }

    #[test]
    fn redirections_that_write_are_told() {
        let writes = |line: &str| -> Vec<String> {
            let commands = simple_commands(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            commands.into_iter().flat_map(|it| it.writes).map(|word| word.text).collect()
        };
        assert_eq!(writes("a > b >> c 2>d >|e &>f >&g"), ["b", "c", "d", "e", "f", "g"]);
        assert_eq!(writes("> only"), ["only"]);
        assert_eq!(writes("a 2>&1 <b 1>&2 2>&-"), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_known_is_no_guess() {
        let mut seen = 0;
        for line in [
            "$(git push)",
            "\"$(git push)\"",
            "`git push`",
            "\"`git push`\"",
            "cat <<EOF",
            "diff <(a) b",
            "a >(b)",
            "(git push)",
            "f() { git push; }",
            "'open",
            "\"open",
            "end\\",
            "echo $'\\x67'",
            "a <>b",
            "echo ${x:=y}",
            "a >",
            "ls\rx",
            "ls \u{b} x",
        ] {
            assert!(simple_commands(line).is_err(), "{line}");
            seen += 1;
        }
        assert_eq!(seen, 18);
    }
}
