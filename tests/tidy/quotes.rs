//! SPEC.md and the doc comments of the tests say the same.

use std::collections::BTreeMap;

use super::exceptions::{CHAPTERS, UNQUOTED, WITHDRAWN};
use super::{none, sources, top};

/// White space and line breaks do not count.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `word` is the id of a requirement, as `LOCK-7`.
fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(chapter, number)| {
        chapter.len() > 1
            && chapter.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.parse::<u32>().is_ok_and(|read| read.to_string() == number)
    })
}

/// The requirements of a specification in order: ids and sentences.
fn requirements(spec: &str) -> Vec<(String, String)> {
    let paragraphs = spec.split("\n\n").filter_map(|paragraph| {
        let (id, sentence) = paragraph.trim().strip_prefix("**")?.split_once(".** ")?;
        is_id(id).then(|| (id.to_owned(), plain(sentence)))
    });
    paragraphs.collect()
}

/// What the doc comments of a test file quote: ids and sentences.
fn quotes(source: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut within = false;
    for line in source.lines() {
        let Some(text) = line.trim_start().strip_prefix("///").map(str::trim) else {
            within = false;
            continue;
        };
        match text.split_once(": ") {
            Some((id, sentence)) if is_id(id) => {
                found.push((id.to_owned(), sentence.to_owned()));
                within = true;
            }
            _ if text.is_empty() => within = false,
            _ if within => {
                let (_, sentence) = found.last_mut().expect("within a quote there is one");
                sentence.push(' ');
                sentence.push_str(text);
            }
            _ => {}
        }
    }
    found.into_iter().map(|(id, sentence)| (id, plain(&sentence))).collect()
}

/// Numbers that are missing, doubled or out of order.
fn numbering(requirements: &[(String, String)], withdrawn: &[&str]) -> Vec<String> {
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    let mut problems = Vec::new();
    for (id, _) in requirements {
        let (chapter, number) = id.split_once('-').expect("an id has a number");
        let expected = next.entry(chapter).or_insert(1);
        while withdrawn.contains(&format!("{chapter}-{expected}").as_str()) {
            *expected += 1;
        }
        if number != expected.to_string() {
            problems.push(format!("SPEC.md: {id} stands where {chapter}-{expected} is next"));
        }
        *expected = number.parse::<u32>().expect("an id ends with a number") + 1;
    }
    problems
}

/// Quotes that the specification does not say, and requirements of `chapters` that nobody quotes.
fn unlike(
    requirements: &[(String, String)],
    quotes: &[(String, (String, String))],
    chapters: &[&str],
    unquoted: &[(&str, &str)],
) -> Vec<String> {
    let said: BTreeMap<&str, &str> =
        requirements.iter().map(|(id, sentence)| (id.as_str(), sentence.as_str())).collect();
    let mut problems = Vec::new();
    for (file, (id, sentence)) in quotes {
        match said.get(id.as_str()) {
            None => problems.push(format!("{file}: quotes {id}, which SPEC.md does not have")),
            Some(said) if said != sentence => {
                problems.push(format!("{file}: {id} is quoted as\n  {sentence}\nand SPEC.md says\n  {said}"));
            }
            Some(_) => {}
        }
    }
    for (id, _) in requirements {
        let quoted = quotes.iter().any(|(_, (quoted, _))| quoted == id);
        let excepted = unquoted.iter().any(|(excepted, _)| excepted == id);
        let (chapter, _) = id.split_once('-').expect("an id has a number");
        if chapters.contains(&chapter) && quoted == excepted {
            let what = if quoted { "is quoted, so it is no exception" } else { "is quoted by no test" };
            problems.push(format!("SPEC.md: {id} {what}"));
        }
    }
    problems
}

#[test]
fn the_tests_quote_the_specification_word_for_word() {
    let spec = std::fs::read_to_string(top().join("SPEC.md")).unwrap();
    let requirements = requirements(&spec);
    let mut found = Vec::new();
    for source in sources(&["tests", "impl/src", "model/src", "stress/src"]) {
        // The rules' own wrong inputs are no quotes.
        if source.text.contains("#[test]") && !source.path.starts_with("tests/tidy") {
            found.extend(quotes(&source.text).into_iter().map(|quote| (source.path.clone(), quote)));
        }
    }
    assert!(requirements.len() > 150 && found.len() > 90, "{} {}", requirements.len(), found.len());
    let mut problems = numbering(&requirements, &WITHDRAWN);
    problems.extend(unlike(&requirements, &found, &CHAPTERS, &UNQUOTED));
    none(&problems);
}

#[test]
fn a_quote_that_is_wrong_or_missing_is_found() {
    let spec =
        "**LOCK-1.** One\nthing is so.\n\n**LOCK-3.** Another.\n\nNo requirement.\n\n**LOG-1.** A third.\n";
    let requirements = requirements(spec);
    assert_eq!(requirements[0], ("LOCK-1".to_owned(), "One thing is so.".to_owned()));
    assert_eq!(numbering(&requirements, &[]), ["SPEC.md: LOCK-3 stands where LOCK-2 is next"]);
    assert!(numbering(&requirements, &["LOCK-2"]).is_empty());
    let twice = [requirements[0].clone(), requirements[0].clone()];
    assert_eq!(numbering(&twice, &[]).len(), 1);
    let of = |source: &str| -> Vec<(String, (String, String))> {
        quotes(source).into_iter().map(|quote| ("f".to_owned(), quote)).collect()
    };
    let good =
        "/// LOCK-1: One thing\n    /// is so.\n///\n/// More.\n#[test]\nfn x() {}\n/// LOCK-3: Another.\n";
    assert!(unlike(&requirements, &of(good), &["LOCK"], &[]).is_empty());
    for (source, chapters, unquoted, word) in [
        ("/// LOCK-1: One thing is so!\n/// LOCK-3: Another.\n", &["LOCK"][..], &[][..], "is quoted as"),
        ("/// LOCK-1: One thing is so.\n", &["LOCK"], &[], "LOCK-3 is quoted by no test"),
        ("/// LOCK-1: One thing is so. More.\n", &[], &[], "is quoted as"),
        ("/// LOCK-9: What?\n", &[], &[], "does not have"),
        (good, &["LOCK", "LOG"], &[], "LOG-1 is quoted by no test"),
        (good, &["LOCK"], &[("LOCK-3", "why")], "no exception"),
    ] {
        let problems = unlike(&requirements, &of(source), chapters, unquoted);
        assert!(problems.len() == 1 && problems[0].contains(word), "{source}: {problems:?}");
    }
}
