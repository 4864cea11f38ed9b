//! What a line is, and that it is written whole.

use fencehold::fs::RealFs;
use fencehold_model::lock::Proof;
use fencehold_model::{NUMBER_BOUND, chain};

use crate::spec_kit::{
    DURABLE, Disk, Does as _, HOUR, Lab, RELAXED, acquire, end_by_hand, release, renew, vandal,
};

/// JOURNAL-1: An event exists when the newline of its line does.
#[test]
fn a_whole_line_without_its_newline_is_no_event_and_with_it_is_one() {
    let lab = Lab::new();
    lab.party().token(&acquire("before", "h", HOUR));
    let line = vandal::next_line(&lab, &acquire("a", "h", HOUR));
    let (body, newline) = line.split_at(line.len() - 1);
    assert_eq!(newline, b"\n");
    lab.append(body);
    assert_eq!(lab.party().held("a"), None);
    lab.append(newline);
    assert!(lab.party().held("a").is_some());
}

/// JOURNAL-2: Every event is one line of at most 256 KiB, written by one write.
#[test]
fn the_longest_events_are_one_short_line_and_one_write_each() {
    let lab = Lab::new();
    lab.party().token(&acquire("boot", "h", HOUR));
    let (disk, calls) = Disk::noting();
    let party = lab.party_on(disk, DURABLE);
    let (name, holder, claim) = ("\\".repeat(256), "\"".repeat(256), "\u{7ff}".repeat(128));
    let token = party.token(&acquire(&name, &format!("{holder}#{claim}"), HOUR));
    party.verdict(&renew(&name, &holder, Proof::Token(token), Some(2 * HOUR)));
    party.verdict(&end_by_hand(&name, &format!("x{}x", "\u{1}".repeat(4094))));
    let writes = calls.lock().unwrap().iter().filter(|call| call.starts_with("append journal.")).count();
    assert_eq!(writes, 3);
    let lines = lab.lines();
    assert_eq!(lines.len(), 3 + 3, "line one, the boot and the first lock come before");
    assert!(lines.iter().all(|line| line.len() < 64 * 1024), "{:?}", lines.iter().map(String::len));
    assert!(lines[5].len() > 6 * 4094, "the reason is kept whole");
}

/// JOURNAL-3: An event line carries its revision, journal time, actor, operation id, event with version, highest
/// revision its writer knew to be durable, checksum of the line before, and own checksum, in this order.
#[test]
fn a_line_carries_its_fields_in_order_and_links_to_the_one_before() {
    let lab = Lab::new();
    let party = lab.party();
    for name in ["a", "b", "c"] {
        party.token(&acquire(name, "h", HOUR));
    }
    let lines = lab.lines();
    let mut seen = 0;
    for (before, line) in lines.iter().zip(&lines[1..]) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut rest = line.as_str();
        for start in [
            "{\"rev\":",
            ",\"t\":",
            ",\"actor\":\"",
            ",\"op\":\"",
            ",\"event\":{\"v\":1,",
            "},\"durable\":",
            ",\"prev\":\"",
            ",\"crc\":\"",
        ] {
            rest = rest.split_once(start).unwrap_or_else(|| panic!("{start} comes too late in {line}")).1;
        }
        assert_eq!(value.as_object().unwrap().len(), 8, "{line}");
        assert_eq!(value["prev"], crc_of(before), "{line}");
        seen += 1;
    }
    let number = |line: &str, field: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()[field].as_u64().unwrap()
    };
    assert_eq!(
        number(&lines[4], "durable"),
        number(&lines[3], "rev"),
        "its writer had synced the one before"
    );
    assert_eq!(seen, 4);
}

/// The checksum that a line ends with.
fn crc_of(line: &str) -> &str {
    &line[line.len() - 10..line.len() - 2]
}

