//! Lines of a screen: what each part of them means, how they fit a width, and how a terminal colours them.

/// What a part of a line means to whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Tone {
    /// As it is.
    Plain,
    /// The title of a section.
    Title,
    /// The name of what a line is about.
    Name,
    /// What to do, for who does not know.
    Hint,
    /// Somebody waits, or has to look at it.
    Warn,
    /// Damaged.
    Bad,
}

impl Tone {
    /// Select Graphic Rendition (ECMA-48), by number.
    fn sgr(self) -> Option<u8> {
        match self {
            Tone::Plain => None,
            Tone::Title => Some(1),
            Tone::Name => Some(36),
            Tone::Hint => Some(2),
            Tone::Warn => Some(33),
            Tone::Bad => Some(31),
        }
    }
}

/// A line: what it begins with, and the rest, whose further lines stand below its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Row {
    pub(in super::super) lead: (Tone, String),
    pub(in super::super) rest: (Tone, String),
}

/// What a line begins with takes up so many columns, and is cut there on a terminal.
const LEAD_COLUMNS_MAX: usize = 18;
/// The narrowest rest of a line; where there is less room it goes below its beginning.
const REST_COLUMNS_MIN: usize = 24;

impl Row {
    /// A line of one piece.
    pub(in super::super) fn whole(tone: Tone, text: &str) -> Self {
        Row { lead: (tone, plain(text)), rest: (Tone::Plain, String::new()) }
    }

    /// A line of a section, about what is called `name`.
    pub(in super::super) fn about(name: &str, tone: Tone, text: &str) -> Self {
        Row { lead: (Tone::Name, format!("  {}", plain(name))), rest: (tone, plain(text)) }
    }

    /// A line of a section that is about no name.
    pub(in super::super) fn under(tone: Tone, text: &str) -> Self {
        Row { lead: (Tone::Plain, "  ".to_owned()), rest: (tone, plain(text)) }
    }

    /// The line as bytes for a terminal or a file, newline included.
    pub(in super::super) fn text(&self, is_coloured: bool) -> String {
        let coloured = |(tone, text): &(Tone, String)| match tone.sgr() {
            Some(sgr) if is_coloured && !text.trim().is_empty() => format!("\x1b[{sgr}m{text}\x1b[0m"),
            _ => text.clone(),
        };
        format!("{}{}", coloured(&self.lead), coloured(&self.rest)).trim_end().to_owned() + "\n"
    }
}

