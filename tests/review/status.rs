//! Statuses (M19): a set names its epoch, epochs do not collide, a tie is no loss.

use fencehold::ledger::TaskVerdict;
use fencehold_model::status::{Command, Value};
use fencehold_model::{Status, TaskId};

use crate::spec_kit::{HOUR, Lab, acquire, asking};

fn task() -> TaskId {
    TaskId::new("t").unwrap()
}

fn set(to: &str, epoch: u64) -> Command {
    let to = Status::new(to).unwrap();
    Command::Set { task: task(), to, from: None, epoch, detail: None, resolve: false }
}

fn ask(lab: &Lab, command: &Command) -> Result<Value, &'static str> {
    match lab.party().task(&asking("a"), command).unwrap().verdict {
        TaskVerdict::Stands { value, .. } => Ok(value),
        TaskVerdict::Refused(refusal) => Err(refusal.word()),
    }
}

fn reopen(lab: &Lab) -> u64 {
    let to = Status::new("todo").unwrap();
    ask(lab, &Command::Reopen { task: task(), to, from: None, epoch: None, reason: "again".to_owned() })
        .unwrap()
        .epoch
}

fn words(value: &Value) -> Vec<String> {
    value.statuses.keys().map(ToString::to_string).collect()
}

/// (a) An agent starts in epoch 0, the task is reopened, its late `done` is a step up by rank. It is refused: it names
/// the epoch it saw. The wrong variant names none and takes the one that stands: the reopen is undone.
#[test]
fn review_M19_a_late_done_does_not_undo_a_reopen() {
    let lab = Lab::new();
    ask(&lab, &set("done", 0)).unwrap();
    let epoch = reopen(&lab);
    assert_eq!(ask(&lab, &set("done", 0)), Err("stale_epoch"));
    let stands = ask(&lab, &set("todo", epoch)).unwrap();
    assert_eq!((words(&stands), stands.epoch), (vec!["todo".to_owned()], epoch));
    let undone = ask(&lab, &set("done", epoch)).unwrap();
    assert_eq!(words(&undone), ["done"], "a set that takes the epoch from what stands would have undone it");
}

/// (b) Two clones reopen the same task: their epochs are revisions, so one's `done` does not swallow the other's reopen
/// by having the same number. The wrong variant counts: both would be epoch 1.
#[test]
fn review_M19_epochs_of_two_clones_do_not_collide() {
    let (one, two) = (Lab::new(), Lab::new());
    // The clones have gone different ways before.
    one.party().submit(&asking("a"), &acquire("other", "h", HOUR)).unwrap();
    for lab in [&one, &two] {
        ask(lab, &set("done", 0)).unwrap();
    }
    let (first, second) = (reopen(&one), reopen(&two));
    assert!(first > 1 && second > 1 && first != second, "{first} {second}");
    let done = ask(&two, &set("done", second)).unwrap();
    let reopened = ask(&one, &Command::Merge { task: task(), value: done.clone() }).unwrap();
    let merged = ask(&two, &Command::Merge { task: task(), value: reopened.clone() }).unwrap();
    assert_eq!(merged, reopened, "and both clones come to one value");
    assert_eq!(merged.epoch, first.max(second));
}

/// (c) The join is one: in_progress and blocked, of one rank, merge to both in either order. The wrong variant, in which
/// a tie changes nothing, keeps whichever was first.
#[test]
fn review_M19_a_tie_merges_to_both_in_either_order() {
    let value = |word: &str| {
        let lab = Lab::new();
        ask(&lab, &set(word, 0)).unwrap()
    };
    let (progress, blocked) = (value("in_progress"), value("blocked"));
    let joined = |first: &Value, second: &Value| {
        let lab = Lab::new();
        ask(&lab, &Command::Merge { task: task(), value: first.clone() }).unwrap();
        ask(&lab, &Command::Merge { task: task(), value: second.clone() }).unwrap()
    };
    assert_eq!(joined(&progress, &blocked), joined(&blocked, &progress));
    assert_eq!(words(&joined(&progress, &blocked)), ["blocked", "in_progress"]);
    assert_ne!(progress, blocked, "the wrong variant: each clone keeps its own");
}
