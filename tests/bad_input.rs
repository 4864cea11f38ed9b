//! Bad input: the right exit code, one clear message that names what is wrong, and the bytes on disk untouched or
//! copied to quarantine.
//!
//! What counts as bad input, and which tests give it:
//!
//! - malformed ids, TTLs, JSON, UTF-8: `bad_input::what_makes_no_sense_is_named`,
//!   `bad_input::nothing_is_created_for_what_cannot_be_done`, `spec_log::a_bad_record_among_good_ones_appends_none_of_them`,
//!   `spec_target::a_request_that_makes_no_sense_fails_and_changes_nothing`, `mark::a_fence_is_read_as_it_is_written`
//! - paths that leave the root: `bad_input::a_file_outside_the_root_is_refused`,
//!   `mark::a_path_that_leaves_the_root_or_enters_the_workspace_is_refused`
//! - symbolic links in the place of our files: `bad_input::something_else_in_the_place_of_our_files_is_not_touched`,
//!   `bad_places::something_else_in_the_place_of_a_mark_is_not_touched`,
//!   `bad_places::a_link_in_the_place_of_one_of_our_folders_is_not_followed`,
//!   `locate::a_workspace_folder_that_is_a_symlink_or_a_file_is_refused`,
//!   `log_git::attributes_keep_what_is_there_and_a_failure_is_a_note`
//! - a FIFO or a directory where a file is expected: `bad_places::a_fifo_or_a_folder_is_no_log_and_no_document`,
//!   `bad_input::something_else_in_the_place_of_our_files_is_not_touched`,
//!   `document::what_cannot_be_opened_is_never_called_damaged`, `log::what_is_no_log_is_an_error_and_stays`
//! - an unreadable file: `bad_places::an_unreadable_file_is_named_with_a_way_out`
//! - another user's file: `spec_doc::who_may_not_give_a_file_away_changes_it_only_where_its_group_may_write`,
//!   `locate::another_users_folder_is_refused_unless_it_is_shared`
//! - a read-only disk: `bad_places::a_read_only_disk_can_be_read_and_says_the_way_out`
//! - a full disk: `bad_places::on_a_full_disk_nothing_happens_and_work_goes_on_when_there_is_space`,
//!   `bad_places::a_limit_on_the_size_of_a_file_cuts_an_append_short`
//! - a sandbox that may not write: `bad_input::who_may_not_write_is_told_the_folder_and_a_way_out`
//! - a newer format: `bad_data::a_newer_format_is_left_alone`, `mark::a_mark_that_cannot_be_obeyed_is_never_taken_for_none`
//! - a journal damaged in the middle, or with a foreign line:
//!   `bad_data::a_journal_that_is_damaged_in_the_middle_stops_everything_until_repair`,
//!   `bad_data::a_foreign_line_in_the_journal_is_kept_aside_by_repair`, `spec_target_ops::damage_fails_and_is_called_so`
//! - a damaged log or document: `bad_data::a_damaged_line_and_a_damaged_document_are_4_and_stay`,
//!   `document::damaged_bytes_are_kept_and_refused_until_repaired`
//! - a workspace with a piece missing: `bad_data::a_workspace_with_a_piece_missing_is_never_a_fresh_one`,
//!   `bad_data::a_folder_of_ours_that_is_missing_is_made_anew_by_repair`
//! - a workspace deleted under a running process:
//!   `bad_moves::a_workspace_deleted_under_a_running_process_is_not_made_anew_by_it`,
//!   `lock_run::a_workspace_that_vanishes_ends_the_command_when_the_ttl_is_over`
//! - one copied: `bad_moves::a_copy_is_a_workspace_of_its_own`
//! - one restored: `bad_moves::a_workspace_restored_under_a_running_process_never_repeats_a_token`,
//!   `bad_moves::a_lock_file_that_was_replaced_excludes_nobody_twice`
//! - a configuration with an unknown key: `bad_input::an_unknown_key_is_named`
//! - a clock that steps: `bad_moves::a_clock_that_steps_moves_no_expiry`
//! - two spellings of one workspace: `bad_moves::a_lock_taken_by_one_spelling_is_held_for_all_others`,
//!   `locate::every_spelling_of_one_repository_is_one_workspace`, `spec_doc::every_spelling_meets_the_mark`
//! - a bare repository, a linked worktree, GIT_DIR: `locate::a_bare_repository_and_its_worktrees_share_one`,
//!   `locate::a_linked_worktree_without_its_repository_is_refused`,
//!   `locate::git_dir_in_the_environment_is_followed_as_in_a_hook`
//! - stdin that is not the protocol: `spec_target::a_line_that_is_no_request_fails_and_ends_nothing`,
//!   `bad_moves::garbage_on_the_stdin_of_a_target_is_answered_line_by_line`
//! - a closed stdout: `cli::a_reader_that_went_away_is_no_error`,
//!   `bad_moves::a_target_whose_reader_went_away_ends_with_0`
//! - a full stdout: `cli::a_grant_whose_answer_cannot_be_written_is_indefinite`
//! - a filter that never ends: `bad_input::a_filter_that_prints_without_end_is_ended`,
//!   `filters::a_filter_that_hangs_is_killed_with_all_that_it_began`
//! - a filter that fails, prints nothing or no document: `filters::a_filter_that_fails_or_prints_no_object_changes_nothing`
//! - a filter that prints a gibibyte: `filters::a_filter_that_prints_a_gibibyte_is_killed_in_little_memory`
//! - a write set that is malformed, leaves the worktree, names everything or is far too long:
//!   `bad_work::a_write_set_that_cannot_be_is_named`
//! - an unknown status or epoch, a detail that is no object: `bad_work::a_step_that_makes_no_sense_is_named`
//! - a board that is not JSON, cut off, changed, of another vocabulary or newer, or that names a task twice:
//!   `bad_work::a_bad_board_is_named_with_its_line_and_nothing_is_merged`
//! - a policy with an unknown or malformed key: `cli_config::what_a_policy_gets_wrong_is_named_with_its_line`
//! - force without a reason: `bad_work::force_without_a_reason_is_refused`

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::program::{Said, Yard, fencehold_in, said};
use crate::strangers::anybody;

