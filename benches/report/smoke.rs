//! `bench-report` itself, for a moment: every subject of this build runs, and what it counts is there.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-report"));
    // No node and no python3 is found: what they bring is skipped, whether it is installed or not.
    command.env("PATH", dir.join("nothing")).current_dir(dir).args(args);
    command.output().expect("it starts")
}

fn here() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk")
}

#[test]
fn a_short_run_counts_what_was_written_and_leaves_its_pages() {
    let dir = here();
    let short = ["--seconds", "0.05", "--rounds", "1", "--processes", "1,2", "--json"];
    let output = run(dir.path(), &[&short[..], &["--markdown", "docs/page.md", "--out", "runs"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}{}", String::from_utf8_lossy(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();

    let skipped: Vec<_> = report["skipped"].as_array().unwrap().iter().map(|one| &one["subject"]).collect();
    let peers = if cfg!(feature = "peers") { 0 } else { 3 };
    assert_eq!(skipped.len(), 2 + peers, "{skipped:?}");
    let mut counted = 0;
    for cell in report["cells"].as_array().unwrap() {
        let round = &cell["rounds"][0];
        assert!(round["acked"].as_u64().unwrap() > 0, "{cell}");
        if !round["found"].is_null() {
            assert_eq!(round["acked"], round["found"], "{cell}");
            counted += 1;
        }
    }
    assert_eq!(counted, if cfg!(feature = "peers") { 33 } else { 18 });

    let page = stderr.lines().last().unwrap();
    assert!(std::fs::read_to_string(dir.path().join(page)).unwrap().ends_with("</html>\n"));
    assert!(std::fs::read_to_string(dir.path().join("docs/page.md")).unwrap().contains("| Fencehold |"));
    let left = std::fs::read_dir(dir.path().join(page).parent().unwrap()).unwrap().count();
    assert_eq!(left, 2, "report.html and report.json; the folders of the workers are gone");
}

#[test]
fn usage_is_refused_before_anything_is_measured() {
    let dir = here();
    let bad = [
        &["--only", "sqlite"][..],
        &["--processes", "0"],
        &["--seconds", "0"],
        &["--seconds", "nan"],
        &["--rounds", "0"],
        &["--out", "taken"],
    ];
    std::fs::write(dir.path().join("taken"), "a file").unwrap();
    for args in bad {
        let output = run(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
    assert!(!dir.path().join("target").exists());
}

#[test]
fn a_worker_whose_starter_is_gone_ends() {
    let dir = here();
    let task =
        r#"{"subject":"bare","workload":"lock","index":0,"dir":".","window_ms":60000,"record_bytes":300}"#;
    std::fs::write(dir.path().join("the.lock"), "").unwrap();
    let output = run(dir.path(), &["worker", task]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, b"ready\n");
    let output = run(dir.path(), &["worker", "{}"]);
    assert_eq!(output.status.code(), Some(2));
}
