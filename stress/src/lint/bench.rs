//! The bench on which a target is asked: up to two of its processes on one root.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::declared::Declared;
use super::lapse::Lapsed;
use super::{Need, Rule, Standing};
use crate::target::{Child, Gone, LINE_BYTES_MAX, Spec};

/// How long the first answer of a process may take: it may have an interpreter to start.
const HELLO: Duration = Duration::from_secs(10);
/// How long any other answer may take.
const ANSWER: Duration = Duration::from_secs(6);
/// The rule that is asked of a target that does not answer `hello`.
const HELLO_RULE: &str = "hello";
/// How much of a line is quoted.
const QUOTED_CHARS_MAX: usize = 300;

/// A thing that an adapter gets wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The operation.
    pub op: String,
    /// The line that was sent.
    pub sent: String,
    /// What came back.
    pub got: String,
    /// What had to come back.
    pub expected: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Misread { op, sent, got, expected } = self;
        write!(f, "your adapter misreads {op}: sent {sent}, got {got}, expected {expected}")
    }
}

/// An answer, with the request that it is for.
#[derive(Debug)]
pub(super) struct Reply {
    op: String,
    sent: String,
    pub(super) answer: Value,
    pub(super) took: Duration,
}

/// The bench.
pub(super) struct Bench {
    spec: Spec,
    dir: TempDir,
    /// The first process, which everything is asked of, and a second one.
    pub(super) children: [Option<Child>; 2],
    pub(super) declared: Declared,
    pub(super) lapsed: Option<Lapsed>,
    /// When the lease that was granted for that has lapsed.
    pub(super) lapsing: Option<Instant>,
    /// What the first process answered to `hello`.
    pub(super) greeting: Option<Result<Reply, Misread>>,
    rule: &'static str,
    next_id: u64,
}