/// Ended with 2, one message on stderr that says these words, and nothing on stdout.
#[track_caller]
fn refuses(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word:?} is missing: {said:?}");
    }
}

/// CLI-2: An unknown command or flag, and a malformed id, TTL, JSON text or UTF-8 text, exits 2 with a message that
/// names it, and no byte on disk changes.
#[test]
fn what_makes_no_sense_is_named() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "there"]).code, 0);
    fs::write(yard.join("doc.json"), "{}\n").unwrap();
    let before = yard.snapshot();
    let long = "n".repeat(257);
    for (args, named) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["lock", "list", "--frobnicate"], "--frobnicate"),
        (&["lock", "acquire", " "], "blank"),
        (&["lock", "acquire", &long], "257 bytes"),
        (&["lock", "acquire", "a\nb"], "control character"),
        (&["lock", "acquire", "a", "--holder", " a"], "white space"),
        (&["lock", "acquire", "a", "--claim", ""], "blank"),
        (&["lock", "acquire", "a", "--ttl", "0s"], "zero"),
        (&["lock", "acquire", "a", "--ttl", "5"], "5"),
        (&["lock", "acquire", "a", "--ttl", "367d"], "366 days"),
        (&["lock", "acquire", "a", "--wait", "soon"], "soon"),
        (&["lock", "acquire", "a", "--pid", "0"], "0"),
        (&["lock", "acquire", "a", "--pid", "99999999"], "99999999"),
        (&["lock", "renew", "a", "--token", "x"], "x"),
        (&["lock", "renew", "a"], "--token"),
        (&["lock", "release", "a", "--token", "9007199254740992"], "9007199254740992"),
        (&["lock", "break", "a"], "--reason"),
        (&["log", "append", "log.ndjson", "{"], "JSON"),
        (&["log", "append", "log.ndjson", "[1]"], "string `id`"),
        (&["log", "append", "log.ndjson", "{\"id\":1}"], "string `id`"),
        (&["log", "append", "log.ndjson", "{\"id\":\"a\"}", "--fence", "build=1"], "build=1"),
        (
            &["log", "append", "log.ndjson", "{\"id\":\"a\"}", "--fence", "lock/build=9007199254740991"],
            "9007199254740991",
        ),
        (&["doc", "update", "doc.json", "--merge", "nope"], "JSON"),
        (&["doc", "update", "doc.json"], "--merge"),
        (&["doc", "update", "doc.json", "--merge", "{}", "--force"], "--reason"),
        (&["man", "lock", "frobnicate"], "frobnicate"),
        (&["completions", "tcsh"], "tcsh"),
    ] {
        let said = yard.run(args);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{args:?}: {said:?}");
        assert!(said.stderr.contains(named), "{args:?} does not name {named}: {said:?}");
    }
    for args in [&["lock", "acquire"][..], &["log", "append", "log.ndjson"]] {
        let said = yard.run(args.iter().map(OsStr::new).chain([OsStr::from_bytes(b"a\xff")]));
        assert_eq!((said.code, said.stderr.contains("UTF-8")), (2, true), "{said:?}");
    }
    assert_eq!(yard.snapshot(), before);
}

