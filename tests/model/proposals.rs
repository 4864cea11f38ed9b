//! The machine of proposals against the oracle: along drawn walks every answer of the machine is one that the oracle
//! expects, and hardly any other is.

use fencehold_model::proposal::{Command, Decision, Refusal, Sum, Target, Told, decide};
use fencehold_model::spec::Spec as _;
use fencehold_model::spec::proposal::{
    End, Proposal, ProposalAsk, ProposalGiven, ProposalOp, ProposalReason, ProposalSpec, ProposalTold,
};
use fencehold_model::{Entry, Holder, OpId, ProposalId, State};
use fencehold_stress::rng::Rng;

const FILES: [&str; 2] = ["a.md", "b.md"];
const IDS: [&str; 3] = ["p", "p1", "p10"];
const CONTENTS: [&str; 2] = ["one\n", "two\n"];
const STEPS: usize = 400;

/// What an answer says, as the oracle is told it.
type Said = (ProposalGiven, Option<ProposalTold>, Option<bool>);

struct Machine {
    state: State,
    next: u64,
}

impl Machine {
    fn record(&mut self, event: fencehold_model::Event) {
        self.next += 1;
        let (revision, at_ms) = (self.next, self.next);
        let op = OpId::new(&format!("op{revision}")).unwrap();
        self.state.apply(&Entry { revision, at_ms, actor: Holder::new("w").unwrap(), op, event });
    }

    fn decided(&mut self, command: &Command) -> Said {
        match decide(&self.state, command) {
            Decision::Record(event) => {
                self.record(event);
                let told = match command {
                    Command::Accept { .. } => ProposalTold::Ended(End::Accepted),
                    Command::Reject { .. } => ProposalTold::Ended(End::Rejected),
                    _ => ProposalTold::Proposed,
                };
                (ProposalGiven::Ok, Some(told), Some(false))
            }
            Decision::Already(stands) => (ProposalGiven::Ok, Some(told(stands)), Some(true)),
            Decision::Refuse(refusal) => {
                let reason = match &refusal {
                    Refusal::NotFound => ProposalReason::NotFound,
                    Refusal::NotOpen(_) => ProposalReason::NotOpen,
                    Refusal::OtherContent(_) => ProposalReason::Conflict,
                    other => panic!("{command:?}: {other:?}"),
                };
                (ProposalGiven::Refused(reason), refusal.stands().map(told), None)
            }
            Decision::Invalid(why) => panic!("{command:?}: {why}"),
        }
    }

    /// Both steps of an accept, one after the other.
    fn accept(&mut self, target: Target, id: ProposalId) -> Said {
        let (before, after) = (Sum::of(b"before"), Sum::of(b"after"));
        let intend =
            Command::Intend { target: target.clone(), id: id.clone(), file: "/a".to_owned(), before, after };
        match self.decided(&intend) {
            (ProposalGiven::Ok, _, Some(false)) => {
                let intent = self.state.revision;
                self.decided(&Command::Accept { target, id, intent })
            }
            ended => ended,
        }
    }
}

fn told(told: Told) -> ProposalTold {
    match told {
        Told::Proposed => ProposalTold::Proposed,
        Told::Accepted => ProposalTold::Ended(End::Accepted),
        Told::Rejected => ProposalTold::Ended(End::Rejected),
        Told::InDoubt => ProposalTold::InDoubt,
    }
}

/// Every answer that could be given.
fn answers() -> Vec<Said> {
    use ProposalReason::{Conflict, NotFound, NotOpen};
    let given = [NotFound, NotOpen, Conflict].map(ProposalGiven::Refused);
    let ends = [End::Accepted, End::Rejected].map(ProposalTold::Ended);
    let tolds =
        [None, Some(ProposalTold::Proposed), Some(ends[0]), Some(ends[1]), Some(ProposalTold::InDoubt)];
    let given = given.into_iter().chain([ProposalGiven::Ok]);
    given
        .flat_map(|given| tolds.map(|told| (given, told)))
        .flat_map(|(given, told)| [None, Some(false), Some(true)].map(|already| (given, told, already)))
        .collect()
}

#[test]
fn the_machine_and_the_oracle_agree_and_the_oracle_agrees_to_little_else() {
    let spec = ProposalSpec { edited: false };
    let (mut steps, mut others, mut kinds) = (0, 0, std::collections::BTreeMap::<String, usize>::new());
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut machine = Machine { state: State::default(), next: 0 };
        let mut oracle = std::collections::BTreeMap::<(&str, &str), Proposal>::new();
        for _ in 0..STEPS {
            let (file, id) = (*rng.pick(&FILES), *rng.pick(&IDS));
            let (target, name) = (Target::new(file).unwrap(), ProposalId::new(id).unwrap());
            let stands = oracle.get(&(file, id)).copied().unwrap_or_default();
            // So that there is something to end: walks begin anew now and then.
            if rng.one_in(60) {
                machine = Machine { state: State::default(), next: 0 };
                oracle.clear();
                continue;
            }
            let content = rng.below(2);
            let (ask, said) = match rng.below(6) {
                0..2 => {
                    let content_text = CONTENTS[usize::try_from(content).unwrap()].to_owned();
                    let add = Command::Add { target, id: name, content: content_text };
                    (ProposalAsk::Add(u32::try_from(content).unwrap()), machine.decided(&add))
                }
                2..4 => (ProposalAsk::End(End::Accepted), machine.accept(target, name)),
                4 => {
                    let reject = Command::Reject { target, id: name, reason: None, untouched: None };
                    (ProposalAsk::End(End::Rejected), machine.decided(&reject))
                }
                _ => {
                    let known = machine.state.prose_of(&target).and_then(|prose| prose.proposals.get(&name));
                    (ProposalAsk::List, (ProposalGiven::Ok, known.map(|known| told(known.told())), None))
                }
            };
            let op = |(given, told, already): Said| ProposalOp { ask, given, told, already };
            let next = spec.step(&stands, &op(said));
            let next =
                next.unwrap_or_else(|breach| panic!("seed {seed}: {ask:?} {said:?} at {stands:?}: {breach}"));
            *kinds.entry(format!("{ask:?} {:?}", said.0)).or_default() += 1;
            // Said less than it was, or of a state that a refusal need not name.
            let is_less = |other: &Said| {
                other.0 == said.0
                    && (other.1 == said.1 || (other.1.is_none() && said.0 != ProposalGiven::Ok))
                    && (other.2 == said.2
                        || other.2.is_none()
                        || said.0 != ProposalGiven::Ok
                        || ask == ProposalAsk::List)
            };
            for other in answers().into_iter().filter(|other| !is_less(other)) {
                if ask == ProposalAsk::List && other.0 != ProposalGiven::Ok {
                    continue;
                }
                let accepted = spec.step(&stands, &op(other));
                assert!(accepted.is_err(), "seed {seed}: {ask:?} {other:?} at {stands:?}, like {said:?}");
                others += 1;
            }
            oracle.insert((file, id), next);
            steps += 1;
        }
    }
    println!("{steps} steps, {others} other answers, {kinds:?}");
    assert!(steps > 10_000 && kinds.len() >= 11, "{steps}: {kinds:?}");
    assert!(kinds.values().all(|count| *count > 50), "{kinds:?}");
}
