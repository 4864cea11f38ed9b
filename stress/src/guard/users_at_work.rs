//! What two users do in their checkout, step by step.

use std::os::unix::fs::MetadataExt as _;

use serde_json::json;

use super::harness::SHIPPED;
use super::users::{GROUP, HUNG_AFTER, Session, Stop, Team, said};

fn passes(answer: Option<String>, what: &str) -> Result<(), Stop> {
    answer.map_or(Ok(()), |why| Err(Stop::Wrong(format!("{what}: blocked: {why}"))))
}

/// Blocked, and every one of these words is said.
fn is_blocked(answer: Option<String>, words: &[&str], what: &str) -> Result<(), Stop> {
    let Some(why) = answer else { return Err(Stop::Wrong(format!("{what}: it passed"))) };
    match words.iter().find(|word| !why.contains(**word)) {
        Some(word) => Err(Stop::Wrong(format!("{what}: the block does not say {word:?}: {why}"))),
        None => Ok(()),
    }
}

impl Team<'_> {
    /// All of it, in a checkout of `owner`.
    pub(super) fn works(&mut self, owner: usize) -> Result<(), Stop> {
        let other = 1 - owner;
        let (mut mine, mut theirs) = (self.begin(owner, "mine")?, self.begin(other, "theirs")?);
        if self.hook == SHIPPED {
            self.is_not_shared(owner, &mut theirs)?;
        }
        self.one_is_inside(&mut mine, &mut theirs)?;
        if self.hook != SHIPPED {
            return Ok(());
        }
        self.one_writes(&mut mine, &mut theirs)?;
        self.one_is_killed(mine, &mut theirs)?;
        self.both_go_on(owner, &mut theirs)?;
        self.nothing_is_one_users_alone()?;
        theirs.process.close(HUNG_AFTER);
        self.both_leave(owner)
    }

    /// What one user made for himself keeps the other out, whole, and says how it is shared.
    fn is_not_shared(&mut self, owner: usize, theirs: &mut Session) -> Result<(), Stop> {
        self.must(owner, "git", &["config", "core.sharedRepository", "false"])?;
        self.fencehold(owner, 0, &["init"])?;
        let what = "another user, where nothing is shared";
        is_blocked(self.moves(theirs)?, &["cannot tell", "fencehold init --shared"], what)?;
        is_blocked(self.edits(theirs, "a")?, &["cannot tell", "fencehold init --shared"], what)?;
        self.fencehold(1 - owner, 2, &["lock", "acquire", "workspace"])?;
        self.fencehold(owner, 0, &["init", "--shared"])?;
        self.must(owner, "git", &["config", "core.sharedRepository", "group"])?;
        Ok(())
    }

    fn one_is_inside(&mut self, mine: &mut Session, theirs: &mut Session) -> Result<(), Stop> {
        passes(self.moves(mine)?, "nobody is inside")?;
        let pid = format!("pid {}", mine.process.pid());
        let held = "another user, while session `mine` is inside";
        is_blocked(self.moves(theirs)?, &["held by mine", &pid], held)?;
        self.asks(mine, "session-end", "x", &json!({}))?;
        passes(self.moves(theirs)?, "session `mine` has ended")?;
        is_blocked(self.moves(mine)?, &["held by theirs"], "while session `theirs` is inside")?;
        self.asks(theirs, "session-end", "x", &json!({}))?;
        Ok(())
    }

    fn one_writes(&mut self, mine: &mut Session, theirs: &mut Session) -> Result<(), Stop> {
        self.fencehold(mine.user, 0, &["lease", "grant", "work", "--writes", "area/", "--holder", "mine"])?;
        passes(self.edits(mine, "area/a")?, "its own lease")?;
        is_blocked(
            self.edits(theirs, "area/a")?,
            &["lease work", "held by mine"],
            "the lease of another user",
        )?;
        passes(self.edits(theirs, "free/a")?, "nobody's file")?;
        self.fencehold(theirs.user, 1, &["lease", "grant", "more", "--writes", "area/deep/"])?;
        self.fencehold(theirs.user, 1, &["lease", "close", "work"])?;
        self.fencehold(mine.user, 0, &["lease", "close", "work", "--holder", "mine"])?;
        Ok(())
    }

    /// Nobody may signal another user's process; that it is dead is seen all the same, and that it lives.
    fn one_is_killed(&mut self, mut mine: Session, theirs: &mut Session) -> Result<(), Stop> {
        passes(self.moves(&mut mine)?, "nobody is inside")?;
        let pid = mine.process.pid().to_string();
        let killed = self.run(theirs.user, "sh", &["-c", "kill -0 \"$1\"", "sh", &pid])?;
        if killed.status.success() {
            return Err(Stop::Failed("one user may signal the other's process".to_owned()));
        }
        is_blocked(self.moves(theirs)?, &["held by mine"], "a session that may not be signalled")?;
        mine.process.kill_and_reap();
        passes(self.moves(theirs)?, "the session of another user is dead")?;
        let mut again = self.begin(mine.user, "mine")?;
        is_blocked(
            self.moves(&mut again)?,
            &["held by theirs"],
            "resumed, while session `theirs` is inside",
        )?;
        self.asks(theirs, "session-end", "x", &json!({}))?;
        passes(self.moves(&mut again)?, "resumed")?;
        self.asks(&mut again, "session-end", "x", &json!({}))?;
        again.process.close(HUNG_AFTER);
        Ok(())
    }

    /// Each of them leaves files that the other has to go on with: a new journal, marks, a record of what failed, hooks.
    fn both_go_on(&mut self, owner: usize, theirs: &mut Session) -> Result<(), Stop> {
        let other = 1 - owner;
        let workspace = self.root.join(".git/fencehold");
        for (n, user) in [(1, other), (2, owner)] {
            let condemned = workspace.join(format!("journal.{n}.condemned"));
            self.must(user, "touch", &[&condemned.to_string_lossy()])?;
            self.fencehold(user, 0, &["task", "set", &format!("t{n}"), "in_progress"])?;
            if !workspace.join(format!("journal.{}.ndjson", n + 1)).exists() {
                return Err(Stop::Failed("the journal was not begun anew".to_owned()));
            }
        }
        for user in [other, owner, other] {
            self.fencehold(
                user,
                0,
                &["doc", "update", "plan.json", "--merge", &format!("{{\"by\":{user}}}")],
            )?;
            self.fencehold(user, 0, &["log", "append", "log.ndjson", &format!("{{\"id\":\"{user}\"}}")])?;
            self.fencehold(user, 0, &["status"])?;
            self.fencehold(user, 0, &["doctor"])?;
            self.fencehold(user, 0, &["audit"])?;
        }
        self.fencehold(other, 0, &["hook", "install"])?;
        self.fencehold(other, 0, &["hook", "install", "--git"])?;
        self.fencehold(owner, 0, &["hook", "status"])?;
        self.fencehold(owner, 0, &["hook", "status", "--git"])?;
        self.fencehold(other, 0, &["lease", "grant", "work", "--writes", "area/"])?;
        self.must(owner, "mkdir", &["area"])?;
        self.must(owner, "touch", &["area/a", "b"])?;
        self.must(owner, "git", &["add", "area"])?;
        let commit = self.run(owner, "git", &["commit", "-q", "-m", "two"])?;
        if commit.status.success() || !said(&commit).contains("lease work") {
            return Err(Stop::Wrong(format!("a commit of what another user writes: {}", said(&commit))));
        }
        self.fencehold(other, 0, &["lease", "close", "work"])?;
        self.must(owner, "git", &["commit", "-q", "-m", "two"])?;
        // Each waits as long as a hook may: once, under the umask that takes the most away.
        if self.umask == "077" && owner == 0 { self.both_are_let_pass(owner, theirs) } else { Ok(()) }
    }

    /// What cannot be decided passes, where the workspace says so, and each of them leaves word of it.
    fn both_are_let_pass(&mut self, owner: usize, theirs: &mut Session) -> Result<(), Stop> {
        let workspace = self.root.join(".git/fencehold");
        let config = "echo 'hook_failure = \"open\"' > .git/fencehold/config.toml && chmod 660 .git/fencehold/config.toml";
        self.must(owner, "sh", &["-c", config])?;
        let mut mine = self.begin(owner, "mine")?;
        let lock = std::fs::File::open(workspace.join("lock")).map_err(|error| error.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let mut seen = 0;
        for session in [theirs, &mut mine] {
            passes(self.moves(session)?, "while nobody can decide")?;
            let records = std::fs::read_to_string(workspace.join("failed-open.ndjson")).unwrap_or_default();
            seen += 1;
            if records.lines().count() < seen {
                let what = format!("{} left no word of a call that passed undecided", session.id);
                return Err(Stop::Wrong(format!("{what}: {records}")));
            }
        }
        lock.unlock().map_err(|error| error.to_string())?;
        mine.process.close(HUNG_AFTER);
        self.fencehold(owner, 0, &["status"])?;
        Ok(())
    }

    /// Every file of the workspace can be read and written by the group.
    fn nothing_is_one_users_alone(&self) -> Result<(), Stop> {
        let (mut left, mut seen) = (vec![self.root.join(".git/fencehold")], 0);
        while let Some(path) = left.pop() {
            let meta =
                std::fs::symlink_metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            seen += 1;
            let want = if meta.is_dir() { 0o070 } else { 0o060 };
            if meta.mode() & want != want || meta.gid() != GROUP {
                let (mode, uid, gid) = (meta.mode(), meta.uid(), meta.gid());
                let what = format!("{} is of {uid}:{gid} and has mode {mode:o}", path.display());
                return Err(Stop::Wrong(format!("{what}: the other user cannot use it")));
            }
            if meta.is_dir() {
                let entries =
                    std::fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                left.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
            }
        }
        if seen < 8 { Err(Stop::Failed(format!("{seen} files in the workspace"))) } else { Ok(()) }
    }

    /// The one who did not make it takes it away.
    fn both_leave(&mut self, owner: usize) -> Result<(), Stop> {
        self.fencehold(owner, 0, &["hook", "uninstall", "--git"])?;
        self.fencehold(owner, 0, &["hook", "uninstall"])?;
        self.fencehold(1 - owner, 0, &["deinit"])?;
        if self.root.join(".git/fencehold").exists() {
            return Err(Stop::Wrong("the workspace is there after `deinit`".to_owned()));
        }
        Ok(())
    }
}
