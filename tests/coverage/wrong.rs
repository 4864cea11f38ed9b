//! What is wrong with tags is found, one thing at a time, beside a control in which nothing is.

use super::account::Account;
use super::page;
use super::systems::{Behaviour, Defect, System, breaks, does, does_not};

const BEHAVIOURS: &[Behaviour] =
    &[does("Goes.", "`walks|runs`."), does_not("Flies.", "Does not.", "It has no wings.")];
const DEFECTS: &[Defect] = &[
    breaks("Trips.", &["M31"], "Lifts its feet."),
    breaks("Hides.", &["M50"], "Shows itself."),
    breaks("Sinks.", &[], "Swims."),
];
const SYSTEMS: [System; 1] =
    [System { letter: 'Z', title: "an animal", prefix: "ZOO", behaviours: BEHAVIOURS, defects: DEFECTS }];

/// All that these systems need.
const RIGHT: &str = "\
/// Behaviour Z1.1: it goes.
/// Defect ZOO-1: it tripped.
/// Shown on M31: it counts its feet.
///
/// More of it.
#[test]
fn it_walks() {}

    /// Defect ZOO-2: it hid.
    /// Shown on M50: it is behind the tree.
    #[test]
    #[ignore]
    fn it_is_there() {}

/// Defect ZOO-3: it sank.
// A reason.
/// Shown on the published algorithm of ZOO-3: a stone.
#[test]
fn it_swims() {}
";

fn problems(text: &str, pending: &[&str]) -> Vec<String> {
    Account::of(&SYSTEMS, &[("tests/zoo/walk.rs".to_owned(), text.to_owned())], pending).problems
}

#[test]
fn what_is_right_is_not_flagged() {
    assert_eq!(problems(RIGHT, &[]), Vec::<String>::new());
}

#[test]
fn each_wrong_tag_is_found() {
    let mut seen = 0;
    for (right, wrong, says) in [
        ("Behaviour Z1.1", "Nothing", "Z1.1 has neither a test nor an argument"),
        ("Defect ZOO-1", "Nothing", "ZOO-1 has neither a test nor an argument"),
        ("Shown on M50", "Nothing", "ZOO-2 is what M50 has, and none of its tests says `Shown on M50`"),
        ("Shown on M31", "Nothing", "ZOO-1 is what M31 has, and none of its tests says `Shown on M31`"),
        ("Shown on M31", "Shown on M50", "ZOO-1 is what M31 has"),
        ("Shown on the published", "The published", "ZOO-3 needs a test with this tag"),
        ("/// More of it.", "/// Behaviour Z1.2: it flies.", "Z1.2 has a test, so it needs no argument"),
        ("/// More of it.", "/// Behaviour Z1.3: it sings.", "it_walks is tagged with Z1.3"),
        ("/// More of it.", "/// Behaviour Y1.1: it sings.", "tagged with Y1.1, which does not exist"),
        ("/// More of it.", "/// Defect ZOO-4: it bit.", "tagged with ZOO-4"),
        ("/// More of it.", "/// Shown on M02: it bit.", "tagged with M02"),
        ("/// More of it.", "/// Shown on the published algorithm of ZOO-9: it bit.", "tagged with ZOO-9"),
        (
            "/// More of it.",
            "/// Defect ZOO-1 it bit.",
            "tests/zoo/walk.rs:5: `Defect ZOO-1 it bit.` is no tag",
        ),
        ("/// More of it.", "/// Shown on M31 and M32: it bit.", "is no tag"),
        (
            "fn it_walks() {}",
            "fn it_walks() {}\n/// Defect ZOO-1: x.\nfn x() {}",
            "ZOO-1 stands over no test",
        ),
        ("fn it_walks() {}", "fn it_walks() {}\n/// Defect ZOO-1: x.\n\n", "ZOO-1 stands over no test"),
    ] {
        assert!(RIGHT.contains(right), "{right}");
        let found = problems(&RIGHT.replacen(right, wrong, 1), &[]);
        assert!(found.len() == 1 && found[0].contains(says), "{wrong}: {found:?}");
        seen += 1;
    }
    assert_eq!(seen, 16);
}

/// The list of what is pending excuses what is not in order, and nothing else.
#[test]
fn what_is_pending_can_only_shrink() {
    let lacking = RIGHT.replacen("Shown on M50", "Nothing", 1);
    assert_eq!(problems(&lacking, &["ZOO-2"]), Vec::<String>::new());
    for (pending, says) in [
        (&["ZOO-2", "ZOO-1"][..], "ZOO-1 is in order"),
        (&["ZOO-2", "Z1.1"], "Z1.1 is in order"),
        (&["ZOO-2", "ZOO-7"], "ZOO-7 on the list"),
        (&["ZOO-2", "ZOO-2"], "ZOO-2 on the list"),
    ] {
        let found = problems(&lacking, pending);
        assert!(found.len() == 1 && found[0].contains(says), "{pending:?}: {found:?}");
    }
}

#[test]
fn the_page_changes_with_the_tags() {
    let sources = |text: &str| [("tests/zoo/walk.rs".to_owned(), text.to_owned())];
    let told =
        |text: &str, pending: &[&str]| page::write(&SYSTEMS, &Account::of(&SYSTEMS, &sources(text), pending));
    let page = told(RIGHT, &[]);
    for row in [
        "| Z1.1 | Goes. | `walks\\|runs`. | `zoo::walk::it_walks` |",
        "| Z1.2 | Flies. | Does not. | no test: It has no wings. |",
        "| ZOO-1 | Trips. | Lifts its feet. | `zoo::walk::it_walks` | M31 count-fingerprint: \
         `zoo::walk::it_walks`; the gate's stage `mutants`: the process `M31` |",
        "| ZOO-2 | Hides. | Shows itself. | `zoo::walk::it_is_there` | M50 inert-guard: \
         `zoo::walk::it_is_there` |",
        "| ZOO-3 | Sinks. | Swims. | `zoo::walk::it_swims` | the published algorithm: `zoo::walk::it_swims` |",
    ] {
        assert!(page.contains(row), "{row}\n{page}");
    }
    assert!(told(&RIGHT.replace("it_walks", "it_strolls"), &[]) != page);
    let pending = told(&RIGHT.replacen("Shown on M50", "Nothing", 1), &["ZOO-2"]);
    assert!(pending.contains("*not shown yet*; `zoo::walk::it_is_there` | M50 inert-guard: nothing yet |"));
}
