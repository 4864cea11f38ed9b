//! The world of processes that take turns: what a kill leaves, what every fault does, and what searching finds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fencehold::fs::{File, Fs, How, LockMode};
use fencehold_stress::sim::choice::Source;
use fencehold_stress::sim::disk::Disk;
use fencehold_stress::sim::world::{Body, Ended, Options, SimFs, World};

fn new_file(fs: &SimFs, path: &str) -> <SimFs as Fs>::File {
    fs.open(Path::new(path), How::CreateNew { mode: 0o600 }).unwrap()
}

/// Part of what a process holds: when it is given back, and whether the other process had come to its end by then.
struct Held<'a> {
    me: usize,
    done: &'a [AtomicUsize; 2],
    given_back: &'a AtomicUsize,
    too_early: &'a AtomicUsize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let done = |process: usize| self.done[process].load(Ordering::Relaxed) == 1;
        self.given_back.fetch_add(1, Ordering::Relaxed);
        self.too_early.fetch_add(usize::from(!done(self.me) && !done(1 - self.me)), Ordering::Relaxed);
    }
}

#[test]
fn no_line_of_a_killed_process_runs_before_the_others_are_done_and_all_its_memory_comes_back() {
    let (given_back, too_early) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (mut begun, mut killed) = (0, 0);
    for seed in 0..300 {
        let options = Options { kills_max: 1, kill_one_in: 3, ..Options::default() };
        let world = World::new(Disk::new(), Source::random(seed), options);
        let done = <[AtomicUsize; 2]>::default();
        let body = |me: usize| -> Body<'_, ()> {
            let (done, given_back, too_early) = (&done, &given_back, &too_early);
            // Whether it is killed before its first call or not begun at all, it is given back.
            let held = Held { me, done, given_back, too_early };
            Box::new(move |fs, _| {
                let held = held;
                let file = new_file(&fs, ["/a", "/b"][me]);
                file.lock(LockMode::Exclusive, Duration::MAX).unwrap();
                file.append(b"x").unwrap();
                file.sync().unwrap();
                drop(file);
                held.done[me].store(1, Ordering::Relaxed);
            })
        };
        let ended = world.together(vec![body(0), body(1)]);
        begun += ended.len();
        let dead = ended.iter().filter(|ended| **ended == Ended::Killed).count();
        assert_eq!(world.kills() as usize, dead, "{ended:?}");
        killed += dead;
    }
    assert_eq!(given_back.into_inner(), begun);
    assert_eq!(too_early.into_inner(), 0, "a killed process was unwound while the other went on");
    assert!(killed > 100, "{killed} of 300 runs had a kill");
}

/// The same for bodies that own what they use, and run on stacks that others ran on before.
#[test]
fn stacks_that_are_used_again_keep_nothing_of_the_dead() {
    let owned = Arc::new(());
    let (mut killed, mut not_begun) = (0, 0);
    for seed in 0..600 {
        let options = Options { kills_max: 2, kill_one_in: 3, power_cuts_max: 1, ..Options::default() };
        let world = World::new(Disk::new(), Source::random(seed), options);
        let body = |path: &'static str| -> Body<'static, u64> {
            let owned = Arc::clone(&owned);
            Box::new(move |fs, _| {
                let (_owned, file) = (owned, new_file(&fs, path));
                (0..4).map(|_| file.append(b"x").unwrap() as u64).sum()
            })
        };
        let ended = world.together_owned(vec![body("/a"), body("/b"), body("/c")]);
        killed += ended.iter().filter(|ended| **ended == Ended::Killed).count();
        not_begun += usize::from(world.trace().iter().all(|step| step.process != 2));
        assert!(ended.iter().all(|ended| matches!(ended, Ended::Returned(4) | Ended::Killed)), "{ended:?}");
        assert_eq!(Arc::strong_count(&owned), 1, "seed {seed}: something of a process is still held");
    }
    assert!(killed > 500 && not_begun > 0, "{killed} killed, {not_begun} never begun");
}

/// A process's own panic unwinds at once; nobody else runs meanwhile, and nobody else is taken for panicking.
#[test]
fn a_panic_is_the_end_of_its_own_process_only() {
    let mut panicked = 0;
    for seed in 0..50 {
        let world = World::new(Disk::new(), Source::random(seed), Options::default());
        let body = |number: usize| -> Body<'_, bool> {
            Box::new(move |fs, _| {
                let file = new_file(&fs, if number == 0 { "/a" } else { "/b" });
                for _ in 0..5 {
                    file.append(b"x").unwrap();
                    assert!(!std::thread::panicking());
                }
                // `file` is closed, and the test's own text dropped, while it unwinds.
                std::panic::resume_unwind(Box::new("a bug of its own".to_owned()));
            })
        };
        for ended in world.together(vec![body(0), body(1)]) {
            assert_eq!(ended, Ended::Panicked("a bug of its own".to_owned()));
            panicked += 1;
        }
    }
    assert_eq!(panicked, 100);
}
