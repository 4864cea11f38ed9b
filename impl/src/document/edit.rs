//! A JSON merge patch (RFC 7396) on the text of an object.
//!
//! Invariants: the text is whole JSON (the caller parsed it); what the result parses to is what RFC 7396 makes of what
//! the text parses to; bytes of members that the patch does not name are not changed, nor is their order.

use std::ops::Range;

use serde_json::{Map, Value};

/// One member: the text between two commas, or a brace and a comma.
#[derive(Debug, Clone)]
struct Member {
    key: String,
    /// White space before the key.
    lead: String,
    /// From the key's quote up to the value.
    label: String,
    value: String,
    /// White space after the value.
    trail: String,
}

/// Applies `patch` to `text`, which is an object with white space around it.
pub(super) fn merge(text: &str, patch: &Map<String, Value>) -> String {
    let open = text.find('{').expect("the caller parsed the text as an object");
    let close = text.rfind('}').expect("the caller parsed the text as an object");
    let layout =
        Layout { pretty: text.trim_end().contains('\n') || text.trim() == "{}" && text.ends_with('\n') };
    let body = object(&text[open + 1..close], patch, layout, 0);
    format!("{}{body}{}", &text[..open], &text[close + 1..])
}

/// Whether what is added goes on lines of its own.
#[derive(Clone, Copy)]
struct Layout {
    pretty: bool,
}

/// The object whose members are `body`, patched; braces included. `indent` is how deep it lies.
fn object(body: &str, patch: &Map<String, Value>, layout: Layout, indent: usize) -> String {
    let mut members = members(body);
    for (key, new) in patch {
        // Of members with one key the last one counts; one that is changed is the only one afterwards.
        let last = members.iter().rposition(|member| member.key == *key);
        let mut position = 0..;
        members.retain(|member| position.next() == last || member.key != *key);
        let found = members.iter().position(|member| member.key == *key);
        match (found, new) {
            (Some(at), Value::Null) => remove(&mut members, at),
            (None, Value::Null) => {}
            (Some(at), Value::Object(inner)) if members[at].value.starts_with('{') => {
                let old = &members[at].value;
                members[at].value = object(&old[1..old.len() - 1], inner, layout, indent + 1);
            }
            (Some(at), new) => members[at].value = render(&without_nulls(new), layout, &members[at].lead),
            (None, new) => append(&mut members, key, new, layout, indent),
        }
    }
    let texts: Vec<String> =
        members.iter().map(|m| [&*m.lead, &*m.label, &*m.value, &*m.trail].concat()).collect();
    format!("{{{}}}", texts.join(","))
}

fn remove(members: &mut Vec<Member>, at: usize) {
    let removed = members.remove(at);
    // The white space before the closing brace belongs to the brace.
    if let Some(last) = members.last_mut().filter(|_| removed.trail.contains('\n')) {
        last.trail = removed.trail;
    }
}

fn append(members: &mut Vec<Member>, key: &str, new: &Value, layout: Layout, indent: usize) {
    let (lead, trail, gap) = match members.last_mut() {
        Some(last) => {
            let gap = if last.label.ends_with(':') { "" } else { " " };
            (last.lead.clone(), std::mem::take(&mut last.trail), gap)
        }
        None if layout.pretty => {
            (format!("\n{}", "  ".repeat(indent + 1)), format!("\n{}", "  ".repeat(indent)), " ")
        }
        None => (String::new(), String::new(), ""),
    };
    // On one line, the first member has no space before it where the others have one.
    let lead = match members.len() {
        1 if lead.is_empty() && !gap.is_empty() => " ".to_owned(),
        _ => lead,
    };
    let label = format!("{}:{gap}", Value::from(key));
    let value = render(&without_nulls(new), layout, &lead);
    members.push(Member { key: key.to_owned(), lead, label, value, trail });
}

/// A value as text, its further lines as deep as `lead` puts the first one.
fn render(value: &Value, layout: Layout, lead: &str) -> String {
    match (layout.pretty, lead.rfind('\n')) {
        (true, Some(newline)) => format!("{value:#}").replace('\n', &lead[newline..]),
        _ => value.to_string(),
    }
}

/// What a patch puts where nothing was: itself, without its nulls (RFC 7396, section 2: merged into nothing).
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn members(body: &str) -> Vec<Member> {
    pieces(body)
        .into_iter()
        .filter(|(range, _)| !body[range.clone()].trim().is_empty())
        .map(|(range, colon)| {
            let colon = colon.expect("a member of an object that was parsed has a colon");
            let (name, rest) = (&body[range.start..colon], &body[colon + 1..range.end]);
            let key =
                serde_json::from_str(name.trim()).expect("a key of an object that was parsed is a string");
            let value = rest.trim();
            let lead = name.len() - name.trim_start().len();
            let gap = rest.len() - rest.trim_start().len();
            Member {
                key,
                lead: name[..lead].to_owned(),
                label: format!("{}:{}", &name[lead..], &rest[..gap]),
                value: value.to_owned(),
                trail: rest[gap + value.len()..].to_owned(),
            }
        })
        .collect()
}

/// The stretches between the commas of this level, and where the first colon of this level is in each.
pub(crate) fn pieces(body: &str) -> Vec<(Range<usize>, Option<usize>)> {
    let (mut pieces, mut start, mut colon) = (Vec::new(), 0, None);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b':' if depth == 0 && colon.is_none() => colon = Some(at),
            b',' if depth == 0 => {
                pieces.push((start..at, colon.take()));
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push((start..body.len(), colon));
    pieces
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::{Value, json};

    fn check(text: &str, patch: &Value, expected: &str) {
        let Value::Object(patch) = patch else { panic!("the patch of a test is an object") };
        assert_eq!(merge(text, patch), expected);
    }

    #[test]
    fn what_the_patch_does_not_name_stays_byte_for_byte() {
        let text = "{\n    \"z\": 123456789012345678901234567890,\n    \"a\" : [1,  2],\n    \"m\": \"\\u0041\"\n}\n";
        let changed = text.replace("[1,  2]", "true");
        check(text, &json!({"a": true}), &changed);
        check(text, &json!({}), text);
        check(text, &json!({"none": null}), text);
    }

    #[test]
    fn members_come_and_go_in_the_layout_of_their_neighbours() {
        check("{}\n", &json!({"a": 1}), "{\n  \"a\": 1\n}\n");
        check("{}", &json!({"a": 1}), "{\"a\":1}");
        check("{\"a\":1}", &json!({"b": 2}), "{\"a\":1,\"b\":2}");
        check("{\"a\": 1, \"b\": 2}", &json!({"c": 3}), "{\"a\": 1, \"b\": 2, \"c\": 3}");
        check("{\"a\": 1}", &json!({"b": 2}), "{\"a\": 1, \"b\": 2}");
        check("{\n\t\"a\": 1\n}", &json!({"b": 2}), "{\n\t\"a\": 1,\n\t\"b\": 2\n}");
        check("{\n  \"a\": 1,\n  \"b\": 2\n}", &json!({"b": null}), "{\n  \"a\": 1\n}");
        check("{\n  \"a\": 1\n}", &json!({"a": null}), "{}");
        check("{\"a\":{\"x\":1}}", &json!({"a": {"x": null, "y": 2}}), "{\"a\":{\"y\":2}}");
        check("{\"a\":1,\"a\":2}", &json!({"a": 3}), "{\"a\":3}");
        check(
            "{\n  \"a\": 1\n}\n",
            &json!({"b": {"c": [1], "d": null}}),
            "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1\n    ]\n  }\n}\n",
        );
    }
}
