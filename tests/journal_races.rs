//! Readers, writers and threads that are held up between two calls while others go on.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use fencehold::fs::{Fs, RealFs};
use fencehold::host::{Clock, Host, Reading, RealHost};
use fencehold::journal::{self, Asking, FileJournal, Journal as _, Modes, Options};
use fencehold::ledger::{Answer, Ledger, Verdict};
use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lock::{Command, Liveness, Proof};
use fencehold_model::{Claim, Event, Holder, LockName, OpId, Token};

use crate::hooked::{Act, Hooked};

/// A machine whose clock is set by hand.
#[derive(Clone)]
pub(crate) struct SetHost {
    boot: BootId,
    ms: Arc<AtomicU64>,
    drawn: Arc<AtomicU64>,
}

impl SetHost {
    pub(crate) fn new() -> Self {
        let at = |ms| Arc::new(AtomicU64::new(ms));
        SetHost { boot: BootId::new("boot-1").unwrap(), ms: at(1000), drawn: at(1) }
    }

    pub(crate) fn rebooted(&self, boot: &str) -> Self {
        SetHost { boot: BootId::new(boot).unwrap(), ..self.clone() }
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SetHost {
    fn boot(&self) -> BootId {
        self.boot.clone()
    }
    fn reading(&self) -> Reading {
        let ms = self.ms.load(Ordering::SeqCst);
        // Far ahead, as after a night of suspend.
        Reading { monotonic_ms: ms, wall_ms: 1_000_000_000 + 10 * ms }
    }
}

impl Host for SetHost {
    fn liveness(&self, _: &Process) -> Liveness {
        Liveness::Unknowable
    }
    fn random(&self) -> u128 {
        self.drawn.fetch_add(1, Ordering::SeqCst).into()
    }
}

/// A folder with a workspace in it.
pub(crate) struct Workspace {
    pub(crate) host: SetHost,
    pub(crate) dir: tempfile::TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let workspace = Workspace { host: SetHost::new(), dir: tempfile::tempdir().unwrap() };
        assert!(journal::create(&RealFs, &workspace.host, &workspace.path(""), Modes::Owner).unwrap());
        workspace
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        let dir = self.dir.path().join("ws");
        if name.is_empty() { dir } else { dir.join(name) }
    }

    pub(crate) fn on<F: Fs>(&self, fs: F) -> Ledger<FileJournal<F, SetHost>, SetHost> {
        ledger(fs, &self.host, &self.path(""))
    }
}

pub(crate) fn ledger<F: Fs>(fs: F, host: &SetHost, dir: &Path) -> Ledger<FileJournal<F, SetHost>, SetHost> {
    let options = Options { patience: Duration::from_millis(20), ..Options::default() };
    Ledger::new(FileJournal::new(fs, host.clone(), dir, options), host.clone())
}

/// A question under an operation id of its own.
pub(crate) fn asking() -> Asking {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let op = format!("op-{}", ASKED.fetch_add(1, Ordering::SeqCst));
    Asking { actor: Holder::new("a").unwrap(), op: OpId::new(&op).unwrap() }
}

pub(crate) fn acquire(name: &str, holder: &str, ttl_ms: u64) -> Command {
    Command::Acquire {
        name: LockName::new(name).unwrap(),
        holder: Holder::new(holder).unwrap(),
        claim: Some(Claim::new(holder).unwrap()),
        ttl_ms,
        bound: None,
        asked_by: None,
    }
}

pub(crate) fn token(answer: &Answer) -> Token {
    match answer.verdict {
        Verdict::Granted { token, .. } => token,
        ref other => panic!("{other:?} is no grant"),
    }
}

/// Makes the next commit rotate; returns how many events there are.
pub(crate) fn fill<F: Fs>(ledger: &Ledger<FileJournal<F, SetHost>, SetHost>) -> usize {
    let mut events = 1;
    let file = ledger.journal().dir().join("journal.1.ndjson");
    let name = || LockName::new("filler").unwrap();
    let long = Command::Break { name: name(), reason: "x".repeat(4000) };
    let head = std::fs::read_to_string(&file).unwrap().lines().next().unwrap().len() as u64 + 1;
    let mut commands = [acquire("filler", "f", 1000), long].into_iter().cycle();
    while std::fs::metadata(&file).unwrap().len() <= journal::ROTATE_BYTES + head {
        ledger.submit(&asking(), &commands.next().unwrap()).unwrap();
        events += 1;
    }
    events
}

#[test]
fn a_reader_whose_file_is_archived_before_it_opens_it_reads_the_next_one() {
    let workspace = Workspace::new();
    let writer = workspace.on(RealFs);
    fill(&writer);
    let mut writer = Some(writer);
    let reader = workspace.on(Hooked::new(move |call, path| {
        if call == "open" && path.ends_with("journal.1.ndjson") {
            // It is listed; now somebody rotates.
            token(&writer.take().unwrap().submit(&asking(), &acquire("l", "a", 1000)).unwrap());
        }
        Act::Go
    }));
    let seen = reader.show(&LockName::new("l").unwrap()).unwrap();
    assert!(seen.value.grant.is_some());
}

#[test]
fn a_reader_that_is_held_up_does_not_find_a_renewed_lock_lapsed() {
    let workspace = Workspace::new();
    let writer = workspace.on(RealFs);
    let token = token(&writer.submit(&asking(), &acquire("l", "a", 1000)).unwrap());
    let host = workspace.host.clone();
    let mut writer = Some(writer);
    let reader = workspace.on(Hooked::new(move |call, _| {
        if call == "sync"
            && let Some(writer) = writer.take()
        {
            // It has read the file; now the holder renews in time, and the old expiry passes.
            host.pass(900);
            let (name, holder) = (LockName::new("l").unwrap(), Holder::new("a").unwrap());
            let renew = Command::Renew { name, holder, proof: Proof::Token(token), ttl_ms: Some(5000) };
            writer.submit(&asking(), &renew).unwrap();
            host.pass(900);
        }
        Act::Go
    }));
    let seen = reader.show(&LockName::new("l").unwrap()).unwrap();
    assert!(seen.value.grant.is_some(), "never was it free");
}

#[test]
fn an_event_that_is_archived_while_the_history_is_read_is_in_it() {
    for moment in ["list", "open"] {
        let workspace = Workspace::new();
        let writer = workspace.on(RealFs);
        let events = fill(&writer);
        let (mut writer, mut lists) = (Some(writer), 0);
        let reader = workspace.on(Hooked::with_looks(move |call, path| {
            lists += usize::from(call == "list");
            let now = call == moment && (path.ends_with("journal.1.ndjson") || lists == 2);
            if let Some(writer) = writer.take_if(|_| now) {
                writer.submit(&asking(), &acquire("l", "a", 1000)).unwrap();
            }
            Act::Go
        }));
        let mut read = 0;
        let notes = reader.journal().history(|_| read += 1).unwrap();
        assert!(notes.is_empty() && read >= events, "{moment}: {read} of {events} events, {notes:?}");
    }
}

#[test]
fn a_writer_that_cannot_look_at_the_lock_it_has_taken_lets_it_go() {
    let workspace = Workspace::new();
    token(&workspace.on(RealFs).submit(&asking(), &acquire("l", "a", 1000)).unwrap());
    let mut taken = false;
    let failing = workspace.on(Hooked::with_looks(move |call, path| {
        taken |= call == "lock";
        match taken && call == "stat" && path.ends_with("lock") {
            true => Act::Fail(std::io::ErrorKind::PermissionDenied),
            false => Act::Go,
        }
    }));
    failing.submit(&asking(), &acquire("m", "a", 1000)).unwrap_err();
    // The failed one is still there, as in a process that goes on.
    token(&workspace.on(RealFs).submit(&asking(), &acquire("m", "b", 1000)).unwrap());
    drop(failing);
}

#[test]
fn a_panic_in_a_decision_leaves_the_os_lock_free() {
    let workspace = Workspace::new();
    let ledger = workspace.on(RealFs);
    let decide = |_: &_, _| -> Result<Event, ()> { panic!("a bug of the caller's") };
    std::panic::catch_unwind(AssertUnwindSafe(|| ledger.journal().commit(&asking(), decide))).unwrap_err();
    token(&workspace.on(RealFs).submit(&asking(), &acquire("m", "b", 1000)).unwrap());
    token(&ledger.submit(&asking(), &acquire("n", "b", 1000)).unwrap());
}

#[test]
fn an_answer_counts_by_journal_time_where_another_thread_just_failed() {
    let workspace = Workspace::new();
    let ledger = workspace.on(RealFs);
    token(&ledger.submit(&asking(), &acquire("l", "a", 60_000)).unwrap());
    let answered = ledger.journal().now_ms().unwrap();
    workspace.host.pass(5);
    // What another thread's failure leaves behind: no tail.
    std::fs::rename(workspace.path("floor.json"), workspace.path("away")).unwrap();
    std::fs::rename(workspace.path("lock"), workspace.path("lock.away")).unwrap();
    ledger.submit(&asking(), &acquire("m", "a", 1000)).unwrap_err();
    assert_eq!(ledger.journal().now_ms().unwrap(), answered + 5, "not wall time");
}

#[test]
fn a_creator_that_another_takes_for_dead_makes_no_workspace_without_a_lock() {
    let dir = tempfile::tempdir().unwrap();
    let (host, at) = (SetHost::new(), dir.path().join("ws"));
    let (go, wait) = mpsc::channel::<()>();
    let (reached, sweeping) = mpsc::channel::<()>();
    let (done, swept) = mpsc::channel::<()>();
    let sweeper = {
        Hooked::with_looks(move |call, path| {
            if call == "unlink" && path.ends_with("lock") {
                reached.send(()).unwrap();
                wait.recv_timeout(Duration::from_secs(10)).unwrap();
            }
            // It comes to nothing itself.
            if call == "make_dir" { Act::Fail(std::io::ErrorKind::StorageFull) } else { Act::Go }
        })
    };
    let mut start = Some((sweeper, host.clone(), at.clone(), done));
    let (mut held_up, mut go) = (false, Some(go));
    let slow = Hooked::with_looks(move |call, path| {
        if call == "lock"
            && let Some((sweeper, host, at, done)) = start.take()
        {
            // It has made its `lock` and not taken it; another creator sweeps.
            std::thread::spawn(move || {
                let _ = journal::create(&sweeper, &host, &at, Modes::Owner);
                let _ = done.send(());
            });
            held_up = sweeping.recv_timeout(Duration::from_millis(500)).is_ok();
        }
        if call == "sync_dir" && path.to_string_lossy().contains(".new-") && held_up {
            // It is filled; the other goes on.
            if let Some(go) = go.take() {
                go.send(()).unwrap();
                swept.recv_timeout(Duration::from_secs(10)).unwrap();
            }
        }
        Act::Go
    });
    let _ = journal::create(&slow, &host, &at, Modes::Owner);
    drop(slow);
    if at.exists() {
        token(&ledger(RealFs, &host, &at).submit(&asking(), &acquire("l", "a", 1000)).unwrap());
    }
}

/// A directory is made and then given its mode; another creator sweeps it in between, as it was empty and had no `lock`.
#[test]
fn a_creator_whose_folder_is_swept_before_it_has_its_mode_begins_again() {
    let (dir, host) = (tempfile::tempdir().unwrap(), SetHost::new());
    let at = dir.path().join("ws");
    let swept = Hooked::nth("make_dir", ".new-", 1, Act::Fail(std::io::ErrorKind::NotFound));
    assert!(journal::create(&swept, &host, &at, Modes::Owner).unwrap());
    token(&ledger(RealFs, &host, &at).submit(&asking(), &acquire("l", "a", 1000)).unwrap());
    // Where there is nothing to make it in, that is what is said.
    let nowhere = dir.path().join("none/ws");
    let error = journal::create(&RealFs, &host, &nowhere, Modes::Owner).unwrap_err();
    assert!(error.to_string().contains("No such file or directory"), "{error}");
}

/// How often four creators meet. Without the beginning anew one of them failed in the 1st to the 64th.
const ROUNDS: usize = 64;

/// The same on the real disk, by many at once.
#[test]
fn creators_that_meet_all_come_to_one_workspace() {
    let (dir, mut made) = (tempfile::tempdir().unwrap(), 0);
    for round in 0..ROUNDS {
        let at = dir.path().join(round.to_string());
        std::fs::create_dir(&at).unwrap();
        let create = || journal::create(&RealFs, &RealHost::new().unwrap(), &at.join("ws"), Modes::Owner);
        let answers = std::thread::scope(|scope| {
            let creators = [(); 4].map(|()| scope.spawn(create));
            creators.map(|creator| creator.join().unwrap())
        });
        made += answers.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
    }
    assert_eq!(made, ROUNDS);
}
