use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use fencehold::error::Error;
use fencehold::fs::RealFs;
use fencehold::mark::{Access, Fence, Folder, Last, Refusal, ResourceLock, Shown};
use fencehold_model::{LeaseId, LockName, WorkspaceId};

use crate::site::{Site, fence};

const SOON: Duration = Duration::from_millis(30);

/// Shows a fence at a resource as an operation does.
fn show(lock: &ResourceLock<RealFs>, shown: &Shown, access: Access) -> Result<(), Refusal> {
    let mut held = lock.take(SOON).unwrap();
    let pass = held.check(shown, access).unwrap()?;
    held.raise(&pass).unwrap();
    Ok(())
}

#[test]
fn every_spelling_of_a_path_meets_one_key() {
    let site = Site::new();
    std::fs::create_dir_all(site.path("a/b")).unwrap();
    symlink("a/b", site.path("short")).unwrap();
    symlink("short/x.json", site.path("link.json")).unwrap();
    site.write("a/b/x.json", "{}");
    let absolute = site.path("a/b/x.json");
    let spellings = [
        "a/b/x.json",
        "./a//b/x.json",
        "short/x.json",
        "a/../a/b/x.json",
        "link.json",
        absolute.to_str().unwrap(),
    ];
    let keys: std::collections::BTreeSet<String> = spellings
        .iter()
        .map(|name| site.rooted().locate(&RealFs, Path::new(name), Last::Follow).unwrap().key())
        .collect();
    assert_eq!(keys.len(), 1, "of {} spellings", spellings.len());
}

#[test]
fn a_path_that_leaves_the_root_or_enters_the_workspace_is_refused() {
    let site = Site::new();
    std::fs::write(site.dir.path().join("outside"), "{}").unwrap();
    symlink("../outside", site.path("out.json")).unwrap();
    symlink("..", site.path("up")).unwrap();
    symlink(".fencehold", site.path("in")).unwrap();
    std::fs::create_dir(site.path("d")).unwrap();
    let temp = format!(".x.fencehold-{:032x}", 1);
    let bad = [
        "../outside",
        "d/../../outside",
        "/etc/passwd",
        "up/outside",
        "out.json",
        "in/doc/x",
        ".fencehold/floor.json",
        "",
        " ",
        "d/",
        ".",
        "..",
        "d/..",
        "a\0b",
        &temp,
    ];
    let mut refused = 0;
    for name in bad {
        match site.rooted().locate(&RealFs, Path::new(name), Last::Follow) {
            Err(Error::Usage(_)) => refused += 1,
            other => panic!("{name:?} gave {other:?}"),
        }
    }
    assert_eq!(refused, 15);
    let missing = site.rooted().locate(&RealFs, Path::new("none/x"), Last::Follow);
    assert!(matches!(missing, Err(Error::Environment { .. })));
}

#[test]
fn a_mark_is_raised_and_never_goes_down() {
    let site = Site::new();
    let lock = site.lock("x.json");
    assert_eq!(show(&lock, &Shown::nothing(), Access::Write), Ok(()), "not guarded yet");
    let mut stale = 0;
    for (token, access) in [(5, Access::Write), (5, Access::Read), (7, Access::Read), (9, Access::Write)] {
        assert_eq!(show(&lock, &fence("a", token), access), Ok(()));
        for older in [0, token - 1] {
            // A handle of its own, as another process has.
            let refusal = show(&site.lock("x.json"), &fence("a", older), access).unwrap_err();
            assert_eq!(refusal.word(), "stale_token");
            stale += 1;
        }
    }
    assert_eq!(stale, 8);
    assert_eq!(lock.take(SOON).unwrap().mark().unwrap().token, 9);
}

#[test]
fn once_guarded_only_its_lock_or_force_with_a_reason_writes() {
    let site = Site::new();
    let lock = site.lock("x.json");
    show(&lock, &fence("a", 5), Access::Write).unwrap();
    let word = |shown: &Shown, access| show(&lock, shown, access).map_err(|refusal| refusal.word());
    assert_eq!(word(&Shown::nothing(), Access::Write), Err("guarded"));
    assert_eq!(word(&Shown::nothing(), Access::Read), Ok(()));
    assert_eq!(word(&fence("b", 9), Access::Write), Err("guarded"));
    assert_eq!(word(&fence("b", 9), Access::Read), Err("guarded"), "it could not raise the mark");
    let forced = |shown: Shown, reason: &str| Shown { force: Some(reason.to_owned()), ..shown };
    assert_eq!(word(&forced(Shown::nothing(), " "), Access::Write), Err("needs_reason"));
    assert_eq!(word(&forced(fence("a", 4), "why"), Access::Write), Err("stale_token"));
    assert_eq!(word(&forced(Shown::nothing(), "why"), Access::Write), Ok(()));
    assert_eq!(lock.take(SOON).unwrap().mark().unwrap().token, 5, "force alone leaves the mark");
    assert_eq!(word(&forced(fence("b", 3), "why"), Access::Write), Ok(()));
    assert_eq!(word(&fence("a", 99), Access::Write), Err("guarded"), "handed over to b");
    assert_eq!(lock.take(SOON).unwrap().mark().unwrap().token, 5, "force never lowers the token");
    assert_eq!(word(&forced(fence("a", 4), "why"), Access::Write), Ok(()));
    assert_eq!(
        word(&fence("a", 4), Access::Write),
        Err("stale_token"),
        "handed back, and as stale as before"
    );
}

