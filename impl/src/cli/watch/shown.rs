//! What is on the screen, in each state that there is to be shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fencehold_model::event::Process;
use fencehold_model::id::BootId;
use fencehold_model::lease::{About, Cause, End, How, Lease, Standing};
use fencehold_model::lock::Grant;
use fencehold_model::status::{Cell, Value};
use fencehold_model::{Holder, LeaseId, LockName, Pattern, Policy, Status, TaskId};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::super::front::{Front, Page, Stands};
use super::super::hook::Asking;
use super::super::waiting::Waiter;
use super::view::{Move, View};
use crate::error::Error;
use crate::fs::RealFs;
use crate::ledger::{LeaseView, TaskView};
use crate::locate::{Start, locate};

const NOW_MS: u64 = 1_000_000_000;

fn process(pid: u64) -> Process {
    let boot = BootId::new("boot").unwrap();
    Process { pid, start_ticks: 1, boot, pid_namespace: 1, host: "box".to_owned() }
}

fn holder(name: &str) -> Holder {
    Holder::new(name).unwrap()
}

fn lock(name: &str, by: &str, bound: Option<u64>, expires_ms: u64) -> (LockName, Grant) {
    let grant = Grant {
        token: 1_048_600,
        holder: holder(by),
        claim: None,
        since_ms: NOW_MS - 125_000,
        ttl_ms: 300_000,
        expires_ms,
        bound: bound.map(process),
        asked_by: Some((4711, "box".to_owned())),
    };
    (LockName::new(name).unwrap(), grant)
}

fn lease(id: &str, by: &str, end: Option<End>) -> LeaseView {
    let standing = end.is_none().then_some(Standing::Live);
    let lease = Lease {
        token: 1_048_601,
        holder: holder(by),
        since_ms: NOW_MS - 60_000,
        ttl_ms: None,
        bound: Some(process(4242)),
        asked_by: None,
        about: About { branch: Some("parser".to_owned()), ..About::default() },
        writes: vec![Pattern::new("src/parser/**").unwrap()],
        end,
    };
    LeaseView { id: LeaseId::new(id).unwrap(), lease, standing }
}

fn nothing() -> Front {
    let folder = tempfile::tempdir().unwrap();
    let mut place = locate(&RealFs, Start { at: folder.path(), git_dir: None }).unwrap();
    place.dir = PathBuf::from("/home/ada/project/.git/fencehold");
    let (waiters, aside, failed_open, asking) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (wrong, notes) = (Vec::new(), Vec::new());
    Front {
        place,
        relaxed: false,
        exists: false,
        stands: None,
        waiters,
        proposals: Vec::new(),
        boot_ms: 50_000,
        os_lock: None,
        aside,
        failed_open,
        asking,
        wrong,
        notes,
    }
}

fn busy() -> Front {
    let crashed = End { at_ms: NOW_MS - 3_600_000, how: How::Crashed(Cause::Reason("gone home".to_owned())) };
    let statuses = ["blocked", "in_progress"].map(|name| (Status::new(name).unwrap(), None));
    let value = Value { epoch: 0, turn: 0, statuses: BTreeMap::from(statuses) };
    let cell = Cell { value, revision: 9, at_ms: NOW_MS - 5_000, actor: holder("bob") };
    let stands = Stands {
        now_ms: NOW_MS,
        revision: 1_048_603,
        locks: vec![
            lock("build", "claude-7f3e", Some(4242), u64::MAX),
            lock("workspace", "codex-19aa", None, NOW_MS + 260_000),
        ],
        leases: vec![lease("7", "claude-7f3e", None), lease("8", "bob", Some(crashed))],
        conflicts: vec![TaskView { id: TaskId::new("5").unwrap(), cell }],
        policy: Policy::default(),
        owes: Default::default(),
    };
    let waiter = Waiter {
        lock: LockName::new("build").unwrap(),
        holder: holder("ada@box:pts/3"),
        process: process(4300),
        since_ms: 38_000,
        until_ms: 98_000,
    };
    Front { exists: true, stands: Some(stands), waiters: vec![waiter], ..nothing() }
}

/// The lines of the screen, without the spaces that end them.
fn lines(view: &mut View, columns: u16, lines: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal.draw(|frame| view.draw(frame)).unwrap();
    let cells = terminal.backend().buffer().content().chunks(columns.into());
    let line =
        |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    cells.map(|cells| line(cells).trim_end().to_owned()).collect()
}

fn view(page: Page) -> View {
    let mut view = View::new(true);
    view.show(page);
    view
}

#[track_caller]
fn shows(front: &Front, wanted: &[&str]) {
    let mut seen = lines(&mut view(front.page()), 80, 24);
    assert_eq!(seen.len(), 24);
    assert!(seen.pop().unwrap().starts_with(" q quit  ? help"));
    while seen.last().is_some_and(String::is_empty) {
        seen.pop();
    }
    assert_eq!(seen, wanted, "\n{}", seen.join("\n"));
}

#[test]
fn before_anything_was_written_it_says_what_to_do() {
    shows(
        &nothing(),
        &[
            " /home/ada/project/.git/fencehold",
            "it is not there yet: nobody holds anything. The first write creates it, as in",
            "`fencehold lock run build -- make`, which runs `make` for one at a time",
        ],
    );
}

