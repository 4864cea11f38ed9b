//! The shipped hook, asked by processes that stand in for harnesses; or a known broken one, asked in the same way.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::{FileJournal, Options};
use fencehold::ledger::{Ledger, Verdict};
use fencehold_model::event::Process;
use fencehold_model::lock::Command;
use fencehold_model::{Claim, Holder};
use fencehold_stress::guard::SHIPPED;
use fencehold_stress::target::{Child, Signal, Spec};
use serde_json::{Value, json};

use super::guard::{Answer, At, Call, Checkout, Damage, Guard, Half, Who};
use crate::program::{Said, Yard};
use crate::spec_kit::{asking, lock};

/// Longer than a hook ever takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// An end that took so long may not have been done: nothing is promised of one that fails.
const SURE_WITHIN_US: u64 = 400_000;
const TTL_MS: u64 = 200;

struct Session {
    id: String,
    cwd: PathBuf,
    process: Child,
    pid: u64,
    /// The token that it saw when a half was begun, or when it was let in.
    token: Option<u64>,
}

/// A checkout with a hook.
pub(super) struct Shipped {
    yard: Yard,
    /// What stands beside the checkout: a link to it, a second worktree, what processes say.
    beside: Yard,
    hook: &'static str,
    sessions: Vec<Session>,
    /// Processes that have a number which was another's.
    strangers: Vec<Child>,
    calls: u64,
}

impl Shipped {
    pub(super) fn new() -> Self {
        Shipped::asking(SHIPPED)
    }

    /// The same with the hook of this word.
    pub(super) fn asking(hook: &'static str) -> Self {
        let (yard, beside) = (Yard::with_git(), Yard::new());
        yard.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        yard.git(&["worktree", "add", "-q", &beside.join("tree").to_string_lossy()]);
        fs::create_dir(yard.join("below")).unwrap();
        symlink(yard.path(), beside.join("link")).unwrap();
        let shipped = Shipped { yard, beside, hook, sessions: Vec::new(), strangers: Vec::new(), calls: 0 };
        shipped.ok(&["init"]);
        // Whoever can see a session's process does not go by this.
        fs::write(shipped.workspace().join("config.toml"), format!("hook_ttl = \"{TTL_MS}ms\"\n")).unwrap();
        shipped
    }

    fn workspace(&self) -> PathBuf {
        self.yard.join(".git/fencehold")
    }

    fn ok(&self, args: &[&str]) -> Said {
        let said = self.yard.run(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said
    }

    /// The token of the lock, where this session has it.
    fn token(&self, who: Who) -> Option<u64> {
        let said = self.yard.run(["--json", "lock", "show", "workspace"]);
        let held: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
        (held["holder"] == self.sessions[who].id.as_str()).then(|| held["token"].as_u64())?
    }

    fn stand_in(&self, home: &str) -> Child {
        let program = env!("CARGO_BIN_EXE_fencehold-under-test");
        // `env` becomes the program that it starts.
        let home = format!("HOME={home}");
        let words = ["env", &home, program, "stand-in", self.hook].map(str::to_owned);
        Spec::command(&words).unwrap().spawn(&self.yard.path(), &self.beside.join("stderr")).unwrap()
    }

    fn request(&mut self, who: Who, event: &str, call: Call) -> Value {
        let session = &self.sessions[who];
        let (tool, input) = match call {
            Call::Moves => ("Bash", json!({ "command": "git checkout topic" })),
            Call::Reads => ("Bash", json!({ "command": "git log --oneline | head" })),
            Call::Unknown => ("mcp__files__write", json!({ "where": "x" })),
        };
        let payload = json!({ "session_id": session.id, "cwd": session.cwd, "hook_event_name": "x",
            "tool_name": tool, "tool_input": input });
        self.calls += 1;
        json!({ "id": self.calls, "event": event, "payload": payload.to_string() })
    }

    fn tell(&mut self, who: Who, event: &str) {
        // What is not sure to have been done is told again.
        for _ in 0..10 {
            let request = self.request(who, event, Call::Moves);
            let answer = self.sessions[who].process.request(&request, PATIENCE).unwrap();
            assert_eq!((&answer["code"], &answer["out"]), (&json!(0), &json!("{}\n")), "{answer}");
            if answer["took_us"].as_u64().unwrap() < SURE_WITHIN_US {
                return;
            }
        }
        panic!("no {event} in time");
    }

    fn ledger(&self) -> Ledger<FileJournal<RealFs, RealHost>, RealHost> {
        let host = RealHost::new().unwrap();
        Ledger::new(FileJournal::new(RealFs, host.clone(), &self.workspace(), Options::default()), host)
    }

    fn start(process: &Child) -> Process {
        RealHost::new().unwrap().process(u64::from(process.pid())).unwrap()
    }
}

/// What a hook answered; none where it had no time to decide.
fn answer(answer: &Value) -> Option<Answer> {
    let out = answer["out"].as_str().unwrap();
    assert_eq!(answer["code"], 0, "{answer}");
    if out == "{}\n" {
        return Some(Answer::Passes);
    }
    let decision: Value = serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let why = crate::guard::play::reason(&decision);
    (!why.contains("no answer within")).then_some(Answer::Blocked(why))
}

impl Guard for Shipped {
    fn begin(&mut self, id: &str, at: At, home: &str) -> Who {
        let cwd = match at {
            At::Top => self.yard.path(),
            At::Below => self.yard.join("below"),
            At::Link => self.beside.join("link"),
            At::Worktree => self.beside.join("tree"),
        };
        let process = self.stand_in(home);
        let pid = u64::from(process.pid());
        self.sessions.push(Session { id: id.to_owned(), cwd, process, pid, token: None });
        self.sessions.len() - 1
    }

