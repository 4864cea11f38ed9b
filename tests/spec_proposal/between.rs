//! What happens between two steps of an accept: a person's edit, another proposal, another accept, a failure.

use std::fs;
use std::io::ErrorKind;
use std::sync::{Arc, Barrier};

use fencehold::error::Happened;
use fencehold::fs::{Fs as _, RealFs, create_synced};
use fencehold::journal::Asking;
use fencehold::mark::Refusal as Fenced;
use fencehold_model::proposal::{Command, Refusal, Sum, Told, Verdict, applied, marker};

use super::kit::{Desk, FILE, by, id, refusal, stands, times};
use crate::hooked::{Act, Hooked};

/// An editor that saves while the new bytes are written beside the file: after the look, after the intent.
fn saves_meanwhile(desk: &Desk) -> Hooked {
    let (path, mut once) = (desk.path(FILE), true);
    Hooked::new(move |call, at| {
        let is_temp = at.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".notes.md"));
        if call == "create" && is_temp && std::mem::take(&mut once) {
            fs::write(&path, "by hand\n").unwrap();
        }
        Act::Go
    })
}

/// PROPOSAL-9: Where a program that takes no lock has written the file since an accept looked at it, the accept is refused as
/// `version`, writes nothing, and the proposal stays open with no accept begun.
#[test]
fn what_a_person_wrote_meanwhile_is_not_overwritten() {
    let desk = Desk::with("a\n", "text");
    let refused = desk.on(saves_meanwhile(&desk)).try_accept("p").unwrap().unwrap_err();
    assert!(matches!(refused, Fenced::Version { meanwhile: true, .. }), "{refused:?}");
    assert_eq!(desk.text(), "by hand\n");
    assert_eq!(desk.names(), [FILE, "ws"]);
    assert_eq!(desk.story(), ["proposed", "intended", "withdrawn"]);
    assert_eq!(desk.clerk().told("p"), Told::Proposed);
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    assert!(desk.text().starts_with("by hand\n\n<!--"));
}

/// Wrong: as it ships, without the look before the rename.
fn careless(desk: &Desk, fs: &Hooked) {
    let (clerk, before) = (desk.on(fs.clone()), desk.bytes());
    let (prose, target, name) =
        (clerk.ledger.prose_of(&clerk.target()).unwrap().value, clerk.target(), id("p"));
    let proposal = &prose.proposals[&name];
    let after = applied(&before, &marker(&name, proposal), "text").unwrap();
    let file = desk.path(FILE).to_string_lossy().into_owned();
    let (was, is) = (Sum::of(&before), Sum::of(&after));
    let ask = |command| {
        clerk.ledger.proposal(&Asking { actor: by(), op: clerk.ledger.new_op() }, &command).unwrap()
    };
    let (begun, ended) = ((target.clone(), name.clone()), (target, name));
    let intended = ask(Command::Intend { target: begun.0, id: begun.1, file, before: was, after: is });
    let temp = desk.path(".notes.md.temp");
    create_synced(fs, &temp, 0o600, &after).unwrap();
    fs.rename(&temp, &desk.path(FILE)).unwrap();
    ask(Command::Accept { target: ended.0, id: ended.1, intent: intended.revision });
}

#[test]
fn who_does_not_look_again_overwrites_what_a_person_wrote() {
    let desk = Desk::with("a\n", "text");
    careless(&desk, &saves_meanwhile(&desk));
    assert_eq!(times(&desk.text(), "by hand"), 0, "it is not seen");
    assert_eq!(desk.clerk().told("p"), Told::Accepted);
}

/// PROPOSAL-10: An accept that fails definitely leaves no accept begun: nobody carries it out later.
#[test]
fn a_definite_failure_leaves_nothing_to_be_carried_out() {
    let mut definite = 0;
    for nth in 1..40 {
        let desk = Desk::with("a\n", "text");
        let mut calls = 0;
        let fs = Hooked::with_looks(move |_, _| {
            calls += 1;
            if calls == nth { Act::Fail(ErrorKind::StorageFull) } else { Act::Go }
        });
        match desk.on(fs).try_accept("p") {
            Err(error) if error.happened() == Happened::No => {
                definite += 1;
                assert_eq!(desk.text(), "a\n", "{nth}");
                let begun = desk.clerk().list()[0].begun.clone();
                assert_eq!(begun, None, "{nth}: {error}");
                assert_eq!(stands(desk.clerk().reject("p")), Told::Rejected);
            }
            Err(_) => assert_eq!(desk.clerk().accept("p"), Told::Accepted),
            Ok(answer) => assert_eq!(stands(answer.unwrap()), Told::Accepted),
        }
    }
    assert!(definite > 5, "{definite}");
}

