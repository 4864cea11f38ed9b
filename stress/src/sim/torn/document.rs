//! Updates of a document, torn.

use fencehold_model::NUMBER_BOUND;
use serde_json::Value;

use super::site::{self, ROOT, foreign, shown};
use super::{Answered, Torn, changes_nothing, fresh, said};
use crate::sim::world::{SimFs, SimHost, World};

const FILE: &str = "state.json";

/// How the document stands before the increment, and by what right it is made.
#[derive(Debug, Clone, Copy)]
struct Before {
    n: Option<i64>,
    /// The token that the mark was raised to.
    mark: Option<u64>,
    /// The token that is shown at the increment.
    token: Option<u64>,
}

/// Updates and guarded reads of a document.
#[must_use]
pub fn all() -> Vec<Torn> {
    let plain = Before { n: Some(1), mark: None, token: None };
    vec![
        torn("document update", plain),
        torn("document creation", Before { n: None, ..plain }),
        torn("document update with the first fence", Before { token: Some(7), ..plain }),
        torn("document update with a later fence", Before { mark: Some(5), token: Some(7), ..plain }),
        torn_guarded_read(),
    ]
}

fn increment(fs: &SimFs, host: &SimHost, token: Option<u64>) -> fencehold::Result<bool> {
    Ok(site::document(fs, host)?.increment("n", 1, &shown(token))?.is_ok())
}

fn torn(name: &'static str, before: Before) -> Torn {
    let disk = site::disk(|fs, host| {
        if let Some(n) = before.n {
            foreign(
                fs,
                FILE,
                format!("{{\"n\":{},\"kept\":[1, 2]}}\n", n - i64::from(before.mark.is_some())).as_bytes(),
            );
        }
        if before.mark.is_some() {
            increment(fs, host, before.mark).expect("an increment on a healthy disk");
        }
    });
    let act = move |fs: &SimFs, host: &SimHost| Answered::of(&increment(fs, host, before.token));
    Torn::new(name, disk, act, move |world, answered| judge(world, answered, before))
}

fn judge(world: &World, answered: Answered, before: Before) -> Result<(), String> {
    let first = number(world)?;
    let start = before.n.unwrap_or(0);
    let there = first == start + 1;
    if !(there || first == start) || !answered.allows(there) {
        return Err(format!("{start} plus one was answered {answered:?}, and then {first} is read"));
    }
    changes_nothing(world, |world| number(world).map(|_| ()))?;
    if there && let Some(token) = before.token {
        older_is_refused(world, token)?;
    }
    fresh(world, |fs, host| {
        increment(&fs, &host, before.token.or(before.mark)).map_err(|error| said(&error))
    })?;
    let second = number(world)?;
    if second != first + 1 {
        return Err(format!("the next increment made {second} of {first}"));
    }
    let left: Vec<String> = world.disk(|disk| disk.list(ROOT.as_ref())).map_err(|error| error.to_string())?;
    if left.iter().any(|name| name != FILE && name != ".fencehold") {
        return Err(format!("the next update left {left:?}"));
    }
    Ok(())
}

/// What a new process reads; what the update does not touch must be there as well.
fn number(world: &World) -> Result<i64, String> {
    fresh(world, |fs, host| {
        let document = site::document(&fs, &host).map_err(|error| said(&error))?;
        let content = document.read(&shown(None)).map_err(|error| said(&error))?;
        let value = content.map_err(|refusal| format!("a read is refused: {refusal}"))?.value;
        match value.get("n") {
            None => Ok(0),
            Some(_)
                if value.get("kept").is_some()
                    || value.as_object().is_some_and(|object| object.len() == 1) =>
            {
                value["n"].as_i64().ok_or_else(|| format!("{value} is read"))
            }
            Some(_) => Err(format!("{value} is read")),
        }
    })
}

fn older_is_refused(world: &World, token: u64) -> Result<(), String> {
    assert!(0 < token && token < NUMBER_BOUND, "a token that has an older one");
    let before = number(world)?;
    fresh(world, |fs, host| match increment(&fs, &host, Some(token - 1)) {
        Ok(false) => Ok(()),
        Ok(true) => Err(format!("token {} passed behind token {token}", token - 1)),
        Err(error) => Err(said(&error)),
    })?;
    if number(world)? == before { Ok(()) } else { Err("what was refused changed the document".to_owned()) }
}

/// A guarded read that was answered keeps what is older out.
fn torn_guarded_read() -> Torn {
    let before = Before { n: Some(1), mark: Some(5), token: Some(7) };
    let disk = site::disk(|fs, host| {
        foreign(fs, FILE, b"{\"n\":0}\n");
        increment(fs, host, before.mark).expect("an increment on a healthy disk");
    });
    let read = |fs: &SimFs, host: &SimHost, token| -> fencehold::Result<Option<Value>> {
        Ok(site::document(fs, host)?.read(&shown(Some(token)))?.ok().map(|content| content.value))
    };
    let act = move |fs: &SimFs, host: &SimHost| Answered::of(&read(fs, host, 7));
    Torn::new("document guarded read", disk, act, |world, answered| {
        if number(world)? != 1 {
            return Err("a read changed the document".to_owned());
        }
        match answered {
            Answered::Done => older_is_refused(world, 7),
            Answered::Not | Answered::Unknown => {
                older_is_refused(world, 5)?;
                fresh(world, |fs, host| {
                    increment(&fs, &host, Some(7)).map_err(|error| said(&error)).map(|_| ())
                })
            }
        }
    })
}
