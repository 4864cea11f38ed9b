//! A helper for plan files in memory: without a flaw, with one, or with all that the published one has.

use std::collections::BTreeMap;

use super::scenarios::{Plan, Ran};

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// M53: of two statuses of one rank the board's is ahead.
    TieIsAhead,
    /// M54: what goes down is a regression, and is written back.
    MonotoneForever,
    /// M56: an id is found wherever a line begins with it, and a status wherever the word stands.
    EditOutsideBlock,
    /// M57: the board is moved whatever stands there by then.
    BlindPatch,
    /// An unknown status has the lowest rank.
    UnknownIsLowest,
}

/// All that is wrong with the published one, of what is asked here.
pub(super) const PUBLISHED: &[Flaw] = &[
    Flaw::TieIsAhead,
    Flaw::MonotoneForever,
    Flaw::EditOutsideBlock,
    Flaw::BlindPatch,
    Flaw::UnknownIsLowest,
];

pub(super) struct Naive {
    flaws: &'static [Flaw],
    text: String,
    board: BTreeMap<String, String>,
    /// What both last agreed on.
    bases: BTreeMap<String, String>,
    /// What an agent is about to set.
    meanwhile: Option<(String, String)>,
}

enum Verdict {
    InStep,
    Forward,
    Back,
    Conflict,
    Unknown,
}

fn rank(status: &str) -> Option<u8> {
    Some(match status {
        "todo" => 0,
        "in_progress" | "blocked" => 1,
        "done" | "cancelled" => 2,
        _ => return None,
    })
}

/// The tasks of a text: id, status, and the line of the status; of fences as the scenarios write them.
fn tasks(text: &str) -> Vec<(String, String, usize)> {
    let (mut found, mut fence, mut id) = (Vec::new(), None, String::new());
    for (number, line) in text.lines().enumerate() {
        match (fence, line) {
            (None, "```task" | "````") => fence = Some(line.trim_end_matches("task").len()),
            (Some(3), "```") | (Some(4), "````") => fence = None,
            (Some(3), _) => match line.split_once(": ") {
                Some(("id", value)) => id = value.to_owned(),
                Some(("status", value)) => {
                    let status = value.split(' ').next().unwrap_or_default();
                    found.push((id.clone(), status.to_owned(), number));
                }
                _ => {}
            },
            _ => {}
        }
    }
    found
}

impl Naive {
    pub(super) fn new(flaws: &'static [Flaw]) -> Self {
        let (text, board, bases) = (String::new(), BTreeMap::new(), BTreeMap::new());
        Naive { flaws, text, board, bases, meanwhile: None }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaws.contains(&flaw)
    }

    fn judges(&self, id: &str, says: &str) -> Verdict {
        let file = match rank(says) {
            None if self.has(Flaw::UnknownIsLowest) => 0,
            None => return Verdict::Unknown,
            Some(rank) => rank,
        };
        let Some(stands) = self.board.get(id) else { return Verdict::Forward };
        let board = rank(stands).expect("the board knows its statuses");
        if stands == says {
            return Verdict::InStep;
        }
        if file == board && self.has(Flaw::TieIsAhead) {
            return Verdict::Back;
        }
        if file < board && (self.has(Flaw::MonotoneForever) || rank(says).is_none()) {
            return Verdict::Back;
        }
        match self.bases.get(id) {
            Some(base) if base == stands => Verdict::Forward,
            Some(base) if base == says => Verdict::Back,
            None if file > board => Verdict::Forward,
            None if file < board => Verdict::Back,
            // The published one knows of no base.
            Some(_) if self.has(Flaw::MonotoneForever) && file > board => Verdict::Forward,
            _ => Verdict::Conflict,
        }
    }

    fn edits(&mut self, id: &str, line: usize, to: &str) {
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        let with = |line: &str, to: &str| {
            let (before, after) = line.split_once("status: ").expect("it has one");
            let rest = after.split_once(' ').map_or(String::new(), |(_, rest)| format!(" {rest}"));
            format!("{before}status: {to}{rest}")
        };
        if self.has(Flaw::EditOutsideBlock) {
            let mut within = false;
            for line in &mut lines {
                within |= line.contains(&format!("id: {id}"));
                if within && line.contains("status: ") {
                    *line = with(line, to);
                    within = false;
                }
            }
        } else {
            lines[line] = with(&lines[line], to);
        }
        self.text = lines.join("\n") + "\n";
    }

    /// Whether the board moved before the step.
    fn is_moved(&mut self) -> bool {
        let Some((task, status)) = self.meanwhile.take() else { return false };
        self.board.insert(task, status);
        !self.has(Flaw::BlindPatch)
    }
}

impl Plan for Naive {
    fn commits(&mut self, text: &str) {
        text.clone_into(&mut self.text);
    }

    fn text(&self) -> String {
        self.text.clone()
    }

    fn sets(&mut self, task: &str, status: &str) {
        self.board.insert(task.to_owned(), status.to_owned());
    }

    fn board(&self, task: &str) -> String {
        self.board[task].clone()
    }

    fn fixes(&mut self) -> Ran {
        let mut ran = Ran { code: 0, codes: Vec::new() };
        for (id, says, line) in tasks(&self.text) {
            let mut verdict = self.judges(&id, &says);
            if matches!(verdict, Verdict::Forward) && self.is_moved() {
                verdict = self.judges(&id, &says);
            }
            let (code, left) = match verdict {
                Verdict::InStep => {
                    self.bases.insert(id, says);
                    continue;
                }
                Verdict::Forward => {
                    self.board.insert(id.clone(), says.clone());
                    self.bases.insert(id, says);
                    ("C-11", false)
                }
                Verdict::Back => {
                    let to = self.board[&id].clone();
                    self.edits(&id, line, &to);
                    self.bases.insert(id, to);
                    ("C-13", false)
                }
                Verdict::Conflict => ("conflict", true),
                Verdict::Unknown => ("unknown-status", true),
            };
            ran.codes.push(code.to_owned());
            ran.code |= i32::from(left);
        }
        ran
    }

    fn fixes_while(&mut self, task: &str, status: &str) -> Ran {
        self.meanwhile = Some((task.to_owned(), status.to_owned()));
        self.fixes()
    }
}
