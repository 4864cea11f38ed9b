//! `fencehold lease` as processes: what it prints, the codes it ends with, and that everybody sees one registry.

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use fencehold::fs::RealFs;
use fencehold::host::RealHost;
use fencehold::journal::{Asking, FileJournal, Options};
use fencehold::ledger::Ledger;
use fencehold_model::lease::{self, About};
use fencehold_model::state::ENDED_LEASES_REMEMBERED;
use fencehold_model::{Holder, LeaseId};
use serde_json::Value;

use crate::program::{Kept, Said, Yard, clean, code, fencehold_in, said};

/// Pairs of processes that race.
const RACES: usize = 100;

fn token(said: &Said) -> u64 {
    assert_eq!(said.code, 0, "{said:?}");
    let token: u64 = said.stdout.trim_end().parse().expect("a number");
    assert_eq!(said.stdout, format!("{token}\n"), "the token alone");
    token
}

/// Ended with 1, one line on stderr that says these words, nothing on stdout.
#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.lines().count()), (1, "", 1), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

/// The pid of a process that is dead and was reaped.
fn grant_of_a_dead_process(yard: &Yard, id: &str, writes: &str) {
    let worker = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
    let pid = worker.0.id().to_string();
    token(&yard.run(["lease", "grant", id, "--writes", writes, "--pid", &pid]));
}

/// The lines of a list, as objects.
fn listed(yard: &Yard, args: &[&str]) -> Vec<Value> {
    let said = said(yard.fencehold().args(["--json", "lease", "list"]).args(args));
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["lease"].as_str().unwrap()).collect()
}

/// CLI-29: `lease grant` prints the token alone, one line on stdout.
///
/// Behaviour C1.4: what ended is granted anew.
#[test]
fn grant_prints_the_token_alone() {
    let yard = Yard::with_git();
    let first = yard.run(["lease", "grant", "7", "--writes", "src/a.rs", "--writes", "docs/**", "b"]);
    let first = token(&first);
    let shown = yard.json(0, ["lease", "show", "7"]);
    assert_eq!(shown["write_set"], serde_json::json!(["b", "docs/**", "src/a.rs"]));
    assert_eq!((&shown["state"], &shown["token"]), (&"open".into(), &first.into()));
    let closed = yard.run(["lease", "close", "7", "--token", &first.to_string()]);
    assert_eq!((closed.code, closed.stdout.as_str(), closed.stderr.as_str()), (0, "", ""));
    let again = yard.json(0, ["lease", "close", "7", "--token", &first.to_string()]);
    assert_eq!(again["value"]["already"], true);
    let second = yard.json(0, ["lease", "grant", "7", "--ttl", "1h"]);
    assert!(second["value"]["token"].as_u64().unwrap() > first);
    assert!(second["value"]["expires_in_ms"].as_u64().unwrap() <= 3_600_000);
}

/// CLI-30: The worktree and branch of a lease are those that it is granted from, unless others are named, and every
/// subdirectory, linked worktree and symlinked spelling sees one registry.
///
/// Defect GSDD-13: each worktree had a registry of its own.
#[test]
fn worktrees_folders_and_links_see_one_registry() {
    let yard = Yard::with_git();
    yard.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
    yard.git(&["worktree", "add", "-q", "-b", "side", "tree"]);
    fs::create_dir_all(yard.join("src/deep")).unwrap();
    fs::create_dir_all(yard.join("tree/src")).unwrap();
    symlink(yard.path(), yard.join("link")).unwrap();
    let tree = yard.join("tree");
    token(&yard.run_in(&tree, ["lease", "grant", "side", "--writes", "src/deep/x.rs"]));
    let shown = yard.json(0, ["lease", "show", "side"]);
    assert_eq!((&shown["worktree"], &shown["branch"]), (&tree.to_str().unwrap().into(), &"side".into()));
    // The same file, as it is spelled from each place.
    for (dir, path) in [
        (yard.path(), "src/deep/x.rs"),
        (yard.join("src"), "deep/x.rs"),
        (yard.join("src/deep"), "./x.rs"),
        (yard.join("src/deep"), "../deep/x.rs"),
        (yard.join("link/src"), "deep"),
        (tree.join("src"), "deep/*.rs"),
    ] {
        let said = yard.run_in(&dir, ["lease", "grant", "other", "--writes", path]);
        refused(&said, &["lease side", "src/deep/x.rs", "held by tester"]);
        assert_eq!(yard.run_in(&dir, ["lease", "list"]).stdout.lines().count(), 1, "{dir:?}");
    }
    let named = ["lease", "grant", "named", "--worktree", "/else/where", "--branch", "b", "--agent", "a7"];
    token(&yard.run_in(&yard.join("src"), named));
    let shown = yard.json(0, ["lease", "show", "named"]);
    assert_eq!((&shown["worktree"], &shown["branch"]), (&"/else/where".into(), &"b".into()));
    assert_eq!(shown["agent"], "a7");
    yard.git_in(&tree, &["checkout", "-q", "--detach"]);
    token(&yard.run_in(&tree, ["lease", "grant", "detached"]));
    assert_eq!(yard.json(0, ["lease", "show", "detached"])["branch"], Value::Null);
}

