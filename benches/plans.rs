//! `plan check` as a process, over 1,000 files with 20,000 tasks in a git checkout: before the board knows any of them, and
//! when all are in step and remembered. The goal is 2 seconds. Beside it, what reading the same files costs `cat`.

use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};
use fencehold_benches::{Checkout, Goal, HOLDER, Quartiles, figure, timed};

const SUBJECT: &str = env!("CARGO_BIN_EXE_fencehold-bench-subject");
const FILES: usize = 1_000;
const TASKS: usize = 20;
const ROUNDS: usize = 11;

fn run(command: &mut Command, code: i32) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it starts");
    assert_eq!(status.code(), Some(code), "{command:?}");
}

fn fencehold(root: &Path, args: &[&str], code: i32) {
    run(Command::new(SUBJECT).args(args).current_dir(root).env("FENCEHOLD_HOLDER", HOLDER), code);
}

fn git(root: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    run(
        git.args(["-c", "user.name=b", "-c", "user.email=b@b"])
            .args(args)
            .current_dir(root)
            .stderr(Stdio::null()),
        0,
    );
}

fn write(root: &Path) {
    for file in 0..FILES {
        let dir = root.join(format!("plans/{:02}", file % 50));
        std::fs::create_dir_all(&dir).expect("a folder");
        let mut text = format!("# Plan {file}\n\nWhat it is for, and why.\n");
        for task in 0..TASKS {
            text.push_str(&format!(
                "\n## Task {task}\n\nA paragraph that says what is to be done, and a list:\n\n- one\n- two\n\n```task\nid: \
                 P{file}-T{task}\nstatus: todo\npriority: high\nstate_hub_task_id: \"{file:08}-{task:04}\"\n```\n"
            ));
        }
        std::fs::write(dir.join(format!("plan-{file}.md")), text).expect("a file");
    }
}

fn measured(root: &Path, code: i32) -> Quartiles {
    Quartiles::of(
        (0..ROUNDS).map(|_| timed(1, || fencehold(root, &["plan", "check", "plans"], code)).as_secs_f64()),
    )
}

fn plans(_: &mut Criterion) {
    let checkout = Checkout::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .expect("a workspace can be made in the target folder");
    let root = checkout.root();
    write(root);
    git(root, &["init", "-q"]);
    git(root, &["add", "plans"]);
    git(root, &["commit", "-q", "-m", "plans"]);
    figure(
        "plan_check/new",
        "seconds: 1,000 files, 20,000 tasks, an empty board",
        measured(root, 1),
        Goal::AtMost(2.0),
    );
    let took = timed(1, || fencehold(root, &["plan", "fix", "plans"], 0));
    println!("plan_fix/first: {:.1} s for 20,000 steps of the board", took.as_secs_f64());
    let again = timed(1, || fencehold(root, &["plan", "fix", "plans"], 0));
    println!("plan_fix/again: {:.2} s, all in step", again.as_secs_f64());
    figure("plan_check/in_step", "seconds: the same, all in step", measured(root, 0), Goal::AtMost(2.0));
    let cat = Quartiles::of((0..ROUNDS).map(|_| {
        timed(1, || run(Command::new("sh").args(["-c", "cat plans/*/*.md"]).current_dir(root), 0))
            .as_secs_f64()
    }));
    figure("plan_check/cat", "seconds: `cat` of the same files", cat, Goal::None);
}

criterion_group!(benches, plans);
criterion_main!(benches);