/// Stops an accept right before its rename, as a kill would.
fn dies_before_the_rename(desk: &Desk, name: &str) {
    let mut dead = false;
    let fs = Hooked::new(move |call, at| {
        dead |= call == "rename" && at.ends_with(FILE);
        if dead { Act::Fail(ErrorKind::Other) } else { Act::Go }
    });
    assert_eq!(desk.on(fs).try_accept(name).unwrap_err().happened(), Happened::Unknown);
}

/// PROPOSAL-11: What an accept that was killed has begun is recorded as accepted where the file holds the line of the
/// proposal, or the bytes that were intended; it is done where the file is as it was; and it is in doubt where the file is
/// anything else, or gone.
///
/// PROPOSAL-12: While an accept is in doubt, it and every other accept of its file, and a reject of its proposal, are
/// refused as `conflict` with the state `in_doubt`, and no file is touched.
#[test]
fn the_file_tells_or_a_person_does() {
    // As it was.
    let desk = Desk::with("a\n", "text of p");
    dies_before_the_rename(&desk, "p");
    assert_eq!(desk.clerk().told("p"), Told::Proposed);
    desk.clerk().add("q", "text of q");
    assert_eq!(desk.clerk().accept("q"), Told::Accepted);
    assert_eq!(times(&desk.text(), "text of p\n"), 1, "the accept of q did what was begun");
    // The line of the proposal, and everything else another.
    let desk = Desk::with("a\n", "text of p");
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    let text = desk.text();
    let desk = Desk::with("a\n", "text of p");
    dies_before_the_rename(&desk, "p");
    let line = text.lines().find(|line| line.starts_with("<!--")).unwrap();
    desk.write(format!("b\n{line}\ntext of p, mended\n"));
    assert_eq!(desk.clerk().told("p"), Told::Proposed);
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    assert_eq!(times(&desk.text(), "text of p"), 1);
    // Anything else, and nothing.
    let others: [fn(&Desk); 2] =
        [|desk| desk.write("edited\n"), |desk| fs::remove_file(desk.path(FILE)).unwrap()];
    for other in others {
        let desk = Desk::with("a\n", "text of p");
        dies_before_the_rename(&desk, "p");
        other(&desk);
        let (clerk, was) = (desk.clerk(), fs::read(desk.path(FILE)).ok());
        clerk.add("q", "text of q");
        assert_eq!((clerk.told("p"), clerk.told("q")), (Told::InDoubt, Told::Proposed));
        for refused in [
            refusal(clerk.try_accept("p").unwrap().unwrap()),
            refusal(clerk.try_accept("q").unwrap().unwrap()),
            refusal(clerk.reject("p")),
        ] {
            assert!(matches!(refused, Refusal::InDoubt(_)), "{refused:?}");
            assert_eq!((refused.word(), refused.stands()), ("conflict", Some(Told::InDoubt)));
        }
        assert_eq!(stands(clerk.reject("q")), Told::Rejected, "what has not begun is not in doubt");
        assert_eq!(fs::read(desk.path(FILE)).ok(), was);
        assert_eq!(desk.story(), ["proposed", "intended", "proposed", "rejected"]);
    }
}

