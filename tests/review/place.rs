//! Whether a held lock, a journal and a folder still are *the* ones (C5), copies and roots (M15), filesystems (M8).

use std::io::ErrorKind;
use std::path::Path;

use fencehold::error::Happened;
use fencehold::fs::{File as _, Fs as _, How, LockMode, RealFs};
use fencehold::journal::{Modes, create};

use super::kit::{Act, Tampered};
use crate::mounted::Mounted;
use crate::program::{Yard, said};
use crate::spec_kit::{DURABLE, Does as _, HOUR, Lab, acquire, is_damage, vandal};

/// The workspace is removed while a commit is between its write and its answer, and made anew by another: the answer
/// is never an ack. Returned: whether it was one, and the token that the other got.
fn removed_under_a_commit(looks: Act) -> (bool, u64) {
    let lab = std::sync::Arc::new(Lab::new());
    lab.party().token(&acquire("boot", "h", HOUR));
    let (other, mut done, mut answered) = (lab.clone(), false, None);
    let (told, hear) = std::sync::mpsc::channel();
    let fs = Tampered::new(RealFs, move |call, path| {
        if call == "append" && path.ends_with("journal.1.ndjson") {
            done = true;
        }
        if done && call == "sync" && answered.is_none() {
            std::fs::remove_dir_all(other.ws()).unwrap();
            assert!(create(&RealFs, &other.machine, &other.ws(), Modes::Owner).unwrap());
            let token = other.party().token(&acquire("a", "another", HOUR));
            answered = Some(token);
            told.send(token).unwrap();
        }
        if call == "stat" { looks } else { Act::Go }
    });
    let answer = lab.party_on(fs, DURABLE).ask(&acquire("a", "h", HOUR));
    if let Err(error) = &answer {
        assert_eq!((error.happened(), error.exit_code()), (Happened::Unknown, 3), "{error}");
    }
    (answer.is_ok(), hear.recv().unwrap())
}

/// `git clean` took the folder away while the lock in it was held: a second process makes it anew and holds *its* lock.
/// The first one's event went into files that nobody will ever read, so its answer is indefinite.
#[test]
fn review_C5_a_workspace_removed_under_a_commit_makes_it_indefinite() {
    assert!(!removed_under_a_commit(Act::Go).0);
}

/// The wrong variant of C5, caught: a process that does not look again whether the lock is the one at its path acks an
/// event that nobody has, and both are granted the name.
#[test]
fn review_m10_unlinked_lock_is_seen() {
    let (acked, other) = removed_under_a_commit(Act::Old);
    assert!(acked && other > 0, "two holders of one name");
}

/// The fact: a lock on an inode without a name excludes nobody. And ours, which looks at the path under the lock.
#[test]
fn review_C5_a_lock_on_an_unlinked_file_excludes_nobody() {
    let lab = Lab::new();
    let held = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    held.lock(LockMode::Exclusive, std::time::Duration::ZERO).unwrap();
    std::fs::remove_file(lab.path("lock")).unwrap();
    std::fs::write(lab.path("lock"), "").unwrap();
    let second = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    second.lock(LockMode::Exclusive, std::time::Duration::ZERO).expect("while the first is held");
    second.unlock().unwrap();
    // Whoever had opened the old one takes the new one, and the folder counts as a copy from then on.
    let lab = Lab::new();
    let party = lab.party();
    let token = party.token(&acquire("a", "h", HOUR));
    std::fs::write(lab.path("new"), "").unwrap();
    std::fs::rename(lab.path("new"), lab.path("lock")).unwrap();
    let held = RealFs.open(&lab.path("lock"), How::Read).unwrap();
    held.lock(LockMode::Exclusive, std::time::Duration::ZERO).unwrap();
    let patience = std::time::Duration::ZERO;
    let other = lab.party_on(RealFs, fencehold::journal::Options { patience, ..DURABLE });
    assert!(other.ask(&acquire("b", "h", HOUR)).is_err(), "the new one is held");
    drop(held);
    assert!(party.token(&acquire("b", "h", HOUR)) > token);
}

/// A process that had the journal open before somebody rotated it. Returned: whether its grant can be found afterwards.
fn found_after_a_rotation(looks: Act) -> bool {
    let lab = Lab::new();
    let slow = lab.party_on(
        Tampered::new(RealFs, move |call, _| if call == "stat" { looks } else { Act::Go }),
        DURABLE,
    );
    slow.token(&acquire("before", "h", HOUR));
    vandal::rotate(&lab);
    let token = slow.token(&acquire("a", "slow", HOUR));
    lab.party().held("a") == Some(("slow".to_owned(), token))
}

