//! M16 torn-tail-glue: appends without a look at how the file ends.
//!
//! The author has read that an append is atomic, and it is. After a half line that somebody left, the next record
//! becomes part of it, and the reader skips what it cannot parse: the record is acknowledged and gone.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use super::wire::{self, Answer, Outcome, Target};

/// The bytes of records in one page: an answer stays below 1 MiB.
const PAGE_BYTES: usize = 512 * 1024;

/// The target.
pub(super) struct TornTailGlue;

impl Target for TornTailGlue {
    fn hello(&self) -> Value {
        json!({ "target": "M16 torn-tail-glue", "offers": ["log"], "survives": ["kill"], "locks_end": [],
            "fencing": false, "tokens": "none", "revisions": false })
    }

    fn perform(&mut self, root: &Path, op: &str, request: &Value) -> Outcome {
        if !matches!(op, "log.append" | "log.read") {
            return Err(format!("the operation `{op}` is not offered"));
        }
        wire::no_fence(request)?;
        let path = wire::file(root, request)?;
        if op == "log.append" { append(&path, &request["record"]) } else { read(&path, &request["after"]) }
    }
}

fn append(path: &Path, record: &Value) -> Outcome {
    wire::text(record, "id")?;
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(format!("{record}\n").as_bytes()).map_err(failed)?;
    Ok(Answer::Ok(json!({ "appended": true })))
}

fn read(path: &Path, after: &Value) -> Outcome {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let begin = usize::try_from(after.as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let (mut offset, mut records, mut bytes_read, mut next) = (0, Vec::new(), 0, None);
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let begins = offset;
        offset += line.len();
        let Some(record) = serde_json::from_slice::<Value>(line).ok().filter(Value::is_object) else {
            continue;
        };
        let id = record["id"].as_str().map(str::to_owned);
        let repeated = id.filter(|id| !seen.insert(id.clone()));
        if begins < begin {
            continue;
        }
        bytes_read += line.len();
        if bytes_read > PAGE_BYTES && !records.is_empty() {
            next = Some(begins);
            break;
        }
        twice.extend(repeated);
        records.push(record);
    }
    let mut value = json!({ "records": records, "damaged": 0, "duplicates": twice });
    if let Some(next) = next {
        value["next"] = json!(next);
    }
    Ok(Answer::Ok(value))
}
