//! The account of the numbered defects: in which bench of broken programs each is caught, or why it is in none.
//!
//! The numbers are those of a list of defects that were found in programs that do what this one does. Twelve of its
//! numbers, up to the last, were never given out.

/// In which bench a defect is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Targets: programs that do what the target protocol asks for, as the gate's stage `mutants` runs them (a guard's is
    /// asked as a hook process, by `tests/guard_stage.rs`).
    Targets {
        /// The mutants of the simulated disk that have it ([`Mutant::numbered`](super::Mutant::numbered)), by name.
        simulated: &'static [&'static str],
        /// Whether there is a target process that has it, by its number ([`targets`](crate::targets)).
        process: bool,
        /// Whether there is a session guard that has it, by its number ([`Defect`](crate::guard::Defect)).
        guard: bool,
    },
    /// Command lines: what has it is asked as our command line is, and the test that ours passes fails on it.
    CommandLine(Test),
    /// Git helpers: what has it does with a repository what ours does, and the test that ours passes fails on it.
    GitHelper(Test),
    /// None: it cannot be expressed in a program that could stand beside ours.
    Argued {
        /// Why, in a sentence.
        why: &'static str,
        /// The test that holds what the sentence rests on, where one can.
        shown: Option<Test>,
    },
}

/// A test of this repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test {
    /// Its file, from the top of the repository.
    pub file: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// One numbered defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// `M` and two digits.
    pub number: &'static str,
    /// The defect in a word.
    pub name: &'static str,
    /// In which bench it is caught.
    pub by: Where,
}

const fn simulated(number: &'static str, name: &'static str, simulated: &'static [&'static str]) -> Numbered {
    Numbered { number, name, by: Where::Targets { simulated, process: false, guard: false } }
}

const fn both(number: &'static str, name: &'static str, simulated: &'static [&'static str]) -> Numbered {
    Numbered { number, name, by: Where::Targets { simulated, process: true, guard: false } }
}

const fn guarded(
    number: &'static str,
    name: &'static str,
    simulated: &'static [&'static str],
    process: bool,
) -> Numbered {
    Numbered { number, name, by: Where::Targets { simulated, process, guard: true } }
}

const fn process(number: &'static str, name: &'static str) -> Numbered {
    both(number, name, &[])
}

const fn command_line(
    number: &'static str,
    defect: &'static str,
    file: &'static str,
    name: &'static str,
) -> Numbered {
    Numbered { number, name: defect, by: Where::CommandLine(Test { file, name }) }
}

const fn git_helper(
    number: &'static str,
    defect: &'static str,
    file: &'static str,
    name: &'static str,
) -> Numbered {
    Numbered { number, name: defect, by: Where::GitHelper(Test { file, name }) }
}

const fn argued(
    number: &'static str,
    name: &'static str,
    why: &'static str,
    shown: Option<Test>,
) -> Numbered {
    Numbered { number, name, by: Where::Argued { why, shown } }
}

/// Where work is called finished, by ours and by a registry with one flaw.
const CLOSEOUTS: &str = "tests/replaced/registry.rs";

/// Where runs of agents are begun, corrected and resumed, by ours and by a status file with one flaw.
const STATUS_FILES: &str = "tests/replaced/status_files.rs";

/// What keeps plan files in step with a board over git: ours, and the gate's own with a flaw.
const HELPERS: &str = "tests/git_helpers.rs";

/// Where plan files and a board are kept in step, by ours and by a helper with one flaw.
const PLANS: &str = "tests/replaced/plans.rs";

