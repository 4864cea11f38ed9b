//! Clients of one store, as a scenario: each goes from question to answer; what happens in between is chosen.

use fencehold::journal::Asking;
use fencehold_model::lock::{Command, Proof};
use fencehold_model::{Claim, Holder, LockName, OpId, TimeMs, Token};

use super::call::{Cache, Call, Next};
use super::defect::Defect;
use super::judge::{self, Answered, Known, Told};
use super::remote::{ClientId, Faults, Limits, Remote};
use super::wants::{TTL_MS, WANTS, Want, Wants, decision};
use crate::sim::choice::Source;
use crate::sim::scenario::{Ran, Scenario};
use crate::sim::world::Step;

/// How far the clock of every second client is ahead: more than a TTL.
const AHEAD_MS: u64 = 1_000;
/// No run of this size has as many steps.
const STEPS_MAX: usize = 10_000;

/// Clients of one simulated store.
#[derive(Debug, Clone)]
pub struct StoreUsers {
    name: String,
    clients: usize,
    wants: Wants,
    limits: Limits,
    faults: Faults,
    /// So many of the clients, the first ones, do not wait until what they are told is durable.
    relaxed: usize,
    /// How often the store crashes, at the most.
    crashes_max: u32,
    defect: Option<Defect>,
}

/// One client.
#[derive(Debug, Default)]
struct Client {
    cache: Cache,
    begun: usize,
    granted: Option<Token>,
    asked: Option<(Asking, Command)>,
    waits: Option<Waiting>,
}

/// A call that waits for an answer.
#[derive(Debug)]
struct Waiting {
    call: Call,
    question: u64,
    command: Option<Command>,
    /// Its place among what was told.
    told: usize,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Serve(usize),
    Begin(ClientId),
    GiveUp(ClientId),
    Pause,
    Crash,
}

struct Run<'a> {
    users: &'a StoreUsers,
    remote: Remote,
    clients: Vec<Client>,
    told: Vec<Told>,
    known: Known,
}

impl StoreUsers {
    /// So many clients that do this, with faults up to these.
    #[must_use]
    pub fn new(name: &str, clients: usize, wants: Wants, limits: Limits, faults: Faults) -> Self {
        StoreUsers {
            name: name.to_owned(),
            clients,
            wants,
            limits,
            faults,
            relaxed: 0,
            crashes_max: 0,
            defect: None,
        }
    }

    /// The same, where so many of the clients, the first ones, do not wait until what they are told is durable, and the
    /// store crashes so often, at the most.
    #[must_use]
    pub fn relaxed(mut self, clients: usize, crashes_max: u32) -> Self {
        (self.relaxed, self.crashes_max) = (clients, crashes_max);
        self
    }

    /// The same clients and store with a defect.
    #[must_use]
    pub fn with(mut self, defect: Defect) -> Self {
        self.name = format!("{}, {}", self.name, defect.name());
        self.defect = Some(defect);
        self
    }
}

impl Scenario for StoreUsers {
    fn name(&self) -> String {
        format!("journal/{}", self.name)
    }

    /// Only a run with a violation has a trace: it is made twice.
    fn run(&self, source: Source) -> Ran {
        let ran = self.once(source, None);
        if ran.violation.is_none() {
            return ran;
        }
        let again = self.traced(Source::replay(&ran.source.schedule("")));
        assert_eq!(again.violation, ran.violation, "the same answers make the same run");
        Ran { source: ran.source, ..again }
    }
}

impl StoreUsers {
    /// A run with its trace, whatever comes of it.
    #[must_use]
    pub fn traced(&self, source: Source) -> Ran {
        self.once(source, Some(Vec::new()))
    }

    fn once(&self, source: Source, trace: Option<Vec<Step>>) -> Ran {
        let mut remote = Remote::new(source, self.limits, self.faults, self.defect);
        (remote.trace, remote.crashes_left) = (trace, self.crashes_max);
        let clients = (0..self.clients).map(|_| Client::default()).collect();
        let mut run = Run { users: self, remote, clients, told: Vec::new(), known: Known::default() };
        let ended = run.until_all_are_told();
        run.remote.drain();
        let violation = ended.and_then(|()| judge::judge(&mut run.remote.store, &run.told)).err();
        Ran { source: run.remote.source, trace: run.remote.trace.unwrap_or_default(), violation }
    }
}

