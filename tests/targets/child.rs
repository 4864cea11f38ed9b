//! A target's process: what it says, how it is late, how it ends.

use std::time::{Duration, Instant};

use fencehold_stress::target::{Child, Gone, LINE_BYTES_MAX, Signal, Spec};
use serde_json::json;
use tempfile::TempDir;

const SOON: Duration = Duration::from_millis(50);
const SURE: Duration = Duration::from_secs(10);

fn start(command: &str) -> (TempDir, Child) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let spec = Spec::parse(command).expect("words");
    let child = spec.spawn(dir.path(), &dir.path().join("stderr")).expect("it starts");
    (dir, child)
}

#[test]
fn a_target_is_split_as_a_shell_would() {
    let words = ["a b".to_owned(), "c".to_owned()];
    assert_eq!(Spec::parse("'a b' c").expect("words").text(), Spec::command(&words).expect("words").text());
    assert!(Spec::parse("'a b").is_err());
    assert!(Spec::parse("  ").is_err());
    assert!(Spec::command(&[]).is_err());
}

#[test]
fn an_answer_comes_is_late_or_is_none() {
    let request = json!({ "id": 7, "op": "x" });
    // What it is sent is what it answers.
    assert_eq!(start("cat").1.request(&request, SURE), Ok(request.clone()));
    assert_eq!(start("sleep 1000").1.request(&request, SOON), Err(Gone::TimedOut));
    assert_eq!(start("true").1.request(&request, SURE), Err(Gone::Eof));
    for line in ["'echo nonsense; cat'", "'echo 7; cat'", "'echo {\\\"id\\\":8}; cat'"] {
        let gone = start(&format!("sh -c {line}")).1.request(&request, SURE);
        assert!(matches!(gone, Err(Gone::BadLine(_))), "{line}: {gone:?}");
    }
    let long = start("sh -c 'yes | tr -d \"\\n\"'").1.request(&request, SURE);
    assert_eq!(long, Err(Gone::BadLine(format!("a line of more than {LINE_BYTES_MAX} bytes"))));
}

#[test]
fn a_stopped_process_does_not_stop_us() {
    let (_dir, mut child) = start("cat");
    assert!(child.signal(Signal::STOP));
    // More than a pipe holds.
    let request = json!({ "id": 1, "pad": "x".repeat(LINE_BYTES_MAX - 100) });
    assert_eq!(child.request(&request, SOON), Err(Gone::TimedOut));
    let (_dir, mut child) = start("cat");
    child.signal(Signal::STOP);
    let request = json!({ "id": 1 });
    assert_eq!(child.request(&request, SOON), Err(Gone::TimedOut));
    child.signal(Signal::CONT);
    assert_eq!(child.receive(SURE), Ok(request), "the late answer");
}

#[test]
fn the_end_of_a_process_is_the_end_of_its_group() {
    let (dir, mut child) = start("sh -c 'echo said >&2; sleep 1000 & echo {}; wait'");
    assert_eq!(child.receive(SURE), Ok(json!({})));
    let handle = child.handle();
    let begun = Instant::now();
    child.kill_and_reap();
    assert!(begun.elapsed() < Duration::from_secs(2), "the sleeper held the output open");
    assert!(!handle.signal(Signal::KILL), "the process is gone");
    assert_eq!(std::fs::read_to_string(dir.path().join("stderr")).expect("readable"), "said\n");
}

#[test]
fn a_closed_input_is_a_clean_end() {
    assert_eq!(start("cat").1.close(SURE).and_then(|status| status.code()), Some(0));
    assert_eq!(start("sleep 1000").1.close(SOON), None);
}
