//! What befalls a registry: each scenario is `Ok` where the registry keeps what it said, and else says what it did not.

use super::asked::{Act, From, Registry, Spoil, close, closeout, crash, grant, listed, state, writing};
use crate::program::Said;

pub(super) type Outcome = Result<(), String>;

fn need(is: bool, what: impl FnOnce() -> String) -> Outcome {
    if is { Ok(()) } else { Err(what()) }
}

/// It is done, or the scenario cannot go on.
fn done(registry: &mut dyn Registry, act: &Act) -> Outcome {
    let said = registry.does(From::Main, act);
    need(said.code == 0, || format!("{act:?} ends with {}: {}", said.code, said.stderr))
}

/// It is refused, and the file is as it was.
fn refused(registry: &mut dyn Registry, act: &Act) -> Outcome {
    let before = registry.files();
    let said = registry.does(From::Main, act);
    need(said.code != 0 && said.code != 70, || format!("{act:?} passes, or breaks: {said:?}"))?;
    need(registry.files() == before, || format!("{act:?} is refused and changes files"))
}

/// Whoever was told that it has a lease has it, and nobody else has one.
fn what_was_told_is_so(registry: &mut dyn Registry, id: &str, said: &Said) -> Outcome {
    let state = state(registry, id)?;
    match (said.code, state.as_str()) {
        (0, "open") => Ok(()),
        (0, _) => Err(format!("a lease that was granted is lost; the grant said {:?}", said.stderr)),
        (3, _) => Ok(()),
        (_, "open") => Err(format!("a lease stands open whose grant failed: {said:?}")),
        _ => Ok(()),
    }
}

/// Two leases are granted at once.
pub(super) fn two_grants_at_once(registry: &mut dyn Registry) -> Outcome {
    let mut both = 0;
    for round in 0..registry.rounds() {
        let ids = [format!("{round}a"), format!("{round}b")];
        let said = registry.two_at_once(&grant(&ids[0], "ann"), &grant(&ids[1], "bob"));
        for (id, said) in ids.iter().zip(&said) {
            what_was_told_is_so(registry, id, said)?;
        }
        both += usize::from(said.iter().all(|said| said.code == 0));
    }
    need(both > 0, || "no two were granted".to_owned())
}

/// One lease is granted to two at once.
pub(super) fn one_lease_for_two(registry: &mut dyn Registry) -> Outcome {
    for round in 0..registry.rounds() {
        let id = format!("{round}");
        let said = registry.two_at_once(&grant(&id, "ann"), &grant(&id, "bob"));
        let winners: Vec<&str> = ["ann", "bob"]
            .into_iter()
            .zip(&said)
            .filter(|(_, said)| said.code == 0)
            .map(|(who, _)| who)
            .collect();
        need(winners.len() == 1, || format!("one lease was granted to {winners:?}"))?;
        let holder = listed(registry)?.remove(&id).map(|(_, holder)| holder);
        need(holder.as_deref() == Some(winners[0]), || format!("{winners:?} was told, {holder:?} has it"))?;
    }
    Ok(())
}

/// A lease is closed and crashed at once.
pub(super) fn two_ends_at_once(registry: &mut dyn Registry) -> Outcome {
    for round in 0..registry.rounds() {
        let id = format!("{round}");
        done(registry, &grant(&id, "ann"))?;
        let said = registry.two_at_once(&close(&id, "ann"), &crash(&id));
        let ends: Vec<&str> = ["closed", "crashed"]
            .into_iter()
            .zip(&said)
            .filter(|(_, said)| said.code == 0)
            .map(|(end, _)| end)
            .collect();
        need(ends.len() == 1, || format!("of two ends of one lease, both were told: {ends:?}"))?;
        let state = state(registry, &id)?;
        need(state == ends[0], || format!("it was told {ends:?} and is {state}"))?;
    }
    Ok(())
}

/// What cannot be recorded, because another came between or because the disk is full, is not answered with 0.
pub(super) fn a_grant_that_is_lost_says_so(registry: &mut dyn Registry) -> Outcome {
    two_grants_at_once(registry)?;
    let said = registry.on_a_full_disk(&grant("full", "ann"));
    need(said.code != 0, || "a grant passes on a full disk".to_owned())?;
    what_was_told_is_so(registry, "full", &said)
}

