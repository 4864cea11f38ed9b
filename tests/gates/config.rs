use std::fs;

use crate::program::Yard;

const WHOLE: &str = r#"[tasks]
ids = "text"
statuses = [
  { name = "todo", rank = 0 },
  { name = "done", rank = 1, terminal = true },
]

[leases]
ids = "text"
overlap = "refuse"

[[gates]]
to = "done"
tasks = "phase-*"
when = ["phases/{task} exists", ".internal exists"]
require = [
  { file = "phases/{task}/PLAN.md", when = "phases exists" },
  { file = "phases/{task}/VERIFICATION.md", not_empty = true, committed = true, newer_than = ["src/", "{task}.rs"], max_age = "7d" },
  { file = "LESSONS.md", newer_than = "lease", max_age = "90s" },
]
on_override = { append = "docs/overrides.ndjson" }

[[gates]]
to = "done"
require = [
  { file = "CHANGELOG.md" },
]
"#;

#[test]
fn gates_are_shown_as_they_were_applied() {
    let yard = Yard::with_git();
    fs::write(yard.join("fencehold.toml"), WHOLE).unwrap();
    let said = yard.run(["config", "apply"]);
    assert_eq!((said.code, said.stderr.contains("left out")), (0, false), "{said:?}");
    assert_eq!(yard.run(["config", "show"]).stdout, WHOLE);
    assert_eq!(yard.json(0, ["config", "apply"])["value"]["already"], true);
    let shown = yard.json(0, ["config", "show"]);
    assert_eq!(shown["gates"][0]["require"][1]["max_age_ms"], 604_800_000);
    assert_eq!(yard.run(["status"]).stderr, "");
    fs::write(yard.join("fencehold.toml"), WHOLE.replace("7d", "8d")).unwrap();
    let status = yard.run(["status"]).stderr;
    assert!(status.contains("(gates)"), "{status}");
    fs::write(yard.join("fencehold.toml"), "").unwrap();
    let none = yard.run(["config", "apply"]).stderr;
    assert!(none.contains("the 2 gates that counted until now count no more"), "{none}");
}

/// A file in which `REQUIRE` stands for a good condition, and what is said of it.
const WRONG: [(&str, &str); 20] = [
    ("gates = 3\n", "line 1: `gates` is of type integer; it must be a list of tables"),
    ("gates = [ 3 ]\n", "line 1: `gates` is of type integer"),
    ("[[gates]]\nREQUIRE", "line 1: a gate of `gates` has no `to`"),
    ("[[gates]]\nto = \"done\"\n", "line 1: the gate before done requires nothing"),
    (
        "[[gates]]\nto = \"shipped\"\nREQUIRE",
        "line 1: `gates`: a gate before shipped: status shipped is unknown",
    ),
    ("[[gates]]\nto = 3\nREQUIRE", "line 2: `to` is of type integer"),
    ("[[gates]]\nto = \"done\"\nrun = \"make\"\nREQUIRE", "line 3: the key `gates.run` is unknown"),
    ("[[gates]]\nto = \"done\"\ntasks = \" \"\nREQUIRE", "line 3: \" \" is no pattern over task ids"),
    (
        "[[gates]]\nto = \"done\"\nwhen = \"A\"\nREQUIRE",
        "line 3: `when` is \"A\"; it must be \"PATH exists\"",
    ),
    ("[[gates]]\nto = \"done\"\nwhen = \"../A exists\"\nREQUIRE", "line 3: `when`: no path of a gate"),
    ("[[gates]]\nto = \"done\"\non_override = { }\nREQUIRE", "line 3: `on_override` has no `append`"),
    (
        "[[gates]]\nto = \"done\"\non_override = { run = \"x\" }\nREQUIRE",
        "line 3: the key `on_override.run` is unknown",
    ),
    ("[[gates]]\nto = \"done\"\nrequire = [\n { } ]\n", "line 4: a condition of `require` has no `file`"),
    (
        "[[gates]]\nto = \"done\"\nrequire = [\n { file = \"/etc/passwd\" } ]\n",
        "line 4: `file`: no path of a gate",
    ),
    (
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"A\", exec = \"x\" } ]\n",
        "line 3: the key `require.exec` is unknown",
    ),
    (
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"A\", not_empty = 1 } ]\n",
        "line 3: `not_empty` is of type integer",
    ),
    (
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"A\", newer_than = [] } ]\n",
        "line 3: `newer_than` names no path",
    ),
    (
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"A\", newer_than = \"work\" } ]\n",
        "line 3: `newer_than` is \"work\"",
    ),
    (
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"A\", max_age = \"soon\" } ]\n",
        "line 3: \"soon\" is no duration",
    ),
    (
        "[[gates]]\nto = \"done\"\nrequire = [ { file = \"A\", max_age = \"367d\" } ]\n",
        "line 1: `gates`: a gate before done has a max_age",
    ),
];

#[test]
fn what_a_gate_gets_wrong_is_named_with_its_line() {
    let yard = Yard::with_git();
    let file = yard.join("team.toml");
    let mut seen = 0;
    for (text, named) in WRONG {
        fs::write(&file, text.replace("REQUIRE", "require = [ { file = \"A\" } ]\n")).unwrap();
        let said = yard.run(["config", "apply", "team.toml"]);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{text}: {said:?}");
        for word in [named, "team.toml", "nothing was applied"] {
            assert!(said.stderr.contains(word), "{text}: {word:?} is missing: {said:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 20);
}
