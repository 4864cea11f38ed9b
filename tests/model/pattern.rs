//! Patterns: what is refused, how they are spelled, what overlaps, and how little the index reads.

use std::collections::BTreeSet;

use fencehold_model::pattern::{BYTES_MAX, ENTRIES_MAX, Index, Pattern, check_set};

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).unwrap_or_else(|error| panic!("{error}"))
}

const OVERLAP: [(&str, &str); 35] = [
    ("src", "src"),
    ("src/", "src/"),
    ("src/", "src/a.rs"),
    ("src/", "src/sub/"),
    ("src/", "src/*/x"),
    ("src/*.rs", "src/a.rs"),
    ("src/*.rs", "src/a.rs/below"),
    ("src/*", "src/b/c.rs"),
    ("a*/x", "*b/x"),
    ("a*/x", "*b/x/y"),
    ("**/x", "a/b/"),
    ("**/*.rs", "src/"),
    ("**/*.rs", "src/a.rs"),
    ("**/*.rs", "**/*.toml"),
    ("a/**/b", "a/b"),
    ("a/**/b", "a/x/y/b/c"),
    ("a/**", "a/"),
    (r"app/\[id]/", "app/[i[]*/x"),
    // A file where the other needs a folder.
    ("src", "src/"),
    ("src", "src/a.rs"),
    ("src", "src/*.rs"),
    ("src", "src/sub/"),
    ("src", "src/sub/*/x"),
    ("a/b", "a/b/**/c"),
    ("a/**", "a"),
    (".", "x"),
    (".", "."),
    (".", "**/x"),
    ("[a-c]", "[c-e]"),
    ("[!a]x", "[!b]x"),
    ("ä?", "äö"),
    ("[]a]", r"\]"),
    ("[a-]", "-"),
    ("[^a]x", "bx"),
    ("?*x", ".ax"),
];

const APART: [(&str, &str); 24] = [
    ("src", "srcs"),
    ("src/", "srcs"),
    ("src/", "srcs/"),
    ("src/a", "src/b"),
    ("src/a/", "src/b/"),
    ("src/a/b", "src/*.rs"),
    // Nothing lies below a file.
    ("README.md", "**/*.rs"),
    ("README.md", "**/README.md/x"),
    ("src", "**/*.rs"),
    ("src/a.rs", "**/Cargo.lock"),
    ("src/a.rs", "src/*/x"),
    ("a*/x", "ab"),
    // A folder is not where a glob names something else.
    ("src/", "*.rs"),
    ("src/*.rs", "src/b/c.rs"),
    ("[a-c]", "[!a-c]"),
    ("a*", "b*"),
    ("*a", "*b"),
    ("?a", "a"),
    ("a/**/b", "b"),
    (r"\*", "a"),
    ("[.]*[.]", "[.]x"),
    // What they have in common are `.` and `..`, which are no names.
    (".?", "?."),
    ("[.a]", "[.b]"),
    // `/` stands between the two characters, and is in no name.
    ("[.-0]", "[!.0]"),
];

#[test]
fn overlap_is_what_both_cover_in_either_order() {
    for (expected, cases) in [(true, OVERLAP.as_slice()), (false, APART.as_slice())] {
        for (one, other) in cases {
            let (one, other) = (pattern(one), pattern(other));
            assert_eq!(one.overlaps(&other), expected, "{one} {other}");
            assert_eq!(other.overlaps(&one), expected, "{other} {one}");
        }
    }
}