/// CLI-14: A symbolic link, FIFO or directory in the place of one of our files, or a link in the place of one of
/// our folders, exits 2 without being followed for writing or waited for.
#[test]
fn something_else_in_the_place_of_our_files_is_not_touched() {
    for name in ["lock", "journal.1.ndjson", "floor.json", "config.toml"] {
        for kind in ["symlink", "fifo", "dir"] {
            let yard = Yard::with_git();
            assert_eq!(yard.run(["lock", "acquire", "there"]).code, 0);
            let path = yard.join(".git/fencehold").join(name);
            let target = yard.join("target");
            if path.exists() {
                fs::rename(&path, &target).unwrap();
            } else {
                fs::write(&target, "durability = \"relaxed\"\n").unwrap();
            }
            match kind {
                "symlink" => symlink(&target, &path).unwrap(),
                "dir" => fs::create_dir(&path).unwrap(),
                _ => {
                    let made = Command::new("mkfifo").arg(&path).status().unwrap();
                    assert!(made.success());
                }
            }
            let before = yard.snapshot();
            let said = yard.run(["lock", "acquire", "build"]);
            refuses(&said, &[path.to_str().unwrap()]);
            assert_eq!(yard.snapshot(), before, "{kind} as {name}");
        }
    }
}

/// CLI-15: A file of a log or a document that resolves to a place outside the root exits 2 and is neither read nor
/// written.
#[test]
fn a_file_outside_the_root_is_refused() {
    let yard = Yard::new();
    fs::create_dir(yard.join("tree")).unwrap();
    yard.git_in(&yard.join("tree"), &["init", "-q"]);
    fs::write(yard.join("outside.json"), "{\"secret\":1}\n").unwrap();
    fs::create_dir(yard.join("beyond")).unwrap();
    symlink(yard.join("beyond"), yard.join("tree/way-out")).unwrap();
    symlink(yard.join("outside.json"), yard.join("tree/link.json")).unwrap();
    let before = fs::read(yard.join("outside.json")).unwrap();
    let outside = yard.join("outside.json");
    for file in ["../outside.json", "way-out/doc.json", "link.json", outside.to_str().unwrap()] {
        for args in [
            &["doc", "read"][..],
            &["doc", "update", "--merge", "{\"a\":1}"],
            &["log", "append", "--"],
            &["log", "read"],
        ] {
            let mut command = fencehold_in(&yard.join("tree"));
            command.args(args).arg(file);
            if args[0] == "log" && args[1] == "append" {
                command.arg("{\"id\":\"a\"}");
            }
            let said = said(&mut command);
            assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{args:?} {file}: {said:?}");
        }
    }
    assert_eq!(fs::read(yard.join("outside.json")).unwrap(), before);
    assert!(fs::read_dir(yard.join("beyond")).unwrap().next().is_none());
}

/// CLI-16: Where a file cannot be read or written, for want of permission or of space or on a read-only disk, the
/// command exits 2 and names the folder and a way out, unless the operation may have happened.
#[test]
fn who_may_not_write_is_told_the_folder_and_a_way_out() {
    let yard = Yard::with_git();
    let Some(start) = anybody(&yard) else { return };
    let dir = yard.join(".git");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).unwrap();
    let first = said(start(&yard).args(["lock", "acquire", "build"]));
    refuses(&first, &[dir.to_str().unwrap(), "fencehold init --dir"]);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(said(start(&yard).args(["lock", "acquire", "build"])).code, 0);
    let journal = yard.join(".git/fencehold/journal.1.ndjson");
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o000)).unwrap();
    refuses(&said(start(&yard).args(["lock", "acquire", "other"])), &["journal.1.ndjson"]);
}