/// Another's lease is open while one's own work is called finished.
pub(super) fn another_is_at_work(registry: &mut dyn Registry) -> Outcome {
    done(registry, &grant("1", "ann"))?;
    done(registry, &grant("2", "bob"))?;
    let said = registry.does(From::Main, &closeout("1", "ann"));
    let labelled = |said: &Said, label: &str| said.stdout.lines().any(|line| line.starts_with(label));
    need(labelled(&said, "[BLOCK] lease 2"), || format!("an open lease is not labelled: {said:?}"))?;
    need(said.code == 1, || format!("[BLOCK] is printed, and the exit code is {}", said.code))?;
    done(registry, &close("2", "bob"))?;
    let said = registry.does(From::Main, &closeout("1", "ann"));
    need(said.code == 0 && !labelled(&said, "[BLOCK]"), || format!("nothing is in the way: {said:?}"))?;
    need(labelled(&said, "[INFO] lease 1"), || format!("one's own is not told: {said:?}"))
}

/// The leases cannot be read when work is called finished.
pub(super) fn a_closeout_that_cannot_read(registry: &mut dyn Registry) -> Outcome {
    for how in [Spoil::Garbage("{\"leases\":["), Spoil::Empty, Spoil::Folder, Spoil::NoDescriptors] {
        let mut registry = registry.anew();
        done(&mut *registry, &grant("2", "bob"))?;
        registry.spoil(how);
        let said = registry.does(From::Main, &closeout("1", "ann"));
        need(said.code != 0, || format!("{how:?}: what cannot be read blocks nobody: {said:?}"))?;
        need(said.code != 70, || format!("{how:?}: {said:?}"))?;
    }
    Ok(())
}

/// The file is damaged while a lease is open.
pub(super) fn the_file_is_damaged(registry: &mut dyn Registry) -> Outcome {
    for how in [
        Spoil::Garbage("{\"leases\":["),
        Spoil::Garbage("{\"schema_version\":1,\"leases\":{}}"),
        Spoil::Empty,
    ] {
        let mut registry = registry.anew();
        done(&mut *registry, &grant("1", "ann"))?;
        registry.spoil(how);
        for _ in 0..2 {
            refused(&mut *registry, &Act::List)?;
            refused(&mut *registry, &grant("1", "bob"))?;
            refused(&mut *registry, &closeout("2", "bob"))?;
        }
    }
    Ok(())
}

/// Two find the file damaged, and one of them has put it right and gone on before the other moves it away.
pub(super) fn two_find_it_damaged(registry: &mut dyn Registry) -> Outcome {
    const RUBBISH: &str = "half a regis";
    for _ in 0..registry.rounds() {
        let mut registry = registry.anew();
        done(&mut *registry, &grant("1", "ann"))?;
        registry.spoil(Spoil::Garbage(RUBBISH));
        let said = registry.held_up(&Act::Repair, &[Act::Repair, grant("2", "bob")]);
        need(said[2].code == 0, || format!("the other goes on: {said:?}"))?;
        what_was_told_is_so(&mut *registry, "2", &said[2]).map_err(|why| format!("moved away: {why}"))?;
        kept(&*registry, RUBBISH)?;
    }
    Ok(())
}

/// It can be damaged or whole, but not be read.
pub(super) fn it_cannot_be_read(registry: &mut dyn Registry) -> Outcome {
    for how in [Spoil::Folder, Spoil::NoDescriptors] {
        let mut registry = registry.anew();
        done(&mut *registry, &grant("1", "ann"))?;
        registry.spoil(how);
        for act in [Act::List, grant("2", "bob"), closeout("2", "bob")] {
            refused(&mut *registry, &act).map_err(|why| format!("taken for damage, {how:?}: {why}"))?;
        }
        registry.mend();
        need(state(&mut *registry, "1")? == "open", || format!("{how:?}: a lease is gone"))?;
        done(&mut *registry, &grant("2", "bob"))?;
    }
    Ok(())
}

fn kept(registry: &dyn Registry, words: &str) -> Outcome {
    let is_kept = registry
        .files()
        .values()
        .any(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()));
    need(is_kept, || format!("nothing is left of {words:?}"))
}

