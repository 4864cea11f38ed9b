//! A swarm run: boots follow each other, processes work together in each, and what they were answered is judged.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fencehold::journal::{Durability, FileJournal, Options as JournalOptions};
use fencehold::ledger::Ledger;
use fencehold_model::history::{self, History};
use fencehold_model::{Entry, Event};
use serde_json::{Value, json};

use super::client::{Client, looks};
use super::door::{Nature, Rough};
use super::plan::{Feature, Plan};
use super::{Outcome, Reached};
use crate::check::{self, Verdict};
use crate::fold::Fold;
use crate::sim::choice::{Random, Source};
use crate::sim::door::FsOver;
use crate::sim::power;
use crate::sim::workspace::{self, Client as Plain, DIR};
use crate::sim::world::{Body, Ended, Options, Plan as Nothing, SimFs, SimHost, World};
use fencehold::host::Clock as _;

/// How long the checker may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// How much later than promised a lapse may be: the clock of a history runs by its lines as well.
const SLACK_MS: u64 = 250;
/// The size of a page.
const PAGE_BYTES: usize = 512;
const STOP_MS: u64 = 500;

/// What came before a boot.
struct Past {
    random: Random,
    /// How many boots are over.
    boots: u64,
    /// The events that stood on the disk whenever the power failed.
    visible: Vec<Vec<Entry>>,
}

/// The lines of a history, in the order in which things happened.
struct Recorder(Mutex<Lines>);

struct Lines {
    text: String,
    last_us: u64,
    id: u64,
    wrong: Option<String>,
}

impl Recorder {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of a line: the machine's, and never twice the same.
    fn line(&self, host: &SimHost, line: impl FnOnce(u64) -> String) {
        let now_us = host.reading().wall_ms.saturating_mul(1_000);
        let mut lines = self.lines();
        lines.last_us = (lines.last_us + 1).max(now_us);
        let line = line(lines.last_us);
        lines.text.push_str(&line);
    }

    fn next_id(&self) -> u64 {
        let mut lines = self.lines();
        lines.id += 1;
        lines.id
    }

    fn wrong(&self, why: String) {
        self.lines().wrong.get_or_insert(why);
    }
}

fn hello(plan: &Plan) -> Value {
    let survives: &[&str] = if plan.has(Feature::Relaxed) { &["kill"] } else { &["kill", "power"] };
    json!({
        "target": "the simulated fencehold",
        "protocol": 1,
        "offers": ["lock", "lease", "status"],
        "survives": survives,
        "locks_end": ["release", "ttl"],
        "fencing": true,
        "tokens": "ordered",
        "revisions": true,
    })
}

/// Runs it.
pub(super) fn run(plan: &Plan) -> Outcome {
    let mut reached = Reached::default();
    let disk = workspace::disk(|_, _| {}).persistent(plan.model, PAGE_BYTES);
    let on = |feature, most: u32| if plan.has(feature) { most } else { 0 };
    let options = Options {
        preempt_one_in: if plan.has(Feature::Rare) { 40 } else { 4 },
        kills_max: on(Feature::Kills, u32::MAX),
        kill_one_in: 2_000,
        stalls_max: on(Feature::Stops, u32::MAX),
        stall_one_in: 2_000,
        stall_ms: STOP_MS,
        split_writes: plan.has(Feature::Splits),
        ..Options::default()
    };
    let world = World::new(disk, Source::random(plan.seed), options);
    let nature = Nature::new(world.clone(), plan);
    let header = history::header_line(plan.seed, "the simulated fencehold", &hello(plan), SLACK_MS);
    let lines = Lines { text: header, last_us: 0, id: 0, wrong: None };
    let recorder = Arc::new(Recorder(Mutex::new(lines)));
    let random = Random::new(plan.seed ^ 0x726f_756e_6473);
    let mut past = Past { random, boots: 0, visible: Vec::new() };
    let mut found = None;
    for round in 0..plan.rounds {
        found = boot(plan, &world, &nature, &recorder, round, &mut past, &mut reached).err();
        if found.is_some() {
            break;
        }
    }
    let seen = nature.seen();
    reached.calls = seen.calls;
    reached.rewritten = seen.rewritten;
    reached.failed_syncs = seen.failed_syncs;
    reached.other_failures = seen.other_failures;
    let text = std::mem::take(&mut recorder.lines().text);
    let found = found.or_else(|| judge(&text, &mut reached).err());
    Outcome { reached, history: text, found }
}

