//! The benchmark report: what is merged, what is marked, and pages that fetch nothing. Nothing is measured here.

use fencehold_benches::results::{
    Cell, Latency, Offer, Report, Round, Subject, Workload, json, latencies, markdown, offer, page, rates,
    ratios, terminal,
};
use serde_json::json;

use crate::report::markup::elements;

const EVIL: &str = "</script><script>alert(1)</script> & \"q\" 'a' | \u{1b}[2J \u{202e}evil";

fn latency(ns: impl IntoIterator<Item = u64>) -> Latency {
    let mut latency = Latency::new();
    for ns in ns {
        latency.record(ns);
    }
    latency
}

fn round(rate: f64) -> Result<Round, String> {
    Ok(Round {
        rate,
        acked: 100,
        unsure: 0,
        gave_up: 0,
        found: Some(100),
        least_share: 1.0,
        latency: latency([50_000, 60_000, 4_000_000]),
    })
}

/// Every cell that is offered, measured in two rounds; ours half as fast as the bare calls.
fn report() -> Report {
    let (subjects, processes) = (Subject::ALL.to_vec(), vec![1, 8]);
    let mut cells = Vec::new();
    for workload in Workload::ALL {
        for subject in Subject::ALL {
            for count in &processes {
                if offer(subject, workload, *count) == Offer::Yes {
                    let rate = if subject == Subject::Bare { 4_000.0 } else { 2_000.0 };
                    let rounds = vec![round(rate), round(rate * 1.1)];
                    cells.push(Cell { subject, workload, processes: *count, rounds });
                }
            }
        }
    }
    Report {
        command: "cargo bench-report".into(),
        utc: "20261121T013200Z".into(),
        facts: vec![("kernel".into(), "Linux 6.1".into())],
        subjects,
        skipped: vec![],
        workloads: Workload::ALL.to_vec(),
        processes,
        rounds: 2,
        window_ms: 300,
        record_bytes: 301,
        cells,
    }
}

fn cell(report: &mut Report, subject: Subject, workload: Workload, processes: usize) -> &mut Cell {
    let of =
        |cell: &&mut Cell| (cell.subject, cell.workload, cell.processes) == (subject, workload, processes);
    report.cells.iter_mut().find(of).unwrap()
}

/// All that a person or a machine reads.
fn pages(report: &Report) -> [String; 4] {
    [terminal(report), markdown(report), page(report), json(report).to_string()]
}

#[test]
fn latencies_of_workers_are_merged_and_keep_their_three_digits() {
    let (fast, slow) = (latency(1..=900), latency((0..100).map(|_| 5_000_000)));
    let mut merged = Latency::from_json(&fast.to_json()).unwrap();
    merged.merge(&Latency::from_json(&slow.to_json()).unwrap());
    assert_eq!(merged.count(), 1_000);
    assert_eq!(merged.percentile_ns(50.0), Some(500));
    for percent in [95.0, 100.0] {
        let ns = merged.percentile_ns(percent).unwrap();
        assert!((4_995_000..=5_005_000).contains(&ns), "{percent}: {ns}");
    }
    assert_eq!(Latency::new().percentile_ns(50.0), None);
}

#[test]
fn what_a_worker_says_wrong_is_an_error_that_shows_it() {
    let bad = [
        json!({}),
        json!([1]),
        json!([[1]]),
        json!([[1, 2, 3]]),
        json!([["a", 1]]),
        json!([[-5, 1]]),
        json!([[1.5, 1]]),
        json!([[u64::MAX, 1]]),
    ];
    for json in bad {
        let error = Latency::from_json(&json).unwrap_err().to_string();
        let shown = json.as_array().map_or(json.to_string(), |pairs| pairs[0].to_string());
        assert!(error.contains(&shown), "{json}: {error}");
    }
    assert_eq!(Latency::from_json(&json!([])).unwrap().count(), 0);
}

#[test]
fn a_table_shows_the_median_the_spread_and_the_ratio() {
    let mut report = report();
    cell(&mut report, Subject::Ours, Workload::Commit, 1).rounds =
        vec![round(1_000.0), round(2_200.0), round(9.0)];
    cell(&mut report, Subject::Bare, Workload::Commit, 1).rounds =
        vec![round(4_000.0), round(4_400.0), Err("killed".into())];
    let grid = rates(&report, Workload::Commit);
    assert_eq!(grid.head, ["commits/s", "1 process", "8 processes"]);
    assert_eq!(grid.rows[0], ["Fencehold", "1,000 (9.0 to 2,200)", "2,000 (2,000 to 2,200)"]);
    // Of the rounds in which both were measured: a quarter, a half.
    let ratios = ratios(&report, Workload::Commit);
    assert_eq!(ratios.rows[0], ["Fencehold", "×0.25 (×0.25 to ×0.50)", "×0.50 (×0.50 to ×0.50)"]);
    assert_eq!(ratios.rows[2][1], "×1");
    let times = latencies(&report, Workload::Commit);
    assert!(times.rows[0][1].starts_with("60.0 µs / 4.00 ms"), "{:?}", times.rows[0]);
}

