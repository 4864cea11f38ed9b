//! Durable and relaxed processes and readers in one directory, with failing syncs, short memory, kills, stops and a power
//! cut drawn at any call: what was answered stands, and no token is handed out twice.

use std::path::Path;
use std::sync::{Arc, Mutex};

use fencehold::fs::Fs as _;
use fencehold::journal::{Asking, Durability, FileJournal, Journal as _, Modes, Options as How, create};
use fencehold::ledger::{Ledger, Verdict};
use fencehold_model::lock::Command;
use fencehold_model::{Holder, OpId};
use fencehold_stress::sim::choice::Source;
use fencehold_stress::sim::disk::{Disk, Persistence};
use fencehold_stress::sim::scenario::{Ran, Scenario, search};
use fencehold_stress::sim::seam::{Mutation, Place, recording, under};
use fencehold_stress::sim::world::{Body, Ended, Errors, Options, Plan, SimFs, SimHost, World};

use super::sim::MODELS;
use crate::spec_kit::{acquire, end_by_hand};

const DIR: &str = "/w/ws";

/// What was told to somebody.
#[derive(Debug, Clone)]
enum Told {
    /// A grant, by its token; durable or not.
    Granted { token: u64, durable: bool },
    /// Another durable answer, or a read, that rests on this revision.
    Rests { revision: u64 },
    /// Damage, or another error.
    Failed,
}

type Heard = Arc<Mutex<Vec<Told>>>;

fn ledger(fs: SimFs, host: &SimHost, durability: Durability) -> Ledger<FileJournal<SimFs, SimHost>, SimHost> {
    let options = How { durability, ..How::default() };
    Ledger::new(FileJournal::new(fs, host.clone(), Path::new(DIR), options), host.clone())
}

/// A process that commits `rounds` times, each by a handle of its own or all by one.
fn commits(fs: &SimFs, host: &SimHost, durability: Durability, one_handle: bool, heard: &Heard) {
    let me = format!("p{}", host.number());
    let mut party = ledger(fs.clone(), host, durability);
    for round in 0..4 {
        if !one_handle {
            party = ledger(fs.clone(), host, durability);
        }
        let name = format!("n{}", host.choose("name", 3));
        let command: Command = if host.choose("breaks", 3) == 2 {
            end_by_hand(&name, "in the way")
        } else {
            acquire(&name, &me, 3_600_000)
        };
        let asking =
            Asking { actor: Holder::new(&me).unwrap(), op: OpId::new(&format!("{me}-{round}")).unwrap() };
        let answer = party.submit(&asking, &command);
        let durable = durability == Durability::Durable;
        heard.lock().unwrap().push(match answer {
            Ok(answer) => match answer.verdict {
                Verdict::Granted { token, .. } => Told::Granted { token, durable },
                _ if durable => Told::Rests { revision: answer.revision },
                _ => continue,
            },
            Err(_) => Told::Failed,
        });
    }
}

fn reads(fs: &SimFs, host: &SimHost, heard: &Heard) {
    let party = ledger(fs.clone(), host, Durability::Durable);
    for _ in 0..4 {
        // Nobody is let on while it is held.
        let seen = party.journal().read(|state, _| state.revision);
        heard.lock().unwrap().push(seen.map_or(Told::Failed, |seen| Told::Rests { revision: seen.revision }));
    }
}

/// The scenario.
struct AtLarge {
    model: Persistence,
    disk: Disk,
    relaxed: bool,
}

impl AtLarge {
    /// On a workspace whose next commit rotates, where that is `due`.
    fn new(model: Persistence, relaxed: bool, due: bool) -> Self {
        let world = World::calm(Disk::new());
        let made = world.alone(Plan::NONE, |fs, host| {
            fs.make_dir(Path::new("/w"), 0o755).unwrap();
            let made = create(&fs, &host, Path::new(DIR), Modes::Owner).unwrap();
            let party = ledger(fs, &host, Durability::Relaxed);
            let long = format!("x{}x", "\u{1}".repeat(4000));
            for round in 0..if due { 3 } else { 0 } {
                for (index, command) in
                    [acquire("filler", "f", 1_000), end_by_hand("filler", &long)].iter().enumerate()
                {
                    let op = OpId::new(&format!("fill-{round}-{index}")).unwrap();
                    let asking = Asking { actor: Holder::new("f").unwrap(), op };
                    party.submit(&asking, command).unwrap();
                }
            }
            made
        });
        assert_eq!(made, Ended::Returned(true));
        let disk = world.disk(|disk| disk.clone()).persistent(model, 256);
        AtLarge { model, disk, relaxed }
    }
}

impl AtLarge {
    /// Three that commit and one that reads, until all have ended.
    fn together(world: &World, relaxed: Durability, heard: &Heard) -> Vec<Ended<()>> {
        let mut bodies: Vec<Body<'_, ()>> = Vec::new();
        for (durability, one_handle) in
            [(Durability::Durable, true), (Durability::Durable, false), (relaxed, true)]
        {
            bodies.push(Box::new(move |fs, host| commits(&fs, &host, durability, one_handle, heard)));
        }
        bodies.push(Box::new(move |fs, host| reads(&fs, &host, heard)));
        world.together(bodies)
    }
}

impl Scenario for AtLarge {
    fn name(&self) -> String {
        format!("review/at large on {:?}{}", self.model, if self.relaxed { ", one relaxed" } else { "" })
    }