/// CLI-52: A typed entry without a wildcard is a folder where one stands or where it ends in `/` and nothing stands, and
/// else a file.
#[test]
fn a_folder_is_one_that_stands_or_that_ends_in_a_slash() {
    let yard = Yard::with_git();
    fs::create_dir_all(yard.join("src/deep")).unwrap();
    fs::write(yard.join("README.md"), "").unwrap();
    let typed = ["src", "README.md", "new/", "other"];
    token(&yard.run(["lease", "grant", "1", "--writes"].into_iter().chain(typed)));
    let shown = yard.json(0, ["lease", "show", "1"]);
    assert_eq!(shown["write_set"], serde_json::json!(["README.md", "new/", "other", "src/"]));
    for meets in ["**/*.rs", "src/deep/a.rs", "src/new", "new/a", "README.md", "other"] {
        let said = yard.run(["lease", "grant", "2", "--writes", meets]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains("open leases write: lease 1"), "{said:?}");
    }
    token(&yard.run(["lease", "grant", "2", "--writes", "news", "srcs/", "docs/**/*.md"]));
    for id in ["1", "2"] {
        assert_eq!(yard.run(["lease", "close", id]).code, 0);
    }
    token(&yard.run(["lease", "grant", "3", "--writes", "README.md", "src/deep/a.rs"]));
    token(&yard.run(["lease", "grant", "4", "--writes", "**/Cargo.lock"]));
}

/// CLI-31: Of a hundred pairs of processes that grant one lease, or two leases that write the same, at the same
/// instant, one exits 0 and one exits 1 each.
///
/// Defect GSDD-2: both were told that they have it.
#[test]
fn of_two_grants_at_once_one_is_refused() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["init"]).code, 0);
    let mut seen = 0;
    for race in 0..RACES {
        let id = |who: &str| if race % 2 == 0 { format!("{race}") } else { format!("{race}-{who}") };
        // Both stand at one pipe, which is closed when both have said that they are there.
        let (reader, barrier) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let mut racers = ["a", "b"].map(|who| racer(&yard, &reader, &id(who), &format!("src/{race}"), who));
        for racer in &mut racers {
            let mut ready = [0; 6];
            racer.0.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
            assert_eq!(&ready, b"ready\n");
        }
        drop(barrier);
        let mut codes = racers.map(|mut racer| code(racer.0.wait().unwrap()));
        codes.sort_unstable();
        assert_eq!(codes, [0, 1], "race {race}");
        seen += 1;
    }
    assert_eq!((seen, listed(&yard, &[]).len()), (RACES, RACES));
}