/// Text in which nothing moves the cursor or changes a terminal: control characters are written out.
pub(in super::super) fn plain(text: &str) -> String {
    let written_out = |c: char| match c {
        c if c.is_control() => c.escape_default().to_string(),
        // These turn the order of what follows (Unicode, UAX 9).
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.chars().map(written_out).collect()
}

/// The first `columns` of a text, its cut marked.
pub(in super::super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// The last `columns` of a text, its cut marked: of a path the end says more.
pub(in super::super) fn cut_front(text: &str, columns: usize) -> String {
    let count = text.chars().count();
    if count <= columns {
        return text.to_owned();
    }
    ['…'].into_iter().chain(text.chars().skip(count + 1 - columns.max(1))).collect()
}

/// The rows in so many columns: names are cut, the rest goes on below where it began. Without a width only the columns
/// are set.
pub(in super::super) fn fit(rows: &[Row], width: Option<usize>) -> Vec<Row> {
    let named = rows.iter().filter(|row| row.lead.0 == Tone::Name).map(|row| row.lead.1.chars().count());
    let lead_columns = named.max().unwrap_or(0).min(LEAD_COLUMNS_MAX);
    rows.iter().flat_map(|row| fit_one(row, width, lead_columns)).collect()
}

fn fit_one(row: &Row, width: Option<usize>, lead_columns: usize) -> Vec<Row> {
    let (tone, lead) = &row.lead;
    if row.rest.1.is_empty() {
        let Some(width) = width else { return vec![row.clone()] };
        let lines = wrapped(lead, width);
        return lines.iter().map(|line| Row::whole(*tone, line)).collect();
    }
    let is_named = *tone == Tone::Name;
    let mut lead = lead.clone();
    if is_named {
        if width.is_some() {
            lead = cut(&lead, lead_columns);
        }
        lead = format!("{lead:<lead_columns$}  ");
    }
    let Some(width) = width else { return vec![Row { lead: (*tone, lead), rest: row.rest.clone() }] };
    let begin = lead.chars().count();
    let begin_below = if begin + REST_COLUMNS_MIN > width { 4.min(width / 2) } else { begin };
    let room = width.saturating_sub(begin_below).max(1);
    let mut lines = wrapped(&row.rest.1, room).into_iter();
    let mut fitted = Vec::new();
    if begin_below == begin {
        let first = lines.next().unwrap_or_default();
        fitted.push(Row { lead: (*tone, lead), rest: (row.rest.0, first) });
    } else {
        fitted.push(Row::whole(*tone, lead.trim_end()));
    }
    let below = (Tone::Plain, " ".repeat(begin_below));
    fitted.extend(lines.map(|line| Row { lead: below.clone(), rest: (row.rest.0, line) }));
    fitted
}

/// A text in lines of at most `columns`, broken at spaces; a longer word is broken anywhere.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    let leading = text.chars().take_while(|c| *c == ' ').count();
    for (at, word) in text.trim_start_matches(' ').split(' ').enumerate() {
        let mut word: Vec<char> = word.chars().collect();
        let gap = if at == 0 { leading } else { 1 };
        if used > 0 && used + gap + word.len() > columns {
            lines.push(String::new());
            used = 0;
        } else if used > 0 || at == 0 {
            lines.last_mut().expect("there is a first line").push_str(&" ".repeat(gap));
            used += gap;
        }
        loop {
            let room = columns.saturating_sub(used).max(1);
            let tail = word.split_off(room.min(word.len()));
            lines.last_mut().expect("there is a first line").extend(word.iter());
            used += word.len();
            if tail.is_empty() {
                break;
            }
            lines.push(String::new());
            (used, word) = (0, tail);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Row, Tone, fit, plain};

    fn shown(rows: &[Row], width: Option<usize>) -> Vec<String> {
        fit(rows, width).iter().map(|row| row.text(false).trim_end_matches('\n').to_owned()).collect()
    }

    #[test]
    fn what_does_not_fit_goes_on_below_and_names_are_cut_on_a_terminal_alone() {
        let row = [Row::about("a-name-of-many-letters", Tone::Plain, "one two three four five six seven")];
        assert_eq!(shown(&row, None), ["  a-name-of-many-letters  one two three four five six seven"]);
        let lines = shown(&row, Some(46));
        assert_eq!(lines, ["  a-name-of-many-…  one two three four five", "                    six seven"]);
        let lines = shown(&row, Some(20));
        assert_eq!(lines, ["  a-name-of-many-…", "    one two three", "    four five six", "    seven"]);
    }

    #[test]
    fn every_text_fits_every_width() {
        let texts = ["", " ", "a", "a b", "word/without/a/single/space/in/it", "  led by two", "ä ö ü ß €"];
        let mut seen = 0;
        for text in texts {
            for width in 1..60 {
                for row in [
                    Row::whole(Tone::Title, text),
                    Row::under(Tone::Hint, text),
                    Row::about("name", Tone::Plain, text),
                ] {
                    for line in shown(std::slice::from_ref(&row), Some(width)) {
                        let columns = line.chars().count();
                        assert!(columns <= width.max(8), "{columns} of {width}: {line:?}");
                        seen += 1;
                    }
                    let all: String = shown(&[row], Some(width)).concat();
                    let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
                    assert!(letters(&all).ends_with(&letters(text)), "{all:?} has lost some of {text:?}");
                }
            }
        }
        assert!(seen > 1000, "{seen}");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_shown() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{9b}d\u{202e}e"), "a\\u{1b}[2Jb\\nc\\u{9b}d\\u{202e}e");
        assert_eq!(Row::whole(Tone::Bad, "x").text(true), "\x1b[31mx\x1b[0m\n");
        assert_eq!(Row::whole(Tone::Bad, "x").text(false), "x\n");
    }
}
