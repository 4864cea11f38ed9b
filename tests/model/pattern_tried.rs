//! Patterns and the relation of the specification against an oracle that tries every path, and the index against
//! reading every entry.

use std::collections::BTreeSet;

use fencehold_model::pattern::{Index, Pattern};
use fencehold_model::spec::lease::{Set, Touch};
use proptest::prelude::*;

/// The oracle: whether a component matches a name, tried from left to right, on the canonical text.
fn name_matches(component: &[char], name: &[char]) -> bool {
    match (component, name) {
        ([], _) => name.is_empty(),
        (['*', rest @ ..], _) => (0..=name.len()).any(|taken| name_matches(rest, &name[taken..])),
        (_, []) => false,
        (['?', rest @ ..], [_, left @ ..]) => name_matches(rest, left),
        (['[', rest @ ..], [letter, left @ ..]) => {
            let end = rest.iter().position(|letter| *letter == ']').unwrap();
            let (inside, rest) = (&rest[..end], &rest[end + 1..]);
            let (negated, inside) = match inside {
                ['!', inside @ ..] => (true, inside),
                _ => (false, inside),
            };
            let is_in = match inside {
                [first, '-', last] => first <= letter && letter <= last,
                _ => inside.contains(letter),
            };
            is_in != negated && name_matches(rest, left)
        }
        ([own, rest @ ..], [letter, left @ ..]) => own == letter && name_matches(rest, left),
    }
}

