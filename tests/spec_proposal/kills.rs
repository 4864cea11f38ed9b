//! An accept that ends anywhere.

use std::io::ErrorKind;

use fencehold::error::Happened;
use fencehold_model::proposal::Told;

use super::kit::{Desk, times};
use crate::hooked::{Act, Hooked};

/// PROPOSAL-3: An accept that is killed at any step is carried out by the next accept of its file or has not begun, and
/// its content stands there once.
#[test]
fn an_accept_killed_at_every_call_is_carried_out_once() {
    let (mut not_begun, mut begun, mut written) = (0, 0, 0);
    for dies_at in 0.. {
        let desk = Desk::with("a\n", "text of p");
        let mut done = 0;
        let dying = Hooked::new(move |call, _| {
            done += 1;
            match call {
                // The last thing that happens is half a write.
                "append" | "write_at" if done > dies_at => Act::Short(2 * usize::from(done == dies_at + 1)),
                _ if done > dies_at => Act::Fail(ErrorKind::Other),
                _ => Act::Go,
            }
        });
        let answer = desk.on(dying).try_accept("p");
        let (story, text) = (desk.clerk().told("p"), desk.text());
        let has_begun = desk.story().contains(&"intended");
        match (has_begun, times(&text, "text of p")) {
            (false, 0) => not_begun += 1,
            (true, 0) => begun += 1,
            (true, 1) => written += 1,
            other => panic!("{other:?} when killed at call {dies_at}: {text}"),
        }
        let Err(error) = answer else { break };
        assert_ne!(story, Told::InDoubt, "{dies_at}");
        assert!(!has_begun || error.happened() == Happened::Unknown, "{dies_at}: {error}");
        let next = desk.clerk();
        assert_eq!(next.add("q", "text of q"), Told::Proposed);
        assert_eq!(next.accept("q"), Told::Accepted);
        assert_eq!(next.accept("p"), Told::Accepted);
        let text = desk.text();
        assert!(text.starts_with("a\n\n<!-- fencehold proposal "), "{text}");
        assert_eq!((times(&text, "text of p\n"), times(&text, "text of q\n")), (1, 1), "{dies_at}: {text}");
        assert_eq!(desk.names(), ["notes.md", "ws"], "{dies_at}: what was left is swept");
    }
    assert!(not_begun > 3 && begun > 3 && written > 3, "{not_begun} {begun} {written}");
}
