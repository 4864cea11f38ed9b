//! A line of Markdown as CommonMark 0.31 reads it: tabs stop at each fourth column, and marks of containers are taken
//! from its begin.

/// A line, and how much of it is behind.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    rest: &'a str,
    /// Of the begin of `rest`, from 0.
    column: usize,
    /// How many columns of a tab that was begun are left before `rest`.
    spare: usize,
}

/// What opened a code fence.
#[derive(Clone, Copy)]
pub(super) struct Fence {
    mark: char,
    count: usize,
}

/// A block of HTML, by what ends it; a blank line where that is nothing.
#[derive(Clone, Copy)]
pub(super) struct Html(&'static [&'static str]);

/// What opens an HTML block that only its own end closes, each in lower case.
const ENDED: [(&str, &[&str]); 8] = [
    ("<!--", &["-->"]),
    ("<?", &["?>"]),
    ("<![cdata[", &["]]>"]),
    ("<!", &[">"]),
    ("<script", VERBATIM),
    ("<pre", VERBATIM),
    ("<style", VERBATIM),
    ("<textarea", VERBATIM),
];
const VERBATIM: &[&str] = &["</script>", "</pre>", "</style>", "</textarea>"];

/// The names of kind 6: a blank line ends what they open, and they begin a block in a paragraph too.
const NAMES: &str = " address article aside base basefont blockquote body caption center col colgroup dd details dialog \
    dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe \
    legend li link main menu menuitem nav noframes ol optgroup option p param search section summary table tbody td \
    tfoot th thead title tr track ul ";

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Line { rest: text, column: 0, spare: 0 }
    }

    /// What is not behind, with its indent.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// What is not behind, without its indent.
    pub(super) fn text(&self) -> &'a str {
        self.rest.trim_start_matches([' ', '\t'])
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text().is_empty()
    }

    /// How many columns it is indented by.
    pub(super) fn indent(&self) -> usize {
        let blank = self.rest.len() - self.text().len();
        let stop = |column: usize, c: char| if c == '\t' { column / 4 * 4 + 4 } else { column + 1 };
        self.spare + self.rest[..blank].chars().fold(self.column, stop) - self.column
    }

    /// Leaves as many columns of its indent behind; it has them.
    pub(super) fn advance(&mut self, columns: usize) -> bool {
        for _ in 0..columns.min(self.indent()) {
            if self.spare > 0 {
                self.spare -= 1;
                continue;
            }
            let width = if self.rest.starts_with('\t') { 4 - self.column % 4 } else { 1 };
            (self.rest, self.column, self.spare) = (&self.rest[1..], self.column + width, width - 1);
        }
        true
    }

    /// Leaves the mark of a quotation behind, where there is one.
    pub(super) fn quote(&mut self) -> bool {
        let is_quote = self.text().starts_with('>');
        if is_quote {
            self.mark(1);
            self.advance(1);
        }
        is_quote
    }

    /// Leaves the mark of an item of a list behind: how many columns its other lines are indented by. Within a paragraph
    /// only an item that is not empty, and the first of those with a number, begins a list.
    pub(super) fn item(&mut self, in_paragraph: bool) -> Option<usize> {
        let text = self.text();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let mark = text[digits..].chars().next()?;
        let is_mark = if digits == 0 { "-*+".contains(mark) } else { digits <= 9 && ".)".contains(mark) };
        let after = text.get(digits + 1..)?;
        if !is_mark || !(after.is_empty() || after.starts_with([' ', '\t'])) {
            return None;
        }
        let is_blank = after.trim_matches([' ', '\t']).is_empty();
        if in_paragraph && (is_blank || (digits > 0 && text[..digits].parse() != Ok(1))) {
            return None;
        }
        let before = self.indent();
        self.mark(digits + 1);
        // What is indented by five columns and more begins with code.
        let spaces = if is_blank || self.indent() > 4 { 1 } else { self.indent() };
        self.advance(spaces);
        Some(before + digits + 1 + spaces)
    }

    /// Leaves the indent and a mark of as many bytes behind.
    fn mark(&mut self, bytes: usize) {
        self.advance(self.indent());
        (self.rest, self.column) = (&self.rest[bytes..], self.column + bytes);
    }

    pub(super) fn is_heading(&self) -> bool {
        let marks = run(self.text(), '#');
        let after = &self.text()[marks..];
        (1..=6).contains(&marks) && (after.is_empty() || after.starts_with([' ', '\t']))
    }

    /// Whether it is a line across the page.
    pub(super) fn is_break(&self) -> bool {
        let text = self.text();
        text.starts_with(['*', '-', '_'])
            && text.chars().all(|c| " \t".contains(c) || text.starts_with(c))
            && text.chars().filter(|c| !" \t".contains(*c)).count() >= 3
    }

    /// Whether it makes a heading of the paragraph before it.
    pub(super) fn is_underline(&self) -> bool {
        let text = self.text().trim_end_matches([' ', '\t']);
        ['=', '-'].iter().any(|mark| !text.is_empty() && text.chars().all(|c| c == *mark))
    }

    pub(super) fn fence(&self) -> Option<Fence> {
        let text = self.text();
        let mark = text.chars().next().filter(|mark| "`~".contains(*mark))?;
        let count = run(text, mark);
        // The info string of backticks has none of them: else it is code within a line.
        (count >= 3 && !(mark == '`' && text[count..].contains('`'))).then_some(Fence { mark, count })
    }

    /// Whether this line ends a fence.
    pub(super) fn ends(&self, fence: Fence) -> bool {
        let text = self.text().trim_end_matches([' ', '\t']);
        self.indent() < 4 && run(text, fence.mark) >= fence.count && text.chars().all(|c| c == fence.mark)
    }
}

