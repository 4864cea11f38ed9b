//! The simulated disk behaves as the real one, and the world keeps its word.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockError, LockMode, RealFs, read_file};
use fencehold_stress::sim::choice::{Explorer, Source};
use fencehold_stress::sim::disk::Disk;
use fencehold_stress::sim::scenario::{Scenario, search};
use fencehold_stress::sim::stage;
use fencehold_stress::sim::together::{Compacts, Creators, Files, LockUsers, MachineUsers};
use fencehold_stress::sim::world::{Body, Ended, Fault, Options, Plan, SimFs, SimHost, World};

/// What a body of file calls saw, call by call.
type Seen = Vec<String>;

/// Every method of the port, in and out of order, below `dir`; what each answered, in words.
fn tour<F: Fs>(fs: &F, dir: &Path) -> Seen {
    let at = |name: &str| dir.join(name);
    let mut seen = Seen::new();
    let mut say = |what: &str, result: std::io::Result<String>| {
        let text = result.unwrap_or_else(|error| format!("{:?} {:?}", error.kind(), error.raw_os_error()));
        seen.push(format!("{what}: {text}"));
    };
    let unit = |result: std::io::Result<()>| result.map(|()| "ok".to_owned());
    let opened = |result: std::io::Result<F::File>| result.map(|_| "open".to_owned());
    let new = How::CreateNew { mode: 0o640 };

    say("open missing", opened(fs.open(&at("a"), How::Read)));
    say("create below missing", opened(fs.open(&at("no/a"), new)));
    let a = fs.open(&at("a"), new).unwrap();
    say("create again", opened(fs.open(&at("a"), new)));
    say("append", a.append(b"one\n").map(|n| n.to_string()));
    say("append", a.append(b"two\n").map(|n| n.to_string()));
    say("write_at in append mode", a.write_at(0, b"XX").map(|n| n.to_string()));
    let w = fs.open(&at("a"), How::Write).unwrap();
    say("write_at", w.write_at(0, b"ONE").map(|n| n.to_string()));
    say("write_at past the end", w.write_at(12, b"!").map(|n| n.to_string()));
    say("write_at read only", fs.open(&at("a"), How::Read).unwrap().write_at(0, b"x").map(|n| n.to_string()));
    say("append read only", fs.open(&at("a"), How::Read).unwrap().append(b"x").map(|n| n.to_string()));
    say("truncate read only", unit(fs.open(&at("a"), How::Read).unwrap().truncate(0)));
    say("contents", read_file(fs, &at("a"), 100).map(|bytes| format!("{bytes:?}")));
    say("truncate", unit(w.truncate(2)));
    say("len", w.stat().map(|stat| format!("{} {:?} {:o}", stat.len, stat.kind, stat.mode)));
    say("stat missing", fs.stat(&at("b")).map(|stat| format!("{:?}", stat.is_none())));
    say("stat below a file", fs.stat(&at("a/b")).map(|stat| format!("{:?}", stat.is_none())));

    say("link", unit(fs.link(&at("a"), &at("b"))));
    say("link on", unit(fs.link(&at("a"), &at("b"))));
    let same = |x: &str, y: &str| Ok(fs.stat(&at(x))?.map(|s| s.id) == fs.stat(&at(y))?.map(|s| s.id));
    say("one file", same("a", "b").map(|same: bool| same.to_string()));
    say("rename to the other name", unit(fs.rename(&at("a"), &at("b"))));
    say("both names stay", same("a", "b").map(|same: bool| same.to_string()));
    say("rename_new on", unit(fs.rename_new(&at("a"), &at("b"))));
    say("rename_new missing", unit(fs.rename_new(&at("x"), &at("b"))));
    say("rename_new", unit(fs.rename_new(&at("a"), &at("c"))));
    say("rename missing", unit(fs.rename(&at("x"), &at("b"))));
    say("unlink", unit(fs.unlink(&at("c"))));
    say("unlink again", unit(fs.unlink(&at("c"))));
    say("open file lives on", a.append(b"z").map(|n| n.to_string()));

    say("make_dir", unit(fs.make_dir(&at("d"), 0o700)));
    say("make_dir again", unit(fs.make_dir(&at("d"), 0o700)));
    say("make_dir over a file", unit(fs.make_dir(&at("b"), 0o700)));
    say("open a directory", opened(fs.open(&at("d"), How::Read)));
    fs.open(&at("d/f"), new).unwrap();
    say("unlink a directory", unit(fs.unlink(&at("d"))));
    say("link a directory", unit(fs.link(&at("d"), &at("e"))));
    say("remove a full directory", unit(fs.remove_dir(&at("d"))));
    say("remove_dir of a file", unit(fs.remove_dir(&at("b"))));
    say("remove_dir of nothing", unit(fs.remove_dir(&at("x"))));
    say("rename a file over a directory", unit(fs.rename(&at("b"), &at("d"))));
    say("rename a directory over a file", unit(fs.rename(&at("d"), &at("b"))));
    say("rename a directory into itself", unit(fs.rename(&at("d"), &at("d/e"))));
    say("rename a directory", unit(fs.rename(&at("d"), &at("e"))));
    say("its child went along", fs.stat(&at("e/f")).map(|stat| stat.is_some().to_string()));
    fs.make_dir(&at("g"), 0o700).unwrap();
    say("rename over an empty directory", unit(fs.rename(&at("e"), &at("g"))));
    fs.make_dir(&at("h"), 0o700).unwrap();
    say("rename over a full directory", unit(fs.rename(&at("h"), &at("g"))));
    let mut names = fs.list(dir).unwrap();
    names.sort();
    say("list", Ok(names.join(" ")));
    say("list a file", fs.list(&at("b")).map(|names| names.join(" ")));
    say("list nothing", fs.list(&at("x")).map(|names| names.join(" ")));
    say("sync", unit(a.sync()));
    say("sync_dir", unit(fs.sync_dir(dir)));
    say("sync_dir of nothing", unit(fs.sync_dir(&at("x"))));
    say(
        "resolve",
        fs.resolve(&at("g/../g/./f")).map(|path| path.strip_prefix(dir).unwrap().display().to_string()),
    );
    say("resolve nothing", fs.resolve(&at("x")).map(|path| path.display().to_string()));

    let lock = |file: &F::File, mode| match file.lock(mode, Duration::ZERO) {
        Ok(()) => Ok("got".to_owned()),
        Err(LockError::TimedOut) => Ok("held".to_owned()),
        Err(LockError::Io(error)) => Err(error),
    };
    let (one, two) = (fs.open(&at("b"), How::Read).unwrap(), fs.open(&at("b"), How::Append).unwrap());
    say("exclusive", lock(&one, LockMode::Exclusive));
    say("exclusive again", lock(&one, LockMode::Exclusive));
    say("another", lock(&two, LockMode::Exclusive));
    say("another shared", lock(&two, LockMode::Shared));
    say("down to shared", lock(&one, LockMode::Shared));
    say("another shared", lock(&two, LockMode::Shared));
    say("up again", lock(&one, LockMode::Exclusive));
    say("unlock", unit(two.unlock()));
    say("exclusive", lock(&one, LockMode::Exclusive));
    drop(one);
    say("closed", lock(&two, LockMode::Exclusive));
    seen
}

