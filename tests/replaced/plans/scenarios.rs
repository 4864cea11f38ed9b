//! What befalls a plan file and its board, by a scenario that does not know whose helper it is.

use crate::plan::kit::block;

pub(super) type Outcome = Result<(), String>;

/// What a run ended with: its exit code and the codes of what it told.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) codes: Vec<String>,
}

/// One plan file, a board, and a helper that keeps them in step.
pub(super) trait Plan {
    /// A person edits the file, and commits it.
    fn commits(&mut self, text: &str);
    fn text(&self) -> String;
    /// An agent moves the board.
    fn sets(&mut self, task: &str, status: &str);
    fn board(&self, task: &str) -> String;
    /// The helper runs.
    fn fixes(&mut self) -> Ran;
    /// The helper runs, and between its look at the board and its first step an agent moves it.
    fn fixes_while(&mut self, task: &str, status: &str) -> Ran;
}

fn need(is: bool, what: impl FnOnce() -> String) -> Outcome {
    if is { Ok(()) } else { Err(what()) }
}

/// It ran with these codes, and nothing is left.
fn done(ran: &Ran, codes: &[&str]) -> Outcome {
    need(ran.code == 0 && ran.codes == codes, || format!("{ran:?} and not {codes:?}"))
}

/// It left this, and said so by its exit code.
fn left(ran: &Ran, code: &str) -> Outcome {
    need(ran.code != 0 && ran.codes.iter().any(|told| told == code), || {
        format!("{code} is not told: {ran:?}")
    })
}

/// File and board agree on `todo`.
fn agreed(plan: &mut dyn Plan, text: &str) -> Outcome {
    plan.commits(text);
    let ran = plan.fixes();
    need(ran.code == 0 && plan.fixes().code == 0, || format!("{ran:?}"))
}

pub(super) fn a_person_cancels_what_is_done(plan: &mut dyn Plan) -> Outcome {
    agreed(plan, &block("T1", "todo"))?;
    plan.sets("T1", "done");
    plan.commits(&block("T1", "cancelled"));
    let ran = plan.fixes();
    let told = plan.text();
    need(told == block("T1", "cancelled"), || "cancelled by a person, and the file says done".to_owned())?;
    need(plan.board("T1") == "done", || "done by an agent, and the board says otherwise".to_owned())?;
    left(&ran, "conflict")
}

pub(super) fn a_person_takes_it_up_again(plan: &mut dyn Plan) -> Outcome {
    agreed(plan, &block("T1", "todo"))?;
    plan.sets("T1", "done");
    done(&plan.fixes(), &["C-13"])?;
    plan.commits(&block("T1", "todo"));
    let ran = plan.fixes();
    let told = plan.text();
    need(told == block("T1", "todo"), || "taken up again by a person, and the file says done".to_owned())?;
    need(plan.board("T1") == "todo", || format!("taken up again, and the board says {}", plan.board("T1")))?;
    done(&ran, &["C-11"])?;
    done(&plan.fixes(), &[])
}

pub(super) fn an_agent_is_faster(plan: &mut dyn Plan) -> Outcome {
    agreed(plan, &block("T1", "todo"))?;
    plan.commits(&block("T1", "in_progress"));
    let ran = plan.fixes_while("T1", "done");
    let board = plan.board("T1");
    need(board == "done", || format!("done by an agent, and the board says {board}"))?;
    left(&ran, "conflict")
}

pub(super) fn neighbours_that_look_alike(plan: &mut dyn Plan) -> Outcome {
    let text = |status: &str| {
        let first =
            format!("```task\nid: T1\nstatus_note: status: todo\nstatus: {status} # status: todo\n```\n");
        let example = "````\n```task\nid: T1\nstatus: todo\n```\n````\n";
        format!("# T1, status: todo\n\n{}\n{first}\n{example}\nid: T1\nstatus: todo\n", block("T10", "todo"))
    };
    agreed(plan, &text("todo"))?;
    plan.sets("T1", "done");
    let ran = plan.fixes();
    need(plan.text() == text("done"), || format!("more than one status was changed:\n{}", plan.text()))?;
    need(plan.board("T10") == "todo", || "the board of another task moved".to_owned())?;
    done(&ran, &["C-13"])
}

pub(super) fn a_status_that_is_unknown(plan: &mut dyn Plan) -> Outcome {
    agreed(plan, &block("T1", "todo"))?;
    plan.sets("T1", "in_progress");
    plan.commits(&block("T1", "Done"));
    let ran = plan.fixes();
    let told = plan.text();
    need(told == block("T1", "Done"), || "Done is no status, and the file says in_progress".to_owned())?;
    need(plan.board("T1") == "in_progress", || "the board follows a status that nobody knows".to_owned())?;
    left(&ran, "unknown-status")?;
    plan.commits(&block("T1", "in_progress"));
    done(&plan.fixes(), &[])
}