#[test]
fn what_a_subject_does_not_offer_is_a_dash_with_its_reason() {
    let report = report();
    let mut dashes = 0;
    for workload in Workload::ALL {
        let grid = rates(&report, workload);
        for row in &grid.rows {
            for text in row.iter().filter(|text| text.starts_with('–')) {
                let number: usize = text[text.find('[').unwrap() + 1..text.len() - 1].parse().unwrap();
                assert!(grid.notes[number - 1].starts_with(&row[0]), "{text}: {:?}", grid.notes);
                dashes += 1;
            }
        }
    }
    assert!(dashes >= 15, "{dashes}");
    let commits = rates(&report, Workload::Commit);
    let redb = commits.rows.iter().find(|row| row[0] == "redb").unwrap();
    assert!(redb[1].starts_with("2,000") && redb[2].starts_with('–'), "{redb:?}");
}

#[test]
fn a_lost_update_is_marked_on_every_page() {
    let mut report = report();
    for page in pages(&report) {
        assert!(!page.contains("LOST"), "{page}");
    }
    let cell = cell(&mut report, Subject::Filelock, Workload::Counter, 8);
    cell.rounds[1].as_mut().unwrap().found = Some(88);
    // What may have happened is no excuse for what is gone.
    cell.rounds[1].as_mut().unwrap().unsure = 30;
    assert_eq!((cell.lost(), cell.surplus()), (12, 0));
    let [terminal, markdown, html, machine] = pages(&report);
    for page in [&terminal, &markdown, &html] {
        assert!(page.contains("LOST 12 of 200 acknowledged: JSON, filelock, counter, 8 processes"), "{page}");
        assert!(page.contains("2,000 (2,000 to 2,200) LOST 12"), "{page}");
    }
    assert!(machine.contains("\"lost\":12"), "{machine}");
}

#[test]
fn more_records_than_can_have_happened_are_marked() {
    let mut report = report();
    let cell = cell(&mut report, Subject::Ours, Workload::Log, 1);
    cell.rounds[0].as_mut().unwrap().unsure = 5;
    cell.rounds[0].as_mut().unwrap().found = Some(105);
    assert_eq!((cell.lost(), cell.surplus()), (0, 0));
    cell.rounds[0].as_mut().unwrap().found = Some(107);
    assert_eq!(cell.surplus(), 2);
    assert!(terminal(&report).contains("2 more than can have happened: Fencehold, log, 1 process"));
}

#[test]
fn what_failed_and_what_was_skipped_is_said_and_is_no_number() {
    let mut report = report();
    cell(&mut report, Subject::SqliteFull, Workload::Log, 8).rounds =
        vec![Err(EVIL.into()), Err(EVIL.into())];
    report.subjects.retain(|subject| *subject != Subject::Filelock);
    report.cells.retain(|cell| cell.subject != Subject::Filelock);
    report.skipped.push((Subject::Filelock, EVIL.into()));
    let grid = rates(&report, Workload::Log);
    let row = grid.rows.iter().find(|row| row[0] == "SQLite WAL, FULL").unwrap();
    assert_eq!(row[2], "failed");
    let [terminal, markdown, html, machine] = pages(&report);
    for page in [&terminal, &markdown, &html] {
        assert!(page.contains("JSON, filelock, because"), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{202e}']) && !page.contains(" 0 ("), "{page}");
    }
    assert!(machine.contains("\"rate\":null") && !machine.contains('\u{1b}'), "{machine}");
}

#[test]
fn the_page_is_well_formed_and_fetches_nothing() {
    let mut evil = report();
    evil.command = EVIL.into();
    evil.facts.push((EVIL.into(), EVIL.into()));
    evil.skipped.push((Subject::Redb, EVIL.into()));
    cell(&mut evil, Subject::Ours, Workload::Lock, 1).rounds = vec![Err(EVIL.into())];
    let mut empty = report();
    empty.cells.clear();
    for report in [report(), evil, empty] {
        let page = page(&report);
        for outside in ["http:", "https:", "url(", "@import", "src=", "href=", "<script", "//"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let elements = elements(&page).unwrap();
        let policy = elements.iter().find(|element| element.get("http-equiv").is_some()).unwrap();
        assert_eq!(policy.get("content"), Some("default-src 'none'; style-src 'unsafe-inline'"));
        let drawings =
            elements.iter().filter(|element| element.name == "svg" && element.get("role").is_some());
        assert!(drawings.count() >= Workload::ALL.len());
        assert!(!page.contains("NaN") && !page.contains("inf"), "a position that is none");
    }
}

#[test]
fn every_point_lies_within_its_picture() {
    let mut report = report();
    cell(&mut report, Subject::Ours, Workload::Commit, 1).rounds = vec![round(0.0), round(9e9)];
    let page = page(&report);
    let mut points = 0;
    for element in elements(&page).unwrap() {
        for (key, value) in &element.attributes {
            if ["x1", "x2", "cx", "y1", "y2", "cy"].contains(&key.as_str()) {
                let at: f64 = value.parse().unwrap();
                assert!((0.0..=400.0).contains(&at), "{element:?}");
                points += 1;
            }
        }
    }
    assert!(points > 500, "{points}");
}

#[test]
fn a_word_of_the_command_line_names_one_thing() {
    let mut words: Vec<&str> = Subject::ALL.map(Subject::id).to_vec();
    words.extend(Workload::ALL.map(Workload::id));
    let count = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), count);
    assert!(Subject::ALL.into_iter().all(|subject| Subject::of_id(subject.id()) == Some(subject)));
    assert!(Workload::ALL.into_iter().all(|workload| Workload::of_id(workload.id()) == Some(workload)));
}
