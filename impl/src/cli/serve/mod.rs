//! The target protocol, version 1: one JSON object a line in, one out, in order.
//!
//! Invariants: every request line gets exactly one answer; what is not the protocol gets `fail` and ends nothing; an
//! answer is written only after all that it rests on is durable; end of input is a clean end, and what is held stays
//! held.

mod files;
mod leases;
mod locks;
mod proposals;
mod request;
mod statuses;
mod target;

use std::io::{self, BufRead, Read as _, Write as _};
use std::path::Path;

use fencehold_model::json::Tree;
use serde_json::{Value, json};

use crate::error::{Error, Happened};
use request::Request;
use target::Target;

/// The version of the protocol that is spoken.
pub(super) const PROTOCOL: u64 = 1;
/// The longest line, its newline not counted.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The longest `id` of a request, as JSON.
const ID_BYTES_MAX: usize = 1024;

/// What a request comes to.
pub(super) enum Reply {
    /// It happened.
    Ok { revision: Option<u64>, value: Value },
    /// The rules refuse it.
    Refused { reason: &'static str, revision: Option<u64>, value: Value },
}

/// Why there is no reply: a definite failure, or an indefinite one.
pub(super) enum Failure {
    Definite(String),
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl From<fencehold_model::json::Malformed> for Failure {
    fn from(bad: fencehold_model::json::Malformed) -> Self {
        Failure::Definite(bad.0)
    }
}

/// The outcome of a request.
pub(super) type Outcome = Result<Reply, Failure>;

/// Serves stdin to stdout until the input ends. The reader of stdout going away is the end as well.
pub(super) fn run() -> crate::error::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut target = Target::default();
    let mut line = Vec::new();
    loop {
        let mut answer = match next_line(&mut input, &mut line) {
            Ok(Some(line)) => answer(&mut target, line),
            Ok(None) => return Ok(()),
            Err(error) => return Err(Error::environment("reading", Path::new("/dev/stdin"), error)),
        };
        answer.push('\n');
        match output.write_all(answer.as_bytes()).and_then(|()| output.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Error::environment("writing", Path::new("/dev/stdout"), error)),
        }
        target.tell_notes();
    }
}

/// The next line, or why it is none; nothing at the end of input.
fn next_line<'a>(
    input: &mut impl BufRead,
    line: &'a mut Vec<u8>,
) -> io::Result<Option<Result<&'a str, String>>> {
    line.clear();
    input.take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LINE_BYTES_MAX {
        skip_line(input)?;
        return Ok(Some(Err(format!("a line of more than {LINE_BYTES_MAX} bytes"))));
    }
    Ok(Some(
        std::str::from_utf8(line).map_err(|error| format!("not UTF-8 after {} bytes", error.valid_up_to())),
    ))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, done) = match buffer.iter().position(|&byte| byte == b'\n') {
            Some(newline) => (newline + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// The answer to one line.
fn answer(target: &mut Target, line: Result<&str, String>) -> String {
    let value: Result<Value, String> =
        line.and_then(|line| serde_json::from_str(line).map_err(|error| format!("not JSON: {error}")));
    let value = match value {
        Ok(value) => value,
        Err(why) => return render(&Value::Null, Err(Failure::Definite(why))).to_string(),
    };
    let id = value.get("id").unwrap_or(&Value::Null);
    if id.to_string().len() > ID_BYTES_MAX {
        // Else the answer could not give it back within a line.
        let why = format!("an `id` of more than {ID_BYTES_MAX} bytes");
        return render(&Value::Null, Err(Failure::Definite(why))).to_string();
    }
    let answer = render(id, Request::parse(&Tree::of(&value)).and_then(|request| target.perform(&request)))
        .to_string();
    if answer.len() <= LINE_BYTES_MAX {
        return answer;
    }
    // Only what reads comes to so much.
    let why = format!(
        "the answer has {} bytes, a line at most {LINE_BYTES_MAX}; read the file with `fencehold doc read` or \
         `fencehold log read`",
        answer.len()
    );
    render(id, Err(Failure::Definite(why))).to_string()
}

fn render(id: &Value, outcome: Outcome) -> Value {
    let mut answer = match outcome {
        Ok(Reply::Ok { revision, value }) => json!({ "outcome": "ok", "revision": revision, "value": value }),
        Ok(Reply::Refused { reason, revision, value }) => {
            json!({ "outcome": "refused", "reason": reason, "revision": revision, "value": value })
        }
        Err(Failure::Definite(why)) => json!({ "outcome": "fail", "error": why }),
        Err(Failure::Error(error)) => {
            let outcome = match error.happened() {
                Happened::No => "fail",
                Happened::Unknown => "info",
            };
            json!({ "outcome": outcome, "error": error.to_string() })
        }
    };
    let object = answer.as_object_mut().expect("an answer is an object");
    object.retain(|_, value| !value.is_null());
    object.insert("id".to_owned(), id.clone());
    answer
}