/// Every numbered defect, in the order of the numbers.
pub const CATALOG: [Numbered; 52] = [
    both("M01", "rmw-nolock", &["M01 rmw-nolock"]),
    both("M03", "unlocked-fallback", &["M03 unlocked-fallback"]),
    simulated("M04", "age-steal-live", &["M04 age-steal-live"]),
    simulated("M05", "double-takeover", &["M05 double-takeover"]),
    simulated("M06", "release-by-path", &["M06 release-by-path"]),
    simulated("M08", "future-clock", &["M08 clock-step", "M08 future-clock"]),
    simulated("M09", "nested-lock", &["M09 nested-lock"]),
    simulated("M10", "corrupt-to-default", &["M10 corrupt-to-default"]),
    simulated("M11", "inplace-write", &["M11 inplace-write"]),
    simulated("M13", "tmp-leak", &["M13 live temp swept", "M13 tmp-leak"]),
    simulated("M14", "swallow-write-error", &["M14 swallow-write-error"]),
    simulated("M15", "mode-symlink-drop", &["M15 mode-drop", "M15 symlink-drop"]),
    both("M16", "torn-tail-glue", &["M16 torn-tail-glue"]),
    simulated("M17", "torn-tail-throws", &["M17 torn tail returned", "M17 torn-tail-throws"]),
    simulated("M18", "length-id", &["M18 length-id"]),
    git_helper(
        "M20",
        "eof-merge",
        "tests/log_git.rs",
        "without_the_attribute_two_branches_that_appended_conflict",
    ),
    command_line(
        "M21",
        "migrate-half",
        "tests/replaced/bug_log.rs",
        "a_migration_that_dies_at_any_step_is_ended_by_the_next",
    ),
    process("M23", "merge-twice"),
    process("M25", "stale-status-overwrite"),
    process("M26", "reader-writes"),
    both("M27", "pid-reuse", &["M27 pid-reuse"]),
    argued(
        "M28",
        "alias-config",
        "the library hands out values that their caller owns, and lends what cannot be kept, taken or changed",
        Some(Test { file: STATUS_FILES, name: "what_is_got_is_the_getters_own" }),
    ),
    command_line("M29", "nil-default", STATUS_FILES, "the_first_use_makes_it_once"),
    simulated("M30", "thread-only-mutex", &["M30 thread-only-mutex"]),
    process("M31", "count-fingerprint"),
    process("M32", "warn-only"),
    process("M33", "double-grant"),
    simulated("M34", "quarantine-healthy", &["M34 quarantine-healthy"]),
    simulated("M35", "ioerror-is-corrupt", &["M35 ioerror-is-corrupt"]),
    command_line("M37", "block-label-only", CLOSEOUTS, "what_is_labelled_as_blocking_blocks"),
    command_line("M38", "section-null", CLOSEOUTS, "a_closeout_that_cannot_read_does_not_pass"),
    guarded("M39", "cwd-split", &[], true),
    process("M40", "id-normalise"),
    process("M41", "illegal-transition"),
    process("M42", "writeset-ignored"),
    process("M43", "force-no-audit"),
    simulated("M45", "acquire-not-exclusive", &["M45 acquire-not-exclusive"]),
    guarded("M47", "fail-open-silent", &["M47 fail-open"], false),
    simulated("M48", "no-heartbeat", &["M48 no-heartbeat"]),
    guarded("M50", "inert-guard", &[], false),
    simulated("M51", "no-fence", &["M51 no-fence"]),
    git_helper("M52", "ahead-is-behind", HELPERS, "a_branch_that_is_ahead_is_not_behind"),
    process("M53", "tie-is-ahead"),
    process("M54", "monotone-forever"),
    git_helper("M55", "index-sweep", HELPERS, "what_is_staged_is_not_swept"),
    command_line("M56", "edit-outside-block", PLANS, "an_edit_changes_one_status"),
    command_line("M57", "db-blind-patch", PLANS, "a_step_never_undoes_what_it_did_not_see"),
    git_helper("M58", "pull-fail-continue", HELPERS, "a_failed_pull_stops"),
    git_helper("M59", "no-upstream", HELPERS, "without_a_branch_or_an_upstream_nothing_is_written"),
    git_helper("M60", "open-loop-commit", HELPERS, "a_run_with_nothing_to_do_commits_nothing"),
    git_helper("M63", "warn-as-ok", HELPERS, "behind_and_diverged_are_two_things"),
    argued(
        "M64",
        "tautology-test",
        "it is a gate that has it: this one is itself asked about every mutant, from every seed",
        Some(Test { file: "tests/mutants_sim.rs", name: "every_mutant_is_found_from_every_seed" }),
    ),
];
