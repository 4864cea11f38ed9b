//! The stage `corpus`: histories with known verdicts, so that the judge is judged first.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fencehold_model::history::{Expect, History};

use super::stage::{Context, Finding};
use crate::check::{self, Verdict as Judged};
use crate::report::{StageResult, Verdict};

/// Where the corpus stands in the checkout that the gate was built from.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

/// How long one history may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Judges every history of the corpus.
pub(super) fn stage(context: &mut Context) -> StageResult {
    context.progress.begin("corpus");
    let mut finding = Finding::ok(0, "histories", "the judged histories of stress/corpus");
    let mut wrong = Vec::new();
    let histories = match histories(Path::new(CORPUS)) {
        Ok(histories) => histories,
        Err(error) => {
            let why = format!("because the corpus of the checkout cannot be read: {error}");
            return context.finish("corpus", Finding { verdict: Verdict::Skipped(why), ..finding });
        }
    };
    for path in histories {
        finding.cases += 1;
        context.progress.tell(finding.cases, "histories", None);
        let judged = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        if let Err(why) = judged.and_then(|text| judge(&text)) {
            wrong.push(format!("{}: {why}", path.display()));
        }
    }
    if !wrong.is_empty() {
        finding.verdict = Verdict::Violation(format!("the checker judges wrongly: {}", wrong.join("; ")));
        finding.command = Some("cargo gate --only corpus".to_owned());
    } else if finding.cases == 0 {
        finding.verdict = Verdict::Unknown("the corpus is empty".to_owned());
    }
    context.finish("corpus", finding)
}

fn histories(corpus: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for folder in std::fs::read_dir(corpus)? {
        for file in std::fs::read_dir(folder?.path())? {
            paths.push(file?.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn judge(text: &str) -> Result<(), String> {
    let history = History::parse(text).map_err(|bad| bad.to_string())?;
    let expected = history.header.expect.ok_or("its header expects nothing")?;
    let judged = match check::check(&history, DEADLINE).verdict {
        Judged::Ok => Expect::Ok,
        Judged::Violation(_) => Expect::Violation,
        Judged::Unknown(_) => Expect::Unknown,
    };
    if judged == expected { Ok(()) } else { Err(format!("{judged:?}, not {expected:?}")) }
}
