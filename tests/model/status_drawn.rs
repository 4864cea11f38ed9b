use std::collections::BTreeMap;

use fencehold_model::spec::Spec as _;
use fencehold_model::spec::status::{Cell, Shown, StatusAsk, StatusGiven, StatusOp, Task};
use fencehold_model::status::{Command, Decision, Detail, Rung, Value, Vocabulary, decide};
use fencehold_model::{Entry, Holder, OpId, Policy, State, Status, TaskId};
use fencehold_stress::explore::status::Lexicon;
use proptest::prelude::*;
use serde_json::json;

const WORDS: usize = 12;

fn status(index: usize) -> Status {
    Status::new(&format!("s{index}")).unwrap()
}

fn details() -> Vec<Detail> {
    (0..4).map(|index| Detail::new(&json!({ "q": index })).unwrap()).collect()
}

fn task() -> TaskId {
    TaskId::new("t").unwrap()
}

/// Up to twelve statuses at up to five ranks.
fn vocabulary() -> impl Strategy<Value = Vocabulary> {
    proptest::collection::vec((0u64..5, proptest::bool::weighted(0.3)), 1..=WORDS).prop_map(|rungs| {
        let rung = |(index, (rank, terminal))| Rung { status: status(index), rank, terminal };
        Vocabulary::new(rungs.into_iter().enumerate().map(rung).collect()).unwrap()
    })
}

/// What is asked, by numbers that what stands gives their meaning.
#[derive(Debug, Clone)]
enum Drawn {
    Set { to: usize, from: Option<usize>, epoch: i64, detail: Option<usize>, resolve: bool },
    Reopen { to: usize, from: Option<usize>, epoch: Option<i64>, blank: bool },
    Merge { rank: usize, sides: Vec<Option<usize>>, epoch: i64, turn: i64 },
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let detail = || proptest::option::weighted(0.3, 0..4usize);
    let near = || prop_oneof![6 => Just(0i64), 1 => -2i64..3];
    let set = (0..=WORDS, proptest::option::of(0..=WORDS), near(), detail(), proptest::bool::weighted(0.2));
    let seen = || proptest::option::weighted(0.4, 0..=WORDS);
    let reopen = (0..=WORDS, seen(), proptest::option::weighted(0.4, near()), proptest::bool::weighted(0.2));
    prop_oneof![
        8 => set.prop_map(|(to, from, epoch, detail, resolve)| Drawn::Set { to, from, epoch, detail, resolve }),
        1 => reopen.prop_map(|(to, from, epoch, blank)| Drawn::Reopen { to, from, epoch, blank }),
        3 => (0..5usize, proptest::collection::vec(detail(), WORDS), near(), near())
            .prop_map(|(rank, sides, epoch, turn)| Drawn::Merge { rank, sides, epoch, turn }),
    ]
}

/// The command that was meant where `stands`.
fn command(drawn: &Drawn, vocabulary: &Vocabulary, stands: Option<&Value>) -> Command {
    let near = |at: u64, by: i64| at.saturating_add_signed(by);
    let (epoch_now, turn_now) = stands.map_or((0, 0), |value| (value.epoch, value.turn));
    // Half of those who name something name what stands.
    let seen = |from: usize| match stands.and_then(|value| value.statuses.keys().next()) {
        Some(stands) if from.is_multiple_of(2) => stands.clone(),
        _ => status(from),
    };
    match drawn {
        Drawn::Set { to, from, epoch, detail, resolve } => Command::Set {
            task: task(),
            to: status(*to),
            from: from.map(seen),
            epoch: near(epoch_now, *epoch),
            detail: detail.map(|index| details()[index].clone()),
            resolve: *resolve,
        },
        Drawn::Reopen { to, from, epoch, blank } => Command::Reopen {
            task: task(),
            to: status(*to),
            from: from.map(seen),
            epoch: epoch.map(|epoch| near(epoch_now, epoch)),
            reason: if *blank { "\t" } else { "why" }.to_owned(),
        },
        Drawn::Merge { rank, sides, epoch, turn } => {
            let rungs = vocabulary.rungs();
            let of_rank = rungs.iter().filter(|rung| rung.rank == rungs[rank % rungs.len()].rank);
            let sides = of_rank
                .zip(sides)
                .map(|(rung, detail)| (rung.status.clone(), detail.map(|index| details()[index].clone())));
            // Some of the statuses of that rank; at times one that is of another.
            let statuses: BTreeMap<_, _> =
                sides.filter(|(_, detail)| detail.is_some() || turn % 2 == 0).collect();
            let (epoch, turn) = (near(epoch_now, *epoch), near(turn_now, *turn));
            Command::Merge { task: task(), value: Value { epoch, turn, statuses } }
        }
    }
}

