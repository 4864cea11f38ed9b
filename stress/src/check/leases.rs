//! Leases: those whose write sets touch, and all spellings of one id, are one object, because a grant looks at every
//! open lease that is in its way. What has no path in common is judged apart.

use std::collections::BTreeMap;

use fencehold_model::history::{
    self as told, Call, Header, History, Id, LeaseAsk, LeaseSeen, LeaseState, Operation, Outcome, Token, Told,
};
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::spec::Breach;
use fencehold_model::spec::lease::{
    Answer, Ask, Bind, Given, LeaseSpec, Name, Op, Proof, Reason, Rules, Seen, Set, State, Touch, canonical,
};

use super::limit::Limit;
use super::object::{Judge, Object, last_before};
use super::points::Point;
use super::report::Report;

/// Tokens that are texts are told apart by numbers from here on.
const TEXT_TOKENS: u64 = 1 << 60;
/// How many leases the name of an object lists.
const LISTED_MAX: usize = 4;

/// All leases of a history.
pub(super) struct Leases {
    spec: LeaseSpec,
    objects: Vec<Object<Op>>,
}

/// Gives texts their numbers, and joins leases into objects.
struct Reader<'a> {
    history: &'a History,
    numbers: bool,
    names: BTreeMap<String, u32>,
    sets: BTreeMap<Vec<Id>, Set>,
    /// For each name the next one on the way to that which stands for its object.
    parents: Vec<usize>,
}

impl Leases {
    /// Reads the operations on leases; what no lease can be is reported at once.
    pub(super) fn of(history: &History, report: &mut Report) -> Self {
        let policy = &history.header.hello.policy;
        let numbers = policy.lease_ids == IdForm::Numbers;
        let mut reader =
            Reader { history, numbers, names: BTreeMap::new(), sets: BTreeMap::new(), parents: Vec::new() };
        let leases: Vec<Option<(Name, Option<Set>)>> = history
            .ops
            .iter()
            .enumerate()
            .map(|(at, op)| reader.lease(at, op, report).filter(|_| op.outcome != Outcome::Fail))
            .collect();
        let touch = reader.join(&leases);
        let mut objects: Vec<Object<Op>> = Vec::new();
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        for (at, (op, lease)) in history.ops.iter().zip(&leases).enumerate() {
            let (Some((lease, set)), Call::Lease(_, ask)) = (lease, &op.call) else { continue };
            let place = *places.entry(reader.root(lease.0 as usize)).or_insert_with(|| {
                objects.push(Object::new(String::new()));
                objects.len() - 1
            });
            let read = reader.op(op, *lease, ask, *set);
            objects[place].push(at, op, read);
        }
        for (at, op) in history.ops.iter().enumerate() {
            if let Call::LeaseList { state, after } = &op.call {
                reader.list(at, op, state.map(state_of), after.is_none(), &places, &mut objects, report);
            }
        }
        for (root, place) in &places {
            objects[*place].subject = reader.subject(*root);
        }
        Leases { spec: LeaseSpec { rules: rules(&history.header), touch }, objects }
    }

    /// Where each answer says that it was decided.
    pub(super) fn points<'a>(&'a self, points: &mut Vec<Point<'a>>) {
        for object in &self.objects {
            Point::of(object, points, |op, revision| match (op.ask, &op.given) {
                (Ask::Grant { .. }, Given::Ok(answer)) => (0, answer.token == Some(revision)),
                (Ask::Close(_), Given::Ok(answer)) if answer.already == Some(true) => (2, false),
                (Ask::Close(_) | Ask::Crash { .. } | Ask::Clear { .. }, Given::Ok(_)) => (0, false),
                _ => (2, false),
            });
        }
    }

    /// Judges every object.
    pub(super) fn check(&self, history: &History, ranks: &[u32], limit: &mut Limit, report: &mut Report) {
        let related = |object: &Object<Op>, culprit: usize| last_before(object, culprit, is_grant);
        let judge = Judge { history, spec: &self.spec, ranks, related };
        for (place, object) in self.objects.iter().enumerate() {
            count(object, report);
            judge.judge(object, &mut limit.share(self.objects.len() - place), report);
        }
    }
}

fn is_grant(op: &Op) -> bool {
    matches!((op.ask, &op.given), (Ask::Grant { .. }, Given::Ok(_)))
}

fn rules(header: &Header) -> Rules {
    Rules {
        advises: header.hello.policy.overlap == Overlap::Advise,
        tokens_grow: header.hello.tokens == told::Tokens::Ordered,
        ttl_ends: header.hello.ttl_ends,
        process_ends: header.hello.process_ends,
        slack_us: header.slack_ms.saturating_mul(1000),
        grain_us: 1000,
        memory_us: 10 * 60 * 1_000_000,
    }
}