#[test]
fn the_simulated_disk_answers_every_call_as_the_real_one_does() {
    let real = tempfile::tempdir().unwrap();
    let real_dir = real.path().canonicalize().unwrap();
    let real = tour(&RealFs, &real_dir);
    let world = World::calm(Disk::new());
    let (_, fs, _) = world.process();
    fs.make_dir(Path::new("/w"), 0o700).unwrap();
    let simulated = tour(&fs, Path::new("/w"));
    assert_eq!(real, simulated);
    assert_eq!(real.len(), 62);
}

fn new_file(fs: &SimFs, path: &str) -> <SimFs as Fs>::File {
    fs.open(Path::new(path), How::CreateNew { mode: 0o600 }).unwrap()
}

#[test]
fn a_killed_process_changes_nothing_more_and_its_locks_end() {
    let world = World::calm(Disk::new());
    let ended = world.alone(Plan::at(2, Fault::Cut(3)), |fs, _| {
        let file = new_file(&fs, "/f");
        file.lock(LockMode::Exclusive, Duration::ZERO).unwrap();
        struct Undo<'a>(&'a SimFs);
        impl Drop for Undo<'_> {
            fn drop(&mut self) {
                assert!(self.0.unlink(Path::new("/f")).is_err(), "a dead process removed a file");
            }
        }
        let _undo = Undo(&fs);
        file.append(b"hello").unwrap();
        unreachable!("it was killed within the write");
    });
    assert_eq!(ended, Ended::Killed::<()>);
    assert_eq!(world.disk(|disk| disk.contents("/f").map(<[u8]>::to_vec)).unwrap(), b"hel");
    let taken = world.alone(Plan::NONE, |fs, _| {
        fs.open(Path::new("/f"), How::Read).unwrap().lock(LockMode::Exclusive, Duration::ZERO).is_ok()
    });
    assert_eq!(taken, Ended::Returned(true));
}

