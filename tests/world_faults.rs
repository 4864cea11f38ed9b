//! Faults by choice: each one happens, does what it says, and never more often than it may.

use std::io;
use std::path::Path;
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode};
use fencehold::host::{Clock, Host, Reading};
use fencehold_model::event::Evidence;
use fencehold_model::lock::Liveness;
use fencehold_stress::sim::choice::{Explorer, Source};
use fencehold_stress::sim::disk::{Disk, Persistence};
use fencehold_stress::sim::world::{
    Body, Counts, Ended, Errors, Fault, Options, Plan, SimFs, SimHost, World,
};

fn file(fs: &SimFs) -> <SimFs as Fs>::File {
    fs.open(Path::new("/f"), How::Append).unwrap()
}

fn disk() -> Disk {
    let mut disk = Disk::new();
    disk.put("/f", b"");
    disk
}

/// Runs `bodies` on every answer there is.
fn every<T: Send + 'static>(
    disk: &Disk,
    options: Options,
    bodies: impl Fn() -> Vec<Body<'static, T>>,
    mut look: impl FnMut(&World, Vec<Ended<T>>),
) {
    let mut explorer = Explorer::new();
    while let Some(source) = explorer.next_run() {
        let world = World::new(disk.clone(), source, options);
        let ended = world.together_owned(bodies());
        look(&world, ended);
        explorer.ran(&world.finish().0);
    }
    assert!(explorer.explored().complete);
}

fn one(counts: Counts) -> u32 {
    let Counts { kills, power_cuts, stalls, stops, errors, evictions, clock_steps, suspends, forks } = counts;
    kills + power_cuts + stalls + stops + errors + evictions + clock_steps + suspends + forks
}

#[test]
fn every_kind_of_fault_is_drawn_and_none_more_often_than_it_may() {
    let options = Options {
        kills_max: 1,
        power_cuts_max: 1,
        power_cut_one_in: 60,
        stalls_max: 2,
        stall_ms: 5,
        stops_max: 1,
        stop_ms: 7,
        errors_max: 3,
        error_one_in: 5,
        evictions_max: 2,
        clock_steps_max: 2,
        suspends_max: 1,
        suspend_ms: 1_000,
        forks_max: 1,
        split_writes: true,
        ..Options::default()
    };
    let mut sum = Counts::default();
    for seed in 0..400 {
        let world = World::new(disk().persistent(Persistence::Ext4, 64), Source::random(seed), options);
        let body = || -> Body<'static, ()> {
            Box::new(|fs, _| {
                for _ in 0..3 {
                    let Ok(file) = fs.open(Path::new("/f"), How::Append) else { continue };
                    let locked = file.lock(LockMode::Exclusive, Duration::from_millis(50));
                    drop(file.append(b"line\n"));
                    drop(file.read_at(0, &mut [0; 8]));
                    drop(file.sync());
                    drop(locked);
                }
            })
        };
        world.together_owned(vec![body(), body()]);
        let counts = world.counts();
        let Counts { kills, power_cuts, stalls, stops, errors, evictions, clock_steps, suspends, forks } =
            counts;
        assert!(kills <= 1 && power_cuts <= 1 && stalls <= 2 && stops <= 1 && errors <= 3, "{counts:?}");
        assert!(evictions <= 2 && clock_steps <= 2 && suspends <= 1 && forks <= 1, "{counts:?}");
        sum.kills += kills;
        sum.power_cuts += power_cuts;
        sum.stalls += stalls;
        sum.stops += stops;
        sum.errors += errors;
        sum.evictions += evictions;
        sum.clock_steps += clock_steps;
        sum.suspends += suspends;
        sum.forks += forks;
        assert!(!world.deadlocked());
        let replayed = World::new(
            disk().persistent(Persistence::Ext4, 64),
            Source::replay(&world.source().schedule("faults")),
            options,
        );
        replayed.together_owned(vec![body(), body()]);
        assert_eq!(replayed.trace(), world.trace());
        assert_eq!(replayed.source().diverged(), None);
    }
    let Counts { kills, power_cuts, stalls, stops, errors, evictions, clock_steps, suspends, forks } = sum;
    let all = [kills, power_cuts, stalls, stops, errors, evictions, clock_steps, suspends, forks];
    assert!(all.iter().all(|count| *count > 20), "{sum:?}");
    assert_eq!(all.iter().sum::<u32>(), one(sum));
}