#[test]
fn a_mark_cut_anywhere_keeps_the_one_before() {
    let site = Site::new();
    let lock = site.lock("x.json");
    show(&lock, &fence("a", 5), Access::Write).unwrap();
    let path = site.path(".fencehold/doc").join(&site.names(".fencehold/doc")[0]);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(before.len(), 2048);
    show(&lock, &fence("a", 6), Access::Write).unwrap();
    let after = std::fs::read(&path).unwrap();
    let (mut old, mut new) = (0, 0);
    for cut in 0..=1024 {
        let mut torn = after[..cut].to_vec();
        torn.extend_from_slice(&before[cut..]);
        std::fs::write(&path, torn).unwrap();
        match site.lock("x.json").take(SOON).unwrap().mark().unwrap().token {
            5 => old += 1,
            6 => new += 1,
            other => panic!("token {other} at cut {cut}"),
        }
    }
    assert!(old > 0 && new > 0 && old + new == 1025, "{old} {new}");
}

#[test]
fn a_mark_that_cannot_be_obeyed_is_never_taken_for_none() {
    let site = Site::new();
    show(&site.lock("x.json"), &fence("a", 5), Access::Write).unwrap();
    let path = site.path(".fencehold/doc").join(&site.names(".fencehold/doc")[0]);
    let good = std::fs::read(&path).unwrap();
    let place = site.rooted().locate(&RealFs, Path::new("x.json"), Last::Follow).unwrap();
    let other = Folder { id: WorkspaceId::new("w2").unwrap(), ..site.folder() };
    let copied = ResourceLock::new(RealFs, other, &place).take(SOON).unwrap_err();
    assert!(matches!(&copied, Error::Damaged { what, .. } if what.contains("w1")), "{copied}");
    std::fs::write(&path, vec![b'x'; 2048]).unwrap();
    assert_eq!(site.lock("x.json").take(SOON).unwrap_err().exit_code(), 4);
    assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 2048]);
    let newer =
        String::from_utf8(good[..1024].to_vec()).unwrap().replace("\"fencehold\":1", "\"fencehold\":2");
    let (body, _) = newer.split_once(",\"crc\"").unwrap();
    let mut sealed = body.to_owned();
    fencehold_model::chain::seal(&mut sealed);
    let sealed = format!("{:1023}\n", sealed.trim_end());
    std::fs::write(&path, sealed).unwrap();
    assert!(matches!(site.lock("x.json").take(SOON), Err(Error::Newer { .. })));
}

#[test]
fn the_lock_is_waited_for_with_patience_and_survives_its_own_removal() {
    let site = Site::new();
    let lock = site.lock("x.json");
    let held = lock.take(SOON).unwrap();
    assert!(matches!(site.lock("x.json").take(SOON), Err(Error::Busy { .. })));
    let path = site.path(".fencehold/doc").join(&site.names(".fencehold/doc")[0]);
    std::fs::remove_file(&path).unwrap();
    assert!(!held.stands().unwrap());
    drop(site.lock("x.json").take(SOON).unwrap());
    drop(held);
    std::fs::set_permissions(site.path(".fencehold/doc"), std::fs::Permissions::from_mode(0o2770)).unwrap();
    std::fs::remove_file(&path).unwrap();
    drop(lock.take(SOON).unwrap());
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o660,
        "as the folder is shared"
    );
}

#[test]
fn who_waited_for_a_lock_that_was_removed_gets_the_one_that_stands() {
    let site = Site::new();
    let lock = site.lock("x.json");
    let held = lock.take(SOON).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let lock = site.lock("x.json");
            lock.take(Duration::from_secs(5)).unwrap().stands().unwrap()
        });
        // Long enough for the waiter to have opened the file; were it not, it would open the new one at once.
        std::thread::sleep(Duration::from_millis(100));
        std::fs::remove_file(site.path(".fencehold/doc").join(&site.names(".fencehold/doc")[0])).unwrap();
        drop(held);
        assert!(waiter.join().unwrap());
    });
}

/// The bytes are those of a program that knew no lease.
#[test]
fn a_mark_from_before_leases_is_obeyed() {
    let site = Site::new();
    let lock = site.lock("x.json");
    drop(lock.take(SOON).unwrap());
    let mut line = r#"{"fencehold":1,"workspace":"w1","seq":3,"fence":"lock/lease/a","token":5"#.to_owned();
    fencehold_model::chain::seal(&mut line);
    let slot = format!("{:1023}\n", line.trim_end());
    let path = site.path(".fencehold/doc").join(&site.names(".fencehold/doc")[0]);
    std::fs::write(path, format!("{}{slot}", "\0".repeat(1024))).unwrap();
    assert_eq!(lock.take(SOON).unwrap().mark().unwrap().right.to_string(), "lock/lease/a");
    assert!(show(&lock, &fence("lease/a", 4), Access::Write).is_err());
    show(&lock, &fence("lease/a", 5), Access::Write).unwrap();
    let lease = Fence::new(LeaseId::new("a").unwrap(), 6).unwrap();
    assert!(matches!(show(&lock, &Shown::fence(lease), Access::Write), Err(Refusal::Guarded(_))));
}

#[test]
fn a_fence_is_read_as_it_is_written() {
    let mut read = 0;
    for (lock, token) in [("a", 0), ("a/b=c", 7), ("ä b", (1 << 53) - 1)] {
        let fence = Fence::new(LockName::new(lock).unwrap(), token).unwrap();
        assert_eq!(fence.to_string().parse(), Ok(fence));
        let fence = Fence::new(LeaseId::new(lock).unwrap(), token).unwrap();
        assert_eq!(fence.to_string().parse(), Ok(fence));
        read += 2;
    }
    for bad in [
        "a=1",
        "lock/a",
        "lock/=1",
        "lock/a=-1",
        "lock/a=x",
        "lock/a=9007199254740992",
        "leases/a=1",
        "lease/=1",
        "",
    ] {
        assert!(bad.parse::<Fence>().is_err(), "{bad}");
        read += 1;
    }
    assert_eq!(read, 15);
}
