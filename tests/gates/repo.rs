//! A repository with gates, and what is done to its files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::program::{Said, Yard, clean};

pub(super) const DAY_S: u64 = 24 * 60 * 60;

pub(super) struct Repo(pub(super) Yard);

impl Repo {
    /// One in which these gates are applied, and the work is committed a while ago.
    pub(super) fn with(gates: &str) -> Self {
        let repo = Repo(Yard::with_git());
        repo.write("src/main.rs", "fn main() {}\n");
        repo.commit("work", 40 * DAY_S);
        repo.write("fencehold.toml", gates);
        let said = repo.0.run(["config", "apply"]);
        assert_eq!(said.code, 0, "{said:?}");
        repo
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits all but the policy, dated so many seconds ago; what is dated in the future is of minus so many.
    pub(super) fn commit_at(&self, what: &str, seconds: i64) {
        let mut git = Command::new("git");
        git.current_dir(self.0.path()).args(["-c", "user.name=t", "-c", "user.email=t@t"]);
        clean(&mut git).args(["commit", "-q", "--allow-empty", "-m", what]);
        let date = format!("@{seconds} +0000");
        git.env("GIT_COMMITTER_DATE", &date).env("GIT_AUTHOR_DATE", &date);
        self.0.git(&["add", "-A", "--", ".", ":!fencehold.toml"]);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub(super) fn commit(&self, what: &str, ago_s: u64) {
        self.commit_at(what, i64::try_from(now_s() - ago_s).unwrap());
    }

    /// Gives a file a time, so many seconds from now.
    pub(super) fn touch(&self, path: &str, ahead_s: i64) {
        let at = i64::try_from(now_s()).unwrap() + ahead_s;
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(at).unwrap());
        let file = fs::File::options().append(true).open(self.path(path)).unwrap();
        file.set_modified(at).unwrap();
    }

    /// The step, which must be refused at a gate; what is not met, as `FILE CONDITION` and the whys.
    #[track_caller]
    pub(super) fn refused(&self, task: &str) -> (Vec<String>, String) {
        let before = self.0.run(["task", "get", task]).stdout;
        let answer = self.0.json(1, ["task", "set", task, "done"]);
        assert_eq!((&answer["outcome"], &answer["reason"]), (&"refused".into(), &"gate".into()), "{answer}");
        assert_eq!(self.0.run(["task", "get", task]).stdout, before, "nothing was changed");
        let unmet = answer["unmet"].as_array().unwrap();
        let text = |unmet: &serde_json::Value, key: &str| unmet[key].as_str().unwrap().to_owned();
        let named =
            unmet.iter().map(|one| format!("{} {}", text(one, "file"), text(one, "condition"))).collect();
        (named, unmet.iter().map(|one| text(one, "why")).collect::<Vec<_>>().join("; "))
    }

    /// The step, which must be done.
    #[track_caller]
    pub(super) fn done(&self, task: &str) {
        let said = self.0.run(["task", "set", task, "done"]);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    }

    pub(super) fn force(&self, task: &str, reason: &str) -> Said {
        self.0.run(["task", "set", task, "done", "--force", "--reason", reason])
    }

    /// The entries of the log of overrides.
    pub(super) fn entries(&self, log: &str) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.path(log)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(super) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