#[test]
fn a_power_cut_ends_everybody_keeps_what_was_synced_and_boots_anew() {
    let options = Options { power_cuts_max: 1, preemptions_max: Some(0), ..Options::default() };
    let start = disk().persistent(Persistence::Posix, 64);
    let (mut cut, mut lost, mut kept) = (0, 0, 0);
    let bodies = || -> Vec<Body<'static, ()>> {
        vec![Box::new(|fs, _| {
            let file = file(&fs);
            file.append(b"one\n").unwrap();
            file.sync().unwrap();
            file.append(b"two\n").unwrap();
            fs.stat(Path::new("/f")).unwrap();
        })]
    };
    every(&start, options, bodies, |world, ended| {
        let there = world.disk(|disk| disk.contents("/f").unwrap_or_default().to_vec());
        if world.counts().power_cuts == 0 {
            assert_eq!((ended, &there[..]), (vec![Ended::Returned(())], &b"one\ntwo\n"[..]));
            return;
        }
        cut += 1;
        assert_eq!(ended, [Ended::Killed]);
        lost += u32::from(there == b"one\n");
        kept += u32::from(there == b"one\ntwo\n");
        let after = world.alone(Plan::NONE, |_, host| (host.boot(), host.identity()));
        let (boot, identity) = after.returned().unwrap();
        assert_eq!((boot.as_str(), identity.pid), ("simulated-boot-2", 1000), "a pid is used again");
    });
    assert!(cut > 4 && lost > 0 && kept > 0, "{cut} cuts, {lost} lost, {kept} kept");
}

