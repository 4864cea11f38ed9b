//! A small soak: a few processes of a target, killed and stopped and torn, their history recorded.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fencehold_model::history::{answer_line, died_line, header_line, invoke_line, nemesis_line};
use fencehold_stress::rng::Rng;
use fencehold_stress::target::{Child, Gone, Signal, Spec};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long an answer may take at all.
const ANSWER: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) workers: u64,
    /// Operations of each worker.
    pub(crate) ops: u64,
    /// One in so many operations is met by a SIGKILL; 0 for never.
    pub(crate) kill_one_in: u64,
    /// One in so many operations is met by a SIGSTOP, and a SIGCONT later.
    pub(crate) stop_one_in: u64,
    /// Once in so many operations a half line is put at the end of the log.
    pub(crate) tear_one_in: u64,
    /// Draws an operation: worker, its number, the last token it got.
    pub(crate) draw: fn(&mut Rng, u64, u64, &Value) -> (&'static str, Value),
}

struct Run<'a> {
    spec: &'a Spec,
    root: PathBuf,
    plan: Plan,
    begun: Instant,
    processes: AtomicU64,
    history: Mutex<String>,
    hello: Mutex<Value>,
}

/// Runs it to the end; the history, whose last reads are those of a fresh process.
pub(crate) fn drive(spec: &Spec, plan: Plan) -> String {
    let dir = tempfile::Builder::new().prefix("fencehold-test-").tempdir().expect("a temporary folder");
    let run = Run {
        spec,
        root: root(&dir),
        plan,
        begun: Instant::now(),
        processes: AtomicU64::new(0),
        history: Mutex::new(String::new()),
        hello: Mutex::new(Value::Null),
    };
    let run = &run;
    std::thread::scope(|scope| {
        for number in 0..plan.workers {
            scope.spawn(move || run.work(number));
        }
    });
    let (process, mut child) = run.start();
    for (op, args) in [("log.read", json!({ "file": "log" })), ("doc.read", json!({ "file": "doc" }))] {
        run.invoke(process, 1, op, &args);
        let answer = child.request(&request(1, op, &args), ANSWER).expect("a fresh process answers");
        run.write(|at_us| answer_line(at_us, process, 1, &answer));
    }
    let header = header_line(plan.seed, spec.text(), &run.hello.lock().unwrap(), 250);
    header + &run.history.lock().unwrap()
}

fn root(dir: &TempDir) -> PathBuf {
    let root = dir.path().canonicalize().expect("the folder is there").join("root");
    std::fs::create_dir(&root).expect("a new folder");
    root
}

fn request(id: u64, op: &str, args: &Value) -> Value {
    let mut request = args.clone();
    request["id"] = json!(id);
    request["op"] = json!(op);
    request
}

impl Run<'_> {
    /// Writes a line; its time is taken while nobody else writes, so that times never go back.
    fn write(&self, line: impl FnOnce(u64) -> String) {
        let mut history = self.history.lock().unwrap();
        let at_us = u64::try_from(self.begun.elapsed().as_micros()).expect("a short run");
        history.push_str(&line(at_us));
    }

    fn invoke(&self, process: u64, id: u64, op: &str, args: &Value) {
        self.write(|at_us| invoke_line(at_us, process, id, op, args));
    }

    fn start(&self) -> (u64, Child) {
        let process = self.processes.fetch_add(1, Ordering::Relaxed);
        let stderr = self.root.with_file_name("stderr");
        let mut child = self.spec.spawn(&self.root, &stderr).expect("it starts");
        let hello = child.hello(ANSWER).expect("it answers `hello`");
        *self.hello.lock().unwrap() = hello["value"].clone();
        (process, child)
    }

    fn work(&self, number: u64) {
        let plan = &self.plan;
        let mut rng = Rng::new(plan.seed * 1000 + number);
        let (mut process, mut child) = self.start();
        let mut token = Value::Null;
        for id in 1..=plan.ops {
            let (op, args) = (plan.draw)(&mut rng, number, id, &token);
            self.invoke(process, id, op, &args);
            let killed = plan.kill_one_in > 0 && rng.one_in(plan.kill_one_in);
            let stopped = plan.stop_one_in > 0 && rng.one_in(plan.stop_one_in);
            child.send(format!("{}\n", request(id, op, &args)).as_bytes(), ANSWER).expect("it takes a line");
            let mut answer = Err(Gone::TimedOut);
            if killed || stopped {
                answer = child.receive(Duration::from_micros(rng.below(1500)));
            }
            if stopped && answer == Err(Gone::TimedOut) {
                self.write(|at_us| nemesis_line(at_us, process, "stop", &json!({})));
                child.signal(Signal::STOP);
                answer = child.receive(Duration::from_millis(50 + rng.below(100)));
                child.signal(Signal::CONT);
                self.write(|at_us| nemesis_line(at_us, process, "cont", &json!({})));
            }
            if answer == Err(Gone::TimedOut) && !killed {
                answer = child.receive(ANSWER);
            }
            match answer {
                Ok(answer) => {
                    assert_eq!(answer["id"], id, "{answer}");
                    self.write(|at_us| answer_line(at_us, process, id, &answer));
                    if !answer["value"]["token"].is_null() && op == "lock.acquire" {
                        token.clone_from(&answer["value"]["token"]);
                    }
                }
                Err(Gone::TimedOut) if killed => {}
                Err(gone) => panic!("{op} {args}: {gone}"),
            }
            if killed {
                self.write(|at_us| nemesis_line(at_us, process, "kill", &json!({})));
                child.kill_and_reap();
                self.write(|at_us| died_line(at_us, process));
                (process, child) = self.start();
            }
            if plan.tear_one_in > 0 && rng.one_in(plan.tear_one_in) {
                self.write(|at_us| nemesis_line(at_us, process, "tear", &json!({ "file": "log" })));
                tear(&self.root.join("log"));
            }
        }
        assert_eq!(
            child.close(ANSWER).and_then(|status| status.code()),
            Some(0),
            "the end of input is a clean end"
        );
    }
}

/// A half line, as a foreign writer leaves it.
fn tear(log: &Path) {
    let mut file = OpenOptions::new().append(true).create(true).open(log).expect("the log opens");
    file.write_all(b"{\"id\":\"torn\",\"err").expect("the half line is written");
}
