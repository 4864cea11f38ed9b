//! The bytes of a document as JSON, and JSON as bytes.

use serde_json::Value;

/// The byte order mark in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads a whole document, or says why it is none. A byte order mark is not looked at (RFC 8259, section 8.1).
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = text(bytes)?;
    if text.trim().is_empty() {
        return Err("empty: not even an empty object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

/// The text of a document, without a byte order mark.
pub(super) fn text(bytes: &[u8]) -> Result<&str, String> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if let Some(start) = bytes.iter().position(|&byte| byte == 0) {
        let run_bytes = bytes[start..].iter().take_while(|&&byte| byte == 0).count();
        return Err(format!("a run of {run_bytes} NUL bytes at offset {start}"));
    }
    std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 after {} bytes", error.valid_up_to()))
}

/// Renders a value in the layout of the bytes that it replaces: indented by two spaces and ended by a newline where
/// those had a newline before their end, or were none; else on one line.
pub(super) fn render(value: &Value, old: Option<&[u8]>) -> Vec<u8> {
    let pretty = old.is_none_or(is_multi_line);
    let mut text = if pretty { format!("{value:#}") } else { value.to_string() };
    if pretty || old.is_some_and(|old| old.ends_with(b"\n")) {
        text.push('\n');
    }
    text.into_bytes()
}

/// Whether there is a newline before the end.
fn is_multi_line(bytes: &[u8]) -> bool {
    bytes.trim_ascii_end().contains(&b'\n')
}

/// The kind of a value, for people.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
