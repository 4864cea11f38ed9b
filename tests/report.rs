//! The reports of the gate: the table, the files, the drawing, and the exit code that they must agree with.

pub(crate) mod markup;
mod verdicts;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_stress::report::{OWN_TARGET, Results, StageResult, Verdict, grouped, table, write_all};
use markup::{Element, elements};
use serde_json::Value;

fn stage(name: &'static str, verdict: Verdict) -> StageResult {
    StageResult {
        name,
        cases: 1_234_567,
        unit: "operations",
        bound: "3 holders, 2 names".into(),
        verdict,
        elapsed: Duration::from_millis(61_500),
        figures: vec![],
        command: None,
        history: None,
    }
}

fn results(stages: Vec<StageResult>) -> Results {
    Results {
        utc: "20261121T013200Z".into(),
        seed: 7,
        profile: "default",
        target: OWN_TARGET.into(),
        machine: "Linux 6.1, ext4".into(),
        stages,
        required: vec![],
    }
}

/// One stage for each verdict, with texts that want to be markup, a terminal's commands, or very long.
fn every_kind() -> Results {
    let evil = "</script><script>alert(1)</script> & \"q\" 'a' \u{1b}[2J \u{202e}evil";
    let mut violation = stage("soak", Verdict::Violation(evil.into()));
    violation.command = Some(format!("fencehold-gate judge runs/x/{}.ndjson", "long-".repeat(30)));
    violation.figures = vec![("kills".into(), "312".into()), (evil.into(), evil.into())];
    violation.bound = format!("{evil} {}", "a bound that takes more than one line ".repeat(5));
    let mut unknown = stage("search", Verdict::Unknown("the deadline of 20 s passed".into()));
    unknown.command = Some("fencehold-gate judge runs/x/other.ndjson".into());
    let mut results = results(vec![
        stage("machine", Verdict::Ok),
        unknown,
        violation,
        stage("sometimes", Verdict::NotReached("quarantines: 3 of 5".into())),
        stage("python", Verdict::Skipped("python3 is not installed".into())),
    ]);
    results.target = evil.into();
    results.machine = evil.into();
    results.required = vec!["machine".into(), "<script>".into()];
    results
}

/// Writes all files of a run into a fresh folder.
fn written(results: &Results) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/a");
    let page = write_all(results, &run, None).unwrap();
    assert_eq!(page, run.join("report.html"));
    (folder, run)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_last_line_of_the_table_is_the_command_of_the_counterexample() {
    let results = every_kind();
    let table = table(&results);
    assert_eq!(table.lines().last(), results.stages[2].command.as_deref(), "{table}");
    assert!(table.ends_with('\n'));
    let wide = |line: &&str| line.chars().count() > 100 && !line.contains("fencehold-gate judge");
    assert_eq!(table.lines().find(wide), None);
    assert!(table.contains("1,234,567 operations") && table.contains("1 min 01 s"), "{table}");
    for stage in &results.stages {
        assert!(table.contains(stage.name) && table.contains(stage.verdict.word()), "{table}");
    }
    for sentence in
        ["quarantines: 3 of 5", "python3 is not installed", "the deadline of 20 s passed", "exit 1"]
    {
        assert!(table.contains(sentence), "{sentence} is not in\n{table}");
    }
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "nothing in a table moves the cursor");
}

#[test]
fn a_table_without_a_violation_ends_with_the_command_of_what_could_not_be_told() {
    let mut unknown = stage("search", Verdict::Unknown("too long".into()));
    unknown.command = Some("judge it".into());
    assert_eq!(table(&results(vec![unknown])).lines().last(), Some("judge it"));
    let green = table(&results(vec![stage("machine", Verdict::Ok)]));
    assert!(green.lines().last().is_some_and(|line| line.contains("exit 0")), "{green}");
    assert!(table(&results(vec![])).contains("no stage ran"));
}

#[test]
fn digits_stand_in_groups_of_three() {
    let shown = [0, 999, 1_000, 12_345, 1_234_567, u64::MAX].map(grouped);
    assert_eq!(shown, ["0", "999", "1,000", "12,345", "1,234,567", "18,446,744,073,709,551,615"]);
}

