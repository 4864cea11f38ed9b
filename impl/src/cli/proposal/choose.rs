//! Which proposals a command is about: by id, by number, all, or asked for on a terminal.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin};

use fencehold_model::ProposalId;
use fencehold_model::proposal::{Refusal, Target};

use super::args::Chosen;
use super::look::{is_pending, line};
use super::pick::Numbers;
use super::{RealProse, diff, known, render, with_prose};
use crate::cli::front::plain;
use crate::cli::locks::Locks;
use crate::cli::out::Ended;
use crate::cli::session::Session;
use crate::error::{Error, Result};
use crate::prose::View;

/// Does `then` with each proposal that is chosen, in the order of their numbers, and ends with the worst code. An error
/// ends it there.
pub(super) fn each(
    session: &Session,
    chosen: &Chosen,
    doing: &str,
    mut then: impl FnMut(&Locks, &RealProse<'_>, &Target, &ProposalId) -> Ended,
) -> Ended {
    with_prose(session, |found| {
        let target = known(session, found.map(|(locks, _)| locks), &chosen.target, &chosen.ids)?;
        let mut worst = 0;
        let Some((locks, prose)) = found else {
            for id in &chosen.ids {
                worst = worst.max(render::refused(session, &target, id, &Refusal::NotFound)?);
            }
            if chosen.ids.is_empty() {
                session.out.say(&format!("nothing is proposed for {}", plain(target.as_str())));
            }
            return Ok(worst);
        };
        let ids = if chosen.ids.is_empty() {
            let mut pending = prose.list(Some(&target))?.value;
            pending.retain(is_pending);
            match choose(session, prose, chosen, doing, pending)? {
                Some(ids) => ids,
                None => {
                    session.out.say("nothing was done");
                    return Ok(0);
                }
            }
        } else {
            let mut seen = BTreeSet::new();
            chosen.ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
        };
        for id in &ids {
            worst = worst.max(then(locks, prose, &target, id)?);
        }
        Ok(worst)
    })
}

/// The ids of those that are chosen among `pending`; none where whoever was asked wants none.
fn choose(
    session: &Session,
    prose: &RealProse<'_>,
    chosen: &Chosen,
    doing: &str,
    pending: Vec<View>,
) -> Result<Option<Vec<ProposalId>>> {
    let asks = stdin().is_terminal() && stderr().is_terminal();
    if !asks && !chosen.yes {
        return Err(Error::usage(format!(
            "nobody can be asked here: name the proposals to {doing} by their ids, or give --all or --pick with --yes"
        )));
    }
    if pending.is_empty() {
        session.out.say("nothing waits");
        return Ok(Some(Vec::new()));
    }
    let numbers = match (&chosen.pick, chosen.all) {
        (Some(numbers), _) => Some(numbers.clone()),
        (None, true) => None,
        (None, false) if !asks => {
            return Err(Error::usage(format!("--yes alone names nothing to {doing}: give --all or --pick")));
        }
        (None, false) => {
            pending.iter().for_each(|view| show(&line(view)));
            let typed = ask(&format!("{doing} which (numbers as in 1-3,5; a for all; q for none)? "))?;
            match typed.as_str() {
                "a" => None,
                "" | "q" => return Ok(None),
                typed => Some(
                    typed.parse().map_err(|why: String| Error::usage(format!("{why}; nothing was done")))?,
                ),
            }
        }
    };
    if let Some(numbers) = &numbers {
        check(numbers, &pending)?;
    }
    let wanted = |view: &View| numbers.as_ref().is_none_or(|numbers| numbers.contains(view.proposal.number));
    let wanted: Vec<View> = pending.into_iter().filter(wanted).collect();
    if !chosen.yes {
        for view in &wanted {
            show(&line(view));
            show(&changes(session, prose, view)?);
        }
        if !matches!(ask(&format!("{doing} {}? [y/N] ", wanted.len()))?.as_str(), "y" | "Y" | "yes") {
            return Ok(None);
        }
    }
    Ok(Some(wanted.into_iter().map(|view| view.id).collect()))
}

/// A number that is no proposal's that waits is a slip of the finger, and nothing is done.
fn check(numbers: &Numbers, pending: &[View]) -> Result<()> {
    let is_there = |first, last| pending.iter().any(|view| (first..=last).contains(&view.proposal.number));
    let idle = numbers.idle(is_there);
    if idle.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("nothing that waits has the number {}; nothing was done", idle.join(", "))))
}

/// What it would change in the file as that is now, or what it says where it cannot.
fn changes(session: &Session, prose: &RealProse<'_>, view: &View) -> Result<String> {
    let diff = match prose.preview(view)? {
        Some(Ok((before, after))) => diff::appended(&view.target, &before, &after),
        Some(Err(why)) => format!("{why}\n{}", view.proposal.content().unwrap_or_default()),
        None => String::new(),
    };
    Ok(diff::shown(session.out, &diff))
}

fn show(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

fn ask(question: &str) -> Result<String> {
    let failed = |error| Error::environment("asking on", std::path::Path::new("/dev/tty"), error);
    let mut stderr = stderr().lock();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).map_err(failed)?;
    let mut typed = String::new();
    stdin().lock().read_line(&mut typed).map_err(failed)?;
    Ok(typed.trim().to_owned())
}
