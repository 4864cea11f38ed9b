use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::play::{Session, decided, hook, reason};
use crate::program::Yard;

/// GUARD-10: A payload that is empty, too long, no JSON object, or has a field that is missing, blank or of another type
/// is a failure, and a blank `session_id` is nobody's.
///
/// GUARD-1: A hook exits 0 with one JSON object on stdout, whatever it is given and whatever fails.
#[test]
fn a_payload_that_cannot_be_understood_is_blocked_and_said() {
    let yard = Yard::with_git();
    let whole = |field: &str, value: serde_json::Value| {
        let mut payload = json!({ "session_id": "s", "cwd": yard.path(), "tool_name": "Edit",
            "tool_input": { "file_path": "a" } });
        payload[field] = value;
        payload.to_string().into_bytes()
    };
    let too_long =
        [b"{\"session_id\":\"s\",\"x\":\"".to_vec(), vec![b'x'; 65 << 20], b"\"}".to_vec()].concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "is empty"),
        (b"\n".to_vec(), "is empty"),
        (b"{\"session_id\":".to_vec(), "no JSON"),
        (b"\xff\xfe".to_vec(), "no JSON"),
        (b"[1]".to_vec(), "no JSON object"),
        (too_long, "longer than"),
        (b"{}".to_vec(), "`session_id` is missing"),
        (whole("session_id", json!("")), "`session_id` of the payload is blank"),
        (whole("session_id", json!(" \t ")), "`session_id` of the payload is blank"),
        (whole("session_id", json!(7)), "`session_id` of the payload is no string"),
        (whole("session_id", json!("a\nb")), "`session_id`"),
        (whole("session_id", json!("x".repeat(10_000))), "`session_id`"),
        (whole("cwd", json!("relative")), "not absolute"),
        (whole("cwd", json!("/nowhere/at/all")), "/nowhere/at/all"),
        (whole("tool_name", json!(null)), "`tool_name`"),
        (whole("tool_input", json!("text")), "`tool_input`"),
        (whole("tool_input", json!({})), "`file_path` is missing"),
        (whole("tool_input", json!({ "file_path": "a\u{0}b" })), "names nothing"),
    ];
    let mut seen = 0;
    for (payload, why) in &cases {
        let told = reason(&decided(&hook(&yard.path(), "pre-tool-use", payload)));
        assert!(told.contains(why), "{why}: {told}");
        // What only looks back blocks nobody.
        for event in ["post-tool-use", "stop", "session-end"] {
            assert_eq!(decided(&hook(&yard.path(), event, payload)), json!({}), "{why}");
        }
        seen += 1;
    }
    assert_eq!(seen, 18);
    assert!(!yard.join(".git/fencehold").exists(), "what failed creates no workspace");
}

/// Two sessions that both fail to say who they are are not the same one.
///
/// Defect GUARD-13: a blank id is nobody's.
#[test]
fn two_blank_sessions_are_not_one() {
    let yard = Yard::with_git();
    let (one, other) = (Session::new(&yard, ""), Session::new(&yard, " "));
    let mut blocked = 0;
    for session in [&one, &other, &one] {
        assert!(reason(&session.bash("git push")).contains("blank"));
        blocked += 1;
    }
    assert_eq!(blocked, 3);
}

/// A payload of 50 MB, as of a tool that writes a large file, is read and decided like any other.
#[test]
fn a_payload_of_fifty_megabytes_is_decided() {
    let yard = Yard::with_git();
    let session = Session::new(&yard, "large");
    let content = "x".repeat(50_000_000);
    let call =
        |path: &str| session.call("pre-tool-use", "Write", &json!({ "file_path": path, "content": content }));
    assert_eq!(call("a"), json!({}));
    assert_eq!(yard.run(["lease", "grant", "l", "--writes", "a", "--holder", "other"]).code, 0);
    assert!(reason(&call("a")).contains("lease l"));
}

/// JSON that is not UTF-8, and paths that no JSON can say.
#[test]
fn what_is_not_utf8_is_blocked_or_meant() {
    let yard = Yard::with_git();
    let cwd = yard.path();
    let cwd = cwd.to_str().unwrap();
    let call = |path: &[u8]| {
        let head = format!(
            "{{\"session_id\":\"s\",\"cwd\":\"{cwd}\",\"tool_name\":\"Edit\",\"tool_input\":{{\"file_path\":\""
        );
        let payload = [head.as_bytes(), path, b"\"}}"].concat();
        decided(&hook(&yard.path(), "pre-tool-use", &payload))
    };
    let mut seen = 0;
    for path in [&b"src/\xff"[..], b"src/\xc3", b"\\ud800", b"src/\xed\xa0\x80"] {
        let why = reason(&call(path));
        assert!(why.contains("no JSON"), "{why}");
        seen += 1;
    }
    assert_eq!(seen, 4);
    // A link whose target no JSON can say, so no write set can name what lies there.
    let odd = yard.join(OsStr::from_bytes(b"odd-\xff"));
    fs::create_dir(&odd).unwrap();
    symlink(&odd, yard.join("link")).unwrap();
    assert_eq!(yard.run(["lease", "grant", "all", "--writes", "./", "--holder", "other"]).code, 0);
    for path in [&b"link/a"[..], b"link/../link/deep/a", b"link/"] {
        let why = reason(&call(path));
        assert!(why.contains("not UTF-8") && why.contains("odd-"), "{why}");
        seen += 1;
    }
    assert_eq!(seen, 7);
}