/// What a reader saw before an orderly reboot is there after the power cut that follows; what a writeback lost is not.
#[test]
fn an_orderly_reboot_writes_back_what_is_in_memory_and_a_power_cut_does_not() {
    let write = |world: &World| {
        let wrote = world.alone(Plan::NONE, |fs, _| {
            file(&fs).append(b"line\n").unwrap();
            fs.rename(Path::new("/f"), Path::new("/g")).unwrap();
        });
        assert_eq!(wrote, Ended::Returned(()));
    };
    let mut seen = 0;
    for model in Persistence::LOSING {
        let world = World::calm(disk().persistent(model, 64));
        write(&world);
        world.power_cut();
        let left = world.disk(|disk| (disk.contents("/f").map(<[u8]>::len), disk.contents("/g").is_some()));
        assert_eq!(left, (Some(0), false), "{model:?}: the first answer is the least that may survive");

        let world = World::calm(disk().persistent(model, 64));
        write(&world);
        world.reboot();
        assert_eq!(world.disk(|disk| disk.pending()), 0, "{model:?}");
        world.power_cut();
        let left = world.disk(|disk| disk.contents("/g").map(<[u8]>::to_vec));
        assert_eq!(left.as_deref(), Some(&b"line\n"[..]), "{model:?}");

        let world = World::calm(disk().persistent(model, 64));
        let lost = world.alone(Plan::at(2, Fault::Fail(rustix::io::Errno::IO)), |fs, _| {
            let file = file(&fs);
            file.append(b"line\n").unwrap();
            file.sync().unwrap_err()
        });
        assert!(matches!(lost, Ended::Returned(_)));
        world.reboot();
        let left = world.disk(|disk| disk.contents("/f").unwrap_or_default().to_vec());
        assert!(!left.contains(&b'l'), "{model:?}: what a writeback lost is gone with the memory: {left:?}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn a_planned_power_cut_ends_the_process_at_its_call() {
    let world = World::calm(disk().persistent(Persistence::Posix, 64));
    let ended = world.alone(Plan::at(2, Fault::PowerCut), |fs, _| {
        let file = file(&fs);
        file.append(b"line\n").unwrap();
        file.sync().unwrap();
    });
    assert_eq!(ended, Ended::Killed);
    // The first answer is the least that may survive.
    assert_eq!(world.disk(|disk| disk.contents("/f").unwrap_or_default().len()), 0);
    assert_eq!(world.disk(|disk| disk.pending()), 0);
}

#[test]
fn a_failed_sync_leaves_pages_that_an_eviction_takes() {
    let options = Options {
        errors_max: 1,
        errors: Errors { sync: true, ..Errors::NONE },
        evictions_max: 1,
        ..Options::default()
    };
    let start = disk().persistent(Persistence::Ext4, 64);
    let mut seen = std::collections::BTreeSet::new();
    let bodies = || -> Vec<Body<'static, (bool, bool, usize)>> {
        vec![Box::new(|fs, _| {
            let file = file(&fs);
            file.append(b"line\n").unwrap();
            let first = file.sync().is_ok();
            let second = file.sync().is_ok();
            let mut into = [0; 5];
            let count = file.read_at(0, &mut into).unwrap();
            (first, second, into[..count].iter().filter(|byte| **byte != 0).count())
        })]
    };
    every(&start, options, bodies, |_, ended| {
        seen.extend(ended.into_iter().filter_map(Ended::returned));
    });
    assert!(seen.contains(&(true, true, 5)));
    assert!(seen.contains(&(false, true, 5)), "told once, the second sync is fine: {seen:?}");
    assert!(seen.iter().any(|(first, second, read)| !first && *second && *read < 5), "{seen:?}");
    assert!(!seen.iter().any(|(first, _, read)| *first && *read < 5), "{seen:?}");
}

#[test]
fn calls_fail_as_the_kernel_fails_them_and_do_less_than_they_were_to() {
    let options = Options { errors_max: 1, ..Options::default() };
    let mut seen = std::collections::BTreeSet::new();
    let bodies = || -> Vec<Body<'static, Vec<String>>> {
        vec![Box::new(|fs, _| {
            let said = |what: &str, result: io::Result<usize>| match result {
                Ok(count) => format!("{what} {count}"),
                Err(error) => format!("{what} {:?}", error.raw_os_error()),
            };
            let open = fs.open(Path::new("/f"), How::Append);
            let Ok(file) = open else { return vec![said("open", open.map(|_| 0))] };
            let new = fs.open(Path::new("/new"), How::CreateNew { mode: 0o600 }).map(|_| 0);
            vec![
                said("create", new),
                said("append", file.append(b"four")),
                said("read", file.read_at(0, &mut [0; 4])),
                said("sync", file.sync().map(|()| 0)),
            ]
        })]
    };
    every(&disk(), options, bodies, |_, ended| {
        seen.extend(ended.into_iter().flat_map(|it| it.returned().unwrap()));
    });
    let (io, nospc, mfile, intr) = (5, 28, 24, 4);
    for what in [
        format!("open {:?}", Some(mfile)),
        format!("create {:?}", Some(mfile)),
        format!("create {:?}", Some(nospc)),
        format!("append {:?}", Some(io)),
        format!("append {:?}", Some(nospc)),
        format!("append {:?}", Some(intr)),
        "append 3".to_owned(),
        "append 1".to_owned(),
        "read 2".to_owned(),
        format!("read {:?}", Some(intr)),
        format!("sync {:?}", Some(io)),
    ] {
        assert!(seen.contains(&what), "{what} of {seen:?}");
    }
}