/// `serve` with the old file open: the lock is granted, "catch up" finds nothing new. It must not append there.
#[test]
fn review_C5_a_process_that_slept_through_a_rotation_writes_to_the_new_file() {
    assert!(found_after_a_rotation(Act::Go));
}

/// The wrong variant of C5, caught: who trusts the descriptor that it has acks an event in a dead file.
#[test]
fn review_m10_cached_fd_after_rotation_is_seen() {
    assert!(!found_after_a_rotation(Act::Old), "the acked event is lost");
}

/// `sed -i` and editors replace the journal by another inode: the next commit goes there, and nothing to the old one.
#[test]
fn review_C5_a_journal_saved_by_an_editor_is_the_journal() {
    let lab = Lab::new();
    let party = lab.party();
    let before = party.token(&acquire("a", "h", HOUR));
    std::fs::hard_link(lab.journal(), lab.root().join("old")).unwrap();
    std::fs::copy(lab.journal(), lab.path("new")).unwrap();
    std::fs::rename(lab.path("new"), lab.journal()).unwrap();
    let token = party.token(&acquire("b", "h", HOUR));
    assert!(token > before && lab.party().held("b").is_some());
    assert!(!std::fs::read_to_string(lab.root().join("old")).unwrap().contains(&format!("\"rev\":{token},")));
}

/// The whole folder is swapped for its copy (`cp -a`, then two renames) under a running process: it is told apart by
/// its lock's inode, and goes on at the floor under another id.
#[test]
fn review_C5_a_folder_swapped_for_its_copy_goes_on_at_its_floor() {
    let lab = Lab::new();
    let party = lab.party();
    let token = party.token(&acquire("a", "h", HOUR));
    let (id, copy) = (party.workspace().unwrap(), lab.root().join("copy"));
    assert!(std::process::Command::new("cp").arg("-a").arg(lab.ws()).arg(&copy).status().unwrap().success());
    std::fs::rename(lab.ws(), lab.root().join("old")).unwrap();
    std::fs::rename(&copy, lab.ws()).unwrap();
    assert!(party.token(&acquire("b", "h", HOUR)) > token + (1 << 19));
    assert_ne!(party.workspace().unwrap(), id);
}

/// A missing journal or floor beside a lock, and a folder that a running process saw vanish, are damage.
#[test]
fn review_C5_what_is_missing_is_damage_and_no_fresh_workspace() {
    let mut seen = 0;
    for name in ["journal.1.ndjson", "floor.json", "lock", ""] {
        let lab = Lab::new();
        let party = lab.party();
        party.token(&acquire("a", "h", HOUR));
        if name.is_empty() {
            std::fs::remove_dir_all(lab.ws()).unwrap();
        } else {
            std::fs::remove_file(lab.path(name)).unwrap();
        }
        for _ in 0..2 {
            // The floor is looked at again where it is needed.
            let again = if name == "floor.json" { lab.party() } else { lab.party_on(RealFs, DURABLE) };
            let asked = if name.is_empty() {
                party.ask(&acquire("b", "h", HOUR))
            } else {
                again.ask(&acquire("b", "h", HOUR))
            };
            assert!(is_damage(&asked), "{name}: {asked:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

/// `git clean -ffdx`, which agents run all day, does not reach the workspace; in the tree it would.
#[test]
fn review_C5_git_clean_does_not_take_the_workspace() {
    let yard = Yard::with_git();
    let token = yard.json(0, ["lock", "acquire", "build"])["value"]["token"].clone();
    yard.git(&["clean", "-ffdxq"]);
    assert_eq!(yard.json(0, ["lock", "show", "build"])["token"], token);
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init", "--in-tree"]).code, 0);
    assert_eq!(yard.run(["lock", "acquire", "build"]).code, 0);
    yard.git(&["clean", "-ffdxq"]);
    assert!(!yard.join(".fencehold").exists(), "why it is not there by default");
}

/// A bare repository with worktrees has no main working tree: its worktrees share the folder in the repository.
#[test]
fn review_M15_the_worktrees_of_a_bare_repository_share_one_ledger() {
    let yard = Yard::new();
    yard.git(&["init", "-q", "-b", "main", "seed"]);
    yard.git_in(&yard.join("seed"), &["commit", "-q", "--allow-empty", "-m", "one"]);
    yard.git(&["clone", "-q", "--bare", "seed", "bare.git"]);
    for tree in ["a", "b"] {
        let at = format!("../{tree}");
        yard.git_in(&yard.join("bare.git"), &["worktree", "add", "-q", "-b", tree, &at, "main"]);
    }
    let acquire = ["lock", "acquire", "build", "--holder"];
    let from = |tree: &str, holder: &str| yard.run_in(&yard.join(tree), acquire.iter().chain(&[holder])).code;
    assert_eq!((from("a", "ann"), from("b", "ben")), (0, 1));
    // A container that mounts only the linked worktree refuses; it never begins a second ledger.
    std::fs::rename(yard.join("bare.git"), yard.join("elsewhere")).unwrap();
    assert_eq!(from("a", "ann"), 2);
    assert!(!yard.join("a/.fencehold").exists());
}

/// A hook has GIT_DIR set, and may run anywhere: it is followed.
#[test]
fn review_M15_a_hook_finds_the_ledger_by_git_dir() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "build"]).code, 0);
    std::fs::create_dir(yard.join("sub")).unwrap();
    let mut hook = yard.fencehold();
    hook.current_dir(yard.join("sub")).env("GIT_DIR", yard.join(".git"));
    let answer = said(hook.args(["lock", "acquire", "build", "--holder", "hook"]));
    assert_eq!(answer.code, 1, "{answer:?}");
}