impl Bench {
    pub(super) fn new(spec: &Spec) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("fencehold-lint-").tempdir()?;
        std::fs::create_dir(dir.path().join("root"))?;
        let mut bench = Bench {
            spec: spec.clone(),
            dir,
            children: [None, None],
            declared: Declared::default(),
            lapsed: None,
            lapsing: None,
            greeting: None,
            rule: "",
            next_id: 1,
        };
        bench.children[0] = Some(bench.spawn()?);
        let root = bench.root();
        let request = json!({ "id": 0, "op": "hello", "protocol": 1, "root": root.to_string_lossy() });
        let greeting = bench.exchange(0, "hello", &request);
        if let Ok(reply) = &greeting {
            bench.declared.value = reply.answer["value"].clone();
        }
        bench.greeting = Some(greeting);
        Ok(bench)
    }

    /// Whether all that a rule needs is declared.
    pub(super) fn offers_all(&self, rule: &Rule) -> bool {
        rule.needs.iter().all(|need| self.declared.offers(*need))
    }

    /// How a rule stands.
    pub(super) fn stand(&mut self, rule: &Rule) -> Standing {
        if rule.name != HELLO_RULE && !self.declared.offers(Need::Hello) {
            return Standing::NotOffered(Need::Hello);
        }
        if let Some(need) = rule.needs.iter().find(|need| !self.declared.offers(**need)) {
            return Standing::NotOffered(*need);
        }
        self.rule = rule.name;
        match (rule.check)(self) {
            Ok(()) => Standing::Kept,
            Err(misread) => Standing::Broken(misread),
        }
    }

    /// A name that no other rule uses.
    pub(super) fn fresh(&self, what: &str) -> String {
        format!("{}-{what}", self.rule)
    }

    /// The folder that the processes share.
    pub(super) fn root(&self) -> PathBuf {
        let root = self.dir.path().join("root");
        root.canonicalize().unwrap_or(root)
    }

    /// A further process, not greeted.
    pub(super) fn spawn(&self) -> io::Result<Child> {
        self.spec.spawn(&self.root(), &self.dir.path().join("stderr"))
    }

    /// Ends a process, so that the next question starts a new one: by SIGKILL where the target survives that.
    pub(super) fn end(&mut self, which: usize) {
        if let Some(mut child) = self.children[which].take() {
            if !self.declared.survives_kill() {
                child.close(ANSWER);
            }
            child.kill_and_reap();
        }
    }

    /// What the processes said last on stderr.
    fn last_words(&self) -> String {
        let bytes = std::fs::read(self.dir.path().join("stderr")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.trim_end().lines().last().map_or(String::new(), |line| format!(" (on stderr: {})", quoted(line)))
    }

    /// Asks the first process.
    pub(super) fn ask(&mut self, op: &str, fields: &Value) -> Result<Reply, Misread> {
        self.ask_of(0, op, fields)
    }

    /// Asks one of the two processes, which is started where it does not run.
    pub(super) fn ask_of(&mut self, which: usize, op: &str, fields: &Value) -> Result<Reply, Misread> {
        let mut request = fields.clone();
        request["id"] = json!(self.next_id);
        request["op"] = json!(op);
        self.next_id += 1;
        self.exchange(which, op, &request)
    }

    /// Sends a request as it stands.
    pub(super) fn exchange(&mut self, which: usize, op: &str, request: &Value) -> Result<Reply, Misread> {
        let reply = self.line(which, op, request.to_string().as_bytes())?;
        reply.must(reply.answer["id"] == request["id"], "an answer with the `id` of the request")?;
        Ok(reply)
    }

    /// Sends a line of any bytes.
    pub(super) fn line(&mut self, which: usize, op: &str, line: &[u8]) -> Result<Reply, Misread> {
        let sent = quoted(&String::from_utf8_lossy(line));
        let told = |got: String| Misread {
            op: op.to_owned(),
            sent: sent.clone(),
            got,
            expected: format!("one line of at most {LINE_BYTES_MAX} bytes within {} s", ANSWER.as_secs()),
        };
        if self.children[which].is_none() {
            let mut child = self.spawn().map_err(|error| told(format!("no process: {error}")))?;
            child.hello(HELLO).map_err(|gone| told(format!("no answer to `hello`: {gone}")))?;
            self.children[which] = Some(child);
        }
        let begun = Instant::now();
        let within = if op == "hello" { HELLO } else { ANSWER };
        let child = self.children[which].as_mut();
        let answer = child.ok_or(Gone::Eof).and_then(|child| {
            child.send(&[line, b"\n"].concat(), ANSWER)?;
            child.receive(within)
        });
        match answer {
            Ok(answer) => Ok(Reply { op: op.to_owned(), sent, answer, took: begun.elapsed() }),
            Err(gone) => {
                // What it answers later would be taken for the answer to the next question.
                self.children[which] = None;
                Err(told(format!("nothing: {gone}{}", self.last_words())))
            }
        }
    }
}

impl Reply {
    /// The value of an answer that has to be `ok`.
    pub(super) fn ok(&self) -> Result<&Value, Misread> {
        self.must(self.answer["outcome"] == "ok" && self.answer["value"].is_object(), "`ok` with a `value`")?;
        Ok(&self.answer["value"])
    }

    /// It has to be refused for this reason.
    pub(super) fn refused(&self, reason: &str) -> Result<(), Misread> {
        let refused = self.answer["outcome"] == "refused" && self.answer["reason"] == reason;
        self.must(refused, &format!("`refused` with the reason `{reason}`"))
    }

    /// Each has to carry a revision, none below the one before.
    pub(super) fn in_order(replies: &[Reply]) -> Result<(), Misread> {
        let mut last = 0;
        for reply in replies {
            let revision = reply.answer["revision"].as_u64();
            let grows = revision.is_some_and(|revision| revision >= last);
            reply.must(grows, &format!("a `revision`, at least {last}"))?;
            last = revision.unwrap_or(last);
        }
        Ok(())
    }

    /// It has to fail, and to say why.
    pub(super) fn failed(&self) -> Result<(), Misread> {
        let failed = self.answer["outcome"] == "fail" && self.answer["error"].is_string();
        self.must(failed, "`fail` with an `error`, and a process that goes on")
    }

    /// The answer has to be so.
    pub(super) fn must(&self, so: bool, expected: &str) -> Result<(), Misread> {
        if so {
            return Ok(());
        }
        let (op, sent) = (self.op.clone(), self.sent.clone());
        Err(Misread { op, sent, got: quoted(&self.answer.to_string()), expected: expected.to_owned() })
    }
}

fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}