#[test]
fn results_json_holds_every_stage_and_the_exit_code() {
    let (_folder, run) = written(&every_kind());
    let json: Value = serde_json::from_str(&read(&run.join("results.json"))).unwrap();
    let words: Vec<&str> =
        json["stages"].as_array().unwrap().iter().filter_map(|stage| stage["verdict"].as_str()).collect();
    assert_eq!(words, ["ok", "unknown", "violation", "not reached", "skipped"]);
    assert_eq!(json["exit"], 1);
}

#[test]
fn latest_points_at_the_newest_run_and_a_foreign_folder_of_that_name_stays() {
    let folder = tempfile::tempdir().unwrap();
    let latest = folder.path().join("latest");
    for run in ["a", "b"] {
        write_all(&results(vec![]), &folder.path().join(run), None).unwrap();
        assert_eq!(std::fs::read_link(&latest).unwrap(), Path::new(run));
    }
    std::fs::remove_file(&latest).unwrap();
    std::fs::create_dir(&latest).unwrap();
    let error = write_all(&results(vec![]), &folder.path().join("c"), None).unwrap_err();
    assert!(error.to_string().contains("latest"), "{error}");
    assert!(latest.is_dir() && folder.path().join("c/report.html").exists());
    let mut names: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a", "b", "c", "latest"], "nothing half-made is left");
}

#[test]
fn the_copy_of_the_junit_file_goes_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("ci/reports/gate.xml");
    write_all(&every_kind(), &folder.path().join("runs/a"), Some(&copy)).unwrap();
    assert_eq!(read(&copy), read(&folder.path().join("runs/a/junit.xml")));
}

#[test]
fn the_page_is_well_formed_escapes_every_text_and_fetches_nothing() {
    let (_folder, run) = written(&every_kind());
    let page = read(&run.join("report.html"));
    let elements = elements(&page).unwrap_or_else(|why| panic!("{why}"));
    fetches_nothing(&page, &elements);
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    assert!(
        page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;q&quot; &#39;a&#39;")
    );
    for text in
        ["quarantines: 3 of 5", "python3 is not installed", "cargo", "1,234,567 operations", "required"]
    {
        assert!(page.contains(text), "{text} is not on the page");
    }
}

fn fetches_nothing(page: &str, elements: &[Element]) {
    for scheme in ["http:", "https:", "url(", "@import"] {
        assert!(!page.contains(scheme), "the page holds {scheme}");
    }
    for element in elements {
        assert!(
            !["script", "link", "img", "iframe", "object"].contains(&element.name.as_str()),
            "{element:?}"
        );
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && name != "src", "{element:?}");
            assert!(name != "href" || value.starts_with('#'), "{element:?}");
        }
    }
}

/// The page of a run that found the history.
fn page_of(history: &str) -> (String, Vec<Element>) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("a");
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("history.ndjson"), history).unwrap();
    let mut soak = stage("soak", Verdict::Violation("found".into()));
    soak.history = Some("history.ndjson".into());
    write_all(&results(vec![soak]), &run, None).unwrap();
    let page = read(&run.join("report.html"));
    let elements = elements(&page).unwrap_or_else(|why| panic!("{why}"));
    fetches_nothing(&page, &elements);
    (page, elements)
}

fn bars(elements: &[Element], part: &str) -> usize {
    let is_bar =
        |element: &&Element| element.name == "g" && element.has_class("bar") && element.has_class(part);
    elements.iter().filter(is_bar).count()
}

#[test]
fn every_bad_history_is_drawn_with_one_bar_for_each_operation_and_one_highlighted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stress/corpus/bad");
    let mut drawn = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = read(&path);
        let (page, elements) = page_of(&text);
        let invoked = text.matches("\"type\":\"invoke\"").count();
        assert_eq!(bars(&elements, "bar"), invoked, "{}", path.display());
        assert_eq!(bars(&elements, "culprit"), 1, "{}", path.display());
        assert!(page.contains("<p class=\"why\">"), "{} says why", path.display());
        drawn += 1;
    }
    assert!(drawn >= 43, "{drawn}");
}