#[test]
fn what_is_no_pattern_is_refused_with_what_to_do() {
    let cases = [
        ("", "the whole tree is `.`"),
        ("/a", "relative to the root"),
        ("/", "relative to the root"),
        ("a//", "empty component"),
        ("a//b", "empty component"),
        ("a*//", "empty component"),
        ("./a", "the component `.`"),
        ("./", "the component `.`"),
        ("a/../", "the component `..`"),
        ("a/..", "the component `..`"),
        (r"a/\.", "the component `.`"),
        ("a/[.]", "the component `[.]`"),
        ("a\nb", "control character"),
        ("[a", "without its `]`"),
        ("[]", "empty class"),
        ("[!]", "empty class"),
        ("[a-", "without its `]`"),
        ("[b-a]", "wrong way round"),
        ("[[:alpha:]]", "write its ranges"),
        ("a**", "stands alone"),
        ("a/**b", "stands alone"),
        ("***", "stands alone"),
        ("a\\", "nothing after it"),
        (r"src\main", "separated by `/`"),
        ("src/{a,b}.rs", "one entry for each alternative"),
        ("{1..3}", "one entry for each alternative"),
        ("**", "give `.` if it is the whole tree"),
        ("*", "give `.` if it is the whole tree"),
        ("**/*", "give `.` if it is the whole tree"),
        ("**/", "give `.` if it is the whole tree"),
        ("?*/**", "give `.` if it is the whole tree"),
        (&"x".repeat(4097), "the most is 4096"),
        (&format!("{}/", "x".repeat(4096)), "the most is 4096"),
    ];
    for (text, what) in cases {
        let said = Pattern::new(text).unwrap_err().to_string();
        assert!(said.contains(what), "{text}: {said}");
    }
}

#[test]
fn one_pattern_has_one_spelling() {
    let cases = [
        ("src", "src", "src", false),
        ("src/", "src/", "src", false),
        (r"a\-b/", "a-b/", "a-b", false),
        (r"app/\[id]/", r"app/\[id]/", "app/[id]", false),
        ("src/*/", "src/*", "src", true),
        ("src/[ba]/", "src/[ab]", "src", true),
        (".", ".", "", false),
        (r"a\ b\-c", "a b-c", "a b-c", false),
        ("a{b}c", r"a\{b}c", "a{b}c", false),
        (r"app/\[id]/x", r"app/\[id]/x", "app/[id]/x", false),
        ("src/[cab]/x", "src/[a-c]/x", "src", true),
        ("x/[^ba]", "x/[!ab]", "x", true),
        ("x/[]-]y", r"x/[\-\]]y", "x", true),
        ("*/a", "*/a", "", true),
    ];
    for (text, canonical, prefix, is_glob) in cases {
        let read = pattern(text);
        assert_eq!(read.as_str(), canonical);
        assert_eq!((read.prefix().as_str(), read.is_glob()), (prefix, is_glob), "{text}");
        assert_eq!(read.is_folder(), canonical == "." || canonical.ends_with('/'), "{text}");
        assert_eq!(pattern(read.as_str()), read);
    }
}

#[test]
fn a_literal_matches_itself_whatever_it_is_called() {
    for path in ["app/[id]/*.tsx", "{a,b}", r"a\b", "**", "?", "a b", "!x", "[", "ä/🦀"] {
        let literal = Pattern::literal(path).unwrap();
        assert!(!literal.is_glob() && literal.prefix() == path && literal.covers(path), "{literal}");
        assert_eq!(pattern(literal.as_str()), literal);
        let folder = Pattern::folder(path).unwrap();
        assert!(
            !folder.is_glob() && folder.prefix() == path && folder.covers(&format!("{path}/x")),
            "{folder}"
        );
        assert_eq!(pattern(folder.as_str()), folder);
        assert!(folder.is_folder() && !literal.is_folder() && !literal.covers(&format!("{path}/x")));
    }
    assert_eq!(Pattern::folder("."), Pattern::literal("."));
    assert!(Pattern::folder("a/").is_err() && Pattern::literal("a/").is_err());
    assert!(!Pattern::literal("[id]").unwrap().covers("i"));
    assert!(Pattern::literal("a/../b").is_err());
}

#[test]
fn covers_a_path_and_what_lies_below_but_for_a_file() {
    assert!(pattern(".").covers(".") && pattern(".").covers("a/b"));
    assert!(
        pattern("src").covers("src") && !pattern("src").covers("src/a.rs") && !pattern("src").covers(".")
    );
    assert!(
        pattern("src/").covers("src") && pattern("src/").covers("src/a/b") && !pattern("src/").covers("srcs")
    );
    assert!(pattern("src/*.rs").covers("src/a.rs/b") && !pattern("src/*.rs").covers("src"));
    assert!(pattern("a/**/b").covers("a/b") && !pattern("a/**/b").covers("a/c"));
    for no_path in ["", "a/../src", "src//x", "src/", "/src", "./src", "src/\0"] {
        for covering in ["src", "src/", "."] {
            assert!(!pattern(covering).covers(no_path), "{covering} {no_path:?}");
        }
    }
}