#[test]
fn at_work_it_says_who_holds_what_and_who_waits() {
    shows(
        &busy(),
        &[
            " /home/ada/project/.git/fencehold                  2 held, 1 waiting, 1 at work",
            "held",
            "  build      claude-7f3e (pid 4242 on box) for 2m5s, until that process ends;",
            "             token 1048600",
            "  workspace  codex-19aa (asked by pid 4711 on box) for 2m5s, lapses in 4m20s;",
            "             token 1048600; it stands for the whole checkout",
            "  end it by hand: fencehold lock break NAME --reason TEXT",
            "",
            "waiting",
            "  build      ada@box:pts/3 (pid 4300 on box) for 12s, gives up in 48s",
            "",
            "leases",
            "  7          open; claude-7f3e (pid 4242 on box) on parser for 1m; writes",
            "             src/parser/**; token 1048601",
            "  8          crashed 1h ago (gone home); bob (pid 4242 on box) on parser for 1m;",
            "             writes src/parser/**; token 1048601",
            "  end it by hand: fencehold lease crash 7 --reason TEXT",
            "",
            "in conflict",
            "  5          blocked and in_progress in conflict, since 5s, by bob",
            "  choose one: fencehold task set TASK STATUS --resolve",
        ],
    );
}

#[test]
fn damage_is_said_with_what_to_do_and_nothing_of_it_reaches_the_terminal() {
    let damaged = Error::Damaged {
        path: PathBuf::from("/home/ada/project/.git/fencehold/journal.7.ndjson"),
        line: Some(4),
        what: "its checksum is missing or wrong".to_owned(),
        advice: "Every command refuses until `fencehold repair`".to_owned(),
    };
    let front = Front {
        exists: true,
        wrong: vec![damaged],
        os_lock: Some("pid 9 (make), which is stopped: continue or end it".to_owned()),
        aside: vec!["plan.json@0-2-6dc75bdc".to_owned(), "a\u{1b}[2J".to_owned()],
        failed_open: vec![serde_json::json!({ "at": "2026-11-21T14:00:00Z", "why": "the\u{7} journal" })],
        asking: vec![Asking::Git(PathBuf::from("/home/ada/project/.git/hooks"))],
        ..nothing()
    };
    shows(
        &front,
        &[
            " /home/ada/project/.git/fencehold                                     3 damaged",
            "in the way of every write",
            "  pid 9 (make), which is stopped: continue or end it; it has the OS lock that",
            "  every write takes",
            "",
            "damaged",
            "  /home/ada/project/.git/fencehold/journal.7.ndjson line 4: damaged: its",
            "  checksum is missing or wrong. The bytes are kept as they are. Every command",
            "  refuses until `fencehold repair`",
            "  set aside: quarantine/plan.json@0-2-6dc75bdc",
            "  set aside: quarantine/a\\u{1b}[2J",
            "  what to do about it: fencehold doctor",
            "",
            "passed undecided",
            "  1 tool call passed undecided, the last at 2026-11-21T14:00:00Z: the\\u{7}",
            "  journal",
            "",
            "hooks that ask",
            "  /home/ada/project/.git/hooks",
        ],
    );
}

#[test]
fn what_is_longer_than_the_screen_is_scrolled() {
    let mut front = busy();
    let stands = front.stands.as_mut().unwrap();
    stands.locks =
        (0..40).map(|n| lock(&format!("lock-{n}"), "ada", None, NOW_MS + 1000 * (n + 1))).collect();
    let mut view = view(front.page());
    let seen = lines(&mut view, 80, 24);
    assert!(seen[2].starts_with("  lock-0 ") && seen[23].contains("lines 1-22 of "), "{seen:?}");
    view.go(Move::Lines(1));
    assert!(lines(&mut view, 80, 24)[1].starts_with("  lock-0 "));
    view.go(Move::Pages(1));
    view.go(Move::Lines(-1));
    let seen = lines(&mut view, 80, 24);
    assert!(seen[1].starts_with("  lock-20 "), "a page less the line that stays: {seen:?}");
    view.go(Move::Last);
    let seen = lines(&mut view, 80, 24);
    assert!(seen[22].contains("choose one"), "{seen:?}");
    // It becomes shorter while its end is looked at.
    view.show(busy().page());
    assert_eq!(lines(&mut view, 80, 24)[1], "held");
    view.go(Move::Lines(-1));
    view.go(Move::Last);
    view.go(Move::Pages(-1));
    view.go(Move::First);
    assert_eq!(lines(&mut view, 80, 24)[1], "held");
    view.turn_help();
    assert!(view.is_helping() && lines(&mut view, 80, 24)[1] == "keys");
}

#[test]
fn every_size_is_drawn_and_a_small_one_says_so() {
    let (mut small, mut large) = (0, 0);
    for columns in (1..130).step_by(8) {
        for height in (1..30).step_by(2) {
            let mut view = view(busy().page());
            let seen = lines(&mut view, columns, height);
            view.go(Move::Last);
            view.turn_help();
            lines(&mut view, columns, height);
            match columns < 30 || height < 6 {
                true => small += 1,
                false => {
                    assert!(seen[1] == "held" && seen[0].contains("2 held"), "{columns}×{height}: {seen:?}");
                    large += 1;
                }
            }
        }
    }
    assert!(small > 50 && large > 120, "{small} {large}");
    let seen = lines(&mut view(busy().page()), 24, 5).concat();
    assert!(seen.starts_with("fencehold watch needs 30"), "{seen}");
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let colours = |is_coloured: bool| {
        let mut view = View::new(is_coloured);
        view.show(busy().page());
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        let cells = terminal.backend().buffer().content();
        cells.iter().filter(|cell| cell.fg != Color::Reset).count()
    };
    assert!(colours(true) > 100);
    assert_eq!(colours(false), 0);
}
