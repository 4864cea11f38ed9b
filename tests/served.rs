//! `fencehold serve` as a real process that is spoken to by lines; holds no test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Kept, Yard, code, fencehold_in};

/// A target; killed and reaped when it is dropped.
pub(crate) struct Served {
    kept: Kept,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    asked: u64,
}

impl Served {
    /// A target that was greeted with the yard as its root.
    pub(crate) fn start(yard: &Yard) -> Self {
        Served::at(&yard.path())
    }

    /// A target that was greeted with this root.
    pub(crate) fn at(root: &Path) -> Self {
        let mut served = Served::silent(&mut fencehold_in(root));
        let hello = served.ask("hello", &json!({ "protocol": 1, "root": root }));
        assert_eq!(hello["outcome"], "ok", "{hello}");
        served
    }

    /// A target that nobody has greeted; `command` is a `fencehold` without arguments.
    pub(crate) fn silent(command: &mut Command) -> Self {
        let mut child = command
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Served { kept: Kept(child), stdin, stdout, asked: 0 }
    }

    /// Asks, and waits for the answer, which must be to this request.
    pub(crate) fn ask(&mut self, op: &str, fields: &Value) -> Value {
        self.asked += 1;
        let mut request = fields.clone();
        request["id"] = self.asked.into();
        request["op"] = op.into();
        self.send(format!("{request}\n").as_bytes());
        let answer = self.answer();
        assert_eq!(answer["id"], self.asked, "{op}: {answer}");
        answer
    }

    /// As `ask`; the value of an answer that is ok.
    pub(crate) fn ok(&mut self, op: &str, fields: &Value) -> Value {
        let answer = self.ask(op, fields);
        assert_eq!(answer["outcome"], "ok", "{op} {fields}: {answer}");
        answer["value"].clone()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("its input has not ended");
        stdin.write_all(bytes).expect("it reads");
    }

    /// The next line of its stdout, which must be an object of at most 1 MiB.
    pub(crate) fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("UTF-8 from a pipe");
        assert!(line.ends_with('\n') && line.len() <= (1 << 20) + 1, "{} bytes", line.len());
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert!(answer.is_object(), "{answer}");
        answer
    }

    pub(crate) fn pid(&self) -> u32 {
        self.kept.0.id()
    }

    /// Ends its input; its exit code, and what it still wrote.
    pub(crate) fn end(mut self) -> (i32, String) {
        drop(self.stdin.take());
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.stdout, &mut rest).expect("UTF-8 from a pipe");
        (code(self.kept.0.wait().expect("it can be waited for")), rest)
    }
}