impl Reader<'_> {
    fn text(&self, id: Id) -> &str {
        self.history.names.text(id)
    }

    fn number(&mut self, text: String) -> Name {
        let next = u32::try_from(self.names.len()).expect("a history has fewer than 2^32 names");
        let number = *self.names.entry(text).or_insert(next);
        if number == next {
            self.parents.push(next as usize);
        }
        Name(number)
    }

    fn lease_name(&mut self, id: Id) -> Name {
        let name = format!("lease {}", canonical(self.text(id), self.numbers));
        self.number(name)
    }

    fn holder(&mut self, id: Id) -> Name {
        let name = format!("holder {}", self.text(id));
        self.number(name)
    }

    /// The lease that an operation is about, and the write set of a grant; none where it must not have been done.
    fn lease(&mut self, at: usize, op: &Operation, report: &mut Report) -> Option<(Name, Option<Set>)> {
        let Call::Lease(lease, ask) = &op.call else { return None };
        let name = self.lease_name(*lease);
        let LeaseAsk::Grant { write_set, .. } = ask else { return Some((name, None)) };
        let texts: Vec<&str> = write_set.iter().map(|entry| self.text(*entry)).collect();
        if Touch::of(&[texts]).is_err() {
            if op.ok().is_some() {
                let subject = format!("lease {:?}", self.text(*lease));
                report.broken(self.history, Breach::InvalidOk, &subject, vec![at]);
            }
            return None;
        }
        let next = Set(u32::try_from(self.sets.len()).expect("fewer than 2^32 write sets"));
        Some((name, Some(*self.sets.entry(write_set.clone()).or_insert(next))))
    }

    fn root(&self, mut name: usize) -> usize {
        while self.parents[name] != name {
            name = self.parents[name];
        }
        name
    }

    /// Joins the leases whose write sets touch; gives which sets do.
    fn join(&mut self, leases: &[Option<(Name, Option<Set>)>]) -> Touch {
        let mut sets: Vec<(&Vec<Id>, Set)> = self.sets.iter().map(|(texts, set)| (texts, *set)).collect();
        sets.sort_by_key(|(_, set)| *set);
        let texts: Vec<Vec<&str>> =
            sets.iter().map(|(ids, _)| ids.iter().map(|id| self.text(*id)).collect()).collect();
        let touch = Touch::of(&texts).expect("each set was read for itself");
        let mut writers: Vec<Option<usize>> = vec![None; sets.len()];
        for (lease, set) in
            leases.iter().flatten().filter_map(|(lease, set)| Some((lease.0 as usize, (*set)?)))
        {
            match writers[set.0 as usize] {
                Some(writer) if touch.touches(set, set) => self.unite(writer, lease),
                _ => writers[set.0 as usize] = Some(lease),
            }
        }
        for (a, writer) in (0u32..).zip(&writers) {
            for (b, other) in (0u32..a).zip(&writers) {
                if let (Some(writer), Some(other)) = (writer, other)
                    && touch.touches(Set(a), Set(b))
                {
                    self.unite(*writer, *other);
                }
            }
        }
        touch
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }

    fn subject(&self, root: usize) -> String {
        let leases = self.names.iter().filter(|(_, name)| self.root(**name as usize) == root);
        let leases: Vec<&str> = leases.filter_map(|(text, _)| text.strip_prefix("lease ")).collect();
        let listed: Vec<String> = leases.iter().take(LISTED_MAX).map(|lease| format!("{lease:?}")).collect();
        let more = leases.len().saturating_sub(LISTED_MAX);
        match (leases.len(), more) {
            (1, _) => format!("lease {}", listed.join(", ")),
            (_, 0) => format!("leases {}", listed.join(", ")),
            _ => format!("leases {} and {more} more", listed.join(", ")),
        }
    }

    fn op(&mut self, op: &Operation, lease: Name, ask: &LeaseAsk, set: Option<Set>) -> Op {
        let ask = match ask {
            LeaseAsk::Grant { holder, ttl_us, bind, .. } => Ask::Grant {
                holder: self.holder(*holder),
                ttl_us: *ttl_us,
                writes: set.expect("a grant was read with its set"),
                bind: match bind {
                    told::Bind::No => Bind::No,
                    told::Bind::Process => Bind::Process,
                    told::Bind::Other => Bind::Other,
                },
            },
            LeaseAsk::Close { token } => Ask::Close(Proof::Token(number(*token).unwrap_or(0))),
            LeaseAsk::Crash { token, blank } => Ask::Crash { token: number(*token), blank: *blank },
            LeaseAsk::Clear { force, blank } => Ask::Clear { force: *force, blank: *blank },
            LeaseAsk::Show => Ask::Show,
        };
        let given = self.given(op, lease);
        self.timed(op, lease, ask, given)
    }

    fn timed(&self, op: &Operation, lease: Name, ask: Ask, given: Given) -> Op {
        let life = self.history.processes[op.process];
        let mut read = Op::at(op.invoked_us, lease, ask, given);
        read.end_us = op.ended_us;
        (read.alive_us, read.died_us) = (life.alive_us, life.died_us);
        read
    }

    fn given(&mut self, op: &Operation, lease: Name) -> Given {
        match &op.outcome {
            Outcome::Ok(answer) => {
                let mut read = self.answer(answer, lease);
                // Of what was done it says what the lease is now; of a refusal and of a show, what it was.
                if !matches!(op.call, Call::Lease(_, LeaseAsk::Show)) {
                    read.named.clear();
                }
                Given::Ok(read)
            }
            Outcome::Refused(reason, answer) => {
                Given::Refused(reason_of(*reason), self.answer(answer, lease))
            }
            Outcome::Fail | Outcome::Info => Given::Info,
        }
    }

    fn answer(&mut self, answer: &told::Answer, lease: Name) -> Answer {
        let mut read = Answer { token: number(answer.token), already: answer.already, ..Answer::default() };
        match &answer.told {
            Told::Granted { beside, crashed, .. } => {
                // Both may be left out: what is empty says nothing.
                let mut some = |ids: &Vec<Id>| {
                    let names: Vec<Name> = ids.iter().map(|id| self.lease_name(*id)).collect();
                    Some(names).filter(|names| !names.is_empty())
                };
                (read.beside, read.crashed) = (some(beside), some(crashed));
            }
            Told::Lease(seen) => {
                read.state = seen.state.map(state_of);
                read.named.push(self.seen(seen, Some(lease)));
            }
            Told::Leases { leases, .. } => {
                read.named = leases.iter().map(|seen| self.seen(seen, None)).collect();
            }
            Told::Nothing | Told::Status(_) | Told::Proposal(_) | Told::Proposals { .. } => {}
        }
        read
    }

    /// A lease that an answer names; where it leaves its id out it is the one that was asked about.
    fn seen(&mut self, seen: &LeaseSeen, asked: Option<Name>) -> Seen {
        Seen {
            lease: match (seen.lease, asked) {
                (Some(lease), _) => self.lease_name(lease),
                (None, Some(asked)) => asked,
                (None, None) => Name(u32::MAX),
            },
            state: seen.state.map(state_of),
            token: number(seen.token),
            holder: seen.holder.map(|holder| self.holder(holder)),
        }
    }

    /// A list is looked at by every object of its own: each finds what it names of it.
    #[allow(clippy::too_many_arguments)] // all of one list
    fn list(
        &mut self,
        at: usize,
        op: &Operation,
        only: Option<State>,
        first: bool,
        places: &BTreeMap<usize, usize>,
        objects: &mut [Object<Op>],
        report: &mut Report,
    ) {
        let Outcome::Ok(answer) = &op.outcome else { return };
        let Told::Leases { next, .. } = &answer.told else {
            report.broken(self.history, Breach::Malformed, "the list of leases", vec![at]);
            return;
        };
        let whole = first && next.is_none();
        let named = self.answer(answer, Name(u32::MAX)).named;
        let mut parts: Vec<Vec<Seen>> = vec![Vec::new(); objects.len()];
        for seen in named {
            let known = (seen.lease.0 as usize) < self.parents.len();
            match known.then(|| places.get(&self.root(seen.lease.0 as usize))).flatten() {
                Some(place) => parts[*place].push(seen),
                None => report.broken(self.history, Breach::LeaseState, "the list of leases", vec![at]),
            }
        }
        for (object, named) in objects.iter_mut().zip(parts).filter(|(_, named)| whole || !named.is_empty()) {
            let given = Given::Ok(Answer { named, ..Answer::default() });
            let read = self.timed(op, Name(u32::MAX), Ask::List { only, whole }, given);
            object.push(at, op, read);
        }
    }
}

