//! The contract, clause by clause, for any journal in any place; the tests of `contract.rs` quote what each stands for.
//! A clause says what is wrong, so that wrong journals can be shown to break it.

use std::collections::BTreeSet;

use fencehold::error::{Error, Happened};
use fencehold::journal::{Asking, Committed, Durability, Journal};
use fencehold_model::lock::{self, Command, Decision};
use fencehold_model::{LockName, Revision, TimeMs, Token};

use super::places::Place;
use crate::spec_kit::{HOUR, acquire, asking, by_claim, lock as lock_name, release};

/// What a commit of a command about a lock comes to.
pub(super) type Got = Result<Committed<Decision>, Error>;

/// Commits a command about a lock.
pub(super) fn commit<J: Journal>(journal: &J, asking: &Asking, command: &Command) -> Got {
    #[allow(clippy::result_large_err)] // Without an event the decision is the answer.
    journal.commit(asking, |state, now_ms| match lock::decide(state, command, None, now_ms) {
        Decision::Record(event) => Ok(event),
        other => Err(other),
    })
}

/// Records something.
pub(super) fn record<J: Journal>(journal: &J) -> Got {
    let asking = asking("h");
    commit(journal, &asking, &acquire(asking.op.as_str(), "h", HOUR))
}

/// The tokens of all grants, as a reader sees them.
fn tokens<J: Journal>(journal: &J) -> Result<Vec<(LockName, Token)>, Error> {
    let seen = journal.read(|state, _| {
        let grants = state.locks.iter().filter_map(|(name, lock)| Some((name, lock.grant.as_ref()?)));
        grants.map(|(name, grant)| (name.clone(), grant.token)).collect()
    })?;
    Ok(seen.value)
}

/// The clause's word that something is so.
macro_rules! holds {
    ($what:expr, $($why:tt)*) => {
        if !$what {
            return Err(format!($($why)*));
        }
    };
}

/// What is wrong.
pub(super) type Broken = Result<(), String>;

/// An answer where there must be one.
fn answered<A>(got: Result<A, Error>) -> Result<A, String> {
    got.map_err(|error| format!("there is no answer: {error}"))
}

pub(super) fn revisions_grow<P: Place>(place: &P) -> Broken {
    let clients = [place.client(), place.client(), place.client()];
    let mut before: Revision = 0;
    for turn in 0..9 {
        let name = format!("lock-{turn}");
        let got = commit(&clients[turn % 3], &asking("h"), &acquire(&name, "h", HOUR));
        let revision = answered(got)?.revision;
        holds!(revision > before, "revision {revision} was recorded after {before}");
        let seen = answered(tokens(&clients[(turn + 1) % 3]))?;
        holds!(
            seen.contains(&(lock_name(&name), revision)) && seen.len() == turn + 1,
            "granted at {revision}, a reader sees {seen:?}"
        );
        before = revision;
    }
    Ok(())
}

pub(super) fn decisions_see_the_newest<P: Place>(place: &P) -> Broken {
    let (one, two) = (place.client(), place.client());
    for round in 0..6_usize {
        let (before, now) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let newest = answered(record(before))?.revision;
        let mut seen = (0, 0);
        let got = now.commit::<()>(&asking("h"), |state, _| {
            seen = (state.revision, state.locks.len());
            Err(())
        });
        answered(got)?;
        holds!(seen == (newest, round + 1), "{newest} is recorded, and it was decided on {seen:?}");
    }
    Ok(())
}

pub(super) fn one_event_of_many_decisions<P: Place>(place: &P) -> Broken {
    let (one, two) = (place.client(), place.client());
    answered(record(&one))?;
    let (mut decided, mut beside) = (0, Vec::new());
    let mine = asking("me");
    #[allow(clippy::result_large_err)]
    let got = one.commit(&mine, |state, now_ms| {
        decided += 1;
        if decided == 1 {
            // Where the decision is made under a lock, the other is kept out, definitely.
            beside = (0..2).map(|_| record(&two)).collect();
        }
        match lock::decide(state, &acquire("mine", "me", HOUR), None, now_ms) {
            Decision::Record(event) => Ok(event),
            other => Err(other),
        }
    });
    let mine = answered(got)?;
    let landed: Vec<Revision> = beside.iter().flatten().map(|other| other.revision).collect();
    let kept_out = beside.iter().filter_map(|other| other.as_ref().err());
    for error in kept_out {
        holds!(error.happened() == Happened::No, "whoever was kept out was told {error}");
    }
    holds!(landed.is_empty() || decided > 1, "decided once, and overtaken by {landed:?}");
    let later = landed.iter().all(|revision| *revision < mine.revision);
    holds!(later, "recorded at {}, decided after {landed:?}", mine.revision);
    let seen = answered(tokens(&place.client()))?;
    let mut expected: BTreeSet<Token> = landed.iter().copied().collect();
    expected.insert(mine.revision);
    let seen: BTreeSet<Token> = seen.into_iter().map(|(_, token)| token).collect();
    holds!(
        expected.is_subset(&seen) && seen.len() == expected.len() + 1,
        "recorded are {expected:?} and one before, a reader sees {seen:?}"
    );
    Ok(())
}