/// PROPOSAL-13: `resolve` ends a doubt as accepted or rejected, with a reason, and touches no file; where nothing is in doubt
/// it is refused as `conflict`.
#[test]
fn a_doubt_is_ended_by_a_person_and_nothing_else_is() {
    for (how, told) in [(Verdict::Accepted, Told::Accepted), (Verdict::Rejected, Told::Rejected)] {
        let desk = Desk::with("a\n", "text of p");
        let clerk = desk.clerk();
        let refused = refusal(clerk.resolve("p", how));
        assert_eq!((refused.word(), refused.stands()), ("conflict", Some(Told::Proposed)));
        dies_before_the_rename(&desk, "p");
        assert_eq!(refusal(clerk.resolve("p", how)).word(), "conflict", "the file tells");
        desk.write("edited\n");
        let blank = clerk.prose().resolve(&super::kit::by(), &clerk.target(), &super::kit::id("p"), how, " ");
        assert_eq!(refusal(blank.unwrap()), Refusal::NeedsReason);
        assert_eq!(stands(clerk.resolve("p", how)), told);
        assert_eq!(stands(clerk.resolve("p", how)), told, "again");
        assert_eq!(desk.text(), "edited\n");
        clerk.add("q", "text of q");
        assert_eq!(clerk.accept("q"), Told::Accepted);
        assert_eq!(desk.story()[..4], ["proposed", "intended", "resolved", "proposed"]);
    }
}

/// PROPOSAL-14: A reject of a proposal whose accept was begun, and whose file is as it was, ends both: nobody carries the
/// accept out.
#[test]
fn a_reject_takes_back_what_was_begun_and_not_done() {
    let desk = Desk::with("a\n", "text of p");
    dies_before_the_rename(&desk, "p");
    let clerk = desk.clerk();
    assert_eq!(stands(clerk.reject("p")), Told::Rejected);
    clerk.add("q", "text of q");
    assert_eq!(clerk.accept("q"), Told::Accepted);
    assert_eq!(times(&desk.text(), "text of p"), 0);
    // And where it was done, it is accepted.
    let desk = Desk::with("a\n", "text of p");
    let mut renamed = false;
    let dies = Hooked::new(move |call, at| {
        let dead = renamed;
        renamed |= call == "rename" && at.ends_with(FILE);
        if dead { Act::Fail(ErrorKind::Other) } else { Act::Go }
    });
    desk.on(dies).try_accept("p").unwrap_err();
    assert_eq!(refusal(desk.clerk().reject("p")), Refusal::NotOpen(Told::Accepted));
    assert_eq!(times(&desk.text(), "text of p"), 1);
}

/// PROPOSAL-15: Accepts of one file at the same time come after each other: each content stands there once, and who accepts
/// what another has accepted is told that it is.
#[test]
fn eight_who_accept_everything_at_once_apply_each_once() {
    let desk = Desk::new();
    desk.write("a\n");
    let names: Vec<String> = (0..6).map(|number| format!("p{number}")).collect();
    for name in &names {
        desk.clerk().add(name, &format!("text of {name}"));
    }
    let start = Arc::new(Barrier::new(8));
    std::thread::scope(|scope| {
        for first in 0..8 {
            let (desk, names, start) = (&desk, &names, Arc::clone(&start));
            scope.spawn(move || {
                let clerk = desk.on(RealFs);
                start.wait();
                for step in 0..names.len() {
                    assert_eq!(clerk.accept(&names[(first + step) % names.len()]), Told::Accepted);
                }
                clerk.add(&format!("late{first}"), "came while others were accepted");
            });
        }
    });
    let text = desk.text();
    for name in &names {
        assert_eq!(times(&text, &format!("text of {name}\n")), 1, "{text}");
    }
    let views = desk.clerk().list();
    assert_eq!(
        views.iter().filter(|view| view.told == Told::Proposed).count(),
        8,
        "what came meanwhile waits"
    );
    let mut numbers: Vec<u64> = views.iter().map(|view| view.proposal.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=14).collect::<Vec<u64>>());
}

/// PROPOSAL-16: A proposal whose line stands in its file already, as after a restore or a merge of branches, is recorded as
/// accepted, and nothing is written.
#[test]
fn what_stands_there_already_is_not_written_again() {
    let desk = Desk::with("a\n", "text of p");
    let at = desk.clerk().list()[0].proposal.clone();
    let line = fencehold_model::proposal::marker(&super::kit::id("p"), &at);
    let merged = format!("a\n{line}\r\ntext of p\n\nand more\n");
    desk.write(&merged);
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    assert_eq!(desk.text(), merged);
    // One of another id, or of the same with another content, is another.
    let desk = Desk::with("a\n", "text of q");
    desk.write(&merged);
    assert_eq!(desk.clerk().accept("p"), Told::Accepted);
    assert_eq!((times(&desk.text(), "text of p\n"), times(&desk.text(), "text of q\n")), (1, 1));
}
