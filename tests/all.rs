//! One integration binary: a line for each module says what it holds.
// All of it is tests; clippy's own exception covers only functions marked so.
#![allow(clippy::unwrap_used)]

/// `fencehold audit` as processes: what is changed, beside what is claimed.
mod audit;
/// Bad data: damaged, newer, incomplete.
mod bad_data;
/// Bad input, given to the command line: exit codes, messages, bytes untouched.
mod bad_input;
/// A workspace that is deleted, copied or restored under a running process; spellings; readers that go away.
mod bad_moves;
/// Bad places: links, FIFOs and folders for files, no permission, no space, no writing.
mod bad_places;
/// Bad write sets, boards and force: named, and nothing of them done.
mod bad_work;
/// The benchmark report: what is merged, what is marked, and pages that fetch nothing.
mod bench_report;
/// The checker: the corpus of judged histories, random histories and single corruptions of them.
mod checker;
/// The command line as a process: exit codes, what goes to stdout and what to stderr.
mod cli;
/// `fencehold lease closeout` as processes: labels and exit codes that agree.
mod cli_closeout;
/// `fencehold config` as processes: the policy of a team, and what is wrong with one.
mod cli_config;
/// `fencehold lease` as processes: one registry for all, races, everybody in the way named.
mod cli_lease;
/// `fencehold task` as processes: steps, conflicts, boards that clones exchange.
mod cli_task;
/// What every journal keeps, asked of the journal in files and of the simulated one; and the latter's own faults.
mod contract;
/// What other systems do and where they break, beside the tests: `docs/coverage.md`.
mod coverage;
/// `fencehold deinit` as processes: what goes, what stays, what stops it.
mod deinit;
/// The simulated disk: the kernel's answers, and what a power cut leaves of it.
mod disk;
/// Documents: updates under lock, damage kept, the fence at the resource.
mod document;
/// Documents and the disk's failures: which of them are definite.
mod document_faults;
/// Documents as text: what a change leaves as it was, and what it refuses.
mod document_text;
/// The explorer of the machines, and the wrong machines that it must catch.
mod explore;
/// Filters of documents that fail, hang, print nothing or without end.
mod filters;
/// The first screen.
mod front;
/// Done-gates as processes: what a file in a repository must be before a task is done.
mod gates;
/// What is written into git's own files.
mod git_files;
/// Helpers that keep plan files in step over git: ours, one without a flaw, and those with one.
mod git_helpers;
/// The session guard as processes: payloads of harnesses in, decisions out.
mod guard;
/// The gate's stage `guard`: sessions with processes of their own, broken guards, records with a corruption.
mod guard_stage;
/// The real disk with failures and foreign writers put in, call by call.
mod hooked;
/// What failed disks, damaged files and half-done repairs leave to the journal.
mod journal_faults;
/// The journal and its readers, held up between any two calls.
mod journal_races;
/// The linter of adapters and the transcripts of the protocol.
mod lint;
/// Where the workspace of a folder is.
mod locate;
/// `lock run`: exit codes, killed, stopped, nested, lost.
mod lock_run;
/// Logs: appends that hide nothing, tolerant readers, merges in git.
mod log;
/// `log compact`: what is folded, what stays, what is kept and carried over.
mod log_compact;
/// Logs in git: branches that appended merge clean.
mod log_git;
/// `log import`: what is taken over, what is told, killed and beside others.
mod log_import;
/// What `log search` finds.
mod log_search;
/// The shipped code under loom on the simulated disk.
mod loom;
/// Places, keys and marks: every spelling meets one lock.
mod mark;
/// The pure model: decisions against the oracle, round trips, framing, chains, the folded state.
mod model;
/// A small filesystem of the tests' own; holds no test.
mod mounted;
/// The mutants on the simulated disk, their controls, and the catalog of the numbered defects.
mod mutants_sim;
/// `fencehold plan`: task blocks in markdown against the board.
mod plan;
/// The gate's stage `plans`: machines that share a remote, and helpers with known defects.
mod plans_storm;
/// Two clones and one board that is exchanged: the story of plan files in six steps.
mod plans_two_machines;
/// The power fails at every call of every operation: what the next boot finds.
mod power;
/// Starts the shipped command line as real processes; holds no test.
mod program;
/// The README works as typed.
mod readme;
/// Bugs that were found, each kept away by a test that the README names.
mod regressions;
/// The programs that this one takes the place of: their defects, shown on them and not on ours.
mod replaced;
/// The gate's reports: table, files, drawing, exit codes.
mod report;
/// What a hard look at the protocol's first draft found, each finding as its story.
mod review;
/// The places of the shipped code that call the disk, and what is wrong with it where one of them is.
mod seam;
/// The mutants of the shipped code: who catches each, and how small the counterexample is.
mod seam_hunt;
/// `fencehold serve` spoken to by lines; holds no test.
mod served;
/// The simulated disk against the real one; the world's own promises.
mod sim;
/// A root with a workspace folder in it, for every module.
mod site;
/// DOC of SPEC.md, where no other module quotes it.
mod spec_doc;
/// The chapter FENCE: tokens, marks, and what a guarded file refuses.
mod spec_fence;
/// The chapter JOURNAL: lines, commits, rotation, time, readers, and what once broke them.
mod spec_journal;
/// A workspace, a machine and a disk that a test sets; holds no test.
mod spec_kit;
/// The chapter LEASE: grants, lapses, ends, and what a rotation forgets.
mod spec_lease;
/// The chapter LOCK: grants, refusals, bound locks, waits.
mod spec_lock;
/// LOG of SPEC.md, where no other module quotes it.
mod spec_log;
/// Proposals: the machine, the accept killed at every call, doubt, the command.
mod spec_proposal;
/// The chapter RECOVER: kills, tails, breaks, repair, copies.
mod spec_recover;
/// The chapter STATUS: vocabularies, sets, epochs, boards that meet, what is kept.
mod spec_status;
/// TARGET of SPEC.md: the frame of the protocol, and what is no request.
mod spec_target;
/// TARGET of SPEC.md: leases.
mod spec_target_leases;
/// TARGET of SPEC.md: what the operations answer.
mod spec_target_ops;
/// TARGET of SPEC.md: proposals.
mod spec_target_proposals;
/// TARGET of SPEC.md: statuses.
mod spec_target_statuses;
/// Starts the program as somebody who is not root; holds no test.
mod strangers;
/// Swarm runs: drawn operations and faults, judged by the checker.
/// Swarm runs: long drawn runs with everything that may go wrong switched on and off.
mod swarm;
/// Targets with a known defect, and the correct one in another language.
mod targets;
/// What holds SPEC.md, the tests and the sources together.
mod tidy;
/// Every operation killed at every call and cut at every byte.
mod torn;
/// The files in `vectors/`, read and appended to by ours and in other languages.
mod vectors;
/// Who waits is seen, whatever becomes of it.
mod waiting;
/// The first screen, live, in a terminal.
mod watch;
/// The world of processes that take turns: kills, faults, searches.
mod world;
/// Faults by choice in the simulated world: each happens, and does what it says.
mod world_faults;
/// What the searches of the simulated world leave out, and what they must not.
mod world_search;
/// Write sets as they are typed: spellings, globs, places that are not to be written.
mod writes;
