//! Spellings of ids: on every pair of a list, whether two mean one task.

use fencehold_model::policy::IdForm;
use fencehold_model::spec::status::canonical;
use fencehold_model::status::{Command, Decision};
use fencehold_model::{Policy, State, TaskId};

use super::Shape;
use super::search::entry;
use super::shape::status;
use super::subject::Subject;

/// What was looked at.
#[derive(Debug, Clone, Default)]
pub struct IdsChecked {
    /// Pairs of spellings, under one policy each.
    pub pairs: u64,
    /// Of these, pairs that are one task.
    pub same: u64,
    /// The first pair that is wrong.
    pub found: Option<String>,
}

const SPELLINGS: [&str; 22] = [
    "5", "05", "005", "0", "00", "50", "5.1", "05.01", "5.10", "5.1.0", "5.", ".5", "5..1", "T1", "T01",
    "T10", "t1", "1", "10", "01.10", "-5", "٥",
];

/// Looks at every pair of spellings, under every form of ids.
///
/// # Panics
/// Never: its own texts are ids.
pub fn check_ids(subject: &impl Subject) -> IdsChecked {
    let mut out = IdsChecked::default();
    for form in [IdForm::Text, IdForm::Numbers] {
        for (one, other) in SPELLINGS.iter().flat_map(|one| SPELLINGS.map(|other| (*one, other))) {
            out.pairs += 1;
            let same = one == other || (form == IdForm::Numbers && canonical(one) == canonical(other));
            out.same += u64::from(same);
            if let Err(why) = pair(subject, form, one, other, same) {
                out.found = Some(format!("{one} and {other}, ids are {}: {why}", form.word()));
                return out;
            }
        }
    }
    out
}

/// Two sets, the second by the other spelling.
fn pair(subject: &impl Subject, form: IdForm, one: &str, other: &str, same: bool) -> Result<(), String> {
    let vocabulary = Shape { levels: vec![(1, 0), (1, 0)] }.vocabulary();
    let policy = Policy { vocabulary, task_ids: form, ..Policy::default() };
    let mut state = State { policy, ..State::default() };
    for (revision, (id, to)) in (1..).zip([(one, 1), (other, 0)]) {
        let task = TaskId::new(id).map_err(|bad| bad.to_string())?;
        let command =
            Command::Set { task, to: status(to), from: None, epoch: 0, detail: None, resolve: false };
        match subject.decide(&state, &command) {
            Decision::Record(event) if revision == 1 || !same => {
                let owed = if form == IdForm::Numbers { canonical(id) } else { id.to_owned() };
                if event.task().map(TaskId::as_str) != Some(&owed) {
                    return Err(format!("the event names {:?}, and {owed} is due", event.task()));
                }
                subject.apply(&mut state, &entry(revision, event));
            }
            Decision::Refuse(_) if revision == 2 && same => {}
            decision => return Err(format!("{id} was decided {decision:?}")),
        }
    }
    let tasks = if same { 1 } else { 2 };
    if state.tasks.len() == tasks { Ok(()) } else { Err(format!("{} tasks", state.tasks.len())) }
}