#[test]
fn folded_spellings_meet_and_stay_as_wide() {
    let cases = [
        ("SRC/Main.RS", "src/main.rs"),
        ("ΟΔΟΣ/οδος", "οδοσ/οδοσ"),
        ("x[A-Z_]", "x[_a-z]"),
        ("x[!A]", "x[!a]"),
        ("x[A-z]", r"x[\[-z]"),
        ("x[ -\u{10000}]", "x?"),
        ("**/[!a]?*", "**/[!a]?*"),
        ("Straße", "straße"),
        ("SRC/Sub/", "src/sub/"),
        (".", "."),
    ];
    for (text, folded) in cases {
        let got = pattern(text).folded().unwrap();
        assert_eq!(got, pattern(folded), "{text}");
        assert_eq!(got.folded().unwrap(), got);
    }
    for letter in (0x20..=0x2_ffff_u32).filter_map(char::from_u32).filter(|letter| !letter.is_control()) {
        let Ok(name) = Pattern::literal(&format!("x{letter}")) else { continue };
        let folded = name.folded().unwrap();
        assert_eq!(folded.folded().unwrap(), folded, "{letter}");
    }
    assert!(pattern("[ -\u{10000}]*").folded().is_err());
}

#[test]
fn a_write_set_has_two_bounds_and_the_refusal_tells_both() {
    let many: Vec<_> = (0..=ENTRIES_MAX).map(|at| pattern(&format!("f{at}"))).collect();
    assert!(check_set(&many[1..]).is_ok());
    let long: Vec<_> = (0..7).map(|at| pattern(&format!("{at}{}", "x".repeat(4000)))).collect();
    assert!(check_set(&long[1..]).is_ok());
    for (set, count) in [(&many, ENTRIES_MAX + 1), (&long, 7)] {
        let said = check_set(set).unwrap_err().to_string();
        for part in [count.to_string(), ENTRIES_MAX.to_string(), BYTES_MAX.to_string(), "folders".to_owned()]
        {
            assert!(said.contains(&part), "{said}");
        }
    }
}

#[test]
fn patterns_made_to_be_slow_are_answered() {
    let stars = |end: &str| pattern(&format!("{}{end}", "a*".repeat(500)));
    assert!(!stars("b").overlaps(&stars("c")));
    assert!(stars("").overlaps(&stars("c")));
    assert!(!stars("b").covers(&"a".repeat(1000)));
    let depths = |end: &str| pattern(&format!("{}{end}", "**/a/".repeat(300)));
    assert!(depths("b").overlaps(&depths("c")));
    assert!(!depths("b").covers(&format!("{}a", "a/".repeat(500))));
    let classes = |end: &str| pattern(&format!("{}{end}", "[!a-b]*".repeat(200)));
    assert!(!classes("b").overlaps(&classes("c")));
}

#[test]
fn among_ten_thousand_folders_a_query_reads_a_few_entries() {
    let mut index = Index::default();
    for at in 0..10_000 {
        index.insert(&pattern(&format!("crates/c{at}/src/")), at);
        index.insert(&pattern(&format!("crates/c{at}/tests/*.rs")), at);
    }
    // It has no literal prefix, so every query reads it.
    index.insert(&pattern("*.toml"), 10_000);
    for (query, read, overlapping) in [
        ("crates/c77/src/lib.rs", 2, Some(77)),
        ("crates/c77/tests/a.rs", 2, Some(77)),
        ("crates/c77", 3, Some(77)),
        ("crates/c77/", 3, Some(77)),
        ("crates/c7/*/x.rs", 3, Some(7)),
        ("crates/c10000", 1, None),
        ("Cargo.toml", 1, Some(10_000)),
        ("elsewhere/a", 1, None),
    ] {
        let query = pattern(query);
        assert_eq!(index.candidates(&query).count(), read, "{query}");
        assert_eq!(index.overlapping(&query), BTreeSet::from_iter(overlapping), "{query}");
    }
    // A file overlaps no glob that begins with a wildcard, unless it matches.
    assert_eq!(index.overlapping(&pattern("Cargo.lock")), BTreeSet::new());
    for wide in [".", "**/x", "[a-z]*/x"] {
        assert_eq!(index.candidates(&pattern(wide)).count(), 20_001, "{wide}");
    }
    assert_eq!(index.candidates(&pattern("crates/*/x")).count(), 20_001);
}