/// `cp -a`, a copy into an image, a restored backup: equal tokens in two places. The copy is told apart by its lock's
/// inode and takes an id of its own; what was granted before the copy passes no mark that it makes.
#[test]
fn review_M15_a_copy_takes_another_id_and_goes_on_at_its_floor() {
    let yard = Yard::new();
    yard.git(&["init", "-q", "one"]);
    let token = |dir: &str, name: &str| {
        let said = yard.run_in(&yard.join(dir), ["lock", "acquire", name]);
        assert_eq!(said.code, 0, "{said:?}");
        said.stdout.trim().parse::<u64>().unwrap()
    };
    let first = token("one", "build");
    let copied =
        std::process::Command::new("cp").arg("-a").args([yard.join("one"), yard.join("two")]).status();
    assert!(copied.unwrap().success());
    assert!(token("two", "other") > first + (1 << 19), "at the floor");
    let id = |dir: &str| {
        let text = std::fs::read_to_string(yard.join(dir).join(".git/fencehold/floor.json")).unwrap();
        let floor: serde_json::Value = serde_json::from_str(&text).unwrap();
        floor["workspace"].as_str().unwrap().to_owned()
    };
    assert_ne!(id("one"), id("two"));
    // The original is what it was.
    assert!(token("one", "other") < first + (1 << 19));
}

/// A cloned repository may contain a `.fencehold` that somebody else wrote: tracked by git, or a symlink, it is refused.
#[test]
fn review_M15_a_workspace_that_came_with_a_clone_is_refused() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init", "--in-tree"]).code, 0);
    yard.git(&["add", "-f", ".fencehold"]);
    yard.git(&["commit", "-qm", "hostile"]);
    let refused = yard.run(["lock", "acquire", "build"]);
    assert!(refused.code == 2 && refused.stderr.contains("tracked"), "{refused:?}");
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init", "--in-tree"]).code, 0);
    std::fs::rename(yard.join(".fencehold"), yard.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", yard.join(".fencehold")).unwrap();
    let refused = yard.run(["lock", "acquire", "build"]);
    assert!(refused.code == 2 && refused.stderr.contains("link"), "{refused:?}");
}

/// A lock that works between two local processes proves nothing: filesystems are an allow-list, by name. The wrong
/// variant probes: on this filesystem, which is refused, the probe succeeds.
#[test]
fn review_M8_a_filesystem_is_allowed_by_its_name_and_not_by_a_probe() {
    let yard = Yard::with_git();
    let Some(mounted) = Mounted::over(&yard.join(".git"), "8m") else { return };
    let script =
        "mount -t ramfs none . && touch l && exec 8<l 9<l && flock -n 8 && ! flock -n 9 && echo locks";
    assert_eq!(mounted.sh(script), "locks\n", "the probe succeeds");
    mounted.sh("git init -q --bare repo");
    let refused = mounted.run(["--root", "repo", "lock", "acquire", "build"]);
    assert!(refused.code == 2 && refused.stderr.contains("filesystem"), "{refused:?}");
    assert_eq!(mounted.sh("ls repo | grep -c fencehold || true"), "0\n", "nothing was made");
}

/// What looks gone for want of permission is no missing workspace.
#[test]
fn review_C5_a_folder_that_may_not_be_listed_is_not_taken_for_none() {
    let lab = Lab::new();
    lab.party().token(&acquire("a", "h", HOUR));
    let closed = Tampered::always(RealFs, "list", "ws", Act::Fail(ErrorKind::PermissionDenied));
    let error = lab.party_on(closed, DURABLE).ask(&acquire("b", "h", HOUR)).unwrap_err();
    assert!(error.exit_code() == 2 && Path::new(&lab.ws()).exists(), "{error}");
}