const HEADER: &str = r#"{"history":1,"seed":7,"target":"t","hello":{"offers":["lock","log","doc"],"locks_end":["release","ttl"],"fencing":true,"tokens":"ordered","revisions":false},"slack_ms":250}"#;

#[test]
fn deaths_and_what_the_nemesis_did_are_marks_and_names_are_escaped() {
    let lines = [
        HEADER,
        r#"{"at_us":10,"process":1,"type":"invoke","id":1,"op":"lock.acquire","args":{"name":"<script>","holder":"a","ttl_ms":5000}}"#,
        r#"{"at_us":90,"process":1,"type":"ok","id":1,"value":{"token":1,"expires_in_ms":5000}}"#,
        r#"{"at_us":95,"process":1,"type":"invoke","id":2,"op":"lock.show","args":{"name":"<script>"}}"#,
        r#"{"at_us":100,"process":1,"type":"nemesis","what":"kill","detail":"SIGKILL"}"#,
        r#"{"at_us":110,"process":1,"type":"died"}"#,
        r#"{"at_us":115,"process":0,"type":"nemesis","what":"tear","detail":{"bytes":12}}"#,
        r#"{"at_us":120,"process":3,"type":"invoke","id":1,"op":"lock.show","args":{"name":"other"}}"#,
        r#"{"at_us":130,"process":2,"type":"invoke","id":1,"op":"lock.acquire","args":{"name":"<script>","holder":"b","ttl_ms":5000}}"#,
        r#"{"at_us":190,"process":2,"type":"ok","id":1,"value":{"token":2,"expires_in_ms":5000}}"#,
    ];
    let (page, elements) = page_of(&(lines.join("\n") + "\n"));
    assert_eq!((bars(&elements, "bar"), bars(&elements, "info"), bars(&elements, "culprit")), (4, 2, 1));
    let marks = |part: &str| {
        elements.iter().filter(|element| element.has_class("mark") && element.has_class(part)).count()
    };
    assert_eq!((marks("died"), marks("nemesis")), (1, 2));
    assert_eq!(
        elements.iter().filter(|element| element.has_class("lane")).count(),
        4,
        "three processes and the nemesis"
    );
    assert!(
        page.contains("acquire &lt;script&gt; by b") && page.contains("SIGKILL") && page.contains("token 2")
    );
}

#[test]
fn of_a_large_history_only_a_window_is_drawn_and_the_page_says_so() {
    let mut text = format!("{HEADER}\n");
    for n in 0..500_u64 {
        let (at_us, token) = (n * 1_000, if n == 300 { n - 1 } else { n });
        text.push_str(&format!(
            "{{\"at_us\":{at_us},\"process\":1,\"type\":\"invoke\",\"id\":{n},\"op\":\"lock.acquire\",\"args\":{{\"name\":\"l{n}\",\"holder\":\"a\",\"ttl_ms\":5}}}}\n\
             {{\"at_us\":{},\"process\":1,\"type\":\"ok\",\"id\":{n},\"value\":{{\"token\":{token},\"expires_in_ms\":5}}}}\n",
            at_us + 10
        ));
    }
    let (page, elements) = page_of(&text);
    assert_eq!((bars(&elements, "bar"), bars(&elements, "culprit")), (30, 1));
    assert!(page.contains("30 of 500 operations") && page.contains("Only a window is drawn"));
}

#[test]
fn a_history_that_is_missing_or_broken_leaves_the_rest_of_the_page() {
    let (page, _) = page_of("no history\n");
    assert!(page.contains("cannot be drawn: line 1: not JSON"));
    let mut soak = stage("soak", Verdict::Violation("found".into()));
    soak.history = Some("nowhere.ndjson".into());
    let (_folder, run) = written(&results(vec![soak]));
    assert!(read(&run.join("report.html")).contains("nowhere.ndjson cannot be drawn"));
}