impl Html {
    pub(super) fn ends_blank(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn ends_in(self, line: &str) -> bool {
        let lower = line.to_ascii_lowercase();
        self.0.iter().any(|end| lower.contains(end))
    }
}

/// The block of HTML that begins with `text`; inside of a paragraph not any tag does that.
pub(super) fn html(text: &str, in_paragraph: bool) -> Option<Html> {
    let lower = text.strip_prefix('<').map(|_| text.to_ascii_lowercase())?;
    let is_begun = |begin: &str| match (begin, lower.strip_prefix(begin)) {
        (_, None) => false,
        ("<!", Some(after)) => after.starts_with(|c: char| c.is_ascii_alphabetic()),
        ("<!--" | "<?" | "<![cdata[", _) => true,
        (_, Some(after)) => after.is_empty() || after.starts_with([' ', '\t', '\u{b}', '\u{c}', '>']),
    };
    if let Some((_, ends)) = ENDED.iter().find(|(begin, _)| is_begun(begin)) {
        return Some(Html(ends));
    }
    let name = lower[1..].strip_prefix('/').unwrap_or(&lower[1..]);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    let (name, after) = name.split_at(end);
    let is_block = NAMES.split(' ').any(|known| !known.is_empty() && known == name)
        && (after.is_empty() || after.starts_with([' ', '\t', '>']) || after.starts_with("/>"));
    (is_block || (!in_paragraph && is_tag(text))).then_some(Html(&[]))
}

/// Whether a line is one whole tag (6.6) and nothing else.
fn is_tag(text: &str) -> bool {
    let blank = [' ', '\t'];
    let text = text.trim_end_matches(blank);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else { return false };
    let (is_end, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let mut rest = inner.trim_start_matches(is_name);
    if is_end {
        return rest.trim_matches(blank).is_empty();
    }
    loop {
        let at = rest.trim_start_matches(blank);
        if at.is_empty() || at == "/" {
            return true;
        }
        let is_apart = at.len() < rest.len();
        let Some(after) = attribute(at).filter(|_| is_apart) else { return false };
        rest = after;
    }
}

/// What follows an attribute and its value.
fn attribute(text: &str) -> Option<&str> {
    let blank = [' ', '\t'];
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || "_:".contains(c)) {
        return None;
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    let Some(value) = rest.trim_start_matches(blank).strip_prefix('=') else { return Some(rest) };
    let value = value.trim_start_matches(blank);
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split_once(quote).map(|(_, after)| after);
        }
    }
    let end = value.find(|c| " \t\"'=<>`".contains(c)).unwrap_or(value.len());
    (end > 0).then(|| &value[end..])
}

/// How many times `mark`, one byte long, stands at the beginning.
fn run(text: &str, mark: char) -> usize {
    text.chars().take_while(|&c| c == mark).count()
}
