use fencehold::error::Error;
use fencehold::mark::Shown;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::site::Site;

/// DOC-13: An increment adds to an integer at the top level, takes an absent key as 0, and fails definitely where the
/// value, or the sum, is no integer between -(2^53-1) and 2^53-1.
///
/// DOC-18: A merge into, or an increment in, a file whose JSON is no object fails definitely, and the file is no
/// damage.
#[test]
fn increments_stay_whole_numbers_below_two_to_the_53() {
    let site = Site::new();
    let max = (1_i64 << 53) - 1;
    let nothing = &Shown::nothing();
    let cases = [
        ("{}", 5, Some(5)),
        ("{\"n\":-2}", 1, Some(-1)),
        ("{\"n\":1}", max - 1, Some(max)),
        ("{}", -max, Some(-max)),
        ("{\"n\":1}", max, None),
        ("{}", i64::MAX, None),
        ("{\"n\":1}", i64::MIN, None),
        ("{\"n\":1.0}", 1, None),
        ("{\"n\":\"1\"}", 1, None),
        ("{\"n\":null}", 1, None),
        ("{\"n\":9007199254740992}", -1, None),
        ("{\"n\":18446744073709551615}", 1, None),
        ("[]", 1, None),
        ("null", 1, None),
    ];
    let (mut ok, mut failed) = (0, 0);
    for (text, by, expected) in cases {
        site.write("x", text);
        match (site.document("x").increment("n", by, nothing), expected) {
            (Ok(Ok(sum)), Some(expected)) => {
                assert_eq!(sum.value, expected);
                ok += 1;
            }
            (Err(Error::Usage(_)), None) => {
                assert_eq!(site.text("x"), text);
                failed += 1;
            }
            (other, _) => panic!("{text} + {by} gave {other:?}"),
        }
    }
    assert_eq!((ok, failed), (4, 10));
    assert_eq!(site.names(".fencehold/quarantine").len(), 0, "whole JSON is not damage");
}

#[test]
fn the_text_that_an_update_does_not_touch_stays() {
    let site = Site::new();
    site.write("x", "\u{feff}{\n\t\"z\" : 1e400000,\n\t\"a\": 1\n}\n");
    assert!(
        matches!(site.document("x").read(&Shown::nothing()), Err(Error::Damaged { .. })),
        "beyond a double"
    );
    site.write("x", "\u{feff}{\n\t\"z\" : 123456789012345678901234567890,\n\t\"n\": 1\n}");
    site.document("x").increment("n", 1, &Shown::nothing()).unwrap().unwrap();
    assert_eq!(site.text("x"), "{\n\t\"z\" : 123456789012345678901234567890,\n\t\"n\": 2\n}");
}

/// DOC-15: An update by `--exec` gives the document to the filter's stdin and takes its stdout as the new one, and where
/// the filter fails or prints no JSON object nothing changes.
#[test]
fn an_update_by_a_function_keeps_the_layout_and_refuses_what_is_no_json() {
    let site = Site::new();
    let document = site.document("x");
    let add = |value: &Value| {
        let mut map = value.as_object().unwrap().clone();
        map.insert("b".to_owned(), json!([1]));
        Ok(Value::Object(map))
    };
    let cases = [
        ("{\n\"a\": 1}", "{\n  \"a\": 1,\n  \"b\": [\n    1\n  ]\n}\n"),
        ("{\"a\": 1}", "{\"a\":1,\"b\":[1]}"),
        ("{\"a\": 1}\n", "{\"a\":1,\"b\":[1]}\n"),
    ];
    for (old, new) in cases {
        site.write("x", old);
        document.update_with(None, &Shown::nothing(), add).unwrap().unwrap();
        assert_eq!(site.text("x"), new);
    }
    let before = site.text("x");
    let filtered = document.update_bytes(None, &Shown::nothing(), |_| Ok(b"no".to_vec()));
    assert!(matches!(filtered, Err(Error::Usage(_))));
    let failing = document.update_with(None, &Shown::nothing(), |_| Err(Error::usage("the filter failed")));
    assert!(matches!(failing, Err(Error::Usage(_))));
    assert_eq!(site.text("x"), before);
    let wrapped = document.update_bytes(None, &Shown::nothing(), |old| Ok([b"[", old, b"]"].concat()));
    assert!(matches!(wrapped, Err(Error::Usage(_))), "its top is no object: {wrapped:?}");
    assert_eq!(site.text("x"), before);
    document.update_bytes(None, &Shown::nothing(), |old| Ok([b" ", old, b"\n"].concat())).unwrap().unwrap();
    assert_eq!(site.text("x"), format!(" {before}\n"), "stands as it is");
}

/// RFC 7396, section 2, as it is written there.
fn rfc_7396(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (key, value) in patch {
        if value.is_null() {
            merged.remove(key);
        } else {
            let old = merged.get(key).cloned().unwrap_or(Value::Null);
            merged.insert(key.clone(), rfc_7396(&old, value));
        }
    }
    Value::Object(merged)
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\"\\\\,:{}\\[\\] \n]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from), object(inner)]
    })
}

fn object(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[ab\"\\\\,:{]{1,2}", value, 0..4)
        .prop_map(|map| Value::Object(Map::from_iter(map)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// DOC-14: A merge patches the document as RFC 7396 says, and a patch that is no object fails definitely.
    #[test]
    fn a_merge_of_text_is_the_merge_of_rfc_7396(
        target in object(json_value()), patch in object(json_value()), pretty: bool,
    ) {
        let site = Site::new();
        site.write("x", if pretty { format!("{target:#}") } else { target.to_string() });
        site.document("x").merge(&patch, None, &Shown::nothing()).unwrap().unwrap();
        let merged: Value = serde_json::from_slice(&site.bytes("x")).unwrap();
        prop_assert_eq!(merged, rfc_7396(&target, &patch));
        let before = site.bytes("x");
        let wrapped = site.document("x").merge(&json!([patch]), None, &Shown::nothing());
        prop_assert!(matches!(wrapped, Err(Error::Usage(_))));
        prop_assert_eq!(site.bytes("x"), before);
    }
}