/// CLI-18: A configuration with an unknown key exits 2 and names the key.
#[test]
fn an_unknown_key_is_named() {
    let yard = Yard::with_git();
    assert_eq!(yard.run(["lock", "acquire", "build"]).code, 0);
    let config = yard.join(".git/fencehold/config.toml");
    for (text, named) in [
        ("durabilty = \"relaxed\"\n", "durabilty"),
        ("durability = \"quick\"\n", "quick"),
        ("patience = \"0s\"\n", "patience"),
        ("durability =\n", "config.toml"),
    ] {
        fs::write(&config, text).unwrap();
        refuses(&yard.run(["lock", "list"]), &["config.toml", named]);
        refuses(&yard.run(["lock", "acquire", "other"]), &["config.toml", named]);
    }
    fs::write(&config, [0xff, 0xfe]).unwrap();
    refuses(&yard.run(["lock", "list"]), &["config.toml", "UTF-8"]);
    fs::write(&config, "durability = \"relaxed\"\npatience = \"5s\"\n").unwrap();
    assert_eq!(yard.run(["lock", "acquire", "other"]).code, 0);
}

/// CLI-2: An unknown command or flag, and a malformed id, TTL, JSON text or UTF-8 text, exits 2 with a message that
/// names it, and no byte on disk changes.
#[test]
fn nothing_is_created_for_what_cannot_be_done() {
    let yard = Yard::with_git();
    let before = yard.snapshot();
    for (code, args) in [
        (2, &["log", "append", "../l", "{\"id\":\"a\"}"][..]),
        (2, &["log", "append", "l", "{\"id\":\" \"}"]),
        (2, &["log", "append", "no/such/folder", "{\"id\":\"a\"}"]),
        (2, &["log", "append", "l", "{\"id\":\"a\"}", "--fence", "lock/a=1"]),
        (2, &["doc", "update", "../d", "--merge", "{}"]),
        (2, &["doc", "update", "d", "--merge", "[1]"]),
        (2, &["doc", "update", "d", "--merge", "{}", "--fence", "lock/a=1"]),
        (1, &["doc", "update", "d", "--merge", "{}", "--force", "--reason", " "]),
        (2, &["doc", "read", "d", "--fence", "lock/a=1"]),
        (2, &["doc", "read", "../d"]),
        (0, &["doc", "repair", "d"]),
        (2, &["doc", "repair", "../d"]),
        (1, &["lock", "break", "a", "--reason", " "]),
        (1, &["lock", "renew", "a", "--token", "1"]),
        (2, &["lock", "acquire", "a", "--pid", "99999999"]),
        (125, &["lock", "run", "a", "--ttl", "never", "--", "true"]),
        (125, &["lock", "--root", ".", "run", "a"]),
    ] {
        let said = yard.run(args);
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        assert_eq!(yard.snapshot(), before, "{args:?}");
    }
    let usage = yard.json(2, ["log", "append"]);
    assert!(usage["error"].as_str().unwrap().contains("<FILE>"), "it names what is missing: {usage}");
}

#[test]
fn a_filter_that_prints_without_end_is_ended() {
    let yard = Yard::with_git();
    fs::write(yard.join("d"), "{}\n").unwrap();
    for filter in ["yes", "exec yes", "yes | cat", "trap '' PIPE; while :; do cat /dev/zero; done"] {
        refuses(&yard.run(["doc", "update", "d", "--exec", filter]), &["filter", "nothing was changed"]);
        assert_eq!(fs::read_to_string(yard.join("d")).unwrap(), "{}\n");
    }
}

/// Each name in the list above is that of a test.
#[test]
fn every_kind_of_bad_input_has_its_tests() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(here.join("bad_input.rs")).unwrap();
    let mut seen = 0;
    for line in list.lines().take_while(|line| line.starts_with("//!")) {
        for name in line.split('`').skip(1).step_by(2) {
            let (module, test) = name.split_once("::").unwrap_or_else(|| panic!("{name} is no test"));
            let source = fs::read_to_string(here.join(format!("{module}.rs"))).unwrap();
            assert!(source.contains(&format!("#[test]\nfn {test}() {{")), "{name} is no test");
            seen += 1;
        }
    }
    assert!(seen >= 40, "{seen} tests are named");
}
