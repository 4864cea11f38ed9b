//! JSON documents, right as long as one process at a time changes them.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::wire::{self, Answer, Outcome};

/// Does an operation on a document; `alone` runs what reads and writes.
pub(super) fn perform(
    root: &Path,
    op: &str,
    request: &Value,
    alone: &mut dyn FnMut(&Path, &mut dyn FnMut() -> Outcome) -> Outcome,
) -> Outcome {
    if !matches!(op, "doc.increment" | "doc.merge" | "doc.read") {
        return Err(format!("the operation `{op}` is not offered"));
    }
    wire::no_fence(request)?;
    let path = wire::file(root, request)?;
    match op {
        "doc.increment" => {
            let key = wire::text(request, "key")?;
            let by = request["by"].as_i64().ok_or("`by` is not a whole number")?;
            alone(&path, &mut || increment(&path, key, by))
        }
        "doc.merge" => {
            let patch = request.get("patch").ok_or("`patch` is missing")?;
            let expect = request["expect"].as_str();
            alone(&path, &mut || merge(&path, patch, expect))
        }
        _ => Ok(match load(&path)? {
            Some((document, version)) => Answer::Ok(json!({ "document": document, "version": version })),
            None => Answer::Refused("not_found", Value::Null),
        }),
    }
}

fn increment(path: &Path, key: &str, by: i64) -> Outcome {
    let mut document = load(path)?.map_or_else(|| json!({}), |(document, _)| document);
    let object = document.as_object_mut().ok_or("the document is not an object")?;
    let value = match object.get(key) {
        None => 0,
        Some(value) => value.as_i64().ok_or_else(|| format!("the value of {key:?} is not a whole number"))?,
    };
    let value = value.checked_add(by).ok_or("the sum is too large")?;
    object.insert(key.to_owned(), json!(value));
    let version = store(path, &document)?;
    Ok(Answer::Ok(json!({ "value": value, "version": version })))
}

fn merge(path: &Path, patch: &Value, expect: Option<&str>) -> Outcome {
    let found = load(path)?;
    let standing = found.as_ref().map_or("absent", |(_, version)| version);
    if expect.is_some_and(|expect| expect != standing) {
        return Ok(Answer::Refused("version", json!({ "version": standing })));
    }
    let mut document = found.map_or(Value::Null, |(document, _)| document);
    apply(&mut document, patch);
    let version = store(path, &document)?;
    Ok(Answer::Ok(json!({ "version": version })))
}

/// RFC 7396.
fn apply(document: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(object) = document else { return };
    for (key, value) in fields {
        if value.is_null() {
            object.remove(key);
        } else {
            apply(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// A document and its version; none where there is no file.
fn load(path: &Path) -> Result<Option<(Value, String)>, String> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let document = serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some((document, version(&bytes))))
}

/// Replaces the document: a temporary file, renamed into place.
fn store(path: &Path, document: &Value) -> Result<String, String> {
    let bytes = format!("{document:#}\n").into_bytes();
    replace(path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(version(&bytes))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}-{number}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path)
}

/// FNV-1a, 64 bits.
fn version(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