/// JOURNAL-4: A line's checksum is the CRC-32 of all its bytes before `,"crc":`, as eight lower-case hexadecimal
/// digits.
#[test]
fn the_checksum_is_that_of_anybodys_crc_32() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of CRC-32 (IEEE)");
    let lab = Lab::new();
    let party = lab.party_on(RealFs, RELAXED);
    for index in 0..200 {
        party.token(&acquire(&format!("lock {index}"), "h", HOUR));
    }
    let lines = lab.lines();
    for line in &lines {
        let body = line.split_once(",\"crc\":").unwrap().0;
        assert_eq!(format!("{:08x}", crc32(body.as_bytes())), crc_of(line));
    }
    assert_eq!(lines.len(), 202);
    assert!(lines.iter().any(|line| crc_of(line).starts_with('0')), "one that must be padded: {lines:#?}");
}

/// CRC-32 bit by bit, as the standard writes it down.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// JOURNAL-5: Along a file revisions strictly grow, journal times never go back, and every number stays below 2^53.
#[test]
fn revisions_grow_and_times_never_go_back() {
    let lab = Lab::new();
    for boot in 0..4 {
        lab.machine.reboot(&format!("boot {boot}"));
        lab.machine.wall(lab.machine.wall_ms() - 50_000);
        let party = lab.party();
        for index in 0..10 {
            let token = party.token(&acquire(&format!("{boot} {index}"), "h", 366 * 24 * HOUR));
            lab.machine.pass(index);
            party.verdict(&release(&format!("{boot} {index}"), "h", Proof::Token(token)));
        }
    }
    let values: Vec<serde_json::Value> =
        lab.lines().iter().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values.len(), 4 * 21);
    let numbers = |value: &serde_json::Value| (value["rev"].as_u64().unwrap(), value["t"].as_u64().unwrap());
    for pair in values.windows(2) {
        let ((rev, time), (next_rev, next_time)) = (numbers(&pair[0]), numbers(&pair[1]));
        assert!(next_rev > rev && next_time >= time, "{pair:?}");
    }
    let most = values.iter().map(below_bound).max().unwrap();
    assert!(most > 1_700_000_000_000, "{most}");
}

/// The greatest number in a value; each must be one that every JSON reader takes whole.
fn below_bound(value: &serde_json::Value) -> u64 {
    match value {
        serde_json::Value::Number(number) => {
            assert!(number.as_u64().is_some_and(|number| number < NUMBER_BOUND), "{number}");
            number.as_u64().unwrap()
        }
        serde_json::Value::Object(fields) => fields.values().map(below_bound).max().unwrap_or(0),
        serde_json::Value::Array(items) => items.iter().map(below_bound).max().unwrap_or(0),
        _ => 0,
    }
}

/// JOURNAL-12: The file with the highest n is the current one, and an invalid line one there is damage.
#[test]
fn an_invalid_line_one_of_the_highest_file_is_damage_and_not_passed_over() {
    let lab = Lab::new();
    let token = lab.party().token(&acquire("a", "h", HOUR));
    let head = lab.lines()[0].clone();
    let mut of_two = head.replace("\"n\":1", "\"n\":2");
    of_two.truncate(of_two.find(",\"crc\"").unwrap());
    chain::seal(&mut of_two);
    let mut refused = 0;
    for line_one in ["", "\n", "{}\n", "garbage", head.trim_end(), &format!("{head}\n"), &of_two] {
        std::fs::write(lab.path("journal.2.ndjson"), line_one).unwrap();
        let before = lab.snapshot();
        let party = lab.party();
        assert!(crate::spec_kit::is_damage(&party.ask(&acquire("b", "h", HOUR))), "{line_one:?}");
        assert!(crate::spec_kit::is_damage(&party.look("a")), "{line_one:?}");
        assert_eq!(lab.snapshot(), before, "{line_one:?}");
        refused += 1;
    }
    assert_eq!(refused, 7);
    std::fs::remove_file(lab.path("journal.2.ndjson")).unwrap();
    assert_eq!(lab.party().held("a"), Some(("h".to_owned(), token)));
    vandal::rotate(&lab);
    std::fs::copy(lab.path("archive/journal.1.ndjson"), lab.path("journal.1.ndjson")).unwrap();
    assert_eq!(
        lab.party().held("a"),
        Some(("h".to_owned(), token)),
        "the older file beside it is not looked at"
    );
}
