use std::collections::BTreeMap;

use fencehold::error::{Error, Happened};
use fencehold::fs::RealFs;
use fencehold::ledger::TaskVerdict;
use fencehold_model::policy::IdForm;
use fencehold_model::status::{Command, Detail, Rung, Value, Vocabulary};
use fencehold_model::{Policy, Status, TaskId};

use crate::spec_kit::{Does as _, HOUR, Lab, Party, acquire, asking};

/// A workspace whose tasks are moved and told by lines of text.
pub(super) struct Board {
    pub(super) lab: Lab,
    pub(super) party: Party<RealFs>,
}

pub(super) fn task(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

pub(super) fn status(word: &str) -> Status {
    Status::new(word).unwrap()
}

pub(super) fn detail(json: &str) -> Detail {
    Detail::new(&serde_json::from_str(json).unwrap()).unwrap()
}

/// A vocabulary as `todo 0, done 1 t`: `t` says that a status is terminal.
pub(super) fn vocabulary(text: &str) -> Result<Vocabulary, String> {
    let rung = |rung: &str| {
        let words: Vec<&str> = rung.split_whitespace().collect();
        Rung {
            status: status(words[0]),
            rank: words[1].parse().unwrap(),
            terminal: words.get(2) == Some(&"t"),
        }
    };
    Vocabulary::new(text.split(", ").filter(|rung| !rung.is_empty()).map(rung).collect())
}

pub(super) fn policy(text: &str, task_ids: IdForm) -> Policy {
    Policy { vocabulary: vocabulary(text).unwrap(), task_ids, ..Policy::default() }
}

/// `set TASK STATUS [from=…] [epoch=…] [detail=…] [resolve]`, `reopen TASK STATUS [from=…] [epoch=…] [REASON]` or
/// `merge TASK EPOCH.TURN STATUS[DETAIL][+…]`.
pub(super) fn command(text: &str) -> Command {
    let words: Vec<&str> = text.split(' ').collect();
    let option = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
    match words[0] {
        "set" => Command::Set {
            task: task(words[1]),
            to: status(words[2]),
            from: option("from=").map(status),
            epoch: option("epoch=").map_or(0, |epoch| epoch.parse().unwrap()),
            detail: option("detail=").map(detail),
            resolve: words.contains(&"resolve"),
        },
        "reopen" => {
            let is_option = |word: &&str| word.starts_with("from=") || word.starts_with("epoch=");
            let reason: Vec<&str> = words[3..].iter().copied().filter(|word| !is_option(word)).collect();
            Command::Reopen {
                task: task(words[1]),
                to: status(words[2]),
                from: option("from=").map(status),
                epoch: option("epoch=").map(|epoch| epoch.parse().unwrap()),
                reason: reason.join(" "),
            }
        }
        "merge" => Command::Merge { task: task(words[1]), value: value(&words[2..].join(" ")) },
        other => panic!("no command: {other}"),
    }
}

/// A value as [`told`] tells it.
pub(super) fn value(text: &str) -> Value {
    let (at, sides) = text.split_once(' ').unwrap();
    let (epoch, turn) = at.split_once('.').unwrap();
    let side = |side: &str| match side.split_once('{') {
        None => (status(side), None),
        Some((word, rest)) => (status(word), Some(detail(&format!("{{{rest}")))),
    };
    let statuses: BTreeMap<_, _> = sides.split('+').filter(|side| !side.is_empty()).map(side).collect();
    Value { epoch: epoch.parse().unwrap(), turn: turn.parse().unwrap(), statuses }
}

/// A value as `EPOCH.TURN STATUS[DETAIL][+…]`.
pub(super) fn told(value: &Value) -> String {
    let side = |(status, detail): (&Status, &Option<Detail>)| {
        format!("{status}{}", detail.as_ref().map_or("", Detail::as_str))
    };
    let sides: Vec<String> = value.statuses.iter().map(side).collect();
    format!("{}.{} {}", value.epoch, value.turn, sides.join("+"))
}

impl Board {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        let board = Board { party: lab.party(), lab };
        // The first commit of a boot records the boot; then what is refused changes no byte.
        board.party.token(&acquire("first", "tester", HOUR));
        board
    }

    /// One whose tasks stand as these commands say.
    #[track_caller]
    pub(super) fn with(commands: &[&str]) -> Self {
        let board = Board::new();
        board.all(commands);
        board
    }

    #[track_caller]
    pub(super) fn all(&self, commands: &[&str]) {
        for command in commands {
            let done = self.does(command);
            assert!(done.starts_with("ok "), "{command}: {done}");
        }
    }

    /// What a command comes to: `ok VALUE`, `already VALUE`, a reason with the value that stands, or `fails: WHY`. What
    /// is not `ok` must have changed no byte.
    #[track_caller]
    pub(super) fn does(&self, text: &str) -> String {
        self.decides(&command(text))
    }

    #[track_caller]
    pub(super) fn decides(&self, command: &Command) -> String {
        let before = self.lab.snapshot();
        let said = match self.party.task(&asking("tester"), command) {
            Ok(answer) => match answer.verdict {
                TaskVerdict::Stands { value, already: false, .. } => return format!("ok {}", told(&value)),
                TaskVerdict::Stands { value, already: true, .. } => format!("already {}", told(&value)),
                TaskVerdict::Refused(refusal) => {
                    let stands = refusal.stands().map_or(String::new(), |value| format!(" {}", told(value)));
                    format!("{}{stands}", refusal.word())
                }
            },
            Err(error) => {
                assert!(matches!(error, Error::Usage { .. }), "{error:?}");
                assert_eq!(error.happened(), Happened::No, "{error}");
                format!("fails: {error}")
            }
        };
        assert_eq!(self.lab.snapshot(), before, "{command:?} changed something");
        said
    }

    /// What stands, told; empty where nothing does.
    #[track_caller]
    pub(super) fn stands(&self, id: &str) -> String {
        let seen = self.lab.party().show_task(&task(id)).unwrap();
        seen.value.map_or(String::new(), |view| told(&view.cell.value))
    }

    /// Each command on its own from where `begin` leads, and what it must come to; `fails` stands for any error.
    #[track_caller]
    pub(super) fn table(begin: &[&str], cases: &[(&str, &str)]) {
        for (command, owed) in cases {
            let said = Board::with(begin).does(command);
            let right = if *owed == "fails" { said.starts_with("fails: ") } else { said == *owed };
            assert!(right, "after {begin:?}, {command}: {said}, and {owed} is due");
        }
    }
}
