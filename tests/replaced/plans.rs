mod naive;
mod scenarios;

use naive::{Flaw, Naive, PUBLISHED};
use scenarios as on;
use scenarios::{Outcome, Plan, Ran};

use crate::plan::kit::{Plans, Told};

/// Ours: a repository, and the command as a process.
struct Shipped(Plans);

fn ran(told: &Told) -> Ran {
    Ran { code: told.code, codes: told.codes().iter().map(|(code, ..)| (*code).to_owned()).collect() }
}

impl Plan for Shipped {
    fn commits(&mut self, text: &str) {
        self.0.commit("plan.md", text, "a person edits");
    }

    fn text(&self) -> String {
        self.0.read("plan.md")
    }

    fn sets(&mut self, task: &str, status: &str) {
        self.0.set(&["set", task, status]);
    }

    fn board(&self, task: &str) -> String {
        self.0.on_board(task)
    }

    fn fixes(&mut self) -> Ran {
        ran(&self.0.plan(&["fix", "plan.md"]))
    }

    fn fixes_while(&mut self, task: &str, status: &str) -> Ran {
        ran(&self.0.meanwhile(&["task", "set", task, status], &["fix", "plan.md"]))
    }
}

/// Something with flaws, and what the scenario says of it.
type Broken = (&'static [Flaw], &'static str);

/// Ours passes the scenario, as does a helper in memory without a flaw; those that are broken do not, each for its flaw.
#[track_caller]
fn replaced(scenario: fn(&mut dyn Plan) -> Outcome, broken: &[Broken]) {
    assert_eq!(scenario(&mut Shipped(Plans::new())), Ok(()), "ours");
    assert_eq!(scenario(&mut Naive::new(&[])), Ok(()), "no flaw");
    for (flaws, says) in broken {
        let why = scenario(&mut Naive::new(flaws)).expect_err("a flaw");
        assert!(why.contains(says), "{flaws:?}: {why}");
    }
    assert!(!broken.is_empty(), "nothing shows that it can fail");
}

/// Defect CUST-3: two statuses of one rank, and the file's is written over.
/// Shown on M53: a tie is ahead.
/// Shown on the published algorithm of CUST-3: the same.
///
/// Behaviour E1.1: five statuses in three ranks, and a tie is a tie.
#[test]
fn a_tie_changes_neither_side() {
    let says = "cancelled by a person, and the file says done";
    replaced(on::a_person_cancels_what_is_done, &[(&[Flaw::TieIsAhead], says), (PUBLISHED, says)]);
}

/// Defect CUST-4: what a person takes up again is written back as done.
/// Shown on M54: nothing ever goes down.
/// Shown on the published algorithm of CUST-4: the same.
///
/// Behaviour E1.2: the board follows the file (C-11), and the file the board (C-13).
#[test]
fn what_is_taken_up_again_stays_so() {
    let says = "taken up again by a person, and the file says done";
    replaced(on::a_person_takes_it_up_again, &[(&[Flaw::MonotoneForever], says), (PUBLISHED, says)]);
}

/// Defect CUST-6: an agent's status, set between the look at the board and the step, is undone.
/// Shown on M57: the step asks for nothing.
/// Shown on the published algorithm of CUST-6: the same.
#[test]
fn a_step_never_undoes_what_it_did_not_see() {
    let says = "done by an agent, and the board says in_progress";
    replaced(on::an_agent_is_faster, &[(&[Flaw::BlindPatch], says), (PUBLISHED, says)]);
}

/// Defect CUST-13: the status of another task, or what is none, is changed too.
/// Shown on M56: T1 is found in T10, and a status wherever the word stands.
/// Shown on the published algorithm of CUST-13: the same.
#[test]
fn an_edit_changes_one_status() {
    let says = "more than one status was changed";
    replaced(on::neighbours_that_look_alike, &[(&[Flaw::EditOutsideBlock], says), (PUBLISHED, says)]);
}

/// Defect CUST-17: a status that nobody knows counts as the lowest, and is written over.
/// Shown on the published algorithm of CUST-17: the same.
///
/// Behaviour E1.6: 0 where all is in step, and not where anything is left; each finding has a code.
#[test]
fn a_status_that_nobody_knows_is_left() {
    let says = "Done is no status, and the file says in_progress";
    replaced(on::a_status_that_is_unknown, &[(&[Flaw::UnknownIsLowest], says), (PUBLISHED, says)]);
}
