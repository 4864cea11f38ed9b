//! What failed disks, damaged files and half-done repairs leave behind, and that work goes on from there.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fencehold::Error;
use fencehold::fs::RealFs;
use fencehold::ledger::{FenceStanding, Verdict};
use fencehold_model::event::Process;
use fencehold_model::lock::{Command, Proof};
use fencehold_model::record::{self, Head};
use fencehold_model::state::Boot;
use fencehold_model::{Holder, LockName, State, Token};

use crate::hooked::{Act, Hooked};
use crate::journal_races::{Workspace, acquire, asking, fill, ledger, token};

fn name(text: &str) -> LockName {
    LockName::new(text).unwrap()
}

fn granted(workspace: &Workspace, lock: &str, holder: &str, ttl_ms: u64) -> Token {
    token(&workspace.on(RealFs).submit(&asking(), &acquire(lock, holder, ttl_ms)).unwrap())
}

/// Changes one byte of line `line` of a file.
fn damage(path: &Path, line: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.split_inclusive(|&byte| byte == b'\n').take(line).map(<[u8]>::len).sum::<usize>();
    bytes[at + 20] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_token_stays_stale_when_the_newer_grant_was_broken() {
    let workspace = Workspace::new();
    let old = granted(&workspace, "l", "a", 100);
    workspace.host.pass(200);
    let newer = granted(&workspace, "l", "b", 100);
    assert!(newer > old);
    let ledger = workspace.on(RealFs);
    let breaks = Command::Break { name: name("l"), reason: "stuck".to_owned() };
    ledger.submit(&asking(), &breaks).unwrap();
    for forgotten in [false, true] {
        if forgotten {
            fill(&ledger);
            workspace.host.pass(11 * 60 * 1000);
            granted(&workspace, "other", "a", 100);
        }
        let standing = ledger.fence_standing(&name("l"), old).unwrap();
        assert!(matches!(standing, FenceStanding::Stale { .. }), "{standing:?}, forgotten: {forgotten}");
    }
}

const STEP: u64 = 1 << 20;

/// A workspace whose next event is the last below the floor.
fn next_to_the_floor() -> Workspace {
    let workspace = Workspace::new();
    let id = workspace.on(RealFs).workspace().unwrap();
    let boot =
        Boot { boot: fencehold_model::id::BootId::new("boot-1").unwrap(), anchor_ms: 0, monotonic_ms: 0 };
    let state = State { revision: STEP - 2, boot: Some(boot), ..State::default() };
    let (line, _) = record::write_head(&Head { workspace: id, n: 1, state }, STEP - 2);
    std::fs::write(workspace.path("journal.1.ndjson"), line).unwrap();
    workspace
}

/// A process died between the rename of a higher floor and the sync of the directory. The next one's own sync of it
/// failed; tried again, it went by the floor that it had read before, and synced nothing.
#[test]
fn a_floor_that_a_dead_process_raised_is_synced_by_who_goes_by_it_though_that_failed_before() {
    let workspace = next_to_the_floor();
    assert_eq!(granted(&workspace, "a", "a", 1000), STEP - 1);
    let mut renamed = false;
    let dying = workspace.on(Hooked::new(move |call, path| {
        let floor_moved = std::mem::replace(&mut renamed, call == "rename" && path.ends_with("floor.json"));
        if call == "sync_dir" && floor_moved { Act::Fail(ErrorKind::Other) } else { Act::Go }
    }));
    dying.submit(&asking(), &acquire("b", "a", 1000)).unwrap_err();
    drop(dying);

    let calls = Arc::new(Mutex::new(Vec::new()));
    let (seen, mut failed) = (Arc::clone(&calls), false);
    let ledger = workspace.on(Hooked::new(move |call, path| {
        seen.lock().unwrap().push(format!("{call} {}", path.file_name().unwrap().to_string_lossy()));
        if call == "sync_dir" && !failed {
            failed = true;
            return Act::Fail(ErrorKind::Other);
        }
        Act::Go
    }));
    ledger.submit(&asking(), &acquire("b", "a", 1000)).unwrap_err();
    calls.lock().unwrap().clear();
    assert!(token(&ledger.submit(&asking(), &acquire("b", "a", 1000)).unwrap()) >= STEP);
    let calls = calls.lock().unwrap();
    let first = |what: &str| calls.iter().position(|call| call == what);
    let synced = first("sync_dir ws");
    assert!(synced.is_some() && synced < first("append journal.1.ndjson"), "{calls:?}");
}

#[test]
fn a_floor_whose_sync_failed_is_not_relied_on() {
    let workspace = next_to_the_floor();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (seen, mut failed) = (Arc::clone(&calls), false);
    let ledger = workspace.on(Hooked::new(move |call, path| {
        let mut seen = seen.lock().unwrap();
        let floor_moved = seen.last().is_some_and(|last| last == "rename floor.json");
        seen.push(format!("{call} {}", path.file_name().unwrap().to_string_lossy()));
        if call == "sync_dir" && floor_moved && !failed {
            failed = true;
            seen.push("failed".to_owned());
            return Act::Fail(ErrorKind::Other);
        }
        Act::Go
    }));
    assert_eq!(token(&ledger.submit(&asking(), &acquire("a", "a", 1000)).unwrap()), STEP - 1);
    ledger.submit(&asking(), &acquire("b", "a", 1000)).unwrap_err();
    assert!(token(&ledger.submit(&asking(), &acquire("b", "a", 1000)).unwrap()) >= STEP);
    let calls = calls.lock().unwrap();
    let after = calls.iter().rposition(|call| call == "failed").unwrap();
    let next = |what: &str| calls[after..].iter().position(|call| call == what);
    assert!(
        next("sync_dir ws") < next("append journal.1.ndjson") && next("sync_dir ws").is_some(),
        "{calls:?}"
    );
}

#[test]
fn a_floor_below_the_journal_is_damage_that_repair_mends() {
    let workspace = Workspace::new();
    let stale = std::fs::read(workspace.path("floor.json")).unwrap();
    let before = granted(&workspace, "l", "a", 100);
    std::fs::write(workspace.path("floor.json"), stale).unwrap();
    let host = workspace.host.rebooted("boot-2");
    let next = || ledger(RealFs, &host, &workspace.path("")).submit(&asking(), &acquire("m", "a", 100));
    assert!(matches!(next(), Err(Error::Damaged { .. })));
    workspace.on(RealFs).journal().repair().unwrap();
    assert!(token(&next().unwrap()) > before);
}

#[test]
fn tokens_grow_over_a_floor_and_many_boots_that_were_lost() {
    let workspace = Workspace::new();
    granted(&workspace, "l", "a", 100);
    let mut last = 0;
    for boot in 0..40 {
        let host = workspace.host.rebooted(&format!("later-{boot}"));
        let ledger = ledger(RealFs, &host, &workspace.path(""));
        last = token(&ledger.submit(&asking(), &acquire(&format!("l{boot}"), "a", 100)).unwrap());
    }
    damage(&workspace.path("journal.1.ndjson"), 3);
    std::fs::remove_file(workspace.path("floor.json")).unwrap();
    let host = workspace.host.rebooted("last");
    ledger(RealFs, &host, &workspace.path("")).journal().repair().unwrap();
    let ledger = ledger(RealFs, &host, &workspace.path(""));
    assert!(token(&ledger.submit(&asking(), &acquire("m", "a", 100)).unwrap()) > last);
}

#[test]
fn a_copy_whose_first_own_file_is_damaged_is_repaired_for_good() {
    let workspace = Workspace::new();
    let before = granted(&workspace, "l", "a", 100_000);
    std::fs::rename(workspace.path("lock"), workspace.path("old")).unwrap();
    std::fs::write(workspace.path("lock"), "").unwrap();
    // The folder is a copy now: it begins journal.2 under an id of its own.
    granted(&workspace, "m", "a", 100);
    damage(&workspace.path("journal.2.ndjson"), 0);
    workspace.on(RealFs).journal().repair().unwrap();
    assert!(granted(&workspace, "n", "a", 100) > before);
}

#[test]
fn a_journal_that_is_missing_is_repaired() {
    let workspace = Workspace::new();
    let before = granted(&workspace, "l", "a", 100_000);
    std::fs::remove_file(workspace.path("journal.1.ndjson")).unwrap();
    let damaged = workspace.on(RealFs).submit(&asking(), &acquire("m", "a", 100));
    assert!(matches!(damaged, Err(Error::Damaged { .. })));
    let report = workspace.on(RealFs).journal().repair().unwrap();
    assert!(!report.done.is_empty());
    assert!(granted(&workspace, "m", "a", 100) > before);
}

#[test]
fn a_repair_goes_on_from_the_file_before_though_it_was_not_archived() {
    let workspace = Workspace::new();
    granted(&workspace, "l", "a", 100_000);
    let ledger = workspace.on(Hooked::nth("rename_new", "archive", 1, Act::Fail(ErrorKind::StorageFull)));
    fill(&ledger);
    token(&ledger.submit(&asking(), &acquire("m", "a", 100)).unwrap());
    drop(ledger);
    damage(&workspace.path("journal.2.ndjson"), 0);
    workspace.on(RealFs).journal().repair().unwrap();
    let seen = workspace.on(RealFs).show(&name("l")).unwrap();
    assert!(seen.value.grant.is_some(), "its grant stands in journal.1");
}

#[test]
fn a_reader_does_not_rely_on_a_file_whose_sync_failed() {
    let workspace = Workspace::new();
    granted(&workspace, "l", "a", 100_000);
    let failing = workspace.on(Hooked::nth("sync", "journal.1", 1, Act::Fail(ErrorKind::Other)));
    let unknown = failing.submit(&asking(), &acquire("m", "a", 100_000)).unwrap_err();
    assert!(matches!(unknown, Error::Indefinite { .. }));
    let seen = workspace.on(RealFs).show(&name("m")).unwrap();
    let rotated = workspace.path("journal.2.ndjson").exists();
    assert!(seen.value.grant.is_none() || rotated, "it stands in a file that may not be durable");
}

#[test]
fn a_release_needs_no_room_for_a_rotation() {
    let workspace = Workspace::new();
    let held = granted(&workspace, "l", "a", 100_000);
    let ledger = workspace.on(Hooked::nth("create", "journal.2", 1, Act::Fail(ErrorKind::StorageFull)));
    fill(&ledger);
    let release =
        Command::Release { name: name("l"), holder: Holder::new("a").unwrap(), proof: Proof::Token(held) };
    let answer = ledger.submit(&asking(), &release).unwrap();
    assert!(matches!(answer.verdict, Verdict::Released { already: false, .. }));
    assert!(workspace.on(RealFs).show(&name("l")).unwrap().value.grant.is_none());
}

#[test]
fn a_file_called_like_the_last_journal_of_all_is_none() {
    let workspace = Workspace::new();
    granted(&workspace, "l", "a", 100_000);
    std::fs::write(workspace.path(&format!("journal.{}.ndjson", u64::MAX)), "").unwrap();
    granted(&workspace, "m", "a", 100_000);
    workspace.on(RealFs).journal().repair().unwrap();
}

#[test]
fn a_renewal_of_a_bound_lock_whose_process_nobody_sees_promises_its_ttl_and_no_more() {
    let workspace = Workspace::new();
    let boot = fencehold_model::id::BootId::new("boot-1").unwrap();
    let elsewhere = Process { pid: 1, start_ticks: 1, boot, pid_namespace: 1, host: "elsewhere".to_owned() };
    let Command::Acquire { name, holder, claim, ttl_ms, asked_by, .. } = acquire("l", "a", 1000) else {
        unreachable!("it is an acquire")
    };
    let bound = Command::Acquire {
        name: name.clone(),
        holder: holder.clone(),
        claim,
        ttl_ms,
        asked_by,
        bound: Some(elsewhere),
    };
    let ledger = workspace.on(RealFs);
    let proof = Proof::Token(token(&ledger.submit(&asking(), &bound).unwrap()));
    let answer = ledger.submit(&asking(), &Command::Renew { name, holder, proof, ttl_ms: Some(10) }).unwrap();
    assert!(matches!(answer.verdict, Verdict::Granted { expires_ms: Some(_), .. }), "{:?}", answer.verdict);
}

#[test]
fn a_copy_has_its_own_id_before_a_mark_can_carry_it() {
    let workspace = Workspace::new();
    let original = workspace.on(RealFs).workspace().unwrap();
    std::fs::rename(workspace.path("lock"), workspace.path("old")).unwrap();
    std::fs::write(workspace.path("lock"), "").unwrap();
    let asked = workspace.on(RealFs).workspace().unwrap();
    assert_ne!(asked, original);
    granted(&workspace, "l", "a", 100);
    assert_eq!(workspace.on(RealFs).workspace().unwrap(), asked);
}

#[test]
fn a_bound_lock_of_an_earlier_boot_stays_lapsed_however_many_boots_follow() {
    let workspace = Workspace::new();
    let boot = fencehold_model::id::BootId::new("boot-1").unwrap();
    let bound = Some(Process { pid: 1, start_ticks: 1, boot, pid_namespace: 1, host: "here".to_owned() });
    let Command::Acquire { name: lock, holder, claim, asked_by, .. } = acquire("l", "a", 1000) else {
        unreachable!("it is an acquire")
    };
    let ttl_ms = fencehold_model::lock::TTL_MS_MAX;
    let command = Command::Acquire { name: lock, holder, claim, ttl_ms, asked_by, bound };
    token(&workspace.on(RealFs).submit(&asking(), &command).unwrap());
    for boot in 0..40 {
        let host = workspace.host.rebooted(&format!("later-{boot}"));
        let ledger = ledger(RealFs, &host, &workspace.path(""));
        token(&ledger.submit(&asking(), &acquire("other", &format!("h{boot}"), 1)).unwrap());
        assert!(ledger.show(&name("l")).unwrap().value.grant.is_none(), "after {boot} more boots");
        workspace.host.pass(10);
    }
}