/// Runs one boot, or one group of processes, and looks at what it leaves.
fn boot(
    plan: &Plan,
    world: &World,
    nature: &Arc<Nature>,
    recorder: &Arc<Recorder>,
    round: u32,
    past: &mut Past,
    reached: &mut Reached,
) -> Result<(), String> {
    let random = &mut past.random;
    let calls = u64::from(plan.processes * plan.ops) * 24;
    let cut = plan.has(Feature::Power) && random.below(4) > 0;
    // Now and then soon: while the first process recovers.
    let within = if random.below(3) == 0 { 60 } else { calls };
    let cut_in = u64::from(random.below(u32::try_from(within).unwrap_or(u32::MAX)));
    nature.cut_in(cut.then_some(cut_in));
    let bodies: Vec<Body<'static, ()>> = (0..plan.processes)
        .map(|number| {
            let (plan, nature, recorder) = (plan.clone(), Arc::clone(nature), Arc::clone(recorder));
            let first = (round * plan.processes + number) * plan.ops;
            Box::new(move |fs: SimFs, host: SimHost| work(&plan, &nature, &recorder, &fs, &host, first))
                as Body<'static, ()>
        })
        .collect();
    let ended = world.together_owned(bodies);
    let killed = ended.iter().filter(|ended| matches!(ended, Ended::Killed)).count();
    reached.killed += killed as u64;
    if world.deadlocked() {
        return Err("processes wait for each other without end".to_owned());
    }
    if let Some(Ended::Panicked(text)) = ended.iter().find(|ended| matches!(ended, Ended::Panicked(_))) {
        return Err(format!("a process panicked: {text}"));
    }
    if let Some(wrong) = recorder.lines().wrong.take() {
        return Err(wrong);
    }
    let cut = nature.is_cut();
    nature.cut_in(None);
    let before =
        if cut { power::visible_on(&world.disk(|disk| disk.clone()), past.boots) } else { Vec::new() };
    if cut {
        let left = world.disk(|disk| disk.clone()).power_cut(&mut |label, of| world.choose(label, of));
        world.disk(|disk| *disk = left);
        reached.power_cuts += 1;
        reached.early_cuts += u64::from(cut_in < 60 && round > 0);
    }
    if cut || (plan.has(Feature::Reboots) && random.below(2) == 0) {
        world.reboot();
        past.boots += 1;
    } else {
        world.advance(u64::from(random.below(400)));
    }
    let died = world.alone(Nothing::NONE, |_, host| {
        let count = u64::from(plan.processes);
        let last = host.number() as u64;
        for process in last - count..last {
            recorder.line(&host, |at_us| history::died_line(at_us, process + 1));
        }
    });
    assert_eq!(died, Ended::Returned(()), "the recorder");
    let events = events(world)?;
    reached.lost_tails += u64::from(cut && events.len() < before.len());
    past.visible.push(before);
    reached.events = events.len() as u64;
    let repaired = |what: &str| {
        let about = |event: &&Event| matches!(event, Event::Repaired { reason } if reason.contains(what));
        events.iter().map(|entry| &entry.event).filter(about).count() as u64
    };
    reached.condemned = repaired("sync of the journal failed");
    world.disk(|disk| {
        let in_dir = |dir: &str| {
            disk.files().filter(|(path, _)| path.parent() == Some(&Path::new(DIR).join(dir))).count() as u64
        };
        (reached.quarantined, reached.rotated) = (in_dir("quarantine"), in_dir("archive"));
    });
    let mut fold = Fold::default();
    power::known(past.visible.iter().map(Vec::as_slice), &events)
        .values()
        .try_for_each(|entry| fold.next(entry))
}

fn events(world: &World) -> Result<Vec<Entry>, String> {
    let read = world.alone(Nothing::NONE, |fs, host| Plain::new(fs, host, "reader").history());
    match read {
        Ended::Returned(Ok((entries, _))) => Ok(entries),
        Ended::Returned(Err(error)) => Err(format!("who reads the history is told: {error}")),
        other => Err(format!("a reader ended as {other:?}")),
    }
}

/// What one process does in one round.
fn work(plan: &Plan, nature: &Arc<Nature>, recorder: &Recorder, fs: &SimFs, host: &SimHost, first: u32) {
    let process = host.number() as u64 + 1;
    let mut client = Client::new(&format!("p{process}"));
    let fs = FsOver::new(Rough { door: fs.door().clone(), nature: Arc::clone(nature) });
    let durability = if plan.has(Feature::Relaxed) { Durability::Relaxed } else { Durability::Durable };
    let options = JournalOptions { durability, ..JournalOptions::default() };
    let open = || {
        let journal = FileJournal::new(fs.clone(), host.clone(), Path::new(DIR), options);
        Ledger::new(journal, host.clone())
    };
    let mut book = open();
    for number in first..first + plan.ops {
        // Of its own seed each, so that one left out changes no other.
        let mut random = Random::new(plan.seed ^ (u64::from(number) << 20));
        if !plan.has(Feature::Served) || random.below(30) == 0 {
            book = open();
        }
        if plan.skipped.binary_search(&number).is_ok() {
            continue;
        }
        let asked = client.next(plan, &mut random);
        let id = recorder.next_id();
        recorder.line(host, |at_us| history::invoke_line(at_us, process, id, asked.op, &asked.args));
        match client.ask(&book, &asked) {
            Ok(answer) => recorder.line(host, |at_us| history::answer_line(at_us, process, id, &answer)),
            Err(why) => return recorder.wrong(why),
        }
        if random.below(50) == 0
            && let Err(error @ fencehold::Error::Damaged { .. }) = looks(&book)
        {
            return recorder.wrong(format!("a reader is told: {error}"));
        }
        if random.below(20) == 0 {
            host.pass(u64::from(random.below(100)));
        }
    }
}

fn judge(text: &str, reached: &mut Reached) -> Result<(), String> {
    let history = History::parse(text).map_err(|bad| format!("the recorded history is none: {bad}"))?;
    let report = check::check(&history, DEADLINE);
    reached.ops = report.counts.ops as u64;
    reached.takeovers = report.counts.takeovers as u64;
    reached.contended = report.counts.contended as u64;
    match report.verdict {
        Verdict::Ok => Ok(()),
        Verdict::Violation(violation) => Err(violation.why),
        Verdict::Unknown(_) if reached.ops == 0 => Ok(()),
        Verdict::Unknown(why) => {
            reached.unknown = Some(why);
            Ok(())
        }
    }
}
