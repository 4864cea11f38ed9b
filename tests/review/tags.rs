//! Every tag has a test that is named for it, or stands here with the reason why not.

use std::collections::BTreeSet;
use std::path::Path;

/// Tags without a test, each with what stands in its place.
const NOT_HERE: [(&str, &str); 0] = [];

/// C1 … C8, M1 … M21, m1 … m10.
fn tags() -> Vec<String> {
    let of = |letter: char, last: u32| (1..=last).map(move |number| format!("{letter}{number}"));
    of('C', 8).chain(of('M', 21)).chain(of('m', 10)).collect()
}

/// The tags that a text has tests for.
fn tested(text: &str) -> BTreeSet<String> {
    let after = text.split("#[test]\nfn review_").skip(1);
    after.map(|rest| rest.split('_').next().unwrap_or_default().to_owned()).collect()
}

/// What is wrong with the tests and the table.
fn problems(tags: &[String], tested: &BTreeSet<String>, not_here: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    for tag in tags {
        let reasons: Vec<_> = not_here.iter().filter(|(of, _)| of == tag).collect();
        match (tested.contains(tag), reasons.as_slice()) {
            (true, []) => {}
            (true, _) => problems.push(format!("{tag} has a test, so it is no exception")),
            (false, [(_, reason)]) if reason.len() > 20 => {}
            (false, []) => problems.push(format!("{tag} has no test `review_{tag}_…` and no reason")),
            (false, _) => problems.push(format!("{tag} needs one reason, in words")),
        }
    }
    let known: BTreeSet<&String> = tags.iter().collect();
    let strange = tested.iter().map(String::as_str).chain(not_here.iter().map(|(tag, _)| *tag));
    problems.extend(
        strange.filter(|tag| !known.contains(&(*tag).to_owned())).map(|tag| format!("there is no tag {tag}")),
    );
    problems
}

/// The files beside this one.
fn texts() -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("review");
    let texts: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(texts.len() > 8, "{}", texts.len());
    texts.concat()
}

#[test]
fn every_tag_has_a_test_or_a_reason() {
    let tags = tags();
    assert_eq!(tags.len(), 39);
    let problems = problems(&tags, &tested(&texts()), &NOT_HERE);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The wrong variants that had no number of their own.
const NUMBERLESS: [&str; 8] = [
    "retry_after_eio",
    "answer_before_durable",
    "cached_fd_after_rotation",
    "unlinked_lock",
    "token_floor_skipped",
    "absence_as_cas",
    "second_call_wipe",
    "same_holder_double",
];

#[test]
fn each_of_the_eight_wrong_variants_is_made_and_seen() {
    let text = texts();
    let missing: Vec<_> =
        NUMBERLESS.iter().filter(|name| !text.contains(&format!("fn review_m10_{name}_is_seen()"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_tag_without_a_test_or_with_both_is_found() {
    let tags = ["C1".to_owned(), "M1".to_owned(), "m1".to_owned()];
    let text = "#[test]\nfn review_C1_a() {}\n#[test]\nfn review_m1_b_c() {}\nfn review_M1_no_test() {}\n";
    let tested = tested(text);
    assert_eq!(tested.len(), 2);
    let reason = "there is nothing of it here, because";
    assert!(problems(&tags, &tested, &[("M1", reason)]).is_empty());
    for (not_here, word) in [
        (&[][..], "M1 has no test"),
        (&[("M1", "no")], "M1 needs one reason"),
        (&[("M1", reason), ("C1", reason)], "C1 has a test"),
        (&[("M1", reason), ("M99", reason)], "no tag M99"),
    ] {
        let problems = problems(&tags, &tested, not_here);
        assert!(problems.len() == 1 && problems[0].contains(word), "{problems:?}");
    }
}