/// A shell that says "ready", waits until nobody holds the other end of its stdin, and becomes a grant.
fn racer(yard: &Yard, barrier: &OwnedFd, id: &str, writes: &str, who: &str) -> Kept {
    let script =
        "echo ready; read go; exec \"$0\" lease grant \"$1\" --writes \"$2\" --holder \"$3\" >&2 2>/dev/null";
    let program = env!("CARGO_BIN_EXE_fencehold-under-test");
    let mut shell = Command::new("sh");
    clean(&mut shell).args(["-c", script, program, id, writes, who]).current_dir(yard.path());
    Kept(
        shell
            .stdin(barrier.try_clone().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    )
}

/// CLI-32: A grant that is refused for an overlap names each lease in the way with its holder and those of its entries
/// that are overlapped, and one that is only advised is granted and names the same.
///
/// Defect GSDD-17: write sets were stored and not compared.
#[test]
fn an_overlap_names_everybody_in_the_way() {
    let yard = Yard::with_git();
    token(&yard.run(["lease", "grant", "1", "--writes", "src/a.rs", "src/b.rs", "doc", "--holder", "ann"]));
    token(&yard.run(["lease", "grant", "2", "--writes", "src/c.rs", "--holder", "bob"]));
    let before = yard.snapshot();
    let said = yard.run(["lease", "grant", "3", "--writes", "src"]);
    refused(&said, &["lease 1 (src/a.rs src/b.rs; held by ann", "lease 2 (src/c.rs; held by bob"]);
    assert!(!said.stderr.contains("doc"), "{said:?}");
    assert_eq!(yard.snapshot(), before, "a refusal changes nothing");
    let object = yard.json(1, ["lease", "grant", "3", "--writes", "src"]);
    assert_eq!(object["reason"], "overlap");
    let leases = object["value"]["leases"].as_array().unwrap();
    assert_eq!((ids(leases), &leases[1]["holder"]), (vec!["1", "2"], &"bob".into()));
    refused(
        &yard.run(["lease", "grant", "2", "--writes", "x"]),
        &["lease 2 is open already", "bob", "token"],
    );
    fs::write(yard.join("advise.toml"), "[leases]\noverlap = \"advise\"\n").unwrap();
    assert_eq!(yard.run(["config", "apply", "advise.toml"]).code, 0);
    let said = yard.run(["lease", "grant", "3", "--writes", "src"]);
    token(&said);
    for word in ["lease 1 (src/a.rs src/b.rs; held by ann", "lease 2 (src/c.rs; held by bob"] {
        assert!(said.stderr.contains(word), "{said:?}");
    }
    let object = yard.json(0, ["lease", "grant", "4", "--writes", "doc/x"]);
    assert_eq!(object["value"]["beside"], serde_json::json!(["1"]));
}

/// CLI-33: A lapsed lease that a grant or `lease reap` makes crashed is named with the evidence, and `lease reap` exits
/// 0 where there is none.
///
/// Defect GSDD-16: a killed session's lease stayed open until a person cleared it.
#[test]
fn what_lapsed_is_named_with_its_evidence() {
    let yard = Yard::with_git();
    let none = yard.run(["lease", "reap"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""), "without a workspace: {none:?}");
    grant_of_a_dead_process(&yard, "1", "src/a");
    grant_of_a_dead_process(&yard, "2", "doc");
    let shown = yard.run(["lease", "show", "1"]);
    assert!(shown.stdout.contains("open but lapsed (its process is dead: no-such-process)"), "{shown:?}");
    let granted = yard.run(["lease", "grant", "3", "--writes", "src"]);
    token(&granted);
    assert!(granted.stderr.contains("lease 1: token"), "{granted:?}");
    assert!(granted.stderr.contains("crashed (its process is dead: no-such-process)"), "{granted:?}");
    let reaped = yard.run(["lease", "reap"]);
    assert_eq!((reaped.code, reaped.stdout.lines().count()), (0, 1), "{reaped:?}");
    assert!(reaped.stdout.starts_with("lease 2: token"), "{reaped:?}");
    assert!(reaped.stdout.contains("its process is dead: no-such-process"), "{reaped:?}");
    let none = yard.run(["lease", "reap"]);
    assert_eq!((none.code, none.stdout.as_str(), none.stderr.as_str()), (0, "", ""));
    let open = listed(&yard, &["--state", "open"]);
    assert_eq!(ids(&open), ["3"], "one that has no process and no TTL never lapses");
    grant_of_a_dead_process(&yard, "4", "lib");
    let object = yard.json(0, ["lease", "reap"]);
    assert_eq!((&object["lease"], &object["evidence"]), (&"4".into(), &"no-such-process".into()));
}

/// CLI-34: `lease close` without a token closes the open grant of the holder who asks.
#[test]
fn a_holder_closes_its_own_lease() {
    let yard = Yard::with_git();
    let granted = token(&yard.run(["lease", "grant", "1", "--writes", "a", "--holder", "ann"]));
    refused(&yard.run(["lease", "close", "1"]), &["held by ann"]);
    let other = yard.json(1, ["lease", "close", "1", "--token", "1"]);
    assert_eq!((&other["reason"], &other["value"]["token"]), (&"not_holder".into(), &granted.into()));
    assert_eq!(yard.run(["lease", "close", "1", "--holder", "ann"]).code, 0);
    refused(&yard.run(["lease", "close", "1", "--holder", "ann"]), &["is not open", "closed"]);
    refused(&yard.run(["lease", "close", "nobodys"]), &["there is no lease nobodys"]);
    refused(&yard.run(["lease", "crash", "1", "--reason", "r"]), &["is not open", "closed"]);
    assert_eq!(yard.json(1, ["lease", "crash", "1", "--reason", "r"])["value"]["state"], "closed");
}

/// CLI-35: `lease list` lists the leases that are open or crashed, with `--state` those in that state, and with `--all`
/// every lease that ever was, those included that have left the state of the journal.
///
/// Behaviour C1.8: by state, in full, and as what happened to it.
#[test]
fn every_lease_can_be_listed_shown_and_followed_to_its_end() {
    let yard = Yard::with_git();
    for id in ["open", "crashed", "closed", "cleared"] {
        token(&yard.run(["lease", "grant", id, "--writes", id]));
    }
    assert_eq!(yard.run(["lease", "crash", "crashed", "--reason", "it hung"]).code, 0);
    assert_eq!(yard.run(["lease", "close", "closed"]).code, 0);
    assert_eq!(yard.run(["lease", "clear", "cleared", "--force", "--reason", "gone"]).code, 0);
    assert_eq!(ids(&listed(&yard, &[])), ["crashed", "open"]);
    for state in ["open", "crashed", "closed", "cleared"] {
        let found = listed(&yard, &["--state", state]);
        assert_eq!((ids(&found), &found[0]["state"]), (vec![state], &state.into()));
    }
    assert_eq!(ids(&listed(&yard, &["--all"])), ["cleared", "closed", "crashed", "open"]);
    let shown = yard.run(["lease", "show", "crashed"]);
    assert!(shown.stdout.contains("(it hung)") && shown.stdout.contains("writes    crashed"), "{shown:?}");
    assert_eq!(yard.run(["lease", "clear", "crashed"]).code, 0, "one that has ended needs no force");
    refused(&yard.run(["lease", "clear", "crashed"]), &["there is no lease crashed"]);
    let history = yard.run(["history", "lease/crashed"]);
    for word in ["granted to tester", "crashed (it hung)", "cleared"] {
        assert!(history.stdout.contains(word), "{history:?}");
    }
    assert_eq!(history.stdout.lines().count(), 3, "{history:?}");
}

/// Whether the lease `old` has left the state for the archive.
fn gone(ledger: &Ledger<FileJournal<RealFs, RealHost>, RealHost>) -> bool {
    let (ended, notes) = ledger.journal().ended_leases().unwrap();
    assert_eq!(notes, Vec::<String>::new());
    ended.keys().any(|id| id.as_str() == "old")
}

/// Ends more leases than the state remembers, until the journal is rotated.
fn end_many(yard: &Yard) {
    let dir = yard.join(".git/fencehold");
    let host = RealHost::new().unwrap();
    let journal = FileJournal::new(RealFs, host.clone(), &dir, Options::default());
    let ledger = Ledger::new(journal, host);
    let holder = Holder::new("many").unwrap();
    let mut count = 0;
    while count % 64 != 0 || !gone(&ledger) {
        let lease = LeaseId::new(&format!("many-{count}")).unwrap();
        let (about, writes) = (About::default(), Vec::new());
        let grant = lease::Command::Grant {
            lease: lease.clone(),
            holder: holder.clone(),
            ttl_ms: None,
            writes,
            about,
            bound: None,
            asked_by: None,
        };
        let close = lease::Command::Close { lease, proof: lease::Proof::Holder(holder.clone()) };
        for command in [grant, close] {
            let asking = Asking { actor: holder.clone(), op: ledger.new_op() };
            ledger.lease(&asking, &command).unwrap();
        }
        count += 1;
        assert!(count < 20_000, "nothing was ever forgotten");
    }
}

/// A bad line of the index is named with its file, and ends the look with 4; its neighbours are shown.
fn a_damaged_index_hides_nothing_else(yard: &Yard) {
    let archive = yard.join(".git/fencehold/archive");
    let names = fs::read_dir(archive).unwrap().map(|entry| entry.unwrap().path());
    let part = names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("leases.")).min();
    let part = part.expect("there is an index");
    let whole = fs::read_to_string(&part).unwrap();
    fs::write(&part, format!("{{\"lease\":\n{whole}")).unwrap();
    for args in [&["lease", "list", "--all"][..], &["lease", "show", "old"]] {
        let said = yard.run(args);
        assert_eq!(
            (said.code, said.stdout.contains("lease old: closed")),
            (4, true),
            "{args:?}: {}",
            said.stderr
        );
        assert!(said.stderr.contains(&format!("{}, line 1: not JSON", part.display())), "{}", said.stderr);
    }
    fs::write(&part, whole).unwrap();
}

