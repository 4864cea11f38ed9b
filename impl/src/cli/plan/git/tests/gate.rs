//! The gate tells what can stand in the way apart.

use super::{SHORT, World, change, gate, repo, run, stands};
use crate::cli::plan::git::upstream::Upstream;
use crate::cli::plan::git::{Pulled, Repo};
use crate::host::Deadline;

#[test]
fn in_step_ahead_behind_and_diverged_are_told_apart() {
    let world = World::new();
    let (one, two) = (world.clone_to("one"), world.clone_to("two"));
    assert_eq!(stands(&one), Upstream::InStep);
    change(&one, "other.md", "two\n");
    change(&one, "other.md", "three\n");
    assert_eq!(stands(&one), Upstream::Ahead { commits: 2 });
    run(&one, &["push", "--quiet"]);
    assert_eq!(stands(&one), Upstream::InStep);
    assert_eq!(stands(&two), Upstream::Behind { commits: 2 });
    change(&two, "plan.md", "two\n");
    assert_eq!(stands(&two), Upstream::Diverged { ahead: 1, behind: 2 });
    assert_eq!(gate(&two).at, None);
}

#[test]
fn what_is_not_fetched_is_not_known() {
    let world = World::new();
    let (one, two) = (world.clone_to("one"), world.clone_to("two"));
    change(&one, "other.md", "two\n");
    run(&one, &["push", "--quiet"]);
    let until = Deadline::after(super::PATIENCE);
    assert_eq!(repo(&two).upstream(false, until).unwrap().upstream, Upstream::InStep);
    assert_eq!(repo(&two).upstream(true, until).unwrap().upstream, Upstream::Behind { commits: 1 });
}

#[test]
fn no_branch_no_upstream_no_remote_and_no_commit_are_told_apart() {
    let world = World::new();
    let one = world.clone_to("one");
    run(&one, &["checkout", "--quiet", "-b", "mine"]);
    assert!(matches!(stands(&one), Upstream::FollowsNone { why } if why.contains("mine follows no branch")));
    run(&one, &["branch", "--quiet", "--set-upstream-to=main"]);
    assert!(matches!(stands(&one), Upstream::FollowsNone { why } if why.contains("of this repository")));
    run(&one, &["config", "branch.mine.remote", "origin"]);
    run(&one, &["config", "branch.mine.merge", "refs/heads/gone"]);
    assert!(
        matches!(stands(&one), Upstream::FollowsNone { why } if why.contains("origin/gone, which is not there"))
    );
    run(&one, &["push", "--quiet", "origin", "mine:gone"]);
    assert_eq!(stands(&one), Upstream::InStep);
    run(&world.at("remote.git"), &["branch", "--quiet", "-D", "gone"]);
    assert!(matches!(stands(&one), Upstream::FollowsNone { why } if why.contains("origin/gone is gone")));
    run(&one, &["checkout", "--quiet", "--detach"]);
    assert!(matches!(stands(&one), Upstream::Detached { .. }));
    run(world.dir.path(), &["init", "--quiet", "alone"]);
    let alone = world.at("alone");
    assert_eq!(stands(&alone), Upstream::NoCommits);
    run(
        &alone,
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x"],
    );
    assert_eq!(stands(&alone), Upstream::NoRemote);
    assert!(Repo::at(world.dir.path()).unwrap().is_none());
    assert!(Repo::at(&world.at("remote.git")).unwrap().is_none());
}

#[test]
fn the_upstreams_own_remote_is_asked_and_no_other() {
    let world = World::new();
    let one = world.clone_to("one");
    run(world.dir.path(), &["clone", "--quiet", "--bare", "remote.git", "backup.git"]);
    let backup = world.at("backup.git");
    run(&one, &["remote", "add", "backup", backup.to_str().unwrap()]);
    run(&one, &["fetch", "--quiet", "backup"]);
    run(&one, &["branch", "--quiet", "--set-upstream-to=backup/main"]);
    // What happens at origin is nothing to this branch.
    let two = world.clone_to("two");
    change(&two, "other.md", "two\n");
    run(&two, &["push", "--quiet"]);
    assert_eq!(stands(&one), Upstream::InStep);
    run(&two, &["push", "--quiet", backup.to_str().unwrap(), "main"]);
    run(&one, &["remote", "set-url", "origin", "/nowhere"]);
    assert_eq!(stands(&one), Upstream::Behind { commits: 1 });
    run(&one, &["config", "remote.pushDefault", "origin"]);
    assert_eq!(
        stands(&one),
        Upstream::OtherRemote { upstream: "backup/main".to_owned(), push: "origin".to_owned() }
    );
}

