//! Every exception to a rule, each with its reason. Short lists are the point.

/// The chapters of SPEC.md; every requirement of each is quoted by a test.
pub(super) const CHAPTERS: [&str; 15] = [
    "FENCE", "LOCK", "LEASE", "STATUS", "GATE", "JOURNAL", "CONTRACT", "LOG", "DOC", "PROPOSAL", "PLAN",
    "RECOVER", "CLI", "GUARD", "TARGET",
];

/// Requirements that no test quotes: id, reason.
pub(super) const UNQUOTED: [(&str, &str); 0] = [];

/// Ids that were withdrawn and leave a gap.
pub(super) const WITHDRAWN: [&str; 0] = [];

/// Files longer than the bound: path, reason.
pub(super) const LONG_FILES: &[(&str, &str)] = &[];

/// Functions longer than the bound: path, name, reason.
pub(super) const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("stress/src/explore/mutants.rs", "decide", "one arm for each wrong machine"),
    ("stress/src/explore/leases/mutants.rs", "distorted", "one arm for each wrong machine"),
    ("stress/src/explore/leases/mutants.rs", "falsify", "one arm for each wrong machine"),
    ("tests/checker/machine.rs", "lock", "a second machine, written in one piece to be read in one"),
    (
        "tests/spec_target.rs",
        "a_request_that_makes_no_sense_fails_and_changes_nothing",
        "one table of what makes no sense",
    ),
    ("tests/model/pattern.rs", "overlap_is_what_both_cover_in_either_order", "one table of pairs"),
    ("tests/sim.rs", "tour", "one call of each kind, on two disks in step"),
];

/// Where a thread may sleep: path, reason.
pub(super) const SLEEPS: &[(&str, &str)] = &[
    ("impl/src/fs/real.rs", "flock(2) knows no deadline: between two tries, nothing is ordered by it"),
    ("stress/src/targets/unlocked_fallback.rs", "a wrong target: it waits for a lock as the original does"),
    ("stress/src/lint/lapse.rs", "a TTL has to pass by the clock that the adapter is judged by"),
    ("stress/src/guard/mod.rs", "the live line is drawn anew"),
    ("stress/src/plans/storm/mod.rs", "the live line is drawn anew"),
    ("stress/src/plans/storm/fixes.rs", "the instant of a kill is drawn, or looked for"),
    ("stress/src/guard/nemesis.rs", "the instant of a kill is drawn"),
    ("stress/src/soak/nemesis.rs", "the instant of a kill is drawn"),
    ("stress/src/soak/mod.rs", "the live line is drawn anew"),
    ("stress/src/soak/aftermath.rs", "the instant at which a repair is killed is drawn"),
    ("tests/mark.rs", "the time that a holder of the OS lock keeps it"),
    ("tests/deinit.rs", "by how much one of two that race begins later is sought"),
];

/// Protocol files with unit tests: path, reason.
pub(super) const UNIT_TESTS: &[(&str, &str)] = &[
    ("impl/src/document/edit.rs", "its functions are private, pure, and of text"),
    ("impl/src/mark/name.rs", "names of files that cannot be seen from outside"),
];

/// Folders of unit tests that work on the real disk past the port: path, reason.
pub(super) const ON_DISK: &[(&str, &str)] = &[(
    "impl/src/cli/plan/git/tests/",
    "what git says can only be asked of repositories of git; no file that ships is in there",
)];
