//! Git's own hooks, for what no harness asks about: a person, an editor, a process in the background.
//!
//! Invariants: the exit code is not 0 exactly where git must stop; what cannot be decided follows the workspace's fail
//! policy; where nothing is shared nothing is created.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use fencehold_model::lease::Standing;
use fencehold_model::policy::Guarded;
use fencehold_model::{Holder, LockName, Pattern, TimeMs};

use super::super::args::Who;
use super::super::git;
use super::super::identity::holder;
use super::super::lease;
use super::super::locks::Locks;
use super::super::out::{Out, REFUSED, say};
use super::super::render::who;
use super::super::session::{Session, cwd};
use super::super::settings::OnFailure;
use super::{TO_FAIL, failed_open, held};
use crate::error::Result;
use crate::fs::RealFs;
use crate::ledger::LeaseView;
use crate::locate::{self, Start};
use crate::writes::Tree;

/// What stands in git's hooks to see whether we answer; it decides nothing.
pub(super) const ANSWERS: &str = "--answers";
/// The hooks of git that ask us (githooks(5)).
pub(super) const WORDS: [&str; 2] = ["pre-commit", "pre-push"];
/// How many paths a refusal names.
const NAMED_MAX: usize = 5;

/// Whether these are the words of a hook of git.
pub(in super::super) fn is_of_git(word: &str) -> bool {
    WORDS.contains(&word)
}

/// Answers git.
pub(in super::super) fn answer_git(word: &str, rest: &[OsString]) -> u8 {
    if rest.first().is_some_and(|first| first == ANSWERS) {
        return 0;
    }
    let (mut dir, mut on_failure) = (None, OnFailure::Closed);
    match decide(word, &mut |found, policy| (dir, on_failure) = (Some(found.to_owned()), policy)) {
        Ok(None) => 0,
        Ok(Some(why)) => {
            say(&why);
            REFUSED
        }
        Err(error) => failed(word, &error.to_string(), dir.as_deref(), on_failure),
    }
}

fn failed(word: &str, why: &str, dir: Option<&Path>, on_failure: OnFailure) -> u8 {
    let unrecorded = match (on_failure, dir) {
        (OnFailure::Open, Some(dir)) => {
            match failed_open::record_within(TO_FAIL, dir, &format!("{word}: {why}")) {
                Ok(()) => {
                    say(&format!("this {word} could not be decided, and passes as config.toml says: {why}"));
                    return 0;
                }
                Err(unrecorded) => format!("; and no record of it could be left: {unrecorded}"),
            }
        }
        _ => String::new(),
    };
    say(&format!(
        "fencehold cannot tell whether this {word} is safe, so git is stopped: {why}{unrecorded}. `fencehold doctor` says \
         what is wrong"
    ));
    REFUSED
}

/// Why git must stop, if it must.
fn decide(word: &str, found: &mut dyn FnMut(&Path, OnFailure)) -> Result<Option<String>> {
    // Where git is at work is what git says, and not what a variable of ours does.
    let git_dir = std::env::var_os("GIT_DIR").filter(|value| !value.is_empty());
    let at = cwd()?;
    let place = locate::locate(&RealFs, Start { at: &at, git_dir: git_dir.as_deref().map(Path::new) })?;
    if !place.exists {
        return Ok(None);
    }
    locate::check(&RealFs, &place)?;
    locate::check_filesystem(RealFs, &place.dir)?;
    let session = Session::at(RealFs, Out { json: false }, place)?;
    found(&session.place.dir, session.settings.on_failure);
    let Some(locks) = Locks::open(&session)? else { return Ok(None) };
    let (me, _) = holder(&Who { holder: None })?;
    match word {
        "pre-commit" => commit(&session, &locks, &me),
        _ => push(&locks, &me),
    }
}