#[test]
fn a_remote_that_cannot_be_asked_is_offline_and_one_that_hangs_is_timed_out() {
    let world = World::new();
    let one = world.clone_to("one");
    run(&one, &["remote", "set-url", "origin", "/nowhere/at/all"]);
    assert!(matches!(stands(&one), Upstream::Offline { remote, .. } if remote == "origin"));
    run(&one, &["config", "protocol.ext.allow", "always"]);
    run(&one, &["remote", "set-url", "origin", "ext::sleep 600"]);
    let hung = repo(&one).upstream(true, Deadline::after(SHORT)).unwrap();
    assert_eq!(hung.upstream, Upstream::TimedOut { remote: "origin".to_owned() });
    assert_eq!(hung.at, None);
}

#[test]
fn in_a_shallow_clone_only_what_its_history_shows_is_told() {
    let world = World::new();
    let seed = world.at("seed");
    change(&seed, "other.md", "two\n");
    change(&seed, "other.md", "three\n");
    run(&seed, &["push", "--quiet"]);
    let url = format!("file://{}", world.at("remote.git").display());
    run(world.dir.path(), &["clone", "--quiet", "--depth=1", &url, "cut"]);
    let cut = world.at("cut");
    run(&cut, &["config", "user.name", "a person"]);
    run(&cut, &["config", "user.email", "person@example.org"]);
    assert_eq!(stands(&cut), Upstream::InStep);
    change(&cut, "plan.md", "mine\n");
    assert_eq!(stands(&cut), Upstream::Ahead { commits: 1 });
    change(&seed, "other.md", "four\n");
    run(&seed, &["push", "--quiet"]);
    assert_eq!(stands(&cut), Upstream::Shallow);
    run(&cut, &["fetch", "--quiet", "--unshallow"]);
    assert_eq!(stands(&cut), Upstream::Diverged { ahead: 1, behind: 1 });
}

#[test]
fn what_moved_since_the_gate_is_seen() {
    let world = World::new();
    let (one, two) = (world.clone_to("one"), world.clone_to("two"));
    let at = gate(&one).at.unwrap();
    assert_eq!(repo(&one).moved(&at).unwrap(), None);
    change(&two, "other.md", "two\n");
    run(&two, &["push", "--quiet"]);
    run(&one, &["fetch", "--quiet"]);
    assert!(repo(&one).moved(&at).unwrap().unwrap().contains("origin/main moved"));
    run(&one, &["merge", "--quiet", "--ff-only"]);
    assert!(repo(&one).moved(&at).unwrap().unwrap().contains("main moved"));
    run(&one, &["checkout", "--quiet", "-b", "mine"]);
    assert!(repo(&one).moved(&at).unwrap().unwrap().contains("mine was checked out"));
}

#[test]
fn a_pull_goes_forward_or_changes_nothing() {
    let world = World::new();
    let (one, two) = (world.clone_to("one"), world.clone_to("two"));
    let pull = |dir| repo(dir).pull_ff(Deadline::after(super::PATIENCE)).unwrap();
    assert_eq!(pull(&two), Pulled::Nothing);
    change(&one, "other.md", "two\n");
    run(&one, &["push", "--quiet"]);
    super::write(&two, "other.md", "not committed\n");
    assert!(matches!(pull(&two), Pulled::Failed { .. }));
    assert_eq!(std::fs::read_to_string(two.join("other.md")).unwrap(), "not committed\n");
    run(&two, &["checkout", "--quiet", "--", "other.md"]);
    assert_eq!(pull(&two), Pulled::Forward { commits: 1 });
    assert_eq!(stands(&two), Upstream::InStep);
    let old = repo(&two).head().unwrap().unwrap();
    change(&one, "other.md", "three\n");
    run(&one, &["push", "--quiet"]);
    change(&two, "plan.md", "mine\n");
    assert!(repo(&two).descends(&old).unwrap());
    assert!(!repo(&two).descends(&repo(&one).head().unwrap().unwrap()).unwrap());
    let head = run(&two, &["rev-parse", "HEAD"]);
    assert!(matches!(pull(&two), Pulled::Failed { why } if why.contains("diverged")));
    assert_eq!(run(&two, &["rev-parse", "HEAD"]), head);
}
