//! What is written into git's own files: durable once it is reported, beside what git itself writes there.

use std::path::Path;
use std::sync::{Arc, Mutex};

use fencehold::error::Happened;
use fencehold::fs::{File as _, Fs as _, How, Stat};
use fencehold::locate::{Start, confirm, keep_in_git_config, locate};
use fencehold::log::{GitCheckout, union_merge};
use fencehold_stress::sim::disk::{Disk, Persistence};
use fencehold_stress::sim::world::World;

use crate::program::Yard;
use crate::review::kit::{Act, Tampered};

const GIT: &str = "/git";
const CONFIG: &str = "[core]\n\tbare = false\n";

/// Two folders, `/git` with a config that is a link into the other one or a file of its own; all of it durable.
fn checkout(linked: bool) -> World {
    let mut disk = Disk::new();
    for dir in [GIT, "/elsewhere"] {
        disk.make_dir(Path::new(dir), 0o755).unwrap();
    }
    let config = if linked { "/elsewhere/config" } else { "/git/config" };
    disk.put(config, CONFIG.as_bytes());
    if linked {
        disk.symlink(Path::new(config), Path::new("/git/config")).unwrap();
    }
    World::calm(disk.persistent(Persistence::Posix, 512))
}

/// The power fails, and only what was synced is left.
fn cut(world: &World) -> Disk {
    world.disk(|disk| disk.clone()).power_cut(&mut |_, _| 0)
}

fn text(disk: &Disk, path: &str) -> String {
    String::from_utf8(disk.contents(path).unwrap_or_default().to_vec()).unwrap()
}

/// CLI-54: What `init --dir` reports as kept in git's config is there after a loss of power, whoever wrote it, and what
/// git changed in its config meanwhile stays.
#[test]
fn a_setting_that_a_killed_process_left_is_durable_before_it_is_relied_on() {
    let mut deaths = 0;
    for (linked, config) in [(false, "/git/config"), (true, "/elsewhere/config")] {
        // Told at once, and told by the second one, who finds what the first could not sync any more.
        for dies in [false, true] {
            let world = checkout(linked);
            let (_, fs, _) = world.process();
            let keep = |fs: &Tampered<_>| keep_in_git_config(fs, Path::new(GIT), Path::new("/ws"));
            if dies {
                let dying = Tampered::new(fs.clone(), |call, _| match call {
                    "sync_dir" => Act::Die,
                    _ => Act::Go,
                });
                keep(&dying).unwrap_err();
                assert!(!text(&cut(&world), config).contains("/ws"), "not durable yet");
                deaths += 1;
            }
            keep(&Tampered::new(fs, |_, _| Act::Go)).unwrap();
            let left = text(&cut(&world), config);
            assert!(left.starts_with(CONFIG) && left.contains("/ws"), "linked {linked}: {left:?}");
        }
    }
    assert_eq!(deaths, 2);
}

/// git takes its lock beside the file that a link leads to (seen of git 2.47).
#[test]
fn a_config_that_is_a_link_is_locked_where_git_locks_it() {
    for (lock, free) in [("/elsewhere/config.lock", false), ("/git/config.lock", true)] {
        let world = checkout(true);
        world.disk(|disk| disk.put(lock, b""));
        let (_, fs, _) = world.process();
        let kept = keep_in_git_config(&fs, Path::new(GIT), Path::new("/ws"));
        assert_eq!(kept.is_ok(), free, "{lock}: {kept:?}");
        assert_eq!(text(&world.disk(|disk| disk.clone()), "/elsewhere/config").contains("/ws"), free);
    }
}

#[test]
fn what_git_sets_meanwhile_stays_in_its_config() {
    let world = checkout(false);
    let (_, fs, _) = world.process();
    let (git, other, mut sets) = (fs.clone(), world.clone(), 0);
    let seen = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&seen);
    let fs = Tampered::new(fs, move |call, path| {
        // git, which had taken `config.lock` before, lets it go.
        if call == "create" && path.ends_with("config.lock") && sets == 0 {
            sets += 1;
            other.disk(|disk| disk.put("/git/new", format!("{CONFIG}[user]\n\tname = Ann\n").as_bytes()));
            git.rename(Path::new("/git/new"), Path::new("/git/config")).unwrap();
            *counted.lock().unwrap() += 1;
        }
        Act::Go
    });
    keep_in_git_config(&fs, Path::new(GIT), Path::new("/ws")).unwrap();
    let left = world.disk(|disk| text(disk, "/git/config"));
    assert!(left.contains("Ann") && left.contains("/ws"), "{left:?}");
    assert_eq!(*seen.lock().unwrap(), 1);
}