    fn asks(&mut self, who: Who, call: Call) -> Answer {
        for _ in 0..10 {
            let request = self.request(who, "pre-tool-use", call);
            let said = self.sessions[who].process.request(&request, PATIENCE).unwrap();
            if let Some(answer) = answer(&said) {
                if answer == Answer::Passes && call == Call::Moves {
                    self.sessions[who].token = self.token(who);
                }
                return answer;
            }
        }
        panic!("no answer in time, ten times");
    }

    fn dies(&mut self, who: Who) {
        self.sessions[who].process.kill_and_reap();
    }

    /// Its death is seen.
    fn lapses(&mut self, who: Who) {
        self.dies(who);
    }

    fn sleeps(&mut self, who: Who) {
        assert!(self.sessions[who].process.signal(Signal::STOP));
    }

    fn wakes(&mut self, who: Who) {
        assert!(self.sessions[who].process.signal(Signal::CONT));
    }
}

impl Checkout for Shipped {
    fn pid(&self, who: Who) -> u64 {
        self.sessions[who].pid
    }

    fn ask_at_once(&mut self, all: &[Who]) -> Vec<Answer> {
        for who in all {
            let request = format!("{}\n", self.request(*who, "pre-tool-use", Call::Moves));
            self.sessions[*who].process.send(request.as_bytes(), PATIENCE).unwrap();
        }
        let undecided = || Answer::Blocked("no answer in time".to_owned());
        let said = all.iter().map(|who| self.sessions[*who].process.receive(PATIENCE).unwrap());
        said.collect::<Vec<_>>().iter().map(|said| answer(said).unwrap_or_else(undecided)).collect()
    }

    fn stops(&mut self, who: Who) {
        self.tell(who, "stop");
    }

    fn ends(&mut self, who: Who) {
        self.tell(who, "session-end");
    }

    fn begins(&mut self, who: Who, _: Half) {
        self.sessions[who].token = self.token(who);
        assert!(self.sessions[who].token.is_some(), "it has the lock");
    }

    /// What the hook does once it has seen its own grant.
    fn finishes(&mut self, who: Who, half: Half) {
        let session = &self.sessions[who];
        let (id, token) = (session.id.clone(), session.token.expect("it was begun").to_string());
        let word = if half == Half::Refresh { "renew" } else { "release" };
        let said = self.yard.run(["lock", word, "workspace", "--token", &token, "--holder", &id]);
        // A release that is repeated is none.
        assert!(said.code <= 1, "{said:?}");
    }

    fn dies_and_its_number_is_used_again(&mut self, who: Who) {
        self.dies(who);
        let stranger = self.stand_in("/home/stranger");
        // The journal names a process of this number that began at another time.
        let is = Shipped::start(&stranger);
        let was = Process { start_ticks: is.start_ticks - 1, ..is };
        self.strangers.push(stranger);
        let id = self.sessions[who].id.clone();
        let again = Command::Acquire {
            name: lock("workspace"),
            holder: Holder::new(&id).unwrap(),
            claim: Some(Claim::new("used-again").unwrap()),
            ttl_ms: 3_600_000,
            bound: Some(was),
            asked_by: None,
        };
        let verdict = self.ledger().submit(&asking(&id), &again).unwrap().verdict;
        assert!(matches!(verdict, Verdict::Granted { .. }), "{verdict:?}");
    }

    fn outlast_ttl(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2 * TTL_MS) {
            self.ok(&["lock", "show", "workspace"]);
        }
    }

    fn damage(&mut self, how: Damage) {
        let kept = match self.hook {
            SHIPPED => self.workspace().join("journal.1.ndjson"),
            _ => self.yard.join(".git/workspace-guarded-by"),
        };
        match how {
            Damage::CutShort => {
                let bytes = fs::read(&kept).unwrap();
                fs::write(&kept, &bytes[..bytes.len() / 2]).unwrap();
            }
            Damage::Unreadable => {
                fs::remove_file(&kept).unwrap();
                fs::create_dir(&kept).unwrap();
            }
        }
    }

    fn records(&self) -> usize {
        let text = fs::read_to_string(self.workspace().join("failed-open.ndjson")).unwrap_or_default();
        text.lines().count()
    }

    fn broken_by_hand(&mut self) {
        self.ok(&["lock", "break", "workspace", "--reason", "it sleeps"]);
    }

    fn writes(&mut self, who: Who) -> bool {
        let session = &self.sessions[who];
        let (id, fence) = (session.id.clone(), format!("lock/workspace={}", session.token.unwrap()));
        let document = self.yard.join("plan.json");
        let value = json!({ "by": id }).to_string();
        let said = self.yard.run([
            Path::new("doc").as_os_str(),
            "update".as_ref(),
            document.as_os_str(),
            "--merge".as_ref(),
            value.as_ref(),
            "--fence".as_ref(),
            fence.as_ref(),
        ]);
        assert!(said.code <= 1, "{said:?}");
        said.code == 0
    }
}