/// It is damaged and repaired, and damaged and repaired again at the same instant.
pub(super) fn damaged_twice(registry: &mut dyn Registry) -> Outcome {
    let rubbish = ["one half of a registry", "another half of a registry"];
    for rubbish in rubbish {
        done(registry, &grant(&rubbish[..3], "ann"))?;
        registry.spoil(Spoil::Garbage(rubbish));
        registry.does(From::Main, &Act::Repair);
    }
    rubbish.into_iter().try_for_each(|rubbish| kept(registry, rubbish))
}

/// Two processes with one pid, in two containers that share the folder.
pub(super) fn two_processes_of_one_pid(registry: &mut dyn Registry) -> Outcome {
    for round in 0..registry.rounds() {
        let ids = [format!("{round}a"), format!("{round}b")];
        let said = registry.in_two_containers(&grant(&ids[0], "ann"), &grant(&ids[1], "bob"));
        for (id, said) in ids.iter().zip(&said) {
            what_was_told_is_so(registry, id, said)?;
        }
        need(said.iter().all(|said| said.code == 0), || format!("one met the other's temp: {said:?}"))?;
    }
    Ok(())
}

/// A process is killed in the middle of its write, the first of all and a later one.
pub(super) fn killed_between_write_and_rename(registry: &mut dyn Registry) -> Outcome {
    let mut calm = registry.anew();
    registry.killed_writing(&grant("1", "ann"));
    for id in ["1", "2"] {
        done(registry, &grant(id, "bob"))?;
        done(&mut *calm, &grant(id, "bob"))?;
        let names = |registry: &dyn Registry| registry.files().into_keys().collect::<Vec<_>>();
        let (left, expected) = (names(registry), names(&*calm));
        let more: Vec<_> = left.iter().filter(|name| !expected.contains(name)).collect();
        need(more.is_empty(), || format!("what a killed process left is not swept: {more:?}"))?;
        registry.killed_writing(&grant("3", "ann"));
    }
    need(state(registry, "3")? != "open", || "a kill in the middle of a write is a grant".to_owned())?;
    done(registry, &grant("3", "bob"))
}

/// One lease is granted from one place and asked about from the others.
pub(super) fn seen_from_everywhere(registry: &mut dyn Registry) -> Outcome {
    let places = [From::Main, From::LinkedWorktree, From::Subdirectory, From::Symlink];
    for (n, at) in places.into_iter().enumerate() {
        let id = n.to_string();
        let said = registry.does(at, &grant(&id, "ann"));
        need(said.code == 0, || format!("{at:?}: {said:?}"))?;
        for from in places {
            let listed = registry.does(from, &Act::List);
            let count = listed.stdout.lines().count();
            need(count == n + 1, || format!("granted from {at:?}, {from:?} lists {count} of {}", n + 1))?;
            let again = registry.does(from, &grant(&id, "bob"));
            need(again.code == 1, || format!("granted from {at:?} and again from {from:?}: {again:?}"))?;
        }
    }
    Ok(())
}

/// One id in several spellings.
pub(super) fn one_id_in_several_spellings(registry: &mut dyn Registry) -> Outcome {
    registry.ids_are_numbers();
    done(registry, &grant("05", "ann"))?;
    for id in ["5", "05", "005"] {
        let said = registry.does(From::Main, &writing(id, "bob", &["else/"]));
        need(said.code == 1, || format!("05 is open, and {id} is granted: {said:?}"))?;
        let said = registry.does(From::Main, &closeout(id, "bob"));
        need(said.code == 0, || format!("closing {id}, one's own lease 05 blocks: {said:?}"))?;
    }
    for id in ["50", "T5", "T05"] {
        done(registry, &grant(id, "bob"))?;
    }
    done(registry, &close("5", "ann"))
}

/// What ended stays as it ended, and every grant is remembered.
pub(super) fn what_ended_stays_ended(registry: &mut dyn Registry) -> Outcome {
    done(registry, &grant("1", "ann"))?;
    done(registry, &close("1", "ann"))?;
    refused(registry, &crash("1")).map_err(|why| format!("what is closed crashes: {why}"))?;
    refused(registry, &close("1", "ann"))?;
    need(state(registry, "1")? == "closed", || "it is no longer closed".to_owned())?;
    done(registry, &grant("1", "ann"))?;
    refused(registry, &Act::Clear { id: "1".to_owned(), force: false, reason: None })?;
    done(registry, &crash("1"))?;
    refused(registry, &close("1", "ann"))?;
    done(registry, &Act::Clear { id: "1".to_owned(), force: false, reason: None })?;
    let state = state(registry, "1")?;
    need(state == "cleared", || format!("a lease that was cleared is {state}"))?;
    let told = registry.does(From::Main, &Act::History { id: "1".to_owned() }).stdout;
    let grants = told.lines().filter(|line| line.contains("granted to")).count();
    need(grants == 2, || format!("of two grants {grants} are in the history"))
}