/// LOG-15: In a git checkout an append adds the log's `merge=union` line, once, to the checkout's own attributes, which
/// are durable by then where it added the line, and keeps what else stands there.
#[test]
fn the_attributes_that_were_added_are_there_after_a_power_cut() {
    let mut cuts = 0;
    for there in [0, 1, 2] {
        let world = checkout(false);
        let (_, fs, _) = world.process();
        if there > 0 {
            fs.make_dir(Path::new("/git/info"), 0o755).unwrap();
        }
        if there > 1 {
            world.disk(|disk| disk.put("/git/info/attributes", b"*.png binary\n"));
        }
        let world = World::calm(world.disk(|disk| disk.clone()).persistent(Persistence::Posix, 512));
        let (_, fs, _) = world.process();
        let checkout = GitCheckout { common_dir: GIT.into(), top: "/".into() };
        for _ in 0..2 {
            assert_eq!(union_merge(&fs, &checkout, Path::new("/log")), None);
        }
        let before = if there > 1 { "*.png binary\n" } else { "" };
        let left = text(&cut(&world), "/git/info/attributes");
        assert_eq!(left, format!("{before}/log merge=union\n"));
        cuts += 1;
    }
    assert_eq!(cuts, 3);
}

/// CLI-58: Nothing is answered by a workspace that `fencehold.dir` names before that setting is durable.
///
/// Only a second `init --dir` paid what a killed one owed: a lock that was acquired in between was gone after a loss of
/// power, and its token was granted once more elsewhere.
#[test]
fn who_relies_on_a_setting_makes_it_durable_first() {
    let mut disk = Disk::new();
    for dir in ["/repo", "/repo/.git", "/repo/.git/objects", "/repo/.git/refs", "/out"] {
        disk.make_dir(Path::new(dir), 0o755).unwrap();
    }
    disk.put("/repo/.git/HEAD", b"ref: refs/heads/main\n");
    disk.put("/repo/.git/config", CONFIG.as_bytes());
    let world = World::calm(disk.persistent(Persistence::Posix, 512));
    let (_, fs, _) = world.process();
    let dying = Tampered::new(fs.clone(), |call, _| if call == "sync_dir" { Act::Die } else { Act::Go });
    keep_in_git_config(&dying, Path::new("/repo/.git"), Path::new("/out/ws")).unwrap_err();
    let found = locate(&fs, Start { at: Path::new("/repo"), git_dir: None }).unwrap();
    assert_eq!(found.dir, Path::new("/out/ws"));
    assert!(!text(&cut(&world), "/repo/.git/config").contains("/out/ws"), "not durable yet");
    confirm(&fs, &found).unwrap();
    assert!(text(&cut(&world), "/repo/.git/config").contains("/out/ws"));
}

#[test]
fn attributes_that_a_killed_process_made_are_durable_with_the_line_of_the_next_one() {
    let mut deaths = 0;
    for dies_at in ["append", "sync", "sync_dir"] {
        let world = checkout(false);
        let (_, fs, _) = world.process();
        let checkout = GitCheckout { common_dir: GIT.into(), top: "/".into() };
        let dying =
            Tampered::new(fs.clone(), move |call, _| if call == dies_at { Act::Die } else { Act::Go });
        assert!(union_merge(&dying, &checkout, Path::new("/log")).is_some());
        assert_eq!(text(&cut(&world), "/git/info/attributes"), "", "killed at {dies_at}: not durable yet");
        assert_eq!(union_merge(&fs, &checkout, Path::new("/other")), None);
        let left = text(&cut(&world), "/git/info/attributes");
        assert!(left.contains("/other merge=union\n"), "killed at {dies_at}: {left:?}");
        deaths += 1;
    }
    assert_eq!(deaths, 3);
}

#[test]
fn a_line_that_was_added_and_not_synced_is_not_called_missing() {
    let mut notes = 0;
    for (call, name, is_added) in [
        ("sync_dir", "info", true),
        ("sync_dir", "git", true),
        ("sync", "attributes", true),
        ("append", "attributes", false),
    ] {
        let world = checkout(false);
        let (_, fs, _) = world.process();
        let checkout = GitCheckout { common_dir: GIT.into(), top: "/".into() };
        let fs = Tampered::always(fs, call, name, Act::Fail(std::io::ErrorKind::StorageFull));
        let note = union_merge(&fs, &checkout, Path::new("/log")).unwrap().0;
        assert_eq!(
            note.contains("was added, and may be lost with the power"),
            is_added,
            "{call} {name}: {note}"
        );
        assert_eq!(note.contains("was not added"), !is_added, "{call} {name}: {note}");
        assert_eq!(world.disk(|disk| text(disk, "/git/info/attributes")).contains("/log"), is_added);
        notes += 1;
    }
    assert_eq!(notes, 4);
}

/// Gives the file this mode, as its owner does.
fn set_mode(world: &World, path: &str, mode: u32) {
    let (_, fs, _) = world.process();
    let file = fs.open(Path::new(path), How::Write).unwrap();
    let own = file.stat().unwrap();
    file.adopt(&Stat { mode, ..own }).unwrap();
}

