//! The rules: ids, ends, and what is answered to whom.

use fencehold_model::proposal::{Refusal, Told, Verdict};

use super::kit::{Desk, refusal, stands, times};

/// PROPOSAL-1: The same content proposed again under its id is ok and changes nothing, and another content under it is
/// refused as `conflict`, whatever became of the first.
#[test]
fn an_id_is_that_of_one_content_for_ever() {
    let desk = Desk::with("a\n", "text");
    let clerk = desk.clerk();
    clerk.add("q", "other");
    assert_eq!(stands(clerk.reject("q")), Told::Rejected);
    clerk.add("r", "open");
    clerk.accept("p");
    let (journal, prose, target) = (desk.story(), clerk.prose(), clerk.target());
    for (name, content, told) in
        [("p", "text", Told::Accepted), ("q", "other", Told::Rejected), ("r", "open", Told::Proposed)]
    {
        assert_eq!(clerk.add(name, content), told);
        let answer = prose.add(&super::kit::by(), &target, &super::kit::id(name), "text of mine").unwrap();
        let refused = refusal(answer);
        assert_eq!(refused, Refusal::OtherContent(told));
        assert_eq!(refused.word(), "conflict");
    }
    assert_eq!(desk.story(), journal);
}

/// PROPOSAL-2: A proposal that was accepted, or rejected, stays so: the same asked again is ok, the other is refused as
/// `not_open`, and what nobody proposed as `not_found`.
#[test]
fn what_has_ended_stays_so() {
    let desk = Desk::with("a\n", "text");
    let clerk = desk.clerk();
    clerk.add("q", "other");
    assert_eq!(clerk.accept("p"), Told::Accepted);
    assert_eq!(stands(clerk.reject("q")), Told::Rejected);
    let after = desk.text();
    assert_eq!(clerk.accept("p"), Told::Accepted);
    assert_eq!(stands(clerk.reject("q")), Told::Rejected);
    assert_eq!(refusal(clerk.reject("p")), Refusal::NotOpen(Told::Accepted));
    assert_eq!(refusal(clerk.try_accept("q").unwrap().unwrap()), Refusal::NotOpen(Told::Rejected));
    assert_eq!(refusal(clerk.resolve("q", Verdict::Accepted)), Refusal::NotOpen(Told::Rejected));
    assert_eq!(refusal(clerk.try_accept("x").unwrap().unwrap()), Refusal::NotFound);
    assert_eq!(refusal(clerk.reject("x")), Refusal::NotFound);
    assert_eq!(desk.text(), after);
    assert_eq!((times(&after, "text\n"), times(&after, "other")), (1, 0));
    assert_eq!(desk.story(), ["proposed", "proposed", "intended", "accepted", "rejected"]);
}
