//! Targets with a known defect, as processes that speak the target protocol.
//!
//! Each is what a naive author ships: right when it is used by one, and it declares in good faith what it believes to
//! keep. A gate that passes one of them is blind. None of them sleeps where a race is: whoever finds it has to be fast.

mod documents;
mod lint_fake;
mod prose;
mod registry;
mod rmw_nolock;
mod torn_tail_glue;
mod twist;
mod twist_leases;
mod twist_proposals;
mod twist_statuses;
mod unlocked_fallback;
mod wire;

use std::process::ExitCode;

use wire::Target;

/// The targets by name, each with its defect in a few words.
pub const MUTANTS: [(&str, &str); 3] = [
    ("M01", "rmw-nolock: a document is read, changed and renamed into place without a lock"),
    ("M03", "unlocked-fallback: who does not get the lock in time goes on without it"),
    ("M16", "torn-tail-glue: a record is appended to a line that was never ended"),
];

/// The registry of leases and statuses that is right, and the applier of proposals that is.
pub const CONTROLS: [&str; 2] = ["registry", "prose"];

/// The registries with a defect, by name.
pub fn registries() -> impl Iterator<Item = &'static str> {
    registry::ALL.iter().map(|(name, ..)| *name).filter(|name| !CONTROLS.contains(name))
}

/// The appliers of proposals with a defect, by name.
pub fn appliers() -> impl Iterator<Item = &'static str> {
    prose::ALL.iter().map(|(name, ..)| *name).filter(|name| !CONTROLS.contains(name))
}

/// Every target with a defect, by name.
pub fn broken() -> impl Iterator<Item = &'static str> {
    MUTANTS.iter().map(|(name, _)| *name).chain(registries()).chain(appliers())
}

/// What stands before the rule in the name of a fake adapter that misreads it.
pub const LINT_FAKE: &str = "lint-fake:";

/// Serves the target `name` on stdin and stdout; 2 where there is no such target.
#[must_use]
pub fn run(name: &str) -> ExitCode {
    if let Some(rule) = name.strip_prefix(LINT_FAKE) {
        return lint_fake::run(rule).map_or_else(|error| stopped(name, &error), ExitCode::from);
    }
    let mut target: Box<dyn Target> = match name {
        "M01" => Box::new(rmw_nolock::RmwNolock),
        "M03" => Box::new(unlocked_fallback::UnlockedFallback::new()),
        "M16" => Box::new(torn_tail_glue::TornTailGlue),
        _ => {
            if let Some((_, defect, _)) = registry::ALL.iter().find(|(known, ..)| *known == name) {
                return serve(name, &mut registry::Registry::new(*defect));
            }
            if let Some((_, defect, _)) = prose::ALL.iter().find(|(known, ..)| *known == name) {
                return serve(name, &mut prose::Applier::new(*defect));
            }
            let names: Vec<&str> = broken().collect();
            eprintln!("fencehold-gate: there is no target {name:?}; there are {}", names.join(", "));
            return ExitCode::from(2);
        }
    };
    serve(name, target.as_mut())
}

fn serve(name: &str, target: &mut dyn Target) -> ExitCode {
    match wire::serve(target) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stopped(name, &error),
    }
}

fn stopped(name: &str, error: &std::io::Error) -> ExitCode {
    eprintln!("fencehold-gate: target {name}: {error}");
    ExitCode::from(3)
}
