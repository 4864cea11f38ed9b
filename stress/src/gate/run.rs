//! `run` and `judge`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fencehold_model::history::History;
use serde_json::json;

use super::args::{Judge, Lint, ProfileName, Replay, Run};
use super::stage::{Context, Profile, Progress};
use crate::check::{self, Verdict};
use crate::report::{self, Results, StageResult};
use crate::target::Spec;

/// A stage: its name, and what runs it.
type Stage = (&'static str, fn(&mut Context) -> StageResult);

/// The stages, in the order they run.
const STAGES: [Stage; 13] = [
    ("corpus", super::corpus::stage),
    ("model", crate::explore::stage),
    ("oracle", crate::explore::oracle_stage),
    ("torn", super::worlds::torn),
    ("power", super::worlds::power),
    ("simulation", super::worlds::simulation),
    ("swarm", super::worlds::swarm),
    ("loom", super::worlds::loom),
    ("mutants", super::mutants::stage),
    ("control", super::processes::control),
    ("guard", crate::guard::stage),
    ("plans", crate::plans::storm::stage),
    ("soak", crate::soak::stage),
];

/// The stages that drive the command of `--target`; the others look at our own code only.
const OF_TARGETS: [&str; 1] = ["soak"];

/// Runs the stages asked for; gives the exit code.
pub(super) fn run(args: &Run) -> Result<u8, String> {
    let known = |name: &String| STAGES.iter().any(|(stage, _)| stage == name);
    if let Some(unknown) = args.only.iter().chain(&args.require).find(|name| !known(name)) {
        let names: Vec<&str> = STAGES.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no stage `{unknown}`; there are {}", names.join(", ")));
    }
    let (utc, seed) = (utc_now(), args.seed.unwrap_or_else(clock_seed));
    let run_dir = args.out.join(format!("{utc}-{seed}"));
    std::fs::create_dir_all(&run_dir).map_err(|error| format!("creating {}: {error}", run_dir.display()))?;
    let target = args
        .target
        .as_deref()
        .map(|text| shell_words::split(text).map_err(|error| format!("--target {text:?}: {error}")))
        .transpose()?;
    let profile = match args.profile {
        ProfileName::Quick => Profile::Quick,
        ProfileName::Default => Profile::Default,
        ProfileName::Deep => Profile::Deep,
    };
    let mut context =
        Context { profile, seed, run_dir, target, seconds: args.seconds, progress: Progress::new() };
    let stages = STAGES
        .iter()
        .filter(|(name, _)| args.only.is_empty() || args.only.iter().any(|only| only == name))
        .filter(|(name, _)| args.target.is_none() || OF_TARGETS.contains(name))
        .map(|(_, stage)| stage(&mut context))
        .collect();
    let results = Results {
        utc,
        seed,
        profile: profile.word(),
        target: args.target.clone().unwrap_or_else(|| report::OWN_TARGET.to_owned()),
        machine: machine(&context.run_dir),
        stages,
        required: args.require.clone(),
    };
    let written = report::write_all(&results, &context.run_dir, args.junit.as_deref());
    let page = match &written {
        Ok(page) => format!("report: {}", page.display()),
        // What was found stands whether or not it could be written down.
        Err(error) => format!("the report could not be written below {}: {error}", context.run_dir.display()),
    };
    eprintln!("{page}");
    let text = if args.json { format!("{}\n", results.json()) } else { report::table(&results) };
    match std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(format!("stdout: {error}"));
        }
        _ => {}
    }
    Ok(results.exit_code())
}

