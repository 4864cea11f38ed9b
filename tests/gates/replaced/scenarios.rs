//! What is done to phases in a repository, and what must come of it.

use std::fs;

use super::super::repo::{DAY_S, Repo};

/// Ok, or what went wrong.
pub(super) type Outcome = Result<(), String>;

/// The proof of a phase, below the top.
pub(super) fn proof(phase: &str) -> String {
    format!("phases/{phase}/VERIFICATION.md")
}

/// The folder of the log of overrides.
pub(super) const LOGS: &str = "docs";

/// Something that says which phases are done, in a repository with work and with proofs.
pub(super) trait Phases {
    /// The repository.
    fn repo(&self) -> &Repo;
    /// Calls a phase done, with these arguments behind; false where that was refused.
    fn done(&mut self, phase: &str, args: &[&str]) -> bool;
    /// Calls two phases done, both at once, with these arguments behind; how often it was told that it is done.
    fn both_done(&mut self, phases: [&str; 2], args: &[&str]) -> usize;
    /// The phases that are done.
    fn are_done(&mut self) -> Vec<String>;
    /// What is on record of why a phase was forced, wherever it stands.
    fn reasons(&mut self, phase: &str) -> Vec<String>;
}

type Fresh<'a> = &'a mut dyn FnMut() -> Box<dyn Phases>;

/// A proof that is older than the work, and than seven days.
fn with_stale_proof(fresh: Fresh<'_>) -> Box<dyn Phases> {
    let phases = fresh();
    let repo = phases.repo();
    repo.write(&proof("7"), "verified\n");
    repo.commit("verified", 30 * DAY_S);
    repo.0.git(&["branch", "before"]);
    repo.write(&proof("7"), "verified, says another\n");
    repo.commit("verified, says another", 25 * DAY_S);
    repo.write("src/main.rs", "fn main() { work() }\n");
    repo.commit("more work", 20 * DAY_S);
    repo.touch(&proof("7"), -i64::try_from(25 * DAY_S).unwrap());
    phases
}

/// Something that makes a file look new.
type Trick = fn(&Repo);

pub(super) fn stale_proof(fresh: Fresh<'_>) -> Outcome {
    let tricks: [(&str, Trick); 6] = [
        ("nothing", |_| {}),
        ("a touch", |repo| repo.touch(&proof("7"), 0)),
        ("a time in the future", |repo| repo.touch(&proof("7"), 400 * 24 * 60 * 60)),
        ("a checkout", |repo| {
            repo.0.git(&["checkout", "-q", "before"]);
            repo.0.git(&["checkout", "-q", "main"]);
        }),
        ("a copy in its place", |repo| {
            let text = fs::read(repo.path(&proof("7"))).unwrap();
            fs::remove_file(repo.path(&proof("7"))).unwrap();
            fs::write(repo.path(&proof("7")), text).unwrap();
        }),
        ("an empty file", |repo| {
            repo.write(&proof("7"), "");
            repo.commit("verified, empty", 0);
        }),
    ];
    for (name, trick) in tricks {
        let mut phases = with_stale_proof(fresh);
        trick(phases.repo());
        if phases.done("7", &[]) || !phases.are_done().is_empty() {
            return Err(format!("a stale proof passed after: {name}"));
        }
        phases.repo().write(&proof("7"), "verified, really\n");
        phases.repo().commit("verified", 0);
        if !phases.done("7", &[]) || phases.are_done() != ["7"] {
            return Err(format!("a fresh proof did not pass after: {name}"));
        }
    }
    Ok(())
}

/// How often two meet: ours as processes, at whatever instants they come to.
const MEETINGS: usize = 6;

pub(super) fn two_at_once(fresh: Fresh<'_>) -> Outcome {
    let mut phases = fresh();
    fs::create_dir(phases.repo().path(LOGS)).unwrap();
    for meeting in 0..MEETINGS {
        let (one, other) = (format!("{meeting}a"), format!("{meeting}b"));
        let by_force = meeting % 2 == 1;
        if !by_force {
            for phase in [&one, &other] {
                phases.repo().write(&proof(phase), "verified\n");
            }
            phases.repo().commit("verified", 0);
        }
        let args: &[&str] = if by_force { &["--force", "--reason", "in a hurry"] } else { &[] };
        let told = phases.both_done([&one, &other], args);
        let done = phases.are_done();
        let there = [&one, &other].into_iter().filter(|phase| done.contains(phase)).count();
        if (told, there) != (2, 2) {
            return Err(format!("{told} of both were told that it is done, and {there} are: {done:?}")
                .replace("2 of both were", "both were"));
        }
        for phase in [&one, &other] {
            let reasons = phases.reasons(phase).len();
            if reasons != usize::from(by_force) {
                return Err(format!("{reasons} reasons are on record of {phase}"));
            }
        }
    }
    Ok(())
}

pub(super) fn reasons(fresh: Fresh<'_>) -> Outcome {
    let wrong: [&[&str]; 9] = [
        &["--force", "--reason", ""],
        &["--force", "--reason", " "],
        &["--force", "--reason", "\t\n"],
        &["--force", "--reason", "\u{a0}\u{200b}\u{2028}"],
        &["--force", "--reason", "-"],
        &["--force", "--reason", "..."],
        &["--force", "--reason", "--json"],
        &["--force"],
        &["--force", "--reason"],
    ];
    for args in wrong {
        let mut phases = fresh();
        fs::create_dir(phases.repo().path(LOGS)).unwrap();
        if phases.done("7", args) || !phases.are_done().is_empty() {
            return Err(format!("passed by force with {args:?}"));
        }
        if !phases.reasons("7").is_empty() {
            return Err(format!("refused with {args:?}, and there is a record"));
        }
    }
    // The second time the log of overrides cannot be written: there is no folder for it.
    for has_folder in [true, false] {
        let mut phases = fresh();
        if has_folder {
            fs::create_dir(phases.repo().path(LOGS)).unwrap();
        }
        phases.done("7", &["--force", "--reason", "in a hurry"]);
        let forced = phases.are_done() == ["7"];
        if forced && phases.reasons("7") != ["in a hurry"] {
            return Err("the phase was forced, and nothing says why".to_owned());
        }
        if has_folder && !forced {
            return Err("a good reason was refused".to_owned());
        }
    }
    Ok(())
}
