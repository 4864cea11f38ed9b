//! Every tag has a test that is named for it, or stands here with the reason why not.

use std::collections::BTreeSet;
use std::path::Path;

/// Tags without a test, each with what stands in its place.
const NOT_HERE: [(&str, &str); 6] = [
    ("C1", "needs a disk that loses power; every answer is synced for in `spec_journal`"),
    ("C2", "needs a disk that reports an error once; a failed sync condemns the file in `spec_journal`"),
    ("C6", "there is no journal on etcd yet, and no simulated one"),
    ("M12", "there are no proposals yet: `fencehold proposal` is no command"),
    ("M13", "there is no journal on etcd yet, and no simulated one"),
    ("M14", "there is one journal so far, so no contract that two could share"),
];

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

#[test]
fn every_tag_has_a_test_or_a_reason() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("review");
    let mut text = String::new();
    let mut files = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        text.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
        files += 1;
    }
    let tags = tags();
    assert!(tags.len() == 39 && files > 8, "{} {files}", tags.len());
    let problems = problems(&tags, &tested(&text), &NOT_HERE);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
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