/// A session is killed, and its lease is wanted by another.
pub(super) fn a_session_is_killed(registry: &mut dyn Registry) -> Outcome {
    killed(registry, &writing("1", "bob", &["else/"]))
}

/// A session is killed, and another wants to write what it wrote.
pub(super) fn a_session_that_wrote_is_killed(registry: &mut dyn Registry) -> Outcome {
    killed(registry, &writing("2", "bob", &["src/a.rs"]))?;
    need(state(registry, "1")? == "crashed", || "nobody says that it crashed".to_owned())
}

fn killed(registry: &mut dyn Registry, wanted: &Act) -> Outcome {
    let pid = registry.worker();
    let writes = vec!["src/".to_owned()];
    done(registry, &Act::Grant { id: "1".to_owned(), writes, holder: "ann", pid: Some(pid) })?;
    let said = registry.does(From::Main, wanted);
    need(said.code == 1, || format!("the lease of a living one is passed over: {said:?}"))?;
    registry.kill(pid);
    let said = registry.does(From::Main, wanted);
    need(said.code == 0, || format!("the lease of a dead session is in the way: {said:?}"))
}

/// An open lease is cleared by force.
pub(super) fn force_is_recorded(registry: &mut dyn Registry) -> Outcome {
    done(registry, &grant("1", "ann"))?;
    let clear = |reason| Act::Clear { id: "1".to_owned(), force: true, reason };
    for reason in [None, Some(""), Some(" \t")] {
        refused(registry, &clear(reason)).map_err(|why| format!("force without a reason: {why}"))?;
    }
    need(state(registry, "1")? == "open", || "it was cleared".to_owned())?;
    done(registry, &clear(Some("the machine is gone")))?;
    let told = registry.does(From::Main, &Act::History { id: "1".to_owned() }).stdout;
    need(told.contains("the machine is gone"), || format!("force left no trace: {told}"))
}

/// Two pieces of work that write the same.
pub(super) fn two_that_write_the_same(registry: &mut dyn Registry) -> Outcome {
    let pairs = [
        ("src/a.rs", "src/a.rs"),
        ("src/", "src/a.rs"),
        ("src/*.rs", "src/a.rs"),
        ("docs/**", "docs/x/"),
        ("a/b/", "a/"),
    ];
    for (held, wanted) in pairs {
        for (held, wanted) in [(held, wanted), (wanted, held)] {
            let mut registry = registry.anew();
            done(&mut *registry, &writing("1", "ann", &["else/", held]))?;
            let said = registry.does(From::Main, &writing("2", "bob", &[wanted]));
            need(said.code == 1, || format!("{held} is held, and {wanted} is granted beside it: {said:?}"))?;
            need(said.stderr.contains("lease 1"), || format!("who is in the way is not named: {said:?}"))?;
            done(&mut *registry, &writing("2", "bob", &["other/"]))?;
        }
    }
    Ok(())
}

/// The file is of a later version.
pub(super) fn a_later_version_wrote_it(registry: &mut dyn Registry) -> Outcome {
    done(registry, &grant("1", "ann"))?;
    registry.spoil(Spoil::Newer);
    for act in [Act::List, grant("2", "bob"), close("1", "ann"), Act::Repair] {
        refused(registry, &act).map_err(|why| format!("a later version's file: {why}"))?;
        let said = registry.does(From::Main, &act);
        need(said.stderr.contains('7'), || format!("the version is not named: {said:?}"))?;
    }
    Ok(())
}

/// An entry is none.
pub(super) fn an_entry_is_none(registry: &mut dyn Registry) -> Outcome {
    done(registry, &grant("1", "ann"))?;
    registry.spoil(Spoil::NullEntry);
    for act in [Act::List, grant("2", "bob"), closeout("2", "bob")] {
        refused(registry, &act)?;
        let said = registry.does(From::Main, &act);
        need(said.stderr.contains("json"), || format!("the file is not named: {said:?}"))?;
    }
    Ok(())
}
