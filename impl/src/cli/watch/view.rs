//! What is on the screen: a line on top, the page, a line below; whatever the size.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::super::front::{Page, Row, Tone, cut_front, fit};

/// Below this there is a sentence instead.
const COLUMNS_MIN: u16 = 30;
const LINES_MIN: u16 = 6;
/// The page has a line above and a line below.
const LINES_AROUND: u16 = 2;

/// Where to go in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Lines(isize),
    Pages(isize),
    First,
    Last,
}

/// What is shown, and which part of it.
#[derive(Debug)]
pub(super) struct View {
    page: Page,
    is_coloured: bool,
    is_helping: bool,
    /// The first line of the page that is on the screen.
    top: usize,
    /// How many lines the page had, and how many of them there was room for, when it was last drawn.
    lines: usize,
    room: usize,
}

impl View {
    pub(super) fn new(is_coloured: bool) -> Self {
        View { page: Page::default(), is_coloured, is_helping: false, top: 0, lines: 0, room: 1 }
    }

    /// From now on this is the page.
    pub(super) fn show(&mut self, page: Page) {
        self.page = page;
    }

    pub(super) fn turn_help(&mut self) {
        (self.is_helping, self.top) = (!self.is_helping, 0);
    }

    pub(super) fn is_helping(&self) -> bool {
        self.is_helping
    }

    pub(super) fn go(&mut self, to: Move) {
        let pages = self.room.saturating_sub(1).max(1).cast_signed();
        self.top = match to {
            Move::Lines(count) => self.top.saturating_add_signed(count),
            Move::Pages(count) => self.top.saturating_add_signed(count * pages),
            Move::First => 0,
            Move::Last => usize::MAX,
        }
        .min(self.top_max());
    }

    fn top_max(&self) -> usize {
        self.lines.saturating_sub(self.room)
    }

    /// Draws it, as large as the frame is.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < COLUMNS_MIN || area.height < LINES_MIN {
            let text = format!("fencehold watch needs {COLUMNS_MIN} columns and {LINES_MIN} lines. q quits");
            let rows = fit(&[Row::whole(Tone::Plain, &text)], Some(area.width.max(1).into()));
            return frame.render_widget(Paragraph::new(self.styled(&rows)), area);
        }
        let rows = if self.is_helping { help() } else { self.page.rows.clone() };
        self.room = usize::from(area.height - LINES_AROUND);
        let rows = spaced(fit(&rows, Some(area.width.into())), self.room);
        self.lines = rows.len();
        self.top = self.top.min(self.top_max());
        let shown = &rows[self.top..rows.len().min(self.top + self.room)];
        let line = |y: u16, height: u16| Rect { y, height, ..area };
        frame.render_widget(self.bar(self.above(area.width)), line(0, 1));
        frame.render_widget(Paragraph::new(self.styled(shown)), line(1, area.height - LINES_AROUND));
        frame.render_widget(self.bar(self.below(area.width)), line(area.height - 1, 1));
    }

    /// Where it is, and in how few words it can be said.
    fn above(&self, columns: u16) -> String {
        let summary = &self.page.summary;
        let left = usize::from(columns).saturating_sub(summary.chars().count() + 3);
        ends(&cut_front(&self.page.place, left), summary, columns)
    }

    fn below(&self, columns: u16) -> String {
        let keys = if self.is_helping { "? back  q quit" } else { "q quit  ? help" };
        if self.lines <= self.room {
            return ends(keys, "", columns);
        }
        let last = (self.top + self.room).min(self.lines);
        ends(
            &format!("{keys}  j k scroll"),
            &format!("lines {}-{last} of {}", self.top + 1, self.lines),
            columns,
        )
    }

    fn bar(&self, text: String) -> Paragraph<'static> {
        Paragraph::new(Line::styled(text, Style::new().add_modifier(Modifier::REVERSED)))
    }

    fn styled(&self, rows: &[Row]) -> Vec<Line<'static>> {
        let span = |(tone, text): &(Tone, String)| Span::styled(text.clone(), self.style(*tone));
        rows.iter().map(|row| Line::from(vec![span(&row.lead), span(&row.rest)])).collect()
    }

    fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        let coloured = |colour| if self.is_coloured { style.fg(colour) } else { style };
        match tone {
            Tone::Plain => style,
            Tone::Title => style.add_modifier(Modifier::BOLD),
            Tone::Hint => style.add_modifier(Modifier::DIM),
            Tone::Name => coloured(Color::Cyan),
            Tone::Warn => coloured(Color::Yellow),
            Tone::Bad => coloured(Color::Red),
        }
    }
}

/// An empty line before each title but the first, where there is room for that.
fn spaced(rows: Vec<Row>, room: usize) -> Vec<Row> {
    let begins = |at: usize, row: &Row| at > 0 && row.lead.0 == Tone::Title;
    let titles = rows.iter().enumerate().filter(|(at, row)| begins(*at, row)).count();
    if rows.len() + titles > room {
        return rows;
    }
    let with_space = rows.into_iter().enumerate().map(|(at, row)| match begins(at, &row) {
        true => vec![Row::whole(Tone::Plain, ""), row],
        false => vec![row],
    });
    with_space.flatten().collect()
}

/// A text at the left end of a line and one at the right.
fn ends(left: &str, right: &str, columns: u16) -> String {
    let gap = usize::from(columns).saturating_sub(left.chars().count() + right.chars().count() + 2);
    format!(" {left}{}{right} ", " ".repeat(gap))
}

fn help() -> Vec<Row> {
    let keys = [
        ("q, Ctrl-C", "quit"),
        ("Esc", "back from here, or quit"),
        ("j, down", "one line down"),
        ("k, up", "one line up"),
        ("space, PgDn", "one page down"),
        ("PgUp", "one page up"),
        ("g, Home", "to the top"),
        ("G, End", "to the end"),
        ("?, h", "this page, and back"),
    ];
    let mut rows = vec![Row::whole(Tone::Title, "keys")];
    rows.extend(keys.map(|(key, what)| Row::about(key, Tone::Plain, what)));
    rows.push(Row::whole(Tone::Title, "what is shown"));
    rows.push(Row::under(
        Tone::Plain,
        "what `fencehold status` shows, as it is now. Looking changes nothing: nothing here can be ended by a key.",
    ));
    rows
}
