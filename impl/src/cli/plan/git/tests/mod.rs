//! The gate, the states of files and the commit of one file, on real repositories: bare remotes by path, and clones.

mod committed;
mod gate;
mod states;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::Repo;
use super::upstream::{Gate, Upstream};
use crate::host::Deadline;

/// A bare remote, and clones beside it.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// A remote with one commit of `plan.md` and `other.md` on `main`.
    fn new() -> World {
        let world = World { dir: tempfile::tempdir().unwrap() };
        run(world.dir.path(), &["init", "--quiet", "--bare", "remote.git"]);
        run(&world.at("remote.git"), &["symbolic-ref", "HEAD", "refs/heads/main"]);
        let seed = world.clone_to("seed");
        run(&seed, &["symbolic-ref", "HEAD", "refs/heads/main"]);
        for file in ["plan.md", "other.md"] {
            std::fs::write(seed.join(file), "one\n").unwrap();
        }
        run(&seed, &["add", "."]);
        run(&seed, &["commit", "--quiet", "-m", "begin"]);
        run(&seed, &["push", "--quiet", "-u", "origin", "main"]);
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn clone_to(&self, name: &str) -> PathBuf {
        let remote = self.at("remote.git");
        run(self.dir.path(), &["clone", "--quiet", remote.to_str().unwrap(), name]);
        let clone = self.at(name);
        run(&clone, &["config", "user.name", "a person"]);
        run(&clone, &["config", "user.email", "person@example.org"]);
        clone
    }
}

/// Git without the settings of whoever runs the tests.
fn run(dir: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C");
    git.args(["-c", "protocol.file.allow=always"]).args(args).current_dir(dir);
    let output = git.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?} in {}: {said}", dir.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn write(dir: &Path, file: &str, text: &str) {
    std::fs::write(dir.join(file), text).unwrap();
}

/// A change of one file, committed.
fn change(dir: &Path, file: &str, text: &str) {
    write(dir, file, text);
    run(dir, &["add", "--", file]);
    run(dir, &["commit", "--quiet", "-m", &format!("change {file}")]);
}

fn repo(dir: &Path) -> Repo {
    Repo::at(dir).unwrap().expect("it is the top of a worktree")
}

fn gate(dir: &Path) -> Gate {
    repo(dir).upstream(true, Deadline::after(PATIENCE)).unwrap()
}

fn stands(dir: &Path) -> Upstream {
    gate(dir).upstream
}

/// As long as a remote that answers may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// As long as a helper that never answers is waited for: long enough for git to start, whatever else the machine does.
const SHORT: Duration = Duration::from_millis(1500);
