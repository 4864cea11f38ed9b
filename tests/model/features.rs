use fencehold_model::chain::{self, Checksum};
use fencehold_model::json::Tree;
use fencehold_model::record::{Head, expect_head, read_entry, read_head, write_head};
use fencehold_model::status::Detail;
use fencehold_model::{NUMBER_BOUND, State, WorkspaceId};
use serde_core::Deserialize as _;
use serde_core::de::value::{Error, MapDeserializer};
use serde_json::{Value, json};

const NUMBER_IN_A_MAP: &str = "$serde_json::private::Number";

/// What serde_json hands to a visitor for a number under its feature `arbitrary_precision`, which a crate of the user's
/// build may turn on: a map of one key, its digits as a `String`.
fn as_under_arbitrary_precision(digits: &str) -> Result<Tree<'static>, Error> {
    Tree::deserialize(MapDeserializer::new(core::iter::once((NUMBER_IN_A_MAP, digits.to_owned()))))
}

#[test]
fn a_number_is_a_number_whatever_features_serde_json_has() {
    let mut seen = 0;
    for digits in
        ["0.5", "-0", "-0.0", "1e3", "36893488147419103232", "-9223372036854775809", "5.0", "7", "-7", "0.10"]
    {
        let tree = as_under_arbitrary_precision(digits).unwrap();
        let plain: Tree<'_> = serde_json::from_str(digits).unwrap();
        assert!(matches!(tree, Tree::Number(_)), "{digits}: {tree:?}");
        assert_eq!(tree, plain, "{digits}");
        assert_eq!((tree.as_u64(), tree.as_i64()), (plain.as_u64(), plain.as_i64()), "{digits}");
        assert_eq!(tree.to_value().to_string(), serde_json::from_str::<Value>(digits).unwrap().to_string());
        seen += 1;
    }
    for digits in ["1e400", "-1e400", "x", ""] {
        as_under_arbitrary_precision(digits).unwrap_err();
        assert!(serde_json::from_str::<Tree<'_>>(digits).is_err(), "{digits}");
        seen += 1;
    }
    assert_eq!(seen, 14);
}

/// The control: who names a member like that has an object, whatever stands in it.
#[test]
fn an_object_whose_member_is_named_as_serde_json_names_numbers_stays_one() {
    for inside in [
        json!("5"),
        json!("a\"b"),
        json!(5),
        json!(null),
        json!(true),
        json!(-1.5),
        json!([1]),
        json!({ "a": 1 }),
    ] {
        for more in ["", ",\"b\":2"] {
            let text = format!("{{\"{NUMBER_IN_A_MAP}\":{inside}{more}}}");
            let tree: Tree<'_> = serde_json::from_str(&text).unwrap();
            assert!(matches!(tree, Tree::Object(_)), "{text}: {tree:?}");
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((tree.to_value(), &tree), (value.clone(), &Tree::of(&value)), "{text}");
            let detail = Detail::new(&value).unwrap();
            assert_eq!(Detail::new(&tree.to_value()).unwrap(), detail);
        }
    }
}

fn statuses(statuses: &str) -> Result<String, String> {
    let event = format!(
        r#"{{"v":1,"type":"status.set","task":"t","epoch":0,"rank":0,"turn":0,"statuses":{statuses}}}"#
    );
    let mut line =
        format!(r#"{{"rev":5,"t":7,"actor":"a","op":"o","event":{event},"durable":0,"prev":"00000000""#);
    chain::seal(&mut line);
    let read = read_entry(line.trim_end(), Checksum(0), &State::default());
    read.map(|line| format!("{:?}", line.content.event)).map_err(|broken| broken.to_string())
}

#[test]
fn of_two_members_of_one_name_the_first_is_not_looked_at() {
    let (null, detail) = (statuses(r#"{"todo":null}"#).unwrap(), statuses(r#"{"todo":{"b":2}}"#).unwrap());
    assert_ne!(null, detail);
    assert_eq!(statuses(r#"{"todo":5,"todo":null}"#), Ok(null.clone()));
    assert_eq!(statuses(r#"{"todo":{"a":1},"todo":5,"todo":{"b":2}}"#), Ok(detail));
    for bad in [r#"{"todo":null,"todo":5}"#, r#"{"todo":5}"#, r#"{"":null,"todo":null}"#] {
        assert!(statuses(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_line_one_with_a_number_beyond_2_to_the_53_is_expected_by_nobody() {
    let head = Head { workspace: WorkspaceId::new("w").unwrap(), n: 3, state: State::default() };
    for (durable, is_read) in [(NUMBER_BOUND - 1, true), (NUMBER_BOUND, false), (u64::MAX, false)] {
        let (line, _) = write_head(&head, durable);
        let line = line.trim_end();
        assert_eq!(read_head(line, 3).is_ok(), is_read, "{durable}");
        let expected = expect_head(line, 3, &head.workspace, head.state.clone());
        assert_eq!(expected, read_head(line, 3).ok(), "{durable}");
    }
}