/// Judges a history; gives the exit code.
pub(super) fn judge(args: &Judge) -> Result<u8, String> {
    let path = args.history.display();
    let text = std::fs::read_to_string(&args.history).map_err(|error| format!("{path}: {error}"))?;
    let begun = Instant::now();
    let (word, why, code, operations) = match crate::guard::recorded(&text) {
        Some(lines) => {
            let found = crate::guard::judge(&lines.map_err(|bad| format!("{path}: {bad}"))?);
            match found.violations.first() {
                None => ("ok", String::new(), 0, found.counts.calls),
                Some(why) => ("violation", why.clone(), 1, found.counts.calls),
            }
        }
        None => {
            let history = History::parse(&text).map_err(|bad| format!("{path}: {bad}"))?;
            let report = check::check(&history, Duration::from_secs(args.seconds));
            let operations = report.counts.ops as u64;
            match &report.verdict {
                Verdict::Ok => ("ok", String::new(), 0, operations),
                Verdict::Violation(violation) => ("violation", violation.why.clone(), 1, operations),
                Verdict::Unknown(why) => ("unknown", why.clone(), 3, operations),
            }
        }
    };
    if args.json {
        let json = json!({ "verdict": word, "why": why, "operations": operations });
        println!("{json}");
    } else {
        let why = if why.is_empty() { why } else { format!(": {why}") };
        println!("{word}{why} ({operations} operations, {:.2} s)", begun.elapsed().as_secs_f64());
    }
    Ok(code)
}

/// Checks an adapter one request at a time; gives the exit code.
pub(super) fn lint(args: &Lint) -> Result<u8, String> {
    let spec = match &args.target {
        None => Spec::own(),
        Some(text) => Spec::parse(text).map_err(|bad| bad.to_string())?,
    };
    let mut progress = Progress::new();
    progress.begin("lint");
    let report =
        crate::lint::lint(&spec, &mut progress).map_err(|error| format!("{}: {error}", spec.text()))?;
    progress.end();
    println!("{report}");
    Ok(u8::from(!report.is_clean()))
}

/// Runs a schedule again; gives the exit code.
pub(super) fn replay(args: &Replay) -> Result<u8, String> {
    let path = args.schedule.display();
    let text = std::fs::read_to_string(&args.schedule).map_err(|error| format!("{path}: {error}"))?;
    match crate::sim::stage::replay(&text).map_err(|error| format!("{path}: {error}"))? {
        Some(counterexample) => {
            println!("violation: {counterexample}");
            Ok(1)
        }
        None => {
            println!("ok: the schedule ran to its end, and nothing is violated");
            Ok(0)
        }
    }
}

/// Makes a schedule shorter, and writes it beside the long one; gives the exit code.
pub(super) fn minimize(args: &Replay) -> Result<u8, String> {
    let path = args.schedule.display();
    let text = std::fs::read_to_string(&args.schedule).map_err(|error| format!("{path}: {error}"))?;
    let short = crate::sim::stage::minimize(&text).map_err(|error| format!("{path}: {error}"))?;
    let name =
        args.schedule.file_name().map_or_else(|| "schedule.ndjson".into(), |name| name.to_string_lossy());
    let beside = args.schedule.with_file_name(format!("short.{name}"));
    std::fs::write(&beside, short.schedule.to_ndjson())
        .map_err(|error| format!("{}: {error}", beside.display()))?;
    println!("violation: {short}");
    let before = text.lines().count().saturating_sub(1);
    println!("{before} answers before, {} now", short.schedule.answers.len());
    println!("{}", super::replay_command(&beside));
    Ok(1)
}

/// Now, as `20261121T013200Z`.
fn utc_now() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn clock_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| u64::from(since.subsec_nanos()))
}

/// Machine, kernel and filesystem, in words.
fn machine(dir: &Path) -> String {
    let uname = rustix::system::uname();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{cores} cores, {} {} {}, {}",
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
        uname.machine().to_string_lossy(),
        filesystem(dir)
    )
}

fn filesystem(dir: &Path) -> String {
    let dir: PathBuf = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let nearest = fields.filter(|(at, _)| dir.starts_with(at)).max_by_key(|(at, _)| at.len());
    nearest.map_or("an unknown filesystem".to_owned(), |(_, kind)| kind.to_owned())
}
