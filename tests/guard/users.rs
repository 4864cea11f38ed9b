//! Two users in one shared checkout; it takes root to be both.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fencehold_stress::guard::{Defect, SHIPPED, Users, two_users};

use crate::program::Yard;

/// Below the machine's own folder for such things: where tests keep theirs, another user may not be let in.
fn found(hook: &str) -> Users {
    let dir = tempfile::tempdir().unwrap();
    two_users(dir.path(), Path::new(env!("CARGO_BIN_EXE_fencehold-under-test")), hook).unwrap()
}

/// GUARD-33: Where `init --shared` was run, the sessions of all users of the group exclude each other, and none of these
/// users leaves a file of the workspace that another cannot use; elsewhere every user but the owner is blocked.
///
/// Defect GUARD-10: a lock in the home of a user; two users never see each other.
/// Shown on the published algorithm of GUARD-10: as a hook process of each of two users.
#[test]
fn sessions_of_two_users_exclude_each_other() {
    match found(SHIPPED) {
        Users::Right(done) => assert!(done > 100, "{done}"),
        Users::Skipped(why) => println!("skipped, because {why}"),
        Users::Wrong(why) => panic!("{why}"),
    }
    match found(Defect::PerHome.word()) {
        Users::Wrong(why) => assert!(why.contains("it passed"), "{why}"),
        Users::Skipped(why) => println!("skipped, because {why}"),
        Users::Right(done) => panic!("a lock in the home of each user was not found in {done} calls"),
    }
}

/// What an install keeps of its files was its user's alone: no other user of a shared workspace could uninstall, nor take
/// the workspace away. Settings that only one user may read are kept for nobody else.
#[test]
fn what_an_install_keeps_in_a_shared_workspace_is_for_its_group() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init", "--shared"]).code, 0);
    fs::set_permissions(yard.path(), fs::Permissions::from_mode(0o2770)).unwrap();
    fs::write(yard.join("private.json"), "{}").unwrap();
    fs::set_permissions(yard.join("private.json"), fs::Permissions::from_mode(0o600)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let kept = || {
        let entries = fs::read_dir(yard.join(".git/fencehold")).unwrap().map(|entry| entry.unwrap().path());
        let mut kept: Vec<_> = entries
            .filter_map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
                (name.starts_with("hook-") || name.starts_with("git-")).then(|| (name, mode(&path)))
            })
            .collect();
        kept.sort();
        kept
    };
    for args in [&["hook", "install"][..], &["hook", "install", "--git"]] {
        assert_eq!(yard.run(args).code, 0);
    }
    let own = |name: &str, mode| (name.to_owned(), mode);
    assert_eq!(kept(), [own("git-hooks", 0o660), own("hook-settings", 0o660)]);
    assert_eq!(mode(&yard.join(".claude")), 0o2770, "as the folder that it is made in");
    assert_eq!(yard.run(["hook", "install", "--settings", "private.json"]).code, 0);
    assert_eq!(kept()[1..], [own("hook-settings", 0o600), own("hook-settings", 0o660)]);
    assert_eq!(mode(&yard.join("private.json")), 0o600);
}
