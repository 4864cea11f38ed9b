//! A fix that is killed at every step, with others who act meanwhile and afterwards.

use fencehold::plan::Left;

use super::world::{Act, Flaw, World, outcome};

const STATUSES: [&str; 5] = ["todo", "in_progress", "blocked", "done", "cancelled"];

/// What was reached, so that a run in which nothing happened does not pass.
#[derive(Debug, Default)]
struct Seen {
    kills: u64,
    reopens: u64,
    writes: u64,
    conflicts: u64,
}

/// Every start: what both agreed on, where the file was moved, and the board.
fn starts(flaw: Option<Flaw>) -> Vec<World> {
    let mut all = Vec::new();
    for on in STATUSES {
        for file in STATUSES {
            for board in STATUSES {
                let mut world = World::agreed(on, flaw);
                world.does(&Act::Person(file));
                world.does(&Act::Agent(board));
                all.push(world);
            }
        }
    }
    all
}

/// Killed before and after each call, once, and run again: what both come to is what nobody's kill would have led to.
fn killed_and_run_again(flaw: Option<Flaw>, refuses: bool) -> Result<Seen, String> {
    let mut seen = Seen::default();
    for start in starts(flaw) {
        let mut whole = start.clone();
        whole.refuses = refuses;
        whole.run().unwrap();
        for (call, before) in (0..whole.calls).flat_map(|call| [(call, true), (call, false)]) {
            let mut world = start.clone();
            (world.kill, world.refuses) = (Some((call, before)), refuses);
            if world.run().is_ok() {
                return Err("it was not killed".to_owned());
            }
            world.kill = None;
            world.run().map_err(|error| error.to_string())?;
            if outcome(&world) != outcome(&whole) {
                return Err(format!("killed at {call}: {:?} and not {:?}", outcome(&world), outcome(&whole)));
            }
            if world
                .run()
                .unwrap()
                .iter()
                .any(|happening| happening.left.is_none() && world.says() != world.stands())
            {
                return Err("it was not done, and told as done".to_owned());
            }
            seen.kills += 1;
        }
        seen.writes += whole.ours;
        seen.reopens += u64::from(whole.moves > 0);
        seen.conflicts += u64::from(whole.says() != whole.stands());
    }
    Ok(seen)
}

/// After a kill, or at a call of a run that is not killed, a person or an agent acts: what they did stands.
fn acted_upon(flaw: Option<Flaw>) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let acts = || STATUSES.into_iter().flat_map(|to| [Act::Person(to), Act::Agent(to)]);
    for start in starts(flaw) {
        let mut whole = start.clone();
        whole.run().unwrap();
        for call in 0..whole.calls {
            for act in acts() {
                for how in [Some(true), Some(false), None] {
                    let mut world = start.clone();
                    match how {
                        Some(before) => {
                            world.kill = Some((call, before));
                            world.run().unwrap_err();
                            world.kill = None;
                            world.does(&act);
                            world.run().unwrap();
                            stands(&start, &world, &act, &format!("killed at {call} (before: {before})"))?;
                        }
                        None => {
                            world.act = Some((call, act.clone()));
                            world.run().unwrap();
                            stands(&start, &world, &act, &format!("at {call}"))?;
                        }
                    }
                    seen.kills += u64::from(how.is_some());
                    seen.conflicts += u64::from(world.says() != world.stands());
                }
            }
        }
    }
    Ok(seen)
}

/// Whoever really moved a side finds it where they moved it.
fn stands(start: &World, world: &World, act: &Act, when: &str) -> Result<(), String> {
    let (side, now, to) = match act {
        Act::Person(to) => ("file", world.says(), *to),
        Act::Agent(to) => ("board", world.stands(), *to),
    };
    if !world.acted || now == to {
        return Ok(());
    }
    // Brought back to what both had agreed on before anybody looked, a side has not moved.
    let mut unseen = start.clone();
    unseen.does(act);
    let acted = unseen.acted;
    unseen.run().unwrap();
    if acted && (unseen.says(), unseen.stands()) == (world.says(), world.stands()) {
        return Ok(());
    }
    let (file, board) = (start.says(), start.stands());
    Err(format!("file={file} board={board}, then {act:?} {when}: the {side} says {now}"))
}

/// PLAN-20: Killed between any two of its steps and run again, a fix comes to what it would have come to: no step of the board
/// is made twice, no commit is made twice, and none is missing.
#[test]
fn a_fix_that_is_killed_anywhere_ends_where_it_would_have() {
    for refuses in [false, true] {
        let seen = killed_and_run_again(None, refuses).unwrap();
        println!("{seen:?}");
        assert!(seen.kills > 1_500 && seen.reopens > 10 && seen.conflicts > 20, "{seen:?}");
        assert_eq!(seen.writes > 10, !refuses, "{seen:?}");
    }
}

/// PLAN-21: What a person edits or an agent moves while a fix runs, or after it was killed, is never undone by it: the side that
/// they moved is followed, or it is a conflict.
#[test]
fn what_others_do_meanwhile_or_after_a_kill_is_not_undone() {
    let seen = acted_upon(None).unwrap();
    println!("{seen:?}");
    assert!(seen.kills > 10_000 && seen.conflicts > 1_000, "{seen:?}");
    for flaw in [Flaw::NotBegun, Flaw::SameBytes, Flaw::BlindStep, Flaw::BlindWrite] {
        let found = acted_upon(Some(flaw)).expect_err("a flaw");
        println!("{flaw:?}: {found}");
    }
}

/// The commit of a fix that was killed before it came from the next one, though that was told to write nothing back.
#[test]
fn what_a_killed_fix_wrote_is_not_committed_by_one_that_writes_nothing_back() {
    let mut start = World::agreed("todo", None);
    start.does(&Act::Agent("done"));
    let mut whole = start.clone();
    whole.run().unwrap();
    let mut uncommitted = 0;
    for (call, before) in (0..whole.calls).flat_map(|call| [(call, true), (call, false)]) {
        let mut world = start.clone();
        world.kill = Some((call, before));
        world.run().unwrap_err();
        world.kill = None;
        let (file, ours) = (world.file.clone(), world.ours);
        let told = world.run_with(Some(Left::NoWriteback)).unwrap();
        assert_eq!((&world.file, world.ours), (&file, ours), "killed at {call} (before: {before})");
        if world.file != world.committed {
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].left, Some(Left::NoWriteback));
            uncommitted += 1;
        }
        world.run().unwrap();
        assert_eq!((&world.file, world.ours), (&whole.file, 1));
        assert_eq!(world.committed, world.file);
    }
    assert!(uncommitted > 0, "no kill came between the write and the commit");
}
