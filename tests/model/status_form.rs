use std::collections::BTreeMap;

use fencehold_model::json::{Fields, Tree, Writer};
use fencehold_model::policy::gates::GatePath;
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::record::{Broken, Head, read_head, write_head};
use fencehold_model::spec::status::canonical;
use fencehold_model::status::{
    Cell, Detail, Forced, How, Noted, Owed, RANK_MAX, Rung, StatusEvent, Unmet, Value, Vocabulary,
};
use fencehold_model::{Event, Holder, NUMBER_BOUND, Policy, State, Status, TaskId, WorkspaceId, chain};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::arbitrary::{id_text, number};
use super::gates::gates;

/// Any JSON that is not deep.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_filter("JSON has no other", |float| float.is_finite()).prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inside| {
        prop_oneof![
            proptest::collection::vec(inside.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map("\\PC{0,6}", inside, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn detail() -> impl Strategy<Value = Detail> {
    proptest::collection::btree_map("\\PC{0,6}", any_json(), 0..4)
        .prop_map(|map| Detail::new(&Json::Object(map.into_iter().collect())).unwrap())
}

fn vocabulary() -> impl Strategy<Value = Vocabulary> {
    let rank = || prop_oneof![Just(0), Just(RANK_MAX), 0..5u64];
    proptest::collection::btree_map(id_text(), (rank(), any::<bool>()), 1..=32).prop_map(|rungs| {
        let rung = |(text, (rank, terminal)): (String, _)| Rung {
            status: Status::new(&text).unwrap(),
            rank,
            terminal,
        };
        Vocabulary::new(rungs.into_iter().map(rung).collect()).unwrap()
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let form = || prop_oneof![Just(IdForm::Text), Just(IdForm::Numbers)];
    let overlap = prop_oneof![Just(Overlap::Refuse), Just(Overlap::Advise)];
    let policy = (vocabulary(), form(), form(), overlap, super::guarded::guarded());
    policy.prop_flat_map(|(vocabulary, task_ids, lease_ids, overlap, guarded)| {
        gates(&vocabulary).prop_map(move |gates| Policy {
            vocabulary: vocabulary.clone(),
            task_ids,
            lease_ids,
            overlap,
            guarded: guarded.clone(),
            gates,
        })
    })
}

/// A value of statuses that any vocabulary could have.
fn value() -> impl Strategy<Value = Value> {
    let statuses = proptest::collection::btree_map(id_text(), proptest::option::of(detail()), 1..5);
    (number(), number(), statuses).prop_map(|(epoch, turn, statuses)| Value {
        epoch,
        turn,
        statuses: statuses.into_iter().map(|(text, detail)| (Status::new(&text).unwrap(), detail)).collect(),
    })
}

fn any_task() -> TaskId {
    TaskId::new("task").unwrap()
}

fn unmet() -> impl Strategy<Value = Unmet> {
    ("\\PC{0,9}", "[a-z_]{1,9}", ".{0,9}").prop_map(|(file, condition, why)| Unmet { file, condition, why })
}

/// What a step by force leaves behind; `logs` of them are owed an entry.
fn forced(logs: std::ops::Range<usize>) -> impl Strategy<Value = Forced> {
    let log = "[a-z/é\"]{1,9}".prop_filter("a log is a file", |log| {
        GatePath::new(log).is_ok_and(|log| log.log_of(&any_task()).is_ok())
    });
    let owes = proptest::collection::btree_set(log, logs);
    (".{0,8}[a-z]", proptest::collection::vec(unmet(), 1..4), number(), "/\\PC{0,8}", owes)
        .prop_map(|(reason, unmet, more, root, owes)| Forced { reason, unmet, more, root, owes })
}

fn event() -> impl Strategy<Value = Event> {
    let task = || id_text().prop_map(|text| TaskId::new(&text).unwrap());
    let how = prop_oneof![Just(How::Set), Just(How::Resolved), Just(How::Merged)];
    let by_force = || proptest::option::of(forced(0..3).prop_map(Box::new));
    let noted = (number(), "\\PC{1,9}", proptest::option::of(".{0,9}"));
    prop_oneof![
        (task(), how, value(), by_force()).prop_map(|(task, how, value, forced)| Event::Status(
            StatusEvent::Set { task, how, value, forced }
        )),
        (task(), id_text(), number(), ".{0,9}", by_force()).prop_map(|(task, to, over, reason, forced)| {
            let (to, over) = (Status::new(&to).unwrap(), over.min(NUMBER_BOUND - 2));
            Event::Status(StatusEvent::Reopened { task, to, over, reason, forced })
        }),
        policy().prop_map(|policy| Event::PolicyApplied { policy }),
        noted.prop_map(|(step, file, given_up)| Event::OverrideNoted(Noted { step, file, given_up })),
    ]
}

/// A state with a policy, and cells of it under ids in their one form.
fn state() -> impl Strategy<Value = State> {
    let cells = proptest::collection::vec(
        (id_text(), number(), number(), any::<proptest::sample::Index>(), proptest::option::of(detail())),
        0..8,
    );
    let owed = (number(), id_text(), number(), forced(1..3));
    (policy(), cells, proptest::collection::vec(owed, 0..3)).prop_map(|(policy, cells, owed)| {
        let mut state = State { policy, ..State::default() };
        for (step, id, at_ms, forced) in owed {
            let (task, actor) = (TaskId::new(&id).unwrap(), Holder::new(&id).unwrap());
            let statuses = vec![Status::new(&id).unwrap()];
            state.owed.insert(step, Owed { task, statuses, at_ms, actor, forced });
        }
        for (id, epoch, turn, place, detail) in cells {
            let rung = place.get(state.policy.vocabulary.rungs());
            let beside = state.policy.vocabulary.rungs().iter().filter(|other| other.rank == rung.rank);
            let statuses: BTreeMap<_, _> = beside.map(|rung| (rung.status.clone(), detail.clone())).collect();
            let value = Value { epoch, turn, statuses };
            let task = state.policy.task(&TaskId::new(&id).unwrap());
            let actor = Holder::new(&id).unwrap();
            state.tasks.insert(task, Cell { value, revision: turn, at_ms: epoch, actor });
        }
        state
    })
}

fn parse(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// STATUS-9: A detail is a JSON object of at most 4,096 bytes, without white space and with its keys in order, whose
    /// objects and arrays stand at most 32 deep in each other, and anything else fails definitely.
    #[test]
    fn a_detail_is_the_same_after_any_number_of_readings(detail in detail()) {
        let again = Detail::new(&parse(detail.as_str())).unwrap();
        prop_assert_eq!(&again, &detail);
    }

    #[test]
    fn events_of_tasks_and_policies_read_back_equal(event in event()) {
        let mut text = String::new();
        event.write(&mut text);
        prop_assert!(!text.contains('\n'), "an event is one line: {}", text);
        let json = parse(&text);
        prop_assert_eq!(Event::read(Fields::of(&Tree::of(&json)).unwrap()), Ok(event));
    }

    /// STATUS-38's half in the model: line one reads back as the state that was folded.
    #[test]
    fn a_state_with_tasks_reads_back_equal(state in state()) {
        let head = Head { workspace: WorkspaceId::new("w").unwrap(), n: 1, state };
        let (line, _) = write_head(&head, 0);
        prop_assert_eq!(read_head(line.trim_end_matches('\n'), 1).unwrap().content, head);
    }

    /// STATUS-6's half in the model: the canonical form is one, and the oracle's.
    #[test]
    fn ids_have_one_form(id in prop_oneof![id_text(), "[0-9.]{1,9}", "[0-9T.]{1,6}"]) {
        prop_assume!(TaskId::new(&id).is_ok());
        let numbers = Policy { task_ids: IdForm::Numbers, ..Policy::default() };
        let one = numbers.task(&TaskId::new(&id).unwrap());
        let by_oracle = canonical(&id);
        prop_assert_eq!(one.as_str(), by_oracle.as_str());
        prop_assert_eq!(numbers.task(&one), one);
        let as_it_stands = Policy::default().task(&TaskId::new(&id).unwrap());
        prop_assert_eq!(as_it_stands.as_str(), id);
    }
}

/// Line one as it is written, with `change` made to its JSON, sealed again.
fn changed(state: State, change: impl FnOnce(&mut Json)) -> Result<State, Broken> {
    let head = Head { workspace: WorkspaceId::new("w").unwrap(), n: 1, state };
    let mut json = parse(&write_head(&head, 0).0);
    change(&mut json);
    let object = json.as_object_mut().unwrap();
    object.remove("crc");
    let mut line = json.to_string();
    line.pop();
    chain::seal(&mut line);
    read_head(line.trim_end_matches('\n'), 1).map(|line| line.content.state)
}

fn sample() -> State {
    let cell = |text: &str| Cell {
        value: Value::of(0, 0, Status::new(text).unwrap(), None),
        revision: 1,
        at_ms: 1,
        actor: Holder::new("a").unwrap(),
    };
    let policy = Policy { task_ids: IdForm::Numbers, ..Policy::default() };
    let tasks = ["5", "x"].map(|id| (TaskId::new(id).unwrap(), cell("todo")));
    State { policy, tasks: BTreeMap::from(tasks), ..State::default() }
}

/// STATUS-39's half of line one: what no fold comes to is content that cannot be, and is never met by a decision.
#[test]
fn a_state_that_no_fold_comes_to_is_refused() {
    assert_eq!(changed(sample(), |_| {}), Ok(sample()));
    type Change = fn(&mut Json);
    let wrong: [(Change, &str); 12] = [
        (
            |head| head["state"]["tasks"][0]["statuses"] = json!({"shipped": null}),
            "task 5: status shipped is unknown",
        ),
        (
            |head| head["state"]["tasks"][0]["statuses"] = json!({"todo": null, "done": null}),
            "different ranks",
        ),
        (|head| head["state"]["tasks"][0]["statuses"] = json!({}), "holds no status"),
        (|head| head["state"]["tasks"][0]["statuses"] = json!({"todo": "text"}), "a detail is a JSON object"),
        (|head| head["state"]["tasks"][0]["statuses"] = json!({" todo": null}), "white space"),
        (|head| head["state"]["tasks"][0]["task"] = json!("05"), "its id is written 5"),
        (|head| head["state"]["tasks"][1]["task"] = json!("5"), "field `tasks` holds"),
        (|head| head["state"]["tasks"][0]["epoch"] = json!(NUMBER_BOUND), "`epoch` is not a whole number"),
        (|head| head["state"]["tasks"][0]["turn"] = json!(-1), "`turn` is not a whole number"),
        (|head| head["state"]["policy"]["statuses"] = json!([]), "at least one status"),
        (|head| head["state"]["policy"]["task_ids"] = json!("roman"), "`roman` is no form of ids"),
        (
            |head| head["state"]["policy"]["statuses"][0]["rank"] = json!(RANK_MAX + 1),
            "the highest is 1000000",
        ),
    ];
    for (change, why) in wrong {
        match changed(sample(), change) {
            Err(Broken::Content(what)) => assert!(what.contains(why), "{what}"),
            other => panic!("{why}: {other:?}"),
        }
    }
}

/// A line one of format 1, as it was written before there were tasks, is read: no task, the default policy.
#[test]
fn an_older_line_one_has_no_tasks_and_the_default_policy() {
    let state = changed(sample(), |head| {
        head["fencehold"] = json!(1);
        for key in ["leases", "tasks", "policy"] {
            head["state"].as_object_mut().unwrap().remove(key);
        }
    });
    assert_eq!(state, Ok(State::default()));
}

#[test]
fn a_value_is_written_in_a_form_that_is_fixed() {
    let detail = Detail::new(&json!({"z": 1, "a": [true, null]})).unwrap();
    let statuses = BTreeMap::from([
        (Status::new("say \"hi\"\\").unwrap(), None),
        (Status::new("blocked").unwrap(), Some(detail)),
    ]);
    let mut text = String::new();
    let mut to = Writer::new(&mut text);
    Value { epoch: 7, turn: 2, statuses }.write(&mut to);
    to.end();
    assert_eq!(
        text,
        r#"{"epoch":7,"turn":2,"statuses":{"blocked":{"a":[true,null],"z":1},"say \"hi\"\\":null}}"#
    );
}