#[test]
fn a_lease_that_left_the_state_is_shown_from_the_archive() {
    let yard = Yard::with_git();
    token(&yard.run(["lease", "grant", "old", "--writes", "src/a"]));
    assert_eq!(yard.run(["lease", "close", "old"]).code, 0);
    assert_eq!(yard.run(["task", "set", "old", "todo"]).code, 0);
    end_many(&yard);
    assert_eq!(yard.run(["task", "set", "old", "done"]).code, 0);
    assert_eq!(yard.run(["history", "task/old"]).stdout.lines().count(), 2);
    assert_eq!(yard.json(0, ["task", "show", "old"])["history"].as_array().unwrap().len(), 2);
    assert_eq!(yard.run(["history", "old"]).stdout.lines().count(), 4, "the lease and the task");
    let listed_all = listed(&yard, &["--all"]);
    assert!(listed_all.len() > ENDED_LEASES_REMEMBERED && ids(&listed_all).contains(&"old"));
    assert!(ids(&listed(&yard, &["--state", "closed"])).contains(&"old"));
    let shown = yard.run(["lease", "show", "old"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{shown:?}");
    assert!(shown.stdout.starts_with("lease old: closed") && shown.stdout.contains("src/a"), "{shown:?}");
    let history = yard.run(["history", "lease/old"]);
    assert_eq!(history.stdout.lines().count(), 2, "{history:?}");
    refused(&yard.run(["lease", "close", "old"]), &["there is no lease old", "put aside long ago"]);
    a_damaged_index_hides_nothing_else(&yard);
    assert!(token(&yard.run(["lease", "grant", "old", "--writes", "src/a"])) > 1);
    assert_eq!(yard.json(0, ["lease", "show", "old"])["state"], "open");
}

/// The holder, the pid and whoever else a lease names are of the one that asks, and a name is its own in any case.
#[test]
fn a_lease_is_bound_to_the_process_that_was_named() {
    let yard = Yard::with_git();
    let worker = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
    let pid = worker.0.id();
    let granted = ["lease", "grant", "1", "--writes", "a", "--ttl", "1s", "--pid", &pid.to_string()];
    token(&said(fencehold_in(&yard.path()).args(granted)));
    let shown = yard.json(0, ["lease", "show", "1"]);
    assert_eq!((&shown["bound"]["pid"], &shown["holder"]), (&pid.into(), &"tester".into()));
    assert_eq!(shown["expires_in_ms"], Value::Null, "its TTL does not count while it can be watched");
    refused(&yard.run(["lease", "grant", "1", "--writes", "b"]), &["is open already"]);
    let nobody = yard.run(["lease", "grant", "2", "--pid", "99999999"]);
    assert_eq!((nobody.code, nobody.stdout.as_str()), (2, ""), "{nobody:?}");
}