/// A machine with the oracle beside.
struct Walk {
    lexicon: Lexicon,
    state: State,
    oracle: Task,
}

impl Walk {
    fn new(vocabulary: Vocabulary) -> Self {
        let lexicon = Lexicon::new(&vocabulary, details());
        let state = State { policy: Policy { vocabulary, ..Policy::default() }, ..State::default() };
        Walk { lexicon, state, oracle: Task::Nothing }
    }

    fn stands(&self) -> Option<&Value> {
        self.state.tasks.get(&task()).map(|cell| &cell.value)
    }

    /// Decides and applies; gives the operation as the oracle sees it.
    fn take(&mut self, command: &Command, later: u64) -> StatusOp {
        let decision = decide(&self.state, command);
        let revision = self.state.revision + later;
        let op = self.lexicon.op(command, &decision, revision);
        if let Decision::Record(event) = decision {
            self.state.admits(&event).unwrap();
            let (actor, op) = (Holder::new("a").unwrap(), OpId::new("o").unwrap());
            self.state.apply(&Entry { revision, at_ms: 0, actor, op, event });
        }
        op
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// STATUS-35: No set, reopen or merge moves a task to a lower value.
    #[test]
    fn decisions_agree_with_the_oracle(
        vocabulary in vocabulary(),
        steps in proptest::collection::vec((drawn(), 1u64..4), 1..60),
    ) {
        let mut walk = Walk::new(vocabulary);
        for (drawn, later) in &steps {
            let before = walk.stands().cloned();
            let command = command(drawn, &walk.state.policy.vocabulary, before.as_ref());
            let op = walk.take(&command, *later);
            let next = walk.lexicon.spec.step(&walk.oracle, &op);
            prop_assert!(next.is_ok(), "{next:?}: {command:?} over {before:?} came to {op:?}");
            walk.oracle = next.unwrap();
            let after = walk.stands();
            prop_assert_eq!(walk.lexicon.task(after), Ok(walk.oracle));
            if let (Some(before), Some(after)) = (&before, after) {
                // What stands now takes what stood before in without a change: it is not below it.
                prop_assert_eq!(&after.join(before, &walk.state.policy.vocabulary), after);
            }
        }
    }

    /// STATUS-32: A merge leaves the higher of two values, and where neither is higher the statuses of both, each with the
    /// greater of its details by their bytes.
    ///
    /// The oracle of a history follows the machine when answers are lost: of what an operation without an answer may
    /// have done it knows what was done, and it takes no answer for wrong that is right.
    #[test]
    fn the_oracle_follows_through_lost_answers(
        vocabulary in vocabulary(),
        steps in proptest::collection::vec((drawn(), 1u64..4, proptest::bool::weighted(0.3)), 1..40),
        details_told in any::<bool>(),
    ) {
        let mut walk = Walk::new(vocabulary);
        walk.lexicon.spec.exact = false;
        for (drawn, later, lost) in &steps {
            let before = walk.stands().cloned();
            let command = command(drawn, &walk.state.policy.vocabulary, before.as_ref());
            let mut op = walk.take(&command, *later);
            let spec = &walk.lexicon.spec;
            let moved = walk.stands() != before.as_ref();
            if *lost {
                op = StatusOp { given: StatusGiven::Info, shown: None, already: None, revision: None, ..op };
                let may_be = spec.effects(&walk.oracle, &op).into_iter().flatten();
                let next = may_be.chain((!moved).then_some(walk.oracle)).find(|next| fits(next, walk.stands(), &walk.lexicon));
                prop_assert!(next.is_some(), "{op:?} over {:?} led to {:?}", walk.oracle, walk.stands());
                walk.oracle = next.unwrap();
            } else {
                let shown = op.shown.map(|shown| Shown { details: details_told, ..shown });
                let next = spec.step(&walk.oracle, &StatusOp { shown, ..op });
                prop_assert!(next.is_ok(), "{next:?}: {op:?} over {:?}", walk.oracle);
                walk.oracle = next.unwrap();
            }
            prop_assert!(fits(&walk.oracle, walk.stands(), &walk.lexicon), "{:?} {:?}", walk.oracle, walk.stands());
        }
    }

    /// STATUS-32: A merge leaves the higher of two values, and where neither is higher the statuses of both, each with the
    /// greater of its details by their bytes.
    ///
    /// An answer that is changed in one place is found.
    #[test]
    fn a_wrong_answer_is_found(
        vocabulary in vocabulary(),
        steps in proptest::collection::vec((drawn(), 1u64..4), 1..20),
        wrong in 0..4usize,
    ) {
        let mut walk = Walk::new(vocabulary);
        for (drawn, later) in &steps {
            let before = walk.stands().cloned();
            let command = command(drawn, &walk.state.policy.vocabulary, before.as_ref());
            let op = walk.take(&command, *later);
            let spec = &walk.lexicon.spec;
            if let Some(shown) = op.shown {
                let shown = match wrong {
                    0 => Shown { epoch: shown.epoch + 1, ..shown },
                    1 => Shown { turn: shown.turn + 1, ..shown },
                    2 => Shown { sides: Default::default(), ..shown },
                    _ => Shown { epoch: shown.epoch.wrapping_sub(1), ..shown },
                };
                let found = spec.step(&walk.oracle, &StatusOp { shown: Some(shown), ..op });
                prop_assert!(found.is_err(), "{op:?}");
                let get = StatusOp { ask: StatusAsk::Get, given: StatusGiven::Ok, shown: Some(shown), already: None, ..op };
                prop_assert!(spec.step(&walk.lexicon.task(walk.stands()).unwrap(), &get).is_err());
            }
            walk.oracle = spec.step(&walk.oracle, &op).unwrap();
        }
    }

    /// STATUS-33: Boards that merge each other's values, in any order, in any groups and any number of times, come to the
    /// same values.
    #[test]
    fn the_join_is_commutative_associative_and_idempotent(
        vocabulary in vocabulary(),
        three in proptest::collection::vec(drawn_value(), 3),
    ) {
        let value = |drawn: &Drawn| match command(drawn, &vocabulary, None) {
            Command::Merge { value, .. } if !value.statuses.is_empty() => Some(value),
            _ => None,
        };
        let values: Vec<Value> = three.iter().filter_map(value).collect();
        prop_assume!(values.len() == 3);
        let join = |a: &Value, b: &Value| a.join(b, &vocabulary);
        let (a, b, c) = (&values[0], &values[1], &values[2]);
        prop_assert_eq!(join(a, b), join(b, a));
        prop_assert_eq!(join(&join(a, b), c), join(a, &join(b, c)));
        prop_assert_eq!(&join(a, a), a);
        prop_assert_eq!(join(a, &join(a, b)), join(a, b));
    }
}

fn drawn_value() -> impl Strategy<Value = Drawn> {
    let detail = proptest::option::weighted(0.5, 0..4usize);
    (0..2usize, proptest::collection::vec(detail, WORDS), 0i64..2, 0i64..3)
        .prop_map(|(rank, sides, epoch, turn)| Drawn::Merge { rank, sides, epoch, turn })
}

/// Whether what the oracle knows can be what stands.
fn fits(oracle: &Task, stands: Option<&Value>, lexicon: &Lexicon) -> bool {
    let cell = stands.and_then(|value| lexicon.cell(value));
    match (oracle, cell) {
        (Task::Nothing, None) => true,
        (Task::Stands(known), Some(cell)) => *known == cell,
        (Task::Reopened { above, to }, Some(Cell { epoch, turn: 0, sides })) => {
            epoch > *above && sides.alone() == Some(*to)
        }
        _ => false,
    }
}