#[test]
fn a_config_that_was_made_private_meanwhile_stays_private() {
    for (before, meanwhile) in [(0o644, Some(0o600)), (0o600, Some(0o640)), (0o664, None)] {
        let world = checkout(false);
        set_mode(&world, "/git/config", before);
        let (_, fs, _) = world.process();
        let other = world.clone();
        let fs = Tampered::before(fs, "create", "config.lock", move || {
            let Some(mode) = meanwhile else { return };
            other.disk(|disk| disk.put("/git/new", format!("{CONFIG}[x]\n\tpassword = y\n").as_bytes()));
            set_mode(&other, "/git/new", mode);
            let (_, git, _) = other.process();
            git.rename(Path::new("/git/new"), Path::new("/git/config")).unwrap();
        });
        keep_in_git_config(&fs, Path::new(GIT), Path::new("/ws")).unwrap();
        assert_eq!(world.disk(|disk| text(disk, "/git/config")).contains("password"), meanwhile.is_some());
        let mode = fs.stat(Path::new("/git/config")).unwrap().unwrap().mode;
        assert_eq!(mode, meanwhile.unwrap_or(before), "{before:o}, then {meanwhile:?}");
    }
}

/// The holder of git's lock stands still; a person removes the lock, as whoever finds it is told to; git takes it anew
/// and is half way.
#[test]
fn a_lock_on_gits_config_that_another_took_over_is_neither_put_in_place_nor_removed() {
    const HALF: &str = "[core]\n\tba";
    for (call, name) in
        [("append", "config.lock"), ("sync", "config.lock"), ("stat", "config.lock"), ("rename", "config")]
    {
        let world = checkout(false);
        let (_, fs, _) = world.process();
        let other = world.clone();
        let mut takes_over = Some(move || {
            let (_, git, _) = other.process();
            git.unlink(Path::new("/git/config.lock")).unwrap();
            other.disk(|disk| disk.put("/git/config.lock", HALF.as_bytes()));
        });
        let fs = Tampered::new(fs, move |made, path| {
            let there = path.ends_with(name) || path.ends_with("config.lock");
            if made == call
                && there
                && let Some(takes_over) = takes_over.take()
            {
                takes_over();
            }
            Act::Go
        });
        let error = keep_in_git_config(&fs, Path::new(GIT), Path::new("/ws")).unwrap_err();
        let (config, lock) = world.disk(|disk| (text(disk, "/git/config"), text(disk, "/git/config.lock")));
        if call == "rename" {
            // After the last look: what was put in place is not known to be ours.
            assert_eq!((error.happened(), config.as_str()), (Happened::Unknown, HALF), "{error}");
        } else {
            assert_eq!(error.happened(), Happened::No, "{call}: {error}");
            assert_eq!((config.as_str(), lock.as_str()), (CONFIG, HALF), "{call}: {error}");
        }
    }
}

/// git may change its config as soon as the lock is gone: the setting is in what it writes.
#[test]
fn a_setting_is_kept_though_git_replaced_its_config_right_after() {
    let world = checkout(false);
    let (_, fs, _) = world.process();
    let other = world.clone();
    let fs = Tampered::before(fs, "sync_dir", "git", move || {
        let (_, git, _) = other.process();
        let config = other.disk(|disk| text(disk, "/git/config"));
        assert!(config.contains("/ws"), "{config:?}");
        other.disk(|disk| disk.put("/git/new", format!("{config}[user]\n\tname = Ann\n").as_bytes()));
        git.rename(Path::new("/git/new"), Path::new("/git/config")).unwrap();
    });
    keep_in_git_config(&fs, Path::new(GIT), Path::new("/ws")).unwrap();
    let left = text(&cut(&world), "/git/config");
    assert!(left.contains("Ann") && left.contains("/ws"), "{left:?}");
}

/// CLI-76: `init --in-tree` makes git pass over the folder, so that `git add .` takes nothing of it and `git clean` takes
/// it only with -x.
#[test]
fn a_workspace_in_the_tree_is_not_added_with_the_rest() {
    let yard = Yard::with_git();
    for shared in [&["init", "--in-tree", "--shared"][..], &["init", "--in-tree"]] {
        assert_eq!(yard.run(shared).code, 0);
        assert_eq!(yard.run(["lock", "acquire", "build", "--holder", "a"]).code, 0);
        yard.git(&["add", "."]);
        // It fails where something is staged.
        yard.git(&["diff", "--cached", "--quiet"]);
        yard.git(&["clean", "-fdq"]);
        assert!(yard.join(".fencehold/lock").exists());
        assert_eq!(yard.run(["lock", "break", "build", "--reason", "the next round"]).code, 0);
    }
}
