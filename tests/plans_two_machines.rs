//! Two clones on two paths, and one board that they exchange by `task export` and `task merge`: the story that a helper for
//! plan files is asked for, in its six steps.

use std::path::Path;

use fencehold_stress::plans::{Ended, Helper, Machine, World};

/// The program under test as the command that ships.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_fencehold-under-test"))
}

fn run(machine: &Machine, args: &[&str]) -> Ended {
    machine.fencehold(args).unwrap()
}

fn ok(machine: &Machine, args: &[&str]) -> Ended {
    let ended = run(machine, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
    ended
}

/// The board of one goes to the other, in a file.
fn carry(from: &Machine, to: &Machine, board: &Path) {
    let board = board.to_str().unwrap();
    ok(from, &["task", "export", board]);
    ok(to, &["task", "merge", board]);
}

fn git(machine: &Machine, args: &[&str]) -> String {
    machine.git(args).unwrap()
}

/// Both file and board of a machine.
fn stands(machine: &Machine) -> (String, String) {
    (machine.status("a.md", "T1").unwrap(), machine.board("T1").unwrap())
}

fn both(status: &str) -> (String, String) {
    (status.to_owned(), status.to_owned())
}

const FIX: [&str; 4] = ["plan", "fix", "plans", "--json"];

/// Behaviour E1.2: what is ahead is followed, C-11 and C-13.
#[test]
fn two_clones_and_one_board_come_in_step_in_six_steps() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::new(dir.path(), program(), &[("a.md", &[("T1", "todo"), ("T10", "todo")])]).unwrap();
    let (one, two) =
        (world.machine("one", Helper::Shipped).unwrap(), world.machine("two", Helper::Shipped).unwrap());
    let board = world.at("exchanged.json");

    // 1. Both machines are in step: the files say what the boards say.
    let first = ok(&one, &FIX);
    assert!(first.says("C-11"), "{first:?}");
    carry(&one, &two, &board);
    ok(&two, &FIX);
    assert_eq!((stands(&one), stands(&two)), (both("todo"), both("todo")));
    assert_eq!(git(&one, &["rev-list", "--count", "HEAD"]), "1");

    // 2. On the second an agent does the task, and tells the board alone. The board comes to the first.
    ok(&two, &["task", "set", "T1", "done"]);
    carry(&two, &one, &board);
    let check = run(&one, &["plan", "check", "plans", "--json"]);
    assert!(check.code == Some(1) && check.says("C-13"), "{check:?}");
    assert_eq!(stands(&one), ("todo".to_owned(), "done".to_owned()));

    // 3. The first has the older file. Its fix does not undo the board: the file follows, in a commit of that file.
    let ahead = ok(&one, &FIX);
    assert!(ahead.says("C-13") && !ahead.says("C-11"), "{ahead:?}");
    assert_eq!(stands(&one), both("done"));
    assert_eq!(git(&one, &["diff", "--name-only", "HEAD^", "HEAD"]), "plans/a.md");
    let changed = git(&one, &["diff", "--unified=0", "HEAD^", "HEAD", "--", "plans/a.md"]);
    let changed: Vec<&str> = changed
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect();
    assert_eq!(changed, ["-status: todo", "+status: done"]);
    git(&one, &["push", "--quiet"]);

    // 4. The second has not pulled: it is behind, says so, and writes nothing, whatever its board says.
    let head = git(&two, &["rev-parse", "HEAD"]);
    let behind = run(&two, &FIX);
    assert!(behind.code == Some(1) && behind.says("C-14"), "{behind:?}");
    assert_eq!((git(&two, &["rev-parse", "HEAD"]), stands(&two).0), (head, "todo".to_owned()));

    // 5. It pulls, and is in step: the fact is committed once, and a second run commits nothing.
    ok(&two, &["plan", "fix", "plans", "--json", "--pull"]);
    ok(&two, &FIX);
    assert_eq!(stands(&two), both("done"));
    assert_eq!(git(&two, &["rev-parse", "HEAD"]), git(&one, &["rev-parse", "HEAD"]));

    // 6. A person reopens the task in the file. The board follows, with the commit as its reason, on both machines, and
    //    nobody commits the person's edit away.
    two.edit("a.md", "T1", "todo").unwrap();
    git(&two, &["commit", "--quiet", "-m", "T1 was not done after all", "--", "plans/a.md"]);
    let reopened = ok(&two, &FIX);
    assert!(reopened.says("C-11"), "{reopened:?}");
    assert_eq!(stands(&two), both("todo"));
    let history = ok(&two, &["history", "--json"]);
    assert!(history.out.contains("T1 was not done after all"), "{history:?}");
    git(&two, &["push", "--quiet"]);
    carry(&two, &one, &board);
    ok(&one, &["plan", "fix", "plans", "--json", "--pull"]);
    assert_eq!(stands(&one), both("todo"));
    assert_eq!(git(&one, &["rev-parse", "HEAD"]), git(&two, &["rev-parse", "HEAD"]));
    assert_eq!(git(&one, &["rev-list", "--count", "HEAD"]), "3");
    let last = ok(&one, &["plan", "check", "plans"]);
    assert!(last.out.contains("all in step"), "{last:?}");
}