fn state_of(state: LeaseState) -> State {
    match state {
        LeaseState::Open => State::Open,
        LeaseState::Closed => State::Closed,
        LeaseState::Crashed => State::Crashed,
        LeaseState::Cleared => State::Cleared,
    }
}

fn reason_of(reason: told::Reason) -> Reason {
    match reason {
        told::Reason::AlreadyOpen => Reason::AlreadyOpen,
        told::Reason::Overlap => Reason::Overlap,
        told::Reason::NotOpen => Reason::NotOpen,
        told::Reason::NotHolder => Reason::NotHolder,
        told::Reason::NotFound => Reason::NotFound,
        told::Reason::NeedsReason => Reason::NeedsReason,
        told::Reason::Own => Reason::Own,
        _ => Reason::Other,
    }
}

fn number(token: Token) -> Option<u64> {
    match token {
        Token::Absent => None,
        Token::Number(number) => Some(number),
        Token::Text(id) => Some(TEXT_TOKENS + u64::from(id.0)),
    }
}

/// Counts what was reached.
fn count(object: &Object<Op>, report: &mut Report) {
    let counts = &mut report.counts;
    for timed in &object.ops {
        match (timed.op.ask, &timed.op.given) {
            (Ask::Grant { .. }, Given::Ok(answer)) => {
                counts.leases += 1;
                counts.lapsed_over += usize::from(answer.crashed.is_some());
            }
            (Ask::Grant { .. }, Given::Refused(Reason::Overlap, _)) => counts.overlaps += 1,
            _ => {}
        }
    }
}