pub(super) fn an_operation_is_recorded_once<P: Place>(place: &P) -> Broken {
    let (one, two) = (place.client(), place.client());
    let (mine, command) = (asking("me"), acquire("mine", "me", HOUR));
    let first = answered(commit(&one, &mine, &command))?;
    answered(commit(
        &two,
        &asking("me"),
        &release("mine", "me", fencehold_model::lock::Proof::Token(first.revision)),
    ))?;
    for others in [0, 20, 40] {
        for _ in 0..others {
            answered(record(&two))?;
        }
        for again in [&one, &two, &place.client()] {
            let newest = answered(again.read(|state, _| state.revision))?.value;
            let repeated = answered(commit(again, &mine, &command))?;
            holds!(repeated == first, "answered {first:?}, and again {repeated:?}");
            let after = answered(again.read(|state, _| state.revision))?.value;
            holds!(after == newest, "the repetition was recorded at revision {after}");
        }
    }
    Ok(())
}

pub(super) fn a_refusal_changes_nothing<P: Place>(place: &P) -> Broken {
    let (one, two) = (place.client(), place.client());
    let token = answered(commit(&one, &asking("h"), &acquire("a", "h", HOUR)))?.revision;
    let before = answered(two.read(|state, now_ms| (state.clone(), now_ms)))?.value;
    for journal in [&one, &two, &place.client()] {
        let refused = answered(commit(journal, &asking("other"), &acquire("a", "other", HOUR)))?;
        let said = matches!(&refused.outcome, Err(Decision::Refuse(lock::Refusal::Held(grant))) if grant.token == token);
        holds!(said, "held under {token}, answered {:?}", refused.outcome);
        holds!(refused.revision == token, "decided at {token}, answered with {}", refused.revision);
        holds!(refused.at_ms >= before.1, "decided at {} ms, before {} ms", refused.at_ms, before.1);
        let after = answered(two.read(|state, _| state.clone()))?.value;
        holds!(after == before.0, "a refusal changed revision {} to {}", before.0.revision, after.revision);
    }
    Ok(())
}

pub(super) fn reads_are_current<P: Place>(place: &P) -> Broken {
    let (one, two) = (place.client(), place.client());
    let mut held = None;
    for _ in 0..5 {
        let command = match held {
            None => acquire("a", "me#claim", HOUR),
            Some(_) => release("a", "me", by_claim("claim")),
        };
        let got = answered(commit(&one, &asking("me"), &command))?;
        held = if held.is_none() { Some(got.revision) } else { None };
        for reader in [&one, &two, &place.client()] {
            let seen = answered(
                reader.read(|state, _| state.locks[&lock_name("a")].grant.as_ref().map(|it| it.token)),
            );
            let seen = seen?;
            holds!(seen.value == held, "{held:?} stands, a read at {} shows {:?}", seen.revision, seen.value);
            holds!(seen.revision == got.revision, "{} is recorded, read was {}", got.revision, seen.revision);
        }
    }
    Ok(())
}

pub(super) fn time_is_the_journals<P: Place>(place: &P) -> Broken {
    // More than what a client waits before it asks again, and far less than the clocks differ.
    const SLACK_MS: u64 = HOUR / 2;
    let calm = place.client();
    let mut last: TimeMs = answered(record(&calm))?.at_ms;
    let clients = [place.ahead(HOUR), calm, place.ahead(2 * HOUR)];
    answered(commit(&clients[1], &asking("h"), &acquire("a", "h", HOUR)))?;
    for turn in 0..6 {
        place.pass(1_000);
        let client = &clients[turn % 3];
        let refused = answered(commit(client, &asking("other"), &acquire("a", "other", HOUR)))?;
        let recorded = answered(record(client))?;
        let read = answered(client.read(|_, now_ms| now_ms))?;
        let now_ms = answered(client.now_ms())?;
        holds!(refused.outcome.is_err(), "a live lock was granted over at {} ms", refused.at_ms);
        for (place, at_ms) in
            [refused.at_ms, recorded.at_ms, read.at_ms, read.value, now_ms].into_iter().enumerate()
        {
            let passed = if place == 0 { 1_000 } else { 0 };
            let ok = (last + passed..=last + passed + SLACK_MS).contains(&at_ms);
            holds!(ok, "{last} ms was answered, {passed} ms passed, and then it was {at_ms} ms");
            last = at_ms;
        }
    }
    place.pass(HOUR);
    let got = answered(commit(&clients[0], &asking("other"), &acquire("a", "other", HOUR)))?;
    holds!(got.outcome.is_ok(), "a lock that has lapsed is still held: {:?}", got.outcome);
    Ok(())
}