/// The clocks before and after a call, and what passed while it was stopped.
#[test]
fn clocks_are_set_and_stand_while_the_machine_sleeps_and_go_on_while_a_process_is_stopped() {
    let looks = |options: Options| {
        let mut seen = std::collections::BTreeSet::new();
        let bodies = || -> Vec<Body<'static, (i64, i64)>> {
            vec![Box::new(|fs, host| {
                let before = host.reading();
                fs.stat(Path::new("/f")).unwrap();
                fs.stat(Path::new("/f")).unwrap();
                let Reading { monotonic_ms, wall_ms } = host.reading();
                let by = |after: u64, before: u64| after as i64 - before as i64;
                (by(monotonic_ms, before.monotonic_ms), by(wall_ms, before.wall_ms))
            })]
        };
        every(&disk(), options, bodies, |_, ended| {
            seen.extend(ended.into_iter().map(|it| it.returned().unwrap()));
        });
        Vec::from_iter(seen)
    };
    let hour = 3_600_000;
    let steps = Options { clock_steps_max: 1, ..Options::default() };
    assert_eq!(looks(steps), [(0, -hour), (0, -1_000), (0, 0), (0, 1_000), (0, hour)]);
    let suspends = Options { suspends_max: 1, suspend_ms: 9, ..Options::default() };
    assert_eq!(looks(suspends), [(0, 0), (0, 9)]);
    let stops = Options { stops_max: 1, stop_ms: 9, ..Options::default() };
    assert_eq!(looks(stops), [(0, 0), (9, 9)]);
}

#[test]
fn a_stopped_process_keeps_its_lock_while_the_others_go_on() {
    let options = Options { stops_max: 1, stop_ms: 20, preemptions_max: Some(0), ..Options::default() };
    let (mut got, mut timed_out) = (0, 0);
    let body = || -> Body<'static, bool> {
        Box::new(|fs, _| {
            let file = file(&fs);
            let locked = file.lock(LockMode::Exclusive, Duration::from_millis(10));
            drop(file.append(b"x"));
            matches!(locked, Ok(()))
        })
    };
    every(
        &disk(),
        options,
        || vec![body(), body()],
        |_, ended| {
            for ended in ended {
                match ended.returned().unwrap() {
                    true => got += 1,
                    false => timed_out += 1,
                }
            }
        },
    );
    assert!(
        got > 0 && timed_out > 0,
        "{got} got the lock, {timed_out} lost their patience with a stopped holder"
    );
}

#[test]
fn a_forked_child_keeps_the_lock_of_its_dead_parent() {
    let options = Options { forks_max: 1, kills_max: 1, preemptions_max: Some(0), ..Options::default() };
    let mut waited = [0; 2];
    let first = || -> Body<'static, Option<bool>> {
        Box::new(|fs, _| {
            let file = file(&fs);
            file.lock(LockMode::Exclusive, Duration::MAX).unwrap();
            drop(file.append(b"x"));
            None
        })
    };
    let second = || -> Body<'static, Option<bool>> {
        Box::new(|fs, _| match file(&fs).lock(LockMode::Exclusive, Duration::from_millis(10)) {
            Ok(()) => Some(true),
            Err(LockError::TimedOut) => Some(false),
            Err(LockError::Io(error)) => panic!("{error}"),
        })
    };
    every(
        &disk(),
        options,
        || vec![first(), second()],
        |world, ended| {
            let forked_and_killed = world.counts().forks == 1 && world.counts().kills == 1;
            if let ([Ended::Killed, Ended::Returned(Some(got))], true) = (ended.as_slice(), forked_and_killed)
            {
                waited[usize::from(*got)] += 1;
            }
            assert!(!world.deadlocked());
        },
    );
    assert!(waited[0] > 0 && waited[1] > 0, "lost patience, and got it when the child ended: {waited:?}");
}

#[test]
fn a_pid_that_is_used_again_belongs_to_another_start() {
    let options = Options { pids_max: 2, ..Options::default() };
    let world = World::new(disk(), Source::first(), options);
    let identity = |host: &SimHost| host.identity();
    let first = world.alone(Plan::NONE, |_, host| identity(&host)).returned().unwrap();
    world.alone(Plan::NONE, |_, host| {
        assert_eq!(host.liveness(&first), Liveness::Dead(Evidence::NoSuchProcess));
    });
    let seen = world.alone(Plan::NONE, |_, host| (identity(&host), host.liveness(&first)));
    let (third, liveness) = seen.returned().unwrap();
    assert_eq!((third.pid, liveness), (first.pid, Liveness::Dead(Evidence::OtherStartTime)));
    assert_ne!(third, first);
}