/// The oracle: whether the components cover the names, and what lies below (`deep`).
fn path_is_covered(components: &[&str], names: &[&str], deep: bool) -> bool {
    match (components, names) {
        ([], _) => deep || names.is_empty(),
        (["**", rest @ ..], _) => (0..=names.len()).any(|taken| path_is_covered(rest, &names[taken..], deep)),
        (_, []) => false,
        ([component, rest @ ..], [name, left @ ..]) => {
            let [component, name] = [component, name].map(|text| text.chars().collect::<Vec<_>>());
            name_matches(&component, &name) && path_is_covered(rest, left, deep)
        }
    }
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn is_file(text: &str) -> bool {
    !is_wild(text) && !text.ends_with('/')
}

fn is_covered(pattern: &str, path: &str) -> bool {
    let components = pattern.trim_end_matches('/').split('/').collect::<Vec<_>>();
    path_is_covered(&components, &path.split('/').collect::<Vec<_>>(), !is_file(pattern))
}

/// The oracle: whether `file` is a file whose path is `other`'s literal prefix or stands above it.
fn stands_above(file: &str, other: &str) -> bool {
    let literal = other.trim_end_matches('/').split('/').take_while(|component| !is_wild(component));
    let prefix = literal.fold(String::new(), |prefix, name| prefix + name + "/");
    is_file(file) && prefix.starts_with(&format!("{file}/"))
}

/// All sequences of one to `length_max` of these, joined.
fn sequences(parts: &[&str], length_max: usize, joint: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut longest: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
    for _ in 1..length_max {
        let longer =
            longest.iter().flat_map(|begun| parts.iter().map(move |part| format!("{begun}{joint}{part}")));
        let longer = longer.collect();
        all.append(&mut longest);
        longest = longer;
    }
    all.append(&mut longest);
    all
}

/// Compares `overlaps` and `covers` with the oracle on every pair of these texts that are patterns.
fn agrees_with_trying(texts: &[String], paths: &[String]) -> (usize, usize) {
    let patterns: Vec<(Pattern, Vec<bool>)> = texts
        .iter()
        .filter_map(|text| Pattern::new(text).ok())
        .map(|pattern| {
            let covered: Vec<bool> = paths.iter().map(|path| is_covered(pattern.as_str(), path)).collect();
            for (path, expected) in paths.iter().zip(&covered) {
                assert_eq!(pattern.covers(path), *expected, "{pattern} {path}");
            }
            (pattern, covered)
        })
        .collect();
    // The specification of leases decides on its own which write sets touch.
    let sets: Vec<Vec<&str>> = patterns.iter().map(|(pattern, _)| vec![pattern.as_str()]).collect();
    let touch = Touch::of(&sets).unwrap();
    let (mut yes, mut no) = (0, 0);
    for (at, (one, mine)) in patterns.iter().enumerate() {
        for (there, (other, theirs)) in patterns.iter().enumerate().skip(at) {
            let (a, b) = (one.as_str(), other.as_str());
            let expected = mine.iter().zip(theirs).any(|(mine, theirs)| *mine && *theirs)
                || stands_above(a, b)
                || stands_above(b, a);
            assert_eq!(one.overlaps(other), expected, "{one} {other}");
            assert_eq!(other.overlaps(one), expected, "{other} {one}");
            for (a, b) in [(at, there), (there, at)] {
                let (a, b) = (Set(u32::try_from(a).unwrap()), Set(u32::try_from(b).unwrap()));
                assert_eq!(touch.touches(a, b), expected, "{one} {other}, to the specification");
            }
            *if expected { &mut yes } else { &mut no } += 1;
        }
    }
    (yes, no)
}

/// Three tokens ask for at most five characters between them, so that every overlap shows in these names.
#[test]
fn names_overlap_where_trying_every_name_finds_one() {
    let mut texts = sequences(&["a", ".", "*", "?", "[ab]", "[!a]"], 3, "");
    texts.retain(|text| text != "."); // The root, no name.
    texts.extend(["a/", "a.a/", "../"].map(str::to_owned));
    let mut names = sequences(&["a", "b", "c", "."], 5, "");
    names.retain(|name| name != "." && name != "..");
    let (yes, no) = agrees_with_trying(&texts, &names);
    println!("{yes} pairs overlap, {no} do not");
    assert!(yes > 5_000 && no > 5_000, "{yes} {no}");
}

/// Three components ask for at most five names between them and what lies below.
#[test]
fn paths_overlap_where_trying_every_path_finds_one() {
    let mut texts = sequences(&["**", "a", "a*", "*b", "?", "[!a]"], 3, "/");
    texts.extend(sequences(&["a", "b", "ab"], 3, "/"));
    texts.extend(sequences(&["a", "b", "ab"], 3, "/").iter().map(|text| format!("{text}/")));
    let paths = sequences(&["a", "b", "ab"], 5, "/");
    let (yes, no) = agrees_with_trying(&texts, &paths);
    println!("{yes} pairs overlap, {no} do not");
    assert!(yes > 5_000 && no > 5_000, "{yes} {no}");
}

fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("*"),
        Just("?"),
        Just("[a-c]"),
        Just("[!b]"),
        Just("é"),
        Just("Z"),
        Just(r"\*"),
        Just(r"\]"),
        Just("]"),
        Just("{"),
    ];
    let component = prop_oneof![4 => proptest::collection::vec(part, 1..6).prop_map(|parts| parts.concat()), 1 => Just("**".to_owned())];
    let components = proptest::collection::vec(component, 1..6).prop_map(|components| components.join("/"));
    (components, any::<bool>()).prop_map(|(path, slash)| if slash { path + "/" } else { path })
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    any_text().prop_filter_map("it is one", |text| Pattern::new(&text).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_and_read_again_the_same(text in any::<String>(), glob in any_text()) {
        for text in [text, glob] {
            if let Ok(read) = Pattern::new(&text) {
                prop_assert_eq!(&Pattern::new(read.as_str()).unwrap(), &read);
                prop_assert!(read.overlaps(&read));
                prop_assert!(read.folded().unwrap().overlaps(&read.folded().unwrap()));
            }
            if let Ok(literal) = Pattern::literal(&text) {
                prop_assert_eq!(&Pattern::new(literal.as_str()).unwrap(), &literal);
                prop_assert!(literal.covers(&text));
            }
            if let Ok(folder) = Pattern::folder(&text) {
                prop_assert_eq!(&Pattern::new(folder.as_str()).unwrap(), &folder);
                prop_assert!(folder.covers(&text));
            }
        }
    }

    #[test]
    fn an_overlap_does_not_depend_on_the_order(one in any_pattern(), other in any_pattern()) {
        prop_assert_eq!(one.overlaps(&other), other.overlaps(&one));
    }

    #[test]
    fn the_index_answers_as_reading_every_entry_does(
        entries in proptest::collection::vec((any_pattern(), 0_u8..6), 0..30),
        removed in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        query in any_pattern(),
    ) {
        let mut index = Index::default();
        let mut plain: BTreeSet<(Pattern, u8)> = BTreeSet::new();
        for (entry, key) in &entries {
            index.insert(entry, *key);
            plain.insert((entry.clone(), *key));
        }
        for at in removed.iter().filter(|_| !entries.is_empty()) {
            let (entry, key) = at.get(&entries);
            index.remove(entry, key);
            plain.remove(&(entry.clone(), *key));
        }
        for query in [&query, &Pattern::new(".").unwrap()] {
            let expected: BTreeSet<u8> =
                plain.iter().filter(|(entry, _)| entry.overlaps(query)).map(|(_, key)| *key).collect();
            prop_assert_eq!(index.overlapping(query), expected);
        }
        prop_assert_eq!(index.iter().map(|(entry, key)| (entry.clone(), *key)).collect::<BTreeSet<_>>(), plain.clone());
        for (entry, key) in &plain {
            index.remove(entry, key);
        }
        prop_assert_eq!(index, Index::default());
    }
}
