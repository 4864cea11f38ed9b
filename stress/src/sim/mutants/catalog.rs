//! The account of the numbered defects: by what each is caught, or why it cannot be.
//!
//! The numbers are those of a list of defects that were found in programs that do what this one does. Twelve of its
//! numbers, up to the last, were never given out.

/// By what a defect is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// By the gate's stage `mutants`, or where it is a guard's by a test.
    Caught {
        /// The mutants of the simulated disk that have it ([`Mutant::numbered`](super::Mutant::numbered)), by name.
        simulated: &'static [&'static str],
        /// Whether there is a target process that has it, by its number ([`targets`](crate::targets)).
        process: bool,
        /// Whether there is a session guard that has it, by its number ([`Defect`](crate::guard::Defect)): it is asked as
        /// a hook process, by `tests/guard_stage.rs`.
        guard: bool,
    },
    /// By a test, because it takes a program that the simulated disk does not have.
    Tested {
        /// The file of the test, from the top of the repository.
        file: &'static str,
        /// The name of the test.
        test: &'static str,
    },
    /// By nothing yet: it belongs to a part that does not exist.
    Later(Part),
    /// By nothing: it cannot be expressed here.
    Inexpressible(&'static str),
}

/// A part that does not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Plans in prose whose statuses are written back, and the branch that they are on.
    Plans,
    /// Edits of shared prose that anyone may propose.
    Proposals,
    /// The step from one form of a file to the next.
    Migration,
}

impl Part {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::Plans => "the plans",
            Part::Proposals => "the proposals",
            Part::Migration => "the migration",
        }
    }
}

/// One numbered defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// `M` and two digits.
    pub number: &'static str,
    /// The defect in a word.
    pub name: &'static str,
    /// By what it is caught.
    pub by: Where,
}

const fn simulated(number: &'static str, name: &'static str, simulated: &'static [&'static str]) -> Numbered {
    Numbered { number, name, by: Where::Caught { simulated, process: false, guard: false } }
}

const fn both(number: &'static str, name: &'static str, simulated: &'static [&'static str]) -> Numbered {
    Numbered { number, name, by: Where::Caught { simulated, process: true, guard: false } }
}

const fn guarded(
    number: &'static str,
    name: &'static str,
    simulated: &'static [&'static str],
    process: bool,
) -> Numbered {
    Numbered { number, name, by: Where::Caught { simulated, process, guard: true } }
}

const fn process(number: &'static str, name: &'static str) -> Numbered {
    both(number, name, &[])
}

const fn later(number: &'static str, name: &'static str, part: Part) -> Numbered {
    Numbered { number, name, by: Where::Later(part) }
}

/// Where work is called finished, by ours and by a registry with one flaw.
const CLOSEOUTS: &str = "tests/replaced/registry.rs";

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
    Numbered {
        number: "M20",
        name: "eof-merge",
        by: Where::Tested {
            file: "tests/log_git.rs",
            test: "without_the_attribute_two_branches_that_appended_conflict",
        },
    },
    later("M21", "migrate-half", Part::Migration),
    later("M23", "merge-twice", Part::Proposals),
    process("M25", "stale-status-overwrite"),
    process("M26", "reader-writes"),
    both("M27", "pid-reuse", &["M27 pid-reuse"]),
    Numbered {
        number: "M28",
        name: "alias-config",
        by: Where::Inexpressible("the library hands out values that their caller owns, and no live map"),
    },
    Numbered {
        number: "M29",
        name: "nil-default",
        by: Where::Inexpressible(
            "there is no use before an opening: operations are methods of what was opened",
        ),
    },
    simulated("M30", "thread-only-mutex", &["M30 thread-only-mutex"]),
    process("M31", "count-fingerprint"),
    process("M32", "warn-only"),
    process("M33", "double-grant"),
    simulated("M34", "quarantine-healthy", &["M34 quarantine-healthy"]),
    simulated("M35", "ioerror-is-corrupt", &["M35 ioerror-is-corrupt"]),
    Numbered {
        number: "M37",
        name: "block-label-only",
        by: Where::Tested { file: CLOSEOUTS, test: "what_is_labelled_as_blocking_blocks" },
    },
    Numbered {
        number: "M38",
        name: "section-null",
        by: Where::Tested { file: CLOSEOUTS, test: "a_closeout_that_cannot_read_does_not_pass" },
    },
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
    later("M52", "ahead-is-behind", Part::Plans),
    process("M53", "tie-is-ahead"),
    process("M54", "monotone-forever"),
    later("M55", "index-sweep", Part::Plans),
    later("M56", "edit-outside-block", Part::Plans),
    later("M57", "db-blind-patch", Part::Plans),
    later("M58", "pull-fail-continue", Part::Plans),
    later("M59", "no-upstream", Part::Plans),
    later("M60", "open-loop-commit", Part::Plans),
    later("M63", "warn-as-ok", Part::Plans),
    Numbered {
        number: "M64",
        name: "tautology-test",
        by: Where::Tested { file: "tests/mutants_sim.rs", test: "every_mutant_is_found_from_every_seed" },
    },
];
