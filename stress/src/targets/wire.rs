//! The protocol around a target: lines in, lines out.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

/// The version of the protocol that is spoken.
const PROTOCOL: u64 = 1;

/// What comes of a request.
pub(super) enum Answer {
    /// It was done.
    Ok(Value),
    /// The rules refuse it.
    Refused(&'static str, Value),
}

/// An answer, or why the request was and will not be done.
pub(super) type Outcome = Result<Answer, String>;

/// A target: what it declares, and what it does.
pub(super) trait Target {
    /// The value of the answer to `hello`, without the protocol's number.
    fn hello(&self) -> Value;

    /// Does what is asked on `root`.
    fn perform(&mut self, root: &Path, op: &str, request: &Value) -> Outcome;
}

/// Serves stdin to stdout until the input ends.
pub(super) fn serve(target: &mut dyn Target) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut root = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let (id, outcome) = match serde_json::from_slice::<Value>(&line) {
            Ok(request) => (request["id"].clone(), answer(target, &mut root, &request)),
            Err(error) => (Value::Null, Err(format!("not JSON: {error}"))),
        };
        let mut text = render(&id, outcome).to_string();
        text.push('\n');
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
}

fn answer(target: &mut dyn Target, root: &mut Option<PathBuf>, request: &Value) -> Outcome {
    let op = request["op"].as_str().ok_or("`op` is not a string")?;
    if op == "hello" {
        if request["protocol"] != PROTOCOL {
            return Err(format!("protocol {} is not spoken here; {PROTOCOL} is", request["protocol"]));
        }
        let path = PathBuf::from(text(request, "root")?);
        if !path.is_absolute() {
            return Err("`root` is not absolute".to_owned());
        }
        *root = Some(path);
        let mut value = target.hello();
        value["protocol"] = json!(PROTOCOL);
        return Ok(Answer::Ok(value));
    }
    let root = root.as_deref().ok_or("say `hello` first")?;
    target.perform(root, op, request)
}

fn render(id: &Value, outcome: Outcome) -> Value {
    match outcome {
        Ok(Answer::Ok(value)) => json!({ "id": id, "outcome": "ok", "value": value }),
        Ok(Answer::Refused(reason, value)) => {
            json!({ "id": id, "outcome": "refused", "reason": reason, "value": value })
        }
        Err(error) => json!({ "id": id, "outcome": "fail", "error": error }),
    }
}

/// A field that is a text and not blank.
pub(super) fn text<'a>(request: &'a Value, key: &str) -> Result<&'a str, String> {
    match request[key].as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text),
        Some(_) => Err(format!("`{key}` is blank")),
        None => Err(format!("`{key}` is not a string")),
    }
}

/// The field `file`, which has to stay below the root.
pub(super) fn file(root: &Path, request: &Value) -> Result<PathBuf, String> {
    below(root, request, "file")
}

/// A field that is a path, which has to stay below the root.
pub(super) fn below(root: &Path, request: &Value, key: &str) -> Result<PathBuf, String> {
    let file = Path::new(text(request, key)?);
    let stays = file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if stays && file.file_name().is_some() {
        Ok(root.join(file))
    } else {
        Err(format!("`{key}` {} leaves the root", file.display()))
    }
}

/// None of them knows fences.
pub(super) fn no_fence(request: &Value) -> Result<(), String> {
    if request["fence"].is_null() { Ok(()) } else { Err("fences are not offered".to_owned()) }
}
