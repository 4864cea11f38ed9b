//! A repository with plan files, and what the command says of them.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Said, Yard, said};

/// A repository of git with an author.
pub(crate) struct Plans {
    pub(crate) yard: Yard,
}

impl Plans {
    pub(crate) fn new() -> Self {
        let yard = Yard::with_git();
        yard.git(&["config", "user.name", "t"]);
        yard.git(&["config", "user.email", "t@t"]);
        Plans { yard }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.yard.join(file)
    }

    /// Writes a file and commits it.
    pub(crate) fn commit(&self, file: &str, bytes: impl AsRef<[u8]>, message: &str) {
        self.write(file, bytes);
        self.yard.git(&["add", "--", file]);
        self.yard.git(&["commit", "-q", "-m", message]);
    }

    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        String::from_utf8(std::fs::read(self.path(file)).unwrap()).unwrap()
    }

    /// What the repository says, without the newline at its end.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = std::process::Command::new("git");
        let output =
            crate::program::clean(&mut git).current_dir(self.yard.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// `plan` with these words and `--json`: what it ended with, its findings and its summary.
    pub(crate) fn plan(&self, args: &[&str]) -> Told {
        let said = said(self.yard.fencehold().args(["plan", "--json"]).args(args));
        Told::of(&said)
    }

    /// As [`Plans::plan`], and just after the file was judged, while git is asked for its state, somebody runs `act` once.
    pub(crate) fn meanwhile(&self, act: &[&str], args: &[&str]) -> Told {
        let tools = Yard::new();
        let fencehold = tools.join("fencehold");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fencehold-under-test"), &fencehold).unwrap();
        let act = format!(
            "(cd '{}' && FENCEHOLD_HOLDER=other '{}' {} >/dev/null) || exit 99",
            self.yard.path().display(),
            fencehold.display(),
            act.join(" "),
        );
        let said = self.with_git(&tools, "status", &act, "", args);
        assert!(tools.join("once").exists(), "nobody acted: {said:?}");
        Told::of(&said)
    }

    /// `plan` with these words and a git that does this once, `before` or `after` it was called with a word.
    pub(crate) fn with_git(
        &self,
        tools: &Yard,
        word: &str,
        before: &str,
        after: &str,
        args: &[&str],
    ) -> Said {
        let path = std::env::var("PATH").unwrap();
        let once = tools.join("once");
        let script = format!(
            "#!/bin/sh\nPATH='{path}'\ncase \" $* \" in *' {word} '*)\n  if mkdir '{}' 2>/dev/null; then\n    \
             {before}\n    :\n    git \"$@\"\n    code=$?\n    {after}\n    exit $code\n  fi;;\nesac\nexec git \"$@\"\n",
            once.display(),
        );
        let git = tools.join("git");
        std::fs::write(&git, script).unwrap();
        std::fs::set_permissions(&git, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{path}", tools.path().display());
        said(self.yard.fencehold().env("PATH", path).args(["plan", "--json"]).args(args))
    }

    pub(crate) fn set(&self, args: &[&str]) {
        let said = self.yard.run(["task"].iter().chain(args));
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
    }

    /// The one status of a task on the board.
    pub(crate) fn on_board(&self, task: &str) -> String {
        let said = self.yard.run(["task", "get", task]);
        assert_eq!(said.code, 0, "{said:?}");
        said.stdout.trim_end().to_owned()
    }
}

/// What `plan --json` told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) findings: Vec<Value>,
    pub(crate) summary: Value,
    pub(crate) stderr: String,
}

impl Told {
    pub(crate) fn of(said: &Said) -> Self {
        let mut findings: Vec<Value> =
            said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let summary = findings.pop().unwrap_or_else(|| panic!("{said:?}"));
        Told { code: said.code, findings, summary, stderr: said.stderr.clone() }
    }

    /// The codes of what is told, each with its level and its task.
    pub(crate) fn codes(&self) -> Vec<(&str, &str, &str)> {
        fn text<'a>(finding: &'a Value, key: &str) -> &'a str {
            finding.get(key).and_then(Value::as_str).unwrap_or_default()
        }
        self.findings
            .iter()
            .map(|finding| (text(finding, "code"), text(finding, "level"), text(finding, "task")))
            .collect()
    }
}

/// A task block.
pub(crate) fn block(id: &str, status: &str) -> String {
    format!("```task\nid: {id}\nstatus: {status}\npriority: high\n```\n")
}