    fn run(&self, source: Source) -> Ran {
        let options = Options {
            preempt_one_in: 5,
            kills_max: 2,
            kill_one_in: 120,
            stops_max: 2,
            stop_one_in: 60,
            errors_max: 3,
            error_one_in: 25,
            errors: Errors { sync: true, short: true, full: true, ..Errors::NONE },
            evictions_max: 3,
            eviction_one_in: 40,
            ..Options::default()
        };
        let world = World::new(self.disk.clone(), source, options);
        let heard: Heard = Heard::default();
        let relaxed = if self.relaxed { Durability::Relaxed } else { Durability::Durable };
        let mut ended = Self::together(&world, relaxed, &heard);
        // What comes after rests on what a power cut has left.
        world.power_cut();
        ended.extend(Self::together(&world, relaxed, &heard));
        let violation = judge(&world, &ended, &heard.lock().unwrap()).err();
        let (source, trace) = (world.source(), world.trace());
        Ran { source, trace, violation }
    }
}

/// Everything that is there after the power has gone, a repair included where somebody has to make one.
fn judge(world: &World, ended: &[Ended<()>], told: &[Told]) -> Result<(), String> {
    if let Some(Ended::Panicked(text)) = ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        return Err(format!("a process panicked: {text}"));
    }
    if world.choose("power goes", 4) > 0 {
        world.power_cut();
    }
    let calm = World::calm(world.disk(|disk| disk.clone()));
    // A boot that was not there before.
    (0..4).for_each(|_| calm.reboot());
    let (entries, next) = match calm.alone(Plan::NONE, |fs, host| look(&fs, &host)) {
        Ended::Returned(found) => found?,
        other => return Err(format!("the judge ended by {other:?}")),
    };
    let mut tokens = Vec::new();
    for told in told {
        match told {
            Told::Granted { token, durable } => {
                tokens.push(*token);
                if *durable && !entries.contains(token) {
                    return Err(format!("token {token} was acked as durable, and is gone: {entries:?}"));
                }
                if next <= *token {
                    return Err(format!("token {next} is handed out after {token}"));
                }
            }
            Told::Rests { revision } if !entries.contains(revision) && *revision != 0 => {
                return Err(format!("an answer rested on revision {revision}, which is gone: {entries:?}"));
            }
            Told::Rests { .. } | Told::Failed => {}
        }
    }
    tokens.sort_unstable();
    match tokens.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("token {} was handed out twice", pair[0])),
        None => Ok(()),
    }
}

/// The revisions that there are, and the next token.
fn look(fs: &SimFs, host: &SimHost) -> Result<(Vec<u64>, u64), String> {
    let party = ledger(fs.clone(), host, Durability::Durable);
    let ask = || {
        let op = OpId::new(&format!("{:x}", fencehold::host::Host::random(host))).unwrap();
        let asking = Asking { actor: Holder::new("judge").unwrap(), op };
        party.submit(&asking, &acquire("judge", "judge", 1_000))
    };
    let mut answer = ask();
    if answer.as_ref().is_err_and(|error| error.exit_code() == 4) {
        party.journal().repair().map_err(|error| format!("repair: {error}"))?;
        answer = ask();
    }
    let next = answer.map_err(|error| format!("the next process is told: {error}"))?.revision;
    let mut revisions = Vec::new();
    let fresh = ledger(fs.clone(), host, Durability::Durable);
    fresh.journal().history(|entry| revisions.push(entry.revision)).map_err(|e| e.to_string())?;
    Ok((revisions, next))
}

/// Drawn schedules; how many executions.
fn stands(relaxed: bool, due: bool, executions: u64) {
    for model in MODELS {
        let scenario = AtLarge::new(model, relaxed, due);
        if let Some(found) = search(&scenario, 1, executions, &mut |_| {}) {
            panic!("{} executions: {}", found.executions, found.counterexample);
        }
    }
}

#[test]
fn review_C2_durable_processes_at_large_lose_nothing_that_was_answered() {
    stands(false, false, 60);
    stands(false, true, 40);
}

#[test]
fn review_C3_a_relaxed_process_among_durable_ones_repeats_no_token() {
    stands(true, false, 60);
    stands(true, true, 40);
}

/// What the runs above must not be blind to: places of the proof, each left out, and the executions after which that was
/// seen.
#[test]
fn review_C2_processes_at_large_see_what_is_left_out_of_the_proof() {
    let (_, record) = recording(|| stands(false, false, 20));
    // The one that every answer comes by; another keeps a condemned file's lines for the history alone.
    let most_used = |call: &str| -> Place {
        let of_the_proof = |place: &&Place| place.call == call && place.file.ends_with("journal/prove.rs");
        let places = record.places.keys().filter(of_the_proof);
        *places.max_by_key(|place| record.places[*place]).expect("the proof makes this call")
    };
    let (sync, write) = (most_used("sync"), most_used("write_at"));
    let mutations = [Mutation::Skip(sync), Mutation::Retry(sync), Mutation::Skip(write)];
    for mutation in mutations {
        let scenario = AtLarge::new(Persistence::Ext4, false, false);
        let found = under(Some(mutation), || search(&scenario, 1, 2_000, &mut |_| {}));
        match found {
            Some(found) => {
                println!("{mutation}: {} executions: {}", found.executions, found.counterexample.what);
            }
            None => panic!("{mutation}: not seen in 2,000 executions"),
        }
    }
}
