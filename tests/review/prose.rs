//! M12: an accept that ends between the file and the record of it.

use std::io::ErrorKind;

use fencehold_model::proposal::{Refusal, Told, Verdict};

use crate::hooked::{Act, Hooked};
use crate::spec_proposal::kit::{Desk, FILE, refusal, stands, times};

/// The process ends right before the `nth` call of this kind on a path that holds `part`.
fn dies(call: &'static str, part: &'static str, nth: usize) -> Hooked {
    let (mut seen, mut dead) = (0, false);
    Hooked::new(move |name, path| {
        seen += usize::from(name == call && path.to_string_lossy().contains(part));
        dead |= seen == nth;
        if dead { Act::Fail(ErrorKind::Other) } else { Act::Go }
    })
}

/// A crash after the rename and before `accepted`, and one before the rename: the file tells, and the content stands once.
/// Then a person's edit in between: nothing tells, so it is shown, nothing of the file is accepted, and a person says.
///
/// The wrong variants are among those of `spec_proposal::mutants`: no intent, an intent after the file.
#[test]
fn review_M12_an_accept_that_dies_between_the_file_and_the_record() {
    // The rename done, its directory not synced: after → accepted. The rename not done: before → redone.
    for (dying, wrote) in [(dies("sync_dir", "", 1), 1), (dies("rename", FILE, 1), 0)] {
        let desk = Desk::with("a\n", "text of p");
        assert!(desk.on(dying).try_accept("p").is_err());
        assert_eq!(times(&desk.text(), "text of p"), wrote);
        assert_eq!(desk.story(), ["proposed", "intended"]);
        assert_eq!(desk.clerk().accept("p"), Told::Accepted);
        assert_eq!(times(&desk.text(), "text of p"), 1);
        assert_eq!(desk.story(), ["proposed", "intended", "accepted"]);
    }
    // A person was faster than the recovery.
    let desk = Desk::with("a\n", "text of p");
    assert!(desk.on(dies("rename", FILE, 1)).try_accept("p").is_err());
    desk.write("a, edited\n");
    let clerk = desk.clerk();
    clerk.add("q", "text of q");
    assert_eq!(clerk.told("p"), Told::InDoubt);
    for name in ["p", "q"] {
        let refused = refusal(clerk.try_accept(name).unwrap().unwrap());
        assert!(
            matches!(refused, Refusal::InDoubt(_)) && refused.word() == "conflict",
            "{name}: {refused:?}"
        );
    }
    assert!(matches!(refusal(clerk.reject("p")), Refusal::InDoubt(_)));
    assert_eq!(desk.text(), "a, edited\n");
    assert_eq!(stands(clerk.resolve("p", Verdict::Rejected)), Told::Rejected);
    assert_eq!(clerk.accept("q"), Told::Accepted);
    assert_eq!((times(&desk.text(), "text of p"), times(&desk.text(), "text of q")), (0, 1));
}