#[test]
fn a_full_disk_and_a_failing_call_are_errors_that_change_nothing() {
    let world = World::calm(Disk::new());
    let ended = world.alone(Plan::full_from(1), |fs, _| {
        let file = new_file(&fs, "/f");
        (file.append(b"x").unwrap_err().kind(), file.sync().is_ok(), file.append(b"").is_ok())
    });
    assert_eq!(ended, Ended::Returned((std::io::ErrorKind::StorageFull, true, true)));
    let short =
        world.alone(Plan::at(1, Fault::Short(2)), |fs, _| new_file(&fs, "/g").append(b"hello").unwrap());
    assert_eq!(short, Ended::Returned(2));
}

/// Two processes append one letter each, twice; what the file holds afterwards.
fn letters(source: Source, options: Options) -> (String, World) {
    let mut disk = Disk::new();
    disk.put("/f", b"");
    let world = World::new(disk, source, options);
    let writer = |letter: &'static [u8]| -> Body<'_, ()> {
        Box::new(move |fs: SimFs, _: SimHost| {
            let file = fs.open(Path::new("/f"), How::Append).unwrap();
            file.append(letter).unwrap();
            file.append(letter).unwrap();
        })
    };
    world.together(vec![writer(b"a"), writer(b"b")]);
    let text = world.disk(|disk| String::from_utf8(disk.contents("/f").unwrap().to_vec()).unwrap());
    (text, world)
}

#[test]
fn every_interleaving_is_seen_and_the_preemption_bound_is_kept() {
    for (bound, runs, outcomes) in [(Some(0), 2, 2), (Some(1), 6, 4), (None, 20, 6)] {
        let mut explorer = Explorer::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(source) = explorer.next_run() {
            let options = Options { preemptions_max: bound, ..Options::default() };
            let (text, world) = letters(source, options);
            assert!(bound.is_none_or(|bound| world.preemptions() <= bound));
            seen.insert(text);
            explorer.ran(&world.source());
        }
        assert_eq!((explorer.explored().runs, seen.len()), (runs, outcomes), "bound {bound:?}: {seen:?}");
    }
}

#[test]
fn a_run_replays_from_its_schedule() {
    let options = Options { kills_max: 1, kill_one_in: 4, ..Options::default() };
    for seed in 0..50 {
        let (text, world) = letters(Source::random(seed), options);
        let schedule = world.source().schedule("letters");
        let (again, replayed) = letters(Source::replay(&schedule), options);
        assert_eq!(replayed.source().diverged(), None);
        assert_eq!((text, world.trace()), (again, replayed.trace()));
    }
}

#[test]
fn a_waiter_gets_the_lock_when_its_holder_is_killed_and_patience_ends_in_simulated_time() {
    let mut disk = Disk::new();
    disk.put("/f", b"");
    let world = World::calm(disk);
    let (holder, fs, _) = world.process();
    let held = fs.open(Path::new("/f"), How::Read).unwrap();
    held.lock(LockMode::Exclusive, Duration::ZERO).unwrap();
    let waiter = |patience: Duration| -> Body<'_, bool> {
        Box::new(move |fs: SimFs, _: SimHost| {
            fs.open(Path::new("/f"), How::Read).unwrap().lock(LockMode::Exclusive, patience).is_ok()
        })
    };
    // The holder runs no more, so that only the patience can end the wait.
    assert_eq!(world.together(vec![waiter(Duration::from_secs(3600))]), vec![Ended::Returned(false)]);
    world.kill(holder);
    assert_eq!(world.together(vec![waiter(Duration::from_secs(3600))]), vec![Ended::Returned(true)]);
}