pub(super) fn durability_is_told<P: Place>(place: &P) -> Broken {
    let durable = place.client();
    answered(record(&durable))?;
    holds!(durable.durability() == Durability::Durable, "a durable client says that it is not");
    if let Some(relaxed) = place.relaxed() {
        answered(record(&relaxed))?;
        holds!(relaxed.durability() == Durability::Relaxed, "a relaxed client says that it is durable");
        let seen = answered(tokens(&durable))?;
        holds!(seen.len() == 2, "both are clients of one journal, and one sees {seen:?}");
    }
    Ok(())
}

pub(super) fn an_error_says_whether_it_happened<P: Place>(place: &P) -> Broken {
    let (one, mine) = (place.client(), asking("me"));
    answered(record(&one))?;
    let command = acquire("mine", "me", HOUR);
    match place.unanswered(|journal| commit(journal, &mine, &command)) {
        // The client is dead, and told nothing.
        None => {}
        Some(Ok(committed)) => return Err(format!("it could not know, and said {committed:?}")),
        Some(Err(error)) => {
            holds!(error.happened() == Happened::Unknown, "it is recorded, and the answer is: {error}");
        }
    }
    let held = answered(tokens(&one))?.into_iter().find(|(name, _)| *name == lock_name("mine"));
    let held = held.map(|(_, token)| token);
    holds!(held.is_some() || !place.is_calm(), "what was not answered was not recorded");
    let token = match held {
        Some(token) => token,
        None => answered(commit(&one, &mine, &command))?.revision,
    };
    for journal in [&one, &place.client()] {
        let again = answered(commit(journal, &mine, &command))?;
        let same = again.outcome.is_ok() && again.revision == token;
        holds!(same, "recorded at {token}, asked again it is {again:?}");
    }
    let count = answered(tokens(&one))?.len();
    holds!(count == 2, "{count} grants stand, of two operations");
    Ok(())
}

pub(super) fn waiting_ends<P: Place>(place: &P) -> Broken {
    let (one, mine) = (place.client(), asking("me"));
    let before = answered(record(&one))?.revision;
    let got = place.cut_off(|journal| commit(journal, &mine, &acquire("mine", "me", HOUR)));
    match got {
        Ok(committed) => return Err(format!("nothing can be recorded, and it says {committed:?}")),
        Err(Error::Busy { waited_ms, .. }) => holds!(waited_ms > 0, "it did not wait"),
        Err(error) => return Err(format!("it was told {error}")),
    }
    let after = answered(one.read(|state, _| state.revision))?.value;
    holds!(after == before, "an event was recorded at {after}");
    // And it is free for who asks later.
    let later = answered(commit(&one, &mine, &acquire("mine", "me", HOUR)))?;
    holds!(later.outcome.is_ok(), "it is {:?}", later.outcome);
    Ok(())
}

pub(super) fn one_workspace<P: Place>(place: &P) -> Broken {
    let (one, two) = (place.client(), place.client());
    answered(record(&one))?;
    let (first, second) = (answered(one.workspace())?, answered(two.workspace())?);
    holds!(first == second, "one names {first}, the other {second}");
    Ok(())
}

/// A clause, by its name.
pub(super) type Clause<P> = (&'static str, fn(&P) -> Broken);

/// All of them, in the order of the specification.
pub(super) fn all<P: Place>() -> [Clause<P>; 11] {
    [
        ("revisions grow", revisions_grow),
        ("decisions see the newest", decisions_see_the_newest),
        ("one event of many decisions", one_event_of_many_decisions),
        ("an operation is recorded once", an_operation_is_recorded_once),
        ("a refusal changes nothing", a_refusal_changes_nothing),
        ("reads are current", reads_are_current),
        ("time is the journal's", time_is_the_journals),
        ("durability is told", durability_is_told),
        ("an error says whether it happened", an_error_says_whether_it_happened),
        ("waiting ends", waiting_ends),
        ("one workspace", one_workspace),
    ]
}
