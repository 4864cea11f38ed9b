//! `fencehold status` as the first screen.

use std::fs;

use serde_json::{Value, json};

use crate::program::{Kept, Said, Yard, said};
use crate::waiting::{ACQUIRE, waiting};

#[track_caller]
fn ok(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// A workspace in which everything is there to be seen; the two processes are to be kept.
fn full() -> (Yard, [Kept; 2]) {
    let yard = Yard::with_git();
    fs::write(yard.join("bad.json"), "{").unwrap();
    let mut sleeps = std::process::Command::new("sleep");
    let process = Kept(sleeps.arg("1000").spawn().unwrap());
    let pid = process.0.id().to_string();
    ok(&yard.run(["lock", "acquire", "build", "--holder", "first", "--pid", &pid]));
    ok(&yard.run(["lock", "acquire", "workspace", "--holder", "session-1", "--ttl", "1h"]));
    let waits = waiting(&yard, &ACQUIRE, "second");
    ok(&yard.run(["lease", "grant", "7", "--writes", "src/**", "docs/a.md", "--holder", "ada"]));
    ok(&yard.run(["lease", "grant", "8", "--writes", "b", "--holder", "bob"]));
    ok(&yard.run(["lease", "crash", "8", "--reason", "gone home"]));
    ok(&yard.run(["lease", "grant", "9"]));
    ok(&yard.run(["lease", "close", "9"]));
    ok(&yard.run(["task", "set", "5", "blocked"]));
    assert_eq!(yard.run(["task", "set", "5", "in_progress"]).code, 1);
    assert_eq!(yard.run(["doc", "update", "bad.json", "--merge", "{}"]).code, 4);
    ok(&yard.run(["hook", "install"]));
    fs::write(yard.join(".git/fencehold/failed-open.ndjson"), "{\"at\":\"noon\",\"why\":\"a \\u001b[2J\"}\n")
        .unwrap();
    (yard, [process, waits])
}

/// CLI-66: `status` shows, in this order and of it what there is, who holds which lock and until when, who waits, the
/// leases that are open or crashed, the tasks in conflict, what is damaged, what passed undecided and who asks the guard, and
/// changes nothing.
#[test]
fn the_first_screen_shows_what_there_is_in_order() {
    let (yard, [process, waits]) = full();
    let before = yard.snapshot();
    let said = yard.run(["status"]);
    ok(&said);
    assert!(yard.snapshot() == before);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut rest = said.stdout.as_str();
    for word in [
        &format!("workspace: {}\n", yard.join(".git/fencehold").display()),
        "\nheld\n  build  ",
        &format!("first (pid {} on {host}) for ", process.0.id()),
        "until that process ends; token ",
        "\n  workspace  session-1 (asked by pid ",
        "lapses in 59m",
        "it stands for the whole checkout",
        "fencehold lock break NAME --reason TEXT",
        "\nwaiting\n  build  ",
        &format!("second (pid {} on {host}) for ", waits.0.id()),
        "gives up in 9m",
        "\nleases\n  7  ",
        "open; ada (asked by pid ",
        " on main for ",
        "writes docs/a.md src/**; token ",
        "\n  8  ",
        "(gone home); bob",
        "fencehold lease crash 7 --reason TEXT",
        "\nin conflict\n  5  ",
        "blocked and in_progress in conflict",
        "\ndamaged\n  set aside: quarantine/",
        "bad.json",
        "\npassed undecided\n  1 tool call passed undecided, the last at noon: a \\u{1b}[2J\n",
        "\nhooks that ask\n",
        ".claude/settings.local.json\n",
    ] {
        // What stands in one column may stand further to the right.
        let found = rest.find(word).or_else(|| {
            let squeezed = word.trim_end();
            rest.find(squeezed).filter(|_| word.ends_with("  "))
        });
        let Some(at) = found else { panic!("{word:?} does not follow in {}", said.stdout) };
        rest = &rest[at + word.trim_end().len()..];
    }
    assert!(!said.stdout.contains("\n  9 "), "what is closed is not shown: {}", said.stdout);
    let object = yard.json(0, ["status"]);
    for (key, count) in [
        ("locks", 2),
        ("waiters", 1),
        ("leases", 2),
        ("tasks_in_conflict", 1),
        ("quarantine", 1),
        ("failed_open", 1),
        ("hooks", 1),
        ("damaged", 0),
    ] {
        assert_eq!(object[key].as_array().map(Vec::len), Some(count), "{key}: {object}");
    }
    let empty = Yard::with_git();
    let said = empty.run(["status"]);
    assert_eq!((said.code, said.stdout.lines().count()), (0, 2), "{said:?}");
    assert!(
        said.stdout.contains("not there yet: nobody holds anything")
            && said.stdout.contains("lock run build")
    );
    assert!(
        empty.run(["init"]).code == 0 && empty.run(["status"]).stdout.ends_with("held\n  no lock is held\n")
    );
}

/// CLI-69: `status` names for each lock that is held its holder, the process and machine that it was asked from or is bound
/// to, and the command that ends it by hand.
#[test]
fn whoever_finds_a_lock_held_is_told_by_whom_and_how_to_end_it() {
    let yard = Yard::with_git();
    let mut sleeps = std::process::Command::new("sleep");
    let process = Kept(sleeps.arg("1000").spawn().unwrap());
    let pid = process.0.id().to_string();
    ok(&yard.run(["lock", "acquire", "workspace", "--holder", "session-1", "--pid", &pid]));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = yard.run(["status"]).stdout;
    assert!(text.contains(&format!("session-1 (pid {pid} on {host}) for ")), "{text}");
    // As it stands there, with a reason in the place of TEXT.
    let begins = text.find("fencehold lock break ").unwrap();
    let command = text[begins..].lines().next().unwrap().replace("TEXT", "gone");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    assert_eq!(words, ["lock", "break", "workspace", "--reason", "gone"]);
    ok(&yard.run(words));
    assert!(yard.run(["status"]).stdout.contains("no lock is held"));
    fs::write(
        yard.join("fencehold.toml"),
        "[[guarded]]\npaths = [\"deploy/**\", \"fly.toml\"]\nlock = \"deploy\"\n",
    )
    .unwrap();
    ok(&yard.run(["config", "apply"]));
    ok(&yard.run(["lock", "acquire", "deploy", "--ttl", "1h"]));
    let text = yard.run(["status"]).stdout;
    assert!(text.contains("tester (asked by pid ") && text.contains(&format!(" on {host}) for ")), "{text}");
    assert!(text.contains("; it guards deploy/** fly.toml\n"), "what it is for: {text}");
}

/// CLI-70: What cannot be read keeps `status` from showing nothing else: it exits with the code of the worst of it, 4 where
/// the journal is damaged, and shows the rest.
#[test]
fn what_is_damaged_hides_nothing_else() {
    let (yard, _kept) = full();
    let path = yard.join(".git/fencehold/journal.1.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"first\"", "\"fIrst\"", 1)).unwrap();
    let said = yard.run(["status"]);
    assert_eq!(said.code, 4, "{said:?}");
    let journal = path.to_str().unwrap();
    for word in
        [journal, "fencehold repair", "set aside: quarantine/", "1 tool call passed", "settings.local.json"]
    {
        assert!(said.stdout.contains(word), "{word}: {said:?}");
    }
    assert!(!said.stdout.contains("no lock is held"), "nobody can tell: {said:?}");
    let object = yard.json(4, ["status"]);
    for key in ["locks", "leases", "tasks_in_conflict"] {
        assert_eq!(object[key], Value::Null, "{key}: what cannot be read is not empty");
    }
    assert!(object["damaged"][0].as_str().unwrap().contains(journal), "{object}");
    assert_eq!((&object["outcome"], object["failed_open"].as_array().unwrap().len()), (&json!("fail"), 1));
    fs::write(&path, text).unwrap();
    let config = yard.join(".git/fencehold/config.toml");
    fs::write(&config, "durabillity = 1\n").unwrap();
    let said = yard.run(["status"]);
    assert!(said.code == 2 && said.stdout.contains("durabillity"), "{said:?}");
    assert!(said.stdout.contains("\n  build  "), "{said:?}");
    fs::remove_file(&config).unwrap();
    let records = yard.join(".git/fencehold/failed-open.ndjson");
    fs::remove_file(&records).unwrap();
    fs::create_dir(&records).unwrap();
    let said = yard.run(["status"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stdout.contains("failed-open.ndjson") && said.stdout.contains("\n  build  "), "{said:?}");
}

/// CLI-75: `status` writes colours and cuts names on a terminal alone, colours not where `NO_COLOR` is set, and never a
/// control character that came from a name or a file.
#[test]
fn colours_and_cuts_are_for_terminals() {
    let yard = Yard::with_git();
    let long = "a-lock-with-a-name-of-many-letters";
    ok(&yard.run(["lock", "acquire", long]));
    fs::write(yard.join(".git/fencehold/failed-open.ndjson"), b"\x1b]0;x\x07 \xff\n").unwrap();
    let piped = yard.run(["status"]).stdout;
    assert!(piped.contains(long) && !piped.contains('\x1b') && !piped.contains('…'), "{piped}");
    assert!(piped.contains("\\u{1b}]0;x\\u{7}"), "{piped}");
    let in_terminal = |columns: u16, no_color: &str| {
        let terminal = crate::watch::open_terminal(columns, 24);
        let mut command = yard.fencehold();
        command
            .arg("status")
            .env("TERM", "xterm")
            .env("NO_COLOR", no_color)
            .stdout(terminal.slave.try_clone().unwrap());
        ok(&said(&mut command));
        terminal.read()
    };
    let wide = in_terminal(80, "");
    assert!(wide.contains("\x1b[1mheld\x1b[0m") && wide.contains("  a-lock-with-a-n…"), "{wide:?}");
    let plain = in_terminal(44, "1");
    assert!(!plain.contains('\x1b') && plain.contains('…'), "{plain:?}");
    let columns = |line: &str| line.trim_end().chars().count();
    assert!(plain.lines().count() > 8 && plain.lines().all(|line| columns(line) <= 44), "{plain}");
}