#[test]
fn processes_that_wait_for_each_other_without_end_are_reported() {
    let mut disk = Disk::new();
    disk.put("/a", b"");
    disk.put("/b", b"");
    let order = Arc::new(Mutex::new(0));
    let mut deadlocks = 0;
    let mut explorer = Explorer::new();
    while let Some(source) = explorer.next_run() {
        let world = World::new(disk.clone(), source, Options::default());
        let body = |first: PathBuf, second: PathBuf| -> Body<'_, ()> {
            let order = Arc::clone(&order);
            Box::new(move |fs: SimFs, _: SimHost| {
                let first = fs.open(&first, How::Read).unwrap();
                let second = fs.open(&second, How::Read).unwrap();
                first.lock(LockMode::Exclusive, Duration::MAX).unwrap();
                second.lock(LockMode::Exclusive, Duration::MAX).unwrap();
                *order.lock().unwrap() += 1;
            })
        };
        world.together(vec![body("/a".into(), "/b".into()), body("/b".into(), "/a".into())]);
        deadlocks += u32::from(world.deadlocked());
        explorer.ran(&world.source());
    }
    assert!(deadlocks > 0 && *order.lock().unwrap() > 0);
}

/// Runs a scenario on drawn schedules; nothing may be found.
fn stands(scenario: &dyn Scenario, executions: u64) {
    let started = std::time::Instant::now();
    let found = search(scenario, 1, executions, &mut |_| {});
    println!("{}: {executions} executions in {:?}", scenario.name(), started.elapsed());
    if let Some(found) = found {
        panic!("after {} executions: {}", found.executions, found.counterexample);
    }
}

#[test]
fn logs_and_documents_stand_drawn_schedules_with_kills() {
    stands(&Files::new(), 1_500);
}

/// LOG-26: A compaction loses no record that is acked before, while or after it runs.
///
/// LOG-28: However often an import is killed, run again or run beside another, each entry stands in the log once.
#[test]
fn compactions_and_an_import_among_appends_stand_drawn_schedules_with_kills() {
    stands(&Compacts::new(), 300);
}

#[test]
fn locks_stand_drawn_schedules_with_kills_and_stalls() {
    stands(&LockUsers::new(), 1_000);
}

#[test]
fn locks_stand_drawn_schedules_around_a_rotation() {
    stands(&LockUsers::rotating(), 100);
}

#[test]
fn leases_and_tasks_stand_drawn_schedules_with_kills_and_stalls() {
    stands(&MachineUsers::new(), 700);
}

#[test]
fn a_schedule_that_names_no_scenario_of_this_build_is_refused() {
    assert!(stage::replay("{\"schedule\":1,\"scenario\":\"no such\"}\n").unwrap_err().contains("no such"));
    assert!(stage::replay("nothing").is_err());
}

#[test]
fn an_os_lock_that_is_none_is_found_by_drawn_schedules() {
    let (files, locks) = (Files::without_locks(), LockUsers::without_locks());
    let (machines, compacts) = (MachineUsers::without_locks(), Compacts::without_locks());
    let scenarios: [&dyn Scenario; 4] = [&files, &locks, &machines, &compacts];
    for (seed, scenario) in (0..3).flat_map(|seed| scenarios.map(|scenario| (seed, scenario))) {
        let found = search(scenario, seed, 1_000, &mut |_| {}).unwrap();
        println!("seed {seed}: {} executions; {}", found.executions, found.counterexample.what);
        let text = found.counterexample.schedule.to_ndjson();
        assert_eq!(stage::replay(&text).unwrap(), Some(found.counterexample));
    }
}

#[test]
fn creators_of_one_workspace_stand_drawn_schedules_with_kills() {
    stands(&Creators::new(), 1_000);
}