impl Run<'_> {
    fn until_all_are_told(&mut self) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            let actions = self.actions();
            if actions.iter().all(|action| matches!(action, Action::Serve(_) | Action::Pause | Action::Crash))
                && self.clients.iter().all(|client| client.waits.is_none())
            {
                return Ok(());
            }
            let action = actions[self.remote.source.choose("next", actions.len())];
            self.take(action);
        }
        Err(format!("the clients did not come to an end within {STEPS_MAX} steps"))
    }

    /// What can happen next, the calm first.
    fn actions(&self) -> Vec<Action> {
        let mut actions: Vec<Action> = (0..self.remote.under_way()).map(Action::Serve).collect();
        let clients = || self.clients.iter().enumerate();
        let begins = clients().filter(|(id, client)| client.waits.is_none() && self.has_more(*id, client));
        actions.extend(begins.map(|(id, _)| Action::Begin(id)));
        let late = self.remote.left.late_max > 0;
        let gives_up = clients().filter(|(_, client)| {
            let place = client.waits.as_ref().map(|waiting| self.remote.place(waiting.question));
            place.is_some_and(|place| late || place.is_none())
        });
        actions.extend(gives_up.map(|(id, _)| Action::GiveUp(id)));
        if self.remote.left.pauses_max > 0 {
            actions.push(Action::Pause);
        }
        if self.remote.crashes_left > 0 {
            actions.push(Action::Crash);
        }
        actions
    }

    fn has_more(&self, id: ClientId, client: &Client) -> bool {
        match self.users.wants {
            Wants::Drawn { each, .. } => client.begun < each,
            Wants::Given(given) => client.begun < given[id].len(),
        }
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::Serve(place) => {
                let Some(arrived) = self.remote.serve(place) else { return };
                let client = &mut self.clients[arrived.to];
                let Some(mut waiting) = client.waits.take_if(|it| it.question == arrived.question) else {
                    return;
                };
                let (call, command) = (&mut waiting.call, waiting.command.as_ref());
                let next =
                    call.heard(arrived.answer, &mut client.cache, &mut decision(command, self.users.defect));
                self.go_on(arrived.to, waiting, next);
            }
            Action::Begin(id) => self.begin(id),
            Action::GiveUp(id) => {
                let client = &mut self.clients[id];
                let mut waiting = client.waits.take().expect("who gives up was waiting");
                self.remote.give_up(id, waiting.question);
                let next = waiting.call.timed_out(&client.cache);
                self.go_on(id, waiting, next);
            }
            Action::Crash => self.remote.crash(),
            Action::Pause => {
                self.remote.left.pauses_max -= 1;
                let ms = self.remote.left.pause_ms;
                self.remote.pass(ms);
                self.remote.note(0, "", || format!("{ms} ms pass"));
            }
        }
    }

    fn begin(&mut self, id: ClientId) {
        let (asking, command) = self.wanted(id);
        let client = &mut self.clients[id];
        client.begun += 1;
        client.cache.clock_ms = self.remote.store.clock_ms + AHEAD_MS * (id as u64 % 2);
        self.told.push(Told {
            client: id,
            op: asking.as_ref().map(|asking| asking.op.clone()),
            command: command.clone(),
            before: self.known,
            durable: id >= self.users.relaxed,
            began_ms: self.remote.store.clock_ms,
            ended_ms: TimeMs::MAX,
            outcome: None,
        });
        if let (Some(asking), Some(command)) = (&asking, &command) {
            client.asked = Some((asking.clone(), command.clone()));
        }
        let mut call = Call::new(asking, id >= self.users.relaxed, self.users.limits, self.users.defect);
        let next = call.begin(&mut client.cache, &mut decision(command.as_ref(), self.users.defect));
        let waiting = Waiting { call, question: 0, command, told: self.told.len() - 1 };
        self.go_on(id, waiting, next);
    }

    /// Who asks, and for what; nothing for a read.
    fn wanted(&mut self, id: ClientId) -> (Option<Asking>, Option<Command>) {
        let want = match self.users.wants {
            Wants::Drawn { kinds, .. } => WANTS[self.remote.source.choose("wants", kinds)],
            Wants::Given(given) => given[id][self.clients[id].begun],
        };
        let op = format!("client-{id}-op-{}", self.clients[id].begun);
        let name = LockName::new("build").expect("letters are a name");
        // One holder for all, as where it is derived from user and host: only the claims differ.
        let holder = Holder::new("dev").expect("letters are a holder");
        let proof = self.clients[id].granted.map(Proof::Token);
        let command = match (want, proof) {
            (Want::Acquire, _) => Command::Acquire {
                name,
                holder: holder.clone(),
                claim: Some(Claim::new(&op).expect("letters and digits are a claim")),
                ttl_ms: TTL_MS,
                bound: None,
                asked_by: None,
            },
            (Want::Release, Some(proof)) => Command::Release { name, holder: holder.clone(), proof },
            (Want::Renew, Some(proof)) => {
                Command::Renew { name, holder: holder.clone(), proof, ttl_ms: Some(TTL_MS) }
            }
            (Want::Again, _) => {
                let others = self.clients.iter().enumerate().filter(|(other, _)| *other != id);
                let asked = others.filter_map(|(_, other)| other.asked.clone()).next_back();
                return asked.unzip();
            }
            (Want::Read | Want::Release | Want::Renew, _) => return (None, None),
        };
        let op = OpId::new(&op).expect("letters and digits are an id");
        (Some(Asking { actor: holder, op }), Some(command))
    }

    fn go_on(&mut self, id: ClientId, mut waiting: Waiting, next: Next<Answered>) {
        match next {
            Next::Send(request) => {
                waiting.question = self.remote.send(id, request);
                self.clients[id].waits = Some(waiting);
            }
            Next::Done(outcome, trim) => {
                if let Some(trim) = trim {
                    self.remote.send(id, trim);
                }
                if let Ok(committed) = &outcome {
                    self.known.hears(committed);
                    if let Some(token) = judge::granted(committed) {
                        self.clients[id].granted = Some(token);
                    }
                }
                let told = &mut self.told[waiting.told];
                told.ended_ms = self.remote.store.clock_ms;
                self.remote.note(id, "is told", || told.in_words(&outcome));
                told.outcome = Some(outcome);
            }
        }
    }
}