/// A commit of what another is writing, or of what needs a lock that one does not have.
fn commit(session: &Session, locks: &Locks, me: &Holder) -> Result<Option<String>> {
    let seen = locks.ledger().leases()?;
    let theirs: Vec<&LeaseView> = seen
        .value
        .iter()
        .filter(|view| view.lease.holder != *me && view.standing == Some(Standing::Live))
        .collect();
    let guarded = locks.policy()?.value.guarded;
    if theirs.is_empty() && guarded.is_empty() {
        return Ok(None);
    }
    let tree = git::tree(session)?;
    let staged = staged(session, &tree)?;
    Ok(match leased(&staged, &theirs, seen.at_ms) {
        None => unheld(&staged, &tree, &guarded, locks, me)?,
        stopped => stopped,
    })
}

/// The entries that would go in.
fn staged(session: &Session, tree: &Tree) -> Result<Vec<Pattern>> {
    // Both names of what was renamed; nothing of what a configuration would leave out.
    let printed = git::output(
        &session.place.root,
        &[
            "diff",
            "--cached",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules=none",
        ],
    )?;
    let entries = git::paths(&printed).map(|path| git::entry(session, tree, path));
    entries.filter_map(Result::transpose).collect()
}

/// Those that another writes.
fn leased(staged: &[Pattern], theirs: &[&LeaseView], now_ms: TimeMs) -> Option<String> {
    let (mut named, mut leases) = (Vec::new(), Vec::new());
    for entry in staged {
        let in_it =
            theirs.iter().filter(|view| view.lease.writes.iter().any(|theirs| theirs.overlaps(entry)));
        let before = leases.len();
        leases.extend(in_it.map(|view| lease::one_line(view, now_ms).trim_end().to_owned()));
        if leases.len() > before {
            named.push(entry.as_str());
        }
    }
    leases.sort();
    leases.dedup();
    (!named.is_empty()).then(|| {
        format!(
            "not committed: {} would go in, which another is writing: {}. Take it out of the index (`git restore \
             --staged PATH`), or wait until that is closed; a person can end it with `fencehold lease crash ID --reason \
             TEXT`",
            some(&named),
            leases.join("; ")
        )
    })
}

/// Those that are guarded by a lock which is not one's own.
fn unheld(
    staged: &[Pattern],
    tree: &Tree,
    guarded: &Guarded,
    locks: &Locks,
    me: &Holder,
) -> Result<Option<String>> {
    let mut paths: BTreeMap<LockName, Vec<&str>> = BTreeMap::new();
    for entry in staged {
        for lock in tree.locks_over(&RealFs, guarded, entry)? {
            paths.entry(lock).or_default().push(entry.as_str());
        }
    }
    let mut told = Vec::new();
    for (lock, paths) in paths {
        let held = locks.show(&lock)?;
        let why = match held.grants {
            Some(grant) if grant.holder == *me => continue,
            Some(grant) => format!(
                "which is {}. Take it out of the index (`git restore --staged PATH`), or wait until then; if that session \
                 is over, a person can end it with `fencehold lock break {lock} --reason TEXT`",
                who(&grant, held.now_ms)
            ),
            None => format!(
                "which nobody holds: `fencehold lock acquire {lock}` first, and `fencehold lock release {lock}` after"
            ),
        };
        told.push(format!("not committed: {} is guarded by the lock `{lock}`, {why}", some(&paths)));
    }
    Ok((!told.is_empty()).then(|| told.join("\n")))
}

/// The first few of these paths.
fn some(paths: &[&str]) -> String {
    let named = &paths[..paths.len().min(NAMED_MAX)];
    let more = paths.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// A push while another session has the whole checkout.
fn push(locks: &Locks, me: &Holder) -> Result<Option<String>> {
    let held = locks.show(&held::workspace())?;
    let theirs = held.grants.filter(|grant| grant.holder != *me);
    Ok(theirs.map(|grant| {
        format!(
            "not pushed: the lock `{0}` is {1}. Wait until then; if that session is over, a person can end it with \
             `fencehold lock break {0} --reason TEXT`",
            held::WORKSPACE,
            who(&grant, held.now_ms)
        )
    }))
}
