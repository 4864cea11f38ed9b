//! The statuses of a workspace, in their order.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::Status;
use crate::json::{Fields, Malformed, Tree, Writer};

/// The most statuses that a vocabulary has.
pub const STATUSES_MAX: usize = 32;
/// The highest rank.
pub const RANK_MAX: u64 = 1_000_000;

/// One status of a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Its name.
    pub status: Status,
    /// Where it stands in the order; statuses of one rank are beside each other.
    pub rank: u64,
    /// Whether it is left by a reopen only.
    pub terminal: bool,
}

/// The statuses of a workspace, by rank and name. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary(Vec<Rung>);

impl Default for Vocabulary {
    /// `todo 0 < in_progress 1 = blocked 1 < done 2 = cancelled 2`, the last two terminal.
    fn default() -> Self {
        let rung = |status, rank, terminal| Rung {
            status: Status::new(status).expect("a word is a status"),
            rank,
            terminal,
        };
        Vocabulary::new(alloc::vec![
            rung("todo", 0, false),
            rung("in_progress", 1, false),
            rung("blocked", 1, false),
            rung("done", 2, true),
            rung("cancelled", 2, true),
        ])
        .expect("the default vocabulary is one")
    }
}

impl Vocabulary {
    /// Takes the statuses in any order.
    ///
    /// # Errors
    /// What is wrong with them: none, more than [`STATUSES_MAX`], a name twice, a rank above [`RANK_MAX`].
    pub fn new(mut rungs: Vec<Rung>) -> Result<Self, String> {
        if rungs.is_empty() {
            return Err("a vocabulary needs at least one status".to_owned());
        }
        if rungs.len() > STATUSES_MAX {
            return Err(format!("a vocabulary of {} statuses; the most is {STATUSES_MAX}", rungs.len()));
        }
        if let Some(rung) = rungs.iter().find(|rung| rung.rank > RANK_MAX) {
            return Err(format!("status {} has rank {}; the highest is {RANK_MAX}", rung.status, rung.rank));
        }
        rungs.sort_by(|a, b| a.status.cmp(&b.status));
        if let Some(two) = rungs.windows(2).find(|two| two[0].status == two[1].status) {
            return Err(format!("status {} stands twice", two[0].status));
        }
        rungs.sort_by(|a, b| (a.rank, &a.status).cmp(&(b.rank, &b.status)));
        Ok(Vocabulary(rungs))
    }

    /// Its statuses, by rank and name.
    #[must_use]
    pub fn rungs(&self) -> &[Rung] {
        &self.0
    }

    /// Where a status stands.
    #[must_use]
    pub fn rung(&self, status: &Status) -> Option<&Rung> {
        self.0.iter().find(|rung| rung.status == *status)
    }

    /// The rank that all of `statuses` have.
    ///
    /// # Errors
    /// Where there is none: no status, one that is unknown, or two of different ranks.
    pub fn check<'a>(&self, statuses: impl IntoIterator<Item = &'a Status>) -> Result<u64, String> {
        let mut common: Option<&Rung> = None;
        for status in statuses {
            let rung = self.rung(status).ok_or_else(|| self.unknown(status))?;
            if let Some(other) = common.filter(|other| other.rank != rung.rank) {
                return Err(format!("{} and {status} have different ranks", other.status));
            }
            common = Some(rung);
        }
        common.map(|rung| rung.rank).ok_or_else(|| "no status at all".to_owned())
    }

    /// Says that a status is unknown, and which are known.
    #[must_use]
    pub fn unknown(&self, status: &Status) -> String {
        let known: Vec<&str> = self.0.iter().map(|rung| rung.status.as_str()).collect();
        format!("status {status} is unknown; this workspace has {}", known.join(", "))
    }

    /// Writes its JSON array.
    pub fn write(&self, out: &mut String) {
        out.push('[');
        for (index, rung) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            let mut to = Writer::new(out);
            to.text("name", rung.status.as_str()).number("rank", rung.rank);
            if rung.terminal {
                to.value("terminal", |out| out.push_str("true"));
            }
            to.end();
        }
        out.push(']');
    }

    /// Reads what [`Vocabulary::write`] wrote.
    pub fn read(array: &[Tree<'_>]) -> Result<Self, Malformed> {
        let rungs = array.iter().map(|rung| {
            let fields = Fields::of(rung)?;
            let terminal = match fields.get("terminal") {
                None => false,
                Some(Tree::Bool(terminal)) => *terminal,
                Some(_) => return Err(Malformed("field `terminal` is not true or false".to_string())),
            };
            Ok(Rung { status: fields.id("name")?, rank: fields.number("rank")?, terminal })
        });
        Vocabulary::new(rungs.collect::<Result<_, _>>()?).map_err(Malformed)
    }
}
